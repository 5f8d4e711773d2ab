/** Step 5: a history */
import type { Scenarios } from './tools.ts';

export const HISTORY: Scenarios = [];

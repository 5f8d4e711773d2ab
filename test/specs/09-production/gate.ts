/** Step 8: the gate */
import type { Scenarios } from './tools.ts';

export const GATE: Scenarios = [];

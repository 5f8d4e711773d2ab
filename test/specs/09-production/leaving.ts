/** Step 12: a server that can leave */
import type { Scenarios } from './tools.ts';

export const LEAVING: Scenarios = [];

/** Step 10: one process */
import type { Scenarios } from './tools.ts';

export const MEMORY_BUS: Scenarios = [];

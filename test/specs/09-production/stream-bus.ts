/** Step 11: many processes */
import type { Scenarios } from './tools.ts';

export const STREAM_BUS: Scenarios = [];

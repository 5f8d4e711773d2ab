/** Step 2: who is it? */
import type { Scenarios } from './tools.ts';

export const ADDRESSES: Scenarios = [];

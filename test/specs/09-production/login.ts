/** Step 4: what a page can send */
import type { Scenarios } from './tools.ts';

export const LOGIN: Scenarios = [];

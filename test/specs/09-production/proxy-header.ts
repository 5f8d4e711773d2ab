/** Step 3: what a proxy says first */
import type { Scenarios } from './tools.ts';

export const PROXY_HEADER: Scenarios = [];

/** Step 9: tLS, and a proxy in front */
import type { Scenarios } from './tools.ts';

export const FRONT: Scenarios = [];

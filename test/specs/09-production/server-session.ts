/** Step 6: a client in its room */
import type { Scenarios } from './tools.ts';

export const SERVER_SESSION: Scenarios = [];

/** Step 7: a room that survives its connections */
import type { Scenarios } from './tools.ts';

export const CLIENT_SESSION: Scenarios = [];

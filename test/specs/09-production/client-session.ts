/** Step 7: a room that survives its connections */
import { SESSION_DELAYS } from './client-delays.ts';
import { CLIENT_HEARS } from './client-hears.ts';
import { CLIENT_SAYS, CLIENTS_APART } from './client-says.ts';
import { TOGETHER } from './together.ts';
import type { Scenarios } from './tools.ts';

export const CLIENT_SESSION: Scenarios = [
  ...CLIENT_SAYS,
  ...CLIENT_HEARS,
  ...SESSION_DELAYS,
  ...CLIENTS_APART,
  ...TOGETHER,
];

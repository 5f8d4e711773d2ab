/** Step 6: a client in its room */
import { CLIENT_FRAMES } from './client-frames.ts';
import { ANY_SESSION } from './session-drawn.ts';
import { SESSION_ENDS } from './session-ends.ts';
import { SESSION_HEARS } from './session-hears.ts';
import { SESSION_SAYS } from './session-says.ts';
import type { Scenarios } from './tools.ts';

export const SERVER_SESSION: Scenarios = [
  ...CLIENT_FRAMES,
  ...SESSION_HEARS,
  ...SESSION_SAYS,
  ...SESSION_ENDS,
  ...ANY_SESSION,
];

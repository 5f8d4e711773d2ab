/** Step 4: what a page can send. */
import { CREDENTIALS } from './credentials.ts';
import { TICKETS } from './tickets.ts';
import type { Scenarios } from './tools.ts';

export const LOGIN: Scenarios = [...CREDENTIALS, ...TICKETS];

/** Mistakes of servers in production. */
import type { Trap } from './trap.ts';

/** Step 1: how often, and how many */
const LIMITS: readonly Trap[] = [];

/** Step 2: who is it? */
const ADDRESSES: readonly Trap[] = [];

/** Step 3: what a proxy says first */
const PROXY_HEADER: readonly Trap[] = [];

/** Step 4: what a page can send */
const LOGIN: readonly Trap[] = [];

/** Step 5: a history */
const HISTORY: readonly Trap[] = [];

/** Step 6: a client in its room */
const SERVER_SESSION: readonly Trap[] = [];

/** Step 7: a room that survives its connections */
const CLIENT_SESSION: readonly Trap[] = [];

/** Step 8: the gate */
const GATE: readonly Trap[] = [];

/** Step 9: tLS, and a proxy in front */
const FRONT: readonly Trap[] = [];

/** Step 10: one process */
const MEMORY_BUS: readonly Trap[] = [];

/** Step 11: many processes */
const STREAM_BUS: readonly Trap[] = [];

/** Step 12: a server that can leave */
const LEAVING: readonly Trap[] = [];

export const TRAPS: readonly Trap[] = [
  ...LIMITS,
  ...ADDRESSES,
  ...PROXY_HEADER,
  ...LOGIN,
  ...HISTORY,
  ...SERVER_SESSION,
  ...CLIENT_SESSION,
  ...GATE,
  ...FRONT,
  ...MEMORY_BUS,
  ...STREAM_BUS,
  ...LEAVING,
];

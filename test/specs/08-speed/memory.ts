/** Step 3: who may use the memory of a read. */
import { SAME_HEADERS } from './headers.ts';
import { HOOKS_OF_CONNECTION } from './hooks.ts';
import { CONNECTIONS } from './memory-connection.ts';
import { READERS } from './memory-reader.ts';
import { SOCKETS } from './memory-socket.ts';
import type { Scenarios } from './tools.ts';

export const MEMORY: Scenarios = [
  ...HOOKS_OF_CONNECTION,
  ...READERS,
  ...SAME_HEADERS,
  ...CONNECTIONS,
  ...SOCKETS,
];

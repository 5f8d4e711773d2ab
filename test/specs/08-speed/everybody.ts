/** Step 8: a message for everybody. */
import { createServer, type Socket } from 'node:net';
import { fail } from '../../../shared/harness/check.ts';
import { Listener } from '../../../shared/kit/peer.ts';
import { openAll, PATIENT, turns } from '../05-server/sockets.ts';
import { HOOKS_OF_SERVER } from './hooks.ts';
import type { Scenarios } from './tools.ts';

/** Collects the memory of all that is written to a socket from now on. */
function memoryOf(socket: Socket): unknown[] {
  const buffers: unknown[] = [];
  const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
  socket.write = (...args: unknown[]) => {
    buffers.push((args[0] as Uint8Array).buffer);
    return write(...args);
  };
  return buffers;
}

export const EVERYBODY: Scenarios = [
  ...HOOKS_OF_SERVER,
  {
    what: 'A long text for everybody is encoded once: all sockets get the same memory.',
    rules: [],
    check({ WebSocketServer }) {
      const server = new WebSocketServer(() => {}, PATIENT);
      const sockets: Socket[] = [];
      const accept = (socket: Socket) => {
        sockets.push(socket);
        server.accept(socket);
      };
      return Listener.run(createServer(), 'connection', accept, async (listener) => {
        await openAll(listener, 3);
        const [first = [], ...others] = sockets.map(memoryOf);
        server.broadcast('a'.repeat(20_000));
        await turns(3);
        const isShared = (buffer: unknown) => others.every((other) => other.includes(buffer));
        if (first.some(isShared)) return;
        fail(
          'A long text for everybody is encoded once: all sockets get the same memory.',
          [
            ['broadcast', 'a text of 20000 characters, to 3 connections'],
            ['written', 'from another memory for each of them'],
          ],
          'Make the frames once, and send these on each connection.',
        );
      });
    },
  },
];

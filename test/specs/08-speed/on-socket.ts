/** Connections on sockets, for what can only be seen there. */
import { createServer, type Socket } from 'node:net';
import { Listener, type Peer } from '../../../shared/kit/peer.ts';
import type { Handler } from '../../../solutions/05-server/server.ts';
import { Line } from '../05-server/sockets.ts';
import { attachTo } from './lines.ts';
import type { Lesson } from './tools.ts';

type Connection = ReturnType<Lesson['attach']>;

/** A connection on a socket, and the other end. */
export interface OnSocket {
  readonly socket: Socket;
  readonly client: Peer;
  readonly connection: Connection;
}

/** Sends each binary message back, as one frame. */
export const echo: Handler = (connection, event) => {
  if (event.type !== 'binary') return;
  connection.sendFrames([{ fin: true, opcode: 2, payload: event.data }]);
};

const ignore: Handler = () => {};

/** Runs a check over a connection on a `net.Socket`. The response of the handshake has been read. */
export function onNetSocket(
  lesson: Lesson,
  check: (attached: OnSocket) => Promise<void>,
  handle: Handler = ignore,
): Promise<void> {
  return Listener.run(createServer(), 'connection', ignore, async (listener) => {
    const [socket, client] = await listener.pair();
    const connection = attachTo(lesson, socket, handle);
    await client.head('The response of the handshake is sent.');
    await check({ socket, client, connection });
  });
}

/** Attaches a connection to a line, which is no `net.Socket`. */
export function onPlainLine(lesson: Lesson): { line: Line; connection: Connection } {
  const line = new Line();
  return { line, connection: attachTo(lesson, line) };
}

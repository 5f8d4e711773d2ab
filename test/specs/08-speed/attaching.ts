/** A connection on a line, for what can only be seen there. */
import type { Accepted, Handler } from '../../../solutions/05-server/server.ts';
import { onLine } from '../05-server/sockets.ts';
import type { Lesson } from './tools.ts';

const echo: Handler = (connection, event) => {
  if (event.type === 'text' || event.type === 'binary') connection.send(event.data);
};

/** What an opening handshake returns: no code of an earlier lesson is needed for it. */
const OPENING: Accepted = {
  accepted: true,
  answer: Buffer.from('HTTP/1.1 101 Switching Protocols\r\n\r\n'),
  upgrade: { key: 'dGhlIHNhbXBsZSBub25jZQ==', protocols: [], resource: '/', origin: undefined },
  protocol: undefined,
  rest: new Uint8Array(0),
};

/** Attaches a connection to a new line. By default, its application echoes. */
export function attached({ attach, EARLIER }: Lesson, handle = echo) {
  const { server } = EARLIER;
  const own = { attach: attach as typeof server.attach, openingHandshake: () => OPENING };
  return onLine({ ...server, ...own }, handle);
}

/** Sockets whose other end is the scenario, and connections on them. */
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { attempt } from '../../../shared/harness/check.ts';
import type { Accepted, Handler } from '../../../solutions/05-server/server.ts';
import { PATIENT } from '../05-server/sockets.ts';
import type { Lesson } from './tools.ts';

/** A `net.Socket` whose other end is the scenario: it takes all that is written. */
export class SocketLine extends Socket {
  override _read(): void {}
  override _write(_chunk: unknown, _encoding: string, done: () => void): void {
    done();
  }
  override _writev(_chunks: unknown, done: () => void): void {
    done();
  }
  override _final(done: () => void): void {
    done();
  }
}

/** What an opening handshake returns: no code of an earlier lesson is needed for it. */
const OPENING: Accepted = {
  accepted: true,
  answer: Buffer.from('HTTP/1.1 101 Switching Protocols\r\n\r\n'),
  upgrade: { key: 'dGhlIHNhbXBsZSBub25jZQ==', protocols: [], resource: '/', origin: undefined },
  protocol: undefined,
  rest: new Uint8Array(0),
};

/** Attaches a connection to a socket. `opening` is what is special about its opening handshake. */
export function attachTo(
  lesson: Lesson,
  socket: Duplex,
  handle: Handler = () => {},
  opening: Partial<Accepted> = {},
) {
  const { server } = lesson.EARLIER;
  const limits = { ...server.LIMITS, ...PATIENT };
  const whole = { ...OPENING, ...opening };
  return attempt(() => lesson.attach(socket, whole, handle, limits), 'Attach a connection.');
}

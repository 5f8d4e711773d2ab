/** Listens to the bytes of one socket, in both directions, as they cross it. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { FrameCutter } from './cutter.ts';
import { onWrite } from './socket.ts';
import type { Direction } from './steps.ts';
import { frameEvent, headEvent, type WireEvent } from './wire-event.ts';

const BLANK_LINE = '\r\n\r\n';

/** The longest answer to a handshake that is looked at, in bytes. */
const MAX_ANSWER_BYTES = 16 * 1024;

/**
 * Tells `tell` everything that crosses a socket: the request, as the browser sent it, and from now
 * on the answer and every frame. `head` is what has been read behind the request.
 *
 * The bytes are seen before they are unmasked, and nothing is changed.
 */
export function tapSocket(
  request: IncomingMessage,
  socket: Duplex,
  head: Uint8Array,
  tell: (event: WireEvent) => void,
): void {
  const received = new FrameCutter();
  const sent = new FrameCutter();
  const answer = new Answer();

  const frames = (direction: Direction, cutter: FrameCutter, bytes: Uint8Array) => {
    for (const frame of cutter.push(bytes)) tell(frameEvent(direction, frame));
  };
  onWrite(socket, (bytes) => {
    if (answer.isOver) return frames('out', sent, bytes);
    const rest = answer.push(bytes);
    if (!rest) return;
    tell(headEvent('out', answer.bytes));
    frames('out', sent, rest);
  });
  // The first who listens: whoever comes later may change the bytes in place.
  socket.on('data', (bytes: Uint8Array) => frames('in', received, bytes));
  socket.on('close', () => {
    for (const [direction, cutter] of [['in', received] as const, ['out', sent] as const]) {
      const cut = cutter.end();
      if (cut) tell(frameEvent(direction, cut));
    }
    tell({ kind: 'end', time: Date.now() });
  });

  tell(headEvent('in', requestBytes(request)));
  frames('in', received, head);
}

/** The answer to a handshake: a head, and behind one that says no all the rest. */
class Answer {
  bytes: Uint8Array = new Uint8Array(0);
  isOver = false;

  /** Takes in what is written. Returns the bytes behind it, or `undefined` while it goes on. */
  push(chunk: Uint8Array): Uint8Array | undefined {
    const bytes = Buffer.concat([this.bytes, chunk]);
    const blank = bytes.indexOf(BLANK_LINE);
    this.isOver = blank !== -1 || bytes.length > MAX_ANSWER_BYTES;
    const switches = bytes.toString('latin1', 0, 13).includes(' 101 ');
    const end = blank !== -1 && switches ? blank + BLANK_LINE.length : bytes.length;
    this.bytes = bytes.subarray(0, Math.min(end, MAX_ANSWER_BYTES));
    return this.isOver ? bytes.subarray(end) : undefined;
  }
}

/** The head of a request again, from its parts: names as they were written, in their order. */
function requestBytes({ method, url, httpVersion, rawHeaders }: IncomingMessage): Uint8Array {
  const headers = rawHeaders.map((text, i) => (i % 2 === 0 ? `${text}: ` : `${text}\r\n`));
  const head = `${method} ${url} HTTP/${httpVersion}\r\n${headers.join('')}\r\n`;
  return Buffer.from(head, 'latin1');
}

/** Listens to the bytes of one socket, in both directions, as they cross it. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { FrameCutter } from './cutter.ts';
import { onWrite } from './socket.ts';
import type { Direction } from './steps.ts';
import { frameEvent, headEvent, type WireEvent } from './wire-event.ts';

const BLANK_LINE = '\r\n\r\n';

/** How much of the response to a handshake is shown, in bytes. */
const MAX_RESPONSE_BYTES = 16 * 1024;

/**
 * Calls `emit` with everything that crosses a socket: the request, as the browser sent it, and from
 * now on the response and every frame. `head` is what has been read behind the request.
 *
 * The bytes are seen before they are unmasked, and nothing is changed.
 */
export function tapSocket(
  request: IncomingMessage,
  socket: Duplex,
  head: Uint8Array,
  emit: (event: WireEvent) => void,
): void {
  const received = new FrameCutter();
  const sent = new FrameCutter();
  const response = new HandshakeResponse();

  const emitFrames = (direction: Direction, cutter: FrameCutter, bytes: Uint8Array) => {
    for (const frame of cutter.push(bytes)) emit(frameEvent(direction, frame));
  };
  onWrite(socket, (bytes) => {
    if (response.isComplete) return emitFrames('out', sent, bytes);
    const rest = response.push(bytes);
    if (!rest) return;
    emit(headEvent('out', response.bytes));
    emitFrames('out', sent, rest);
  });
  // The first who listens: whoever comes later may change the bytes in place.
  socket.on('data', (bytes: Uint8Array) => emitFrames('in', received, bytes));
  socket.on('close', () => {
    for (const [direction, cutter] of [['in', received] as const, ['out', sent] as const]) {
      const cut = cutter.end();
      if (cut) emit(frameEvent(direction, cut));
    }
    emit({ kind: 'end', time: Date.now() });
  });

  emit(headEvent('in', requestBytes(request)));
  emitFrames('in', received, head);
}

/** The response to a handshake: its head, and the body as well if it is a refusal. */
class HandshakeResponse {
  bytes: Uint8Array = new Uint8Array(0);
  isComplete = false;

  /** Takes what is written. Returns the bytes behind the response, `undefined` until it is complete. */
  push(chunk: Uint8Array): Uint8Array | undefined {
    const bytes = Buffer.concat([this.bytes, chunk]);
    const blank = bytes.indexOf(BLANK_LINE);
    this.isComplete = blank !== -1 || bytes.length > MAX_RESPONSE_BYTES;
    const switches = bytes.toString('latin1', 0, 13).includes(' 101 ');
    const end = blank !== -1 && switches ? blank + BLANK_LINE.length : bytes.length;
    this.bytes = bytes.subarray(0, Math.min(end, MAX_RESPONSE_BYTES));
    return this.isComplete ? bytes.subarray(end) : undefined;
  }
}

/** The head of a request again, from its parts: names as they were written, in their order. */
function requestBytes({ method, url, httpVersion, rawHeaders }: IncomingMessage): Uint8Array {
  const headers = rawHeaders.map((text, i) => (i % 2 === 0 ? `${text}: ` : `${text}\r\n`));
  const head = `${method} ${url} HTTP/${httpVersion}\r\n${headers.join('')}\r\n`;
  return Buffer.from(head, 'latin1');
}

/** Shows what a client of ours sends and receives, whoever has written it. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { type CutFrame, FrameCutter } from '../serve/cutter.ts';
import { onWrite } from '../serve/socket.ts';

/** Which way it went: from the client, or to it. */
export type Direction = '→' | '←';

/** Something that crossed a socket. */
export type Crossing =
  | { readonly kind: 'head'; readonly direction: Direction; readonly bytes: Uint8Array }
  | { readonly kind: 'frame'; readonly direction: Direction; readonly frame: CutFrame };

/** How much is kept of a long frame, in bytes: two lines of a terminal. */
const KEPT_BYTES = 160;

/** Where Node tells of each socket that connects to somebody. */
const CHANNEL = 'net.client.socket';

/**
 * Tells what crosses each TCP connection that this process begins from now on. Returns what ends
 * that. No byte is changed.
 */
export function tapClients(tell: (crossing: Crossing) => void): () => void {
  const tap = (message: unknown) => {
    const { socket } = message as { readonly socket: Socket };
    const sent = new Tapped('→', tell);
    const received = new Tapped('←', tell);
    onWrite(socket, (bytes) => sent.push(bytes));
    keepWrite(socket);
    socket.on('data', (bytes: Uint8Array) => received.push(bytes));
  };
  subscribe(CHANNEL, tap);
  return () => {
    unsubscribe(CHANNEL, tap);
  };
}

/** Lets nobody replace `write`: `connect` would put the one of the class back. */
function keepWrite(socket: Socket): void {
  const { write } = socket;
  Object.defineProperty(socket, 'write', { get: () => write, set: () => {} });
}

/** One direction of a connection: a head, and then frames. */
class Tapped {
  readonly #direction: Direction;
  readonly #tell: (crossing: Crossing) => void;
  readonly #cutter = new FrameCutter(KEPT_BYTES);
  /** What has come of the head. `undefined`: it is over. */
  #head: Buffer | undefined = Buffer.alloc(0);

  constructor(direction: Direction, tell: (crossing: Crossing) => void) {
    this.#direction = direction;
    this.#tell = tell;
  }

  push(chunk: Uint8Array): void {
    const rest = this.#head ? this.#takeHead(Buffer.concat([this.#head, chunk])) : chunk;
    for (const frame of this.#cutter.push(rest)) {
      this.#tell({ kind: 'frame', direction: this.#direction, frame });
    }
  }

  /** Returns what is behind the head. */
  #takeHead(bytes: Buffer): Uint8Array {
    const end = bytes.indexOf('\r\n\r\n') + 4;
    this.#head = end < 4 ? bytes : undefined;
    if (this.#head) return new Uint8Array(0);
    const head = bytes.subarray(0, end);
    this.#tell({ kind: 'head', direction: this.#direction, bytes: head });
    return bytes.subarray(end);
  }
}

/**
 * Compressed messages, unpacked for people: whatever they are, legal or not. It shares no code with
 * the lessons, so that it can be trusted where they are wrong.
 */
import { constants, inflateRawSync } from 'node:zlib';
import { isControl, Opcode } from '../protocol.ts';
import { count } from './count.ts';
import { type Walk, walkDeflate } from './deflate.ts';
import type { DecodedFrame } from './frame.ts';

/** How far a sender can look back, in bytes: as much as is kept of what it has sent. */
const WINDOW_BYTES = 32 * 1024;

/** The most that is unpacked of one message, in bytes. */
const MAX_PLAIN_BYTES = 16 * 1024 * 1024;

/** The most that is taken apart of a packed message, in bytes. */
export const MAX_WALKED_BYTES = 256;

/** How many blocks with BFINAL are unpacked: each costs a new decompressor. */
const MAX_FINAL_BLOCKS = 100;

/** The four bytes at the end that nobody sends. RFC 7692 §7.2.1 */
const TAIL = Uint8Array.of(0x00, 0x00, 0xff, 0xff);

/** A message that came compressed, and what is in it. */
export interface Unpacked {
  /** Of its first frame. */
  readonly opcode: number;
  /** The payloads of its frames. */
  readonly packed: Uint8Array;
  /** What it says. `undefined`: it could not be unpacked. */
  readonly plain: Uint8Array | undefined;
  /** The plain bytes before it that it can refer to. */
  readonly window: Uint8Array;
  /** What it is made of. `undefined`: it is too long for that. */
  readonly walk: Walk | undefined;
  /** Why it could not be unpacked, or not all of it. `undefined`: it was. */
  readonly problem: string | undefined;
}

/** A message that is still arriving. */
interface Arriving {
  readonly opcode: number;
  readonly isPacked: boolean;
  readonly payloads: Uint8Array[];
}

/** Unpacks the messages that one side sends, in their order. */
export class Unpacker {
  readonly #keepsWindow: boolean;
  #window: Uint8Array = new Uint8Array(0);
  #arriving: Arriving | undefined;

  /** Begins with an empty window, and empties it after each message unless it `keepsWindow`. */
  constructor(keepsWindow = true) {
    this.#keepsWindow = keepsWindow;
  }

  /** Has a compressed message begun that has not ended? */
  get isPacked(): boolean {
    return this.#arriving?.isPacked === true;
  }

  /** Takes the next frame, which is whole. Returns a compressed message if it ends with this one. */
  push({ opcode, fin, isCompressed, payload }: DecodedFrame): Unpacked | undefined {
    if (isControl(opcode)) return undefined;
    if (opcode !== Opcode.Continuation) {
      this.#arriving = { opcode, isPacked: isCompressed, payloads: [] };
    }
    const message = this.#arriving;
    if (message?.isPacked && payload) message.payloads.push(payload);
    if (!fin || message === undefined) return undefined;
    this.#arriving = undefined;
    return message.isPacked ? this.#unpack(message) : undefined;
  }

  #unpack({ opcode, payloads }: Arriving): Unpacked {
    const packed = Buffer.concat(payloads);
    const window = this.#window;
    const walk = packed.length <= MAX_WALKED_BYTES ? walkDeflate(packed) : undefined;
    const { plain, problem } = inflate(packed, window);
    if (this.#keepsWindow && plain) this.#window = slide(window, plain);
    const why = (walk && faultOf(walk, window.length)) ?? problem;
    return { opcode, packed, plain, window, walk, problem: why };
  }
}

/** What comes out, or why nothing does. */
type Inflated = Pick<Unpacked, 'plain' | 'problem'>;

function inflate(packed: Uint8Array, before: Uint8Array): Inflated {
  const pieces: Uint8Array[] = [];
  let [window, room] = [before, MAX_PLAIN_BYTES];
  let rest: Uint8Array = Buffer.concat([packed, TAIL]);
  try {
    // A block with BFINAL ends a stream of DEFLATE, but not the message.
    for (let streams = 0; rest.length > 0 && streams <= MAX_FINAL_BLOCKS; streams++) {
      // With `info`, which the types do not know, it also says how far it has read.
      const { buffer, engine } = inflateRawSync(rest, {
        finishFlush: constants.Z_SYNC_FLUSH,
        dictionary: window,
        maxOutputLength: Math.max(room, 1),
        info: true,
      }) as unknown as { buffer: Uint8Array; engine: { bytesWritten: number } };
      pieces.push(buffer);
      room -= buffer.length;
      window = slide(window, buffer);
      rest = rest.subarray(engine.bytesWritten);
    }
  } catch (error) {
    const isTooLong = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
    const problem = isTooLong ? 'more than 16 MiB would come out' : (error as Error).message;
    return { plain: undefined, problem };
  }
  if (rest.length > 0) {
    return { plain: undefined, problem: `more than ${MAX_FINAL_BLOCKS} blocks have BFINAL` };
  }
  return { plain: Buffer.concat(pieces), problem: undefined };
}

/** The last bytes of both, as a copy. */
function slide(window: Uint8Array, plain: Uint8Array): Uint8Array {
  const recent = plain.subarray(-WINDOW_BYTES);
  const old = window.subarray(Math.max(0, window.length + recent.length - WINDOW_BYTES));
  return new Uint8Array(Buffer.concat([old, recent]));
}

/** What is wrong with a message that stands behind so many bytes. `undefined`: nothing. */
function faultOf({ blocks, end, problem }: Walk, windowBytes: number): string | undefined {
  for (const symbol of blocks.flatMap(({ symbols }) => symbols)) {
    if (!('distance' in symbol) || symbol.distance <= symbol.at + windowBytes) continue;
    const before = symbol.at + windowBytes;
    const there = before === 1 ? '1 byte comes' : `${before} bytes come`;
    return `it refers ${count(symbol.distance, 'byte')} back, but only ${there} before it here`;
  }
  if (end === 'wrong') return `it is not DEFLATE: ${problem}`;
  return end === 'cut' ? 'it ends within a block' : undefined;
}

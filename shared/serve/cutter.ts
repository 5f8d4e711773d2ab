/** Where a frame starts and ends in a stream: all that is kept of a long one is its beginning. */
import { decodeHeader, type Header } from '../view/frame.ts';

/** The beginning of a frame, or all of it. */
export interface CutFrame {
  readonly bytes: Uint8Array;
  /** How much of the frame has arrived, in bytes; may be more than there are `bytes`. */
  readonly arrived: number;
  /** How long the frame says it is, in bytes. */
  readonly size: number;
  /** In how many reads it arrived. */
  readonly reads: number;
  /** All of it. Absent: it is too long, or the cutter doesn't keep whole frames. */
  readonly whole?: Uint8Array;
}

/** The longest header: two bytes, eight of length, four of masking key. */
const MAX_HEADER_BYTES = 14;

/** The longest payload whose length is in the second byte. Such frames are kept whole. */
const MAX_SHORT_PAYLOAD = 125;

/** The longest frame of which all is kept when that is asked for, in bytes. */
const MAX_WHOLE_BYTES = 16 * 1024 * 1024 + MAX_HEADER_BYTES;

/** How much is kept of a longer frame, in bytes: more than any header. */
export const KEPT_BYTES = 40;

/**
 * Cuts a stream of bytes into frames, legal or not. Each byte costs the same, however the stream
 * arrives, and what has been cut is a copy: who owns the stream may unmask it in place.
 */
export class FrameCutter {
  /** How much is kept of a frame with a long payload, in bytes. */
  readonly #longBytes: number;
  readonly #kept: Uint8Array;
  /** How much of the frame has arrived, and how much of that is kept. In bytes. */
  #seen = 0;
  #keptSize = 0;
  #reads = 0;
  #pieces: Uint8Array[] = [];
  /** Is each frame kept as a whole as well, until it is complete? */
  keepsWhole = false;

  /** Keeps so many bytes of a long frame: more than any header has. */
  constructor(longBytes = KEPT_BYTES) {
    this.#longBytes = longBytes;
    this.#kept = new Uint8Array(Math.max(MAX_HEADER_BYTES + MAX_SHORT_PAYLOAD, longBytes));
  }

  /** Takes in the bytes of one read. Returns the frames that are complete now. */
  push(chunk: Uint8Array): CutFrame[] {
    const frames: CutFrame[] = [];
    let at = 0;
    if (this.#seen > 0) this.#reads++;
    while (at < chunk.length) {
      if (this.#seen === 0) this.#reads = 1;
      // The header comes byte by byte, as only it says how long it is.
      const size = this.#size();
      const step = size === undefined ? 1 : Math.min(size - this.#seen, chunk.length - at);
      this.#keep(chunk.subarray(at, at + step));
      at += step;
      if (this.#seen === this.#size()) frames.push(this.#take());
    }
    return frames;
  }

  /** Returns the beginning of a frame that will not be completed. `undefined`: there is none. */
  end(): CutFrame | undefined {
    return this.#seen === 0 ? undefined : this.#take();
  }

  /** What has arrived of the header. */
  #header(): Header {
    return decodeHeader(this.#kept.subarray(0, this.#keptSize));
  }

  /** The size of the frame, in bytes. `undefined`: the header is not complete. */
  #size(): number | undefined {
    const { headerBytes, length } = this.#header();
    const isComplete = length !== undefined && this.#seen >= headerBytes;
    return isComplete ? headerBytes + Number(length) : undefined;
  }

  #keep(bytes: Uint8Array): void {
    const { length7 = 0 } = this.#header();
    const limit = length7 <= MAX_SHORT_PAYLOAD ? this.#kept.length : this.#longBytes;
    const room = Math.max(0, limit - this.#keptSize);
    this.#kept.set(bytes.subarray(0, room), this.#keptSize);
    this.#keptSize += Math.min(room, bytes.length);
    this.#seen += bytes.length;
    if (this.keepsWhole && this.#seen <= MAX_WHOLE_BYTES) this.#pieces.push(bytes.slice());
  }

  #take(): CutFrame {
    const whole = this.#takeWhole();
    const frame = {
      bytes: this.#kept.slice(0, this.#keptSize),
      arrived: this.#seen,
      size: this.#size() ?? this.#seen,
      reads: this.#reads,
      ...(whole && { whole }),
    };
    this.#seen = 0;
    this.#keptSize = 0;
    return frame;
  }

  #takeWhole(): Uint8Array | undefined {
    const whole = Buffer.concat(this.#pieces);
    this.#pieces = [];
    return this.keepsWhole && whole.length === this.#seen ? whole : undefined;
  }
}

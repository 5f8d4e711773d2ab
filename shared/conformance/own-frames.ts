/** Follows what we write, to know where one of our frames ends and another may begin. */
import { join } from '../kit/frames.ts';
import { Opcode } from '../protocol.ts';
import { type RawHeader, readHeader } from './parser.ts';

const KEY_BYTES = 4;

/** Our frames, legal or not, from the end of the handshake. */
export class OwnFrames {
  /** The beginning of a header that is not whole. */
  #start: Uint8Array = new Uint8Array(0);
  /** The frame that has begun, and how much of it is still to come. */
  #open: { readonly opcode: number; missing: number } | undefined;
  #hasClosed = false;

  /** Says whether a frame has begun and not ended: whatever we write now belongs to it. */
  get isInside(): boolean {
    return this.#start.length > 0 || this.#open !== undefined;
  }

  /** Says whether a whole Close has left: no frame of ours may follow. RFC 6455 §5.5.1 */
  get hasClosed(): boolean {
    return this.#hasClosed;
  }

  /** Takes bytes that we write. */
  push(bytes: Uint8Array): void {
    for (let rest = bytes; rest.length > 0 || this.#open?.missing === 0; ) {
      if (this.#open) rest = this.#skip(this.#open, rest);
      else rest = this.#begin(rest);
    }
  }

  #skip(open: { readonly opcode: number; missing: number }, bytes: Uint8Array): Uint8Array {
    const skipped = Math.min(open.missing, bytes.length);
    open.missing -= skipped;
    if (open.missing === 0) {
      this.#hasClosed ||= open.opcode === Opcode.Close;
      this.#open = undefined;
    }
    return bytes.subarray(skipped);
  }

  /** Reads a header. Returns what follows it. */
  #begin(bytes: Uint8Array): Uint8Array {
    const all = this.#start.length === 0 ? bytes : join(this.#start, bytes);
    const header = readHeader(all);
    if (!header) {
      this.#start = Uint8Array.from(all);
      return all.subarray(all.length);
    }
    this.#start = new Uint8Array(0);
    this.#open = { opcode: header.opcode, missing: sizeBehind(header) };
    return all.subarray(header.headerBytes);
  }
}

/** What a frame has behind its header, in bytes: key and payload. */
function sizeBehind({ masked, length }: RawHeader): number {
  return (masked ? KEY_BYTES : 0) + length;
}

/** DEFLATE by hand: a reference as far back as a window goes, which zlib never makes. RFC 1951 §3.2 */
import { join } from '../../kit/frames.ts';

/** Writes bits, each byte from its lowest. RFC 1951 §3.1.1 */
class BitWriter {
  readonly #bits: number[] = [];

  /** A number, its lowest bit first. */
  number(value: number, count: number): this {
    for (let i = 0; i < count; i++) this.#bits.push((value >> i) & 1);
    return this;
  }

  /** A Huffman code, its highest bit first. */
  code(value: number, count: number): this {
    for (let i = count - 1; i >= 0; i--) this.#bits.push((value >> i) & 1);
    return this;
  }

  /** All bits, and zeros up to a byte. */
  bytes(): Uint8Array {
    const bytes = new Uint8Array(Math.ceil(this.#bits.length / 8));
    for (const [i, bit] of this.#bits.entries()) bytes[i >> 3]! |= bit << (i & 7);
    return bytes;
  }
}

/** Two messages: one that fills a window, and one that is its first 8 bytes, by a reference. */
export class FarReference {
  /** The message that fills the window, as it was. */
  readonly plain: Uint8Array;
  /** It, in a block without compression. */
  readonly first: Uint8Array;
  /** The reference. */
  readonly second: Uint8Array;

  /** Makes them for a window of so many bytes, which are a power of 2 from 2^8 to 2^15. */
  constructor(windowBytes: number) {
    // Its first bytes are nowhere else in it.
    this.plain = new Uint8Array(windowBytes).map((_, i) => (i < 8 ? 200 + i : (i * 31) % 199));
    const lengths = new DataView(new ArrayBuffer(4));
    lengths.setUint16(0, windowBytes, true);
    lengths.setUint16(2, ~windowBytes & 0xffff, true);
    const header = new Uint8Array(lengths.buffer);
    this.first = join(Uint8Array.of(0x00), header, this.plain, Uint8Array.of(0x00));

    const power = Math.log2(windowBytes);
    this.second = new BitWriter()
      .number(0b010, 3) // BFINAL 0, type 01: fixed codes
      .code(0b0000110, 7) // symbol 262: a length of 8
      .code(2 * power - 1, 5) // the distances up to this power of 2 …
      .number(2 ** (power - 2) - 1, power - 2) // … and the last of them
      .code(0, 7) // the end of the block
      .number(0, 3) // an empty block without compression, of which the lengths are cut off
      .bytes();
  }
}

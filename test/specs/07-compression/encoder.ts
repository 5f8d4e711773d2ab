/**
 * DEFLATE written symbol by symbol: what a peer may send, also where zlib never would. RFC 1951
 */

/** So many bytes again, from so many bytes before. */
export interface Back {
  readonly length: number;
  readonly distance: number;
}

/** A block to write. */
export interface BlockToWrite {
  readonly symbols: readonly (number | Back)[];
  /** BFINAL. */
  readonly final?: boolean;
  /** Written as it is: then all symbols are bytes. */
  readonly stored?: boolean;
}

/** Where the ranges of lengths and distances begin, and how many extra bits each has. RFC 1951 §3.2.5 */
const LENGTHS = ranges(3, [...Array<number>(8).fill(0), ...[1, 2, 3, 4, 5].flatMap(four)]);
const DISTANCES = ranges(1, [0, 0, ...Array.from({ length: 14 }, (_, i) => [i, i]).flat()]);

function four(bits: number): number[] {
  return [bits, bits, bits, bits];
}

function ranges(from: number, extraBits: readonly number[]) {
  let base = from;
  return extraBits.map((extra) => {
    const range = { base, extra };
    base += 2 ** extra;
    return range;
  });
}

/** Bits on their way into bytes. */
class BitWriter {
  readonly #bytes: number[] = [];
  /** What is not a whole byte yet, and how many bits that are. */
  #rest = 0;
  #count = 0;

  /** Writes a number, its lowest bit first. */
  number(value: number, count: number): void {
    this.#rest |= value << this.#count;
    this.#count += count;
    for (; this.#count >= 8; this.#count -= 8) {
      this.#bytes.push(this.#rest & 255);
      this.#rest >>= 8;
    }
  }

  /** Writes a code, its highest bit first. */
  code(code: number, length: number): void {
    let reversed = 0;
    for (let i = 0; i < length; i++) reversed = (reversed << 1) | ((code >> i) & 1);
    this.number(reversed, length);
  }

  align(): void {
    if (this.#count > 0) this.number(0, 8 - this.#count);
  }

  toBytes(): Uint8Array<ArrayBuffer> {
    this.align();
    return Uint8Array.from(this.#bytes);
  }
}

/** Writes a symbol in the fixed code. RFC 1951 §3.2.6 */
function writeSymbol(bits: BitWriter, symbol: number): void {
  if (symbol < 144) bits.code(0x30 + symbol, 8);
  else if (symbol < 256) bits.code(0x190 + symbol - 144, 9);
  else if (symbol < 280) bits.code(symbol - 256, 7);
  else bits.code(0xc0 + symbol - 280, 8);
}

function writeBack(bits: BitWriter, { length, distance }: Back): void {
  const at = length === 258 ? LENGTHS.length : LENGTHS.findLastIndex(({ base }) => base <= length);
  writeSymbol(bits, 257 + at);
  const range = LENGTHS[at];
  if (range) bits.number(length - range.base, range.extra);
  const code = DISTANCES.findLastIndex(({ base }) => base <= distance);
  bits.code(code, 5);
  bits.number(distance - DISTANCES[code]!.base, DISTANCES[code]!.extra);
}

/** Writes a message: these blocks, and the header of an empty stored one. RFC 7692 §7.2.1 */
export function writeMessage(blocks: readonly BlockToWrite[]): Uint8Array<ArrayBuffer> {
  const bits = new BitWriter();
  for (const { symbols, final = false, stored = false } of blocks) {
    bits.number((final ? 1 : 0) + (stored ? 0 : 2), 3);
    if (stored) {
      bits.align();
      bits.number(symbols.length, 16);
      bits.number(symbols.length ^ 0xffff, 16);
    }
    for (const symbol of symbols) {
      if (typeof symbol !== 'number') writeBack(bits, symbol);
      else if (stored) bits.number(symbol, 8);
      else writeSymbol(bits, symbol);
    }
    if (!stored) writeSymbol(bits, 256);
    if (final) bits.align();
  }
  bits.number(0, 3);
  return bits.toBytes();
}

/** Plays a message: returns what comes out of it after these plain bytes. */
export function playMessage(
  blocks: readonly BlockToWrite[],
  before: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const all = blocks.flatMap(({ symbols }): readonly (number | Back)[] => symbols);
  const sizes = all.map((symbol) => (typeof symbol === 'number' ? 1 : symbol.length));
  const plain = new Uint8Array(sizes.reduce((sum, size) => sum + size, before.length));
  plain.set(before);
  let at = before.length;
  for (const symbol of all) {
    if (typeof symbol === 'number') plain[at++] = symbol;
    else {
      for (const end = at + symbol.length; at < end; at++) plain[at] = plain[at - symbol.distance]!;
    }
  }
  return plain.slice(before.length);
}

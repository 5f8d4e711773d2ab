/** Raw DEFLATE taken apart: blocks, and what they are made of. RFC 1951 */

/** A byte as it is, or a reference back to bytes that are known. */
export type DeflateSymbol = Literal | BackReference;

/** Where a symbol is, and where the bytes are that it stands for. */
interface Place {
  /** Its first bit, counted from the start, each byte from its lowest bit. */
  readonly bit: number;
  /** How many bits it has. */
  readonly bits: number;
  /** The place of its first byte in the plain text. */
  readonly at: number;
}

/** A byte of the plain text. */
export interface Literal extends Place {
  readonly literal: number;
}

/** So many bytes again, from so many bytes before: that can be before the start. */
export interface BackReference extends Place {
  readonly length: number;
  readonly distance: number;
}

/** One block. RFC 1951 §3.2.3 */
export interface Block {
  readonly type: 'stored' | 'fixed' | 'dynamic';
  /** BFINAL: the stream ends with this block, and another may begin at the next byte. */
  readonly final: boolean;
  /** Its first bit. */
  readonly bit: number;
  /** How many bits it has, with the padding of a stored one. */
  readonly bits: number;
  readonly symbols: readonly DeflateSymbol[];
}

/** What some bytes are as DEFLATE. */
export interface Walk {
  /** The last one is shorter than it says if the bytes end within it. */
  readonly blocks: readonly Block[];
  /** How many plain bytes come out. */
  readonly plainLength: number;
  /** Of all back references. 0: there is none. */
  readonly largestDistance: number;
  /**
   * Where the bytes end:
   * - `flushed`: before the lengths of a stored block, as a message of permessage-deflate does, of
   *   which 00 00 ff ff has been cut,
   * - `final`: after a block with BFINAL,
   * - `whole`: after another block, or there are none,
   * - `cut`: within a block,
   * - `wrong`: they go on, but not as DEFLATE.
   */
  readonly end: 'flushed' | 'final' | 'whole' | 'cut' | 'wrong';
  /** Why it is not DEFLATE, where the last block ends. `undefined`: it is, as far as it goes. */
  readonly problem: string | undefined;
}

/** The bytes end before what is read does. */
class OutOfBits extends Error {}

/** The bytes cannot be DEFLATE. */
class NotDeflate extends Error {}

/** The bits of some bytes, one after the other. */
class Bits {
  /** The place of the next one. */
  at = 0;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get areOver(): boolean {
    return this.at >= this.#bytes.length * 8;
  }

  takeOne(): number {
    if (this.areOver) throw new OutOfBits();
    const bit = (this.#bytes[this.at >> 3]! >> (this.at & 7)) & 1;
    this.at++;
    return bit;
  }

  /** Takes a number of so many bits, the lowest first. RFC 1951 §3.1.1 */
  take(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++) value |= this.takeOne() << i;
    return value;
  }

  /** Skips what is left of a byte. */
  align(): void {
    this.at = (this.at + 7) & ~7;
  }
}

/** A Huffman code: how many symbols have a code of each length, and the symbols in that order. */
interface Code {
  readonly counts: readonly number[];
  readonly symbols: readonly number[];
}

const MAX_CODE_BITS = 15;

/** Makes the code in which each symbol has so many bits. 0: it is not in use. RFC 1951 §3.2.2 */
function makeCode(lengths: readonly number[]): Code {
  const used = [...lengths.entries()].filter(([, length]) => length > 0);
  const counts = new Array<number>(MAX_CODE_BITS + 1).fill(0);
  for (const [, length] of used) counts[length]!++;
  // The sort is stable: within a length, symbols stay in their order.
  return { counts, symbols: used.sort(([, a], [, b]) => a - b).map(([symbol]) => symbol) };
}

/**
 * Makes a code that was sent: each sequence of bits has to have a meaning, and only one. A code of
 * no more than one symbol, of one bit, is allowed to have less.
 */
function makeSentCode(lengths: readonly number[]): Code {
  const code = makeCode(lengths);
  let free = 1;
  for (const count of code.counts.slice(1)) {
    free = free * 2 - count;
    if (free < 0) throw new NotDeflate('A Huffman code has more symbols than fit.');
  }
  if (free > 0 && lengths.some((length) => length > 1)) {
    throw new NotDeflate('A Huffman code has sequences without a meaning.');
  }
  return code;
}

/** Takes a symbol. Of its code, the highest bit comes first. RFC 1951 §3.1.1 */
function takeSymbol(bits: Bits, { counts, symbols }: Code): number {
  let code = 0;
  let first = 0;
  let index = 0;
  for (let length = 1; length <= MAX_CODE_BITS; length++) {
    code = (code << 1) | bits.takeOne();
    first <<= 1;
    const count = counts[length]!;
    if (code - first < count) return symbols[index + code - first]!;
    index += count;
    first += count;
  }
  throw new NotDeflate('A sequence of bits has no meaning in its Huffman code.');
}

/** What the symbols of a block are written in. */
interface Codes {
  readonly literals: Code;
  readonly distances: Code;
}

const repeat = (value: number, times: number) => new Array<number>(times).fill(value);

/** RFC 1951 §3.2.6 */
const FIXED: Codes = {
  literals: makeCode([...repeat(8, 144), ...repeat(9, 112), ...repeat(7, 24), ...repeat(8, 8)]),
  distances: makeCode(repeat(5, 30)),
};

/** The lengths of the codes that the lengths of the codes are written in come in this order. */
const ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/** Takes the codes of a dynamic block. RFC 1951 §3.2.7 */
function takeCodes(bits: Bits): Codes {
  const literalCount = bits.take(5) + 257;
  const distanceCount = bits.take(5) + 1;
  const ownCount = bits.take(4) + 4;
  if (literalCount > 286 || distanceCount > 30) {
    throw new NotDeflate('A dynamic block has more symbols than there are.');
  }
  const own = repeat(0, ORDER.length);
  for (const symbol of ORDER.slice(0, ownCount)) own[symbol] = bits.take(3);
  const ownCode = makeSentCode(own);

  const lengths: number[] = [];
  while (lengths.length < literalCount + distanceCount) {
    const symbol = takeSymbol(bits, ownCode);
    if (symbol < 16) lengths.push(symbol);
    else if (symbol === 17) lengths.push(...repeat(0, bits.take(3) + 3));
    else if (symbol === 18) lengths.push(...repeat(0, bits.take(7) + 11));
    else {
      const times = bits.take(2) + 3;
      if (lengths.length === 0) throw new NotDeflate('There is no code length to repeat.');
      lengths.push(...repeat(lengths.at(-1)!, times));
    }
  }
  if (lengths.length > literalCount + distanceCount) {
    throw new NotDeflate('There are more code lengths than symbols.');
  }
  if (lengths[END_OF_BLOCK] === 0) throw new NotDeflate('A block has no code for its end.');
  return {
    literals: makeSentCode(lengths.slice(0, literalCount)),
    distances: makeSentCode(lengths.slice(literalCount)),
  };
}

const END_OF_BLOCK = 256;

/** Numbers from a base on: the extra bits after the symbol say which. */
interface Range {
  readonly base: number;
  readonly extra: number;
}

/** Lists ranges that follow each other and have so many extra bits each. RFC 1951 §3.2.5 */
function rangesFrom(start: number, extraBits: readonly number[]): Range[] {
  let base = start;
  return extraBits.map((extra) => {
    const range = { base, extra };
    base += 2 ** extra;
    return range;
  });
}

/** By the symbol, from 257. The last length has a symbol of its own. */
const LENGTHS = [
  ...rangesFrom(3, [...repeat(0, 8), ...[1, 2, 3, 4, 5].flatMap((bits) => repeat(bits, 4))]),
  { base: 258, extra: 0 },
];

/** By the symbol. */
const DISTANCES = rangesFrom(1, [
  ...repeat(0, 4),
  ...Array.from({ length: 26 }, (_, i) => 1 + (i >> 1)),
]);

const TYPES = ['stored', 'fixed', 'dynamic'] as const;

/** A walk under way. */
class Walker {
  readonly bits: Bits;
  readonly blocks: (Block & { bits: number })[] = [];
  plainLength = 0;
  largestDistance = 0;

  constructor(bytes: Uint8Array) {
    this.bits = new Bits(bytes);
  }

  takeBlock(): void {
    const bit = this.bits.at;
    const final = this.bits.takeOne() === 1;
    const type = TYPES[this.bits.take(2)];
    if (type === undefined) throw new NotDeflate('There is no block type 3.');
    const symbols: DeflateSymbol[] = [];
    const block = { type, final, bit, bits: 0, symbols };
    this.blocks.push(block);
    try {
      if (type === 'stored') this.#takeStored(symbols);
      else this.#takeSymbols(type === 'fixed' ? FIXED : takeCodes(this.bits), symbols);
    } finally {
      block.bits = this.bits.at - bit;
    }
    if (final) this.bits.align();
  }

  /** RFC 1951 §3.2.4 */
  #takeStored(symbols: DeflateSymbol[]): void {
    this.bits.align();
    const length = this.bits.take(16);
    if ((this.bits.take(16) ^ length) !== 0xffff) {
      throw new NotDeflate('The two lengths of a stored block do not fit each other.');
    }
    for (let i = 0; i < length; i++) {
      const bit = this.bits.at;
      symbols.push({ bit, bits: 8, at: this.plainLength, literal: this.bits.take(8) });
      this.plainLength++;
    }
  }

  /** RFC 1951 §3.2.5 */
  #takeSymbols({ literals, distances }: Codes, symbols: DeflateSymbol[]): void {
    for (;;) {
      const bit = this.bits.at;
      const at = this.plainLength;
      const literal = takeSymbol(this.bits, literals);
      if (literal === END_OF_BLOCK) return;
      if (literal < END_OF_BLOCK) {
        symbols.push({ bit, bits: this.bits.at - bit, at, literal });
        this.plainLength++;
        continue;
      }
      const length = this.#takeFrom(LENGTHS[literal - END_OF_BLOCK - 1]);
      const distance = this.#takeFrom(DISTANCES[takeSymbol(this.bits, distances)]);
      symbols.push({ bit, bits: this.bits.at - bit, at, length, distance });
      this.plainLength += length;
      this.largestDistance = Math.max(this.largestDistance, distance);
    }
  }

  #takeFrom(range: Range | undefined): number {
    if (range === undefined) throw new NotDeflate('A symbol is used that means nothing.');
    return range.base + this.bits.take(range.extra);
  }
}

/**
 * Takes raw DEFLATE apart, as it is in a message: block after block, also after one with BFINAL. Never
 * throws for what the bytes are: it reports how far it came, and why no further.
 */
export function walkDeflate(bytes: Uint8Array): Walk {
  const walker = new Walker(bytes);
  let problem: string | undefined;
  let end: Walk['end'];
  try {
    while (!walker.bits.areOver) walker.takeBlock();
    end = walker.blocks.at(-1)?.final ? 'final' : 'whole';
  } catch (error) {
    if (error instanceof OutOfBits) end = hasNoLengths(walker) ? 'flushed' : 'cut';
    else if (error instanceof NotDeflate) {
      end = 'wrong';
      problem = error.message;
    } else throw error;
  }
  const { blocks, plainLength, largestDistance } = walker;
  return { blocks, plainLength, largestDistance, end, problem };
}

/** Are the three bits of a stored block the last that there is, but for the padding after them? */
function hasNoLengths({ bits, blocks }: Walker): boolean {
  const last = blocks.at(-1);
  return last?.type === 'stored' && bits.at - last.bit < 3 + 8;
}

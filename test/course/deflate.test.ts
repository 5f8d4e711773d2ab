/** The walker over raw DEFLATE, beside zlib. */
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { Choices } from '../../shared/kit/generate.ts';
import { type DeflateSymbol, type Walk, walkDeflate } from '../../shared/view/deflate.ts';
import { fromHex } from '../../shared/view/hex.ts';

const TAIL = Uint8Array.of(0x00, 0x00, 0xff, 0xff);
const { Z_SYNC_FLUSH } = constants;

/** Unpacks by the symbols alone. */
function unpack({ blocks }: Walk, window: Uint8Array = new Uint8Array(0)): Uint8Array {
  const plain = [...window];
  for (const symbol of blocks.flatMap(({ symbols }): readonly DeflateSymbol[] => symbols)) {
    if (plain.length - window.length !== symbol.at) throw new Error(`Not at ${symbol.at}.`);
    if ('literal' in symbol) plain.push(symbol.literal);
    else for (let i = 0; i < symbol.length; i++) plain.push(plain.at(-symbol.distance)!);
  }
  return Uint8Array.from(plain.slice(window.length));
}

/** Draws bytes that have something to refer back to, or nothing. */
function drawPlain(choose: Choices): Uint8Array {
  const length = choose.pick([0, 1, 7, 300, 2000, 20_000]);
  const spread = choose.pick([1, 3, 20, 256]);
  return Uint8Array.from({ length }, () => choose.below(spread) + 60);
}

describe('what zlib makes', () => {
  const { Z_DEFAULT_STRATEGY, Z_FILTERED, Z_FIXED, Z_HUFFMAN_ONLY, Z_RLE } = constants;
  test.each([
    ['default', Z_DEFAULT_STRATEGY],
    ['filtered', Z_FILTERED],
    ['fixed', Z_FIXED],
    ['Huffman only', Z_HUFFMAN_ONLY],
    ['run lengths', Z_RLE],
  ])('is walked, and its symbols are the plain bytes again: %s', (_, strategy) => {
    for (let seed = 0; seed < 30; seed++) {
      const choose = Choices.random(seed);
      const plain = drawPlain(choose);
      const dictionary = choose.oneIn(2) ? drawPlain(choose) : Buffer.alloc(0);
      const windowBits = 9 + choose.below(7);
      const options = { level: seed % 10, strategy, dictionary, windowBits };
      const flushed = deflateRawSync(plain, { ...options, finishFlush: Z_SYNC_FLUSH });
      const message = walkDeflate(flushed.subarray(0, -TAIL.length));
      expect(message).toMatchObject({ end: 'flushed', problem: undefined });
      expect(message.plainLength).toBe(plain.length);
      expect(message.largestDistance).toBeLessThanOrEqual(2 ** windowBits);
      expect(Buffer.compare(unpack(message, dictionary), plain)).toBe(0);
      expect(walkDeflate(flushed).end).toBe('whole');

      const ended = walkDeflate(deflateRawSync(plain, options));
      expect(ended).toMatchObject({ end: 'final', problem: undefined });
      expect(Buffer.compare(unpack(ended, dictionary), plain)).toBe(0);
    }
  });

  test('is whole or cut at every place', () => {
    const plain = Buffer.from('to be or not to be, that is the question '.repeat(20));
    for (const level of [0, 1, 9]) {
      const packed = deflateRawSync(plain, { level });
      for (let length = 1; length < packed.length; length++) {
        const { end, blocks } = walkDeflate(packed.subarray(0, length));
        // Of a stored block, the first byte alone is what a message ends with.
        expect(end).toBe(level === 0 && length === 1 ? 'flushed' : 'cut');
        expect(blocks).toHaveLength(1);
      }
      expect(walkDeflate(packed)).toMatchObject({ end: 'final', plainLength: plain.length });
    }
  });

  test('is told from noise as zlib does', () => {
    const choose = Choices.random(7);
    let accepted = 0;
    for (let i = 0; i < 3000; i++) {
      // Many of them begin with a dynamic block, which has the most that can be wrong.
      const noise = choose.bytes(1 + choose.below(60));
      if (choose.oneIn(2)) noise[0] = (noise[0]! & ~7) | 4;
      const { end, largestDistance, blocks } = walkDeflate(noise);
      const isKnown = blocks.every(({ final }) => !final);
      // What a block with BFINAL leaves over, zlib ignores; what it does not know, it refuses.
      if (!isKnown || largestDistance > 0) continue;
      let isDeflate = true;
      try {
        inflateRawSync(noise, { finishFlush: Z_SYNC_FLUSH });
        accepted++;
      } catch {
        isDeflate = false;
      }
      expect(end !== 'wrong', Buffer.from(noise).toString('hex')).toBe(isDeflate);
    }
    expect(accepted).toBeGreaterThan(50);
  });
});

describe('what is in a message', () => {
  const types = (hex: string) => walkDeflate(fromHex(hex)).blocks.map(({ type }) => type);

  test('Hello: five literals, and the header of an empty stored block', () => {
    const { blocks, ...about } = walkDeflate(fromHex('f248cdc9c90700'));
    expect(about).toEqual({
      plainLength: 5,
      largestDistance: 0,
      end: 'flushed',
      problem: undefined,
    });
    expect(blocks).toEqual([
      {
        type: 'fixed',
        final: false,
        bit: 0,
        bits: 3 + 5 * 8 + 7,
        symbols: [...'Hello'].map((letter, at) => ({
          bit: 3 + 8 * at,
          bits: 8,
          at,
          literal: letter.charCodeAt(0),
        })),
      },
      { type: 'stored', final: false, bit: 50, bits: 6, symbols: [] },
    ]);
  });

  test('Hello again: a literal, and a reference into the message before', () => {
    const { blocks, largestDistance, plainLength } = walkDeflate(fromHex('f200110000'));
    expect([largestDistance, plainLength]).toEqual([5, 5]);
    expect(blocks[0]?.symbols).toMatchObject([{ literal: 0x48 }, { length: 4, distance: 5 }]);
  });

  test('each kind of block, BFINAL and no block', () => {
    expect(types('00 0500 faff "Hello" 00')).toEqual(['stored', 'stored']);
    expect(types('f24805000000ffff cac9c90700')).toEqual(['fixed', 'stored', 'fixed', 'stored']);
    const twice = walkDeflate(fromHex('f348cdc9c90700 f348cdc9c90700 00'));
    expect(twice.blocks.map(({ final }) => final)).toEqual([true, true, false]);
    expect(Buffer.from(unpack(twice)).toString()).toBe('HelloHello');
    expect(walkDeflate(fromHex('00')).end).toBe('flushed');
    expect(walkDeflate(fromHex('0300'))).toMatchObject({ end: 'final', plainLength: 0 });
    expect(walkDeflate(fromHex(''))).toMatchObject({ end: 'whole', blocks: [] });
  });

  test.each([
    ['ffff', 'There is no block type 3.'],
    ['00 0500 0000', 'The two lengths of a stored block do not fit each other.'],
    ['789c', 'The two lengths of a stored block do not fit each other.'],
    ['fc ff', 'A dynamic block has more symbols than there are.'],
  ])('what is none: %s', (hex, problem) => {
    expect(walkDeflate(fromHex(`${hex}00000000`))).toMatchObject({ end: 'wrong', problem });
  });
});

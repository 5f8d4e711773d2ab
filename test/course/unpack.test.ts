/** Compressed messages as the viewer unpacks and draws them, beside zlib. */
import { constants, createDeflateRaw, type DeflateRaw, deflateRawSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { utf8, wire } from '../../shared/kit/frames.ts';
import { Choices } from '../../shared/kit/generate.ts';
import { decodeFrame, decodeFrames } from '../../shared/view/frame.ts';
import { fromHex } from '../../shared/view/hex.ts';
import { type Cell, type Span, type Strip, stripOf } from '../../shared/view/strip.ts';
import { type Unpacked, Unpacker } from '../../shared/view/unpack.ts';
import { drawUnpacked, saySizes } from '../../shared/view/unpacked.ts';

const { Z_SYNC_FLUSH } = constants;

/** Unpacks the messages of these frames. */
function unpackAll(hex: string, keepsWindow = true): Unpacked[] {
  const unpacker = new Unpacker(keepsWindow);
  return decodeFrames(fromHex(hex), true).flatMap((frame) => unpacker.push(frame) ?? []);
}

/** Unpacks one message after another, each in one frame. */
function unpack(unpacker: Unpacker, packed: Uint8Array): Unpacked {
  const bytes = wire({ opcode: 2, payload: packed, key: null });
  bytes[0]! |= 0x40;
  return unpacker.push(decodeFrame(bytes, 0, true))!;
}

const textsOf = (messages: readonly Unpacked[]) =>
  messages.map(({ plain }) => plain && Buffer.from(plain).toString());

/** Packs a message as a peer does that keeps its state. */
function pack(peer: DeflateRaw, plain: Uint8Array): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  const take = (chunk: Buffer) => chunks.push(chunk);
  peer.on('data', take);
  peer.write(plain);
  return new Promise((resolve) => {
    peer.flush(Z_SYNC_FLUSH, () => {
      peer.off('data', take);
      resolve(Buffer.concat(chunks).subarray(0, -4));
    });
  });
}

const WORDS = [
  'Hello',
  'hello ',
  '你好，',
  '世界',
  ' "é" ',
  '😀',
  'to be or not to be',
  'aaaaaaaaa',
];

/** Draws a message that has something in common with others. */
const drawText = (choose: Choices, most: number) =>
  Array.from({ length: choose.below(most) }, () => choose.pick(WORDS)).join('');

describe('messages are unpacked', () => {
  test('of a peer that keeps its window, however far that goes', async () => {
    for (let seed = 0; seed < 10; seed++) {
      const choose = Choices.random(seed);
      const peer = createDeflateRaw({ windowBits: choose.pick([9, 15]) });
      const unpacker = new Unpacker();
      for (let i = 0; i < 20; i++) {
        const most = choose.oneIn(8) ? 8_000 : 12;
        const plain = utf8(drawText(choose, most));
        const { problem, window, ...message } = unpack(unpacker, await pack(peer, plain));
        expect(problem).toBeUndefined();
        expect(window.length).toBeLessThanOrEqual(32 * 1024);
        expect(Buffer.compare(message.plain!, plain)).toBe(0);
      }
    }
  });

  test('the window is what came compressed before, and nothing else of the buffer that had it', () => {
    const unpacker = new Unpacker();
    const packed = deflateRawSync(new Uint8Array(1_000_000), { finishFlush: Z_SYNC_FLUSH });
    unpack(unpacker, packed.subarray(0, -4));
    const { window } = unpack(unpacker, Uint8Array.of(0));
    expect([window.length, window.buffer.byteLength]).toEqual([32 * 1024, 32 * 1024]);
  });

  test.each([
    ['the first', 'c107 f248cdc9c90700', ['Hello']],
    ['with takeover', 'c107 f248cdc9c90700 c105 f200110000', ['Hello', 'Hello']],
    ['in fragments', '4103 f248cd 8004 c9c90700', ['Hello']],
    ['with a Ping between', '4103 f248cd 8900 8004 c9c90700', ['Hello']],
    ['in fragments of nothing', '4100 0003 f248cd 0004 c9c90700 8000', ['Hello']],
    ['empty', 'c101 00 c100', ['', '']],
    ['stored', 'c10b 00 0500 faff 48656c6c6f 00', ['Hello']],
    ['with BFINAL', 'c108 f348cdc9c9070000 c105 f200110000', ['Hello', 'Hello']],
    ['with BFINAL twice', 'c10f f348cdc9c90700f348cdc9c9070000', ['HelloHello']],
    ['with a reference across BFINAL', 'c10c f348cdc9c90700 f200110000', ['HelloHello']],
    ['in two blocks', 'c10d f24805000000ffffcac9c90700', ['Hello']],
    ['with its tail', 'c10b f248cdc9c907000000ffff c105 f200110000', ['Hello', 'Hello']],
    [
      'not compressed: it is no part of the window',
      'c107 f248cdc9c90700 8101 21 c105 f200110000',
      ['Hello', 'Hello'],
    ],
    ['of a continuation alone, or of nobody', '8004 c9c90700 8100', []],
  ])('%s', (_, hex, texts) => {
    const messages = unpackAll(hex);
    expect(textsOf(messages)).toEqual(texts);
    expect(messages.filter(({ problem }) => problem)).toEqual([]);
  });

  test('without takeover, each begins with an empty window', () => {
    const [, second] = unpackAll('c107 f248cdc9c90700 c105 f200110000', false);
    expect(second).toMatchObject({
      plain: undefined,
      window: { length: 0 },
      problem: 'it refers 5 bytes back, but only 1 byte comes before it here',
    });
  });

  test.each([
    ['c104 f248cdc9', 'it ends within a block'],
    ['c102 ffff', 'it is not DEFLATE: There is no block type 3.'],
    ['c104 02038000', 'it refers 1 byte back, but only 0 bytes come before it here'],
  ])('%s has a problem', (hex, problem) => {
    expect(unpackAll(hex)).toMatchObject([{ problem }]);
  });

  test('what would take long or be large is left', () => {
    const finals = Buffer.from('0300'.repeat(32 * 1024), 'hex');
    expect(unpack(new Unpacker(), finals)).toMatchObject({
      plain: undefined,
      problem: 'more than 100 blocks have BFINAL',
    });
    const bomb = deflateRawSync(new Uint8Array(17 * 1024 * 1024), { finishFlush: Z_SYNC_FLUSH });
    expect(unpack(new Unpacker(), bomb.subarray(0, -4))).toMatchObject({
      plain: undefined,
      problem: 'more than 16 MiB would come out',
    });
  });

  test('after what cannot be unpacked, the window is what it was', () => {
    const texts = textsOf(unpackAll('c107 f248cdc9c90700 c102 ffff c105 f200110000'));
    expect(texts).toEqual(['Hello', undefined, 'Hello']);
  });
});

describe('short messages are drawn', () => {
  const columns = (cells: readonly Cell[], { start, end }: Span) =>
    cells.filter((cell) => cell.start >= start && cell.end <= end);
  const textIn = ({ cells }: Strip, span: Span) =>
    columns(cells, span)
      .map(({ text }) => text)
      .join('');

  test('each reference shows the same characters at both ends', async () => {
    let drawn = 0;
    for (let seed = 0; seed < 40; seed++) {
      const choose = Choices.random(seed);
      const peer = createDeflateRaw();
      const unpacker = new Unpacker();
      for (let i = 0; i < 10; i++) {
        const text = drawText(choose, 5).replace(/[^ -~]/g, '');
        const strip = stripOf(unpack(unpacker, await pack(peer, utf8(text))));
        if (strip === undefined) continue;
        const shown = strip.cells.filter(({ isBefore }) => !isBefore);
        expect(shown.map((cell) => cell.text).join('')).toBe(text);
        for (const { copy, source, length, distance } of strip.references) {
          const again = textIn(strip, copy);
          // It can begin before the message, and end in it.
          const once = textIn(strip, source).replace('│', '');
          expect(once.length).toBe(Math.min(length, distance));
          expect(again).toBe(once.repeat(length).slice(0, length));
          drawn++;
        }
      }
    }
    expect(drawn).toBeGreaterThan(200);
  });

  test('with a little of what is beside it, and gaps', () => {
    const unpacker = new Unpacker();
    const peer = (text: string, dictionary = '') =>
      deflateRawSync(text, { finishFlush: Z_SYNC_FLUSH, dictionary: Buffer.from(dictionary) });
    const before = '0123456789 Hello 0123456789';
    unpack(unpacker, peer(before).subarray(0, -4));
    const message = unpack(unpacker, peer('Hello!', before).subarray(0, -4));
    expect(drawUnpacked(message, 80).slice(-2)).toEqual([
      '  …89 Hello 01…│Hello!',
      '      ╰───╯◄────╰───╯  5 bytes from 16 back',
    ]);
  });

  /** Draws what refers back so many bytes, so far, and behind a window. */
  function draw(
    before: string,
    ...references: readonly (readonly [length: number, distance: number])[]
  ) {
    let at = 0;
    const symbols = references.map(([length, distance]) => {
      const place = { bit: 0, bits: 0, at };
      at += length;
      return { ...place, length, distance };
    });
    const block = { type: 'fixed', final: false, bit: 0, bits: 0, symbols } as const;
    const walk = { blocks: [block], plainLength: at, largestDistance: 0, end: 'flushed' } as const;
    const strip = stripOf({ walk: { ...walk, problem: undefined }, window: utf8(before) });
    return strip?.cells.map(({ text }) => text).join('');
  }

  test('what is beside it are whole characters', () => {
    expect(draw('一二三四abc五六七八', [3, 15])).toBe('…四abc五…│abc');
    expect(draw('ééééabcéééé', [3, 11])).toBe('…ééabcéé…│abc');
    expect(draw('一二三四ab五六七八', [2, 14])).toBe('…四ab五…│ab');
    expect(draw('一二xx三四ab五六yy七八', [2, 16])).toBe('…四ab五…│ab');
  });

  test('what two references share is there once, in its order', () => {
    expect(draw('..........0123456789..........', [10, 20], [3, 25])).toBe(
      '…...0123456789...…│0123456789567',
    );
    expect(draw('..........0123456789..........', [3, 14], [3, 23])).toBe(
      '…...0123456789..…│678012',
    );
  });

  test('what is not there is a ?, what cannot be seen a dot, and a wide character is whole', () => {
    const [message] = unpackAll('c105 f200110000');
    expect(drawUnpacked(message!, 80).slice(-2)).toEqual([
      '  ????│H????',
      '  ╰──╯◄─╰──╯  4 bytes from 5 back',
    ]);
    const packed = fromHex('7ab277c1d3a57b19b89e80e9f77b1a0100');
    expect(drawUnpacked(unpack(new Unpacker(), packed), 80).slice(-2)).toEqual([
      '  你好··你好！',
      '  ╰──╯◄─╰──╯  5 bytes from 8 back',
    ]);
  });

  test('a run goes on into what it has just written', () => {
    const packed = fromHex('4a4cc4040000');
    expect(drawUnpacked(unpack(new Unpacker(), packed), 80).slice(-2)).toEqual([
      `  ${'a'.repeat(20)}`,
      '   ┘╰────────────────╯  18 bytes from 1 back, over and over',
    ]);
  });

  test('a label that has no room is on a line of its own', () => {
    const packed = fromHex(
      'f248cdc9c93730343236313533b7b04c4c4a4e494d4bcfc8cccacec9cdcb2f282c2a2e292df300290200',
    );
    const lines = drawUnpacked(unpack(new Unpacker(), packed), 50).slice(-2);
    expect(lines).toEqual([`   ╰──╯◄${'─'.repeat(32)}╰──╯`, '   4 bytes from 37 back']);
  });

  test('one with many references, or too long, is not drawn', () => {
    const peer = (text: string) =>
      deflateRawSync(text, { finishFlush: Z_SYNC_FLUSH }).subarray(0, -4);
    const many = Array.from({ length: 10 }, (_, i) => `x${i}abcd`).join('');
    for (const text of [many, 'to be or not to be'.repeat(5)]) {
      const message = unpack(new Unpacker(), peer(text));
      expect(stripOf(message), text).toBeUndefined();
      expect(drawUnpacked(message, 80).join('\n')).not.toContain('◄');
      expect(saySizes(message)).toMatch(
        new RegExp(`^\\d+ bytes packed, ${text.length} bytes plain$`),
      );
    }
  });
});

import { describe, expect, test } from 'vitest';
import { join, utf8, wire } from '../../shared/kit/frames.ts';
import { decodeFrame, decodeFrames } from '../../shared/view/frame.ts';
import { decodeHead } from '../../shared/view/head.ts';
import { fromHex, quote, toHex } from '../../shared/view/hex.ts';
import { frameFields, preview } from '../../shared/view/say.ts';
import { renderFrames, renderHead } from '../../shared/view/wire.ts';
import {
  ILLEGAL_FRAMES,
  ILLEGAL_LENGTHS,
  LENGTHS,
  PUBLISHED_FRAMES,
  RFC_FRAMES,
  RFC_HEADERS,
} from '../vectors/frames.ts';

describe('hex', () => {
  test.each([
    ['81 85', [0x81, 0x85]],
    ['8185', [0x81, 0x85]],
    ['0x81, 0x85', [0x81, 0x85]],
    ['81 # FIN and text\n85', [0x81, 0x85]],
    ['02 "lo"', [2, 0x6c, 0x6f]],
    ['"é"', [0xc3, 0xa9]],
    ['FF', [255]],
    ['', []],
  ])('%j is read', (text, bytes) => {
    expect([...fromHex(text)]).toEqual(bytes);
  });

  test.each(['8', 'xx', '81 8', '8 1', '"open', '81 85 zz'])('%j is refused', (text) => {
    expect(() => fromHex(text)).toThrow(SyntaxError);
  });

  test('is written in pairs, with an ellipsis when there is too much', () => {
    expect(toHex(Uint8Array.of(0, 15, 255))).toBe('00 0f ff');
    expect(toHex(new Uint8Array(9), 2)).toBe('00 00 …');
    expect(toHex(new Uint8Array(2), 2)).toBe('00 00');
  });

  test('quotes make the invisible visible', () => {
    expect(quote('a\r\n\t"\u200b\ufeff')).toBe('"a\\r\\n\\t\\"\\u200b\\ufeff"');
  });
});

describe('the decoder over frames', () => {
  test.each([...RFC_FRAMES, ...PUBLISHED_FRAMES])('$id', ({ wire, expected }) => {
    const { fin, opcode, masked, length, text } = expected;
    const bytes = fromHex(wire);
    const frame = decodeFrame(bytes);
    const header = { fin, rsv: 0, opcode, masked, length: BigInt(length) };
    expect(frame).toMatchObject({ ...header, start: 0, end: bytes.length, missing: 0n });
    expect(frame.problem).toBeUndefined();
    expect(frame.payload?.length ?? 0).toBe(length);
    if (text) expect(frame.payload).toEqual(utf8(text));
  });

  test('a stream falls into frames, and the last may be cut', () => {
    const frames = decodeFrames(fromHex('c1 00 89 81 01 02 03 04 60 7e 02'));
    expect(frames).toMatchObject([
      { start: 0, end: 2, rsv: 4, problem: 'an RSV bit is set', payload: undefined },
      { start: 2, end: 9, key: fromHex('01 02 03 04'), payload: utf8('a'), missing: 0n },
      { start: 9, end: 11, fin: false, opcode: 14, length7: 2, length: 2n, missing: 2n },
    ]);
  });

  test.each([
    ['81', { masked: undefined, length7: undefined, length: undefined, missing: 1n }],
    ['82 fe 01', { masked: true, length7: 126, length: undefined, missing: 5n }],
    ['82 fe 01 2c 09', { length: 300n, key: undefined, payload: undefined, missing: 303n }],
    ['82 83 01 02 03 04', { length: 3n, payload: new Uint8Array(0), missing: 3n }],
    ['82 7f ff ff ff ff ff ff ff ff', { length: 2n ** 64n - 1n, missing: 2n ** 64n - 1n }],
  ])('what is missing of %s', (wire, expected) => {
    expect(decodeFrame(fromHex(wire))).toMatchObject(expected);
  });
});

describe('the viewer over frames', () => {
  test.each([...RFC_FRAMES, ...PUBLISHED_FRAMES])('names the fields: $id', ({ wire, expected }) => {
    const bytes = fromHex(wire);
    const fields = frameFields(bytes);
    expect(fields.map(({ name }) => name)).toEqual([
      'first byte',
      'second byte',
      ...(expected.masked ? ['masking key'] : []),
      ...(expected.length > 0 ? ['payload'] : []),
    ]);
    expect(fields[0]?.meaning).toContain(
      `FIN=${Number(expected.fin)} RSV=000 opcode=${expected.opcode}`,
    );
    expect(fields[1]?.meaning).toBe(`MASK=${Number(expected.masked)} length=${expected.length}`);
    if (expected.length > 0)
      expect(fields.at(-1)?.meaning).toBe(`payload ${quote(expected.text ?? '')}`);
    expect(fields.some(({ problem }) => problem)).toBe(false);
    expect(fields.at(-1)?.end).toBe(bytes.length);
  });

  test.each([
    ...RFC_HEADERS.map(({ wire, expected }) => [expected.length, wire] as const),
    ...LENGTHS.slice(4),
  ])('reads the length %i', (length, wire) => {
    expect(frameFields(fromHex(wire))[2]?.meaning).toBe(`length ${length}`);
  });

  test.each([...ILLEGAL_LENGTHS, ...ILLEGAL_FRAMES.slice(1)])('marks $id', ({ wire }) => {
    expect(frameFields(fromHex(wire)).filter(({ problem }) => problem)).toHaveLength(1);
  });

  test('a frame that is cut anywhere is shown as far as it goes', () => {
    const bytes = join(wire({ opcode: 2, payload: new Uint8Array(300) }), wire({ opcode: 9 }));
    for (let length = 1; length < bytes.length; length++) {
      const fields = frameFields(bytes.subarray(0, length));
      expect(fields.at(-1)?.end).toBe(length);
      fields.reduce((end, field) => {
        expect(field.start).toBe(end);
        return field.end;
      }, 0);
    }
    const cut = frameFields(fromHex('81 85 37 fa'));
    expect(cut.at(-1)?.meaning).toBe('masking key, 2 more bytes to come');
  });

  test('several frames follow each other', () => {
    expect(renderFrames(fromHex('01 03 "Hel" 89 00 80 02 "lo"'))).toEqual([
      '   0  01                         FIN=0 RSV=000 opcode=1 (text)',
      '   1  03                         MASK=0 length=3',
      '   2  48 65 6c                   payload "Hel"',
      '   5  89                         FIN=1 RSV=000 opcode=9 (ping)',
      '   6  00                         MASK=0 length=0',
      '   7  80                         FIN=1 RSV=000 opcode=0 (continuation)',
      '   8  02                         MASK=0 length=2',
      '   9  6c 6f                      payload "lo"',
    ]);
  });

  test('a close shows its code and reason', () => {
    expect(renderFrames(fromHex('88 05 03 e8 "bye"')).at(-1)).toContain(
      'payload code 1000 reason "bye"',
    );
    expect(renderFrames(fromHex('88 82 37 fa 21 3d 34 12')).at(-1)).toContain('payload code 1000');
  });

  test('no line is wider than asked', () => {
    const bytes = wire({ opcode: 1, payload: 'x'.repeat(500) });
    for (const line of renderFrames(bytes, 50)) expect(line.length).toBeLessThanOrEqual(50);
  });

  test('a preview never cuts a character', () => {
    expect(preview(utf8('é'.repeat(20)), 5)).toBe('"éé"… (40 bytes)');
    expect(preview(Uint8Array.of(0xfe, 0xff))).toBe('fe ff');
  });
});

describe('the viewer over a handshake', () => {
  test('shows each line with its end, and what follows', () => {
    const bytes = join(utf8('GET / HTTP/1.1\r\nHost: h \r\n\r\n'), fromHex('81 00'));
    const head = decodeHead(bytes);
    expect(head.lines.map(({ name }) => name)).toEqual(['start line', 'header', 'blank line']);
    expect(head).toMatchObject({ kind: 'request', size: 28, isWhole: true, rest: { length: 2 } });
    expect(renderHead(bytes)).toEqual([
      'GET / HTTP/1.1\\r\\n',
      'Host: h \\r\\n',
      '\\r\\n',
      '(2 bytes after the head: 81 00)',
    ]);
  });

  test('shows what is not ASCII as bytes', () => {
    const bytes = utf8('GET /é HTTP/1.1\r\nX: \t"\u007f€"\r\n\r\n');
    expect(renderHead(bytes)).toEqual([
      String.raw`GET /\xc3\xa9 HTTP/1.1\r\n`,
      String.raw`X: \t\"\x7f\xe2\x82\xac\"\r\n`,
      String.raw`\r\n`,
    ]);
  });

  test('marks a line with the wrong end', () => {
    expect(renderHead(utf8('GET / HTTP/1.1\nHost: h'))).toEqual([
      'GET / HTTP/1.1\\n',
      '^^ the line does not end with \\r\\n',
      'Host: h',
      '^^ the line does not end with \\r\\n',
    ]);
  });
});

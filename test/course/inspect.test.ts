import { constants, deflateRawSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { join, KEY, utf8, wire } from '../../shared/kit/frames.ts';
import { type Given, isHead, parseBase64, parseBytes, takeBytes } from '../../shared/view/bytes.ts';
import { decodeFrame } from '../../shared/view/frame.ts';
import { fromHex, toHex } from '../../shared/view/hex.ts';
import { renderBytes } from '../../shared/view/inspect.ts';
import { sayMissing } from '../../shared/view/say.ts';
import { widthOf } from '../../shared/view/width.ts';
import { drawStream } from '../../shared/view/wire.ts';
import {
  ILLEGAL_FRAMES,
  ILLEGAL_LENGTHS,
  PUBLISHED_FRAMES,
  RFC_FRAMES,
} from '../vectors/frames.ts';

const HELLO = '81 85 37 fa 21 3d 7f 9f 4d 51 58';
/** The bytes that were read, none of which was left out. */
function hexOf({ bytes, leftOut }: Given): string {
  expect(leftOut).toBe(0);
  return toHex(bytes);
}
/** Text with so many references that they are not drawn, and text that is as wide as a line. */
const JSON_LIST = JSON.stringify(Array.from({ length: 20 }, (_, id) => ({ id, square: id * id })));
const CHINESE = '你好，世界，你好，小明，你好，小红，世界，你好';
/** A message as zlib packs it, without the last four bytes. */
const packed = (text: string) =>
  deflateRawSync(text, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
const REQUEST = 'GET /chat HTTP/1.1\r\nHost: example.com\r\n\r\n';

describe('bytes are read', () => {
  test.each([
    ['pairs', HELLO],
    ['one word', HELLO.replaceAll(' ', '')],
    ['upper case', HELLO.toUpperCase()],
    ['colons', HELLO.replaceAll(' ', ':')],
    ['0x and commas', HELLO.replace(/\w+/g, '0x$&,')],
    ['annotated', '81 # FIN, text\n85 # masked\n37fa213d \n7f9f4d "QX"'],
    ['Wireshark', '0000   81 85 37 fa 21 3d 7f 9f 4d 51 58                  ..7.!=..MQX\n'],
    [
      'Wireshark, in two lines',
      '0000  81 85 37 fa 21 3d 7f 9f   ..7.!=··\r\n0008  4d 51 58   MQX\r\n',
    ],
    ['xxd', '00000000: 8185 37fa 213d 7f9f 4d51 58              ..7.!=..MQX\n'],
    ['hexdump -C', '00000000  81 85 37 fa 21 3d 7f 9f  4d 51 58  |..7.!=..MQX|\n0000000b\n'],
    ['tcpdump -x', '\t0x0000:  8185 37fa 213d 7f9f 4d51 58\n'],
    ['od -t x1', '0000000 81 85 37 fa 21 3d 7f 9f 4d 51 58\n0000013\n'],
    ['od -t x1z', '0000000 81 85 37 fa 21 3d 7f 9f 4d 51 58  >..7.!=..MQX<\n0000013\n'],
    ['od -A x -t x1', '000000 81 85 37 fa 21 3d 7f 9f 4d 51 58\n00000b\n'],
    ['od -A d -t x1 -w8', '0000000 81 85 37 fa 21 3d 7f 9f\n0000008 4d 51 58\n0000011\n'],
    [
      'xxd -i',
      'unsigned char a_bin[] = {\n  0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f,\n  0x9f, 0x4d, 0x51, 0x58\n};\nunsigned int a_bin_len = 11;\n',
    ],
    ['a Buffer', '<Buffer 81 85 37 fa 21 3d 7f 9f 4d 51 58>'],
    ['a Buffer in a line of a log', 'read <Buffer 81 85 37 fa 21 3d 7f 9f 4d 51 58> 11\n'],
    ['Buffers', '[\n  <Buffer 81 85>,\n  <Buffer 37 fa 21 3d>,\n  <Buffer 7f 9f 4d 51 58>\n]'],
    [
      'an ArrayBuffer',
      'ArrayBuffer {\n  [Uint8Contents]: <81 85 37 fa 21 3d 7f 9f 4d 51 58>,\n  byteLength: 11\n}',
    ],
    [
      'a Uint8Array',
      'Uint8Array(11) [\n  129, 133, 55, 250, 33,\n   61, 127, 159, 77, 81,\n   88\n]',
    ],
    ['numbers', '[129, 133, 55, 250, 33, 61, 127, 159, 77, 81, 88]'],
    ['numbers in hex', `[${HELLO.replace(/\w+(?=( ?))/g, '0x$&,').replace(/,$/, '')}]`],
    ['JSON', '{"type":"Buffer","data":[129,133,55,250,33,61,127,159,77,81,88]}'],
    ['escapes', HELLO.replace(/(\w+) ?/g, '\\x$1')],
    ['escapes in a list', HELLO.replace(/\w+/g, '\\x$&,')],
    ['bytes of Python', "b'\\x81\\x857\\xfa!=\\x7f\\x9fMQX'\n"],
    ['a string', '"\\x81\\x857\\xfa!=\\x7f\\x9fMQX"'],
  ])('as %s', (_, text) => {
    expect(hexOf(parseBytes(text))).toBe(HELLO);
  });

  test('escapes of all kinds', () => {
    expect(hexOf(parseBytes("b'\\x81\\r\\n\\t\\0\\\\\\'é x'"))).toBe(
      '81 0d 0a 09 00 5c 27 c3 a9 20 78',
    );
  });

  test('a row that a dump shows once, and a star', () => {
    const row = '00 '.repeat(16).trimEnd();
    for (const [base, digits] of [
      [16, 8],
      [8, 7],
      [10, 7],
    ] as const) {
      const at = (offset: number) => offset.toString(base).padStart(digits, '0');
      const lines = [`${at(0)}  ${row}`, '*', `${at(48)}  81 05`, at(50), ''];
      const { bytes } = parseBytes(lines.join('\n'));
      expect(toHex(bytes)).toBe(toHex(fromHex(`${row} ${row} ${row} 81 05`)));
    }
  });

  test.each([
    ['<Buffer 82 7e 00 c8 ... 200 more bytes>', 200],
    ['Uint8Array(5) [\n  130, 126,\n  0, 200,\n  ... 1 more item\n]', 1],
    ['{ [Uint8Contents]: <82 7e 00 c8 ... 1 more byte>, byteLength: 5 }', 1],
    ['[ <Buffer 82 7e 00 c8 ... 9 more bytes>, <Buffer 11> ]', 9],
  ])('what %j leaves out is counted, and nothing is read after it', (text, leftOut) => {
    expect(parseBytes(text)).toEqual({ bytes: fromHex('82 7e 00 c8'), leftOut });
  });

  test('base64, when that is said', () => {
    for (const text of ['gYU3+iE9f59NUVg=', 'gYU3+iE9\nf59NUVg\n', 'gYU3-iE9f59NUVg']) {
      expect(hexOf(parseBase64(text)), text).toBe(HELLO);
    }
    for (const text of ['', 'gYU3+', 'gQ=VIZ', 'g{VI']) {
      expect(() => parseBase64(text), text).toThrow(SyntaxError);
    }
  });

  test('a dump whose characters look like hex digits', () => {
    expect(hexOf(parseBytes('0000   01 02 61 62  ..ab\n'))).toBe('01 02 61 62');
    expect(hexOf(parseBytes('0000   61 62  ab\n'))).toBe('61 62');
    expect(hexOf(parseBytes('0000   61 62 63\n'))).toBe('61 62 63');
  });

  test('text in quotes keeps its colons', () => {
    expect(hexOf(parseBytes('"a:b":3a'))).toBe('61 3a 62 3a');
  });

  test.each([
    ['81 85 zz', 'Cannot read "zz" at character 7: '],
    ['81 8', 'Cannot read "8" at character 4: '],
    ['0x8', 'Cannot read "0x8" at character 1: '],
    ['81 85\n37 f', 'Cannot read "f" at line 2, character 4: '],
    ['81 "open', 'Cannot read "\\"open" at character 4: '],
    ['0000   81 85  zz', 'Cannot read line 1 of the dump: '],
    ['0000   81 85  ..\n0003   00  .', 'Cannot read line 2 of the dump: '],
    ['0000000 8581 fa37 3d21\n0000006\n', 'Cannot read line 1 of the dump: '],
    ['0000000 102601 175067\n0000004\n', 'Cannot read line 2 of the dump: '],
    ['00000000  81 05\n00000003', 'Cannot read line 2 of the dump: take one of single bytes'],
    ['[129, 256]', 'Cannot read "256": in brackets, a byte is written as 129 or as 0x81.'],
    ['[81, fa]', 'Cannot read "fa": in brackets'],
    ['<Buffer >', 'Give the bytes to look at, in hex: npm run inspect 81 85'],
    ['', 'Give the bytes to look at, in hex: npm run inspect 81 85'],
    [' # nothing', 'Give the bytes to look at, in hex: npm run inspect 81 85'],
  ])('%j is refused with its place', (text, message) => {
    expect(() => parseBytes(text)).toThrow(SyntaxError);
    expect(() => parseBytes(text)).toThrow(message);
  });

  test('from another program, as hex or as they are', () => {
    for (const text of [HELLO, 'deadbeef 81', '"é" 00']) {
      expect(takeBytes(utf8(text))).toEqual(parseBytes(text));
    }
    for (const bytes of [fromHex(HELLO), fromHex('01 03 "Hel"'), utf8(REQUEST), utf8('GET / HT')]) {
      expect(takeBytes(bytes)).toEqual({ bytes, leftOut: 0 });
    }
    for (const text of ['81 85 3z', '', '\n']) {
      expect(() => takeBytes(utf8(text)), text).toThrow(SyntaxError);
    }
  });

  test('a head is told from frames', () => {
    for (const head of [REQUEST, 'get /', 'OPTIONS * HTTP/1.1', 'HTTP/1.1 101 Switching']) {
      expect(isHead(utf8(head)), head).toBe(true);
    }
    for (const { wire } of [...RFC_FRAMES, ...PUBLISHED_FRAMES]) {
      expect(isHead(fromHex(wire)), wire).toBe(false);
    }
  });
});

describe('frames are explained', () => {
  test.each([...RFC_FRAMES, ...PUBLISHED_FRAMES])('$id', ({ wire }) => {
    const bytes = fromHex(wire);
    expect(renderBytes(bytes, 80)).toEqual([
      ...drawStream({ bytes }, 80),
      '',
      `1 frame, ${bytes.length} bytes.`,
    ]);
  });

  test('several: all in short, then one by one', () => {
    const lines = renderBytes(fromHex('01 03 "Hel" 89 00 83 02 "lo" 81 05 "c"'), 80);
    expect(lines.slice(0, 4).map((line) => line.split('  ')[0])).toEqual([
      '01 03 48 65 6c',
      '89 00',
      '83 02 6c 6f',
      '81 05 63',
    ]);
    expect(lines[1]).toMatch(/^89 00 +ping, not masked$/);
    expect(lines.filter((line) => line.startsWith('Frame '))).toEqual([
      'Frame 1, from byte 0',
      'Frame 2, from byte 5',
      'Frame 3, from byte 7',
      'Frame 4, from byte 11',
    ]);
    expect(lines).toContain('FIN=1 RSV=000 opcode=3 (reserved) ← a reserved opcode');
    expect(lines.at(-1)).toBe(
      '4 frames, 14 bytes. Not legal: 3. The last is cut: 4 more bytes to come.',
    );
  });

  test('one that is cut before its mask shows is not called unmasked', () => {
    for (const last of ['82', '82 fe', '82 fe 01', '82 fe 01 2c 37']) {
      const [, line] = drawStream({ bytes: fromHex(`89 00 ${last}`) }, 80);
      expect(line).toMatch(new RegExp(`^${last} +binary$`));
    }
  });

  test('a megabyte, however it is written, without drawing all of it', () => {
    const [zeros, frame] = [
      new Uint8Array(1_000_000),
      wire({ opcode: 2, payload: new Uint8Array(999_990), key: null }),
    ];
    const pairs = toHex(frame);
    const written = [
      pairs,
      pairs.replaceAll(' ', ''),
      `[${frame}]`,
      pairs.replace(/(\w+) ?/g, '\\x$1'),
      `<Buffer ${pairs}>`,
    ];
    const { user } = process.cpuUsage();
    expect(renderBytes(zeros, 80).at(-1)).toBe(
      '500,000 frames, 1,000,000 bytes. The first 8 are drawn.',
    );
    for (const text of written) {
      const given = takeBytes(utf8(text)).bytes;
      expect(renderBytes(given, 80).at(-1)).toBe('1 frame, 1,000,000 bytes.');
    }
    // All take some three seconds; before, the zeros alone took fifteen.
    expect((process.cpuUsage().user - user) / 1e6).toBeLessThan(14);
  });

  test('very many: the first eight', () => {
    const lines = renderBytes(fromHex('89 00'.repeat(1000)), 80);
    expect(lines.length).toBeLessThan(80);
    expect(lines.at(-1)).toBe('1000 frames, 2000 bytes. The first 8 are drawn.');
  });

  test.each([60, 80])('illegal ones have the rule in full at %i columns', (width) => {
    const illegal = ILLEGAL_FRAMES.filter(({ id }) => !/^(unmasked|rsv1)/.test(id));
    for (const { id, wire } of [...ILLEGAL_LENGTHS, ...illegal]) {
      const text = renderBytes(fromHex(wire), width)
        .join(' ')
        .replace(/[│\s]+/g, ' ');
      expect(text, id).toMatch(
        /← (an RSV bit is set|a reserved opcode|a fragmented control frame|a control frame of more than 125 bytes|not the shortest form|the most significant bit is set)/,
      );
    }
  });

  test('a length of eight bytes is exact', () => {
    const text = renderBytes(fromHex('82 7f 7f ff ff ff ff ff ff ff 01'), 80).join('\n');
    expect(text).toContain('length 9223372036854775807\n');
    expect(text).toContain('It is cut: 9223372036854775806 more bytes to come.');
  });

  test('what is missing of a frame, cut anywhere', () => {
    for (const size of [0, 5, 300, 70_000]) {
      for (const key of [null, KEY]) {
        const frame = wire({
          opcode: 2,
          payload: new Uint8Array(size),
          key,
        });
        expect(sayMissing(decodeFrame(frame))).toBeUndefined();
        for (let at = 1; at < Math.min(frame.length, 20); at++) {
          const said = sayMissing(decodeFrame(frame.subarray(0, at))) ?? '';
          const [, atLeast, count] = /^(at least )?(\d+) more bytes? to come$/.exec(said) ?? [];
          if (atLeast) expect(Number(count)).toBeLessThanOrEqual(frame.length - at);
          else expect(Number(count)).toBe(frame.length - at);
          expect(Boolean(atLeast)).toBe(at < (size > 65535 ? 10 : size > 125 ? 4 : 2));
        }
      }
    }
  });
});

describe('compressed messages are unpacked', () => {
  const HELLO_TWICE = 'c1 07 f2 48 cd c9 c9 07 00 c1 05 f2 00 11 00 00';
  /** All lines but those of the frames themselves. */
  const explained = (hex: string, heading: string) => {
    const lines = renderBytes(fromHex(hex), 80);
    return lines.slice(lines.findIndex((line) => line.startsWith(heading)));
  };

  test('one after the other, with what they have in common', () => {
    expect(explained(HELLO_TWICE, 'Frame 2')).toEqual([
      'Frame 2, from byte 9',
      '',
      'c1 05 f2 00 11 00 00',
      '┬─ ┬─ ╰──────┬─────╯',
      '│  │         payload f2 00 11 00 00',
      '│  MASK=0 length=5',
      'FIN=1 RSV=100 opcode=1 (text), compressed',
      '',
      'packed   f2 00 11 00 00 (5 bytes)',
      'plain    "Hello" (5 bytes)',
      'block 1  fixed codes, 31 bits: 1 literal and 1 reference',
      'block 2  stored, empty: the four bytes 00 00 ff ff that end it are never sent',
      '',
      '  Hello│Hello',
      '   ╰──╯◄─╰──╯  4 bytes from 5 back',
      '',
      '2 frames, 16 bytes.',
    ]);
  });

  test('also in fragments with a Ping between them, and after a message that is not compressed', () => {
    const hex = '41 03 f2 48 cd 89 00 80 04 c9 c9 07 00 81 01 21 c1 05 f2 00 11 00 00';
    const lines = explained(hex, 'Frame 1');
    expect(lines.filter((line) => line.startsWith('plain '))).toEqual([
      'plain    "Hello" (5 bytes)',
      'plain    "Hello" (5 bytes)',
    ]);
    expect(lines.at(-1)).toBe('5 frames, 23 bytes.');
  });

  test('each side with a window of its own: what a client sends is masked', () => {
    const hex = 'c1 87 00 00 00 00 f2 48 cd c9 c9 07 00 c1 05 f2 00 11 00 00';
    expect(explained(hex, 'packed').join('\n')).toContain('but      it refers 5 bytes back');
    const both = `${hex} c1 85 00 00 00 00 f2 00 11 00 00`;
    expect(explained(both, 'Frame 3').join('\n')).toContain('plain    "Hello"');
  });

  test.each([
    ['c1 05 f2 00 11 00 00', 'it refers 5 bytes back, but only 1 byte comes before it here'],
    ['c1 03 f2 48 cd', 'it ends within a block'],
    ['c1 02 07 00', 'it is not DEFLATE: There is no block type 3.'],
    ['c1 82 00 00 00 00 07 00', 'it is not DEFLATE: There is no block type 3.'],
  ])('%s cannot be', (hex, problem) => {
    expect(explained(hex, 'but').join(' ').replaceAll(/\s+/g, ' ')).toContain(`but ${problem} `);
  });

  test.each([
    ['c9 00', '← RSV1 on a control frame'],
    ['81 00 c0 00', '← RSV1 on a continuation'],
    ['e1 01 00', '← an RSV bit is set'],
  ])('%s is not legal', (hex, problem) => {
    const text = renderBytes(fromHex(hex), 80).join('\n');
    expect(text).toContain(problem);
  });

  test('one that is cut is said to be', () => {
    const lines = explained('41 03 f2 48 cd 80 04 c9 c9', '2 frames');
    expect(lines.join(' ')).toBe(
      '2 frames, 9 bytes. The last is cut: 2 more bytes to come. A compressed message is cut: it is unpacked when it is whole.',
    );
  });

  test('after a response, only if it agrees on that', () => {
    const response = 'HTTP/1.1 101 Switching Protocols\r\n';
    const extension = 'Sec-WebSocket-Extensions: permessage-deflate\r\n';
    const after = (head: string) =>
      renderBytes(join(utf8(`${head}\r\n`), fromHex(HELLO_TWICE)), 80).join('\n');
    expect(after(response + extension)).toContain('plain    "Hello"');
    expect(after(response)).not.toContain('plain    "Hello"');
    expect(after(response)).toContain('← an RSV bit is set');
  });
});

describe('handshakes are explained', () => {
  test('each line with its end, and the frames that follow', () => {
    const bytes = join(utf8(REQUEST), fromHex(HELLO).subarray(0, 8));
    expect(renderBytes(bytes, 80)).toEqual([
      'The head of a request, 41 bytes',
      '',
      '  GET /chat HTTP/1.1\\r\\n',
      '  Host: example.com\\r\\n',
      '  \\r\\n',
      '',
      'After the head, 8 bytes',
      '',
      ...drawStream({ bytes: fromHex(HELLO).subarray(0, 8) }, 80),
      '',
      '1 frame, 8 bytes. It is cut: 3 more bytes to come.',
    ]);
  });

  test('both sides, one after the other', () => {
    const answer = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n';
    const lines = renderBytes(join(utf8(REQUEST + answer), fromHex('81 00')), 80);
    expect(lines).toContain('The head of a response, 56 bytes');
    expect(lines.at(-1)).toBe('1 frame, 2 bytes.');
  });

  test('a refusal has a body, not frames', () => {
    const answer = 'HTTP/1.1 404 Not Found\r\n\r\nNo WebSocket here.\n';
    expect(renderBytes(utf8(answer), 80).at(-1)).toBe(
      'Its body, 19 bytes: "No WebSocket here.\\n"',
    );
  });

  test('a head that is cut, and a line with the wrong end', () => {
    expect(renderBytes(utf8('GET / HTTP/1.1\nHost: h'), 80)).toEqual([
      'The head of a request, 22 bytes',
      '',
      '  GET / HTTP/1.1\\n',
      '  ^^ the line does not end with \\r\\n',
      '  Host: h',
      '',
      'The head is cut: the blank line that ends it is still to come.',
    ]);
    expect(renderBytes(utf8(REQUEST), 80).at(-1)).toBe(
      'The head is whole, and nothing follows it.',
    );
  });

  test('a long line is broken, and nothing of it is lost', () => {
    const line = `User-Agent: ${'Mozilla 5.0  (X11) '.repeat(12)}`;
    const lines = renderBytes(utf8(`GET / HTTP/1.1\r\n${line}\r\n\r\n`), 60);
    expect(Math.max(...lines.map(({ length }) => length))).toBe(60);
    const [from, to] = [
      lines.findIndex((text) => text.includes('User-Agent')),
      lines.indexOf('  \\r\\n'),
    ];
    const whole = lines
      .slice(from, to)
      .map((text, i) => text.slice(i === 0 ? 2 : 6))
      .join('');
    expect(whole).toBe(`${line}\\r\\n`);
  });
});

test.each([60, 80])('no line is wider than %i columns', (width) => {
  const samples = [
    ...[...RFC_FRAMES, ...PUBLISHED_FRAMES, ...ILLEGAL_FRAMES, ...ILLEGAL_LENGTHS].map((vector) =>
      fromHex(vector.wire),
    ),
    wire({ opcode: 1, payload: 'x'.repeat(500) }),
    fromHex('c1 07 f2 48 cd c9 c9 07 00 c1 05 f2 00 11 00 00'),
    ...[JSON_LIST, CHINESE].map((text) => {
      const payload = packed(text).subarray(0, 120);
      return join(Uint8Array.of(0xc1, payload.length), payload);
    }),
    fromHex('82 ff 00 00 00 00 00 01 00 00 01 02 03 04 05 06 07'),
    fromHex('82 ff 80 00 00 00 00 01 00 00 01 02 03 04 05 06 07'),
    utf8(`GET /${'x'.repeat(200)} HTTP/1.1\r\n`),
    utf8(`HTTP/1.1 400 Bad Request\r\n\r\n${'body '.repeat(50)}`),
  ];
  for (const bytes of samples) {
    for (const line of renderBytes(bytes, width)) expect(widthOf(line)).toBeLessThanOrEqual(width);
  }
});

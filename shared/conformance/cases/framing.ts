/** Category F: framing, beyond what the numbered categories ask. RFC 6455 §5 */

import { join, KEY, masked, utf8, type WireFrame } from '../../kit/frames.ts';
import { fromHex } from '../../view/hex.ts';
import type { Caption, Case, Category } from '../case.ts';
import type { Maskable } from '../endpoint.ts';
import { answers, echoesEach, fails } from '../script.ts';
import {
  begin,
  binary,
  binaryReply,
  close,
  counting,
  echoOf,
  end,
  ping,
  pongReply,
  type Reply,
  text,
  textReply,
} from '../vocabulary.ts';

const PROTOCOL_ERROR = [1002];

/** Frames with a mask that must have none, or without one: what a side must not send. */
function wrongMask(mask: 'with' | 'without'): Case[] {
  const key = mask === 'with' ? KEY : null;
  const refused = (id: string, what: string, ...frames: WireFrame[]) =>
    fails([id, `${what} ${mask} a mask`, '5.1'], frames, PROTOCOL_ERROR);
  return [
    refused('F.1', 'A text', text('Hello', { key })),
    refused('F.2', 'An empty text', text('', { key })),
    refused('F.3', 'A Ping', ping('Hello', { key })),
    refused('F.4', 'A Close', { ...close(1000), key }),
    refused('F.5', 'A last fragment', begin('Hel'), { ...end('lo'), key }),
  ];
}

/**
 * A case with a length that is not in its shortest form. The MUST of §5.2 is one for the sender:
 * it does not say that who receives such a frame has to refuse it. So to read it right is
 * NON-STRICT.
 */
function notShortest(
  caption: Caption,
  message: WireFrame,
  lengthBytes: 2 | 8,
  passed: Reply,
): Case {
  return fails(caption, [{ ...message, lengthBytes }], PROTOCOL_ERROR, { passed });
}

const SHORT_ENOUGH: readonly (readonly [size: number, lengthBytes: 2 | 8])[] = [
  [0, 2],
  [5, 2],
  [125, 2],
  [0, 8],
  [5, 8],
  [126, 8],
  [65_535, 8],
];

const ONE_KEY_BYTE = [0, 1, 2, 3].map((at) => Uint8Array.of(0, 0, 0, 0).fill(0xa5, at, at + 1));
/** A length whose highest bit is set, and the payload that its other bits announce. */
const negative =
  (length: string): Maskable =>
  (key) => {
    const payload = utf8('Hello');
    const header = join(Uint8Array.of(0x82, key ? 0xff : 0x7f), fromHex(length));
    return key ? join(header, key, masked(payload, key)) : join(header, payload);
  };

const LENGTHS: Case[] = [
  ...SHORT_ENOUGH.map(([size, lengthBytes], i) =>
    notShortest(
      [`F.${i + 6}`, `A length of ${size} in ${lengthBytes} bytes`, '5.2'],
      counting(size),
      lengthBytes,
      echoOf(counting(size)),
    ),
  ),
  notShortest(
    ['F.13', 'A Ping with its length of 5 in 2 bytes', '5.2'],
    ping('Hello'),
    2,
    pongReply('Hello'),
  ),
  notShortest(
    ['F.14', 'A Ping with its length of 5 in 8 bytes', '5.2'],
    ping('Hello'),
    8,
    pongReply('Hello'),
  ),
  // A reader that takes it as a number without a sign says 1009; but whatever the limits are, it
  // is illegal.
  fails(
    ['F.15', 'A length with its highest bit set', '5.2'],
    [negative('80 00 00 00 00 00 00 05')],
    PROTOCOL_ERROR,
  ),
  fails(
    ['F.16', 'A length with all bits set', '5.2'],
    [negative('ff ff ff ff ff ff ff ff')],
    PROTOCOL_ERROR,
  ),
];

/** Masks of any kind, which only a server gets to see. */
const KEYS: Case[] = [
  echoesEach(
    ['F.17', 'A masking key of zeros', '5.3'],
    [text('Hello', { key: new Uint8Array(4) })],
  ),
  echoesEach(
    ['F.18', 'Masking keys of one byte and three zeros', '5.3'],
    ONE_KEY_BYTE.map((key) => ({ ...counting(9), key })),
  ),
];
const MORE_KEYS: Case[] = [
  answers(
    ['F.22', 'Two frames in one write, each with its own key', '5.3'],
    [
      text('first', { key: fromHex('01 02 03 04') }),
      text('second', { key: fromHex('fa ce b0 0c') }),
    ],
    [textReply('first'), textReply('second')],
    'together',
  ),
  answers(
    ['F.23', 'Fragments of one, two and three bytes, each with its own key', '5.3'],
    [
      { ...begin('a'), key: fromHex('01 02 03 04') },
      { opcode: 0, fin: false, payload: 'bc', key: fromHex('fa ce b0 0c') },
      { ...end('def'), key: fromHex('80 40 20 10') },
    ],
    [textReply('abcdef')],
  ),
];

const SIZES: Case[] = [
  echoesEach(
    ['F.19', 'Payloads of 0 to 8 bytes', '5.3'],
    Array.from({ length: 9 }, (_, size) => counting(size)),
  ),
  echoesEach(
    ['F.20', 'Payloads of 124 to 128 bytes', '5.3'],
    [124, 125, 126, 127, 128].map(counting),
  ),
  echoesEach(
    ['F.21', 'Payloads of 65534 to 65537 bytes', '5.3'],
    [65_534, 65_535, 65_536, 65_537].map(counting),
  ),
];

const KINDS: Case[] = [
  answers(
    ['F.24', 'A binary message in two fragments', '5.4'],
    [binary(fromHex('ff fe'), { fin: false }), end(fromHex('00 fd'))],
    [binaryReply(fromHex('ff fe 00 fd'))],
  ),
  answers(
    ['F.25', 'A text that starts with a byte order mark', '5.6'],
    [text('\ufeffhi')],
    [textReply('\ufeffhi')],
  ),
  fails(
    ['F.26', 'A continuation with a Ping of 126 bytes before it', '5.5'],
    [begin('Hel'), ping(new Uint8Array(126)), end('lo')],
    PROTOCOL_ERROR,
  ),
  echoesEach(
    ['F.27', 'Text after a binary message that is not UTF-8', '5.6'],
    [binary(fromHex('ff')), text('text')],
  ),
  fails(['F.28', 'A Ping with RSV 1', '5.2'], [ping('Hello', { rsv: 1 })], PROTOCOL_ERROR),
];

const CATEGORY = { id: 'F', title: 'Framing: masks and lengths' } as const;

export const FRAMING: Category = {
  ...CATEGORY,
  cases: [...wrongMask('without'), ...LENGTHS, ...KEYS, ...SIZES, ...MORE_KEYS, ...KINDS],
};

export const CLIENT_FRAMING: Category = {
  ...CATEGORY,
  cases: [...wrongMask('with'), ...LENGTHS, ...SIZES, ...KINDS],
};

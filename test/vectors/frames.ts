/** Frames with a known meaning: those of RFC 6455 §5.7 first, then other public texts. */
import type { Vector } from './vector.ts';

/** What a frame decodes to. The payload of a header alone is absent. */
export interface ExpectedFrame {
  readonly fin: boolean;
  readonly opcode: number;
  readonly masked: boolean;
  readonly length: number;
  /** Text, or hex for what is not text. */
  readonly text?: string;
}

export const RFC_FRAMES: readonly Vector<ExpectedFrame>[] = [
  {
    id: 'rfc-5.7-text',
    source: 'RFC 6455 §5.7',
    what: 'an unmasked text frame "Hello"',
    wire: '81 05 48 65 6c 6c 6f',
    expected: { fin: true, opcode: 1, masked: false, length: 5, text: 'Hello' },
  },
  {
    id: 'rfc-5.7-masked-text',
    source: 'RFC 6455 §5.7',
    what: 'a masked text frame "Hello"',
    wire: '81 85 37 fa 21 3d 7f 9f 4d 51 58',
    expected: { fin: true, opcode: 1, masked: true, length: 5, text: 'Hello' },
  },
  {
    id: 'rfc-5.7-first-fragment',
    source: 'RFC 6455 §5.7',
    what: 'an unmasked first fragment "Hel"',
    wire: '01 03 48 65 6c',
    expected: { fin: false, opcode: 1, masked: false, length: 3, text: 'Hel' },
  },
  {
    id: 'rfc-5.7-last-fragment',
    source: 'RFC 6455 §5.7',
    what: 'an unmasked last fragment "lo"',
    wire: '80 02 6c 6f',
    expected: { fin: true, opcode: 0, masked: false, length: 2, text: 'lo' },
  },
  {
    id: 'rfc-5.7-ping',
    source: 'RFC 6455 §5.7',
    what: 'an unmasked ping "Hello"',
    wire: '89 05 48 65 6c 6c 6f',
    expected: { fin: true, opcode: 9, masked: false, length: 5, text: 'Hello' },
  },
  {
    id: 'rfc-5.7-masked-pong',
    source: 'RFC 6455 §5.7',
    what: 'a masked pong "Hello", the answer to that ping',
    wire: '8a 85 37 fa 21 3d 7f 9f 4d 51 58',
    expected: { fin: true, opcode: 10, masked: true, length: 5, text: 'Hello' },
  },
];

/** The two examples of RFC 6455 §5.7 that print a header and leave the payload out. */
export const RFC_HEADERS: readonly Vector<ExpectedFrame>[] = [
  {
    id: 'rfc-5.7-binary-256',
    source: 'RFC 6455 §5.7',
    what: 'the header of an unmasked binary frame of 256 bytes',
    wire: '82 7e 01 00',
    expected: { fin: true, opcode: 2, masked: false, length: 256 },
  },
  {
    id: 'rfc-5.7-binary-65536',
    source: 'RFC 6455 §5.7',
    what: 'the header of an unmasked binary frame of 65536 bytes',
    wire: '82 7f 00 00 00 00 00 01 00 00',
    expected: { fin: true, opcode: 2, masked: false, length: 65536 },
  },
];

export const PUBLISHED_FRAMES: readonly Vector<ExpectedFrame>[] = [
  {
    id: 'mdn-csharp-mdn',
    source: 'MDN, a WebSocket server in C#',
    what: 'a masked text frame "MDN"',
    wire: '81 83 3d 54 23 06 70 10 6d',
    expected: { fin: true, opcode: 1, masked: true, length: 3, text: 'MDN' },
  },
  {
    id: 'mdn-java-abcdef',
    source: 'MDN, a WebSocket server in Java',
    what: 'a masked text frame "abcdef"',
    wire: '81 86 a7 e1 e1 d2 c6 83 82 b6 c2 87',
    expected: { fin: true, opcode: 1, masked: true, length: 6, text: 'abcdef' },
  },
  {
    id: 'so-8125507-hello-world',
    source: 'Stack Overflow 8125507',
    what: 'a masked text frame "Hello World!"',
    wire: '81 8c ff b8 bd bd b7 dd d1 d1 90 98 ea d2 8d d4 d9 9c',
    expected: {
      fin: true,
      opcode: 1,
      masked: true,
      length: 12,
      text: 'Hello World!',
    },
  },
  {
    id: 'so-ten-a',
    source: 'an answer on Stack Overflow',
    what: 'a masked text frame of ten "a"',
    wire: '81 8a 82 58 a6 10 e3 39 c7 71 e3 39 c7 71 e3 39',
    expected: {
      fin: true,
      opcode: 1,
      masked: true,
      length: 10,
      text: 'aaaaaaaaaa',
    },
  },
  {
    id: 'mdn-hello',
    source: 'MDN, Writing WebSocket servers',
    what: 'a masked text frame "hello"',
    wire: '81 85 01 02 03 04 69 67 6f 68 6e',
    expected: { fin: true, opcode: 1, masked: true, length: 5, text: 'hello' },
  },
  {
    id: 'masked-first-fragment',
    source: 'RFC 6455 §5.7, masked with its key',
    what: 'a masked first fragment "Hel"',
    wire: '01 83 37 fa 21 3d 7f 9f 4d',
    expected: { fin: false, opcode: 1, masked: true, length: 3, text: 'Hel' },
  },
  {
    id: 'masked-last-fragment',
    source: 'RFC 6455 §5.7, masked with its key',
    what: 'a masked last fragment "lo"',
    wire: '80 82 37 fa 21 3d 5b 95',
    expected: { fin: true, opcode: 0, masked: true, length: 2, text: 'lo' },
  },
  {
    id: 'masked-ping',
    source: 'RFC 6455 §5.7, masked with its key',
    what: 'a masked ping "Hello"',
    wire: '89 85 37 fa 21 3d 7f 9f 4d 51 58',
    expected: { fin: true, opcode: 9, masked: true, length: 5, text: 'Hello' },
  },
  {
    id: 'masked-empty-ping',
    source: 'RFC 6455 §5.5.2',
    what: 'a masked ping without payload',
    wire: '89 80 37 fa 21 3d',
    expected: { fin: true, opcode: 9, masked: true, length: 0, text: '' },
  },
  {
    id: 'masked-empty-text',
    source: 'RFC 6455 §5.6',
    what: 'a masked text frame without payload',
    wire: '81 80 37 fa 21 3d',
    expected: { fin: true, opcode: 1, masked: true, length: 0, text: '' },
  },
];

/** A payload length and the start of an unmasked binary frame that has it. RFC 6455 §5.2 */
export const LENGTHS: readonly (readonly [length: number, header: string])[] = [
  [0, '82 00'],
  [1, '82 01'],
  [124, '82 7c'],
  [125, '82 7d'],
  [126, '82 7e 00 7e'],
  [127, '82 7e 00 7f'],
  [128, '82 7e 00 80'],
  [255, '82 7e 00 ff'],
  [256, '82 7e 01 00'],
  [32767, '82 7e 7f ff'],
  [32768, '82 7e 80 00'],
  [65535, '82 7e ff ff'],
  [65536, '82 7f 00 00 00 00 00 01 00 00'],
  [65537, '82 7f 00 00 00 00 00 01 00 01'],
  [2147483647, '82 7f 00 00 00 00 7f ff ff ff'],
  [2147483648, '82 7f 00 00 00 00 80 00 00 00'],
  [4294967295, '82 7f 00 00 00 00 ff ff ff ff'],
  [4294967296, '82 7f 00 00 00 01 00 00 00 00'],
  [9007199254740991, '82 7f 00 1f ff ff ff ff ff ff'],
];

/** Headers whose length no one may write so. RFC 6455 §5.2 */
export const ILLEGAL_LENGTHS: readonly Vector<1002>[] = [
  {
    id: 'length-124-in-16-bits',
    source: 'RFC 6455 §5.2',
    what: 'a length of 124 in 16 bits',
    wire: '82 7e 00 7c',
    expected: 1002,
  },
  {
    id: 'length-5-in-16-bits-masked',
    source: 'RFC 6455 §5.2',
    what: 'a length of 5 in 16 bits',
    wire: '82 fe 00 05 37 fa 21 3d',
    expected: 1002,
  },
  {
    id: 'length-125-in-16-bits',
    source: 'RFC 6455 §5.2',
    what: 'a length of 125 in 16 bits',
    wire: '82 7e 00 7d',
    expected: 1002,
  },
  {
    id: 'length-65535-in-64-bits',
    source: 'RFC 6455 §5.2',
    what: 'a length of 65535 in 64 bits',
    wire: '82 7f 00 00 00 00 00 00 ff ff',
    expected: 1002,
  },
  {
    id: 'length-all-ones',
    source: 'RFC 6455 §5.2',
    what: 'a 64-bit length with its most significant bit set',
    wire: '82 ff ff ff ff ff ff ff ff ff 37 fa 21 3d',
    expected: 1002,
  },
  {
    id: 'length-2-to-63',
    source: 'RFC 6455 §5.2',
    what: 'the length 2^63, which is the most significant bit alone',
    wire: '82 ff 80 00 00 00 00 00 00 00 37 fa 21 3d',
    expected: 1002,
  },
];

/** Frames that a server refuses for their header alone. */
export const ILLEGAL_FRAMES: readonly Vector<1002>[] = [
  {
    id: 'unmasked-from-client',
    source: 'RFC 6455 §5.1',
    what: 'an unmasked frame',
    wire: '81 05 48 65 6c 6c 6f',
    expected: 1002,
  },
  {
    id: 'rsv1',
    source: 'RFC 6455 §5.2',
    what: 'a frame with RSV1 set',
    wire: 'c1 85 37 fa 21 3d 7f 9f 4d 51 58',
    expected: 1002,
  },
  {
    id: 'rsv2',
    source: 'RFC 6455 §5.2',
    what: 'a frame with RSV2 set',
    wire: 'a1 85 37 fa 21 3d 7f 9f 4d 51 58',
    expected: 1002,
  },
  {
    id: 'rsv3',
    source: 'RFC 6455 §5.2',
    what: 'a frame with RSV3 set',
    wire: '91 85 37 fa 21 3d 7f 9f 4d 51 58',
    expected: 1002,
  },
  {
    id: 'opcode-3',
    source: 'RFC 6455 §5.2',
    what: 'the reserved opcode 3',
    wire: '83 81 37 fa 21 3d 4f',
    expected: 1002,
  },
  {
    id: 'opcode-7',
    source: 'RFC 6455 §5.2',
    what: 'the reserved opcode 7',
    wire: '87 80 37 fa 21 3d',
    expected: 1002,
  },
  {
    id: 'opcode-11',
    source: 'RFC 6455 §5.2',
    what: 'the reserved opcode 11',
    wire: '8b 80 37 fa 21 3d',
    expected: 1002,
  },
  {
    id: 'opcode-15',
    source: 'RFC 6455 §5.2',
    what: 'the reserved opcode 15',
    wire: '8f 81 37 fa 21 3d 4f',
    expected: 1002,
  },
  {
    id: 'fragmented-ping',
    source: 'RFC 6455 §5.5',
    what: 'a ping without FIN',
    wire: '09 81 37 fa 21 3d 47',
    expected: 1002,
  },
  {
    id: 'fragmented-close',
    source: 'RFC 6455 §5.5',
    what: 'a close without FIN',
    wire: '08 82 37 fa 21 3d 34 12',
    expected: 1002,
  },
  {
    id: 'ping-126',
    source: 'RFC 6455 §5.5',
    what: 'a ping of 126 bytes',
    wire: '89 fe 00 7e 37 fa 21 3d 56 9b 40 5c',
    expected: 1002,
  },
];

/** Messages of permessage-deflate with a known meaning: those of RFC 7692 §7.2.3 first. */
import type { Vector } from './vector.ts';

/** What a payload is. Bytes are annotated hex, as `fromHex` reads it. */
export interface Unpacked {
  readonly plain: string;
  /** The plain bytes before it. Absent: none that it needs. */
  readonly window?: string;
}

export const RFC_MESSAGES: readonly Vector<Unpacked>[] = [
  {
    id: 'deflate-fixed',
    source: 'RFC 7692 §7.2.3.1',
    what: '"Hello" in one block',
    wire: 'f2 48 cd c9 c9 07 00',
    expected: { plain: '"Hello"' },
  },
  {
    id: 'deflate-takeover',
    source: 'RFC 7692 §7.2.3.2',
    what: '"Hello" with a reference back into the message before',
    wire: 'f2 00 11 00 00',
    expected: { plain: '"Hello"', window: '"Hello"' },
  },
  {
    id: 'deflate-stored',
    source: 'RFC 7692 §7.2.3.3',
    what: '"Hello" in a stored block',
    wire: '00 05 00 fa ff "Hello" 00',
    expected: { plain: '"Hello"' },
  },
  {
    id: 'deflate-final',
    source: 'RFC 7692 §7.2.3.4',
    what: '"Hello" in a block with BFINAL',
    wire: 'f3 48 cd c9 c9 07 00 00',
    expected: { plain: '"Hello"' },
  },
  {
    id: 'deflate-two-blocks',
    source: 'RFC 7692 §7.2.3.5',
    what: '"Hello" in two blocks, with an empty one between them',
    wire: 'f2 48 05 00 00 00 ff ff ca c9 c9 07 00',
    expected: { plain: '"Hello"' },
  },
  {
    id: 'deflate-empty',
    source: 'RFC 7692 §7.2.3.6',
    what: 'an empty message',
    wire: '00',
    expected: { plain: '' },
  },
];

/** What zlib sends for texts, in all the versions that Node comes with. */
export const SHORT_MESSAGES: readonly Vector<Unpacked>[] = [
  {
    id: 'deflate-letter',
    source: 'zlib 1.3.1',
    what: '"a"',
    wire: '4a 04 00',
    expected: { plain: '"a"' },
  },
  {
    id: 'deflate-accent',
    source: 'zlib 1.3.1',
    what: 'é, whose compressed bytes are no UTF-8',
    wire: '3a bc 12 00',
    expected: { plain: 'c3 a9' },
  },
  {
    id: 'deflate-hanzi',
    source: 'zlib 1.3.1',
    what: '你好',
    wire: '7a b2 77 c1 d3 a5 7b 01 00',
    expected: { plain: '"你好"' },
  },
  {
    id: 'deflate-greek',
    source: 'zlib 1.3.1',
    what: 'κόσμε',
    wire: '3a b7 eb 7c cf f9 e6 73 7b ce 6d 05 00',
    expected: { plain: 'ce ba cf 8c cf 83 ce bc ce b5' },
  },
  {
    id: 'deflate-numbers',
    source: 'zlib 1.3.1',
    what: 'three bytes that are no letters',
    wire: '62 64 62 06 00',
    expected: { plain: '01 02 03' },
  },
  {
    id: 'deflate-chat',
    source: 'zlib 1.3.1',
    what: 'a message of a chat',
    wire: 'aa562aa92c4855b2524ace482c51d2512a49ad2851b252f248cdc9c957aa0500',
    expected: { plain: `${Buffer.from('{"type":"chat","text":"Hello"}').toString('hex')}` },
  },
];

/** What some peers send, though it could be shorter, or is not quite as the RFC has it. */
export const LOOSE_MESSAGES: readonly Vector<Unpacked>[] = [
  {
    id: 'deflate-final-bare',
    source: 'RFC 7692 §7.2.3.4',
    what: 'BFINAL, and nothing after it',
    wire: 'f3 48 cd c9 c9 07 00',
    expected: { plain: '"Hello"' },
  },
  {
    id: 'deflate-final-empty',
    source: 'RFC 7692 §7.2.1',
    what: 'an empty block with BFINAL',
    wire: '03 00',
    expected: { plain: '' },
  },
  {
    id: 'deflate-two-finals',
    source: 'RFC 7692 §7.2.1',
    what: 'two blocks with BFINAL',
    wire: 'f3 48 cd c9 c9 07 00 f3 48 cd c9 c9 07 00 00',
    expected: { plain: '"HelloHello"' },
  },
  {
    id: 'deflate-final-between',
    source: 'RFC 7692 §7.2.1',
    what: 'a block with BFINAL, and one that refers back beyond it',
    wire: 'f3 48 cd c9 c9 07 00 f2 00 11 00 00',
    expected: { plain: '"HelloHello"' },
  },
  {
    id: 'deflate-final-empty-between',
    source: 'RFC 7692 §7.2.1',
    what: 'an empty block with BFINAL between two others',
    wire: 'f3 48 cd c9 c9 07 00 03 00 f2 00 11 00 00',
    expected: { plain: '"HelloHello"' },
  },
  {
    id: 'deflate-uncut',
    source: 'RFC 7692 §7.2.2',
    what: '"Hello" with 00 00 ff ff still at its end',
    wire: 'f2 48 cd c9 c9 07 00 00 00 ff ff',
    expected: { plain: '"Hello"' },
  },
  {
    id: 'deflate-nothing',
    source: 'RFC 7692 §7.2.3.6',
    what: 'no byte at all, for an empty message',
    wire: '',
    expected: { plain: '' },
  },
];

/** What is no message, and why. */
export interface NoMessage {
  readonly why: string;
  /** The plain bytes before it. Absent: none. */
  readonly window?: string;
}

export const NO_MESSAGES: readonly Vector<NoMessage>[] = [
  {
    id: 'deflate-no-type',
    source: 'RFC 1951 §3.2.3',
    what: 'a block of type 3',
    wire: 'ff ff ff ff',
    expected: { why: 'There are three types of blocks, 0 to 2.' },
  },
  {
    id: 'deflate-of-zlib',
    source: 'RFC 1950 §2.2',
    what: 'what `deflateSync` makes, with two bytes of its own before DEFLATE',
    wire: '78 9c f2 48 cd c9 c9 07 00',
    expected: { why: 'A message is raw DEFLATE, and has no header.' },
  },
  {
    id: 'deflate-gzip',
    source: 'RFC 1952 §2.3',
    what: 'what `gzipSync` makes',
    wire: '1f 8b 08 00 00 00 00 00 00 03 f2 48 cd c9 c9 07 00',
    expected: { why: 'A message is raw DEFLATE, and has no header.' },
  },
  {
    id: 'deflate-no-window',
    source: 'RFC 1951 §3.2.3',
    what: 'a reference back to before the first byte',
    wire: 'f2 00 11 00 00',
    expected: { why: 'It refers to 5 bytes before, and there is 1.' },
  },
  {
    id: 'deflate-beyond-window',
    source: 'RFC 1951 §3.2.3',
    what: 'a reference back beyond the window',
    wire: 'f2 00 11 00 00',
    expected: { why: 'It refers to 5 bytes before, and there are 4.', window: '"ell"' },
  },
  {
    id: 'deflate-stored-lengths',
    source: 'RFC 1951 §3.2.4',
    what: 'a stored block whose two lengths do not fit each other',
    wire: '00 05 00 fa fe "Hello" 00',
    expected: { why: 'The second length is the first one with every bit turned.' },
  },
  {
    id: 'deflate-cut-lengths',
    source: 'RFC 7692 §7.2.2',
    what: 'a stored block that breaks off within its lengths',
    wire: '00 05 00',
    expected: { why: 'With 00 00 ff ff put back, its lengths are 5 and 0, which do not fit.' },
  },
  {
    id: 'deflate-cut-final',
    source: 'RFC 7692 §7.2.2',
    what: 'a stored block with BFINAL that breaks off within its lengths',
    wire: '01 05 00',
    expected: { why: 'With 00 00 ff ff put back, its lengths are 5 and 0, which do not fit.' },
  },
  {
    id: 'deflate-cut-stored',
    source: 'RFC 7692 §7.2.2',
    what: 'a stored block with two of its five bytes',
    wire: '00 05 00 fa ff "He"',
    expected: { why: 'With 00 00 ff ff put back, the last ff begins a block of type 3.' },
  },
  {
    id: 'deflate-after-final',
    source: 'RFC 7692 §7.2.1',
    what: 'what is no block after one with BFINAL',
    wire: 'f3 48 cd c9 c9 07 00 ff ff',
    expected: { why: 'After BFINAL, at the next byte, another block has to begin.' },
  },
];

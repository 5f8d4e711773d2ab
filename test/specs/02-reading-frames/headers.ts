/** Step 2 · Lengths beyond 125. */
import { attempt, equal, fail, failsWith } from '../../../shared/harness/check.ts';
import { show } from '../../../shared/harness/show.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import { join, KEY } from '../../../shared/kit/frames.ts';
import { Opcode, ProtocolError } from '../../../shared/protocol.ts';
import { fromHex } from '../../../shared/view/hex.ts';
import type { FrameHeader } from '../../../solutions/02-reading-frames/reading.ts';
import { ILLEGAL_LENGTHS, LENGTHS, RFC_HEADERS } from '../../vectors/frames.ts';
import { arrived, FRAMES, type Lesson } from './readers.ts';

/** The bytes of a frame, or of its header alone, and what the header says. */
interface Header {
  readonly what: string;
  readonly bytes: Uint8Array;
  readonly expected: FrameHeader;
}

/** Where a header starts that is not the first thing in its bytes. */
const OFFSET = 5;

function ofVector({ what, wire, expected }: (typeof FRAMES)[number]): Header {
  const { fin, opcode, masked, length: payloadLength } = expected;
  const bytes = fromHex(wire);
  const lengthBytes = payloadLength > 65535 ? 8 : payloadLength > 125 ? 2 : 0;
  const headerLength = 2 + lengthBytes + (masked ? 4 : 0);
  const maskingKey = masked ? bytes.slice(headerLength - 4, headerLength) : undefined;
  return {
    what,
    bytes,
    expected: { fin, rsv: 0, opcode, maskingKey, payloadLength, headerLength },
  };
}

/** The header of a binary frame of that length: unmasked, and masked. */
function ofLength([payloadLength, hex]: (typeof LENGTHS)[number]): Header[] {
  const plain = fromHex(hex);
  const masked = join(plain, KEY);
  masked[1]! |= 0x80;
  const fields = { fin: true, rsv: 0, opcode: Opcode.Binary, payloadLength };
  return [
    {
      what: `the header of a binary frame of ${payloadLength} bytes`,
      bytes: plain,
      expected: { ...fields, maskingKey: undefined, headerLength: plain.length },
    },
    {
      what: `the header of a masked binary frame of ${payloadLength} bytes`,
      bytes: masked,
      expected: { ...fields, maskingKey: KEY, headerLength: masked.length },
    },
  ];
}

const HEADERS = [...[...FRAMES, ...RFC_HEADERS].map(ofVector), ...LENGTHS.flatMap(ofLength)];

/** Every beginning of a header that is not all of it. */
const BEGINNINGS = HEADERS.flatMap(({ what, bytes, expected }) => {
  const { headerLength } = expected;
  return Array.from({ length: headerLength }, (_, length) => {
    const how = `${length} of the header's ${headerLength} bytes`;
    return { what, part: bytes.slice(0, length), how };
  });
});

/** Two headers, each with a length of which every byte is another one. */
const PROBES = { 2: '82 7e 7f 01', 8: '82 7f 00 01 02 03 04 05 06 07' } as const;

/** What comes of those lengths, as hex, when they are read wrongly, and what to say then. */
const MISREADINGS: readonly (readonly [length: bigint, cause: string])[] = [
  [0x01_7fn, 'The bytes of a length come highest first.'],
  [0x07_06_05_04_03_02_01_00n, 'The bytes of a length come highest first.'],
  [0x04_05_06_07n, '`<<` and `|` work on 32 bits only: multiply, or use a DataView.'],
  [0x00_01_02_03n, 'Only the first four of its eight bytes are in it.'],
  [0x00_01_02_03_04_05_06n, 'Only the first seven of its eight bytes are in it.'],
];

/** Finds out how the code misreads a length of so many bytes. */
function misreading({ decodeHeader }: Lesson, size: 2 | 8): string | undefined {
  try {
    const length = decodeHeader(fromHex(PROBES[size]))?.payloadLength;
    return MISREADINGS.find(([wrong]) => Number(wrong) === length)?.[1];
  } catch {
    return undefined;
  }
}

/** Says what is behind a wrong length, where that can be seen. */
function lengthMistake(lesson: Lesson, actual: unknown, expected: FrameHeader): string | undefined {
  const right = expected.payloadLength;
  const why = right > 125 ? misreading(lesson, right > 65535 ? 8 : 2) : undefined;
  if (actual instanceof ProtocolError) {
    const legal = `This header is legal: its length is ${right}, in the shortest form.`;
    return why ? `${legal} ${why}` : legal;
  }
  const mine: unknown = (actual as Partial<FrameHeader> | undefined)?.payloadLength;
  if (mine === right) return undefined;
  if (typeof mine === 'bigint') {
    return 'The length is a BigInt. `payloadLength` is a number: `Number(length)` makes one of it.';
  }
  if (right !== 126 && mine === 126)
    return '126 is not the length here: the next two bytes have it.';
  if (right !== 127 && mine === 127)
    return '127 is not the length here: the next eight bytes have it.';
  return why;
}

const TOO_LONG_TO_COUNT =
  'This header is legal, although a JavaScript number can only be close to its length: round it. Step 9 checks whether it is too large.';

/** Lengths that are rounded in a number, if they fit into one. */
const BEYOND: readonly string[] = [
  '82 7f 00 20 00 00 00 00 00 00',
  '82 7f 00 20 00 00 00 00 00 01',
  '82 7f 7f ff ff ff ff ff ff ff',
];

export const HEADER_LENGTHS: readonly Scenario<Lesson>[] = [
  ...HEADERS.map(({ what, bytes, expected }): Scenario<Lesson> => {
    return {
      what: `Decode ${what}.`,
      rules: [75, 76],
      check(lesson) {
        equal(() => lesson.decodeHeader(bytes.slice()), expected, `Decode ${what}.`, {
          given: arrived(bytes),
          cause: (actual) => lengthMistake(lesson, actual, expected),
          causeOfError: (error) => lengthMistake(lesson, error, expected),
        });
      },
    };
  }),
  {
    what: 'Decode a length beyond 2^53: it is legal, and may be rounded.',
    rules: [76],
    check({ decodeHeader }) {
      for (const bytes of BEYOND.map((hex) => fromHex(hex))) {
        const what = 'Decode a length beyond 2^53: it is legal, and may be rounded.';
        const given = arrived(bytes);
        const isLegal = () => TOO_LONG_TO_COUNT;
        const header = attempt(() => decodeHeader(bytes), what, given, { causeOfError: isLegal });
        const length: unknown = header?.payloadLength;
        const isLarge = typeof length === 'number' && length >= 2 ** 53 - 1;
        if (isLarge && header?.headerLength === 10) continue;
        fail(what, [
          ...given,
          ['you returned', show(header)],
          ['expected', 'a payloadLength of 2^53 - 1 or more, and a headerLength of 10'],
        ]);
      }
    },
  },
  {
    what: 'The header is not complete, so there is nothing to return yet.',
    rules: [76],
    check({ decodeHeader }) {
      for (const { what, part, how } of BEGINNINGS) {
        const nothing = `The header is not complete, so there is nothing to return yet: ${what}.`;
        equal(() => decodeHeader(part.slice()), undefined, nothing, { given: arrived(part, how) });
      }
    },
  },
  {
    what: `The header at offset ${OFFSET} is not complete.`,
    rules: [],
    check({ decodeHeader }) {
      for (const { what, part, how } of BEGINNINGS) {
        const moved = join(new Uint8Array(OFFSET), part);
        const nothing = `The header at offset ${OFFSET} is not complete: ${what}.`;
        equal(() => decodeHeader(moved, OFFSET), undefined, nothing, {
          given: arrived(part, `${how}, at offset ${OFFSET}`),
        });
      }
    },
  },
  {
    what: `Decode from offset ${OFFSET}.`,
    rules: [],
    check({ decodeHeader }) {
      for (const { what, bytes, expected } of HEADERS) {
        const moved = join(new Uint8Array(OFFSET).fill(0xff), bytes);
        const decodes = `Decode from offset ${OFFSET}: ${what}.`;
        // Without an offset, it has been decoded right.
        const cause = () =>
          'At offset 0, the same header is decoded right. Each place in `bytes` has to begin at `offset`.';
        equal(() => decodeHeader(moved, OFFSET), expected, decodes, {
          given: arrived(bytes, `behind ${OFFSET} bytes ff`),
          cause,
          causeOfError: cause,
        });
      }
    },
  },
  {
    what: 'Decode out of a larger buffer.',
    rules: [],
    check({ decodeHeader }) {
      for (const { what, bytes, expected } of HEADERS) {
        const view = join(new Uint8Array(OFFSET).fill(0xff), bytes).subarray(OFFSET);
        equal(() => decodeHeader(view), expected, `Decode out of a larger buffer: ${what}.`, {
          given: arrived(view, `as a view that starts at byte ${OFFSET} of its buffer`),
          cause: () =>
            'The same bytes in a buffer of their own are decoded right. A view has a byteOffset: whatever is made of `bytes.buffer` needs it, too.',
        });
      }
    },
  },
  ...ILLEGAL_LENGTHS.map(({ what, wire, expected }): Scenario<Lesson> => {
    const bytes = fromHex(wire);
    const isTopBitSet = bytes[2]! >= 0x80;
    return {
      what: `Refuse ${what}.`,
      rules: [isTopBitSet ? 74 : 75],
      check({ decodeHeader }) {
        failsWith(expected, () => decodeHeader(bytes.slice()), `Refuse ${what}.`, {
          given: arrived(bytes),
        });
      },
    };
  }),
];

/** Step 2 · Lengths beyond 125. */
import { equal, failsWith } from '../../../shared/harness/check.ts';
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
    return { what, part: bytes.slice(0, length), how, expected };
  });
});

function lengthMistake(actual: unknown, expected: FrameHeader): string | undefined {
  if (actual instanceof ProtocolError) {
    if (expected.payloadLength >= 2 ** 31) {
      return 'This header is legal. `<<` and `|` work on 32 bits only: multiply, or use a DataView.';
    }
    return 'This header is legal. Is the length what the picture says? Its highest byte comes first.';
  }
  const mine = (actual as Partial<FrameHeader> | undefined)?.payloadLength;
  const right = expected.payloadLength;
  if (mine === right || mine === undefined) return undefined;
  if (right !== 126 && mine === 126) return '126 is no length here: the next two bytes have it.';
  if (right !== 127 && mine === 127) return '127 is no length here: the next eight bytes have it.';
  return 'The bytes of the length come highest first, and `<<` works on 32 bits only.';
}

export const HEADER_LENGTHS: readonly Scenario<Lesson>[] = [
  ...HEADERS.map(({ what, bytes, expected }): Scenario<Lesson> => {
    return {
      what: `Decode ${what}.`,
      rules: [75, 76],
      check({ decodeHeader }) {
        equal(() => decodeHeader(bytes.slice()), expected, `Decode ${what}.`, {
          given: arrived(bytes),
          cause: (actual) => lengthMistake(actual, expected),
        });
      },
    };
  }),
  {
    what: 'The header is not complete, so there is nothing to return yet.',
    rules: [76],
    check({ decodeHeader }) {
      for (const { what, part, how, expected } of BEGINNINGS) {
        const nothing = `The header is not complete, so there is nothing to return yet: ${what}.`;
        equal(() => decodeHeader(part.slice()), undefined, nothing, {
          given: arrived(part, how),
          cause: (actual) => lengthMistake(actual, expected),
        });
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
        equal(() => decodeHeader(moved, OFFSET), expected, decodes, { given: arrived(moved) });
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
          given: arrived(view, `a view that starts at byte ${OFFSET} of its buffer`),
          cause: () => 'A view has a byteOffset of its own. A DataView needs to be told.',
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

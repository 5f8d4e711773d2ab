/** Steps 3 and 9: a header that is decoded in a faster way is still refused for the same reasons. */
import { attempt, CheckFailure } from '../../../shared/harness/check.ts';
import { show } from '../../../shared/harness/show.ts';
import { join, wire } from '../../../shared/kit/frames.ts';
import { Opcode, ProtocolError, type Role } from '../../../shared/protocol.ts';
import { Todo } from '../../../shared/todo.ts';
import { NO_KEY } from '../02-reading-frames/cost.ts';
import type { Reader } from '../02-reading-frames/readers.ts';
import type { Scenarios } from './tools.ts';

const ROLES = ['server', 'client'] as const;

/** The seven bits of a length, and how long the payload is then. The longer forms come with it. */
const LENGTHS: readonly (readonly [bits: number, length: number])[] = [
  [0, 0],
  [125, 125],
  [126, 125],
  [126, 126],
  [127, 65_535],
  [127, 65_536],
];

const EVERY_BYTE = Array.from({ length: 256 }, (_, byte) => byte);

/** First bytes of frames of each kind. The other ones are tried with one length. */
const ORDINARY = [0x01, 0x02, 0x80, 0x82, 0x89];

/** Makes a header, legal or not. */
function headerOf(first: number, isMasked: boolean, bits: number, length: number): Buffer {
  const long = Buffer.alloc(bits === 127 ? 8 : bits === 126 ? 2 : 0);
  if (long.length > 0)
    long.writeUIntBE(length, Math.max(0, long.length - 4), Math.min(4, long.length));
  const key = Buffer.alloc(isMasked ? 4 : 0);
  return Buffer.concat([Uint8Array.of(first, (isMasked ? 128 : 0) | bits), long, key]);
}

/** Headers of every kind, legal or not. */
const HEADERS: readonly Buffer[] = LENGTHS.flatMap(([bits, length]) =>
  (length === 0 ? EVERY_BYTE : ORDINARY).flatMap((first) =>
    [true, false].map((isMasked) => headerOf(first, isMasked, bits, length)),
  ),
);

/** The first fragment of a message, for a reader with this role. */
function fragmentFor(role: Role): Uint8Array {
  const key = role === 'server' ? NO_KEY : null;
  return wire({ opcode: Opcode.Binary, payload: new Uint8Array(1), fin: false, key });
}

/** What a reader does with bytes: the error that it refuses them with, or how far it has got. */
function outcomeOf(
  reader: Reader<unknown>,
  bytes: Uint8Array,
): ProtocolError | 'read' | 'unwritten' {
  reader.push(bytes);
  try {
    reader.read();
    return 'read';
  } catch (error) {
    if (error instanceof ProtocolError) return error;
    // What is cut, or in fragments, may be left for the next step.
    if (error instanceof Todo) return 'unwritten';
    throw error;
  }
}

type Outcome = ReturnType<typeof outcomeOf>;

const codeOf = (outcome: Outcome) =>
  outcome instanceof ProtocolError ? `${outcome.closeCode}` : 'nothing';

/** Says why a reader does not do with a header what lesson 02 does. */
function causeOf(mine: Outcome, right: Outcome, first: number, isOpen: boolean) {
  if (!(right instanceof ProtocolError)) return 'This header breaks no rule.';
  if (mine instanceof ProtocolError) return undefined;
  const isData = (first & 0x7f) <= Opcode.Binary;
  const continues = (first & 0x0f) === Opcode.Continuation;
  return isData && isOpen !== continues
    ? 'An order of frames: `checkHeader` knows one header alone, so the reader itself has to check it.'
    : 'Whatever is not quite ordinary can go to `decodeHeader` and `checkHeader` of lesson 02.';
}

const WHAT = 'Every header is refused, or not, as in lesson 02.';

export const SAME_HEADERS: Scenarios = [
  {
    what: WHAT,
    rules: [],
    check({ MessageReader, EARLIER: { reading } }) {
      const compare = (role: Role, header: Uint8Array, isOpen: boolean) => {
        const bytes = isOpen ? join(fragmentFor(role), header) : header;
        const right = outcomeOf(new reading.MessageReader(role), bytes);
        const given = [
          ['we are', `the ${role}`],
          ['the header', show(header)],
          ['before it', isOpen ? 'the first fragment of a message' : 'nothing'],
        ] as const;
        const mine = attempt(() => outcomeOf(new MessageReader(role), bytes), WHAT, given);
        if (mine === 'unwritten' || codeOf(mine) === codeOf(right)) return;
        const [told] = [mine, right].filter((outcome) => outcome instanceof ProtocolError);
        throw new CheckFailure(
          WHAT,
          [
            ...given,
            ['refused with', codeOf(mine)],
            ['expected', codeOf(right)],
            [told === mine ? 'its error says' : 'lesson 02 says', `${told?.message}`],
          ],
          causeOf(mine, right, header[0]!, isOpen),
          right instanceof ProtocolError ? right.section : undefined,
        );
      };
      for (const role of ROLES) {
        for (const isOpen of [false, true]) {
          for (const header of HEADERS) compare(role, header, isOpen);
        }
      }
    },
  },
];

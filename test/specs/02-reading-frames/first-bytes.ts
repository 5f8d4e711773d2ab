/** Step 1 · The first two bytes. */
import { equal } from '../../../shared/harness/check.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import { fromHex, toHex } from '../../../shared/view/hex.ts';
import type { FirstBytes } from '../../../solutions/02-reading-frames/reading.ts';
import { RFC_HEADERS } from '../../vectors/frames.ts';
import { FRAMES, type Lesson } from './readers.ts';

/** Two bytes, and what is in them. */
type Pair = readonly [first: number, second: number, fields: FirstBytes];

const EVERY_BYTE = Array.from({ length: 256 }, (_, byte) => byte);

const bitsOf = (byte: number) => byte.toString(2).padStart(8, '0');
const numberOf = (bits: string) => Number.parseInt(bits, 2);

/** Takes two bytes apart by their digits. */
export function byDigits(first: number, second: number): Pair {
  const [one, two] = [bitsOf(first), bitsOf(second)];
  const fields = {
    fin: one[0] === '1',
    rsv: numberOf(one.slice(1, 4)),
    opcode: numberOf(one.slice(4)),
    masked: two[0] === '1',
    length7: numberOf(two.slice(1)),
  };
  return [first, second, fields];
}

function takesApart(
  what: string,
  rules: readonly number[],
  pairs: readonly Pair[],
): Scenario<Lesson> {
  return {
    what,
    rules,
    check({ decodeFirstBytes }) {
      for (const [first, second, fields] of pairs) {
        const [one, two] = [first, second].map((byte) => toHex(Uint8Array.of(byte)));
        equal(() => decodeFirstBytes(first, second), fields, what, {
          given: [
            ['call', `decodeFirstBytes(0x${one}, 0x${two})`],
            ['in bits', `${bitsOf(first)} ${bitsOf(second)}`],
          ],
          cause: (actual) => fieldMistake(actual, fields),
        });
      }
    },
  };
}

/** Where the fields are, for those who have read one of them wrongly. */
const PLACES: Readonly<Record<keyof FirstBytes, string>> = {
  fin: 'FIN is the highest bit of the first byte: `true` or `false`.',
  rsv: 'The RSV bits are the three after FIN, as a number from 0 to 7.',
  opcode: 'The opcode is the four lowest bits of the first byte.',
  masked: 'MASK is the highest bit of the second byte: `true` or `false`.',
  length7: 'MASK is the highest bit, and may be 0. The length is the other seven: `& 0x7f`.',
};

/** Names the place of the first field that is wrong. */
function fieldMistake(actual: unknown, fields: FirstBytes): string | undefined {
  const mine = (actual ?? {}) as Partial<FirstBytes>;
  const names = Object.keys(PLACES) as (keyof FirstBytes)[];
  const wrong = names.find((name) => name in mine && mine[name] !== fields[name]);
  return wrong && PLACES[wrong];
}

export const FIRST_BYTES: readonly Scenario<Lesson>[] = [
  ...[...FRAMES, ...RFC_HEADERS].map(({ what, wire, expected }) => {
    const [first = 0, second = 0] = fromHex(wire);
    const { fin, opcode, masked } = expected;
    const fields = { fin, rsv: 0, opcode, masked, length7: second & 127 };
    return takesApart(
      `Take the first two bytes apart: ${what}.`,
      [116, 118],
      [[first, second, fields]],
    );
  }),
  takesApart(
    'Take every possible first byte apart.',
    [118],
    EVERY_BYTE.map((byte) => byDigits(byte, 0x85)),
  ),
  takesApart(
    'Take every possible second byte apart.',
    [116],
    EVERY_BYTE.map((byte) => byDigits(0x81, byte)),
  ),
];

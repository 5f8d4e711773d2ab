/** Lesson 03, step 3: frames as a client sends them. */
import { equal, fail } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { withRandom } from '../../../shared/harness/random.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import { frame, join, KEY, masked, wire } from '../../../shared/kit/frames.ts';
import { type Frame, Opcode } from '../../../shared/protocol.ts';
import { fromHex, toHex } from '../../../shared/view/hex.ts';
import type { ExpectedFrame } from '../../vectors/frames.ts';
import type { Vector } from '../../vectors/vector.ts';
import { FRAMES, given, type Lesson, PAYLOAD_SIZES, untouched } from './tools.ts';

const CALL = 'encodeMaskedFrame(frame, random)';

/** Encodes one masked frame with this key. */
function masks(
  { encodeMaskedFrame }: Lesson,
  sent: Frame,
  key: Uint8Array,
  what: string,
  given: readonly Fact[],
): void {
  let asked = 0;
  const random = (size: number) => {
    asked++;
    if (size === 4) return key.slice();
    return fail('A masking key has four bytes.', [['asked', `random(${size})`]]);
  };
  equal(
    () => untouched(sent, (frame) => encodeMaskedFrame(frame, random), given),
    wire({ ...sent, key }),
    what,
    { given, frames: true, cause: (actual) => maskMistake(actual, sent, key, asked > 0) },
  );
}

/** What is wrong with a masked frame, where one thing explains it all. */
export function maskMistake(
  actual: unknown,
  { fin, opcode, payload }: Frame,
  key: Uint8Array,
  wasAsked: boolean,
): string | undefined {
  if (!(actual instanceof Uint8Array)) return undefined;
  const is = (bytes: Uint8Array) => Buffer.compare(actual, bytes) === 0;
  const right = wire({ fin, opcode, payload, key });
  const keyAt = right.length - payload.length - 4;
  if (is(wire({ fin, opcode, payload, key: null }))) return 'This frame is not masked at all.';
  if (is(right.map((byte, i) => (i === 1 ? byte & 0x7f : byte)))) {
    return 'The MASK bit is missing: the highest bit of the second byte.';
  }
  if (is(join(right.subarray(0, keyAt + 4), payload))) {
    return 'The key is there, but the payload is not masked with it.';
  }
  const others = [1, 2, 3].map((shift) => masked(payload, key, shift));
  if (others.some((other) => is(join(right.subarray(0, keyAt + 4), other)))) {
    return 'Byte 0 of the payload goes with byte 0 of the key: count from where the payload begins.';
  }
  if (payload.length > 125 && Buffer.compare(actual.subarray(2, 6), key) === 0) {
    return 'The key is where the length should be. A client writes it in the same three forms as a server.';
  }
  if (wasAsked) return undefined;
  return '`random` was not asked for the key of this frame. Each frame has a new one, from there.';
}

function encodesMasked({ what, wire: hex, expected }: Vector<ExpectedFrame>): Scenario<Lesson> {
  const sent = frame(expected.opcode, expected.text, expected.fin);
  const bytes = fromHex(hex);
  const key = bytes.slice(2, 6);
  return {
    what: `Encode ${what}.`,
    rules: [66, 78, 82],
    check: (lesson) =>
      masks(lesson, sent, key, `Encode ${what}.`, [
        ...given(CALL, sent),
        ['random(4)', `returns ${toHex(key)}`],
      ]),
  };
}

function encodesMaskedLength(length: number): Scenario<Lesson> {
  const what = `Encode a masked frame of ${length} bytes.`;
  return {
    what,
    rules: [66, 78, 82],
    check: (lesson) =>
      masks(lesson, frame(Opcode.Binary, new Uint8Array(length).fill(0x5a)), KEY, what, [
        ['call', CALL],
        ['payload', `${length} ${length === 1 ? 'byte' : 'bytes'}`],
        ['random(4)', `returns ${toHex(KEY)}`],
      ]),
  };
}

/** Makes 50 keys, and counts how often Math.random is asked meanwhile: it says the same each time. */
function makeKeys({ encodeMaskedFrame }: Lesson): { keys: number[]; asked: number } {
  let asked = 0;
  const random = () => {
    asked++;
    return 0.42;
  };
  return withRandom(random, () => {
    const sent = frame(Opcode.Text, 'twice');
    const keys = Array.from({ length: 50 }, () => keyOf(encodeMaskedFrame(sent)));
    return { keys, asked };
  });
}

/** The key of a short masked frame, as one number. */
function keyOf(bytes: Uint8Array): number {
  return bytes.slice(2, 6).reduce((key, byte) => key * 256 + byte, 0);
}

function sayKey(key: number): string {
  return key
    .toString(16)
    .padStart(8, '0')
    .replace(/(..)\B/g, '$1 ');
}

const MATH_RANDOM: Fact = ['Math.random', 'was asked; here it always returns 0.42'];

/** Checks that no rule makes the next key. */
function cannotBeGuessed(lesson: Lesson): void {
  const { keys, asked } = makeKeys(lesson);
  const steps = new Set(keys.slice(1).map((key, i) => key - keys[i]!));
  if (new Set(keys).size >= 49 && steps.size >= 40) return;
  const cause =
    asked > 0
      ? 'They are from Math.random: an attacker who has seen a few of its numbers can compute the next.'
      : new Set(keys).size === 1
        ? 'It is the same key each time.'
        : 'From one key the next can be told: most often it is as much larger as before.';
  fail(
    'Without a `random` of the caller, take keys that nobody can guess.',
    [
      ['call', 'encodeMaskedFrame(frame), 50 times'],
      ['the keys', `${keys.slice(0, 3).map(sayKey).join(', ')} …`],
      ...(asked > 0 ? [MATH_RANDOM] : []),
    ],
    `${cause} Take them from \`randomBytes\` of node:crypto.`,
  );
}

/**
 * How many keys are looked at together. Good keys fail one of the three checks that follow with
 * 3 · 10^-11: less than once in 10^10 runs.
 */
const KEYS = 2048;
/**
 * How many may come again. Of good keys, 0.0005 are expected to; three are there with that to the
 * third, by six: 2 · 10^-11.
 */
const MAX_REPEATS = 2;
/**
 * How many of the 256 values each of the four places has at least. Of good keys, a given set of 7
 * values is missing with (1 − 7/256)^2048 = 2 · 10^-25. There are 1.3 · 10^13 sets, and four places:
 * 10^-11. At all places together, one of the 256 is missing with 256 · (1 − 1/256)^8192: 3 · 10^-12.
 */
const MIN_VALUES = 250;

/** Checks that keys can be anything: 2048 of them, among which frames with other keys are made. */
function canBeAnything({ encodeMaskedFrame }: Lesson): void {
  const sent = frame(Opcode.Binary, 'x');
  const keys = new Uint8Array(KEYS * 4);
  for (let i = 0; i < KEYS; i++) {
    keys.set(encodeMaskedFrame(sent).subarray(2, 6), i * 4);
    if (i % 64 === 0) encodeMaskedFrame(sent, () => KEY.slice());
  }
  const numbers = new DataView(keys.buffer);
  const repeats =
    KEYS - new Set(Array.from({ length: KEYS }, (_, i) => numbers.getUint32(i * 4))).size;
  const values = [0, 1, 2, 3].map((place) => new Set(keys.filter((_, i) => i % 4 === place)).size);
  const missing = Array.from({ length: 256 }, (_, byte) => byte).filter(
    (byte) => !keys.includes(byte),
  );
  if (repeats <= MAX_REPEATS && Math.min(...values) >= MIN_VALUES && missing.length === 0) return;
  const first = [0, 4, 8, 12].map((at) => toHex(keys.subarray(at, at + 4)));
  fail(
    'A masking key can be any four bytes.',
    [
      [`${KEYS} keys`, `${first.join(', ')} …`],
      ['repeats', `${repeats}; of good keys, there is hardly one`],
      ['different bytes', `${values.join(', ')} at the four places; 256 are possible`],
      ['never there', missing.length > 0 ? toHex(Uint8Array.from(missing), 16) : 'no byte'],
    ],
    `${whyFew(keys, repeats, values, missing)} For each frame, take four new bytes of \`randomBytes\`, as they are.`,
  );
}

function whyFew(
  keys: Uint8Array,
  repeats: number,
  values: readonly number[],
  missing: readonly number[],
): string {
  if (/^[\da-f]*$/i.test(Buffer.from(keys).toString('latin1'))) {
    return 'Every byte is the character of a hex digit. That is text: 65536 keys, and not 4294967296.';
  }
  if (repeats > MAX_REPEATS)
    return 'Keys come again: there are few of them, and they can be learned.';
  if (missing.length > 0) return 'There are bytes that never occur, at none of the four places.';
  const fewest = Math.min(...values);
  return `At place ${values.indexOf(fewest) + 1} of the four, only ${fewest} of 256 bytes occur.`;
}

/** Step 3 · Masking as a client. */
export const masking: readonly Scenario<Lesson>[] = [
  ...FRAMES.filter(({ expected }) => expected.masked).map(encodesMasked),
  ...PAYLOAD_SIZES.map(encodesMaskedLength),
  {
    what: 'Every frame has a key of its own.',
    rules: [79],
    check({ encodeMaskedFrame }) {
      let calls = 0;
      const sent = frame(Opcode.Text, 'twice');
      for (const n of [1, 2]) {
        const bytes = encodeMaskedFrame(sent, () => Uint8Array.of(n, calls++, 3, 4));
        const key = Uint8Array.of(n, n - 1, 3, 4);
        equal(() => bytes.slice(2, 6), key, 'Every frame has a key of its own.', {
          given: [['call', `${CALL}, for the ${n === 1 ? 'first' : 'second'} time`]],
          label: 'its key',
          cause: () => 'Ask `random` for four bytes, again for each frame.',
        });
      }
    },
  },
  {
    what: 'Without a `random` of the caller, take keys that nobody can guess.',
    rules: [80, 81, 148],
    check: cannotBeGuessed,
  },
  {
    what: 'A key can be any four bytes: not one of a few, and not digits.',
    rules: [79, 80, 81, 148],
    check: canBeAnything,
  },
];

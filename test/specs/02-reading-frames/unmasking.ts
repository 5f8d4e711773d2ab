/** Step 3 · Unmasking. */
import { attempt, equal } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import { KEY, masked, utf8 } from '../../../shared/kit/frames.ts';
import { fromHex } from '../../../shared/view/hex.ts';
import { FRAMES, type Lesson } from './readers.ts';

const MASKED_FRAMES = FRAMES.filter(({ expected }) => expected.masked);

/** Lengths around those at which a quick way takes over from a plain one. */
const LENGTHS = [5, 1, 2, 3, 4, 7, 8, 9, 63, 64, 65, 127, 128, 1000];

/** Where in its payload a piece may begin, and where in a buffer: twice round the key and more. */
const PLACES = [0, 1, 2, 3, 4, 5, 6, 7, 8];

const VIEW =
  'In a buffer of their own, these bytes are unmasked right. Here they are a view into a larger one: a typed array over `bytes.buffer` needs `bytes.byteOffset`, too.';
const OUTSIDE =
  'The bytes are a view into a larger buffer. It begins at `bytes.byteOffset`, and has `bytes.length` bytes: count what is left from where you begin.';
const POSITION =
  'As the first bytes of a payload, they are unmasked right. Some of the code forgets `position`, such as a quick way for many bytes.';

/** A piece of a payload, masked, at that place of its payload, and of a larger buffer. */
function pieceAt(place: number, length: number) {
  const plain = Uint8Array.from({ length }, (_, i) => (i * 7 + length) & 255);
  const buffer = new Uint8Array(length + 16).fill(0xee);
  const piece = buffer.subarray(place, place + length);
  piece.set(masked(plain, KEY, place));
  const given: Fact[] = [
    ['key', show(KEY)],
    ['bytes', show(piece.slice())],
    ['position', `${place}: the first of these is byte ${place} of its payload`],
  ];
  return { plain, buffer, piece, given };
}

/** Says what went wrong with a mask. */
function maskMistake(
  { unmask }: Lesson,
  before: Uint8Array,
  after: Uint8Array,
  position: number,
): string | undefined {
  const is = (bytes: Uint8Array) => Buffer.compare(after, bytes) === 0;
  if (is(before)) {
    return '`unmask` changes the bytes it is given. What it returns is not looked at.';
  }
  if (position % 4 !== 0 && is(masked(before, KEY))) {
    return 'The key goes on where it was: byte i of the payload takes key byte i mod 4, and the first byte you have is not byte 0 of the payload.';
  }
  const isRightAt = (place: number) => {
    const bytes = before.slice();
    unmask(bytes, KEY.slice(), place);
    return Buffer.compare(bytes, masked(before, KEY, place)) === 0;
  };
  if (after.length < after.buffer.byteLength && isRightAt(position)) return VIEW;
  return isRightAt(0) ? POSITION : undefined;
}

export const UNMASKING: readonly Scenario<Lesson>[] = [
  ...MASKED_FRAMES.map(({ what, wire, expected }): Scenario<Lesson> => {
    return {
      what: `Unmask ${what}.`,
      rules: [82, 120],
      check(lesson) {
        const [key, payload] = [fromHex(wire).slice(2, 6), fromHex(wire).slice(6)];
        const before = payload.slice();
        const given: Fact[] = [
          ['key', show(key)],
          ['payload', show(payload)],
        ];
        attempt(() => lesson.unmask(payload, key), `Unmask ${what}.`, given);
        const cause = () => maskMistake(lesson, before, payload, 0);
        equal(() => payload, utf8(expected.text ?? ''), `Unmask ${what}, in place.`, {
          given,
          label: 'it is now',
          cause,
        });
      },
    };
  }),
  {
    what: 'Leave the key as it is.',
    rules: [],
    check({ unmask }) {
      for (const length of LENGTHS) {
        const key = KEY.slice();
        attempt(() => unmask(new Uint8Array(length), key), 'Unmask bytes.');
        equal(() => key, KEY, 'Leave the key as it is.', { label: 'it is now' });
      }
    },
  },
  ...PLACES.map((position): Scenario<Lesson> => {
    return {
      what: `Unmask pieces from position ${position} of a payload.`,
      rules: [82],
      check(lesson) {
        for (const length of LENGTHS) {
          const { plain, piece, given } = pieceAt(position, length);
          const before = piece.slice();
          attempt(() => lesson.unmask(piece, KEY.slice(), position), 'Unmask bytes.', given);
          equal(
            () => piece,
            plain,
            `Unmask ${length} bytes from position ${position} of a payload, in place.`,
            {
              given,
              label: 'they are now',
              cause: () => maskMistake(lesson, before, piece, position),
            },
          );
        }
      },
    };
  }),
  {
    what: 'Change no byte outside of the bytes you were given.',
    rules: [],
    check({ unmask }) {
      for (const place of PLACES) {
        for (const length of LENGTHS) {
          const { buffer, piece, given } = pieceAt(place, length);
          attempt(() => unmask(piece, KEY.slice(), place), 'Unmask bytes.', given);
          const around = [
            ['the bytes before them', buffer.subarray(0, place)],
            ['the bytes behind them', buffer.subarray(place + length)],
          ] as const;
          for (const [where, bytes] of around) {
            const untouched = new Uint8Array(bytes.length).fill(0xee);
            const what = 'Change no byte outside of the bytes you were given.';
            equal(() => bytes, untouched, what, { given, label: where, cause: () => OUTSIDE });
          }
        }
      }
    },
  },
];

/** Step 5 · The window. */
import { attempt, equal } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { join, utf8 } from '../../../shared/kit/frames.ts';
import { type Choices, generated } from '../../../shared/kit/generate.ts';
import { argument, isOwnCopy } from './judge.ts';
import { RECEIVING } from './receiving.ts';
import { SENDING } from './sending.ts';
import type { Lesson, Scenarios } from './tools.ts';
import { noise } from './zlib.ts';

/** A call of `slide`, which says what its bytes are. */
function given(window: Uint8Array, plain: Uint8Array, bits: number): Fact[] {
  return [
    ['call', `slide(${argument(window)}, ${argument(plain)}, ${bits})`],
    ['2^bits', `${2 ** bits}`],
  ];
}

/** Slides a window, and compares it with the last bytes of all. */
function slides({ slide }: Lesson, sizes: readonly number[], what: string): void {
  const [windowLength = 0, length = 0, bits = 15] = sizes;
  const [window, plain] = [noise(windowLength, 1), noise(length, 2)];
  const [before, after] = [window.slice(), plain.slice()];
  const about = { given: given(window, plain, bits) };
  const right = join(window, plain).slice(-(2 ** bits));
  equal(() => slide(window, plain, bits), right, what, about);
  equal(() => window, before, what, { ...about, label: 'the window is now' });
  equal(() => plain, after, what, { ...about, label: 'the message is now' });
}

/** Lengths of window and message, and bits. */
const SLIDES: readonly (readonly [what: string, ...sizes: readonly number[]])[] = [
  ['Both, when there is room.', 5, 5, 8],
  ['The message alone, when there was none before.', 0, 5, 8],
  ['The window as it was, after an empty message.', 5, 0, 8],
  ['A full window as it was, after an empty message.', 256, 0, 8],
  ['Nothing, of nothing.', 0, 0, 8],
  ['All 256 bytes, with 8 bits.', 250, 6, 8],
  ['The last 256 of 257 bytes, with 8 bits.', 250, 7, 8],
  ['The last bytes of a full window, and the message.', 256, 10, 8],
  ['One byte of the window, and the message.', 256, 255, 8],
  ['The message alone, when it has 256 bytes.', 256, 256, 8],
  ['The last 256 bytes of a message of 257.', 256, 257, 8],
  ['The last 256 bytes of a longer message.', 0, 1000, 8],
  ['The last bytes of a window that is longer than it may be.', 1000, 10, 8],
  ['512 bytes, with 9 bits.', 500, 500, 9],
  ['32,768 bytes, with 15 bits.', 32_768, 1, 15],
  ['The last 32,768 bytes of a message of 200,000.', 100, 200_000, 15],
];

const USUAL = 'Without bits of your own, slide over 32,768 bytes.';

function slidesOverMost({ slide }: Lesson): void {
  const [window, plain] = [noise(32_768), utf8('Hello')];
  const right = join(window, plain).slice(5);
  equal(() => slide(window, plain), right, USUAL, {
    given: [['call', `slide(${argument(window)}, ${argument(plain)})`]],
  });
}

const COPY = 'The window is a copy, and keeps nothing larger in memory.';

function returnsCopy({ slide }: Lesson): void {
  const cases = [
    [0, 1_000_000, 15],
    [0, 32_768, 15],
    [32_768, 0, 15],
    [100, 100, 8],
    [0, 5, 15],
    [5, 0, 15],
  ] as const;
  for (const [windowLength, length, bits] of cases) {
    // Its `slice` is a view.
    const [window, plain] = [noise(windowLength, 1), noise(length, 2)].map((bytes) =>
      Buffer.from(bytes.buffer),
    ) as [Buffer, Buffer];
    const about = given(window, plain, bits);
    const slid = attempt(() => slide(window, plain, bits), COPY, about);
    isOwnCopy(slid, COPY, about);
    const before = new Uint8Array(slid);
    window.fill(0);
    plain.fill(0);
    attempt(() => slide(window, plain, bits), COPY, about);
    const label = 'when those are filled with zeros, it is';
    equal(() => slid, before, COPY, { given: about, label });
  }
}

const ANY = 'Whatever the lengths are, what is left is the end of both together.';

function slidesAny(lesson: Lesson): void {
  generated(100, (choose: Choices) => {
    const bits = 8 + choose.below(3);
    const near = () =>
      Math.max(0, choose.pick([0, 2 ** bits, 2 ** (bits - 1)]) + choose.below(4) - 2);
    const lengths = [near(), near()].map((length) =>
      choose.oneIn(3) ? choose.below(900) : length,
    );
    slides(lesson, [...lengths, bits], ANY);
  });
}

export const WINDOWS: Scenarios = [
  ...SLIDES.map(([ending, ...sizes]): Scenarios[number] => {
    const what = `Slide: ${ending[0]?.toLowerCase()}${ending.slice(1)}`;
    return { what, rules: [159], check: (lesson) => slides(lesson, sizes, what) };
  }),
  { what: USUAL, rules: [159], check: slidesOverMost },
  { what: COPY, rules: [], check: returnsCopy },
  ...SENDING.named,
  ...RECEIVING.named,
  { what: ANY, rules: [159], check: slidesAny },
  ...SENDING.generated,
  ...RECEIVING.generated,
];

/** Step 2: unmasking, right wherever the bytes begin in memory. */
import { attempt, fail } from '../../../shared/harness/check.ts';
import { thrown } from '../../../shared/harness/crash.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import { KEY, masked } from '../../../shared/kit/frames.ts';
import { type Choices, generated } from '../../../shared/kit/generate.ts';
import { workOf } from '../../../shared/kit/work.ts';
import { count } from '../../../shared/view/count.ts';
import type { Lesson, Scenarios } from './tools.ts';

/** Bytes in the midst of memory, which are to be unmasked. */
interface Case {
  readonly memory: Uint8Array;
  readonly start: number;
  readonly length: number;
  readonly key: Uint8Array;
  /** Absent: it is left to the default. */
  readonly position?: number;
  /** The likely cause, where this case is about one mistake. */
  readonly cause?: string;
}

const WHAT = 'Each byte is XORed with its byte of the key, and no other.';

/** Memory with something in it. */
function filled(size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i++) bytes[i] = i * 7 + (i >> 5);
  return bytes;
}

/** Unmasks a part of memory in place, and checks all of the memory. */
function expectUnmasked({ unmask }: Lesson, one: Case, told: readonly Fact[] = []): void {
  const { memory, start, length, key, position = 0 } = one;
  const before = new Uint8Array(memory);
  const keyBefore = new Uint8Array(key);
  const bytes = memory.subarray(start, start + length);
  const given = (): Fact[] => [
    ...told,
    ['the bytes', `${length}, which begin at ${start} of ${memory.length} of their memory`],
    ['the key', show(keyBefore)],
    ['position', 'position' in one ? `${position}` : 'not given: 0'],
  ];
  try {
    if ('position' in one) unmask(bytes, key, position);
    else unmask(bytes, key);
  } catch (error) {
    const cause = whyItThrew(error) ?? one.cause;
    if (cause) fail(WHAT, [...given(), ...thrown(error, 'no error')], cause);
    const again = () => {
      throw error;
    };
    attempt(again, WHAT, given());
  }
  if (Buffer.compare(key, keyBefore) !== 0 && !isPartOf(key, memory)) {
    const facts: Fact[] = [...given(), ['the key is', show(new Uint8Array(key))]];
    key.set(keyBefore);
    fail('A key stays what it is.', facts, "It is the caller's. Turn a copy of it, or a number.");
  }
  const right = masked(before.subarray(start, start + length), keyBefore, position);
  const wrong = firstWrong(memory, before, start, right);
  if (wrong === undefined) return;
  fail(WHAT, [...given(), ...toldOf(one, before, right, wrong)], whyWrong(one, before, wrong));
}

function isPartOf(part: Uint8Array, memory: Uint8Array): boolean {
  return part.buffer === memory.buffer;
}

/** Finds the first byte of the memory that is not as it should be. */
function firstWrong(memory: Uint8Array, before: Uint8Array, start: number, right: Uint8Array) {
  const end = start + right.length;
  const expected = new Uint8Array(before);
  expected.set(right, start);
  if (Buffer.compare(memory, expected) === 0) return undefined;
  const within = right.findIndex((byte, i) => memory[start + i] !== byte);
  if (within !== -1) return start + within;
  return memory.findIndex((byte, i) => (i < start || i >= end) && byte !== before[i]);
}

function toldOf(
  { memory, start, length }: Case,
  before: Uint8Array,
  right: Uint8Array,
  wrong: number,
): Fact[] {
  const hex = (byte: number) => byte.toString(16).toUpperCase().padStart(2, '0');
  const isWithin = wrong >= start && wrong < start + length;
  const place =
    wrong < start
      ? `${count(start - wrong, 'byte')} before the first`
      : isWithin
        ? `byte ${wrong - start}`
        : `${count(wrong - start - length + 1, 'byte')} behind the last`;
  const expected = isWithin ? right[wrong - start]! : before[wrong]!;
  return [
    ['the first that is wrong', place],
    ['it was', hex(before[wrong]!)],
    ['it is', hex(memory[wrong]!)],
    ['expected', hex(expected)],
  ];
}

function whyWrong(one: Case, before: Uint8Array, wrong: number): string | undefined {
  const { memory, start, length, key, position = 0 } = one;
  if (wrong < start || wrong >= start + length) {
    return 'That byte is none of those that were handed over: it may belong to another message. Only whole words between the first byte and the last are changed as words.';
  }
  if (one.cause) return one.cause;
  const xored = memory[wrong]! ^ before[wrong]!;
  const at = (position + wrong - start) % 4;
  if (Buffer.compare(memory, before) === 0) {
    return 'None of the bytes has been changed. Unmask them where they are, and return nothing.';
  }
  if (xored === 0) {
    return 'It has not been changed. Are all the words changed, and the bytes before the first word and behind the last one?';
  }
  const used = key.findIndex((byte, i) => i !== at && byte === xored);
  if (used === -1) return undefined;
  const told = `It has been XORed with byte ${used} of the key, and its place in the payload demands byte ${at}.`;
  const isAdded = used !== (wrong - start) % 4;
  return isAdded
    ? `${told} Which byte of the key comes first in a word depends on where the word begins.`
    : `${told} That place is \`position\` and the place among these bytes, together.`;
}

function whyItThrew(error: unknown): string | undefined {
  if (error instanceof TypeError && error.message.includes('BigInt')) {
    return 'A word of 64 bits is a bigint, and so has to be that of the key. Behind the last word there is none: that is `undefined`.';
  }
  if (!(error instanceof RangeError)) return undefined;
  return 'A word of eight bytes begins at a multiple of eight, counted from the beginning of `buffer`, and ends within it. Where does `byteOffset` come in?';
}

/** Bytes that note how many of them are changed one at a time. */
function watched(bytes: Uint8Array) {
  let changed = 0;
  const watching = new Proxy(bytes, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
    set(target, name, value) {
      if (/^\d+$/.test(String(name))) changed++;
      return Reflect.set(target, name, value, target);
    },
  });
  return { bytes: watching, changed: () => changed };
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

/** Around what the words and the turns of a loop have, of whatever size they are. */
const LENGTHS = [
  ...range(0, 42),
  ...range(60, 76),
  ...range(90, 110),
  ...range(124, 140),
  257,
  519,
];

/** Keys whose bytes are easily mistaken for something else. */
const KEYS = [
  [0, 0, 0, 0],
  [0, 0, 0, 1],
  [0x80, 0, 0, 0],
  [0, 0, 0, 0x80],
  [0xff, 0xff, 0xff, 0xff],
  [0x7f, 0x80, 0x81, 0xfe],
].map((bytes) => Uint8Array.from(bytes));

function drawnCase(choose: Choices): Case & { readonly cuts: readonly number[] } {
  const length = choose.below(600);
  const start = 4 + choose.below(12);
  const memory = filled(start + length + choose.below(9));
  const cuts = choose.cuts(length, 200);
  // Where it is in a read: right before the payload.
  memory.set(choose.bytes(4), start - 4);
  const key = memory.subarray(start - 4, start);
  return { memory, start, length, key, position: choose.below(8), cuts };
}

export const WORDS: Scenarios = [
  {
    what: 'The example of the RFC is unmasked in place.',
    rules: [],
    check(lesson) {
      const memory = Uint8Array.of(0x7f, 0x9f, 0x4d, 0x51, 0x58);
      const told: Fact[] = [['from RFC 6455 §5.7', '"Hello", masked']];
      expectUnmasked(lesson, { memory, start: 0, length: 5, key: KEY }, told);
    },
  },
  {
    what: 'Bytes are unmasked wherever they begin in memory, however many they are.',
    rules: [],
    check(lesson) {
      for (const length of LENGTHS) {
        for (let start = 0; start < 9; start++) {
          // Memory that ends with the last byte, and memory that goes on behind it.
          const size = start + length + ((start + length) % 3) * 4;
          expectUnmasked(lesson, { memory: filled(size), start, length, key: KEY, position: 0 });
        }
      }
    },
  },
  {
    what: 'Bytes are unmasked wherever they are in their payload.',
    rules: [],
    check(lesson) {
      const positions = [1, 2, 3, 4, 5, 6, 7, 125, 65_535, 2 ** 31 + 1, 2 ** 32 + 3, 2 ** 40 + 2];
      for (const length of [1, 3, 4, 8, 31, 64, 97, 131, 257]) {
        for (let start = 0; start < 9; start++) {
          for (const position of positions) {
            const memory = filled(start + length + 3);
            expectUnmasked(lesson, { memory, start, length, key: KEY, position });
          }
        }
      }
    },
  },
  {
    what: 'Without a position, the first byte is unmasked with the first byte of the key.',
    rules: [],
    check(lesson) {
      for (const length of [5, 250]) {
        expectUnmasked(lesson, { memory: filled(260), start: 3, length, key: KEY });
      }
    },
  },
  {
    what: 'A key can have any bytes.',
    rules: [],
    check(lesson) {
      for (const key of KEYS) {
        for (const position of range(0, 4)) {
          for (const length of [3, 7, 16, 131]) {
            const memory = filled(149);
            const cause =
              'A byte of the key is 0 to 255. Above 7F, one that is shifted by 24 bits makes a negative number: `>>` fills up with ones, and `>>>` does not.';
            expectUnmasked(lesson, { memory, start: 5, length, key, position, cause });
          }
        }
      }
    },
  },
  {
    what: 'A key can be anywhere in memory, and stays what it is.',
    rules: [],
    check(lesson) {
      for (const start of range(4, 13)) {
        for (const length of [6, 203]) {
          const memory = filled(start + length + 1);
          const told: Fact[] = [['the key', 'is right before the bytes, in the same memory']];
          const key = memory.subarray(start - 4, start);
          const cause =
            'The key is a part of larger memory: it begins at its own `byteOffset`, and that is a multiple of nothing.';
          expectUnmasked(lesson, { memory, start, length, key, position: 0, cause }, told);
        }
      }
    },
  },
  {
    what: 'One call knows nothing of the one before.',
    rules: [],
    check(lesson) {
      const key = new Uint8Array(4);
      for (const bytes of KEYS) {
        key.set(bytes);
        for (const position of [2, 0, 2]) {
          const told: Fact[] = [['before it', 'other bytes with the same array as key']];
          const cause =
            'What you keep from one call to the next has to depend on the bytes of the key, and on where the first word begins.';
          const one = { memory: filled(150), start: 1, length: 140, key, position, cause };
          expectUnmasked(lesson, one, told);
        }
      }
    },
  },
  {
    what: 'A long payload is unmasked to its end.',
    rules: [],
    check(lesson) {
      for (const [start, length] of [
        [0, 65_536],
        [6, 65_535],
        [13, 100_003],
      ] as const) {
        const memory = filled(start + length + 1);
        expectUnmasked(lesson, { memory, start, length, key: KEY, position: 1 });
      }
    },
  },
  {
    what: 'Nothing is copied to unmask it.',
    rules: [],
    check({ unmask }) {
      const length = 50_000;
      for (const start of range(0, 9)) {
        const bytes = filled(start + length).subarray(start);
        const { copiedBytes, reservedBytes } = workOf(() => unmask(bytes, KEY, 1));
        if (copiedBytes + reservedBytes < length / 10) continue;
        fail(
          'Nothing is copied to unmask it.',
          [
            ['the bytes', `${count(length, 'byte')}, which begin at ${start} of their memory`],
            ['copied', count(copiedBytes, 'byte')],
            ['memory taken', count(reservedBytes, 'byte')],
          ],
          start === 0
            ? 'Change the bytes where they are: words over the same memory need no copy.'
            : 'Bytes that begin at no multiple of eight need no copy either: change those before the first word one at a time.',
        );
      }
    },
  },
  {
    what: 'Many calls need no memory each.',
    rules: [],
    check({ unmask }) {
      const [calls, length] = [1000, 200];
      const bytes = filled(length + 8);
      const { arrays, buffers, reservedBytes } = workOf(() => {
        for (let i = 0; i < calls; i++) unmask(bytes.subarray(i % 8, (i % 8) + length), KEY, i % 4);
      });
      // Some that are made once may be made here.
      if (arrays + buffers <= 8) return;
      fail(
        'Many calls need no memory each.',
        [
          ['the calls', `${calls}, with ${count(length, 'byte')} each`],
          ['made', `${arrays + buffers} Buffers or arrays with memory of their own`],
          ['memory taken', count(reservedBytes, 'byte')],
        ],
        'Does each call make memory to turn the key in? Make that once, for all calls, and write the key of the call into it.',
      );
    },
  },
  {
    what: 'Most bytes are changed together with others, wherever they begin.',
    rules: [],
    check({ unmask }) {
      const length = 16_384;
      for (const [start, position] of range(0, 9).flatMap((i) => range(0, 4).map((j) => [i, j]))) {
        const { bytes, changed } = watched(filled(start! + length).subarray(start));
        try {
          unmask(bytes, KEY, position);
        } catch {
          // What needs the very bytes cannot be watched.
          return;
        }
        if (changed() <= length / 2) continue;
        fail(
          'Most bytes are changed together with others, wherever they begin.',
          [
            ['the bytes', `${length}, which begin at ${start} of their memory`],
            ['position', `${position}`],
            ['changed one at a time', `${changed()}`],
          ],
          start === 0 && position === 0
            ? 'Look at the same memory as words, and XOR those with the key.'
            : 'A payload hardly ever begins at a multiple of eight. Change the bytes up to the next one by themselves, and turn the key for the words behind them.',
        );
      }
    },
  },
  {
    what: 'Generated payloads are unmasked in whatever pieces they arrive.',
    rules: [],
    check: (lesson) =>
      generated(200, (choose) => {
        const { memory, start, length, key, position = 0, cuts } = drawnCase(choose);
        let from = 0;
        for (const to of [...cuts, length]) {
          expectUnmasked(lesson, {
            memory,
            start: start + from,
            length: to - from,
            key,
            position: position + from,
          });
          from = to;
        }
      }),
  },
];

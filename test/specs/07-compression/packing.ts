/** Step 3 · A message, packed. */
import { attempt, equal, fail } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { join, utf8 } from '../../../shared/kit/frames.ts';
import { type Choices, generated } from '../../../shared/kit/generate.ts';
import { count } from '../../../shared/view/count.ts';
import { fromHex } from '../../../shared/view/hex.ts';
import { RFC_MESSAGES, SHORT_MESSAGES } from '../../vectors/deflate.ts';
import { argument, isOwnCopy, packs, refersBefore, type Sent } from './judge.ts';
import type { Lesson, Scenarios } from './tools.ts';
import { noise, TAIL } from './zlib.ts';

/** What the call looks like. */
function given({ plain, window, bits }: Sent): Fact[] {
  const args = [argument(plain)];
  if (window) args.push('window');
  if (bits !== undefined) args.push(`${bits}`);
  const call: Fact = ['call', `deflateMessage(${args.join(', ')})`];
  return window ? [call, ['window', argument(window)]] : [call];
}

/** Packs a message, and checks that it is one. */
function packsAlone({ deflateMessage }: Lesson, sent: Sent, what: string): Uint8Array {
  const { plain, window, bits } = sent;
  return packs(
    () => deflateMessage(plain, window, bits),
    sent,
    what,
    () => given(sent),
  );
}

/** The short messages of the standard and of zlib, each once, and in whatever way it is packed. */
const SHORT = [...RFC_MESSAGES, ...SHORT_MESSAGES]
  .filter(({ id }) => /fixed|letter|accent|hanzi|greek|numbers|chat/.test(id))
  .map(({ what, expected }) => ({
    what: `Pack ${what.replace(/ in one block|, whose.*/, '')}.`,
    plain: fromHex(expected.plain),
  }));

const EMPTY = 'An empty message becomes one byte, 00.';

function packsNothing({ deflateMessage }: Lesson): void {
  for (const window of [new Uint8Array(0), utf8('Hello')]) {
    const sent = { plain: new Uint8Array(0), window };
    const cause = (returned: unknown) =>
      returned instanceof Uint8Array && returned.length === 0
        ? 'The three bits of an empty block are left of it, in one byte: a message of no bytes is not DEFLATE.'
        : undefined;
    equal(() => deflateMessage(sent.plain, window), Uint8Array.of(0), EMPTY, {
      given: given(sent),
      cause,
    });
  }
}

const SHORTER = 'What is in a message again and again is in it only once.';

function packsRepeats(lesson: Lesson): void {
  const plain = utf8('To be or not to be. '.repeat(100));
  const packed = packsAlone(lesson, { plain }, SHORTER);
  isShort(packed, plain, 200, SHORTER, given({ plain }));
}

function isShort(
  packed: Uint8Array,
  plain: Uint8Array,
  most: number,
  what: string,
  about: readonly Fact[],
  cause?: string,
): void {
  if (packed.length <= most) return;
  const facts: Fact[] = [
    ['the message', count(plain.length, 'byte')],
    ['packed', count(packed.length, 'byte')],
    ['expected', `at most ${count(most, 'byte')}`],
  ];
  fail(what, [...about, ...facts], cause);
}

const HELLO = 'Pack "Hello" after "Hello" in fewer bytes than without: the window has it already.';

function packsHelloAgain(lesson: Lesson): void {
  const sent = { plain: utf8('Hello'), window: utf8('Hello') };
  const packed = packsAlone(lesson, sent, HELLO);
  isShort(packed, sent.plain, 6, HELLO, given(sent), causeOfLength(packed));
}

/** Says why a message is as long as if there were no window. */
function causeOfLength(packed: Uint8Array): string | undefined {
  return refersBefore(packed)
    ? undefined
    : 'Nothing in it refers back to before its own beginning. zlib has to know the window: it is its `dictionary`.';
}

const WINDOW = 'What is in the window is not sent again.';

function packsWithWindow(lesson: Lesson): void {
  const plain = noise(1000);
  for (const between of [utf8('and'), noise(30_000, 2)]) {
    const sent = { plain, window: join(plain, between) };
    const packed = packsAlone(lesson, sent, WINDOW);
    isShort(packed, plain, 100, WINDOW, given(sent), causeOfLength(packed));
  }
}

const LONGER = 'Of a window that is longer than 2^bits bytes, its end is what counts.';

function packsWithLonger(lesson: Lesson): void {
  for (const bits of [10, 9]) {
    const plain = noise(100);
    const sent = { plain, window: join(noise(2 ** bits, 2), plain), bits };
    const packed = packsAlone(lesson, sent, LONGER);
    isShort(packed, plain, 60, LONGER, given(sent), causeOfLength(packed));
  }
}

/** Messages that could refer back a little further than 2^bits bytes: to themselves, to the window. */
function beyond(bits: number): Sent[] {
  const far = noise(2 ** bits + 40, bits);
  const start = far.subarray(0, 40);
  return [
    { window: far, plain: join(start, noise(100), far, far), bits },
    { window: far, plain: start, bits },
    { plain: join(far, start), window: new Uint8Array(0), bits },
  ];
}

function packsWithin(bits: number): Scenarios[number] {
  const what = `Refer back ${count(2 ** bits, 'byte')} at most, with ${bits} bits.`;
  return {
    what,
    rules: [162],
    check: (lesson) => {
      for (const sent of beyond(bits)) packsAlone(lesson, sent, what);
    },
  };
}

const MARKER = 'Cut nothing but the end: 00 00 ff ff can be in a message, too.';

function packsMarkers(lesson: Lesson): void {
  const inside = join(utf8('a'), noise(50), TAIL, noise(50, 2), TAIL);
  packsAlone(lesson, { plain: inside }, MARKER);
}

const FULL = 'Pack messages that fill the buffers of zlib to the last byte.';

function packsFull(lesson: Lesson): void {
  const longest = noise(16_378);
  for (let length = 16_374; length <= longest.length; length++) {
    packsAlone(lesson, { plain: longest.subarray(0, length) }, FULL);
  }
}

const LARGE = 'Pack a large message as one: 140,000 bytes.';

function packsLarge(lesson: Lesson): void {
  packsAlone(lesson, { plain: join(noise(70_000), new Uint8Array(70_000)) }, LARGE);
}

const KEPT = 'Leave the message and the window as they are.';

function leavesAlone({ deflateMessage }: Lesson): void {
  const sent = { plain: utf8('Hello, Hello, Hello'), window: utf8('Hello') };
  const [plain, window] = [sent.plain.slice(), sent.window.slice()];
  attempt(() => deflateMessage(plain, window), KEPT, given(sent));
  equal(() => plain, sent.plain, KEPT, { given: given(sent), label: 'the message is now' });
  equal(() => window, sent.window, KEPT, { given: given(sent), label: 'the window is now' });
}

const PART = 'Pack the bytes of a part of a buffer, and no others.';

function packsView(lesson: Lesson): void {
  const plain = utf8('Hello, Hello, Hello');
  // What is before them in the buffer would fit, but the peer has not got it.
  const buffer = join(utf8('Hello, World, Hello'), utf8('window'), plain);
  const [window, message] = [buffer.subarray(19, 25), buffer.subarray(25)];
  packsAlone(lesson, { plain: message, window }, PART);
}

const COPY = 'The result is a copy of its own size, which keeps nothing else in memory.';

function returnsCopy({ deflateMessage }: Lesson): void {
  for (const length of [0, 5, 3000, 10_000, 20_000]) {
    const plain = noise(length);
    const packed = attempt(() => deflateMessage(plain), COPY, given({ plain }));
    isOwnCopy(packed, COPY, given({ plain }));
    const before = new Uint8Array(packed);
    attempt(() => deflateMessage(noise(plain.length, 2)), COPY);
    equal(() => packed, before, COPY, { given: given({ plain }), label: 'after another call' });
  }
}

/** Draws a text that repeats itself, more or less. */
function drawPlain(choose: Choices): Uint8Array {
  const letters = choose.pick([2, 20, 256]);
  const words = choose.list(6, () => noise(choose.below(choose.oneIn(6) ? 1500 : 40), letters));
  return join(...words, ...choose.list(12, () => choose.pick([...words, utf8('word')])));
}

const ANY = 'Whatever the message, the window and its size: a peer unpacks what was packed.';

function packsAny(lesson: Lesson): void {
  generated(40, (choose) => {
    const plain = drawPlain(choose);
    const window = join(drawPlain(choose), plain.subarray(0, choose.below(200)));
    packsAlone(lesson, { plain, window, bits: 8 + choose.below(8) }, ANY);
  });
}

export const PACKING: Scenarios = [
  ...SHORT.map(({ what, plain }): Scenarios[number] => ({
    what,
    rules: [157],
    check: (lesson) => {
      packsAlone(lesson, { plain }, what);
    },
  })),
  { what: EMPTY, rules: [157, 158], check: packsNothing },
  { what: SHORTER, rules: [157], check: packsRepeats },
  { what: HELLO, rules: [159], check: packsHelloAgain },
  { what: WINDOW, rules: [159], check: packsWithWindow },
  { what: LONGER, rules: [159], check: packsWithLonger },
  ...[14, 12, 10, 9, 8].map(packsWithin),
  { what: MARKER, rules: [157], check: packsMarkers },
  { what: KEPT, rules: [], check: leavesAlone },
  { what: PART, rules: [], check: packsView },
  { what: FULL, rules: [157], check: packsFull },
  { what: LARGE, rules: [157], check: packsLarge },
  { what: COPY, rules: [], check: returnsCopy },
  { what: ANY, rules: [157, 159, 162], check: packsAny },
];

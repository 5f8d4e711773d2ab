/** Step 7, receiving: texts that are decoded once, and refused at the very byte. */
import { attempt, equal, fail, failsWith } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import { fromClient, join, utf8, wire } from '../../../shared/kit/frames.ts';
import { type Choices, generated } from '../../../shared/kit/generate.ts';
import { deliver } from '../../../shared/kit/replay.ts';
import { workOf } from '../../../shared/kit/work.ts';
import { CloseCode, Opcode, ProtocolError } from '../../../shared/protocol.ts';
import { count } from '../../../shared/view/count.ts';
import { fromHex, toHex } from '../../../shared/view/hex.ts';
import { UTF8_GROUPS } from '../../vectors/utf8.ts';
import { NO_KEY, outOfProportion } from '../02-reading-frames/cost.ts';
import { ANY_TEXTS } from '../02-reading-frames/generated.ts';
import { decodeUtf8 } from '../02-reading-frames/utf8.ts';
import { TEXTS, tell } from './texts-out.ts';
import { type Lesson, owning, type Scenarios } from './tools.ts';

const { Continuation, Ping, Text } = Opcode;

/** The two ways in which a reader gets its bytes. */
const WAYS = ['own', 'push'] as const;
type Way = (typeof WAYS)[number];

/** A reader to which reads are handed over, or copied. */
function readerOf({ MessageReader }: Lesson, way: Way) {
  const reader = attempt(() => new MessageReader(), 'Make a reader.');
  return {
    read: () => reader.read(),
    take: (chunk: Uint8Array) => reader[way](Buffer.from(chunk)),
  };
}

/** Where two texts differ first, told with what is there. */
function difference(actual: unknown, right: string): Fact[] {
  if (typeof actual !== 'string') return [['its `data`', show(actual)]];
  const at = Array.from({ length: right.length }, (_, i) => i).find((i) => actual[i] !== right[i]);
  const from = at ?? right.length;
  return [
    ['its `data`', tell(actual)],
    ['unlike it from', `character ${from}: ${show(actual.slice(from, from + 4))}`],
    ['expected there', show(right.slice(from, from + 4))],
  ];
}

/** Says why a text came out wrong. */
function whyOther(actual: unknown, right: string): string | undefined {
  if (typeof actual !== 'string') return undefined;
  if (actual === Buffer.from(right).toString('latin1')) {
    return 'Each byte became a character. That is right for ASCII alone: ask `isAscii` first.';
  }
  if (actual === right.replace(/^\ufeff/, '')) {
    return 'U+FEFF is a character like any other here, also at the start. A `TextDecoder` leaves it out, unless it has `ignoreBOM`.';
  }
  if (actual.includes('\ufffd') && !right.includes('\ufffd')) {
    return 'A piece ended inside a character, and was decoded by itself.';
  }
  return undefined;
}

/** Texts in frames, and how they are cut. */
interface Sent {
  readonly bytes: Uint8Array;
  /** Where its fragments end, in the text, and where the reads do. */
  readonly places: readonly number[];
  readonly cuts: readonly number[];
  readonly given: readonly Fact[];
}

/** Puts a text into frames that end after so many bytes of it, with a Ping behind each but the last. */
function framesOf(text: string, places: readonly number[]): Uint8Array {
  const payload = utf8(text);
  const ends = [...places.filter((at) => at < payload.length), payload.length];
  const frames = ends.flatMap((end, i) => {
    const fin = i === ends.length - 1;
    const piece = payload.subarray(ends[i - 1] ?? 0, end);
    const frame = fromClient(i === 0 ? Text : Continuation, piece, fin);
    return fin ? [frame] : [frame, fromClient(Ping, 'between')];
  });
  return join(...frames);
}

/** Tells the first of some texts. */
const tellAll = (texts: readonly string[]) =>
  texts.slice(0, 3).map(tell).join(', ') +
  (texts.length > 3 ? ` and so on (${count(texts.length, 'text')})` : '');

/** Sends texts, each in fragments that end at these places, in reads that end at those. */
function sent(
  texts: readonly string[],
  places: readonly number[],
  cuts: readonly number[] = [],
): Sent {
  const bytes = join(...texts.map((text) => framesOf(text, places)));
  const ends = cuts.filter((at) => at < bytes.length);
  const given: Fact[] = [
    [texts.length === 1 ? 'the text' : 'the texts', tellAll(texts)],
    ['sent', places.length === 0 ? 'in one frame' : `in fragments, cut after ${places.join(', ')}`],
    ['arrived', deliver(bytes, ends).how],
  ];
  return { bytes, places, cuts: ends, given };
}

/** Reads all that comes. Stops where there is far too much. */
function readTexts(lesson: Lesson, { bytes, cuts }: Sent, way: Way): unknown[] {
  const reader = readerOf(lesson, way);
  const texts: unknown[] = [];
  for (const chunk of deliver(bytes, cuts).reads) {
    reader.take(chunk);
    for (let message = reader.read(); message; message = reader.read()) {
      if (message.type === 'text') texts.push(message.data);
      else if (message.type !== 'ping') texts.push(message);
      if (texts.length > 100) return texts;
    }
  }
  return texts;
}

/** Are these texts right with a reader for each, but not one after the other with the same one? */
function isRemembering(
  lesson: Lesson,
  texts: readonly string[],
  { places }: Sent,
  way: Way,
): boolean {
  const isRight = (some: readonly string[]) => {
    let end = 0;
    const ends = some.map((text) => (end += framesOf(text, places).length));
    try {
      const read = readTexts(lesson, sent(some, places, ends), way);
      return some.every((text, i) => read[i] === text);
    } catch {
      return false;
    }
  };
  return texts.every((text) => isRight([text])) && !isRight(texts);
}

/** Says why a text was refused that is right. */
function whyRefused(
  error: unknown,
  texts: readonly string[],
  isRemembering: () => boolean,
): string | undefined {
  if (!(error instanceof ProtocolError) || error.closeCode !== 1007) return undefined;
  if (texts.length === 1 && texts[0]?.includes('\ufffd')) {
    return 'This text really has a U+FFFD: ef bf bd. `toString` makes one of each wrong byte, but not every one is of a wrong byte.';
  }
  if (isRemembering()) {
    return 'With a new reader it is right. What do you still remember of the text before?';
  }
  return 'All of it is UTF-8. A piece may end inside a character: the rest of that is in the next one.';
}

/** Checks that each text comes out once, as it was sent. */
function expectTexts(lesson: Lesson, texts: readonly string[], as: Sent, way: Way): void {
  const what = 'A text is read as it was sent.';
  const given: Fact[] = [...as.given, ['handed to', `\`${way}\``]];
  const causeOfError = (error: unknown) =>
    whyRefused(error, texts, () => isRemembering(lesson, texts, as, way));
  const read = attempt(() => readTexts(lesson, as, way), what, given, { causeOfError });
  for (const [i, right] of texts.entries()) {
    if (read[i] === right) continue;
    const which: Fact[] =
      texts.length === 1 ? [] : [['wrong is', `number ${i + 1}, ${tell(right)}`]];
    if (read.length <= i) {
      fail(what, [...given, ...which, ['`read` returned', count(read.length, 'text')]]);
    }
    fail(what, [...given, ...which, ...difference(read[i], right)], whyOther(read[i], right));
  }
  const label = 'texts that came out';
  equal(() => read.length, texts.length, what, { given, label });
}

const expectText = (lesson: Lesson, text: string, as: Sent, way: Way) =>
  expectTexts(lesson, [text], as, way);

const LONG = 20_000;

/** Makes a text of about so many characters. */
const longer = (text: string, length: number) =>
  text.repeat(Math.ceil(length / (text.length || 1)));

const RIGHT: Scenarios = [
  {
    what: 'A text that arrives in one read is read as it was sent.',
    rules: [],
    check(lesson) {
      for (const text of TEXTS.flatMap((text) => [text, longer(text, 200)])) {
        for (const way of WAYS) expectText(lesson, text, sent([text], []), way);
      }
      for (const text of TEXTS.map((text) => longer(text, LONG))) {
        expectText(lesson, text, sent([text], []), 'own');
      }
      // Long ones with one character that is not like the others.
      for (const other of ['é', '\ufffd', '🎉']) {
        for (const at of [0, 1000, LONG]) {
          const text = `${'x'.repeat(at)}${other}${'x'.repeat(LONG - at)}`;
          expectText(lesson, text, sent([text], []), 'own');
        }
      }
    },
  },
  {
    what: 'Texts that arrive together come out one by one.',
    rules: [],
    check(lesson) {
      const all = [...TEXTS, longer('é', 300), ...TEXTS.toReversed()];
      for (const way of WAYS) {
        expectTexts(lesson, all, sent(all, []), way);
        expectTexts(lesson, all, sent(all, [1, 3]), way);
        expectTexts(lesson, all, sent(all, [2], [40, 61, 75]), way);
      }
    },
  },
  {
    what: 'A text that arrives in pieces is read as it was sent, wherever it is cut.',
    rules: [],
    check(lesson) {
      for (const text of TEXTS) {
        const { length } = sent([text], []).bytes;
        for (let at = 1; at < length; at++) {
          for (const way of WAYS) expectText(lesson, text, sent([text], [], [at]), way);
        }
        const { length: bytes } = utf8(text);
        for (let at = 1; at < bytes; at++) expectText(lesson, text, sent([text], [at]), 'own');
      }
    },
  },
  {
    what: 'A long text in pieces is read as it was sent, wherever it is cut.',
    rules: [],
    check(lesson) {
      for (const text of ['x', 'é', 'xé€🎉'].map((text) => longer(text, LONG))) {
        for (const by of [0, 1, 3]) {
          const cuts = [5000, 10_000, 19_000, 30_000].map((at) => at + by);
          expectText(lesson, text, sent([text], [], cuts), 'own');
          expectText(lesson, text, sent([text], cuts), 'own');
          expectText(lesson, text, sent([text], cuts, [9000 + by, 16_500 + by]), 'own');
        }
      }
    },
  },
];

/** Bytes that are not UTF-8, each with the byte that gives it away. None: it ends too early. */
const WRONG = UTF8_GROUPS.flatMap(({ invalid }) => invalid.map(fromHex)).map((bytes) => ({
  bytes,
  at: decodeUtf8([...bytes]).wrongAt,
}));

const INVALID = 'What is not UTF-8 is refused with 1007.';

/** Says what is wrong with bytes. */
const tellWrong = (bytes: Uint8Array, at: number | undefined): Fact =>
  at === undefined
    ? ['not UTF-8', `${toHex(bytes, 16)}: it ends inside a character`]
    : ['not UTF-8', `${toHex(bytes, 16)}: byte ${at} cannot be there`];

const MORE = 'and more'.repeat(100);

const BEFORE = ['', 'x', '€', '\ufffd', 'x'.repeat(LONG), 'é'.repeat(LONG)].map((text) => ({
  told: text === '' ? 'nothing' : tell(text),
  bytes: utf8(text),
}));

const INVALIDS: Scenarios = [
  {
    what: 'What is not UTF-8 is refused, also in one read, and in a long text.',
    rules: [],
    check(lesson) {
      for (const [i, { bytes, at }] of WRONG.entries()) {
        // The longest ones need not be tried with each.
        for (const before of i % 40 === 0 ? BEFORE : BEFORE.slice(0, 4)) {
          const reader = readerOf(lesson, 'own');
          const after = at === undefined ? '' : 'x'.repeat(i % 40 === 0 ? LONG : 1);
          const payload = join(before.bytes, bytes, utf8(after));
          reader.take(fromClient(Text, payload));
          failsWith(CloseCode.InvalidPayload, () => reader.read(), INVALID, {
            given: [tellWrong(bytes, at), ['before it', before.told], ['behind it', tell(after)]],
            label: '`read` returned',
            cause: () =>
              '`toString` refuses nothing: it puts U+FFFD where the bytes are wrong. `isUtf8` says whether they are.',
          });
        }
      }
    },
  },
  {
    what: 'In pieces, a text is refused at the very byte that is wrong.',
    rules: [],
    check(lesson) {
      for (const [i, { bytes, at }] of WRONG.entries()) {
        if (at === undefined) continue;
        expectAtOnce(lesson, bytes, at, true);
        for (const before of BEFORE.slice(0, i % 40 === 0 ? 5 : 2)) {
          expectAtOnce(lesson, join(before.bytes, bytes), before.bytes.length + at, false);
        }
      }
    },
  },
  {
    what: 'A text is refused at once, though there is more behind what is wrong.',
    rules: [],
    check(lesson) {
      for (const { bytes, at } of WRONG) {
        if (at === undefined) continue;
        const frame = fromClient(Text, join(utf8('xx'), bytes, utf8(MORE)));
        const reader = readerOf(lesson, 'own');
        reader.take(frame.subarray(0, frame.length - MORE.length));
        const what = 'A text is refused at once, though there is more behind what is wrong.';
        failsWith(CloseCode.InvalidPayload, () => reader.read(), what, {
          given: [
            ['announced', count(bytes.length + 2 + MORE.length, 'byte')],
            ['arrived so far', toHex(join(utf8('xx'), bytes), 16)],
            tellWrong(bytes, at),
          ],
          label: '`read` returned',
          cause: () =>
            'Two or three bytes at the end of a piece need not be the beginning of a character.',
        });
      }
    },
  },
  {
    what: 'Bytes need not be UTF-8, also in pieces.',
    rules: [],
    check(lesson) {
      const bytes = Uint8Array.of(0xff, 0xc3, 0x28, 0xed, 0xa0);
      const begun = fromClient(Opcode.Binary, bytes, false);
      const reader = readerOf(lesson, 'own');
      reader.take(begun.subarray(0, -2));
      const what = 'Bytes need not be UTF-8, also in pieces.';
      const given: Fact[] = [['arrived', `${toHex(bytes, 16)}, twice, as a Binary in fragments`]];
      const label = '`read` returned';
      equal(() => reader.read(), undefined, what, { given, label });
      reader.take(begun.subarray(-2));
      equal(() => reader.read(), undefined, what, { given, label });
      reader.take(fromClient(Continuation, bytes));
      const right = { type: 'binary', data: join(bytes, bytes) };
      equal(() => reader.read(), right, what, { given, label });
    },
  },
  {
    what: 'A text that ends inside a character is refused when it ends.',
    rules: [],
    check(lesson) {
      for (const { bytes, at } of WRONG) {
        if (at !== undefined) continue;
        const [begun, end] = [fromClient(Text, bytes, false), fromClient(Continuation)];
        const given: Fact[] = [
          tellWrong(bytes, at),
          ['arrived', 'these bytes as a fragment, and behind it an empty one with FIN'],
        ];
        const reader = readerOf(lesson, 'own');
        reader.take(begun);
        equal(() => reader.read(), undefined, 'A fragment may end inside a character.', { given });
        reader.take(end);
        failsWith(CloseCode.InvalidPayload, () => reader.read(), INVALID, {
          given,
          label: '`read` returned',
          cause: () => 'With FIN, nothing goes on any more: what is left of a character is wrong.',
        });
      }
    },
  },
];

/** Lets a text arrive up to a byte that is wrong, and then this byte. More of it is announced. */
function expectAtOnce(lesson: Lesson, wrong: Uint8Array, at: number, isFragment: boolean): void {
  // The first byte of a fragment alone can be the wrong one.
  const first = isFragment && at > 0 ? 1 : 0;
  const begun = first > 0 ? fromClient(Text, wrong.subarray(0, first), false) : utf8('');
  const payload = join(wrong.subarray(first), utf8(MORE));
  const frame = fromClient(first > 0 ? Continuation : Text, payload);
  const stream = join(begun, frame);
  const place = stream.length - payload.length + at - first;
  const here = toHex(wrong.subarray(Math.max(0, at - 5), at + 1), 16);
  const given: Fact[] = [
    ['announced', count(payload.length + first, 'byte')],
    ['sent', first > 0 ? 'in two fragments, cut after the first byte' : 'in one frame'],
    ['arrived so far', `${count(at + 1, 'byte')}${at > 5 ? ', in the end' : ''}: ${here}`],
  ];
  const reader = readerOf(lesson, 'own');
  reader.take(stream.subarray(0, place));
  equal(() => reader.read(), undefined, 'Without its last byte, it could become a text.', {
    given,
    label: '`read` returned',
    causeOfError: () => 'A character may be cut between two reads: wait for the rest of it.',
  });
  reader.take(stream.subarray(place, place + 1));
  const read = () => reader.read();
  failsWith(CloseCode.InvalidPayload, read, 'A text is refused at the very byte that is wrong.', {
    given,
    label: '`read` returned',
    cause: () => whyAtOnce(wrong, at),
  });
}

/** Says why no text goes on with its byte `at`. */
function whyAtOnce(text: Uint8Array, at: number): string {
  if (!decodeUtf8([...text.subarray(0, at)]).isCut) {
    return `No character begins with ${toHex(text.subarray(at, at + 1))}. Check a text as it arrives, also its last byte.`;
  }
  return 'No text goes on with this last byte, whatever comes behind it. Check a text as it arrives, also a character that has only begun: not every second byte fits every first.';
}

const MANY = 64;
const FRAGMENTS = 3000;

const WORK: Scenarios = [
  {
    what: 'A text that arrives in one read is decoded where it is.',
    rules: [],
    check({ MessageReader }) {
      for (const payload of ['x'.repeat(20), 'é'.repeat(400)]) {
        const frame = fromClient(Text, payload);
        const chunk = Buffer.concat(Array.from({ length: MANY }, () => frame));
        const reader = attempt(() => new MessageReader(), 'Make a reader.');
        let texts = 0;
        const work = workOf(() => {
          reader.own(chunk);
          while (reader.read()) texts++;
        });
        const given: Fact[] = [['arrived', `${MANY} times ${tell(payload)}, in one read`]];
        const what = 'A text that arrives in one read is decoded where it is.';
        equal(() => texts, MANY, what, { given, label: 'texts that came out' });
        if (work.copiedBytes + work.reservedBytes > 0) {
          fail(
            what,
            [
              ...given,
              ['copied', count(work.copiedBytes, 'byte')],
              ['memory taken', count(work.reservedBytes, 'byte')],
            ],
            work.copiedBytes < MANY * utf8(payload).length
              ? `The texts are not copied, but something takes ${count(Math.ceil(work.reservedBytes / MANY), 'byte')} for each: \`unmask\`, or the decoding.`
              : '`toString` of a Buffer takes the place where it begins and the one where it ends: nothing needs to be copied for that.',
          );
        }
        expectOnce(work.decodedTexts, MANY, given);
      }
    },
  },
  {
    what: 'A text that arrives in pieces is decoded once, when all of it is there.',
    rules: [],
    check({ MessageReader }) {
      const [pieces, size] = [16, 64 * 1024];
      const text = 'é'.repeat((pieces * size) / 2);
      const bytes = fromClient(Text, text);
      const chunks = Array.from({ length: pieces + 1 }, (_, i) =>
        Buffer.from(bytes.subarray(i * size, (i + 1) * size)),
      );
      const reader = attempt(() => new MessageReader(), 'Make a reader.');
      const came: unknown[] = [];
      const work = workOf(() => {
        for (const chunk of chunks) {
          reader.own(chunk);
          came.push(reader.read());
        }
      });
      const given: Fact[] = [['arrived', `${tell(text)}, in reads of ${count(size, 'byte')}`]];
      const what = 'A text that arrives in pieces is decoded once, when all of it is there.';
      const last = came.pop() as { data?: unknown } | undefined;
      equal(() => came.every((it) => it === undefined) && last?.data === text, true, what, {
        given,
        label: 'it came out, whole and last',
      });
      expectOnce(work.decodedTexts, 1, given);
      // A little for what is cut: a header, and characters.
      if (work.copiedBytes <= 1.1 * bytes.length) return;
      fail('A text that arrives in pieces is copied once: to its place.', [
        ...given,
        ['copied', `${count(work.copiedBytes, 'byte')}, expected ${utf8(text).length} or so`],
      ]);
    },
  },
  {
    what: 'In many fragments, each byte of a text is checked once.',
    rules: [],
    check({ MessageReader }) {
      const more = wire({ opcode: Continuation, payload: '€', fin: false, key: NO_KEY });
      const slow = outOfProportion(FRAGMENTS, (fragments) => {
        const reader = new MessageReader();
        const payload = Buffer.alloc(fragments * 1200, '€');
        reader.own(wire({ opcode: Text, payload, fin: false, key: NO_KEY }));
        reader.read();
        return () => {
          reader.own(Buffer.from(more));
          const what = 'A text in fragments is not complete before the last of them.';
          equal(() => reader.read(), undefined, what, { label: '`read` returned' });
        };
      });
      if (!slow) return;
      fail(
        'A text in many fragments takes far too long.',
        [
          ['arrived', 'a fragment of 3.6 MB'],
          ['behind it', `${slow.done} fragments of 3 bytes, in ${Math.round(slow.ms)} ms`],
        ],
        slow.isGrowing
          ? 'Each of them seems to have all that came before it looked at again. Remember up to where the text is checked.'
          : undefined,
      );
    },
  },
];

/** Checks how often something was decoded. A little more is no matter. */
function expectOnce(decoded: number, texts: number, given: readonly Fact[]): void {
  if (decoded <= texts + 2) return;
  fail(
    'A text is decoded once.',
    [...given, ['decoded', `${count(decoded, 'time')}, for ${count(texts, 'text')}`]],
    'Check the bytes as they arrive: `isUtf8` makes no string. Decode them when the text is complete.',
  );
}

/** Draws a text that is long, and has some characters that are not like the others. */
function drawLong(choose: Choices): string {
  const characters = ['x', 'é', '\u0080', '\u00ff', '€', '\ufffd', '🎉'];
  const draw = () => {
    const character = choose.pick(characters);
    return character.repeat(1 + choose.below(choose.pick([3, 300, 20_000])));
  };
  return [draw(), ...choose.list(4, draw)].join('');
}

const ANY: Scenarios = [
  {
    what: 'Any long texts are read as they were sent, however they are cut.',
    rules: [],
    check(lesson) {
      generated(15, (choose) => {
        const text = drawLong(choose);
        const { length } = utf8(text);
        const places = (limit: number) =>
          choose.list(3, () => 1 + choose.below(limit)).sort((a, b) => a - b);
        const once = (all: readonly number[]) => [...new Set(all)];
        const way = choose.pick(WAYS);
        expectText(
          lesson,
          text,
          sent([text], once(places(length)), once(places(length + 20))),
          way,
        );
      });
    },
  },
  {
    what: 'Any texts that are handed over are read, up to the first byte that is not UTF-8.',
    rules: [],
    check(lesson) {
      return ANY_TEXTS.check(owning(lesson));
    },
  },
];

export const TEXTS_IN: Scenarios = [...RIGHT, ...INVALIDS, ...WORK, ...ANY];

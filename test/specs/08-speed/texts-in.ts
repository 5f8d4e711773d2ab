/** Step 7, receiving: texts that are decoded once, and refused at the very byte. */
import { attempt, CheckFailure, equal, fail, failsWith } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import { fromClient, join, utf8, wire } from '../../../shared/kit/frames.ts';
import { type Choices, generated } from '../../../shared/kit/generate.ts';
import { deliver } from '../../../shared/kit/replay.ts';
import { workOf } from '../../../shared/kit/work.ts';
import { CloseCode, Opcode } from '../../../shared/protocol.ts';
import { count } from '../../../shared/view/count.ts';
import { fromHex, toHex } from '../../../shared/view/hex.ts';
import { UTF8_GROUPS } from '../../vectors/utf8.ts';
import { NO_KEY, outOfProportion } from '../02-reading-frames/cost.ts';
import { ANY_TEXTS } from '../02-reading-frames/generated.ts';
import { decodeUtf8 } from '../02-reading-frames/utf8.ts';
import { TEXTS, tell } from './texts-out.ts';
import type { Lesson, Scenarios } from './tools.ts';

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

/** A text in frames, and how it is cut. */
interface Sent {
  readonly bytes: Uint8Array;
  readonly cuts: readonly number[];
  readonly given: readonly Fact[];
}

/** Sends a text in frames of so many bytes, with a Ping behind each but the last. */
function sent(text: string, sizes: readonly number[], cuts: readonly number[] = []): Sent {
  const payload = utf8(text);
  const ends = [...sizes.filter((size) => size < payload.length), payload.length];
  const frames = ends.flatMap((end, i) => {
    const fin = i === ends.length - 1;
    const piece = payload.subarray(ends[i - 1] ?? 0, end);
    const frame = fromClient(i === 0 ? Text : Continuation, piece, fin);
    return fin ? [frame] : [frame, fromClient(Ping, 'between')];
  });
  const bytes = join(...frames);
  const places = cuts.filter((at) => at < bytes.length);
  const given: Fact[] = [
    ['the text', tell(text)],
    ['sent', ends.length === 1 ? 'in one frame' : `in fragments, cut after ${ends.slice(0, -1)}`],
    ['arrived', deliver(bytes, places).how],
  ];
  return { bytes, cuts: places, given };
}

/** Reads a text, and checks that it comes out once, when all of it is there. */
function expectText(lesson: Lesson, text: string, { bytes, cuts, given }: Sent, way: Way): void {
  const what = 'A text is read as it was sent.';
  const facts: Fact[] = [...given, ['handed to', `\`${way}\``]];
  const reader = readerOf(lesson, way);
  const messages: unknown[] = [];
  attempt(
    () => {
      for (const chunk of deliver(bytes, cuts).reads) {
        reader.take(chunk);
        for (let message = reader.read(); message; message = reader.read()) {
          if (message.type !== 'ping') messages.push(message);
          if (messages.length > 3) return;
        }
      }
    },
    what,
    facts,
  );
  const [message] = messages as { type: string; data: unknown }[];
  if (messages.length !== 1 || message?.type !== 'text') {
    const came = messages.length === 0 ? 'nothing' : show(messages.map((it) => show(it)));
    fail(what, [...facts, ['`read` returned', came]]);
  }
  if (message.data === text) return;
  fail(what, [...facts, ...difference(message.data, text)], whyOther(message.data, text));
}

const LONG = 20_000;

/** Makes a text of about so many characters. */
const longer = (text: string, length: number) =>
  text.repeat(Math.ceil(length / (text.length || 1)));

const RIGHT: Scenarios = [
  {
    what: 'A text that arrives in one read is read as it was sent.',
    rules: [],
    check(lesson) {
      for (const text of TEXTS.flatMap((text) => [text, longer(text, 200), longer(text, LONG)])) {
        for (const way of WAYS) expectText(lesson, text, sent(text, []), way);
      }
      // Long ones with one character that is not like the others.
      for (const other of ['é', '\ufffd', '🎉']) {
        for (const at of [0, 1000, LONG]) {
          const text = `${'x'.repeat(at)}${other}${'x'.repeat(LONG - at)}`;
          expectText(lesson, text, sent(text, []), 'own');
        }
      }
    },
  },
  {
    what: 'A text that arrives in pieces is read as it was sent, wherever it is cut.',
    rules: [],
    check(lesson) {
      for (const text of TEXTS) {
        const { length } = sent(text, []).bytes;
        for (let at = 1; at < length; at++) {
          for (const way of WAYS) expectText(lesson, text, sent(text, [], [at]), way);
        }
        const { length: bytes } = utf8(text);
        for (let at = 1; at < bytes; at++) expectText(lesson, text, sent(text, [at]), 'own');
      }
    },
  },
  {
    what: 'A long text in pieces is read as it was sent, wherever it is cut.',
    rules: [],
    check(lesson) {
      for (const text of ['x', 'é', 'xé€🎉'].map((text) => longer(text, LONG))) {
        for (const by of [0, 1, 2, 3]) {
          const cuts = [5000, 10_000, 19_000, 30_000].map((at) => at + by);
          expectText(lesson, text, sent(text, [], cuts), 'own');
          expectText(lesson, text, sent(text, cuts), 'own');
          expectText(lesson, text, sent(text, cuts, [9000 + by, 16_500 + by]), 'own');
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
        for (const before of i % 9 === 0 ? BEFORE : BEFORE.slice(0, 4)) {
          const reader = readerOf(lesson, 'own');
          const payload = join(before.bytes, bytes, at === undefined ? utf8('') : utf8('x'));
          reader.take(fromClient(Text, payload));
          failsWith(CloseCode.InvalidPayload, () => reader.read(), INVALID, {
            given: [tellWrong(bytes, at), ['before it', before.told]],
            label: '`read` returned',
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
        for (const before of i % 9 === 0 ? BEFORE : BEFORE.slice(0, 4)) {
          for (const isFragment of [false, true]) {
            expectAtOnce(lesson, join(before.bytes, bytes), before.bytes.length + at, isFragment);
          }
        }
      }
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
  const reader = readerOf(lesson, 'own');
  const frame = fromClient(
    isFragment ? Continuation : Text,
    join(wrong.subarray(isFragment ? 1 : 0), utf8(MORE)),
  );
  const before = isFragment ? fromClient(Text, wrong.subarray(0, 1), false) : utf8('');
  const size = frame.length - (wrong.length - (isFragment ? 1 : 0)) - MORE.length;
  const place = before.length + size + at - (isFragment ? 1 : 0);
  // The first byte of a fragment alone can be the wrong one.
  if (isFragment && at === 0) return;
  const stream = join(before, frame);
  const given: Fact[] = [
    ['the payload', `${toHex(wrong.subarray(Math.max(0, at - 3), at + 1), 16)} at its byte ${at}`],
    ['announced', count(wrong.length + MORE.length, 'byte')],
    ['sent', isFragment ? 'in two fragments, cut after its first byte' : 'in one frame'],
  ];
  reader.take(stream.subarray(0, place));
  const open = 'Up to there, it could become a text.';
  equal(() => reader.read(), undefined, open, {
    given: [...given, ['arrived', 'the bytes before the last of these']],
    label: '`read` returned',
    causeOfError: () => 'A character may be cut between two reads: wait for the rest of it.',
  });
  reader.take(stream.subarray(place, place + 1));
  failsWith(
    CloseCode.InvalidPayload,
    () => reader.read(),
    'A text is refused at the very byte that is wrong.',
    {
      given: [...given, ['arrived', 'all of these']],
      label: '`read` returned',
      cause: () =>
        'No text goes on like that, whatever comes. Look also at a character that has only begun: some second bytes never fit its first.',
    },
  );
}

const MANY = 64;
const FRAGMENTS = 4096;

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
            '`toString` of a Buffer takes the place where it begins and the one where it ends: nothing needs to be copied for that.',
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
      const piece = '€'.repeat(80);
      const [begun, more, last] = [
        [Text, false] as const,
        [Continuation, false] as const,
        [Continuation, true] as const,
      ].map(([opcode, fin]) => wire({ opcode, payload: piece, fin, key: NO_KEY }));
      const slow = outOfProportion(FRAGMENTS, (fragments) => {
        const reader = new MessageReader();
        return (i) => {
          const isLast = i === fragments - 1;
          reader.own(Buffer.from((i === 0 ? begun : isLast ? last : more)!));
          const message = reader.read();
          if (!isLast && message === undefined) return;
          const data = message?.type === 'text' ? message.data : message;
          equal(
            () => isLast && data === piece.repeat(fragments),
            true,
            'Read a text in many fragments.',
            {
              label: 'it came out, whole and last',
            },
          );
        };
      });
      if (!slow) return;
      fail(
        'A text in many fragments takes far too long.',
        [['arrived', `${slow.done} of ${FRAGMENTS} fragments, in ${Math.round(slow.ms)} ms`]],
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
      generated(60, (choose) => {
        const text = drawLong(choose);
        const { length } = utf8(text);
        const places = (limit: number) =>
          choose.list(3, () => 1 + choose.below(limit)).sort((a, b) => a - b);
        const once = (all: readonly number[]) => [...new Set(all)];
        const way = choose.pick(WAYS);
        expectText(lesson, text, sent(text, once(places(length)), once(places(length + 20))), way);
      });
    },
  },
  {
    what: 'Any texts that are handed over are read, up to the first byte that is not UTF-8.',
    rules: [],
    check(lesson) {
      class Owning extends lesson.MessageReader {
        override push(chunk: Uint8Array): void {
          this.own(Buffer.from(chunk));
        }
      }
      const { reading } = lesson.EARLIER;
      return ANY_TEXTS.check({
        ...reading,
        MessageReader: Owning as unknown as typeof reading.MessageReader,
      });
    },
  },
];

export const TEXTS_IN: Scenarios = [...RIGHT, ...INVALIDS, ...WORK, ...ANY];

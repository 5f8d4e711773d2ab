/** Step 8 · Text is UTF-8. */
import { attempt, equal, failsWith } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import {
  frame,
  join,
  KEY,
  masked,
  utf8,
  type WireFrame,
  wire,
} from '../../../shared/kit/frames.ts';
import { deliver } from '../../../shared/kit/replay.ts';
import { CloseCode, type Message, Opcode } from '../../../shared/protocol.ts';
import { fromHex, toHex } from '../../../shared/view/hex.ts';
import type { FrameReader } from '../../../solutions/02-reading-frames/reading.ts';
import { UTF8_GROUPS } from '../../vectors/utf8.ts';
import { linearCost } from './cost.ts';
import { type Conversation, conversation } from './messages.ts';
import { textMistake } from './mistakes.ts';
import { arrived, binary, type Lesson, readAll, text } from './readers.ts';
import { decodeUtf8 } from './utf8.ts';

const { Binary, Continuation, Ping, Text } = Opcode;

/** Texts whose characters are cut, and between the pieces what isn't text. */
const CUT_TEXTS: Conversation = {
  what: 'three texts, two of them in fragments that cut characters',
  rules: [106],
  frames: [
    { opcode: Text, payload: fromHex('c3'), fin: false },
    { opcode: Ping, payload: Uint8Array.of(0xfe, 0xff, 0xfe) },
    { opcode: Continuation, payload: fromHex('a9 e2'), fin: false },
    { opcode: Continuation, fin: false },
    { opcode: Continuation, payload: fromHex('82 ac f0 9f 98'), fin: false },
    { opcode: Continuation, payload: fromHex('80') },
    { opcode: Binary, payload: fromHex('f0 9f'), fin: false },
    { opcode: Continuation, payload: fromHex('98') },
    { opcode: Text, payload: fromHex('e8 aa'), fin: false },
    { opcode: Continuation, payload: fromHex('9e') },
    { opcode: Text, payload: 'ñ' },
  ],
  messages: [
    { type: 'ping', payload: Uint8Array.of(0xfe, 0xff, 0xfe) },
    text('é€😀'),
    binary(fromHex('f0 9f 98')),
    text('語'),
    text('ñ'),
  ],
};

const ONE_FRAME_TEXTS = ['Hello-µ@ßöäüàá-UTF-8!!', 'é€😀', '你好，世界', '\ufeffhi'];

// ── A text in many pieces ───────────────────────────────────────────────────────────────────────

const LONG_TEXT = 'aé€😀'.repeat(200);

/** Cuts bytes into pieces of 1 to `most` bytes, of all sizes in turn. */
function cutsOf(length: number, most: number): number[] {
  const places: number[] = [];
  for (let at = 1; at < length; at += 1 + ((at * 7) % most)) places.push(at);
  return places;
}

/** A text comes out once and whole, however many pieces it arrives in; so does the next. */
function inManyPieces(most: number, how: string): Scenario<Lesson> {
  return {
    what: `Read two long texts that arrive ${how}.`,
    rules: [106],
    check({ MessageReader }) {
      const bytes = join(
        wire({ opcode: Text, payload: LONG_TEXT }),
        wire({ opcode: Text, payload: 'next', fin: false }),
        wire({ opcode: Continuation, payload: LONG_TEXT }),
      );
      const { reads } = deliver(bytes, cutsOf(bytes.length, most));
      const given = arrived(bytes, how);
      const what = 'Read two texts of 2,000 bytes that arrive in many pieces.';
      const messages = attempt(() => readAll(new MessageReader(), reads), what, given);
      sameTexts(messages, [LONG_TEXT, `next${LONG_TEXT}`], what, given);
    },
  };
}

/** Compares texts that are too long to be shown. */
function sameTexts(
  messages: readonly Message[],
  right: readonly string[],
  what: string,
  given: readonly Fact[],
): void {
  const texts = messages.map((message) => (message.type === 'text' ? message.data : ''));
  const lengths = (all: readonly string[]) => all.map(({ length }) => length);
  const cause = () => textMistake(messages, right.map(text));
  const label = 'characters of the texts';
  equal(() => lengths(texts), lengths(right), what, { given, cause, label });
  if (texts.join() === right.join()) return;
  const [mine, wanted] = [texts, right].map((all) => all.join(' then '));
  equal(() => mine, wanted, what, { given, label: 'the texts', cause });
}

const IN_PIECES: readonly Scenario<Lesson>[] = [
  {
    what: 'As a client, read an unmasked text that arrives in pieces.',
    rules: [],
    check({ MessageReader }) {
      const bytes = wire({ opcode: Text, payload: LONG_TEXT, key: null });
      const delivery = deliver(bytes, [1, 2, 3, 100, 1001]);
      equal(
        () => readAll(new MessageReader('client'), delivery.reads),
        [text(LONG_TEXT)],
        'As a client, read an unmasked text that arrives in pieces.',
        { given: [['we are', 'the client'], ...arrived(bytes, delivery)] },
      );
    },
  },
  inManyPieces(1, 'byte by byte'),
  ...[2, 100, 1000].map((most) => inManyPieces(most, `in reads of 1 to ${most} bytes`)),
];

/** Each reader has the first half of a character: whose is the second? */
const TWO_READERS: Scenario<Lesson> = {
  what: 'Read two texts in turn, with a reader for each, both cut inside a character.',
  rules: [106],
  check({ MessageReader }) {
    const texts = ['é', '€'];
    const streams = texts.map((payload) => wire({ opcode: Text, payload }));
    const readers = texts.map(() => new MessageReader());
    const what = 'Read two texts in turn, with a reader for each, both cut inside a character.';
    const given = [
      ...streams.map((bytes, i): Fact => [`reader ${i + 1}`, `gets ${show(bytes)}`]),
      ['each', 'in two reads, cut after byte 7, in turn'] as const,
    ];
    const cause = () =>
      'Where is the first half of the character kept? Each reader needs a decoder of its own.';
    const causes = { cause, causeOfError: cause };
    for (const [i, reader] of readers.entries()) {
      reader.push(streams[i]!.slice(0, 7));
      equal(() => reader.read(), undefined, what, { given, ...causes });
    }
    for (const [i, reader] of readers.entries()) {
      reader.push(streams[i]!.slice(7));
      const about = { given: [...given, ['read of', `reader ${i + 1}`] as const], ...causes };
      equal(() => reader.read(), text(texts[i]!), what, about);
    }
  },
};

// ── UTF-8, right and wrong ──────────────────────────────────────────────────────────────────────

/** The ways to send a text: in one frame, and in two fragments cut at every place. */
function sendings(payload: Uint8Array): { readonly bytes: Uint8Array; readonly given: Fact[] }[] {
  const inOne: WireFrame[] = [{ opcode: Text, payload }];
  const given = (how: string): Fact[] => [
    ['payload', show(payload)],
    ['sent', how],
  ];
  const ways = [{ bytes: join(...inOne.map(wire)), given: given('in one frame') }];
  for (let at = 1; at < Math.min(payload.length, 12); at++) {
    const bytes = join(
      wire({ opcode: Text, payload: payload.slice(0, at), fin: false }),
      wire({ opcode: Continuation, payload: payload.slice(at) }),
    );
    ways.push({ bytes, given: given(`in two fragments, cut after byte ${at}`) });
  }
  return ways;
}

/** Says why bytes aren't text. */
function whyWrong(bytes: Uint8Array): string {
  const { wrongAt } = decodeUtf8([...bytes]);
  if (wrongAt === undefined) return 'it ends inside a character';
  return `byte ${wrongAt}, ${toHex(bytes.subarray(wrongAt, wrongAt + 1))}, cannot be there`;
}

function utf8Mistake(actual: unknown, bytes: Uint8Array): string | undefined {
  if (!Array.isArray(actual)) return undefined;
  if (actual.length === 0) {
    return 'Nothing was returned, and nothing was thrown. When the last fragment is there, there is nothing to wait for.';
  }
  if (String(actual[0]?.data).includes('\ufffd')) {
    return 'The decoder put U+FFFD where the wrong bytes were. Ask it to throw instead: fatal.';
  }
  if (!decodeUtf8([...bytes]).isCut) return undefined;
  return 'What is left of a character at the end was dropped. Tell the decoder which piece is the last.';
}

const oracle = new TextDecoder('utf-8', { ignoreBOM: true });

/** Reads the valid strings of each group, and refuses the invalid ones. */
const UTF8: readonly Scenario<Lesson>[] = UTF8_GROUPS.flatMap(({ what, valid, invalid }) => {
  const read: Scenario<Lesson> = {
    what: `Read valid UTF-8: ${what}.`,
    rules: [106],
    check({ MessageReader }) {
      for (const hex of valid) {
        const payload = fromHex(hex);
        const reads = `Read valid UTF-8: ${what}.`;
        for (const { bytes, given } of sendings(payload)) {
          const messages = () => readAll(new MessageReader(), [bytes]);
          equal(messages, [text(oracle.decode(payload))], reads, { given });
        }
      }
    },
  };
  const refuse: Scenario<Lesson> = {
    what: `Refuse what is not UTF-8: ${what}.`,
    rules: [106, 138],
    check({ MessageReader }) {
      for (const hex of invalid) {
        const why = whyWrong(fromHex(hex));
        const refuses = `Refuse what is not UTF-8: ${what}.`;
        for (const { bytes, given } of sendings(fromHex(hex))) {
          const messages = () => readAll(new MessageReader(), [bytes]);
          failsWith(CloseCode.InvalidPayload, messages, refuses, {
            given: [...given, ['not UTF-8', why]],
            cause: (actual) => utf8Mistake(actual, fromHex(hex)),
          });
        }
      }
    },
  };
  return [...(valid.length > 0 ? [read] : []), ...(invalid.length > 0 ? [refuse] : [])];
});

// ── Looking at a payload that is still arriving ─────────────────────────────────────────────────

const HELLO = wire({ opcode: Text, payload: 'Hello' });

/** A reader of which nine bytes of the frame are there: its header, and three of its payload. */
function insideHello({ FrameReader }: Lesson): FrameReader {
  const reader = new FrameReader();
  const bytes = HELLO.slice(0, 9);
  reader.push(bytes);
  equal(() => reader.read(), undefined, 'The frame has not ended.', { given: arrived(bytes) });
  return reader;
}

/** Looking changes nothing. */
const PEEKING: readonly Scenario<Lesson>[] = [
  {
    what: 'There is nothing to see yet.',
    rules: [],
    check({ FrameReader }) {
      const reader = new FrameReader();
      equal(() => reader.peek(), utf8(''), 'There is nothing to see yet.');
    },
  },
  {
    what: 'A header is not payload.',
    rules: [],
    check({ FrameReader }) {
      for (let length = 1; length <= 6; length++) {
        const reader = new FrameReader();
        const given = arrived(HELLO.slice(0, length));
        reader.push(HELLO.slice(0, length));
        equal(() => reader.read(), undefined, 'The frame has not ended.', { given });
        equal(() => reader.peek(), utf8(''), 'A header is not payload.', { given });
      }
    },
  },
  {
    what: 'See the payload from any byte on.',
    rules: [],
    check(lesson) {
      const reader = insideHello(lesson);
      let before = 'nothing';
      for (const [from, seen] of [
        [0, 'Hel'],
        [2, 'l'],
        [3, ''],
        [0, 'Hel'],
      ] as const) {
        equal(() => reader.peek(from), utf8(seen), `See the payload from byte ${from} on.`, {
          given: [...arrived(HELLO.slice(0, 9)), ['before', before]],
          cause: (actual) => peekMistake(actual, from),
        });
        before = `peek(${from})`;
      }
    },
  },
  {
    what: 'Peeking takes nothing away.',
    rules: [],
    check(lesson) {
      const reader = insideHello(lesson);
      reader.peek();
      reader.peek(2);
      reader.push(HELLO.slice(9));
      equal(() => reader.read(), frame(Text, 'Hello'), 'Peeking takes nothing away.', {
        given: arrived(HELLO),
        cause: () => UNMASKED_TWICE,
      });
      equal(() => reader.peek(), utf8(''), 'After the frame, there is nothing to see.');
    },
  },
];

/** Says what has been done to the bytes from `from` on, when that can be seen. */
function peekMistake(actual: unknown, from: number): string | undefined {
  if (!(actual instanceof Uint8Array) || actual.length === 0) return undefined;
  const arrived = HELLO.slice(6, 9).subarray(from);
  if (Buffer.compare(actual, arrived) === 0) {
    return 'These bytes are masked: never unmasked, or twice. Unmask a copy of what waits.';
  }
  if (Buffer.compare(actual, masked(arrived, KEY)) === 0) {
    return 'They are unmasked as if they were the first of the payload: `position` says where they are.';
  }
  return undefined;
}

const UNMASKED_TWICE =
  'Does `peek` unmask the bytes that wait? Then they are unmasked twice. Copy them.';

// ── Failing fast ────────────────────────────────────────────────────────────────────────────────

const GOOD = fromHex('ce ba e1 bd b9 cf 83 ce bc ce b5'); // κόσμε
const WRONG = fromHex('f4 90 80 80'); // beyond U+10FFFF

const WHY_WRONG: Fact = ['not UTF-8', 'f4 90: that would be beyond U+10FFFF'];

/** Behind these frames comes one whose payload is wrong in the middle, up to that place. */
function refusesInside(
  what: string,
  before: readonly Uint8Array[],
  opcode: number,
): Scenario<Lesson> {
  return {
    what,
    rules: [138],
    check({ MessageReader }) {
      const reader = new MessageReader();
      const frame = wire({ opcode, payload: join(GOOD, WRONG, utf8('edited')) });
      const good = join(...before, frame.slice(0, 6 + GOOD.length));
      const bytes = join(good, frame.slice(6 + GOOD.length, 6 + GOOD.length + 2));
      reader.push(good);
      const open = 'The first bytes of a text frame are fine, and not the end.';
      equal(() => reader.read(), undefined, open, { given: arrived(good) });
      reader.push(bytes.slice(good.length));
      failsWith(CloseCode.InvalidPayload, () => reader.read(), what, {
        given: [...arrived(bytes, deliver(bytes, [good.length])), WHY_WRONG],
        label: '`read` returned',
      });
    },
  };
}

/** A wrong byte ends the connection when it arrives, not when the message ends. */
const FAIL_FAST: readonly Scenario<Lesson>[] = [
  {
    what: 'Refuse a fragment that is not UTF-8 at once; do not wait for the end of the message.',
    rules: [138],
    check({ MessageReader }) {
      const reader = new MessageReader();
      const first = wire({ opcode: Text, payload: GOOD, fin: false });
      reader.push(first);
      const open = 'The first fragment of a text is fine, and not the end.';
      equal(() => reader.read(), undefined, open, { given: arrived(first) });
      const second = wire({ opcode: Continuation, payload: WRONG, fin: false });
      const both = join(first, second);
      reader.push(second);
      failsWith(
        CloseCode.InvalidPayload,
        () => reader.read(),
        'Refuse a fragment that is not UTF-8 at once; do not wait for the end of the message.',
        { given: [...arrived(both, deliver(both, [first.length])), WHY_WRONG] },
      );
    },
  },
  {
    what: 'Refuse half a character, when the last fragment is empty.',
    rules: [106, 138],
    check({ MessageReader }) {
      const bytes = join(
        wire({ opcode: Text, payload: Uint8Array.of(0xc3), fin: false }),
        wire({ opcode: Continuation }),
      );
      const refuse = () => readAll(new MessageReader(), [bytes]);
      const what = 'Refuse half a character, when the last fragment is empty.';
      const cause = () => 'Tell the decoder that the text has ended, also with no bytes.';
      failsWith(CloseCode.InvalidPayload, refuse, what, { given: arrived(bytes), cause });
    },
  },
  refusesInside(
    'Refuse a wrong byte in the middle of a frame at once; do not wait for the end of the frame.',
    [],
    Text,
  ),
  refusesInside(
    'Refuse a wrong byte in the middle of a continuation at once, too.',
    [wire({ opcode: Text, payload: 'fine', fin: false })],
    Continuation,
  ),
  {
    what: 'Refuse a letter in the middle of a character.',
    rules: [106, 138],
    check({ MessageReader }) {
      const bytes = join(
        wire({ opcode: Text, payload: Uint8Array.of(0xc3), fin: false }),
        wire({ opcode: Continuation, payload: 'a', fin: false }),
        wire({ opcode: Continuation, payload: Uint8Array.of(0xa9) }),
      );
      const refuse = () => readAll(new MessageReader(), [bytes]);
      const what = 'Refuse a letter in the middle of a character.';
      const cause = () =>
        'c3 waits for the second half of its character. A letter is not that: give each byte to the decoder, letters too.';
      failsWith(CloseCode.InvalidPayload, refuse, what, { given: arrived(bytes), cause });
    },
  },
];

export const TEXT: readonly Scenario<Lesson>[] = [
  ...ONE_FRAME_TEXTS.map((data) =>
    conversation({
      what: `the text ${show(data)}`,
      rules: [106],
      frames: [{ opcode: Text, payload: data }],
      messages: [text(data)],
    }),
  ),
  conversation(CUT_TEXTS),
  ...IN_PIECES,
  TWO_READERS,
  ...UTF8,
  ...PEEKING,
  ...FAIL_FAST,
  {
    what: 'Read a frame of 1 MiB in small reads.',
    rules: [],
    check({ MessageReader }) {
      const whole = (payload: Uint8Array) => text(oracle.decode(payload));
      linearCost(() => new MessageReader(), Text, whole);
    },
  },
];

/** Lesson 03, steps 4 to 6: control frames, fragments, and text. */
import { equal, throws } from '../../../shared/harness/check.ts';
import { same } from '../../../shared/harness/difference.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import { frame, utf8 } from '../../../shared/kit/frames.ts';
import { type Frame, Opcode } from '../../../shared/protocol.ts';
import { count } from '../../../shared/view/count.ts';
import { fromHex, quote } from '../../../shared/view/hex.ts';
import { tellText, textMistake } from './texts.ts';
import type { Lesson } from './tools.ts';

const { Binary, Close, Continuation, Ping, Pong, Text } = Opcode;

type Control = readonly [name: string, opcode: number];
const CONTROLS: readonly Control[] = [
  ['Close', Close],
  ['Ping', Ping],
  ['Pong', Pong],
];

function makesControl([name, opcode]: Control, length: number): Scenario<Lesson> {
  return {
    what: `Make a ${name} with ${length} bytes of payload.`,
    rules: [84, 93],
    check({ controlFrame }) {
      const payload = new Uint8Array(length).fill(7);
      equal(() => controlFrame(opcode, payload), frame(opcode, payload), 'Make a control frame.', {
        given: [
          ['call', `controlFrame(${opcode}, payload)`],
          ['payload', show(payload)],
        ],
      });
    },
  };
}

function makesEmptyControl([name, opcode]: Control): Scenario<Lesson> {
  return {
    what: `Make an empty ${name} where no payload is given.`,
    rules: [84, 93],
    check({ controlFrame }) {
      equal(() => controlFrame(opcode), frame(opcode), 'Without a payload, it is empty.', {
        given: [['call', `controlFrame(${opcode})`]],
      });
    },
  };
}

function refusesPayload([name, opcode]: Control, length: number): Scenario<Lesson> {
  return {
    what: `Refuse a ${name} with ${length} bytes of payload.`,
    rules: [92],
    check({ controlFrame }) {
      throws(
        RangeError,
        () => controlFrame(opcode, new Uint8Array(length)),
        'Refuse a payload that a control frame cannot carry: 125 bytes is the most.',
        { given: [['call', `controlFrame(${opcode}, payload of ${length} bytes)`]] },
      );
    },
  };
}

function refusesOpcode(opcode: number): Scenario<Lesson> {
  return {
    what: `Refuse opcode ${opcode}, which is not that of a control frame.`,
    rules: [],
    check({ controlFrame }) {
      throws(
        RangeError,
        () => controlFrame(opcode, utf8('x')),
        'Refuse an opcode that is not Close, Ping or Pong.',
        {
          given: [['call', `controlFrame(${opcode}, "x" in UTF-8)`]],
          cause: () =>
            Number.isInteger(opcode)
              ? undefined
              : 'It lies between two of them, and is none: ask whether it is 8, 9 or 10.',
        },
      );
    },
  };
}

/** What is wrong with a Pong, where it is its opcode. */
export function pongMistake(actual: unknown): string | undefined {
  const { opcode = undefined } = (actual ?? {}) as Partial<Frame>;
  return opcode === Ping
    ? 'That is a Ping again: two peers that respond like this never stop. A Pong has opcode 10.'
    : undefined;
}

function answersPing(what: string, hex: string): Scenario<Lesson> {
  return {
    what: `Answer ${what} with its payload.`,
    rules: [103, 104],
    check({ pongFor }) {
      const ping = frame(Ping, fromHex(hex));
      const pong = frame(Pong, fromHex(hex));
      equal(() => pongFor(ping), pong, 'A Pong has the payload of its Ping.', {
        cause: pongMistake,
        given: [
          ['call', 'pongFor(ping)'],
          ['ping', show(ping)],
        ],
      });
    },
  };
}

/** Step 4 · Ping, pong, and what to refuse. */
export const controls: readonly Scenario<Lesson>[] = [
  ...CONTROLS.flatMap((kind) => [0, 5, 125].map((length) => makesControl(kind, length))),
  ...CONTROLS.map(makesEmptyControl),
  ...CONTROLS.flatMap((kind) => [126, 127, 65536].map((length) => refusesPayload(kind, length))),
  ...[Continuation, Text, Binary, 3, 7, 11, 15, 16, -1, 8.5].map(refusesOpcode),
  answersPing('an empty Ping', ''),
  answersPing('a Ping with text', '"Hello"'),
  answersPing('a Ping with bytes that are not text', 'fe ff'),
  answersPing('a Ping of 125 bytes', '00'.repeat(125)),
];

/** Makes the frames of a message whose payload is in these pieces. */
export function framesOf(opcode: number, pieces: readonly (Uint8Array | string)[]): Frame[] {
  return pieces.map((piece, i) =>
    frame(i === 0 ? opcode : Continuation, piece, i === pieces.length - 1),
  );
}

function cuts(opcode: number, data: string, maxPayload: number, pieces: string[]) {
  const what = `Cut ${quote(data)} into frames of at most ${count(maxPayload, 'byte')}.`;
  return {
    what,
    rules: pieces.length > 1 ? [83, 85, 90, 111, 112, 113] : [111, 112, 113],
    check({ fragment }: Lesson) {
      const bytes = utf8(data);
      const expected = framesOf(opcode, pieces);
      equal(() => fragment(opcode, bytes, maxPayload), expected, what, {
        given: [['call', `fragment(${opcode}, ${quote(data)} in UTF-8, ${maxPayload})`]],
        cause: (actual) => fragmentMistake(actual, expected),
      });
      equal(() => bytes, utf8(data), 'The data belongs to the caller: do not change it.', {
        given: [['call', `fragment(${opcode}, data, ${maxPayload})`]],
        label: 'the data, afterwards',
      });
    },
  };
}

const payloadOf = (frame: Partial<Frame> | undefined) => frame?.payload;

/** What is wrong with fragments, where it is one thing. */
export function fragmentMistake(actual: unknown, expected: readonly Frame[]): string | undefined {
  if (!Array.isArray(actual) || actual.length < 2) return undefined;
  const frames = actual as (Partial<Frame> | undefined)[];
  const opcode = expected[0]?.opcode;
  if (same(frames.toReversed(), expected)) return 'The frames are right, but the last comes first.';
  if (frames[0]?.opcode !== opcode) {
    return `The first frame has the opcode of the message, which is ${opcode} here.`;
  }
  if (frames.slice(1).some((frame) => frame?.opcode === opcode)) {
    return 'Only the first frame has the opcode of the message. The others continue it: opcode 0.';
  }
  if (!frames.at(-1)?.fin) return 'The last frame has FIN set, or the receiver waits for ever.';
  if (frames.slice(0, -1).some((frame) => frame?.fin)) {
    return 'FIN on a frame says that none follows it.';
  }
  if (
    frames.length > expected.length &&
    same(frames.slice(0, -1).map(payloadOf), expected.map(payloadOf))
  ) {
    return 'All the data is in the frames before it: the last of those ends the message, and no empty one follows.';
  }
  if (frames.slice(1).every((frame) => frame?.payload?.length === 0)) {
    return 'All payloads but the first are empty. `subarray` takes where a part starts and where it ends, not how long it is.';
  }
  return undefined;
}

/** Step 5 · A message in fragments. */
export const fragments: readonly Scenario<Lesson>[] = [
  cuts(Text, 'Hello', 3, ['Hel', 'lo']),
  cuts(Text, 'Hello', 5, ['Hello']),
  cuts(Text, 'Hello', 6, ['Hello']),
  cuts(Text, 'Hello', 1, ['H', 'e', 'l', 'l', 'o']),
  cuts(Binary, 'abcdef', 2, ['ab', 'cd', 'ef']),
  cuts(Binary, 'abcdefg', 3, ['abc', 'def', 'g']),
  cuts(Text, '', 4, ['']),
  ...[Continuation, Close, Ping, Pong, 3].map((opcode) => ({
    what: `Refuse opcode ${opcode}, which is not that of a message.`,
    rules: [],
    check({ fragment }: Lesson) {
      const given: Fact[] = [['call', `fragment(${opcode}, "x" in UTF-8, 10)`]];
      const cut = () => fragment(opcode, utf8('x'), 10);
      throws(RangeError, cut, 'Refuse what cannot be fragmented.', { given });
    },
  })),
  ...[0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY].map((maxPayload) => ({
    what: `Refuse frames of at most ${maxPayload} bytes.`,
    rules: [],
    check({ fragment }: Lesson) {
      const given: Fact[] = [['call', `fragment(1, "x" in UTF-8, ${maxPayload})`]];
      const cut = () => fragment(Text, utf8('x'), maxPayload);
      throws(RangeError, cut, 'Refuse such a size.', {
        given,
        cause: () => (maxPayload > 0 ? 'A size is a whole number, from 1 up.' : undefined),
      });
    },
  })),
];

const TEXTS: readonly (readonly [text: string, hex: string])[] = [
  ['', ''],
  ['Hello', '48 65 6c 6c 6f'],
  ['é', 'c3 a9'],
  ['€', 'e2 82 ac'],
  ['😀', 'f0 9f 98 80'],
  ['é€😀', 'c3 a9 e2 82 ac f0 9f 98 80'],
  ['你好，世界', 'e4 bd a0 e5 a5 bd ef bc 8c e4 b8 96 e7 95 8c'],
  ['a\u0000b', '61 00 62'],
  ['\ufeffBOM', 'ef bb bf 42 4f 4d'],
];

/** Step 6 · Strings are not bytes. */
export const strings: readonly Scenario<Lesson>[] = [
  ...TEXTS.map(([text, hex]) => ({
    what: `Encode ${quote(text)} as UTF-8.`,
    rules: [106],
    check({ encodeText }: Lesson) {
      equal(() => encodeText(text), fromHex(hex), `Encode ${quote(text)} as UTF-8.`, {
        given: [['call', 'encodeText(text)'], tellText(text)],
        cause: (actual) => textMistake(actual, text),
        causeOfError: (error) => textMistake(error, text),
      });
    },
  })),
  {
    what: 'Encode a text of 200,000 bytes.',
    rules: [106],
    check({ encodeText }) {
      equal(
        () => encodeText('é'.repeat(100_000)),
        Buffer.from('c3a9'.repeat(100_000), 'hex'),
        'Encode a text of 200,000 bytes.',
        {
          given: [
            ['call', 'encodeText(text)'],
            ['text', '100,000 times "é"'],
          ],
        },
      );
    },
  },
  ...['\ud800', '\udc00', 'a\ud83d', '\ude00b', '\ud83d\ud83d\ude00'].map((text) => ({
    what: `Refuse ${quote(text)}, which has half of a surrogate pair.`,
    rules: [],
    check({ encodeText }: Lesson) {
      throws(
        TypeError,
        () => encodeText(text),
        'Refuse half of a surrogate pair: there is no UTF-8 for it.',
        { given: [['call', 'encodeText(text)'], tellText(text)] },
      );
    },
  })),
];

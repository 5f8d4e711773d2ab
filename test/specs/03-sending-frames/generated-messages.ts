/** Lesson 03, steps 4 to 6: generated control frames, fragments and texts. */
import { equal, fail, throws } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import { join } from '../../../shared/kit/frames.ts';
import { type Choices, generated } from '../../../shared/kit/generate.ts';
import { type Frame, Opcode } from '../../../shared/protocol.ts';
import { drawBytes, drawLength, FROM_START } from './draw.ts';
import { fragmentMistake, framesOf, pongMistake } from './messages.ts';
import { bytesOf, pointsOf, tellText, textMistake } from './texts.ts';
import { type Lesson, SHARED_MEMORY } from './tools.ts';

const { Binary, Close, Ping, Pong, Text } = Opcode;

/** Answers a ping with this payload, and leaves the ping as it was. */
function answersPing(pongFor: Lesson['pongFor'], payload: Uint8Array): void {
  const ping: Frame = { fin: true, opcode: Ping, payload };
  const before = { ...ping, payload: new Uint8Array(payload) };
  const given: Fact[] = [
    ['call', 'pongFor(ping)'],
    ['ping', show(before)],
  ];
  const what = 'A Pong has the payload of its Ping, whatever that is.';
  const pong = { ...before, opcode: Pong };
  equal(() => pongFor(ping), pong, what, { given, cause: pongMistake });
  equal(() => ping, before, 'The ping belongs to the caller: leave it as it was.', {
    given,
    label: 'the ping, afterwards',
  });
}

/** Step 4, generated. */
export const anyControls: Scenario<Lesson> = {
  what: 'Make control frames of any opcode and payload, or refuse them.',
  rules: [84, 92, 93, 103, 104],
  check: ({ controlFrame, pongFor }) =>
    generated(60, (choose) => {
      const opcode = choose.pick([Ping, Close, Pong, choose.below(17), choose.below(300) - 20]);
      const { bytes, where } = drawBytes(choose, drawLength(choose, 300));
      const payload = new Uint8Array(bytes);
      const isLegal = [Close, Ping, Pong].some((legal) => legal === opcode) && bytes.length <= 125;
      const given: Fact[] = [
        ['call', `controlFrame(${opcode}, payload)`],
        ['payload', [`${bytes.length} bytes`, ...(where ? [where] : [])].join('; ')],
      ];
      const made = { fin: true, opcode, payload };
      const make = () => controlFrame(opcode, bytes);
      if (isLegal) equal(make, made, 'Make a control frame with this payload.', { given });
      else throws(RangeError, make, 'Refuse what is not a control frame.', { given });
      equal(() => bytes, payload, 'The payload belongs to the caller: leave it as it was.', {
        given,
        label: 'afterwards',
      });
      if (bytes.length > 125) return;
      answersPing(pongFor, bytes);
    }),
};

/** Sizes that are whole numbers from 1 up, and that arithmetic on 32 bits does not know. */
const LARGE = [2 ** 31, 2 ** 32, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER];
const NO_SIZES = [0, -1, 0.5, 1.5, -(2 ** 32), Number.NaN, Number.POSITIVE_INFINITY];

function pieces(data: Uint8Array, maxPayload: number): Uint8Array[] {
  if (data.length === 0) return [data];
  const all: Uint8Array[] = [];
  for (let at = 0; at < data.length; at += maxPayload) all.push(data.slice(at, at + maxPayload));
  return all;
}

/** Looks whether the payloads are in the memory of the data: writes there, and reads them again. */
function areViews(frames: readonly Frame[], data: Uint8Array, given: readonly Fact[]): void {
  const before = new Uint8Array(data);
  for (const [i, byte] of before.entries()) data[i] = byte ^ 0xff;
  let at = 0;
  for (const [i, { payload }] of frames.entries()) {
    const expected = data.slice(at, at + payload.length);
    if (Buffer.compare(payload, expected) !== 0) {
      fail(
        'The payloads of fragments are views into the data.',
        [...given, ['data becomes', show(data)], [`payload ${i + 1}`, `stays ${show(payload)}`]],
        'The data was copied. `subarray` gives a part of an array without that.',
      );
    }
    at += payload.length;
  }
  data.set(before);
}

function readsFromStart(actual: unknown, { buffer, length }: Uint8Array): string | undefined {
  if (!Array.isArray(actual)) return undefined;
  const payloads = (actual as Partial<Frame>[]).map(({ payload = new Uint8Array() }) => payload);
  const isThat = Buffer.compare(join(...payloads), new Uint8Array(buffer, 0, length)) === 0;
  return isThat ? FROM_START : undefined;
}

function sizeMistake(error: unknown, maxPayload: number): string | undefined {
  return error instanceof RangeError && maxPayload >= 2 ** 31
    ? `${maxPayload} is a whole number from 1 up. Does a bit operator look at it, such as \`| 0\`? Those see 32 bits.`
    : undefined;
}

/** Cuts a message. Returns how to look at its frames again. */
function cutsMessage({ fragment }: Lesson, choose: Choices): () => void {
  const opcode = choose.pick([Binary, Text]);
  const { bytes, where } = drawBytes(choose, choose.below(choose.pick([10, 300])));
  const size = 1 + choose.below(choose.pick([10, 300]));
  const maxPayload = choose.oneIn(8) ? choose.pick(LARGE) : size;
  const before = new Uint8Array(bytes);
  const given: Fact[] = [
    ['call', `fragment(${opcode}, data, ${maxPayload})`],
    ['data', [`${bytes.length} bytes`, show(before), ...(where ? [where] : [])].join('; ')],
  ];
  const what = 'Cut any data into frames of at most so many bytes.';
  let frames: Frame[] = [];
  const cut = () => {
    frames = fragment(opcode, bytes, maxPayload);
    return frames;
  };
  const expected = framesOf(opcode, pieces(before, maxPayload));
  equal(cut, expected, what, {
    given,
    cause: (actual) => readsFromStart(actual, bytes) ?? fragmentMistake(actual, expected),
    causeOfError: (error) => sizeMistake(error, maxPayload),
  });
  equal(() => bytes, before, 'The data belongs to the caller: leave it as it was.', {
    given,
    label: 'afterwards',
  });
  areViews(frames, bytes, given);
  return () =>
    equal(() => frames, expected, 'The frames stay as they are when another message is cut.', {
      given,
      label: 'what it returned became',
      cause: () => 'Every call needs a list of its own.',
    });
}

/** Step 5, generated. */
export const anyFragments: readonly Scenario<Lesson>[] = [
  {
    what: 'Cut any data, wherever it is, into views of any size.',
    rules: [83, 85, 90, 111, 112, 113],
    check: (lesson) =>
      generated(40, (choose) => {
        for (const look of choose.list(2, () => cutsMessage(lesson, choose))) look();
      }),
  },
  {
    what: 'Refuse any other opcode, and any other size.',
    rules: [],
    check: ({ fragment }) =>
      generated(40, (choose) => {
        const isOpcode = choose.oneIn(2);
        const opcode = isOpcode ? choose.pick([0, 3 + choose.below(300), -1, 1.5]) : Binary;
        const maxPayload = isOpcode ? 10 : choose.pick(NO_SIZES);
        const data = choose.bytes(choose.below(20));
        throws(RangeError, () => fragment(opcode, data, maxPayload), 'Refuse what cannot be cut.', {
          given: [['call', `fragment(${opcode}, data of ${data.length} bytes, ${maxPayload})`]],
        });
      }),
  },
];

/** Texts that code which means well would change: they are as good as any other. */
const DELICATE = [
  ...['e\u0301', '\u212b', '\ufb01', '\u1100\u1161', '\u0344', '\u00c5'],
  ...['\ufffd', '\ufeff', '\u0000', ' ', '\r\n', '\u2028', '\u200d', '\uffff', '\u{10ffff}'],
];

function drawPiece(choose: Choices): string {
  switch (choose.below(4)) {
    case 1:
      return choose.pick(DELICATE);
    case 2: {
      // Of each plane, its first and its last code points among others. No half of a pair.
      const place = choose.pick([choose.below(65536), 0xfffd, 0xffff, 0]);
      const point = choose.below(17) * 65536 + place;
      return String.fromCodePoint(point >= 0xd800 && point <= 0xdfff ? point + 0x1000 : point);
    }
    case 3:
      return String.fromCodePoint(choose.pick([0xe9, 0x20ac, 0x1f600, 0x7ff, 0x800, 0x7f, 0x80]));
    default:
      return String.fromCharCode(97 + choose.below(26));
  }
}

function encodesText({ encodeText }: Lesson, text: string): () => void {
  const given: Fact[] = [['call', 'encodeText(text)'], tellText(text)];
  const halves = pointsOf(text).filter((point) => point >= 0xd800 && point <= 0xdfff);
  if (halves.length > 0) {
    throws(TypeError, () => encodeText(text), 'Refuse a text with half of a surrogate pair.', {
      given,
    });
    return () => {};
  }
  const expected = bytesOf(text);
  let bytes: Uint8Array = expected;
  const encode = () => {
    bytes = encodeText(text);
    return bytes;
  };
  equal(encode, expected, 'Encode each character of the text, as it is.', {
    given,
    cause: (actual) => textMistake(actual, text),
    causeOfError: (error) => textMistake(error, text),
  });
  return () =>
    equal(() => bytes, expected, 'What was returned stays as it is when more is encoded.', {
      given,
      label: 'what it returned became',
      cause: () => SHARED_MEMORY,
    });
}

/** Step 6, generated. */
export const anyTexts: Scenario<Lesson> = {
  what: 'Encode any text as it is, or refuse it.',
  rules: [106],
  check: (lesson) =>
    generated(150, (choose) => {
      const texts = choose.list(2, () => {
        const parts = choose.list(6, () => drawPiece(choose));
        if (choose.oneIn(4)) {
          const half = String.fromCharCode(0xd800 + choose.below(0x800));
          parts.splice(choose.below(parts.length + 1), 0, half);
        }
        return parts.join('');
      });
      for (const look of texts.map((text) => encodesText(lesson, text))) look();
    }),
};

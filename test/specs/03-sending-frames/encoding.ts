/** Lesson 03, steps 1 and 2: frames as bytes. */
import { equal } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import { frame, join, utf8, wire } from '../../../shared/kit/frames.ts';
import { type Frame, isControl, Opcode } from '../../../shared/protocol.ts';
import { fromHex } from '../../../shared/view/hex.ts';
import { LENGTHS, RFC_HEADERS } from '../../vectors/frames.ts';
import { FRAMES, given, type Lesson, PAYLOAD_SIZES, SHARED_MEMORY, untouched } from './tools.ts';

const { Binary, Continuation, Ping, Text } = Opcode;

/** Encodes one short frame. */
function encodes(sent: Frame, expected: Uint8Array, message: string, what = message) {
  return {
    what,
    rules: isControl(sent.opcode) ? [68, 71] : [68, 71, 112, 113],
    check({ encodeFrame }: Lesson) {
      const about = given('encodeFrame(frame)', sent);
      equal(() => untouched(sent, encodeFrame, about), expected, message, {
        given: about,
        frames: true,
        cause: (actual) => firstBytes(actual, expected),
      });
    },
  };
}

function firstBytes(actual: unknown, expected: Uint8Array): string | undefined {
  if (!(actual instanceof Uint8Array) || actual.length < 2) return undefined;
  const [first, second] = [actual[0]! ^ expected[0]!, actual[1]! ^ expected[1]!];
  if (first & 0x80) return 'FIN, the highest bit of the first byte, is wrong.';
  if (first & 0x70) return 'An RSV bit is set: the three bits after FIN are 0.';
  if (first & 0x0f) return 'The opcode, the low four bits of the first byte, is wrong.';
  if (second & 0x80) return 'The MASK bit is wrong: a server never masks.';
  if (second) return 'The length, the low seven bits of the second byte, is wrong.';
  return undefined;
}

/** Encodes several frames into one array of bytes. They are made again for each run. */
function encodesRow(what: string, rules: readonly number[], makeFrames: () => readonly Frame[]) {
  return {
    what,
    rules,
    check({ encodeFrames }: Lesson) {
      const frames = makeFrames();
      const parts = frames.map((sent) => wire({ ...sent, key: null }));
      const payloads = frames.map(({ payload }) => payload);
      const before = payloads.map((payload) => new Uint8Array(payload));
      const lengths = payloads.map(({ length }) => length).join(', ');
      const short = payloads.every(({ length }) => length < 100);
      equal(() => encodeFrames(frames), join(...parts), what, {
        given: [
          ['call', 'encodeFrames(frames)'],
          short ? ['frames', show(frames)] : ['payloads', `of ${lengths} bytes`],
        ],
        frames: true,
        cause: (actual) => rowMistake(actual, parts),
        causeOfError: (error) => rowMistake(error, parts),
      });
      equal(() => payloads, before, 'The payloads belong to the caller: do not change them.', {
        label: 'afterwards',
      });
    },
  };
}

function rowMistake(actual: unknown, parts: readonly Uint8Array[]): string | undefined {
  if (Array.isArray(actual)) return 'Return one array of bytes for all frames, not one for each.';
  if (actual instanceof RangeError && /bound|range/i.test(actual.message)) {
    return 'There is not enough room. Each frame needs its payload and a header, which may have 2, 4 or 10 bytes.';
  }
  if (!(actual instanceof Uint8Array)) return undefined;
  let start = 0;
  for (const [i, expected] of parts.entries()) {
    const end = start + expected.length;
    if (Buffer.compare(actual.subarray(start, end), expected) !== 0) {
      const where = `Frame ${i + 1} of ${parts.length}, at byte ${start}, is the first that is wrong.`;
      return `${where} Each frame begins where the one before it ends, header and payload.`;
    }
    start = end;
  }
  return 'After the last frame there is nothing: the receiver would take it for the next frame.';
}

const hello = () => frame(Text, 'Hello');
const fragments = () => [frame(Text, 'Hel', false), frame(Ping, 'p'), frame(Continuation, 'lo')];

/** Step 1 · The shortest text frame. */
export const shortest: readonly Scenario<Lesson>[] = [
  ...FRAMES.filter(({ expected }) => !expected.masked).map(({ what, wire: hex, expected }) =>
    encodes(frame(expected.opcode, expected.text, expected.fin), fromHex(hex), `Encode ${what}.`),
  ),
  ...Object.entries(Opcode).flatMap(([name, opcode]) =>
    [true, false].map((fin) => {
      const sent = frame(opcode, 'x', fin);
      const what = `Encode a ${name} frame ${fin ? 'with' : 'without'} FIN.`;
      return encodes(sent, wire({ ...sent, key: null }), 'FIN and opcode share a byte.', what);
    }),
  ),
  ...[0, 1, 100].map((length) => {
    const sent = frame(Text, 'x'.repeat(length));
    return encodes(sent, wire({ ...sent, key: null }), `Encode a text of ${length} bytes.`);
  }),
  encodesRow('Encode a single frame.', [111], () => [hello()]),
  encodesRow('Encode two frames, one after the other.', [111], () => [
    hello(),
    frame(Binary, 'World!'),
  ]),
  encodesRow('Encode fragments with a ping in between.', [111], fragments),
  encodesRow('Encode frames without a payload, and one with.', [111], () => [
    frame(Ping),
    frame(Text),
    hello(),
  ]),
  encodesRow('Encode a payload that is a view into a larger buffer.', [111], () => [
    frame(Binary, utf8('before, middle, after').subarray(8, 14)),
    hello(),
  ]),
  encodesRow('Encode the same frame three times.', [111], () => {
    const same = hello();
    return [same, same, same];
  }),
  encodesRow('Encode no frames, which are no bytes.', [], () => []),
  {
    what: 'Return memory that nobody uses again.',
    rules: [],
    check({ encodeFrames }) {
      const first = encodeFrames(fragments());
      const before = new Uint8Array(first);
      encodeFrames([frame(Binary, 'something else')]);
      equal(() => first, before, 'Return memory that nobody uses again.', {
        given: [
          ['call', 'encodeFrames(frames), and then encodeFrames of others'],
          ['frames', show(fragments())],
        ],
        label: 'what it returned became',
        cause: () => SHARED_MEMORY,
      });
    },
  },
];

/** Encodes the header of a payload of this length, then the whole frame. */
function encodesLength(what: string, opcode: number, length: number, hex: string) {
  return {
    what,
    rules: length > 65535 ? [74, 75] : [75],
    check({ encodeFrame }: Lesson) {
      const header = fromHex(hex);
      const payload = Uint8Array.from({ length }, (_, i) => (i * 31) & 255);
      const given: Fact[] = [['call', `encodeFrame(frame), payload of ${length} bytes`]];
      let whole: unknown;
      equal(
        () => {
          whole = encodeFrame(frame(opcode, payload));
          return start(whole, header.length);
        },
        header,
        what,
        {
          given,
          frames: true,
          cause: () => lengthMistake(whole, length),
          causeOfError: (error) => lengthMistake(error, length),
        },
      );
      equal(
        () => untouched(frame(opcode, payload), encodeFrame, given),
        join(header, payload),
        `Encode a frame of ${length} bytes, header and payload.`,
        { given, frames: true },
      );
    },
  };
}

/** The first bytes of what was returned, if it is bytes at all. */
function start(bytes: unknown, length: number): unknown {
  return bytes instanceof Uint8Array ? bytes.subarray(0, length) : bytes;
}

function lengthMistake(bytes: unknown, length: number): string | undefined {
  if (bytes instanceof RangeError && length === 65536 && bytes.message.includes('<= 65535')) {
    return '65536 does not fit into 16 bits: 65535 is the last that does.';
  }
  if (!(bytes instanceof Uint8Array)) return undefined;
  const form = bytes[1]! & 0x7f;
  const right = length > 65535 ? 127 : length > 125 ? 126 : length;
  if (form !== right && form >= 126 && right < form) {
    return 'The length has to be in the shortest form that has room for it: up to 125 in the second byte, up to 65535 in 16 bits.';
  }
  if (form !== right) {
    return `${length} does not fit into this form: 125 is the last for the second byte, 65535 the last for 16 bits.`;
  }
  if (right < 126) return undefined;
  if (bytes.length === 2 + length) {
    return `${right} in the second byte announces that the length follows, and here the payload does.`;
  }
  const digits = bytes.slice(2, right === 127 ? 10 : 4);
  const value = digits.reduce((sum, byte) => sum * 256 + byte, 0);
  const reversed = digits.toReversed().reduce((sum, byte) => sum * 256 + byte, 0);
  if (reversed === length)
    return 'The bytes of the length are in reverse: the highest comes first.';
  if (right === 127 && value === length * (2 ** 32 + 1)) {
    return 'In JavaScript, `n >> 32` is `n >> 0`: shifts count modulo 32. `writeBigUInt64BE` of a Buffer, or `setBigUint64` of a DataView, writes all eight bytes.';
  }
  if (right === 127 && value >= 2 ** 32) {
    return 'The length has eight bytes here, and the lowest comes last: the first four are 0.';
  }
  return undefined;
}

/** Binary frames with payloads of these sizes. */
function ofSizes(...sizes: readonly number[]): Frame[] {
  return sizes.map((size, i) => frame(Binary, new Uint8Array(size).fill(i + 1)));
}

/** Step 2 · Lengths at the boundaries. */
export const lengths: readonly Scenario<Lesson>[] = [
  ...RFC_HEADERS.map(({ what, wire: hex, expected: { opcode, length } }) =>
    encodesLength(`Write ${what}.`, opcode, length, hex),
  ),
  ...LENGTHS.filter(([length]) => PAYLOAD_SIZES.includes(length)).map(([length, hex]) =>
    encodesLength(`Write a length of ${length}.`, Binary, length, hex),
  ),
  encodesRow('Encode a length in 16 bits between short ones.', [75], () => ofSizes(5, 126, 5)),
  encodesRow('Encode a length in 64 bits between short ones.', [74, 75], () =>
    ofSizes(0, 65536, 5),
  ),
  encodesRow('Encode lengths of all three forms.', [74, 75], () =>
    ofSizes(65535, 1, 65536, 125, 126),
  ),
];

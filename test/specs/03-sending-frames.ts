import { attempt, equal, fail, throws } from '../../shared/harness/check.ts';
import type { Fact } from '../../shared/harness/facts.ts';
import { show } from '../../shared/harness/show.ts';
import type { Spec } from '../../shared/harness/spec.ts';
import { frame, join, KEY, utf8, wire } from '../../shared/kit/frames.ts';
import { randomly } from '../../shared/kit/replay.ts';
import { type Frame, Opcode } from '../../shared/protocol.ts';
import { fromHex, quote, toHex } from '../../shared/view/hex.ts';
import type * as Sending from '../../solutions/03-sending-frames/sending.ts';
import { LENGTHS, PUBLISHED_FRAMES, RFC_FRAMES, RFC_HEADERS } from '../vectors/frames.ts';

type Lesson = typeof Sending;

const { Binary, Close, Continuation, Ping, Pong, Text } = Opcode;
const FRAMES = [...RFC_FRAMES, ...PUBLISHED_FRAMES];

function given(frame: Frame): Fact[] {
  return [['frame', show(frame)]];
}

/** Runs the code on a frame, and makes sure that the caller's payload is as it was. */
function untouched<T>(sent: Frame, encode: (frame: Frame) => T): T {
  const before = sent.payload.slice();
  const result = encode(sent);
  equal(() => sent.payload, before, 'The payload belongs to the caller: do not change it.', {
    cause: () => '`subarray`, and `slice` of a Buffer, share memory. Work on a copy.',
  });
  return result;
}

/** The first bytes of what was returned, if it is bytes at all. */
function start(bytes: unknown, length: number): unknown {
  return bytes instanceof Uint8Array ? bytes.subarray(0, length) : bytes;
}

function shortest(lesson: Lesson): void {
  const { encodeFrame } = lesson;
  const check = (sent: Frame, expected: Uint8Array, what: string) =>
    equal(() => untouched(sent, encodeFrame), expected, what, {
      given: given(sent),
      frames: true,
      cause: (actual) => firstBytes(actual, expected),
    });
  for (const { what, wire: hex, expected } of FRAMES) {
    if (expected.masked) continue;
    check(frame(expected.opcode, expected.text, expected.fin), fromHex(hex), `Encode ${what}.`);
  }
  for (const opcode of [Continuation, Text, Binary, Close, Ping, Pong]) {
    for (const fin of [true, false]) {
      const sent = frame(opcode, 'x', fin);
      check(sent, wire({ ...sent, key: null }), 'FIN and opcode share a byte.');
    }
  }
  for (const length of [0, 1, 100]) {
    const sent = frame(Text, 'x'.repeat(length));
    check(sent, wire({ ...sent, key: null }), `Encode a text of ${length} bytes.`);
  }
  shortRows(lesson);
}

/** Several short frames in one array of bytes. */
function shortRows({ encodeFrames }: Lesson): void {
  const hello = frame(Text, 'Hello');
  const fragments = [frame(Text, 'Hel', false), frame(Ping, 'p'), frame(Continuation, 'lo')];
  const view = frame(Binary, utf8('before, middle, after').subarray(8, 14));
  const rows: [what: string, frames: Frame[]][] = [
    ['Encode a single frame.', [hello]],
    ['Encode two frames, one behind the other.', [hello, frame(Binary, 'World!')]],
    ['Encode fragments with a ping in between.', fragments],
    ['Encode frames without a payload, and one with.', [frame(Ping), frame(Text), hello]],
    ['Encode a payload that is a view into a larger buffer.', [view, hello]],
    ['Encode the same frame three times.', [hello, hello, hello]],
    ['Encode no frames, which are no bytes.', []],
  ];
  for (const [what, frames] of rows) inARow(encodeFrames, frames, what);

  const first = encodeFrames(fragments);
  const before = new Uint8Array(first);
  encodeFrames([frame(Binary, 'something else')]);
  equal(() => first, before, 'Return memory that nobody uses again.', {
    given: [['frames', `${show(fragments)}, and then others`]],
    label: 'became',
    cause: () => 'What was returned may still wait to be written when the next frames are encoded.',
  });
}

/** Checks that frames become the bytes of each, one behind the other. */
function inARow(encodeFrames: Lesson['encodeFrames'], frames: readonly Frame[], what: string) {
  const parts = frames.map((sent) => wire({ ...sent, key: null }));
  const payloads = frames.map(({ payload }) => payload);
  const before = payloads.map((payload) => new Uint8Array(payload));
  const lengths = payloads.map(({ length }) => length).join(', ');
  const short = payloads.every(({ length }) => length < 100);
  equal(() => encodeFrames(frames), join(...parts), what, {
    given: short ? [['frames', show(frames)]] : [['payloads', `of ${lengths} bytes`]],
    frames: true,
    cause: (actual) => rowMistake(actual, parts),
  });
  equal(() => payloads, before, 'The payloads belong to the caller: do not change them.');
}

function rowMistake(actual: unknown, parts: readonly Uint8Array[]): string | undefined {
  if (Array.isArray(actual)) return 'Return one array of bytes for all frames, not one for each.';
  if (actual instanceof RangeError) {
    return 'There is not enough room. Each frame needs its payload and a header, which may have 2, 4 or 10 bytes.';
  }
  if (!(actual instanceof Uint8Array)) return undefined;
  let start = 0;
  for (const [i, part] of parts.entries()) {
    const mine = actual.subarray(start, start + part.length);
    if (Buffer.compare(mine, part) !== 0) {
      const where = `Frame ${i + 1} of ${parts.length}, at byte ${start}, is the first that is wrong.`;
      return `${where} Each frame begins where the one before it ends, header and payload.`;
    }
    start += part.length;
  }
  return 'Behind the last frame there is nothing: the receiver would take it for the next frame.';
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

function lengths({ encodeFrame, encodeFrames }: Lesson): void {
  const headers: (readonly [opcode: number, length: number, hex: string])[] = [
    ...RFC_HEADERS.map(({ wire, expected }) => [expected.opcode, expected.length, wire] as const),
    ...LENGTHS.map(([length, hex]) => [Binary, length, hex] as const),
  ];
  for (const [opcode, length, hex] of headers) {
    if (length > 100_000) continue;
    const header = fromHex(hex);
    const payload = Uint8Array.from({ length }, (_, i) => (i * 31) & 255);
    equal(
      () => start(encodeFrame(frame(opcode, payload)), header.length),
      header,
      `Write the header of a frame of ${length} bytes.`,
      {
        given: [['payload', `${length} bytes`]],
        frames: true,
        cause: (actual) => lengthMistake(actual, length),
      },
    );
    equal(
      () => untouched(frame(opcode, payload), encodeFrame),
      join(header, payload),
      `Encode a frame of ${length} bytes, header and payload.`,
      { frames: true },
    );
  }
  const row = (...sizes: number[]) =>
    sizes.map((length, i) => frame(Binary, new Uint8Array(length).fill(i + 1)));
  inARow(encodeFrames, row(5, 126, 5), 'Encode a length in 16 bits between short ones.');
  inARow(encodeFrames, row(0, 65536, 5), 'Encode a length in 64 bits between short ones.');
  inARow(encodeFrames, row(65535, 1, 65536, 125, 126), 'Encode lengths of all three forms.');
}

function lengthMistake(bytes: unknown, length: number): string | undefined {
  if (bytes instanceof RangeError && length === 65536) {
    return '65536 does not fit into 16 bits: 65535 is the last that does.';
  }
  if (!(bytes instanceof Uint8Array)) return undefined;
  const form = bytes[1]! & 0x7f;
  const right = length > 65535 ? 127 : length > 125 ? 126 : length;
  if (form !== right && form >= 126 && right < form) {
    return 'The length has to be in the shortest form that holds it: up to 125 in the second byte, up to 65535 in 16 bits.';
  }
  if (form !== right) {
    return `${length} does not fit into this form: 125 is the last for the second byte, 65535 the last for 16 bits.`;
  }
  if (right < 126) return undefined;
  const digits = bytes.slice(2, right === 127 ? 10 : 4);
  const value = digits.reduce((sum, byte) => sum * 256 + byte, 0);
  const reversed = digits.toReversed().reduce((sum, byte) => sum * 256 + byte, 0);
  if (reversed === length)
    return 'The bytes of the length are in reverse: the highest comes first.';
  if (right === 127 && value >= 2 ** 32) {
    return 'In JavaScript, `n >> 32` is `n >> 0`: shifts count modulo 32. Use a DataView, or divide.';
  }
  return undefined;
}

function masking({ encodeMaskedFrame }: Lesson): void {
  for (const { what, wire: hex, expected } of FRAMES) {
    if (!expected.masked) continue;
    const sent = frame(expected.opcode, expected.text, expected.fin);
    const bytes = fromHex(hex);
    const key = bytes.slice(2, 6);
    const random = requested(key);
    equal(() => untouched(sent, (it) => encodeMaskedFrame(it, random)), bytes, `Encode ${what}.`, {
      given: [...given(sent), ['masking key', toHex(key)]],
    });
  }
  for (const [length] of LENGTHS) {
    if (length > 100_000) break;
    const sent = frame(Binary, new Uint8Array(length).fill(0x5a));
    equal(
      () => untouched(sent, (it) => encodeMaskedFrame(it, requested(KEY))),
      wire(sent),
      `Encode a masked frame of ${length} bytes.`,
      { frames: true },
    );
  }

  freshKeys(encodeMaskedFrame);
}

/** A source of random bytes that knows what it will be asked for. */
function requested(key: Uint8Array): (size: number) => Uint8Array {
  return (size) => {
    if (size === 4) return key.slice();
    return fail('A masking key has four bytes.', [['asked random for', `${size} bytes`]]);
  };
}

function freshKeys(encodeMaskedFrame: Lesson['encodeMaskedFrame']): void {
  let calls = 0;
  const sent = frame(Text, 'twice');
  for (const n of [1, 2]) {
    const bytes = encodeMaskedFrame(sent, () => Uint8Array.of(n, calls++, 3, 4));
    equal(
      () => bytes.slice(2, 6),
      Uint8Array.of(n, n - 1, 3, 4),
      'Every frame has a key of its own.',
      {
        given: [['frame', `number ${n} from this encoder`]],
        cause: () => 'Ask `random` for four bytes, anew for each frame.',
      },
    );
  }

  // Math.random is no source of keys: whoever has seen some can compute the next.
  const { random } = Math;
  Math.random = () => 0.42;
  try {
    const keys = Array.from({ length: 50 }, () => toHex(encodeMaskedFrame(sent).slice(2, 6)));
    const numbers = keys.map((key) => Number.parseInt(key.replaceAll(' ', ''), 16));
    const distances = new Set(numbers.slice(1).map((number, i) => number - numbers[i]!));
    if (new Set(keys).size < 49 || distances.size < 40) {
      fail(
        'Without a `random` of the caller, take keys that nobody can guess.',
        [['50 keys', `${keys.slice(0, 3).join(', ')} …`]],
        'A constant key, a counter, or a key from Math.random can be guessed. `randomBytes` of node:crypto cannot.',
      );
    }
  } finally {
    Math.random = random;
  }
}

function controls({ controlFrame, pongFor }: Lesson): void {
  for (const opcode of [Close, Ping, Pong]) {
    for (const payload of [utf8(''), utf8('Hello'), new Uint8Array(125).fill(7)]) {
      equal(() => controlFrame(opcode, payload), frame(opcode, payload), 'Make a control frame.', {
        given: [
          ['opcode', String(opcode)],
          ['payload', show(payload)],
        ],
      });
    }
    equal(() => controlFrame(opcode), frame(opcode), 'Without a payload, it is empty.');
    for (const length of [126, 127, 65536]) {
      throws(
        RangeError,
        () => controlFrame(opcode, new Uint8Array(length)),
        'Refuse a payload that a control frame cannot carry: 125 bytes is the most.',
        { given: [['payload', `${length} bytes`]] },
      );
    }
  }
  for (const opcode of [Continuation, Text, Binary, 3, 7, 11, 15, 16, -1, 8.5]) {
    throws(
      RangeError,
      () => controlFrame(opcode, utf8('x')),
      'Refuse an opcode that is not Close, Ping or Pong.',
      { given: [['opcode', String(opcode)]] },
    );
  }
  for (const payload of [utf8(''), utf8('Hello'), Uint8Array.of(0xfe, 0xff), new Uint8Array(125)]) {
    const ping = frame(Ping, payload);
    equal(() => pongFor(ping), frame(Pong, payload), 'A Pong has the payload of its Ping.', {
      given: [['ping', show(ping)]],
    });
  }
}

function fragments({ fragment }: Lesson): void {
  const cases: [opcode: number, data: string, maxPayload: number, pieces: string[]][] = [
    [Text, 'Hello', 3, ['Hel', 'lo']],
    [Text, 'Hello', 5, ['Hello']],
    [Text, 'Hello', 6, ['Hello']],
    [Text, 'Hello', 1, ['H', 'e', 'l', 'l', 'o']],
    [Binary, 'abcdef', 2, ['ab', 'cd', 'ef']],
    [Binary, 'abcdefg', 3, ['abc', 'def', 'g']],
    [Text, '', 4, ['']],
  ];
  for (const [opcode, data, maxPayload, pieces] of cases) {
    const bytes = utf8(data);
    const expected = pieces.map((piece, i) =>
      frame(i === 0 ? opcode : Continuation, piece, i === pieces.length - 1),
    );
    equal(
      () => fragment(opcode, bytes, maxPayload),
      expected,
      `Cut ${quote(data)} into frames of at most ${maxPayload} bytes.`,
      { given: [['opcode', String(opcode)]], cause: (actual) => fragmentMistake(actual, opcode) },
    );
    equal(() => bytes, utf8(data), 'The data belongs to the caller: do not change it.');
  }
  randomly(50, (random, seed) => {
    const data = random.bytes(1 + random.below(300));
    const maxPayload = 1 + random.below(100);
    const expected: Frame[] = [];
    for (let at = 0; at < data.length; at += maxPayload) {
      const fin = at + maxPayload >= data.length;
      const payload = data.slice(at, at + maxPayload);
      expected.push(frame(at === 0 ? Binary : Continuation, payload, fin));
    }
    equal(() => fragment(Binary, data, maxPayload), expected, 'Cut data of a random size.', {
      given: [['cut', `${data.length} bytes, at most ${maxPayload} each; to repeat: SEED=${seed}`]],
      cause: (actual) => fragmentMistake(actual, Binary),
    });
  });
  for (const opcode of [Continuation, Close, Ping, Pong, 3]) {
    throws(RangeError, () => fragment(opcode, utf8('x'), 10), 'Refuse what cannot be fragmented.', {
      given: [['opcode', String(opcode)]],
    });
  }
  for (const maxPayload of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    throws(RangeError, () => fragment(Text, utf8('x'), maxPayload), 'Refuse such a size.', {
      given: [['maxPayload', String(maxPayload)]],
    });
  }
}

function fragmentMistake(frames: unknown, opcode: number): string | undefined {
  if (!Array.isArray(frames) || frames.length < 2) return undefined;
  const list = frames as Frame[];
  if (list.slice(1).some((frame) => frame.opcode === opcode)) {
    return 'Only the first frame has the opcode of the message. The others continue it: opcode 0.';
  }
  if (!list.at(-1)?.fin) return 'The last frame has FIN set, or the receiver waits for ever.';
  if (list.slice(0, -1).some(({ fin }) => fin)) return 'FIN on a frame says that none follows it.';
  return undefined;
}

function strings({ encodeText }: Lesson): void {
  const texts = ['', 'Hello', 'é', '€', '😀', 'é€😀', '你好，世界', 'a\u0000b', '\ufeffBOM'];
  const bytes = [
    '',
    '48 65 6c 6c 6f',
    'c3 a9',
    'e2 82 ac',
    'f0 9f 98 80',
    'c3 a9 e2 82 ac f0 9f 98 80',
    'e4 bd a0 e5 a5 bd ef bc 8c e4 b8 96 e7 95 8c',
    '61 00 62',
    'ef bb bf 42 4f 4d',
  ];
  for (const [i, text] of texts.entries()) {
    equal(() => encodeText(text), fromHex(bytes[i]!), `Encode ${quote(text)} as UTF-8.`, {
      given: [['text', `${quote(text)}: ${text.length} in \`length\``]],
      cause: () => 'One `char` is not one byte, and `length` counts neither bytes nor characters.',
    });
  }
  for (const text of ['\ud800', '\udc00', 'a\ud83d', '\ude00b', '\ud83d\ud83d\ude00']) {
    throws(
      TypeError,
      () => encodeText(text),
      'Refuse half of a surrogate pair: no UTF-8 stands for it.',
      { given: [['text', quote(text)]] },
    );
  }
}

function order({ SendQueue }: Lesson): void {
  const one = [frame(Text, 'o', false), frame(Continuation, 'ne')];
  const two = [
    frame(Binary, 't', false),
    frame(Continuation, 'w', false),
    frame(Continuation, 'o'),
  ];
  const ping = frame(Ping, 'p');
  const pong = frame(Pong, 'q');
  const close = frame(Close, Uint8Array.of(0x03, 0xe8));
  const drain = (queue: Sending.SendQueue) => {
    const frames: Frame[] = [];
    for (let next = queue.next(); next; next = queue.next()) {
      frames.push(next);
      if (frames.length > 100) fail('`next` returns `undefined` when nothing waits.');
    }
    return frames;
  };

  const empty = new SendQueue();
  equal(() => empty.next(), undefined, 'Nothing waits.');

  const queue = new SendQueue();
  queue.addMessage(one);
  queue.addMessage(two);
  equal(() => drain(queue), [...one, ...two], 'The second message waits for the end of the first.');

  const whole = [frame(Text, 'whole')];
  queue.addMessage(one);
  equal(() => queue.next(), one[0], 'A message begins.');
  queue.addMessage(whole);
  equal(
    () => drain(queue),
    [one[1], ...whole],
    'A message of one frame, too, waits for the end of the message before it.',
  );

  queue.addMessage(one);
  queue.addControl(ping);
  equal(() => queue.next(), ping, 'A ping goes before a message that has not begun.');
  equal(() => queue.next(), one[0], 'Then the message begins.');
  queue.addMessage(two);
  queue.addControl(ping);
  queue.addControl(pong);
  equal(
    () => drain(queue),
    [ping, pong, one[1], ...two],
    'Ping and pong slip between two fragments, in their order; the other message does not.',
  );

  queue.addMessage(one);
  equal(() => queue.next(), one[0], 'A message begins.');
  queue.addMessage(two);
  queue.addControl(close);
  throws(Error, () => queue.addMessage(one), 'Refuse a message after a close.');
  throws(Error, () => queue.addControl(close), 'Refuse a second close.');
  attempt(
    () => queue.addControl(pong),
    'A pong may follow a close: a ping is answered until the peer has closed, too.',
  );
  equal(
    () => drain(queue),
    [pong, one[1], ...two, close],
    'The messages go first, then the close.',
  );
  attempt(() => queue.addControl(pong), 'A pong may follow a close that has gone.');
  equal(() => drain(queue), [pong], 'A pong may follow a close that has gone.');

  const answering = new SendQueue();
  answering.addMessage(two);
  equal(() => answering.next(), two[0], 'A message begins.');
  answering.addMessage(one);
  answering.dropWaiting();
  answering.addControl(close);
  equal(
    () => drain(answering),
    [two[1], two[2], close],
    'After dropWaiting, what has begun is finished, and what has not begun is gone.',
  );
  const untouched = new SendQueue();
  untouched.addMessage(two);
  untouched.dropWaiting();
  equal(() => drain(untouched), [], 'Of a message that has not begun, dropWaiting leaves nothing.');
  const idle = new SendQueue();
  idle.addMessage(one);
  equal(() => [idle.next(), idle.next()], one, 'A whole message goes.');
  idle.addMessage(two);
  idle.addControl(ping);
  idle.dropWaiting();
  equal(() => drain(idle), [ping], 'No message has begun, so dropWaiting leaves none; pings stay.');

  const fresh = () => new SendQueue();
  const notOneMessage: [what: string, frames: Frame[]][] = [
    ['no frame at all', []],
    ['a message without an end', [frame(Text, 'a', false)]],
    ['a continuation without a beginning', [frame(Continuation, 'a')]],
    ['a second beginning', [frame(Text, 'a', false), frame(Text, 'b')]],
    ['an end in the middle', [frame(Text, 'a'), frame(Continuation, 'b')]],
    ['a control frame', [ping]],
    ['a control frame inside', [frame(Text, 'a', false), ping, frame(Continuation, 'b')]],
  ];
  for (const [what, frames] of notOneMessage) {
    throws(RangeError, () => fresh().addMessage(frames), `Refuse ${what} as a message.`, {
      given: [['frames', show(frames)]],
    });
  }
  throws(
    RangeError,
    () => fresh().addControl(frame(Text, 'x')),
    'Refuse a text as a control frame.',
  );
}

export const spec: Spec<Lesson> = {
  lesson: '03-sending-frames',
  steps: [
    {
      title: 'The shortest text frame',
      section: '5.2',
      scenarios: [
        { what: 'The shortest text frame', rules: [68, 71, 111, 112, 113], check: shortest },
      ],
    },
    {
      title: 'Lengths at the borders',
      section: '5.2',
      scenarios: [{ what: 'Lengths at the borders', rules: [74, 75], check: lengths }],
    },
    {
      title: 'Masking as a client',
      section: '5.3',
      scenarios: [
        { what: 'Masking as a client', rules: [66, 78, 79, 80, 81, 82, 148], check: masking },
      ],
    },
    {
      title: 'Ping, pong, and what to refuse',
      section: '5.5',
      scenarios: [
        { what: 'Ping, pong, and what to refuse', rules: [84, 92, 93, 103, 104], check: controls },
      ],
    },
    {
      title: 'A message in fragments',
      section: '5.4',
      scenarios: [
        { what: 'A message in fragments', rules: [83, 85, 90, 111, 112, 113], check: fragments },
      ],
    },
    {
      title: 'Strings are not bytes',
      section: '5.6',
      scenarios: [{ what: 'Strings are not bytes', rules: [106], check: strings }],
    },
    {
      title: 'Keeping order',
      section: '5.4',
      scenarios: [
        { what: 'Keeping order', rules: [70, 85, 86, 87, 97, 108, 109, 110, 115], check: order },
      ],
    },
  ],
};

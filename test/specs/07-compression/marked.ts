/** Step 6: compressed messages, received. */
import { attempt, equal, failsWith } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { frame, join, utf8, type WireFrame, wire } from '../../../shared/kit/frames.ts';
import { CloseCode, type Message, Opcode, ProtocolError } from '../../../shared/protocol.ts';
import { fromHex } from '../../../shared/view/hex.ts';
import {
  type FrameHeader,
  MAX_MESSAGE_BYTES,
} from '../../../solutions/02-reading-frames/reading.ts';
import { arrived, binary, text } from '../02-reading-frames/readers.ts';
import { ANY_PACKED } from './generated-frames.ts';
import { HOOKS_OF_READING } from './hooks.ts';
import {
  first,
  HELLO,
  HELLO_AGAIN,
  messagesOf,
  more,
  RSV1,
  reads,
  refuses,
  written,
} from './packed-messages.ts';
import type { Lesson, Scenarios } from './tools.ts';
import { WAITING } from './waiting.ts';
import { noise, packed } from './zlib.ts';

const { Binary, Close, Continuation, Ping, Pong, Text } = Opcode;

const NOTHING = new Uint8Array(0);
const ping: Message = { type: 'ping', payload: utf8('p') };

const READ: Scenarios = [
  reads({
    what: 'A compressed text comes out as it was.',
    rules: [155],
    frames: [first(Text, HELLO)],
    messages: [text('Hello')],
  }),
  reads({
    what: 'A compressed binary message comes out as it was.',
    rules: [155],
    frames: [first(Binary, HELLO)],
    messages: [binary(utf8('Hello'))],
  }),
  reads({
    what: 'As a client, read what a server has compressed.',
    rules: [155],
    frames: [first(Text, HELLO), first(Binary, HELLO_AGAIN)],
    messages: [text('Hello'), binary(utf8('Hello'))],
    terms: () => ({ role: 'client' }),
  }),
  reads({
    what: 'An empty message is compressed to one byte, and comes out empty.',
    rules: [158],
    frames: [first(Text, Uint8Array.of(0)), first(Binary, Uint8Array.of(0)), first(Text, HELLO)],
    messages: [text(''), binary(NOTHING), text('Hello')],
  }),
  reads({
    what: 'RSV1 of the first fragment counts for all of them.',
    rules: [155],
    frames: [
      first(Text, HELLO.subarray(0, 2), false),
      more(HELLO.subarray(2, 4), false),
      more(HELLO.subarray(4)),
    ],
    messages: [text('Hello')],
  }),
  reads({
    what: 'A fragment can be empty: the first, one in the middle, or the last.',
    rules: [155],
    frames: [
      first(Text, NOTHING, false),
      more(Uint8Array.of(0)),
      first(Binary, NOTHING, false),
      more(HELLO, false),
      more(NOTHING),
      first(Text, HELLO_AGAIN.subarray(0, 1), false),
      more(NOTHING, false),
      more(HELLO_AGAIN.subarray(1)),
    ],
    messages: [text(''), binary(utf8('Hello')), text('Hello')],
  }),
  reads({
    what: 'The fragments are one message, also where the first has a whole one in it.',
    rules: [155, 158],
    // Autobahn has it: the four bytes that are left out come after all, and the end in a second one.
    frames: [first(Text, join(HELLO, fromHex('00 00 ff ff')), false), more(Uint8Array.of(0))],
    messages: [text('Hello')],
  }),
  reads({
    what: 'Control frames between the fragments come before the message, and change nothing.',
    rules: [155],
    frames: [
      first(Text, HELLO.subarray(0, 3), false),
      { opcode: Ping, payload: 'p' },
      { opcode: Pong, payload: HELLO },
      more(HELLO.subarray(3)),
      { opcode: Ping, payload: 'p' },
      first(Text, HELLO_AGAIN),
    ],
    messages: [ping, { type: 'pong', payload: HELLO }, text('Hello'), ping, text('Hello')],
  }),
  reads({
    what: 'A Close inside a compressed message is read at once.',
    rules: [155],
    frames: [
      first(Text, HELLO.subarray(0, 3), false),
      { opcode: Close, payload: Uint8Array.of(0x03, 0xe8) },
    ],
    messages: [{ type: 'close', payload: Uint8Array.of(0x03, 0xe8) }],
  }),
  reads({
    what: 'A message without RSV1 is taken as it is, and stays out of the window.',
    rules: [160],
    frames: [
      first(Text, HELLO),
      { opcode: Binary, payload: HELLO },
      { opcode: Text, payload: 'in between' },
      first(Text, HELLO_AGAIN),
    ],
    messages: [text('Hello'), binary(HELLO), text('in between'), text('Hello')],
  }),
  reads({
    what: 'Messages without RSV1 can be in fragments, between compressed ones in fragments.',
    rules: [160],
    frames: [
      { opcode: Binary, payload: 'one ', fin: false },
      more(utf8('two')),
      first(Text, HELLO.subarray(0, 3), false),
      more(HELLO.subarray(3)),
      { opcode: Text, payload: 'thr', fin: false },
      { opcode: Ping, payload: 'p' },
      more(utf8('ee')),
      first(Binary, HELLO_AGAIN),
    ],
    messages: [binary(utf8('one two')), text('Hello'), ping, text('three'), binary(utf8('Hello'))],
  }),
  reads({
    what: 'What is compressed need not be UTF-8. What comes out has to be.',
    rules: [],
    frames: [
      first(Text, fromHex('3a bc 12 00')),
      first(Text, packed(utf8('κόσμε')).subarray(0, 5), false),
      more(packed(utf8('κόσμε')).subarray(5)),
    ],
    messages: [text('é'), text('κόσμε')],
  }),
  reads({
    what: 'The window is that of the `inflater` it is made with.',
    rules: [],
    frames: [first(Text, HELLO_AGAIN)],
    messages: [text('Hello')],
    terms: ({ Inflater }) => {
      const inflater = new Inflater();
      inflater.inflate(HELLO);
      return { inflater };
    },
  }),
];

/** Frames before which a compressed message is open. */
const OPEN: readonly WireFrame[] = [first(Text, HELLO.subarray(0, 3), false)];
const INSIDE_PLAIN =
  'A message that is not compressed is open. `check` hears of the compressed one when it is complete: until then, it is for this reader to refuse it.';
const NOT_THERE = 'RSV1 means one thing: a compressed message begins here.';

const REFUSED: Scenarios = [
  refuses({
    what: 'RSV1 on a continuation of a compressed message is refused, at its header.',
    rules: [156],
    frames: [...OPEN, { ...more(HELLO.subarray(3)), rsv: RSV1 }],
    code: CloseCode.ProtocolError,
    atHeader: true,
    cause: NOT_THERE,
  }),
  refuses({
    what: 'RSV1 on a continuation that is not the last is refused, too.',
    rules: [156],
    frames: [...OPEN, { ...more(HELLO.subarray(3), false), rsv: RSV1 }],
    code: CloseCode.ProtocolError,
    atHeader: true,
    cause: NOT_THERE,
  }),
  refuses({
    what: 'RSV1 on a continuation of a message without it is refused.',
    rules: [156],
    frames: [
      { opcode: Text, payload: 'a', fin: false },
      { ...more(HELLO), rsv: RSV1 },
    ],
    code: CloseCode.ProtocolError,
    atHeader: true,
    cause: NOT_THERE,
  }),
  ...[Ping, Pong, Close].flatMap((opcode) => {
    const name = { [Ping]: 'Ping', [Pong]: 'Pong', [Close]: 'Close' }[opcode];
    return [OPEN, []].map((before) =>
      refuses({
        what: `RSV1 on a ${name} is refused${before.length > 0 ? ', inside a message, too' : ''}.`,
        rules: [156],
        frames: [...before, { opcode, rsv: RSV1, payload: Uint8Array.of(0) }],
        code: CloseCode.ProtocolError,
        cause: NOT_THERE,
      }),
    );
  }),
  ...[1, 2, 3].map((rsv) =>
    refuses({
      what: `RSV1 does not excuse ${{ 1: 'RSV3', 2: 'RSV2', 3: 'RSV2 and RSV3' }[rsv]} beside it.`,
      rules: [156],
      frames: [{ ...first(Text, HELLO), rsv: RSV1 + rsv }],
      code: CloseCode.ProtocolError,
      atHeader: true,
      cause:
        'No extension here defines RSV2 and RSV3. Without its RSV1, the header is one for `checkHeader`.',
    }),
  ),
  refuses({
    what: 'RSV2 on a continuation of a compressed message is refused.',
    rules: [156],
    frames: [...OPEN, { ...more(HELLO.subarray(3)), rsv: 2 }],
    code: CloseCode.ProtocolError,
    atHeader: true,
  }),
  ...[0, RSV1].flatMap((rsv) =>
    [Text, Binary].map((opcode) =>
      refuses({
        what: `A new ${opcode === Text ? 'text' : 'binary'} message ${rsv ? 'with' : 'without'} RSV1 inside a compressed one is refused.`,
        rules: [],
        frames: [...OPEN, { opcode, rsv, payload: HELLO }],
        code: CloseCode.ProtocolError,
        atHeader: true,
        cause:
          'To `check`, no message is open: it has not been called. Whether a compressed one is, only this reader knows.',
      }),
    ),
  ),
  refuses({
    what: 'An empty message inside a compressed one is refused.',
    rules: [],
    frames: [...OPEN, { opcode: Text }],
    code: CloseCode.ProtocolError,
  }),
  refuses({
    what: 'A compressed message inside one without RSV1 is refused.',
    rules: [],
    frames: [{ opcode: Text, payload: 'a', fin: false }, first(Text, HELLO)],
    code: CloseCode.ProtocolError,
    atHeader: true,
    cause: INSIDE_PLAIN,
  }),
  refuses({
    what: 'A compressed message inside one without RSV1 is refused, after a Ping as well.',
    rules: [],
    frames: [
      { opcode: Binary, fin: false },
      more(NOTHING, false),
      { opcode: Ping },
      first(Text, HELLO),
    ],
    code: CloseCode.ProtocolError,
    atHeader: true,
    cause: INSIDE_PLAIN,
  }),
  refuses({
    what: 'A continuation after the end of a compressed message is refused.',
    rules: [],
    frames: [...OPEN, more(HELLO.subarray(3)), more(HELLO)],
    code: CloseCode.ProtocolError,
    atHeader: true,
    cause: 'With the fragment that has FIN, the compressed message is over.',
  }),
  refuses({
    what: 'A compressed message that is not masked is refused.',
    rules: [],
    frames: [{ ...first(Text, NOTHING, false), key: null }],
    code: CloseCode.ProtocolError,
  }),
  refuses({
    what: 'A continuation of a compressed message that is not masked is refused.',
    rules: [],
    frames: [...OPEN, { ...more(NOTHING), key: null }],
    code: CloseCode.ProtocolError,
  }),
  refuses({
    what: 'A text that comes out and is not UTF-8 is refused.',
    rules: [],
    frames: [first(Text, fromHex('fa 0f 00'))],
    code: CloseCode.InvalidPayload,
  }),
  refuses({
    what: 'What is not DEFLATE is refused.',
    rules: [],
    frames: [first(Binary, fromHex('ff ff'))],
    code: CloseCode.InvalidPayload,
  }),
  ...[
    ['81 e4 00 00 00 00 ff', ''],
    ['01 81 00 00 00 00 61 00 e4 00 00 00 00 ff', ', also in a continuation'],
  ].map(([rest = '', where]): Scenarios[number] => {
    const what = `A text without RSV1 is refused at its first byte that is not UTF-8${where}.`;
    return {
      what,
      rules: [160],
      check(lesson) {
        const reader = messagesOf(lesson);
        // 100 bytes are announced, and one is there.
        const bytes = join(wire(first(Text, HELLO)), fromHex(rest));
        reader.push(bytes.slice());
        equal(() => reader.read(), text('Hello'), 'Read what is allowed, before it.');
        const cause = () => 'While no compressed message is open, `peek` shows what has arrived.';
        const about = { given: arrived(bytes), cause, label: '`read` returned' };
        failsWith(CloseCode.InvalidPayload, () => reader.read(), what, about);
      },
    };
  }),
];

/** The limit of the readers here, in bytes. */
const LIMIT = 1000;
const limited = { maxMessageBytes: LIMIT };
const LARGEST = utf8('x'.repeat(LIMIT));
const TOO_LARGE = utf8('x'.repeat(LIMIT + 1));
const ON_THE_WIRE =
  'More than the limit is announced: what has come of the message, and what this header adds.';

const LIMITED: Scenarios = [
  reads({
    what: `A message of which ${LIMIT} bytes come out is not too long, when that is the limit.`,
    rules: [164],
    frames: [
      first(Text, packed(LARGEST)),
      first(Text, packed(LARGEST).subarray(0, 5), false),
      more(packed(LARGEST).subarray(5)),
    ],
    messages: [text('x'.repeat(LIMIT)), text('x'.repeat(LIMIT))],
    terms: () => limited,
  }),
  reads({
    what: 'A message of as many bytes on the wire as the limit says is not too long.',
    rules: [],
    frames: [first(Text, HELLO), first(Text, HELLO.subarray(0, 4), false), more(HELLO.subarray(4))],
    messages: [text('Hello'), text('Hello')],
    terms: () => ({ maxMessageBytes: HELLO.length }),
  }),
  refuses({
    what: 'One byte more that comes out is too much.',
    rules: [164],
    frames: [first(Text, packed(TOO_LARGE))],
    code: CloseCode.MessageTooBig,
    terms: limited,
    cause: 'The limit is for what comes out: hand it on to the `inflater`.',
  }),
  refuses({
    what: 'A megabyte out of a thousand bytes is too much.',
    rules: [164],
    frames: [first(Binary, packed(new Uint8Array(2 ** 20)))],
    code: CloseCode.MessageTooBig,
    terms: { maxMessageBytes: 65_536 },
    cause: 'The limit is for what comes out: hand it on to the `inflater`.',
  }),
  {
    what: 'The `inflater` is told the limit: what is too much is not made first.',
    rules: [164],
    check({ InflatingReader, Inflater }) {
      const what = 'The `inflater` is told the limit: what is too much is not made first.';
      const bytes = wire(first(Binary, packed(TOO_LARGE)));
      const reader = new InflatingReader('server', () => {}, new Inflater(), LIMIT);
      reader.push(bytes.slice());
      const call = `new InflatingReader('server', check, inflater, ${LIMIT})`;
      const given: Fact[] = [
        ['made with', call],
        ['`check`', 'refuses nothing'],
        ...arrived(bytes),
      ];
      failsWith(CloseCode.MessageTooBig, () => reader.read(), what, {
        given,
        label: '`read` returned',
      });
    },
  },
  {
    what: 'Without a limit of its own, `MAX_MESSAGE_BYTES` can come out.',
    rules: [164],
    check({ InflatingReader, Inflater }) {
      const what = 'Without a limit of its own, `MAX_MESSAGE_BYTES` can come out.';
      const reader = new InflatingReader('server', () => {}, new Inflater());
      const megabyte = join(packed(new Uint8Array(2 ** 20)), fromHex('00 00 ff ff'));
      const all = Array.from({ length: MAX_MESSAGE_BYTES / 2 ** 20 }, () => megabyte);
      reader.push(wire(first(Binary, join(...all, packed(new Uint8Array(1))))));
      const given: Fact[] = [
        ['made with', "new InflatingReader('server', check, inflater)"],
        ['arrived', `a message of which ${MAX_MESSAGE_BYTES + 1} bytes come out`],
      ];
      const label = '`read` returned';
      failsWith(CloseCode.MessageTooBig, () => reader.read(), what, { given, label });
    },
  },
  refuses({
    what: 'A compressed message whose header announces too much is refused at its header.',
    rules: [],
    frames: [first(Text, HELLO)],
    code: CloseCode.MessageTooBig,
    terms: { maxMessageBytes: 99 },
    atHeader: true,
    cause: ON_THE_WIRE,
  }),
  refuses({
    what: 'Where no byte is allowed, a compressed message of any is refused at its header.',
    rules: [],
    frames: [first(Text, HELLO)],
    code: CloseCode.MessageTooBig,
    terms: { maxMessageBytes: 0 },
    atHeader: true,
  }),
  ...[true, false].map((isLast) =>
    refuses({
      what: `Fragments that announce too much together are refused, at the header of ${isLast ? 'the last' : 'one between'}.`,
      rules: [],
      frames: [
        first(Text, noise(60), false),
        { opcode: Ping, payload: 'p' },
        more(noise(60), false),
        more(HELLO, isLast),
      ],
      code: CloseCode.MessageTooBig,
      terms: { maxMessageBytes: 219 },
      atHeader: true,
      cause: ON_THE_WIRE,
    }),
  ),
  reads({
    what: 'What the message before has announced does not count, nor what a Ping has.',
    rules: [],
    frames: [
      first(Binary, packed(noise(150)).subarray(0, 80), false),
      { opcode: Ping, payload: noise(100) },
      more(packed(noise(150)).subarray(80)),
      first(Binary, packed(noise(150, 2)).subarray(0, 80), false),
      more(packed(noise(150, 2)).subarray(80)),
      { opcode: Binary, payload: noise(160) },
    ],
    messages: [
      { type: 'ping', payload: noise(100) },
      binary(noise(150)),
      binary(noise(150, 2)),
      binary(noise(160)),
    ],
    terms: () => ({ maxMessageBytes: 200 }),
  }),
];

type Told = Pick<FrameHeader, 'fin' | 'rsv' | 'opcode' | 'payloadLength'>;

/** Frames, and what `check` has to be told when each is complete. `undefined`: nothing. */
const TOLD: readonly (readonly [WireFrame, Told | undefined])[] = [
  [
    { opcode: Text, payload: 'plain', rsv: 3 },
    { fin: true, rsv: 3, opcode: Text, payloadLength: 5 },
  ],
  [first(Text, HELLO.subarray(0, 3), false), undefined],
  [
    { opcode: Ping, payload: 'p', rsv: RSV1 + 1 },
    { fin: true, rsv: RSV1 + 1, opcode: Ping, payloadLength: 1 },
  ],
  [more(HELLO.subarray(3, 5), false), undefined],
  [more(HELLO.subarray(5)), { fin: true, rsv: 0, opcode: Text, payloadLength: 5 }],
  [first(Binary, HELLO_AGAIN), { fin: true, rsv: 0, opcode: Binary, payloadLength: 5 }],
  [first(Text, Uint8Array.of(0)), { fin: true, rsv: 0, opcode: Text, payloadLength: 0 }],
  [
    { opcode: Binary, payload: 'ab', fin: false },
    { fin: false, rsv: 0, opcode: Binary, payloadLength: 2 },
  ],
  [
    { ...more(utf8('c')), rsv: RSV1 + 2 },
    { fin: true, rsv: RSV1 + 2, opcode: Continuation, payloadLength: 1 },
  ],
];

const SHOWN = 'While no compressed message is open, `peek` shows what a `FrameReader` shows.';

function peeksPlain({ InflatingReader, Inflater }: Lesson): void {
  const reader = new InflatingReader('server', () => {}, new Inflater());
  const payload = noise(3000);
  const bytes = join(wire(first(Text, HELLO)), wire({ opcode: Binary, payload }).slice(0, -10));
  reader.push(bytes.slice());
  equal(() => reader.read(), frame(Text, 'Hello'), 'Read what is before it.');
  equal(() => reader.read(), undefined, 'The frame is not complete.');
  for (const from of [0, 10, 2990]) {
    const given: Fact[] = [...arrived(bytes), ['call', `peek(${from})`]];
    equal(() => reader.peek(from), payload.slice(from, -10), SHOWN, { given });
  }
}

const OVER = 'Refuse what announces 2 GiB or 4, in the first frame and in another.';

function refusesOver(lesson: Lesson): void {
  const before = wire(first(Binary, HELLO, false));
  for (const length of ['80 00 00 00', '01 00 00 00 00']) {
    for (const start of [fromHex('c2'), fromHex('42'), join(before, Uint8Array.of(0x80))]) {
      const size = fromHex(length);
      const zeros = new Uint8Array(8 - size.length);
      const bytes = join(start, Uint8Array.of(0xff), zeros, size, fromHex('00 00 00 00'));
      const reader = messagesOf(lesson);
      reader.push(bytes.slice());
      failsWith(CloseCode.MessageTooBig, () => reader.read(), OVER, { given: arrived(bytes) });
    }
  }
}

const HUGE = 'What the limit allows can be announced: 16 MiB without one, and more with one.';

function allowsMuch({ InflatingReader, Inflater }: Lesson): void {
  for (const [header, ...limit] of [
    ['c2 ff 00 00 00 00 01 00 00 00'],
    ['c2 ff 00 00 00 00 01 40 00 00', 2 ** 25],
  ] as const) {
    const reader = new InflatingReader('server', () => {}, new Inflater(), ...limit);
    const bytes = fromHex(`${header} 00 00 00 00 61`);
    reader.push(bytes.slice());
    const args = ["'server'", 'check', 'inflater', ...limit].join(', ');
    equal(() => reader.read(), undefined, HUGE, {
      given: [['made with', `new InflatingReader(${args})`], ...arrived(bytes)],
    });
  }
}

const ALONE: Scenarios = [
  {
    what: '`check` is called with the header of each frame that comes out, once.',
    rules: [156],
    check({ InflatingReader, Inflater }) {
      const what = '`check` is called with the header of each frame that comes out, once.';
      const calls: Told[] = [];
      const right: Told[] = [];
      const check = ({ fin, rsv, opcode, payloadLength }: FrameHeader) => {
        calls.push({ fin, rsv, opcode, payloadLength });
      };
      const reader = new InflatingReader('server', check, new Inflater());
      for (const [i, [sent, told]] of TOLD.entries()) {
        const given = arrived(written(TOLD.slice(0, i + 1).map(([before]) => before)));
        reader.push(wire(sent));
        attempt(() => reader.read(), 'What `check` does not refuse is read.', given);
        if (told) right.push(told);
        equal(() => calls, right, what, { given, label: '`check` got' });
      }
    },
  },
  {
    what: 'A compressed message comes out as one frame, every other frame as it is.',
    rules: [155],
    check({ InflatingReader, Inflater }) {
      const what = 'A compressed message comes out as one frame, every other frame as it is.';
      const reader = new InflatingReader('server', () => {}, new Inflater());
      const bytes = written(TOLD.map(([sent]) => sent));
      reader.push(bytes.slice());
      const expected = [
        frame(Text, 'plain'),
        frame(Ping, 'p'),
        frame(Text, 'Hello'),
        frame(Binary, 'Hello'),
        frame(Text, ''),
        frame(Binary, 'ab', false),
        frame(Continuation, 'c'),
      ];
      for (const right of [...expected, undefined]) {
        equal(() => reader.read(), right, what, {
          given: arrived(bytes),
          label: '`read` returned',
        });
      }
    },
  },
  {
    what: 'What `check` throws refuses a frame without RSV1, before its payload is there.',
    rules: [156],
    check({ InflatingReader, Inflater }) {
      const what = 'What `check` throws refuses a frame without RSV1, before its payload is there.';
      const check = () => {
        throw new ProtocolError(CloseCode.PolicyViolation, '5.2', 'Not this one.');
      };
      const reader = new InflatingReader('server', check, new Inflater());
      const bytes = wire({ opcode: Text, payload: HELLO }).slice(0, 6);
      reader.push(bytes.slice());
      const given = arrived(bytes, 'the header; none of the payload');
      failsWith(CloseCode.PolicyViolation, () => reader.read(), what, {
        given: [...given, ['`check`', 'throws ProtocolError 1008']],
        label: '`read` returned',
      });
    },
  },
  {
    what: 'While a compressed message is open, `peek` shows nothing of it.',
    rules: [],
    check({ InflatingReader, Inflater }) {
      const what = 'While a compressed message is open, `peek` shows nothing of it.';
      const reader = new InflatingReader('server', () => {}, new Inflater());
      const bytes = join(written(OPEN), wire(more(HELLO.subarray(3))).slice(0, 8));
      reader.push(bytes.slice());
      equal(() => reader.read(), undefined, 'The message is not complete.', {
        given: arrived(bytes),
      });
      equal(() => reader.peek(), NOTHING, what, {
        given: arrived(bytes),
        label: '`peek` returned',
      });
    },
  },
  { what: SHOWN, rules: [], check: peeksPlain },
  { what: OVER, rules: [], check: refusesOver },
  { what: HUGE, rules: [164], check: allowsMuch },
];

export const MARKED: Scenarios = [
  ...HOOKS_OF_READING,
  ...READ,
  ...REFUSED,
  ...LIMITED,
  ...ALONE,
  ...WAITING,
  ANY_PACKED,
];

/** Step 7: compressed messages, sent, and the extension as a whole. */
import { attempt, equal, fail, failsWith, throws } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import { join, utf8, wire } from '../../../shared/kit/frames.ts';
import {
  CloseCode,
  type Frame,
  type Message,
  Opcode,
  type Role,
  type SendOptions,
} from '../../../shared/protocol.ts';
import { count } from '../../../shared/view/count.ts';
import { fromHex } from '../../../shared/view/hex.ts';
import type { DeflateParams } from '../../../solutions/07-compression/compression.ts';
import { arrived, binary, readAll, text } from '../02-reading-frames/readers.ts';
import { ANY_TALK } from './generated-talk.ts';
import { HOOKS_OF_SENDING } from './hooks.ts';
import { first, HELLO, HELLO_AGAIN, RSV1 } from './packed-messages.ts';
import {
  type Call,
  isCompressed,
  isPlain,
  isUnpacked,
  type Lure,
  tellCalls,
} from './sent-messages.ts';
import type { Lesson, Scenarios } from './tools.ts';
import { noise, packed } from './zlib.ts';

const { Binary, Text } = Opcode;

const NOTHING = new Uint8Array(0);
/** A text that gets shorter, and is in no other. */
const CHAT = utf8('{"type":"chat","from":"Ada","text":"Hello, hello, hello","room":"hello"}');
const ZEROS = new Uint8Array(64);
const NOISE = noise(100);

const REFERS_TO_PLAIN =
  'It refers back to what went as it is. The peer has not unpacked that, and does not have it in its window.';
const REFERS_TO_REFUSED =
  'It refers back to the message that was refused, which nobody has sent. Let `fragment` refuse it before the deflater gets it.';
const REFERS_BEFORE =
  'It refers back to the message before, which the peer need not have any more.';
const REFERS_TOO_FAR = 'It refers back further than the peer keeps its window.';
const REFERS_TO_OTHERS =
  'It refers back to what the other extension has sent, which was for another peer.';

/** Sends messages with one `Deflater`, and tells so. */
class Sender {
  readonly #lesson: Lesson;
  readonly #deflater: InstanceType<Lesson['Deflater']>;
  readonly #made: Fact;
  readonly #calls: Call[] = [];

  constructor(lesson: Lesson, bits = 15, takeover = true) {
    this.#lesson = lesson;
    this.#deflater = new lesson.Deflater(bits, takeover);
    this.#made = ['the deflater', `new Deflater(${bits}, ${takeover})`];
  }

  send(
    opcode: number,
    data: Uint8Array,
    maxPayload: number,
    options?: SendOptions,
  ): readonly Frame[] {
    this.#calls.push({ of: DEFLATED, opcode, data, maxPayload, options });
    const call = () =>
      options
        ? this.#lesson.deflatedFrames(this.#deflater, opcode, data, maxPayload, options)
        : this.#lesson.deflatedFrames(this.#deflater, opcode, data, maxPayload);
    return attempt(call, 'A message becomes frames.', this.given);
  }

  get given(): readonly Fact[] {
    return [this.#made, ...tellCalls(this.#calls)];
  }
}

const DEFLATED = 'deflatedFrames(deflater, ';

const SENT: Scenarios = [
  {
    what: 'A message that gets shorter goes compressed, in a frame with RSV1.',
    rules: [155],
    check(lesson) {
      const what = 'A message that gets shorter goes compressed, in a frame with RSV1.';
      const sender = new Sender(lesson);
      for (const opcode of [Text, Binary]) {
        const data = opcode === Text ? CHAT : new Uint8Array(64);
        const window = opcode === Text ? NOTHING : CHAT;
        const frames = sender.send(opcode, data, 65_536);
        isCompressed(frames, { opcode, data, maxPayload: 65_536, window }, what, sender.given);
        equal(() => frames.length, 1, 'What fits into one frame is one.', {
          given: sender.given,
          label: 'frames',
        });
      }
    },
  },
  {
    what: 'It is the packed bytes that are cut, and only the first frame has RSV1.',
    rules: [155],
    check(lesson) {
      const what = 'It is the packed bytes that are cut, and only the first frame has RSV1.';
      for (const maxPayload of [20, 1]) {
        const sender = new Sender(lesson);
        const frames = sender.send(Text, CHAT, maxPayload);
        isCompressed(frames, { opcode: Text, data: CHAT, maxPayload }, what, sender.given);
      }
    },
  },
  {
    what: 'What went in fragments is in the window once, as the peer has it.',
    rules: [159],
    check(lesson) {
      const what = 'What went in fragments is in the window once, as the peer has it.';
      const sender = new Sender(lesson);
      let window: Uint8Array = NOTHING;
      for (const data of [CHAT, utf8(FILLER), CHAT]) {
        const frames = sender.send(Text, data, 20);
        isCompressed(frames, { opcode: Text, data, maxPayload: 20, window }, what, sender.given);
        window = join(window, data);
      }
    },
  },
  {
    what: 'How many frames there are depends on the packed bytes alone.',
    rules: [],
    check(lesson) {
      const what = 'How many frames there are depends on the packed bytes alone.';
      const sender = new Sender(lesson);
      const data = new Uint8Array(100_000);
      const frames = sender.send(Binary, data, 1000);
      isCompressed(frames, { opcode: Binary, data, maxPayload: 1000 }, what, sender.given);
      const cause = () =>
        'Compressed, it fits into one frame. Cut what comes out, and not what goes in.';
      equal(() => frames.length, 1, what, { given: sender.given, label: 'frames', cause });
    },
  },
  {
    what: 'Without a limit for one frame, a large message is one.',
    rules: [],
    check(lesson) {
      const what = 'Without a limit for one frame, a large message is one.';
      const sender = new Sender(lesson, 15, false);
      const data = join(noise(70_000), new Uint8Array(70_000));
      const sent = { opcode: Binary, data, maxPayload: Number.MAX_SAFE_INTEGER };
      const frames = sender.send(Binary, data, sent.maxPayload);
      isCompressed(frames, sent, what, sender.given);
      equal(() => frames.length, 1, what, { given: sender.given, label: 'frames' });
    },
  },
  {
    what: 'Without takeover, a message that does not get shorter goes as it is, without RSV1.',
    rules: [],
    check(lesson) {
      const what =
        'Without takeover, a message that does not get shorter goes as it is, without RSV1.';
      for (const data of [utf8('Hello'), NOISE]) {
        for (const maxPayload of [1000, 3]) {
          const sender = new Sender(lesson, 15, false);
          const frames = sender.send(Binary, data, maxPayload);
          isPlain(frames, { opcode: Binary, data, maxPayload }, what, sender.given);
        }
      }
    },
  },
  {
    what: 'Without takeover, an empty message is one empty frame, without RSV1.',
    rules: [],
    check(lesson) {
      const what = 'Without takeover, an empty message is one empty frame, without RSV1.';
      const sender = new Sender(lesson, 15, false);
      for (const opcode of [Text, Binary, Text]) {
        const frames = sender.send(opcode, NOTHING, 1000);
        isPlain(frames, { opcode, data: NOTHING, maxPayload: 1000 }, what, sender.given);
      }
    },
  },
  {
    what: 'With `compress: false`, a message goes as it is.',
    rules: [],
    check(lesson) {
      const what = 'With `compress: false`, a message goes as it is.';
      for (const maxPayload of [1000, 20]) {
        const sender = new Sender(lesson);
        const frames = sender.send(Text, CHAT, maxPayload, { compress: false });
        isPlain(frames, { opcode: Text, data: CHAT, maxPayload }, what, sender.given);
      }
    },
  },
  {
    what: 'Without `compress`, the options change nothing.',
    rules: [],
    check(lesson) {
      const what = 'Without `compress`, the options change nothing.';
      const sender = new Sender(lesson);
      const sent = { opcode: Text, data: CHAT, maxPayload: 1000 };
      isCompressed(sender.send(Text, CHAT, 1000, {}), sent, what, sender.given);
      const frames = sender.send(Text, CHAT, 1000, { compress: true });
      isCompressed(frames, { ...sent, window: CHAT }, what, sender.given);
    },
  },
  {
    what: 'What goes as it is stays out of the window: the peer will not have it there.',
    rules: [160],
    check(lesson) {
      const what = 'What goes as it is stays out of the window: the peer will not have it there.';
      const secret = utf8('token=7f3a9c1e8d4b2506 '.repeat(100));
      for (const [data, options] of [
        [secret, { compress: false }],
        [NOISE, undefined],
      ] as const) {
        const sender = new Sender(lesson);
        sender.send(Text, CHAT, 1000);
        isPlain(
          sender.send(Binary, data, 1000, options),
          { opcode: Binary, data, maxPayload: 1000 },
          'This one goes as it is.',
          sender.given,
        );
        // All of it is once more in the next, to tempt.
        const next = join(data, CHAT, CHAT);
        const frames = sender.send(Text, next, 1000);
        const lure = { window: join(CHAT, data), cause: () => REFERS_TO_PLAIN };
        const sent = { opcode: Text, data: next, maxPayload: 1000, window: CHAT, lure };
        isCompressed(frames, sent, what, sender.given);
      }
    },
  },
  {
    what: 'A message that gets a little longer goes as it is, or is in the window: never both.',
    rules: [159, 160],
    check(lesson) {
      const what =
        'A message that gets a little longer goes as it is, or is in the window: never both.';
      // Nothing in it is in the message before.
      const short = utf8('No, 42 is 6 * 7!');
      for (const maxPayload of [1000, short.length]) {
        const sender = new Sender(lesson);
        let window: Uint8Array = NOTHING;
        for (const data of [CHAT, short, join(short, CHAT)]) {
          const sent = { opcode: Text, data, maxPayload, window };
          const frames = sender.send(Text, data, maxPayload);
          // Below 6 bytes more, both are right, but only one of them is in the window.
          if (frames[0]?.rsv1) {
            isCompressed(frames, sent, what, sender.given);
            window = join(window, data);
          } else {
            isPlain(frames, sent, what, sender.given);
          }
        }
      }
    },
  },
  {
    what: 'What `fragment` refuses is refused, and then the window is as it was.',
    rules: [],
    check(lesson) {
      const what = 'What `fragment` refuses is refused, and then the window is as it was.';
      const wrong = [
        [Opcode.Ping, 1000, 'opcode 9 is a Ping, and no message'],
        [Opcode.Continuation, 1000, 'opcode 0 begins no message'],
        [Text, 0, 'nothing fits into a frame of 0 bytes'],
        [Text, 1.5, 'there is no half byte'],
      ] as const;
      for (const [opcode, maxPayload, why] of wrong) {
        const deflater = new lesson.Deflater();
        const refused: Call = { of: DEFLATED, opcode, data: CHAT, maxPayload };
        const refuse = () => lesson.deflatedFrames(deflater, opcode, CHAT, maxPayload);
        const reason: Fact = ['which is wrong', why];
        throws(RangeError, refuse, what, { given: [...tellCalls([refused]), reason] });
        const sent = { opcode: Text, data: CHAT, maxPayload: 1000 };
        const given = tellCalls([
          { ...refused, end: ' threw' },
          { ...sent, of: DEFLATED },
        ]);
        const frames = attempt(
          () => lesson.deflatedFrames(deflater, Text, CHAT, 1000),
          what,
          given,
        );
        const lure = { window: CHAT, cause: () => REFERS_TO_REFUSED };
        isCompressed(frames, { ...sent, lure }, what, given);
      }
    },
  },
];

/** Nothing is limited, and nothing is forgotten. */
const FREE: DeflateParams = {
  serverNoContextTakeover: false,
  clientNoContextTakeover: false,
  serverMaxWindowBits: 15,
  clientMaxWindowBits: 15,
};

const ROLES: readonly Role[] = ['server', 'client'];

const FRAMES_OF_CHAT: Call = { of: 'framesFor(', opcode: Text, data: CHAT, maxPayload: 1000 };

/** Parameters in which nothing is said of one side but this. */
function agreedFor(role: Role, forgets: boolean, bits = 15): DeflateParams {
  return role === 'server'
    ? { ...FREE, serverNoContextTakeover: forgets, serverMaxWindowBits: bits }
    : { ...FREE, clientNoContextTakeover: forgets, clientMaxWindowBits: bits };
}

/** The same, of each side for the other. */
function swapped(params: DeflateParams): DeflateParams {
  return {
    serverNoContextTakeover: params.clientNoContextTakeover,
    clientNoContextTakeover: params.serverNoContextTakeover,
    serverMaxWindowBits: params.clientMaxWindowBits,
    clientMaxWindowBits: params.serverMaxWindowBits,
  };
}

const other = (role: Role): Role => (role === 'server' ? 'client' : 'server');

/** What a failure tells of an extension. */
function made(role: Role, params: DeflateParams): Fact[] {
  return [
    ['made with', `new PerMessageDeflate('${role}', params)`],
    ['params', show(params)],
  ];
}

const SWAPPED =
  'What a server sends is a matter of the `server…` parameters, and what a client sends one of the others.';

/** 800 bytes that get shorter, and are nowhere else. */
const FILLER = Buffer.from(noise(400)).toString('hex');

/** Frames as the peer of this role sends them. */
function fromPeer(role: Role, ...frames: readonly Parameters<typeof wire>[0][]): Uint8Array {
  return join(...frames.map((sent) => wire(role === 'client' ? { ...sent, key: null } : sent)));
}

/** Lets messages of the peer arrive at a new extension, and compares what comes out. */
function hears(
  { PerMessageDeflate }: Lesson,
  [role, params]: readonly [Role, DeflateParams],
  bytes: Uint8Array,
  messages: readonly Message[],
  what: string,
): void {
  const read = (agreed: DeflateParams) =>
    readAll(new PerMessageDeflate(role, agreed).readerFor(65_536), [bytes]);
  const cause = () => (show(read(swapped(params))) === show(messages) ? SWAPPED : undefined);
  const given = [...made(role, params), ...arrived(bytes)];
  equal(() => read(params), messages, what, { given, cause, causeOfError: cause });
}

/**
 * Sends messages by a new extension, and checks the last. Where that is wrong, the parameters of
 * the two sides may have been mixed up.
 */
function sends(
  { PerMessageDeflate }: Lesson,
  [role, params]: readonly [Role, DeflateParams],
  all: readonly Uint8Array[],
  { window, lure }: { readonly window?: Uint8Array; readonly lure: Lure },
  what: string,
): void {
  const calls = all.map((data) => ({ of: 'framesFor(', opcode: Text, data, maxPayload: 1000 }));
  const last = calls.at(-1)!;
  const lastOf = (agreed: DeflateParams) => {
    const extension = new PerMessageDeflate(role, agreed);
    return all.map((data) => extension.framesFor(Text, data, 1000)).at(-1)!;
  };
  const cause = () => {
    const payload = join(...lastOf(swapped(params)).map(({ payload }) => payload));
    return isUnpacked(payload, last.data, window) ? SWAPPED : lure.cause();
  };
  const sent = { ...last, ...(window && { window }), lure: { ...lure, cause } };
  const given: Fact[] = [
    ...made(role, params),
    ...tellCalls(calls),
    ['the peer has', window ? `the last ${count(window.length, 'byte')}` : 'nothing of it'],
  ];
  isCompressed(
    attempt(() => lastOf(params), what, given),
    sent,
    what,
    given,
  );
}

/** What this role sends comes out on the other side. */
function comesOut(role: Role): Scenarios[number] {
  const what = `What a ${role} sends is compressed, and comes out on the other side.`;
  return {
    what,
    rules: [155],
    check(lesson) {
      const sender = new lesson.PerMessageDeflate(role, FREE);
      const reader = new lesson.PerMessageDeflate(other(role), FREE).readerFor(65_536);
      const extensions: Fact[] = [
        ['the sender', `new PerMessageDeflate('${role}', params)`],
        ['the receiver', `new PerMessageDeflate('${other(role)}', params).readerFor(65536)`],
        ['params', show(FREE)],
      ];
      const [said, heard] = [text(`${Buffer.from(CHAT)}`), binary(ZEROS)];
      for (const [opcode, data, maxPayload, message] of [
        [Text, CHAT, 65_536, said],
        [Text, CHAT, 20, said],
        [Binary, ZEROS, 65_536, heard],
      ] as const) {
        const given = [
          ...extensions,
          ...tellCalls([{ of: 'framesFor(', opcode, data, maxPayload }]),
        ];
        const frames = attempt(() => sender.framesFor(opcode, data, maxPayload), what, given);
        equal(() => frames[0]?.rsv1, true, 'A message that gets shorter goes compressed.', {
          given,
          label: 'its `rsv1`',
        });
        const bytes = encoded(lesson, role, frames);
        const about = { given: [...given, ...arrived(bytes, `at the ${other(role)}`)] };
        equal(() => readAll(reader, [bytes]), [message], what, about);
      }
    },
  };
}

const TALKED: Scenarios = [
  comesOut('server'),
  {
    what: 'Each connection has windows of its own.',
    rules: [159],
    check({ PerMessageDeflate }) {
      const what = 'Each connection has windows of its own.';
      const [one, two] = [1, 2].map(() => new PerMessageDeflate('server', FREE)) as [
        InstanceType<Lesson['PerMessageDeflate']>,
        InstanceType<Lesson['PerMessageDeflate']>,
      ];
      const sent = { opcode: Text, data: CHAT, maxPayload: 1000 };
      const calls = tellCalls([
        { ...sent, of: 'one.framesFor(' },
        { ...sent, of: 'other.framesFor(' },
      ]);
      const lure = { window: CHAT, cause: () => REFERS_TO_OTHERS };
      for (const extension of [one, two]) {
        const frames = extension.framesFor(Text, CHAT, 1000);
        isCompressed(frames, { ...sent, lure }, what, [...made('server', FREE), ...calls]);
      }
      const bytes = fromPeer('server', first(Text, HELLO));
      const given = [...made('server', FREE), ...arrived(bytes, 'at one of two')];
      equal(() => readAll(one.readerFor(1000), [bytes]), [text('Hello')], what, { given });
      const again = fromPeer('server', first(Text, HELLO_AGAIN));
      failsWith(CloseCode.InvalidPayload, () => readAll(two.readerFor(1000), [again]), what, {
        given: [
          ...made('server', FREE),
          ['which is wrong', 'it refers back to "Hello", which only the other has received'],
          ...arrived(again, 'at one of two'),
        ],
      });
    },
  },
  comesOut('client'),
  ...ROLES.map((role): Scenarios[number] => {
    const what = `What a ${role} has sent before makes the next message shorter.`;
    return {
      what,
      rules: [159],
      check({ PerMessageDeflate }) {
        const extension = new PerMessageDeflate(role, FREE);
        const [before = 0, after = 0] = [1, 2].map(
          () => join(...extension.framesFor(Text, CHAT, 1000).map(({ payload }) => payload)).length,
        );
        if (after < before / 2) return;
        fail(what, [
          ...made(role, FREE),
          ...tellCalls([FRAMES_OF_CHAT, FRAMES_OF_CHAT]),
          ['they made', `${count(before, 'byte')}, and then ${after}`],
          ['expected', 'less than half of it, the second time'],
        ]);
      },
    };
  }),
  ...ROLES.map((role): Scenarios[number] => {
    const what = `A ${role} that has agreed to forget sends each message by itself.`;
    return {
      what,
      rules: [159, ...(role === 'server' ? [176] : [])],
      check(lesson) {
        const params = agreedFor(role, true);
        const lure = { window: CHAT, cause: () => REFERS_BEFORE };
        sends(lesson, [role, params], [CHAT, CHAT], { lure }, what);
      },
    };
  }),
  ...ROLES.map((role): Scenarios[number] => {
    const what = `What a ${role} receives can refer back, though the ${role} itself forgets.`;
    return {
      what,
      rules: [159],
      check(lesson) {
        const bytes = fromPeer(role, first(Text, HELLO), first(Text, HELLO_AGAIN));
        const messages = [text('Hello'), text('Hello')];
        hears(lesson, [role, agreedFor(role, true)], bytes, messages, what);
      },
    };
  }),
  ...ROLES.map((role): Scenarios[number] => {
    const what = `A ${role} with a smaller window does not look back further.`;
    return {
      what,
      rules: [162],
      check(lesson) {
        const params = agreedFor(role, false, 9);
        const filler = utf8(FILLER);
        const window = filler.slice(-512);
        const lure = { window: join(CHAT, filler), cause: () => REFERS_TOO_FAR };
        sends(lesson, [role, params], [CHAT, filler, CHAT], { window, lure }, what);
      },
    };
  }),
  ...ROLES.map((role): Scenarios[number] => {
    const what = `What a ${role} receives can look back further than the ${role} itself.`;
    return {
      what,
      rules: [159],
      check(lesson) {
        const before = join(CHAT, utf8(FILLER));
        const bytes = fromPeer(
          role,
          first(Text, packed(CHAT)),
          first(Text, packed(utf8(FILLER), CHAT)),
          first(Text, packed(CHAT, before)),
        );
        const chat = text(`${Buffer.from(CHAT)}`);
        hears(lesson, [role, agreedFor(role, false, 9)], bytes, [chat, text(FILLER), chat], what);
      },
    };
  }),
  ...ROLES.map((role): Scenarios[number] => {
    const what = `A ${role} refuses what refers back further than its peer has promised.`;
    return {
      what,
      rules: [],
      check({ PerMessageDeflate }) {
        const params = agreedFor(other(role), false, 8);
        const between = utf8(FILLER.slice(0, 300));
        const bytes = fromPeer(
          role,
          first(Text, packed(CHAT)),
          first(Text, packed(between)),
          first(Text, packed(CHAT, join(CHAT, between))),
        );
        const reader = new PerMessageDeflate(role, params).readerFor(65_536);
        const given: Fact[] = [
          ...made(role, params),
          ...arrived(bytes),
          ['the third', 'refers back over 372 bytes, and 2^8 are 256'],
        ];
        failsWith(CloseCode.InvalidPayload, () => readAll(reader, [bytes]), what, { given });
      },
    };
  }),
  {
    what: 'What is sent and what is received have a window each.',
    rules: [159],
    check({ PerMessageDeflate }) {
      const what = 'What is sent and what is received have a window each.';
      for (const role of ROLES) {
        const extension = new PerMessageDeflate(role, FREE);
        const reader = extension.readerFor(65_536);
        const given = made(role, FREE);
        const hear = (payload: Uint8Array, calls: readonly Call[]) => {
          const bytes = fromPeer(role, first(Text, payload));
          const about = { given: [...given, ...tellCalls(calls), ...arrived(bytes)] };
          equal(() => readAll(reader, [bytes]), [text('Hello')], what, about);
        };
        hear(HELLO, []);
        extension.framesFor(Text, CHAT, 1000);
        hear(HELLO_AGAIN, [FRAMES_OF_CHAT]);
        const data = utf8(`Hello ${Buffer.from(CHAT)}`);
        const sent = { opcode: Text, data, maxPayload: 1000, window: CHAT };
        isCompressed(extension.framesFor(Text, data, 1000), sent, what, [
          ...given,
          ...tellCalls([FRAMES_OF_CHAT, { ...sent, of: 'framesFor(' }]),
          ['received', '"Hello", twice'],
        ]);
      }
    },
  },
  {
    what: '`framesFor` hands its options on, for one message each time.',
    rules: [160],
    check({ PerMessageDeflate }) {
      const what = '`framesFor` hands its options on, for one message each time.';
      const extension = new PerMessageDeflate('server', FREE);
      const options = { compress: false };
      const sent = { of: 'framesFor(', opcode: Text, data: CHAT, maxPayload: 20 };
      const told = (calls: readonly Call[]) => [...made('server', FREE), ...tellCalls(calls)];
      const frames = extension.framesFor(Text, CHAT, 20, options);
      isPlain(frames, sent, what, told([{ ...sent, options }]));
      const next = extension.framesFor(Text, CHAT, 20);
      isCompressed(next, sent, what, told([{ ...sent, options }, sent]));
    },
  },
  {
    what: '`readerFor` hands the limit on, for what comes out and for what is on the wire.',
    rules: [164],
    check({ PerMessageDeflate }) {
      const what =
        '`readerFor` hands the limit on, for what comes out and for what is on the wire.';
      for (const role of ROLES) {
        const large = new Uint8Array(1001);
        // Of the last, the header alone.
        const wrong: readonly (readonly [why: string, bytes: Uint8Array])[] = [
          ['1001 bytes come out of it', fromPeer(role, first(Binary, packed(large)))],
          ['1001 bytes, not compressed', fromPeer(role, { opcode: Binary, payload: large })],
          [
            'its header announces 1001 compressed bytes',
            fromPeer(role, first(Binary, large)).slice(0, role === 'server' ? 8 : 4),
          ],
        ];
        for (const [why, bytes] of wrong) {
          const reader = new PerMessageDeflate(role, FREE).readerFor(1000);
          const terms: Fact[] = [
            ['call', 'readerFor(1000)'],
            ['which is wrong', why],
          ];
          const given = [...made(role, FREE), ...terms, ...arrived(bytes)];
          failsWith(CloseCode.MessageTooBig, () => readAll(reader, [bytes]), what, { given });
        }
        const most = new Uint8Array(100_000);
        const bytes = fromPeer(role, first(Binary, packed(most)));
        const reader = new PerMessageDeflate(role, FREE).readerFor(most.length);
        const call: Fact = ['call', `readerFor(${most.length})`];
        const given = [...made(role, FREE), call, ...arrived(bytes)];
        equal(() => readAll(reader, [bytes]), [binary(most)], what, { given });
      }
    },
  },
  {
    what: '`readerFor` hands on a limit above 16 MiB, too.',
    rules: [164],
    check({ PerMessageDeflate }) {
      const what = '`readerFor` hands on a limit above 16 MiB, too.';
      // 20 MiB are announced, and one byte of those is there.
      for (const first of ['c2', '82']) {
        const bytes = fromHex(`${first} 7f 00 00 00 00 01 40 00 00 61`);
        const reader = new PerMessageDeflate('client', FREE).readerFor(2 ** 25);
        const max: Fact = ['maxMessageBytes', `${2 ** 25}`];
        const given = [...made('client', FREE), max, ...arrived(bytes)];
        equal(() => readAll(reader, [bytes]), [], what, { given });
      }
    },
  },
  {
    what: '`readerFor` makes a reader for its role, and with all the rules of one.',
    rules: [156],
    check({ PerMessageDeflate }) {
      const what = '`readerFor` makes a reader for its role, and with all the rules of one.';
      for (const role of ROLES) {
        const wrong = [
          [
            CloseCode.ProtocolError,
            'a client masks its frames, and a server does not',
            fromPeer(other(role), first(Text, HELLO)),
          ],
          [
            CloseCode.ProtocolError,
            'RSV1 on a Ping',
            fromPeer(role, { opcode: Opcode.Ping, rsv: RSV1 }),
          ],
          [
            CloseCode.ProtocolError,
            'RSV1 on a continuation',
            fromPeer(role, { opcode: Opcode.Continuation, rsv: RSV1 }),
          ],
          [
            CloseCode.InvalidPayload,
            'ff comes out, which is no UTF-8',
            fromPeer(role, first(Text, fromHex('fa 0f 00'))),
          ],
        ] as const;
        for (const [code, why, bytes] of wrong) {
          const reader = new PerMessageDeflate(role, FREE).readerFor(1000);
          const reason: Fact = ['which is wrong', why];
          const given = [...made(role, FREE), reason, ...arrived(bytes)];
          failsWith(code, () => readAll(reader, [bytes]), what, { given });
        }
      }
    },
  },
];

/** Frames as bytes, as this role sends them. */
function encoded({ EARLIER }: Lesson, role: Role, frames: readonly Frame[]): Uint8Array {
  return role === 'server'
    ? EARLIER.encodeFrames(frames)
    : join(...frames.map((frame) => EARLIER.encodeMaskedFrame(frame)));
}

export const MARKING: Scenarios = [...HOOKS_OF_SENDING, ...SENT, ...TALKED, ANY_TALK];

/** Step 7: the extension as a whole, for one connection. */
import { attempt, equal, fail, failsWith } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import { join, utf8, wire } from '../../../shared/kit/frames.ts';
import {
  CloseCode,
  type Frame,
  type Message,
  Opcode,
  type Role,
} from '../../../shared/protocol.ts';
import { count } from '../../../shared/view/count.ts';
import { fromHex } from '../../../shared/view/hex.ts';
import type { DeflateParams } from '../../../solutions/07-compression/compression.ts';
import { arrived, binary, readAll, text } from '../02-reading-frames/readers.ts';
import { first, HELLO, HELLO_AGAIN, RSV1 } from './packed-messages.ts';
import {
  type Call,
  CHAT,
  FILLER,
  isCompressed,
  isPlain,
  isUnpacked,
  type Lure,
  tellCalls,
} from './sent-messages.ts';
import type { Lesson, Scenarios } from './tools.ts';
import { packed } from './zlib.ts';

const { Binary, Text } = Opcode;

const ZEROS = new Uint8Array(64);

const REFERS_BEFORE =
  'It refers back to the message before, which the peer need not have any more.';
const REFERS_TOO_FAR = 'It refers back further than the peer keeps its window.';
const REFERS_TO_OTHERS =
  'It refers back to what the other extension has sent, which was for another peer.';

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

export const EXTENDING: Scenarios = [
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

/** Step 8, without a socket: what becomes of an opening. */
import { attempt, equal, fail, refusesWith } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import { utf8, wire } from '../../../shared/kit/frames.ts';
import { agreement } from '../../../shared/kit/host.ts';
import { request } from '../../../shared/kit/peer.ts';
import { type Extension, type Frame, Opcode, ProtocolError } from '../../../shared/protocol.ts';
import { quote } from '../../../shared/view/hex.ts';
import type { RequestHead } from '../../../solutions/01-handshake/handshake.ts';
import type { Accepted } from '../../../solutions/05-server/server.ts';
import type { DeflatePolicy } from '../../../solutions/07-compression/compression.ts';
import { goes } from './far.ts';
import type { Lesson, Scenarios } from './tools.ts';

/** `Hello`, compressed with an empty window, and then again with itself in the window. */
export const HELLO = Uint8Array.of(0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00);
export const HELLO_AGAIN = Uint8Array.of(0xf2, 0x00, 0x11, 0x00, 0x00);

/** A text that is shorter when it is compressed, even alone. */
export const ECHO = 'Hello, hello, hello, hello, hello!';

const NAME = 'sec-websocket-extensions';

/** A request that offers extensions, in so many lines. */
function asking(...offers: readonly string[]): RequestHead {
  const headers = new Map<string, readonly string[]>([
    ['host', ['server.example.com']],
    ['sec-websocket-key', ['dGhlIHNhbXBsZSBub25jZQ==']],
  ]);
  if (offers.length > 0) headers.set(NAME, Object.freeze([...offers]));
  return { method: 'GET', target: '/chat', version: 'HTTP/1.1', headers, length: 200 };
}

/** Makes a response with a subprotocol, and a line of the application with a byte that is no UTF-8. */
function newAnswer(): Uint8Array {
  const lines = ['Sec-WebSocket-Protocol: chat', 'X-Name: Zo_'];
  const answer = agreement(Buffer.from(request()).toString('latin1'), ...lines);
  return answer.map((byte) => (byte === 0x5f ? 0xeb : byte));
}

/** Makes an opening as lesson 05 does, with a subprotocol, and the start of a frame behind the head. */
const newOpening = (): Accepted => ({
  accepted: true,
  answer: newAnswer(),
  upgrade: {
    key: 'dGhlIHNhbXBsZSBub25jZQ==',
    resource: '/chat',
    origin: undefined,
    protocols: ['chat'],
  },
  protocol: 'chat',
  rest: Uint8Array.of(0x81, 0x85),
});

/** What all that is told of a call begins with. */
function called(offers: readonly string[], policy: DeflatePolicy): Fact[] {
  const lines = offers.map((offer) => quote(`Sec-WebSocket-Extensions: ${offer}`));
  const [first = 'no Sec-WebSocket-Extensions', ...others] = lines;
  return [
    ['call', 'agreeOnDeflate(opening, request, policy)'],
    ['the request has', first],
    ...others.map((line): Fact => ['', line]),
    ['policy', show(policy)],
  ];
}

/** The lines of a response, without the two at its end that are empty. */
function linesOf(answer: Uint8Array, given: readonly Fact[]): string[] {
  const what = 'The response ends with one empty line, behind the new one.';
  const text = Buffer.from(answer).toString('latin1');
  const lines = text.split('\r\n');
  const isWhole = text.indexOf('\r\n\r\n') === text.length - 4;
  if (isWhole) return lines.slice(0, -2);
  return fail(
    what,
    [...given, ['the response', quote(text)]],
    /\r\n\r\nsec-websocket-extensions:/i.test(text)
      ? 'It is behind the empty line: for the client, the frames begin there.'
      : undefined,
  );
}

/** Makes the opening with these offers, and checks all of it but the response and the extension. */
function agreed(
  { agreeOnDeflate }: Lesson,
  offers: readonly string[],
  policy: DeflatePolicy = {},
): { readonly opening: Accepted; readonly given: readonly Fact[] } {
  const given = called(offers, policy);
  const { upgrade, protocol, rest } = newOpening();
  const own = Object.freeze({ ...policy });
  const call = () => agreeOnDeflate(newOpening(), asking(...offers), own);
  const opening = attempt(
    call,
    'Whatever is on offer, a well-formed list opens a WebSocket.',
    given,
  );
  const what = 'What the opening has besides stays as it was.';
  equal(() => opening, { accepted: true, upgrade, protocol, rest }, what, {
    given,
    label: 'the opening',
  });
  return { opening, given };
}

/** Checks that the response has one line more, and that this says as much. */
function expectLine(
  answer: Uint8Array,
  expected: readonly string[],
  given: readonly Fact[],
  what: string,
): void {
  const lines = linesOf(answer, given);
  const isOurs = (line: string) => line.toLowerCase().startsWith(`${NAME}:`);
  const before = Buffer.from(newOpening().answer).toString('latin1').split('\r\n').slice(0, -2);
  equal(() => lines.filter((line) => !isOurs(line)), before, 'The other lines stay as they were.', {
    given,
    label: 'the response has',
  });
  const parts = lines
    .filter(isOurs)
    .map((line) => line.slice(NAME.length + 1).split(';'))
    // Quotes and spaces are free.
    .map((items) => items.map((it) => it.replace(/[" \t]/g, '')))
    .map(([name = '', ...params]) => [name, ...params.sort()]);
  equal(() => parts.map((it) => it.join('; ')), [expected.join('; ')], what, {
    given,
    label: 'Sec-WebSocket-Extensions',
    cause: () => (parts.length === 0 ? 'The response has no such line.' : undefined),
  });
}

/** Checks that an opening is one without compression. */
function expectNone({ opening, given }: ReturnType<typeof agreed>, what: string): void {
  const textOf = (answer: Uint8Array) => Buffer.from(answer).toString('latin1');
  const before = textOf(newOpening().answer);
  equal(() => textOf(opening.answer), before, what, {
    given,
    label: 'the response',
    cause: (response) =>
      /\r\nsec-websocket-extensions:/i.test(`${response}`)
        ? 'It has a Sec-WebSocket-Extensions, though there is no agreement.'
        : undefined,
  });
  equal(() => opening.extension, undefined, 'Without an agreement there is no extension.', {
    given,
    label: '`extension`',
  });
}

/** The extension of an opening. */
function extensionOf({ opening, given }: ReturnType<typeof agreed>): Extension {
  const { extension } = opening;
  const isOne =
    typeof extension?.framesFor === 'function' && typeof extension.readerFor === 'function';
  if (extension && isOne) return extension;
  return fail('The opening gets its `extension`, which the connection works with.', [
    ...given,
    ['`extension`', extension === undefined ? 'undefined' : 'without framesFor and readerFor'],
    ['expected', "new PerMessageDeflate('server', …)"],
  ]);
}

/** What an extension makes of a text: one frame. */
function send(made: ReturnType<typeof agreed>): Frame {
  const extension = extensionOf(made);
  const call = () => extension.framesFor(Opcode.Text, utf8(ECHO), 65_535);
  const [frame, ...others] = attempt(call, 'Send a message.', made.given);
  if (frame && others.length === 0) return frame;
  return fail('A short message is one frame.', [...made.given, ['frames', `${others.length + 1}`]]);
}

/** What a policy or an offer makes of the response. The parameters are in the order of their names. */
const ANSWERS: readonly {
  readonly what: string;
  readonly offers: readonly string[];
  readonly policy?: DeflatePolicy;
  readonly answer: readonly string[];
  readonly rules: readonly number[];
}[] = [
  {
    what: 'An offer gets a response with one line more.',
    offers: ['permessage-deflate; client_max_window_bits'],
    answer: [],
    rules: [51, 107],
  },
  {
    what: 'What the client has asked of the server is in the response.',
    offers: ['permessage-deflate; server_max_window_bits=10; server_no_context_takeover'],
    answer: ['server_max_window_bits=10', 'server_no_context_takeover'],
    rules: [107, 176],
  },
  {
    what: 'What the policy wants is in the response.',
    offers: ['permessage-deflate; client_max_window_bits'],
    policy: { clientMaxWindowBits: 9, serverNoContextTakeover: true },
    answer: ['client_max_window_bits=9', 'server_no_context_takeover'],
    rules: [107],
  },
  {
    what: 'Several header lines are one list.',
    offers: ['x-foo; x="1"', 'permessage-deflate; server_max_window_bits=12'],
    answer: ['server_max_window_bits=12'],
    rules: [51, 107],
  },
  {
    what: 'A line can be empty, and then the list goes on in the next one.',
    offers: ['', 'permessage-deflate; server_max_window_bits=12', ''],
    answer: ['server_max_window_bits=12'],
    rules: [107, 141],
  },
  {
    what: 'There can be many lines, with many elements.',
    offers: [...Array<string>(10).fill('x-foo, x-bar'), 'permessage-deflate'],
    answer: [],
    rules: [51, 107],
  },
  {
    what: 'The first offer counts, in several lines too.',
    offers: ['permessage-deflate; server_max_window_bits=10', 'permessage-deflate'],
    answer: ['server_max_window_bits=10'],
    rules: [107],
  },
  {
    what: 'An offer that cannot be kept does not hide the next one.',
    offers: ['permessage-deflate; foo, permessage-deflate; server_no_context_takeover'],
    answer: ['server_no_context_takeover'],
    rules: [161],
  },
];

const answering: Scenario<Lesson>[] = ANSWERS.map(({ what, offers, policy, answer, rules }) => ({
  what,
  rules,
  check(lesson) {
    const { opening, given } = agreed(lesson, offers, policy);
    expectLine(opening.answer, ['permessage-deflate', ...answer], given, what);
  },
}));

const DECLINED = [
  [],
  ['x-webkit-deflate-frame'],
  ['PerMessage-Deflate'],
  ['permessage-deflate; Client_Max_Window_Bits'],
  ['permessage-deflate; server_max_window_bits=16'],
  ['permessage-deflate; foo', 'permessage-bzip2'],
];

const MALFORMED = [
  ['permessage-deflate;'],
  ['permessage-deflate; client_max_window_bits='],
  ['permessage-deflate client_max_window_bits'],
  ['permessage-deflate', 'x-foo; bar="'],
  [''],
];

export const AGREED: Scenarios = [
  ...answering,
  {
    what: 'Without an offer that can be kept, the opening stays as it is.',
    rules: [51, 107, 161],
    check(lesson) {
      for (const offers of DECLINED) {
        const what = 'Without an offer that can be kept, the response stays as it is.';
        expectNone(agreed(lesson, offers, { serverNoContextTakeover: true }), what);
      }
    },
  },
  {
    what: 'A header that breaks the grammar is refused with 400.',
    rules: [141],
    check({ agreeOnDeflate }) {
      for (const offers of MALFORMED) {
        const what = 'A Sec-WebSocket-Extensions that breaks the grammar is refused with 400.';
        const given = called(offers, {});
        refusesWith(400, () => agreeOnDeflate(newOpening(), asking(...offers)), what, { given });
      }
    },
  },
  {
    what: 'The extension sends as the server that has agreed.',
    rules: [107, 155, 159, 176],
    check(lesson) {
      for (const [offer, way] of [
        ['permessage-deflate; client_no_context_takeover', { after: ECHO }],
        ['permessage-deflate; server_no_context_takeover', 'alone'],
      ] as const) {
        const made = agreed(lesson, [offer]);
        const first = send(made);
        const given: Fact[] = [...made.given, ['sent', 'the same text twice']];
        goes(first, ECHO, 'alone', 'The first message has nothing to refer back to.', given);
        goes(send(made), ECHO, way, 'The server sends as it has agreed to.', given);
      }
    },
  },
  {
    what: 'The extension reads as the server that has agreed.',
    rules: [107, 159],
    check(lesson) {
      // Only the server forgets, so the client's window lasts.
      const made = agreed(lesson, ['permessage-deflate; server_no_context_takeover']);
      const reader = extensionOf(made).readerFor(1000);
      const read = (payload: Uint8Array) => {
        reader.push(wire({ rsv: 4, opcode: Opcode.Text, payload }));
        return reader.read();
      };
      const given: Fact[] = [...made.given, ['arrived', '"Hello", twice, compressed and masked']];
      const what = 'The server reads what its client sends, with the window of the client.';
      for (const payload of [HELLO, HELLO_AGAIN]) {
        equal(() => read(payload), { type: 'text', data: 'Hello' }, what, {
          given,
          label: '`read` gave',
          causeOfError: (error) =>
            error instanceof ProtocolError && error.closeCode === 1002
              ? 'A server makes its extension for the role of a server.'
              : undefined,
        });
      }
    },
  },
  {
    what: 'Each opening gets an extension of its own.',
    rules: [159],
    check(lesson) {
      const [first, second] = [1, 2].map(() => agreed(lesson, ['permessage-deflate']));
      const given: Fact[] = [
        ...second!.given,
        ['sent', 'a text on one connection, then on another'],
      ];
      send(first!);
      goes(send(second!), ECHO, 'alone', 'Each connection has a window of its own.', given);
    },
  },
];

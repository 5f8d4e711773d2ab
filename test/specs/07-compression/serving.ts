/** Step 8: a server that compresses. First what it agrees to, then on sockets. */
import { createServer as createHttpServer, type IncomingMessage } from 'node:http';
import { createServer } from 'node:net';
import type { Duplex } from 'node:stream';
import { attempt, CheckFailure, equal, fail } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import { utf8, type WireFrame, wire } from '../../../shared/kit/frames.ts';
import { withGiven } from '../../../shared/kit/given.ts';
import { Listener, type Peer, request } from '../../../shared/kit/peer.ts';
import { CloseCode, Opcode } from '../../../shared/protocol.ts';
import { quote } from '../../../shared/view/hex.ts';
import type { Handler, Options, WebSocketServer } from '../../../solutions/05-server/server.ts';
import type { DeflatePolicy } from '../../../solutions/07-compression/compression.ts';
import { AGREED, ECHO, HELLO, HELLO_AGAIN } from './agreed.ts';
import { means } from './chooser.ts';
import { goes, notMessage, type Way } from './far.ts';
import { HOOKS_OF_SERVER } from './hooks.ts';
import { TALKS, talk } from './talking.ts';
import type { Lesson, Scenarios } from './tools.ts';
import { packed } from './zlib.ts';

/** Limits that the end of a scenario comes before, however slow the machine is. */
const PATIENT = { closeTimeoutMs: 600_000, pingIntervalMs: 600_000 };

/** What a server is made with, where that matters. */
interface Serving {
  readonly options?: Options;
  readonly policy?: DeflatePolicy;
  /** Absent: every message is echoed. */
  readonly handle?: Handler;
}

const echo: Handler = (connection, event) => {
  if (event.type === 'text' || event.type === 'binary') connection.send(event.data);
};

function make({ compressingServer }: Lesson, { options, policy, handle = echo }: Serving) {
  const own = Object.freeze({ ...PATIENT, ...options });
  const given: Fact[] = [['call', `compressingServer(handle, ${show(own)}, policy)`]];
  return attempt(() => compressingServer(handle, own, policy), 'Make a server.', given, {
    causeOfError: () => {
      // Options that can be changed make the difference.
      compressingServer(handle, { ...own }, policy);
      return 'The options are those of the caller: leave them as they are, and work on a copy.';
    },
  });
}

/** Runs a check with a compressing server on a listening socket. */
function serve(
  lesson: Lesson,
  check: (listener: Listener, server: WebSocketServer) => Promise<void>,
  serving: Serving = {},
): Promise<void> {
  const server = make(lesson, serving);
  const accept = (socket: Parameters<typeof server.accept>[0]) => server.accept(socket);
  return Listener.run(createServer(), 'connection', accept, (it) => check(it, server));
}

const OFFER = 'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits';

/** Asks for a WebSocket with these lines, and returns the head of the response. */
async function asks(client: Peer, ...lines: readonly string[]): Promise<string> {
  client.write(request('/', ...lines));
  return client.head('A request gets a response.');
}

/** Connects a client that has offered compression, and got it. */
async function compressing(listener: Listener, offer = OFFER): Promise<Peer> {
  const client = await listener.connect();
  const head = await asks(client, offer);
  const isAgreed = /\r\nsec-websocket-extensions:[ \t]*permessage-deflate/i.test(head);
  if (head.startsWith('HTTP/1.1 101 ') && isAgreed) return client;
  return fail('A client that offers compression gets it.', [
    ['the request has', quote(offer)],
    ['the response', quote(head)],
  ]);
}

/** Encodes a client's text message that is compressed. */
const compressed = (payload: Uint8Array, more: Partial<WireFrame> = {}) =>
  wire({ rsv: 4, opcode: Opcode.Text, payload, ...more });

/** Encodes a frame of the server. */
const fromServer = (payload: Uint8Array | string, more: Partial<WireFrame> = {}) =>
  wire({ opcode: Opcode.Text, payload, key: null, ...more });

/** Waits for something. When it fails, these facts are told first. */
async function given<T>(facts: readonly Fact[], waiting: Promise<T>): Promise<T> {
  return waiting.catch((error) => {
    throw error instanceof CheckFailure ? error.with([...facts, ...error.facts]) : error;
  });
}

/** Waits for a text, and checks how it comes. */
async function hears(client: Peer, text: string, way: Way, what: string, facts: readonly Fact[]) {
  goes(await given(facts, client.frame(what)), text, way, what, facts);
}

/** Has a text echoed: compressed alone, and once more, with itself in the window. */
async function echoesTwice(client: Peer): Promise<void> {
  const bytes = utf8(ECHO);
  client.write(compressed(packed(bytes)));
  await hears(client, ECHO, 'alone', 'A compressed message is echoed compressed.', [
    ['the client sent', 'a text, compressed'],
  ]);
  client.write(compressed(packed(bytes, bytes)));
  await hears(client, ECHO, { after: ECHO }, 'The second message refers back to the first.', [
    ['the client sent', 'the same text, with a reference back to the first'],
  ]);
}

/** Has a plain message echoed by a server, to see that it is still there. */
async function isAlive(listener: Listener, after: string): Promise<void> {
  const client = await listener.connect();
  await client.open();
  client.write(wire({ opcode: Opcode.Text, payload: 'Are you there?' }));
  await given(
    [['before', after]],
    client.receives(fromServer('Are you there?'), 'One bad client does not harm another.'),
  );
}

/** Waits for a Close with a code. */
async function closesWith(client: Peer, code: number, facts: readonly Fact[]): Promise<void> {
  const what = 'A client that does what it may not is told so by the code of a Close.';
  const frame = await given(facts, client.frame(what));
  const isMessage = frame.opcode === Opcode.Text || frame.opcode === Opcode.Binary;
  const came = () => (isMessage ? 'a message' : notMessage(frame));
  equal(came, `a Close with ${code}`, what, { given: facts, label: 'came' });
}

/** What an application does that sends some messages as they are. */
const obey: Handler = (connection, event) => {
  if (event.type !== 'text') return;
  if (event.data === 'plain') connection.send(ECHO, { compress: false });
  else if (event.data === 'packed') connection.send(ECHO);
};

/** What an application does that adds a line to each response: what it was given. */
const withLine: NonNullable<Options['extend']> = (opening, request) => {
  const lines = Buffer.from(opening.answer).toString('latin1').slice(0, -2);
  const state = opening.extension ? 'agreed' : 'open';
  return { ...opening, answer: utf8(`${lines}X-Seen: ${request?.target} ${state}\r\n\r\n`) };
};

/** The most bytes of a message, for a server that takes little. */
const MAX_MESSAGE_BYTES = 1000;

/** What a client may not send compressed, and the code for it. */
const BAD: readonly (readonly [what: string, payload: Uint8Array, code: number])[] = [
  ['1 MiB of zeros', packed(new Uint8Array(2 ** 20)), CloseCode.MessageTooBig],
  ['one byte more than the limit', packed(utf8('a'.repeat(1001))), CloseCode.MessageTooBig],
  ['ff ff ff ff, which is not DEFLATE', new Uint8Array(4).fill(255), CloseCode.InvalidPayload],
  ['a reference to what was never sent', HELLO_AGAIN, CloseCode.InvalidPayload],
  ['a byte that is not UTF-8', packed(Uint8Array.of(255)), CloseCode.InvalidPayload],
];

const LIVE: Scenarios = [
  {
    what: 'A client that offers compression hears a text twice, the second time by referring back.',
    rules: [107, 155, 159],
    check: (lesson) => serve(lesson, async (listener) => echoesTwice(await compressing(listener))),
  },
  {
    what: 'A client that does not offer compression has none.',
    rules: [51, 107],
    check: (lesson) =>
      serve(lesson, async (listener) => {
        const client = await listener.connect();
        const head = await asks(client);
        const what = 'What nobody has offered is not in the response.';
        equal(() => /sec-websocket-extensions/i.test(head), false, what, {
          given: [['the response', quote(head)]],
          label: 'it is there',
        });
        client.write(wire({ opcode: Opcode.Text, payload: 'Hello' }));
        await client.receives(fromServer('Hello'), 'Without an agreement, all goes as it is.');
      }),
  },
  {
    what: 'RSV1 that was not agreed on is 1002.',
    rules: [156],
    check: (lesson) =>
      serve(lesson, async (listener) => {
        for (const offers of [[], ['Sec-WebSocket-Extensions: x-webkit-deflate-frame']]) {
          const client = await listener.connect();
          await asks(client, ...offers);
          client.write(compressed(HELLO));
          await closesWith(client, CloseCode.ProtocolError, [
            ['the request has', offers.length === 0 ? 'no offer' : quote(offers.join())],
            ['the client sent', 'a text message with RSV1'],
          ]);
        }
      }),
  },
  {
    what: 'Fragments with a Ping between them are one message, and the Pong is not compressed.',
    rules: [155, 159],
    check: (lesson) =>
      serve(lesson, async (listener) => {
        const client = await compressing(listener);
        const payload = packed(utf8(ECHO));
        client.write(
          compressed(payload.subarray(0, 3), { fin: false }),
          wire({ opcode: Opcode.Ping, payload: 'ping' }),
          wire({ opcode: Opcode.Continuation, payload: payload.subarray(3) }),
        );
        const facts: Fact[] = [
          ['the client sent', 'a compressed text in two fragments, a Ping between'],
        ];
        const pong = fromServer('ping', { opcode: Opcode.Pong });
        await given(facts, client.receives(pong, 'The Pong comes before the echo, as it is.'));
        await hears(client, ECHO, 'alone', 'Fragments are joined before they are inflated.', facts);
      }),
  },
  {
    what: 'With `compress: false`, a message goes as it is, and stays out of the window.',
    rules: [160, 178],
    check: (lesson) =>
      serve(
        lesson,
        async (listener) => {
          const client = await compressing(listener);
          for (const payload of ['plain', 'packed', 'plain', 'packed']) {
            client.write(wire({ opcode: Opcode.Text, payload }));
          }
          const facts: Fact[] = [
            ['the calls', '`send` of one text four times, the 1st and 3rd with compress: false'],
          ];
          const what = 'Only a message that was sent compressed is in the window.';
          for (const way of ['plain', 'alone', 'plain', { after: ECHO }] as const) {
            await hears(client, ECHO, way, what, facts);
          }
        },
        { handle: obey },
      ),
  },
  {
    what: 'Each of two clients has a window of its own, and a third without one gets plain text.',
    rules: [159],
    check: (lesson) =>
      serve(lesson, async (listener, server) => {
        const old = await compressing(listener);
        await echoesTwice(old);
        const recent = await compressing(listener);
        const plain = await listener.connect();
        await plain.open();
        attempt(() => server.broadcast(ECHO), 'Send to everybody.');
        for (const [name, client, way] of [
          ['has heard the text before', old, { after: ECHO }],
          ['has just come', recent, 'alone'],
          ['has not offered compression', plain, 'plain'],
        ] as const) {
          await hears(client, ECHO, way, 'Each client gets a message as its own window has it.', [
            ['call', '`broadcast` of a text'],
            ['a client', `that ${name}`],
          ]);
        }
      }),
  },
  {
    what: 'Bombs and garbage get a Close with a code, and the server lives on.',
    rules: [164],
    check: (lesson) =>
      serve(
        lesson,
        async (listener) => {
          for (const [what, payload, code] of BAD) {
            const client = await compressing(listener);
            client.write(compressed(payload));
            await closesWith(client, code, [
              ['`maxMessageBytes`', `${MAX_MESSAGE_BYTES}`],
              ['the client sent', `${what}, compressed to ${show(payload)}`],
            ]);
            await isAlive(listener, what);
          }
        },
        { options: { maxMessageBytes: MAX_MESSAGE_BYTES } },
      ),
  },
  {
    what: 'A message of exactly `maxMessageBytes` is read.',
    rules: [164],
    check: (lesson) =>
      serve(
        lesson,
        async (listener) => {
          const client = await compressing(listener);
          const longest = 'a'.repeat(MAX_MESSAGE_BYTES);
          const payload = packed(utf8(longest));
          client.write(compressed(payload));
          await hears(client, longest, 'alone', 'The limit is the last that is allowed.', [
            ['`maxMessageBytes`', `${MAX_MESSAGE_BYTES}`],
            ['the client sent', `so many times "a", compressed to ${show(payload)}`],
          ]);
        },
        { options: { maxMessageBytes: MAX_MESSAGE_BYTES } },
      ),
  },
  {
    what: 'The policy of the handshake applies as ever.',
    rules: [],
    check: (lesson) =>
      serve(
        lesson,
        async (listener) => {
          const stranger = await listener.connect();
          const refusal = await asks(stranger, OFFER, 'Origin: http://bad.example');
          equal(() => refusal.slice(9, 12), '403', 'The options of a server apply to it.', {
            given: [
              ['`origins`', "['http://good.example']"],
              ['the request has', "'Origin: http://bad.example'"],
            ],
            label: 'status',
          });
        },
        {
          options: { origins: ['http://good.example'] },
        },
      ),
  },
  {
    what: 'A list of extensions that is not well formed gets a response of 400.',
    rules: [141],
    check: (lesson) =>
      serve(lesson, async (listener) => {
        const client = await listener.connect();
        const line = 'Sec-WebSocket-Extensions: permessage-deflate;';
        const head = await asks(client, line);
        const what = 'A list of extensions that is not well formed gets a response of 400.';
        equal(() => head.slice(9, 12), '400', what, {
          given: [['the request has', quote(line)]],
          label: 'status',
        });
      }),
  },
  {
    what: 'What the policy wants is agreed on with each client.',
    rules: [107, 176],
    check: (lesson) =>
      serve(
        lesson,
        async (listener) => {
          const client = await compressing(listener);
          for (let i = 0; i < 2; i++) {
            client.write(wire({ opcode: Opcode.Text, payload: ECHO }));
            await hears(client, ECHO, 'alone', 'A server that forgets refers back to nothing.', [
              ['policy', '{ serverNoContextTakeover: true }'],
              ['the client sent', `a text${i === 0 ? '' : ', for the second time'}`],
            ]);
          }
        },
        { policy: { serverNoContextTakeover: true } },
      ),
  },
  {
    what: 'An `extend` among the options is called first, and compression is agreed on as well.',
    rules: [],
    check: (lesson) =>
      serve(
        lesson,
        async (listener) => {
          const client = await listener.connect();
          const head = await asks(client, OFFER);
          const lineOf = (name: string) =>
            new RegExp(`^${name}:[ \\t]*(.*?)[ \\t]*\\r$`, 'im').exec(head)?.[1];
          const facts: Fact[] = [
            ['call', 'compressingServer(handle, { extend }, { serverNoContextTakeover: true })'],
            ['`extend`', 'adds X-Seen: the target, and whether an extension is agreed or open'],
            ['the response', quote(head)],
          ];
          const what = 'The response has the line of the application, and that of compression.';
          equal(() => lineOf('X-Seen'), '/ open', what, { given: facts, label: 'X-Seen' });
          withGiven(
            () => facts,
            () =>
              means(
                lineOf('Sec-WebSocket-Extensions'),
                'permessage-deflate; server_no_context_takeover',
                what,
              ),
          );
        },
        { options: { extend: withLine }, policy: { serverNoContextTakeover: true } },
      ),
  },
  {
    what: 'A server of `node:http` hands over clients that compress.',
    rules: [107],
    check(lesson) {
      const server = make(lesson, {});
      const upgrade = (message: IncomingMessage, socket: Duplex, head: Buffer) =>
        server.upgrade(message, socket, head);
      return Listener.run(createHttpServer(), 'upgrade', upgrade, async (listener) => {
        const client = await listener.connect();
        const head = await asks(client, 'Sec-WebSocket-Extensions: x-foo', OFFER);
        equal(() => /\r\nsec-websocket-extensions:/i.test(head), true, 'Both lines are the list.', {
          given: [
            ['the request has', "'Sec-WebSocket-Extensions: x-foo'"],
            ['', quote(OFFER)],
            ['the response', quote(head)],
          ],
          label: 'it agrees',
        });
        await echoesTwice(client);
      });
    },
  },
];

/** Any conversation, for each of several agreements. */
const GENERATED: Scenarios = [
  {
    what: 'Whatever was agreed on, any conversation comes back as it was.',
    rules: [159, 160, 162],
    async check(lesson) {
      for (const [offer, policy] of TALKS) {
        await serve(
          lesson,
          async (listener) => {
            const client = await listener.connect();
            const response = await asks(client, `Sec-WebSocket-Extensions: ${offer}`);
            await talk(client, offer, response, policy);
          },
          { policy },
        );
      }
    },
  },
];

export const SERVING: Scenarios = [...AGREED, ...HOOKS_OF_SERVER, ...LIVE, ...GENERATED];

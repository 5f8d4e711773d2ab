/** Step 10: a server and its connections. */
import type { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { attempt, CheckFailure, equal, fail } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import { closeBody, fromClient, fromServer, join, utf8 } from '../../../shared/kit/frames.ts';
import { giveWay } from '../../../shared/kit/patience.ts';
import { type Listener, type Peer, request, until } from '../../../shared/kit/peer.ts';
import type * as Server from '../../../solutions/05-server/server.ts';
import {
  Binary,
  Close,
  type Lesson,
  NORMAL,
  NOTHING,
  Ping,
  type Scenarios,
  SHARED,
  spokenIn,
  Text,
} from './core.ts';
import { sampleWith } from './opening.ts';
import {
  acceptLine,
  CLEANLY,
  counts,
  countsLeft,
  expectCode,
  expectListener,
  expectReason,
  expectStatus,
  expectUsualTimes,
  Line,
  openAll,
  PATIENT,
  quietly,
  settles,
  throwAt,
  turns,
  withServer,
  writtenTo,
} from './sockets.ts';

const PART = request().subarray(0, 20);
const POST = sampleWith('GET', 'POST');

const ALONE =
  'Alone, a client gets its answer. Keep what has arrived for each socket by itself, and let no socket wait for another.';

/** Runs a check while something else is going on, which is told when it fails. */
async function besides(situation: string, check: () => Promise<void>): Promise<void> {
  try {
    await check();
  } catch (error) {
    if (!(error instanceof CheckFailure)) throw error;
    const { message, facts, cause = ALONE } = error;
    throw new CheckFailure(message, [['meanwhile', situation], ...facts], cause);
  }
}

/** A client that leaves in this way, and that the server forgets. */
function forgets(what: string, leave: (client: Peer) => void | Promise<void>): Scenario<Lesson> {
  return {
    what: `A client that ${what} is forgotten.`,
    rules: [],
    check: (lesson) =>
      withServer(lesson, async (listener, server) => {
        const [client] = (await openAll(listener, 1)) as [Peer];
        await counts(server, 1, 'The server knows its open connections.');
        await leave(client);
        await countsLeft(server, 0);
      }),
  };
}

/** A request that gets a status, after which the server closes the TCP connection. */
function refuses(what: string, bytes: Uint8Array, status: string): Scenario<Lesson> {
  return {
    what: `Refuse ${what} with an HTTP response.`,
    rules: [35, 132],
    check: (lesson) =>
      withServer(lesson, async (listener, server) => {
        const client = await listener.connect();
        client.write(bytes);
        const head = await client.head(`Refuse ${what} with an HTTP response.`);
        equal(() => head.slice(9, 12), status, `Refuse ${what}.`, { label: 'status' });
        const hangsUp = 'After a refusal, the server ends its side, cleanly.';
        await client.sees('fin', hangsUp, CLEANLY, 'The refusal has come: end the socket with it.');
        await counts(server, 0, 'A refused client is not a connection.');
      }),
  };
}

/** Runs a check with a client that begins its request, and does not end it. */
function withLoiterer(lesson: Lesson, check: (client: Peer) => Promise<void>): Promise<void> {
  const connect = async (listener: Listener) => {
    const client = await listener.connect();
    client.write(request().subarray(0, 30));
    await check(client);
  };
  return withServer(lesson, connect, { headTimeoutMs: 50, closeTimeoutMs: 50 });
}

/** What a client does, and what comes of it when one option is set. */
export interface Honoured {
  readonly options: Server.Options;
  /** What arrives. It is the sample request, with these frames behind it, if nothing else is said. */
  readonly frames?: Uint8Array;
  readonly request?: Uint8Array;
  /** What the application does. */
  readonly handle?: Server.Handler;
  /** Who has to know the option. */
  readonly reader: string;
  /** Something that is so in the end, and what that is called. */
  readonly comes: string;
  readonly holds: (line: Line) => boolean;
}

const statusIs = (status: number) => (line: Line) =>
  Buffer.from(line.written).toString('latin1').startsWith(`HTTP/1.1 ${status} `);
const lastIs = (opcode: number, code?: number) => (line: Line) => {
  const last = spokenIn(writtenTo(line)).at(-1);
  const isCode =
    !code || Buffer.compare(last?.payload.subarray(0, 2) ?? PART, closeBody(code)) === 0;
  return last?.opcode === opcode && isCode;
};

const HANDSHAKE = '`openingHandshake`';
const CONNECTION = 'the connection, by `attach`';

/** Options that matter before a client is a connection, each set alone. */
const REQUEST_OPTIONS: readonly Honoured[] = [
  {
    options: { maxHeadBytes: 100 },
    reader: HANDSHAKE,
    comes: 'the status 431',
    holds: statusIs(431),
  },
  {
    options: { headTimeoutMs: 20 },
    reader: 'the timer of a request',
    request: PART,
    comes: 'the status 408',
    holds: statusIs(408),
  },
];

/** The other options, each set alone. */
export const OPTIONS: readonly Honoured[] = [
  {
    options: { maxMessageBytes: 4 },
    reader: CONNECTION,
    frames: fromClient(Text, 'Hello'),
    comes: 'a Close with 1009',
    holds: lastIs(Close, 1009),
  },
  {
    options: { maxMessageBytes: 0 },
    reader: CONNECTION,
    frames: fromClient(Text, 'H'),
    comes: 'a Close with 1009',
    holds: lastIs(Close, 1009),
  },
  { options: { pingIntervalMs: 20 }, reader: CONNECTION, comes: 'a Ping', holds: lastIs(Ping) },
  {
    options: { closeTimeoutMs: 20 },
    reader: CONNECTION,
    frames: fromClient(Close, NORMAL),
    comes: 'the end of the socket',
    holds: (line) => line.destroyed,
  },
  {
    options: { paths: ['/there'] },
    reader: HANDSHAKE,
    comes: 'the status 404',
    holds: statusIs(404),
  },
  {
    options: { origins: ['http://good.example'] },
    reader: HANDSHAKE,
    request: request('/', 'Origin: http://evil.example'),
    comes: 'the status 403',
    holds: statusIs(403),
  },
  {
    options: { protocols: ['chat'] },
    reader: HANDSHAKE,
    request: request('/', 'Sec-WebSocket-Protocol: chat'),
    comes: 'the subprotocol `chat`',
    holds: (line) =>
      /^sec-websocket-protocol: *chat\r$/im.test(Buffer.from(line.written).toString()),
  },
  ...[1000, 0].map(
    (maxWaitingBytes): Honoured => ({
      options: { maxWaitingBytes },
      handle: (connection, { type }) => {
        for (let i = 0; type === 'open' && i < 4; i++) connection.send(new Uint8Array(600));
      },
      reader: CONNECTION,
      comes: 'a Close with 1008, for four messages of 600 bytes in one go',
      holds: lastIs(Close, 1008),
    }),
  ),
];

/** The status line that came back, and what came behind the head. */
function cameBack(line: Line): string {
  const [status = ''] = Buffer.from(line.written).toString('latin1').split('\r\n');
  const frames = writtenTo(line);
  return `${show(status)}, then ${frames.length === 0 ? 'nothing' : show(frames)}`;
}

/** How a client comes to a server: with a request, and frames behind it. Returns its socket. */
type Entry = (server: Server.WebSocketServer, asks: Uint8Array, frames: Uint8Array) => Line;

/** A scenario for an option, however clients come. `where` says how. */
export function honours(honoured: Honoured, where = '', enter = enterByRequest): Scenario<Lesson> {
  const { options, comes, holds, reader } = honoured;
  const [[name, value] = []] = Object.entries(options);
  const what = `The option \`${name}\`${value === 0 ? ' of 0' : ''}, set alone, is honoured${where}.`;
  return {
    what,
    rules: [],
    waits: true,
    async check({ WebSocketServer }) {
      const server = new WebSocketServer(honoured.handle ?? (() => {}), options);
      const line = enter(server, honoured.request ?? request(), honoured.frames ?? NOTHING);
      const facts = (): Fact[] => [
        ['options', show(options)],
        ['came back', cameBack(line)],
        ['expected', comes],
      ];
      const cause = () =>
        line.written.length === 0 || statusIs(101)(line)
          ? `Is it handed on to ${reader}? An option that is set alone counts, too.`
          : undefined;
      await until(() => holds(line), what, facts, cause);
      line.destroy();
    },
  };
}

const enterByRequest: Entry = (server, asks, frames) => acceptLine(server, join(asks, frames));

/** Lets the bytes of a request come one by one, each long before the time for it is over. */
async function drip({ WebSocketServer }: Lesson, headTimeoutMs: number) {
  const server = new WebSocketServer(() => {}, { headTimeoutMs });
  const line = acceptLine(server, PART);
  const startedAt = performance.now();
  let sent = 0;
  const isAnswered = () => line.written.length > 0;
  // A timer, as the server has one: they come in their order.
  const timer = setInterval(() => {
    if (!isAnswered()) line.emit('data', Uint8Array.of(0x61));
    sent++;
  }, headTimeoutMs / 10);
  while (!isAnswered() && sent < 40) await giveWay(2);
  clearInterval(timer);
  const status = Buffer.from(line.written).toString('latin1').slice(9, 12);
  line.destroy();
  return { status, sent, tookMs: performance.now() - startedAt };
}

async function expectDripRefused(lesson: Lesson): Promise<void> {
  const what = 'A request that comes byte by byte has no more time than another.';
  // On a machine that stood still for as long as the time allowed, any server answers: ask again.
  for (let headTimeoutMs = 50; headTimeoutMs < 10_000; headTimeoutMs *= 2) {
    const { status, sent, tookMs } = await drip(lesson, headTimeoutMs);
    equal(() => status, '408', what, {
      given: [
        ['headTimeoutMs', `${headTimeoutMs}`],
        ['arrived', `a byte every ${headTimeoutMs / 10} ms, ${sent} in all, and no blank line`],
      ],
      label: 'status',
      cause: () => 'The time for a request starts once, when the socket comes.',
    });
    if (tookMs < headTimeoutMs * 1.5) return;
  }
}

/** A connection whose application throws at one event, and whether it's in the set meanwhile. */
function countsInSpite(type: 'open' | 'close'): Scenario<Lesson> {
  const what = `A connection is counted, whatever the application throws at \`${type}\`.`;
  return {
    what,
    rules: [],
    async check({ WebSocketServer }) {
      const server = new WebSocketServer(throwAt(type));
      const given: Fact[] = [['`handle` throws', `at \`${type}\``]];
      const line = acceptLine(server, request());
      const size = () => (server.connections as Set<unknown>).size;
      const cause = () => 'Do your own bookkeeping first, and let the application hear of it then.';
      await turns(1);
      equal(size, 1, what, { given, label: '`connections.size`, while it is there', cause });
      quietly(() => line.emit('close'));
      await turns(3);
      equal(size, 0, what, {
        given,
        label: '`connections.size`, when it is gone',
        cause,
      });
      quietly(() => line.destroy());
    },
  };
}

/** A server, and a client of it. */
interface Opened {
  readonly server: Server.WebSocketServer;
  readonly line: Line;
}

/** The header of a Binary frame that announces so many bytes. */
function headerOf(length: number): Uint8Array {
  const header = Uint8Array.from([0x82, 0xff, ...new Array(12).fill(0)]);
  new DataView(header.buffer).setBigUint64(2, BigInt(length));
  return header;
}

/** Everything that came with the request is heard, however much that is. */
async function keepsAll({ WebSocketServer }: Lesson): Promise<void> {
  const what = 'However much comes behind a request, nothing of it is lost.';
  const heard: number[] = [];
  const server = new WebSocketServer((_, event) => {
    if (event.type === 'binary') heard.push(event.data.length);
  });
  const sizes = [1, 500, 3000, 20_000, 70_000];
  const frames = sizes.map((size) => fromClient(Binary, new Uint8Array(size)));
  const line = acceptLine(server, join(request(), ...frames));
  await settles(() => heard.length === sizes.length);
  equal(() => heard, sizes, what, {
    given: [['in one read', 'the request, and five messages']],
    label: 'bytes of the messages',
  });
  line.destroy();
}

export const MANY: Scenarios = [
  {
    what: 'The options of one server are not those of another: `LIMITS` stays as it is.',
    rules: [],
    check({ WebSocketServer, LIMITS }) {
      const before = { ...LIMITS };
      new WebSocketServer(() => {}, { pingIntervalMs: 12_345 });
      const what = 'The options of one server are not those of another: `LIMITS` stays as it is.';
      equal(() => ({ ...LIMITS }), before, what, {
        given: [['call', 'new WebSocketServer(handle, { pingIntervalMs: 12345 })']],
        label: '`LIMITS` afterwards',
        cause: () => 'Every server starts from that one object: copy it before you set options.',
      });
    },
  },
  {
    what: 'A frame behind the request is not lost.',
    rules: [],
    check: (lesson) =>
      withServer(lesson, async (listener) => {
        const client = await listener.connect();
        await client.open('/two', fromClient(Text, 'early'));
        await client.receives(fromServer(Text, 'early'), 'A frame behind the request is not lost.');
      }),
  },
  {
    what: 'A request that is still arriving keeps nobody waiting.',
    rules: [],
    check: (lesson) =>
      withServer(lesson, async (listener, server) => {
        const slow = await listener.connect();
        slow.write(PART);
        await besides(`another client has sent ${PART.length} bytes of its request`, async () => {
          await openAll(listener, 2);
          await counts(server, 2, 'The server knows its open connections.');
        });
      }),
  },
  {
    what: 'Clients do not wait for each other, and each has what it sent.',
    rules: [],
    check: (lesson) =>
      withServer(lesson, async (listener) => {
        const [first, second] = (await openAll(listener, 2)) as [Peer, Peer];
        const [one, two] = [fromClient(Text, 'from one'), fromClient(Text, 'from two')];
        first.write(one.subarray(0, 7));
        second.write(two.subarray(0, 3));
        second.write(two.subarray(3));
        const answer = fromServer(Text, 'from two');
        await second.receives(answer, 'Clients do not wait for each other.', SHARED);
        first.write(one.subarray(7));
        await first.receives(fromServer(Text, 'from one'), 'Each has what it sent.', SHARED);
      }),
  },
  {
    what: 'A request can arrive in two reads.',
    rules: [],
    async check({ WebSocketServer }) {
      const line = acceptLine(new WebSocketServer(() => {}), PART);
      line.emit('data', request().subarray(PART.length));
      const cause = 'Keep what has arrived until the head is whole.';
      const call = `accept(socket), then reads of ${PART.length} and ${request().length - PART.length} bytes`;
      await expectStatus(line, '101', 'A request can arrive in two reads.', call, cause);
      line.destroy();
    },
  },
  {
    what: 'A request can arrive byte by byte.',
    rules: [],
    check: (lesson) =>
      withServer(lesson, async (listener) => {
        const slow = await listener.connect();
        for (const byte of request()) slow.write(Uint8Array.of(byte));
        const head = await slow.head('A request can arrive byte by byte.');
        equal(() => head.slice(9, 12), '101', 'A request can arrive byte by byte.', {
          label: 'status',
          cause: (status) =>
            status === '400' ? 'Keep what has arrived until the head is whole.' : undefined,
        });
      }),
  },
  forgets('resets', (client) => {
    client.socket.resetAndDestroy();
  }),
  forgets('ends TCP without a Close', (client) => {
    client.socket.end();
  }),
  forgets('closes', async (client) => {
    client.write(fromClient(Close, NORMAL));
    await client.receives(fromServer(Close, NORMAL), 'A Close is answered.');
    client.socket.end();
  }),
  refuses('POST', POST, '405'),
  refuses('another version', sampleWith('Version: 13', 'Version: 8'), '426'),
  refuses('no HTTP at all', utf8('\x16\x03\x01\x02\x00\r\n\r\n'), '400'),
  refuses('a head that never ends', new Uint8Array(40_000).fill(0x61), '431'),
  {
    what: 'A request that does not end in time is refused.',
    rules: [35, 132],
    waits: true,
    check: (lesson) =>
      withLoiterer(lesson, async (client) => {
        const what = 'A request that does not end in time is refused.';
        const cause = 'The option `headTimeoutMs` is 50. A timer of it starts with the socket.';
        const head = await client.head(what, cause, 'a response with the status 408');
        equal(() => head.slice(9, 12), '408', what, { label: 'status' });
        expectReason(head);
        await client.sees('end', 'And the client is let go.');
      }),
  },
  {
    what: 'A client that stays is dropped.',
    rules: [132],
    waits: true,
    check: (lesson) =>
      withLoiterer(lesson, async (client) => {
        await client.sees('end', 'And the client is let go.');
        const isReset = () => {
          client.write(utf8('still here'));
          return client.ended === 'reset';
        };
        const cause =
          'The option `closeTimeoutMs` is 50. So long after the response, destroy the socket.';
        await until(isReset, 'A client that stays is dropped.', () => [], cause);
      }),
  },
  {
    what: 'Listen for the `error` of a socket from the start.',
    rules: [],
    check({ WebSocketServer }) {
      const line = acceptLine(new WebSocketServer(() => {}), PART);
      expectListener(line);
      line.destroy();
    },
  },
  {
    what: 'Small messages leave at once.',
    rules: [],
    check({ WebSocketServer }) {
      const line = acceptLine(new WebSocketServer(() => {}), PART);
      equal(() => line.noDelay, true, 'Small messages leave at once.', {
        label: 'setNoDelay',
        cause: () => 'TCP likes to wait for more to send. `setNoDelay(true)` tells it not to.',
      });
      line.destroy();
    },
  },
  {
    what: 'After a refusal, the server waits for the client.',
    rules: [132],
    async check({ WebSocketServer }) {
      const line = acceptLine(new WebSocketServer(() => {}, PATIENT), POST);
      for (let turn = 0; turn < 5; turn++) await nextTurn();
      equal(() => line.destroyed, false, 'After a refusal, the server waits for the client.', {
        label: 'the socket is destroyed',
        cause: () => CLEANLY.replace('the Close', 'the response'),
      });
      line.destroy();
    },
  },
  {
    what: 'A target that is not a URL does not end the server.',
    rules: [],
    check({ WebSocketServer }) {
      const what = 'A target that is not a URL does not end the server.';
      const line = new Line();
      const accept = () => {
        new WebSocketServer(() => {}).accept(line as unknown as Socket);
        line.emit('data', request('//['));
      };
      attempt(accept, what, [['the request', 'GET //[ HTTP/1.1']]);
      line.destroy();
    },
  },
  {
    what: 'However much comes behind a request, nothing of it is lost.',
    rules: [],
    check: keepsAll,
  },
  {
    what: 'A request that comes byte by byte has no more time than another.',
    rules: [],
    waits: true,
    check: expectDripRefused,
  },
  {
    what: 'Without options, the usual limits apply.',
    rules: [150],
    async check(lesson) {
      const what = 'Without options, the usual limits apply.';
      const { maxMessageBytes } = lesson.LIMITS;
      const [first, second] = [0, 1].map(() => {
        const server = new lesson.WebSocketServer(() => {});
        return { server, line: acceptLine(server, request()) };
      }) as [Opened, Opened];
      await settles(() => first.server.connections.size > 0);
      const [connection] = first.server.connections;
      if (!connection) return fail(what, [['connections', 'none']]);
      expectUsualTimes(lesson, connection, () => connection.close());
      second.line.emit('data', headerOf(maxMessageBytes + 1));
      await settles(() => second.line.writableEnded);
      expectCode(second.line, 1009, what, [
        ['arrived', `the header of a Binary of ${maxMessageBytes + 1} bytes`],
      ]);
      for (const { line } of [first, second]) line.destroy();
    },
  },
  countsInSpite('open'),
  countsInSpite('close'),
  ...[...REQUEST_OPTIONS, ...OPTIONS].map((honoured) => honours(honoured)),
  {
    what: 'Without options, as many bytes can wait as usual.',
    rules: [150],
    async check({ WebSocketServer, LIMITS }) {
      const what = 'Without options, as many bytes can wait as usual.';
      const server = new WebSocketServer(() => {});
      const line = acceptLine(server, request());
      await turns(1);
      line.hold();
      const half = new Uint8Array(LIMITS.maxWaitingBytes / 2);
      const isGivenUp: boolean[] = [];
      const [connection] = server.connections;
      for (let i = 0; i < 4; i++) {
        connection?.send(half);
        isGivenUp.push(connection?.ending !== undefined);
      }
      equal(() => [isGivenUp[0], isGivenUp[3]], [false, true], what, {
        given: [['sent', `4 × ${half.length} bytes to a client that takes nothing`]],
        label: 'given up after the first, and after the last',
      });
      line.destroy();
    },
  },
];

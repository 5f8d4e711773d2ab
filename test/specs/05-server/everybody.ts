/** Step 11: all connections of a server at once. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { attempt, equal } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { closeBody, fromClient, fromServer } from '../../../shared/kit/frames.ts';
import { type Listener, type Peer, request, until } from '../../../shared/kit/peer.ts';
import type { WebSocketServer } from '../../../solutions/05-server/server.ts';
import {
  Binary,
  Close,
  type Connection,
  NORMAL,
  nameOf,
  type Scenarios,
  spokenIn,
  Text,
} from './core.ts';
import {
  acceptLine,
  counts,
  countsLeft,
  expectReason,
  expectStatus,
  openAll,
  quietly,
  settles,
  throwAt,
  withServer,
  writtenTo,
} from './sockets.ts';

const GONE = 'The promise resolves when everybody is gone.';

const ASYNC =
  'An `async` method makes a promise of its own for each call. Keep one in a field, and return it without `async`.';

function isAsync(method: () => unknown): boolean {
  return Object.prototype.toString.call(method) === '[object AsyncFunction]';
}

const AFTER_SHUTDOWN =
  'Remember that the server has been shut down, also when the promise has resolved.';

/** Shuts a server down, and says when the promise of that is settled. */
function shutDown(server: WebSocketServer) {
  const promise = attempt(() => server.shutdown(), 'Shut down.');
  let isSettled = false;
  const settle = () => {
    isSettled = true;
  };
  Promise.resolve(promise).then(settle, settle);
  const settles = async (what: string, given: readonly Fact[] = [], cause?: string) => {
    await until(
      () => isSettled,
      what,
      () => given,
      cause,
    );
    await promise;
  };
  return { isSettled: () => isSettled, settles };
}

/** Opens connections to a server, and shuts it down. Each client has been sent 1001. */
async function leaving(listener: Listener, server: WebSocketServer, count: number) {
  const clients = await openAll(listener, count);
  const shutdown = shutDown(server);
  for (const client of clients) {
    const frame = await client.frame('Say 1001 to everybody.');
    const expected = 'a Close with 1001';
    equal(() => nameOf(frame), expected, 'Say 1001 to everybody.', { label: 'came' });
  }
  return { clients, shutdown };
}

/** Answers the Close of a server, and ends TCP after it. */
async function leave(client: Peer): Promise<void> {
  client.write(fromClient(Close, closeBody(1001)));
  await client.sees('fin', 'Both have sent a Close: end our side.');
  client.socket.end();
}

export const EVERYBODY: Scenarios = [
  {
    what: 'Send to all.',
    rules: [],
    check: (lesson) =>
      withServer(lesson, async (listener, server) => {
        const clients = await openAll(listener, 3);
        await counts(server, 3, 'The server knows its open connections.');
        server.broadcast('to all');
        for (const client of clients) {
          await client.receives(fromServer(Text, 'to all'), 'Send to all.');
        }
      }),
  },
  {
    what: 'Send to all but one.',
    rules: [],
    check: (lesson) =>
      withServer(lesson, async (listener, server, app) => {
        const [first, second] = (await openAll(listener, 2)) as [Peer, Peer];
        first.write(fromClient(Text, 'me'));
        await first.receives(fromServer(Text, 'me'), 'Echo.');
        server.broadcast(Uint8Array.of(7), app.connection);
        const seven = fromServer(Binary, Uint8Array.of(7));
        await second.receives(seven, 'Send to all but one.');
        server.broadcast('and now to all');
        const toAll = fromServer(Text, 'and now to all');
        const frame = await first.frame('Send to all but one.');
        equal(() => nameOf(frame), 'a Text of 14 bytes', 'Send to all but one.', {
          given: [['was `except`', 'of the Binary; then a Text went to all']],
          label: 'came to it',
          cause: () => (frame.opcode === Binary ? 'The one is `except`.' : undefined),
        });
        await second.receives(toAll, 'Send to all.');
      }),
  },
  {
    what: 'Send also to a connection that owes a `drain`.',
    rules: [],
    async check({ WebSocketServer, HIGH_WATER_BYTES }) {
      let slow: Connection | undefined;
      const server = new WebSocketServer((connection) => {
        slow = connection;
      });
      const line = acceptLine(server, request());
      await nextTurn();
      slow?.send(new Uint8Array(HIGH_WATER_BYTES));
      server.broadcast('to all');
      const texts = () => spokenIn(writtenTo(line)).filter(({ opcode }) => opcode === Text).length;
      await settles(() => texts() > 0);
      equal(texts, 1, 'Send also to a connection that owes a `drain`.', {
        given: [
          ['`send` was called', `with ${HIGH_WATER_BYTES} bytes, and gave \`false\``],
          ['then', 'broadcast("to all")'],
        ],
        label: 'texts that went out',
        cause: () => '`false` is advice to a sender. A message that nobody sends is lost.',
      });
      line.destroy();
    },
  },
  {
    what: 'A connection that is closing is left out.',
    rules: [],
    check: (lesson) =>
      withServer(lesson, async (listener, server) => {
        const [first, second] = (await openAll(listener, 2)) as [Peer, Peer];
        first.write(fromClient(Close, NORMAL));
        await first.receives(fromServer(Close, NORMAL), 'A Close is answered.');
        const what = 'A connection that is closing is left out, and the others are not.';
        attempt(() => server.broadcast('to all'), what);
        const cause =
          'The first of two is closing: its `send` gives `false`. Go on with the second.';
        await second.receives(fromServer(Text, 'to all'), what, cause);
      }),
  },
  {
    what: 'Say 1001 to everybody.',
    rules: [122],
    check: (lesson) =>
      withServer(lesson, async (listener, server) => {
        await leaving(listener, server, 2);
      }),
  },
  {
    what: 'The promise waits for the last client.',
    rules: [],
    check: (lesson) =>
      withServer(lesson, async (listener, server) => {
        const { clients, shutdown } = await leaving(listener, server, 2);
        for (const [i, client] of clients.entries()) {
          equal(shutdown.isSettled, false, 'The promise waits for the last client.', {
            given: [['clients there', `${2 - i}`]],
            label: 'the promise is settled',
            cause: () => 'Keep its `resolve`, and call it when the last connection is gone.',
          });
          await leave(client);
          await countsLeft(server, 1 - i);
        }
        await shutdown.settles(GONE);
      }),
  },
  {
    what: 'A second shutdown ends with the first.',
    rules: [],
    check: (lesson) =>
      withServer(lesson, async (listener, server) => {
        const { clients, shutdown } = await leaving(listener, server, 1);
        const again = shutDown(server);
        for (const client of clients) await leave(client);
        const what = 'A second shutdown ends with the first.';
        const given = (which: string): Fact[] => [
          ['`shutdown()`', 'called twice; then every client has gone'],
          ['not settled', `the ${which} promise`],
        ];
        const cause = 'Return the same promise again: what waits for its end is kept once.';
        await shutdown.settles(what, given('first'), cause);
        await again.settles(what, given('second'), cause);
      }),
  },
  {
    what: 'A second shutdown returns the same promise.',
    rules: [],
    async check({ WebSocketServer }) {
      const what = 'A second shutdown returns the same promise.';
      const server = new WebSocketServer(() => {});
      const line = acceptLine(server, request());
      await nextTurn();
      const call = () => attempt(() => server.shutdown(), what);
      const [first, second] = [call(), call()];
      equal(() => first === second, true, what, {
        given: [['calls', 'shutdown(), shutdown(), with one client there']],
        label: 'it is the same',
        cause: () => (isAsync(server.shutdown) ? ASYNC : undefined),
      });
      line.destroy();
    },
  },
  {
    what: 'A client that comes during a shutdown is refused.',
    rules: [],
    check: (lesson) =>
      withServer(lesson, async (listener, server) => {
        await leaving(listener, server, 1);
        const guest = await listener.connect();
        guest.write(request());
        const head = await guest.head('A client that comes during a shutdown gets a response.');
        const what = 'A client that comes during a shutdown is refused.';
        equal(() => head.slice(9, 12), '503', what, { label: 'status' });
        expectReason(head);
      }),
  },
  {
    what: 'A client that comes after a shutdown is refused.',
    rules: [],
    async check({ WebSocketServer }) {
      const server = new WebSocketServer(() => {});
      await server.shutdown();
      const line = acceptLine(server, request());
      const what = 'A client that comes after a shutdown is refused.';
      await expectStatus(line, '503', what, 'shutdown(), accept(socket)', AFTER_SHUTDOWN);
      line.destroy();
    },
  },
  {
    what: 'A request that is still arriving is dropped.',
    rules: [],
    check: (lesson) =>
      withServer(lesson, async (listener, server) => {
        const late = await listener.connect();
        late.write(request().subarray(0, 10));
        await until(() => late.socket.bytesWritten >= 10, 'The request is on its way.');
        await leaving(listener, server, 1);
        await late.sees('end', 'A request that is still arriving is dropped.');
      }),
  },
  {
    what: 'A client that does not answer is dropped.',
    rules: [],
    waits: true,
    check: (lesson) =>
      withServer(
        lesson,
        async (listener, server) => {
          const { clients, shutdown } = await leaving(listener, server, 1);
          await clients[0]?.sees('end', 'A client that does not answer is dropped.');
          await shutdown.settles(GONE);
        },
        { closeTimeoutMs: 20 },
      ),
  },
  {
    what: 'With nobody there, the promise resolves at once.',
    rules: [],
    check: ({ WebSocketServer }) =>
      shutDown(new WebSocketServer(() => {})).settles(
        'With nobody there, the promise resolves at once.',
      ),
  },
  {
    what: 'The promise resolves, whatever the application throws at the end.',
    rules: [],
    async check({ WebSocketServer }) {
      const server = new WebSocketServer(throwAt('close'));
      const line = acceptLine(server, request());
      const shutdown = shutDown(server);
      quietly(() => line.emit('close'));
      await shutdown.settles(
        GONE,
        [['the application', 'throws at its last `close` event']],
        'Do your own bookkeeping first, and let the application hear of the end then.',
      );
      line.destroy();
    },
  },
];

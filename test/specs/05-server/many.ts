/** Step 7: a server and its connections. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { equal } from '../../../shared/harness/check.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import { utf8 } from '../../../shared/kit/frames.ts';
import { type Listener, type Peer, request, until } from '../../../shared/kit/peer.ts';
import {
  Close,
  fromClient,
  fromServer,
  type Lesson,
  NORMAL,
  type Scenarios,
  SHARED,
  Text,
} from './core.ts';
import { sampleWith } from './opening.ts';
import {
  acceptLine,
  CLEANLY,
  counts,
  expectForgotten,
  expectListener,
  expectReason,
  expectStatus,
  openAll,
  withServer,
} from './sockets.ts';

const PART = request().subarray(0, 20);
const POST = sampleWith('GET', 'POST');

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
        await counts(server, 0, 'Who is gone is forgotten.');
      }),
  };
}

/** A request that is answered with a status, after which the server hangs up. */
function refuses(what: string, bytes: Uint8Array, status: string): Scenario<Lesson> {
  return {
    what: `Refuse ${what} with an HTTP answer.`,
    rules: [35, 132],
    check: (lesson) =>
      withServer(lesson, async (listener, server) => {
        const client = await listener.connect();
        client.write(bytes);
        const head = await client.head(`Refuse ${what} with an HTTP answer.`);
        equal(() => head.slice(9, 12), status, `Refuse ${what}.`, { label: 'status' });
        await client.sees('fin', 'After a refusal the server hangs up, cleanly.', CLEANLY);
        await counts(server, 0, 'Who was refused is no connection.');
      }),
  };
}

/** A socket that comes to nothing, and that the server forgets. */
function forgetsLine(what: string, bytes: Uint8Array): Scenario<Lesson> {
  const title = `A client that ${what} is forgotten.`;
  return {
    what: title,
    rules: [],
    check({ WebSocketServer }) {
      const server = new WebSocketServer(() => {});
      const leave = () => {
        const line = acceptLine(server, bytes);
        line.destroy();
        return new WeakRef(line);
      };
      const cause = 'At its `close`, stop its timer, and take it out of every list.';
      return expectForgotten(leave(), title, cause);
    },
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

export const MANY: Scenarios = [
  {
    what: 'A request that is still arriving keeps nobody waiting.',
    rules: [],
    check: (lesson) =>
      withServer(lesson, async (listener, server) => {
        const slow = await listener.connect();
        slow.write(PART);
        await openAll(listener, 2);
        await counts(server, 2, 'The server knows its open connections.');
      }),
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
    what: 'A request may come byte by byte.',
    rules: [],
    check: (lesson) =>
      withServer(lesson, async (listener) => {
        const slow = await listener.connect();
        for (const byte of request()) slow.write(Uint8Array.of(byte));
        const head = await slow.head('A request may come byte by byte.');
        equal(() => head.slice(9, 12), '101', 'A request may come byte by byte.', {
          cause: () => 'Keep what has arrived until the head is whole.',
        });
      }),
  },
  {
    what: 'A request may come in two reads.',
    rules: [],
    async check({ WebSocketServer }) {
      const line = acceptLine(new WebSocketServer(() => {}), PART);
      line.emit('data', request().subarray(PART.length));
      const cause = 'Keep what has arrived until the head is whole.';
      await expectStatus(line, '101', 'A request may come in two reads.', cause);
      line.destroy();
    },
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
    check: (lesson) =>
      withLoiterer(lesson, async (client) => {
        const what = 'A request that does not end in time is refused.';
        const head = await client.head(what, 'A timer of `headTimeoutMs` starts with the socket.');
        equal(() => head.slice(9, 12), '408', what);
        expectReason(head);
        await client.sees('end', 'And the client is let go.');
      }),
  },
  {
    what: 'A client that stays is dropped.',
    rules: [132],
    check: (lesson) =>
      withLoiterer(lesson, async (client) => {
        await client.sees('end', 'And the client is let go.');
        const isReset = () => {
          client.write(utf8('still here'));
          return client.ended === 'reset';
        };
        const cause = 'Hang up after the answer, and destroy the socket after `closeTimeoutMs`.';
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
    what: 'Small answers leave at once.',
    rules: [],
    check({ WebSocketServer }) {
      const line = acceptLine(new WebSocketServer(() => {}), PART);
      equal(() => line.noDelay, true, 'Small answers leave at once.', {
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
      const line = acceptLine(new WebSocketServer(() => {}), POST);
      for (let turn = 0; turn < 5; turn++) await nextTurn();
      equal(() => line.destroyed, false, 'After a refusal, the server waits for the client.', {
        label: 'the socket is destroyed',
        cause: () => CLEANLY.replace('the Close', 'the answer'),
      });
      line.destroy();
    },
  },
  forgetsLine('leaves in the middle of its request', PART),
  forgetsLine('was refused', POST),
];

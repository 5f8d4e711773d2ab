/** Step 9: applications that do not stop, and clients that cannot take it all. */
import { equal, fail, failsWith } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import { fromClient, join, splitFrames } from '../../../shared/kit/frames.ts';
import { until } from '../../../shared/kit/peer.ts';
import { Timers } from '../../../shared/kit/timers.ts';
import {
  Binary,
  Close,
  type Connection,
  connect,
  expectEnding,
  expectNext,
  type Lesson,
  NORMAL,
  nameOf,
  pull,
  raise,
  type Scenarios,
  Text,
  takeAll,
} from './core.ts';
import { takeSlowly } from './slow.ts';
import { buggy, expectFailed, onLine, onSocket, settles, turns } from './sockets.ts';

/** Makes a connection to which an application has sent more than enough. */
function flooded(lesson: Lesson): Connection {
  const connection = connect(lesson);
  for (let i = 0; i < 5; i++) connection.send(new Uint8Array(lesson.HIGH_WATER_BYTES / 4));
  return connection;
}

const TOO_MUCH: readonly Fact[] = [
  ['sent', '50 pings, which have gone; then three messages of 600 bytes'],
  ['maxWaitingBytes', '1000'],
];

/** Sends more to a client that does not read than may wait for it. Control frames do not count. */
function givenUp(lesson: Lesson): { connection: Connection; sent: boolean[] } {
  const connection = connect(lesson, { maxWaitingBytes: 1000 });
  for (let i = 0; i < 50; i++) connection.ping(new Uint8Array(125));
  connection.takeOutput();
  const sent = Array.from({ length: 3 }, () => connection.send(new Uint8Array(600)));
  return { connection, sent };
}

/** Why the application has heard nothing of a client that is to be given up. */
function whyNotTold(connection: Connection): string {
  const { frames } = splitFrames(join(...takeAll(connection)));
  return frames.some(({ opcode }) => opcode === Close)
    ? '`fail`, not `close`: the application has to hear of it.'
    : 'Without a limit, it costs us whatever the application sends. Count the messages that wait, and no control frames.';
}

/** After something has happened, and a few turns of the event loop, no turn brings on the next. */
function rests(
  what: string,
  act: (attached: ReturnType<typeof onLine>, lesson: Lesson) => void,
): Scenario<Lesson> {
  return {
    what,
    rules: [],
    async check(lesson) {
      const timers = new Timers('Immediate');
      const attached = timers.run(() => onLine(lesson));
      timers.run(() => act(attached, lesson));
      await turns(10);
      const pending = await timers.count();
      timers.stop();
      attached.line.destroy();
      equal(() => pending, 0, what, {
        given: [['since then', 'more than 10 turns of the event loop']],
        label: '`setImmediate` calls that are pending',
        cause: () => 'When each turn brings on the next, a processor is busy with that for ever.',
      });
    },
  };
}

export const BACKPRESSURE: Scenarios = [
  {
    what: 'There is room again when everything has gone.',
    rules: [],
    check(lesson) {
      const connection = flooded(lesson);
      takeAll(connection);
      connection.drained();
      const cause =
        'A caller that got `false` waits for it: when nothing is queued, `drained` makes it.';
      expectNext(connection, { type: 'drain' }, 'There is room again.', cause);
      const label = '`owesDrain` is';
      equal(() => connection.owesDrain, false, 'Nobody waits any more.', { label });
    },
  },
  {
    what: 'There is no room while messages wait.',
    rules: [],
    check(lesson) {
      const connection = flooded(lesson);
      connection.drained();
      expectNext(connection, undefined, 'There is no room while messages wait.');
    },
  },
  {
    what: 'There is no room while one message waits.',
    rules: [],
    check(lesson) {
      const connection = connect(lesson);
      connection.send(new Uint8Array(lesson.HIGH_WATER_BYTES));
      connection.send('the last one');
      // With one call more, nothing might be left.
      let left = lesson.HIGH_WATER_BYTES;
      while (left > lesson.MAX_OUTPUT_BYTES + lesson.MAX_FRAGMENT_BYTES) {
        left -= connection.takeOutput().length;
      }
      connection.drained();
      expectNext(connection, undefined, 'There is no room while one message waits.');
    },
  },
  {
    what: 'No `drain` without a `send` that returned `false`.',
    rules: [],
    check(lesson) {
      const connection = connect(lesson);
      connection.drained();
      expectNext(connection, undefined, 'No `drain` without a `send` that returned `false`.');
    },
  },
  {
    what: 'A `drain` is told once.',
    rules: [],
    check(lesson) {
      const connection = flooded(lesson);
      takeAll(connection);
      connection.drained();
      connection.next();
      connection.drained();
      expectNext(connection, undefined, 'No `drain` without a `send` that returned `false`.');
    },
  },
  {
    what: 'What is dropped for the Close of the peer leads to no `drain`.',
    rules: [],
    check(lesson) {
      const connection = flooded(lesson);
      connection.takeOutput();
      connection.receive(fromClient(Close, NORMAL));
      connection.next();
      takeAll(connection);
      connection.drained();
      const what = 'What is dropped for the Close of the peer leads to no `drain`.';
      expectNext(connection, undefined, what, 'Nobody may send any more: nobody waits for room.');
    },
  },
  {
    what: 'After our own Close, there is no `drain`.',
    rules: [],
    check(lesson) {
      const connection = flooded(lesson);
      connection.close();
      takeAll(connection);
      connection.drained();
      const cause = 'A connection that is closing sends nothing: nobody waits for room.';
      expectNext(connection, undefined, 'After our own Close, there is no `drain`.', cause);
    },
  },
  {
    what: 'The last event is `close`, also when a `drain` was owed.',
    rules: [],
    check(lesson) {
      const connection = flooded(lesson);
      takeAll(connection);
      connection.disconnect();
      connection.drained();
      const what = 'The last event is `close`, also when a `drain` was owed.';
      expectNext(connection, { type: 'close' }, what);
      const cause = 'The TCP connection can go between `setImmediate` and what it calls.';
      expectNext(connection, undefined, what, cause);
    },
  },
  {
    what: 'A client that does not read is given up, with 1008.',
    rules: [150],
    check(lesson) {
      const { connection } = givenUp(lesson);
      const event = pull(connection, 'A client that does not read is given up.');
      equal(() => event, { type: 'error' }, 'A client that does not read is given up.', {
        given: TOO_MUCH,
        label: '`next` gave',
        cause: () => whyNotTold(connection),
      });
      const what = 'A client that does not read is given up, with 1008.';
      failsWith(1008, () => raise(event), what);
      expectEnding(connection, 'hangUp', 'A client that does not read is given up.');
    },
  },
  {
    what: 'A message that is not sent is `false`.',
    rules: [150],
    check(lesson) {
      const { sent } = givenUp(lesson);
      const what = 'A message that is not sent is `false`.';
      // Whether the limit counts the new message is left open.
      equal(() => sent, [true, sent[1], false], what, { given: TOO_MUCH, label: '`send` gave' });
    },
  },
  {
    what: 'What waited is dropped; the Close says 1008.',
    rules: [150],
    check(lesson) {
      const [first] = splitFrames(givenUp(lesson).connection.takeOutput()).frames;
      const what = 'What waited is dropped; the Close says 1008.';
      equal(() => nameOf(first), 'a Close with 1008', what, {
        given: TOO_MUCH,
        label: 'first goes',
        cause: () =>
          first?.opcode === Binary
            ? 'The Close is behind what waits, and nobody reads that: drop it before you fail.'
            : undefined,
      });
    },
  },
  {
    what: 'A `drain` that is owed stays so, when less waits at the next `send`.',
    rules: [],
    check(lesson) {
      const connection = flooded(lesson);
      connection.takeOutput();
      while (connection.takeOutput().length > 0);
      connection.send('one more');
      connection.takeOutput();
      connection.drained();
      const what = 'A `drain` that is owed stays so, when less waits at the next `send`.';
      const cause = 'A caller that got `false` waits for it. Only `drained` pays the debt.';
      expectNext(connection, { type: 'drain' }, what, cause);
    },
  },
  {
    what: 'What waits is counted right after many large messages.',
    rules: [150],
    check(lesson) {
      const connection = connect(lesson, { maxWaitingBytes: 1000 });
      const large = new Uint8Array(300_000);
      for (let i = 0; i < 50; i++) {
        connection.send(large);
        while (connection.takeOutput().length > 0);
        connection.drained();
      }
      for (let i = 0; i < 3; i++) connection.send(new Uint8Array(600));
      const what = 'What waits is counted right after many large messages.';
      equal(() => connection.send('x'), false, what, {
        given: [
          ['limits', '{ maxWaitingBytes: 1000 }'],
          ['went out', '50 messages of 300,000 bytes'],
          ['waiting', '3 messages of 600 bytes'],
          ['now', 'send("x")'],
        ],
        label: '`send` gave',
        cause: () => 'What was added for a message has to be taken off, once, when it has gone.',
      });
    },
  },
  {
    what: 'When everything has gone, there is a `drain` event.',
    rules: [],
    check: (lesson) =>
      onSocket(lesson, async ({ client, connection, app }) => {
        client.socket.resume();
        const piece = new Uint8Array(lesson.HIGH_WATER_BYTES / 4);
        for (let round = 1; round <= 3; round++) {
          for (let i = 0; i < 1000 && connection.send(piece); i++);
          equal(() => connection.owesDrain, true, 'When enough waits, `send` says so.', {
            label: '`owesDrain` is',
          });
          await until(
            () => app.count('drain') === round,
            'When everything has gone, there is a `drain` event.',
            () => [['the events', app.types().join(', ')]],
            'After the last write, call `drained`, and let the application have the event.',
          );
        }
      }),
  },
  {
    what: 'An error of the application at `drain` fails this one connection.',
    rules: [],
    async check(lesson) {
      const app = buggy('drain');
      const { line, connection } = onLine(lesson, app.handle);
      connection.send(new Uint8Array(lesson.HIGH_WATER_BYTES));
      await settles(() => line.writableEnded);
      expectFailed(line, app);
      line.destroy();
    },
  },
  {
    what: 'When `drain` comes, the socket has room.',
    rules: [],
    async check(lesson) {
      const full: number[] = [];
      const { line, connection } = onLine(lesson, (_, { type }) => {
        if (type !== 'drain' || line.writableLength < line.writableHighWaterMark) return;
        full.push(line.writableLength);
      });
      line.hold();
      for (let message = 0; message < 20; message++) connection.send(new Uint8Array(50_000));
      await turns(1);
      await takeSlowly(line);
      equal(() => full, [], 'When `drain` comes, the socket has room.', {
        given: [
          ['sent', '20 messages of 50,000 bytes, and the client reads slowly'],
          ['room for', `${line.writableHighWaterMark} bytes`],
        ],
        label: 'bytes in the socket at `drain`',
        cause: () => 'Call `drained` when no output is left and the peer is not behind.',
      });
      line.destroy();
    },
  },
  {
    what: 'An application that sends more at each `drain` keeps nobody waiting.',
    rules: [],
    async check(lesson) {
      const piece = new Uint8Array(lesson.HIGH_WATER_BYTES);
      let drains = 0;
      const { line, connection } = onLine(lesson, (connection, { type }) => {
        if (type === 'drain' && ++drains < 20) connection.send(piece);
      });
      connection.send(piece);
      await turns(3);
      line.destroy();
      if (drains < 20) return;
      fail(
        'An application that sends more at each `drain` keeps nobody waiting.',
        [
          ['the application', 'sends `HIGH_WATER_BYTES` at each `drain`, up to 20 times'],
          ['in three turns', `${drains} \`drain\` events, and nobody else had a turn`],
        ],
        'Each `drain` needs a turn of the event loop: `setImmediate`.',
      );
    },
  },
  rests('While nothing happens, the server rests.', ({ line }) => {
    line.push(fromClient(Text, 'Hello'));
  }),
  rests('While a Close waits for its response, the server rests.', ({ connection }, lesson) => {
    connection.send(new Uint8Array(lesson.HIGH_WATER_BYTES));
    connection.close();
  }),
];

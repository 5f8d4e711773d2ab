/** Step 8: peers that do not read, and applications that do not stop. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { equal, fail, failsWith } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import { join, splitFrames } from '../../../shared/kit/frames.ts';
import { request, until } from '../../../shared/kit/peer.ts';
import { Timers } from '../../../shared/kit/timers.ts';
import { count } from '../../../shared/view/count.ts';
import {
  Binary,
  Close,
  type Connection,
  connect,
  expectEnding,
  expectNext,
  fromClient,
  type Lesson,
  NORMAL,
  nameOf,
  Ping,
  pull,
  raise,
  type Scenarios,
  Text,
  takeAll,
} from './core.ts';
import { honours, WAITING_OPTIONS } from './many.ts';
import {
  type Attached,
  acceptLine,
  application,
  buggy,
  expectFailed,
  onLine,
  onSocket,
  settles,
  turns,
  writtenTo,
} from './sockets.ts';

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

const MESSAGE_BYTES = 100_000;
const BRAKE = 'Who does not read is not read from.';
const BRAKE_CAUSE = 'Pause the socket when the peer is behind, and go on at `drain`.';

/** Lets a client send without reading until the server reads no more. Returns what it has sent. */
async function stalled({ client, socket }: Attached): Promise<number> {
  client.socket.pause();
  const message = fromClient(Binary, new Uint8Array(MESSAGE_BYTES));
  let sent = 0;
  const sendSome = () => {
    for (let i = 0; i < 4 && sent < 1000; i++, sent++) client.write(message);
    return socket.isPaused() || sent === 1000;
  };
  const facts = (): Fact[] => [
    ['the client sent', `${sent} messages of ${MESSAGE_BYTES} bytes, and reads nothing`],
    ['not yet taken', `${count(socket.writableLength, 'byte')} of the answers`],
    ['the socket is', socket.isPaused() ? 'paused' : 'not paused'],
  ];
  await until(sendSome, BRAKE, facts, BRAKE_CAUSE);
  for (let turn = 0; turn < 5; turn++) await nextTurn();
  if (!socket.isPaused()) fail(BRAKE, facts(), BRAKE_CAUSE);
  return sent;
}

/** What a client sends over and over again without reading, and what that is called. */
const FLOODS = [
  ['Pings', fromClient(Ping, 'x'.repeat(125))],
  ['Texts', fromClient(Text, 'x'.repeat(125))],
  ['Texts in fragments', join(fromClient(Text, 'x'.repeat(99), false), fromClient(0, 'x'))],
  ['Binaries', fromClient(Binary, new Uint8Array(125))],
  ['empty Pings', fromClient(Ping)],
  ['empty Texts', fromClient(Text)],
] as const;

/** How much a flood brings with each read, in bytes. */
const READ_BYTES = 12_000;

/** A client floods, and does not read; then it does. */
function standsFlood([name, frames]: (typeof FLOODS)[number]): Scenario<Lesson> {
  const what = `A flood of ${name} is not read on while the client does not read.`;
  return {
    what,
    rules: [150],
    async check(lesson) {
      const app = application();
      const { line } = onLine(lesson, app.handle);
      const count = Math.floor(READ_BYTES / frames.length);
      const read = join(...Array.from({ length: count }, () => frames));
      line.hold();
      let reads = 0;
      for (; reads < 64 && !line.isPaused(); reads++) {
        line.push(read);
        await turns(2);
      }
      const given: Fact[] = [
        ['arrived', `${reads} × ${count} ${name}, and the client read no answer`],
      ];
      const cause = () => BRAKE_CAUSE;
      equal(() => line.isPaused(), true, what, { given, label: 'the socket is paused', cause });
      line.release();
      // An answer may come in fragments, too: the last one counts.
      const answers = () => splitFrames(writtenTo(line)).frames.filter(({ fin }) => fin).length;
      await settles(() => answers() === reads * count);
      equal(answers, reads * count, 'When the client reads on, every frame is answered.', {
        given,
        label: 'answers',
      });
      line.destroy();
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
      const cause = 'Whoever got `false` waits for it: when nothing waits, `drained` makes it.';
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
    what: 'Who did not ask is not told.',
    rules: [],
    check(lesson) {
      const connection = connect(lesson);
      connection.drained();
      expectNext(connection, undefined, 'Who did not ask is not told.');
    },
  },
  {
    what: 'Who has been told is not told again.',
    rules: [],
    check(lesson) {
      const connection = flooded(lesson);
      takeAll(connection);
      connection.drained();
      connection.next();
      connection.drained();
      expectNext(connection, undefined, 'Who did not ask is not told.');
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
    what: 'A client that does not read is given up, with 1008.',
    rules: [150],
    check(lesson) {
      const { connection } = givenUp(lesson);
      const event = pull(connection, 'A client that does not read is given up.');
      equal(() => event, { type: 'error' }, 'A client that does not read is given up.', {
        given: TOO_MUCH,
        label: '`next` gave',
        cause: () =>
          'Without a limit, it costs us whatever the application sends. Count the messages that wait, and no control frames.',
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
            ? 'The Close stands behind what waits, and nobody reads that: drop it before you fail.'
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
      const cause = 'Whoever got `false` waits for it. Only `drained` pays the debt.';
      expectNext(connection, { type: 'drain' }, what, cause);
    },
  },
  {
    what: 'What waits is counted right after many large messages.',
    rules: [150],
    check(lesson) {
      const connection = connect(lesson, { maxWaitingBytes: 1000 });
      for (let i = 0; i < 50; i++) {
        connection.send(new Uint8Array(300_000));
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
    what: BRAKE,
    rules: [150],
    check: (lesson) =>
      onSocket(lesson, async (attached) => {
        await stalled(attached);
      }),
  },
  {
    what: 'When it reads again, everything goes on.',
    rules: [],
    check: (lesson) =>
      onSocket(lesson, async (attached) => {
        const { client, app } = attached;
        const sent = await stalled(attached);
        client.socket.resume();
        const heard = () => app.count('binary');
        while (heard() < sent) {
          const before = heard();
          const facts = () => [['messages', `${before} of ${sent}`]] as const;
          const what = 'When it reads again, everything goes on.';
          await until(() => heard() > before, what, facts, BRAKE_CAUSE);
        }
      }),
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
  ...FLOODS.map(standsFlood),
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
  ...WAITING_OPTIONS.map((honoured) => honours(honoured)),
  {
    what: 'Without options, as many bytes may wait as usual.',
    rules: [150],
    async check({ WebSocketServer, LIMITS }) {
      const what = 'Without options, as many bytes may wait as usual.';
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
  {
    what: 'Who sends more at each `drain` keeps nobody waiting.',
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
        'Who sends more at each `drain` keeps nobody waiting.',
        [
          ['the application', 'sends `HIGH_WATER_BYTES` at each `drain`, up to 20 times'],
          ['in three turns', `${drains} \`drain\` events, and nobody else had a turn`],
        ],
        'Each `drain` needs a turn of the event loop: `setImmediate`.',
      );
    },
  },
  {
    what: 'While nothing happens, the server rests.',
    rules: [],
    async check(lesson) {
      const timers = new Timers('Immediate');
      const line = timers.run(() => onLine(lesson).line);
      line.push(fromClient(Text, 'Hello'));
      await turns(5);
      const pending = await timers.count();
      timers.stop();
      line.destroy();
      equal(() => pending, 0, 'While nothing happens, the server rests.', {
        given: [['since the last message', '8 turns of the event loop']],
        label: '`setImmediate` calls that are pending',
        cause: () => 'When each turn brings on the next, a processor is busy with that for ever.',
      });
    },
  },
];

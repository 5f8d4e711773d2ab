/** Step 7: a connection on its socket, whatever the client and the application do. */
import type { Duplex } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { attempt, equal, fail } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import { closeBody, fromClient, fromServer, join, utf8 } from '../../../shared/kit/frames.ts';
import { giveWay } from '../../../shared/kit/patience.ts';
import { until } from '../../../shared/kit/peer.ts';
import { Timers } from '../../../shared/kit/timers.ts';
import { CloseCode } from '../../../shared/protocol.ts';
import {
  Binary,
  Close,
  type Connection,
  type Lesson,
  nameOf,
  Ping,
  Pong,
  type Scenarios,
  spokenIn,
  Text,
} from './core.ts';
import {
  accepted,
  application,
  buggy,
  CLEANLY,
  closes,
  expectCode,
  expectFailed,
  expectForgotten,
  Line,
  listenersOf,
  onLine,
  onSocket,
  PATIENT,
  quietly,
  settles,
  throwAt,
  turns,
  writtenTo,
} from './sockets.ts';

const BYE = fromClient(Close, closeBody(4001, 'bye'));

/** Why no timer has done what time demands: seen at the `deadline`, on either clock of Node. */
function whyNoTimer({ deadline }: Connection): string | undefined {
  if (deadline === undefined) return undefined;
  const left = [performance.now(), Date.now()].map((nowMs) => deadline - nowMs);
  const leftMs = left.find((ms) => Math.abs(ms) < 3_600_000);
  if (leftMs === undefined) return undefined;
  if (leftMs < 0)
    return 'The `deadline` is over: a timer has to ring then, and it can come nearer.';
  return `The \`deadline\` is ${Math.round(leftMs / 1000)} seconds away. Do the limits reach the connection?`;
}

/** No timer comes to its end in a scenario, and that of a Close is nearer. */
const SLOW = { pingIntervalMs: 600_000, closeTimeoutMs: 300_000 };

const FAST = { pingIntervalMs: 20, closeTimeoutMs: 20 };

/** Events at which an application may throw, and the frame that brings each about. */
const BUGS = [
  ['open', fromClient(Ping)],
  ['text', fromClient(Text, 'Hello')],
  ['binary', fromClient(Binary, 'Hello')],
  ['pong', fromClient(Pong)],
] as const;

/** Runs something, out of which the error of an application is not to come. */
function survives(bug: Error, what: string, where: string, run: () => void): void {
  const escaped = attempt(() => errorOf(run), what);
  if (escaped === undefined) return;
  if (escaped !== bug) throw escaped;
  fail(
    what,
    [
      ['`handle` threw', show(bug)],
      ['it came out of', where],
    ],
    'There it ends the process: catch it, and fail the connection with it.',
  );
}

/** Checks that an error of the application comes out of a listener of the socket. */
function thrownOn(what: string, given: Fact, listener: string, run: () => void, why: string) {
  if (errorOf(run) !== undefined) return;
  const came: Fact = ['came out', `nothing, of the \`${listener}\` listener`];
  const cause = `${why}, so nobody would hear of the error. Throw it on: Node reports it as uncaught.`;
  fail(what, [given, came, ['expected', 'the error']], cause);
}

function errorOf(run: () => void): unknown {
  try {
    run();
    return undefined;
  } catch (error) {
    return error;
  }
}

function survivesBug([type, bytes]: (typeof BUGS)[number]): Scenario<Lesson> {
  const what = `An error of the application at \`${type}\` fails this one connection.`;
  return {
    what,
    rules: [],
    async check(lesson) {
      const app = buggy(type);
      const line = new Line();
      const opening = accepted(lesson);
      const limits = { ...lesson.LIMITS, ...PATIENT };
      survives(app.bug, what, '`attach`', () => lesson.attach(line, opening, app.handle, limits));
      survives(app.bug, what, 'the `data` listener', () => line.emit('data', bytes));
      await settles(() => line.writableEnded);
      expectFailed(line, app);
      line.destroy();
    },
  };
}

/** What is thrown need not be an `Error`, nor anything. */
function throwsNoError(bug: unknown): Scenario<Lesson> {
  const what = `An application that throws \`${show(bug)}\` fails its connection, too.`;
  return {
    what,
    rules: [],
    async check(lesson) {
      const told: unknown[] = [];
      const { line } = onLine(lesson, (_, event) => {
        if (event.type === 'error') told.push(event.error);
        if (event.type === 'text') throw bug;
      });
      line.emit('data', fromClient(Text, 'Hello'));
      await settles(() => line.writableEnded);
      const given: Fact[] = [['`handle` throws', `${show(bug)} at \`text\``]];
      equal(() => told, [bug], what, { given, label: 'the `error` events had' });
      expectCode(line, 1011, what, given);
      line.destroy();
    },
  };
}

/** Runs a check with a line on which something has come, whose timers are counted. */
async function withTimers(
  lesson: Lesson,
  check: (line: Line, timers: Timers, connection: Connection) => Promise<void>,
): Promise<void> {
  const timers = new Timers();
  try {
    const { line, connection } = timers.run(() => onLine(lesson, () => {}, SLOW));
    timers.run(() => line.emit('data', fromClient(Text, 'Hello')));
    await check(line, timers, connection);
    line.destroy();
  } finally {
    timers.stop();
  }
}

/** Why a socket is still open at the end of a turn in which the application threw. */
function whyNotEnded(ending: Connection['ending'], written: Uint8Array): string | undefined {
  if (ending !== 'hangUp') return undefined;
  return written.length === 0
    ? 'Write, end the socket and set the timer, also when the application throws: `finally`.'
    : '`ending` is `hangUp`: end the socket, once everything is written.';
}

export const SURVIVING: Scenarios = [
  ...BUGS.map(survivesBug),
  {
    what: 'An error of the application closes this one connection, with 1011.',
    rules: [],
    check: (lesson) =>
      onSocket(
        lesson,
        async ({ client, socket, connection, app }) => {
          client.write(fromClient(Text, 'Hello'));
          const what = 'An error of the application closes this one connection, with 1011.';
          const why = () =>
            connection.ending === undefined
              ? 'Catch what `handle` throws, and fail the connection with it.'
              : undefined;
          await client.receives(fromServer(Text, 'Hello'), 'What was sent before it leaves.', why);
          const frame = await client.frame(what, why);
          equal(() => nameOf(frame), 'a Close with 1011', what, { label: 'came' });
          client.socket.end();
          await closes({ app, socket }, { type: 'close', code: 1006 }, 'It ends abnormally.');
        },
        { react: throwAt('text') },
      ),
  },
  ...['a text', undefined].map(throwsNoError),
  {
    what: 'What `handle` throws at an `error` event is thrown on.',
    rules: [],
    check(lesson) {
      const { line } = onLine(lesson, throwAt('error'));
      thrownOn(
        'What `handle` throws at an `error` event is thrown on.',
        ['`handle` throws', 'at `error`'],
        'data',
        () => line.emit('data', fromServer(Text, 'not masked')),
        'The connection has failed already',
      );
      line.destroy();
    },
  },
  {
    what: 'What `handle` throws when the connection has failed already is thrown on.',
    rules: [],
    check(lesson) {
      const { line } = onLine(lesson, (connection, { type }) => {
        if (type !== 'text') return;
        connection.fail(new Error('the first bug'));
        throw new Error('the second bug');
      });
      const what = 'What `handle` throws when the connection has failed already is thrown on.';
      thrownOn(
        what,
        ['`handle`', 'calls `connection.fail`, then throws'],
        'data',
        () => line.emit('data', fromClient(Text, 'Hello')),
        'A connection fails only once, and this is the second time',
      );
      line.destroy();
    },
  },
  {
    what: 'What `handle` throws at a `close` event is thrown on.',
    rules: [],
    check(lesson) {
      const { line } = onLine(lesson, throwAt('close'));
      const what = 'What `handle` throws at a `close` event is thrown on.';
      thrownOn(
        what,
        ['`handle` throws', 'at `close`'],
        'close',
        () => line.emit('close'),
        'A connection that is closed cannot fail any more',
      );
      line.destroy();
    },
  },
  {
    what: 'The Close leaves, whatever `handle` throws.',
    rules: [],
    check(lesson) {
      const { line, connection } = onLine(lesson, throwAt('error'));
      quietly(() => line.emit('data', fromServer(Text, 'not masked')));
      const { ending } = connection;
      const written = writtenTo(line);
      equal(() => line.writableEnded, true, 'The Close leaves, whatever `handle` throws.', {
        given: [
          ['`handle` throws', 'at `error`'],
          ['written', written.length === 0 ? 'nothing' : show(written)],
          ['`ending` is', show(ending)],
        ],
        label: 'the socket was ended',
        cause: () => whyNotEnded(ending, written),
      });
      line.destroy();
    },
  },
  {
    what: 'A client that resets is gone, and that is all.',
    rules: [],
    check: (lesson) =>
      onSocket(lesson, async ({ client, socket, app }) => {
        client.write(fromClient(Text, 'Hello').subarray(0, 4));
        // A reset that overtakes the bytes looks like an ordinary end.
        await until(() => socket.bytesRead >= 4, 'What the client sends is read.');
        client.socket.resetAndDestroy();
        const what = 'A client that resets is gone, and that is all.';
        await closes({ app, socket }, { type: 'close', code: 1006 }, what);
      }),
  },
  {
    what: 'A client that ends TCP without a Close is let go.',
    rules: [],
    check: (lesson) =>
      onSocket(lesson, async ({ client, socket, app }) => {
        client.socket.end();
        const what = 'A client that ends TCP without a Close is let go.';
        await client.sees('fin', what, undefined, () =>
          socket.writableEnded ? undefined : 'When the client ends its side, end ours as well.',
        );
        await closes({ app, socket }, { type: 'close', code: 1006 }, 'No Close is 1006.');
      }),
  },
  {
    what: 'After the end, nothing is written.',
    rules: [],
    async check(lesson) {
      const { line, connection } = onLine(lesson);
      const errors: unknown[] = [];
      line.on('error', (error) => errors.push(error));
      line.once('end', () => connection.send('too late'));
      line.push(null);
      await nextTurn();
      await nextTurn();
      equal(() => errors, [], 'After the end, nothing is written.', {
        label: 'errors of the socket',
        cause: () => 'A socket that has ended is not `writable`.',
      });
    },
  },
  {
    what: 'A client that has ended its side still gets the answers.',
    rules: [],
    async check(lesson) {
      const app = application();
      const { line } = onLine(lesson, app.handle);
      line.hold();
      line.emit('data', fromClient(Text, 'one'));
      await turns(1);
      line.emit('data', fromClient(Text, 'two'));
      line.push(null);
      await turns(3);
      line.release();
      await settles(() => line.writableFinished);
      const what = 'A client that has ended its side still gets the answers.';
      const answers = () => join(...spokenIn(writtenTo(line)).map(({ payload }) => payload));
      equal(answers, utf8('onetwo'), what, {
        given: [['arrived', 'two texts, and then the end, while the socket was busy writing']],
        label: 'the answers, joined',
        cause: () => (line.destroyed ? 'The socket was destroyed: at `end`, end it.' : undefined),
      });
      line.destroy();
    },
  },
  {
    what: 'A silent client is asked, and dropped when it does not answer.',
    rules: [],
    waits: true,
    check: (lesson) =>
      onSocket(
        lesson,
        async ({ client, socket, connection, app }) => {
          const why = () => whyNoTimer(connection);
          const { opcode } = await client.frame('A silent client is asked.', why);
          equal(() => opcode, Ping, 'A silent client is asked with a Ping.', { label: 'opcode' });
          await client.sees('end', 'A client that does not answer is dropped.', undefined, why);
          await closes(
            { app, socket },
            { type: 'close', code: 1006 },
            'It is gone without a Close.',
          );
        },
        { limits: FAST },
      ),
  },
  {
    what: 'A client that does not answer a Close is dropped.',
    rules: [],
    waits: true,
    check: (lesson) =>
      onSocket(
        lesson,
        async ({ client, socket, connection, app }) => {
          connection.close(CloseCode.GoingAway);
          await client.receives(fromServer(Close, closeBody(1001)), 'Close from our side.');
          const what = 'A client that does not answer a Close is dropped.';
          await client.sees('end', what, undefined, () => whyNoTimer(connection));
          await closes(
            { app, socket },
            { type: 'close', code: 1006 },
            'It is gone without a Close.',
          );
        },
        { limits: { closeTimeoutMs: 20 } },
      ),
  },
  {
    what: 'A client that does not end TCP after both Closes is dropped.',
    rules: [101],
    waits: true,
    check: (lesson) =>
      onSocket(
        lesson,
        async ({ client, socket, connection }) => {
          client.write(BYE);
          const what = 'A client that does not end TCP after both Closes is dropped.';
          await client.sees('fin', 'After both Closes, the server ends its side.', CLEANLY);
          await dropped(socket, connection, what);
        },
        { limits: { closeTimeoutMs: 20 } },
      ),
  },
  {
    what: 'A client that goes on talking after both Closes is dropped all the same.',
    rules: [],
    waits: true,
    async check(lesson) {
      const what = 'A client that goes on talking after both Closes is dropped all the same.';
      const { line, connection } = onLine(lesson, () => {}, { closeTimeoutMs: 20 });
      line.emit('data', BYE);
      const talk = () => line.destroyed || line.emit('data', fromClient(Text, 'still here'));
      // At once, and then by a timer, as the server has one: on a busy machine they come in order.
      talk();
      const talking = setInterval(talk, 2);
      const facts = () => [['`ending` is', show(connection.ending)]] as const;
      const cause = 'What comes after the end does not move its deadline.';
      try {
        await until(() => line.destroyed, what, facts, cause);
      } finally {
        clearInterval(talking);
      }
    },
  },
  {
    what: 'A client that ends TCP, and takes no more, is dropped.',
    rules: [],
    waits: true,
    async check(lesson) {
      const { line, connection } = onLine(lesson, () => {}, FAST);
      line.hold();
      connection.send('never taken');
      line.push(null);
      await dropped(line, connection, 'A client that ends TCP, and takes no more, is dropped.');
    },
  },
  {
    what: 'However much is read, timers and listeners do not become more.',
    rules: [],
    check: (lesson) =>
      withTimers(lesson, async (line, timers) => {
        const before = { timers: await timers.count(), listeners: listenersOf(line) };
        for (let read = 0; read < 20; read++) {
          timers.run(() => line.emit('data', fromClient(Text, 'Hello')));
        }
        const after = { timers: await timers.count(), listeners: listenersOf(line) };
        if (after.timers <= before.timers + 1 && after.listeners <= before.listeners + 1) return;
        fail(
          'However much is read, timers and listeners do not become more.',
          [
            ['after one read', `${before.timers} timers, ${before.listeners} listeners`],
            ['after 21 reads', `${after.timers} timers, ${after.listeners} listeners`],
          ],
          after.timers - before.timers >= 20
            ? 'Each read starts a timer, and nobody stops it. One is enough for all.'
            : undefined,
        );
      }),
  },
  {
    what: 'When a socket is gone, no timer of it is left.',
    rules: [],
    check: (lesson) =>
      withTimers(lesson, async (line, timers, connection) => {
        timers.run(() => connection.close());
        await nextTurn();
        timers.run(() => line.destroy());
        // One that is about to end by itself may do so.
        let left = await timers.count();
        for (let i = 0; i < 20 && left > 0; i++) {
          await giveWay(2);
          left = await timers.count();
        }
        equal(() => left, 0, 'When a socket is gone, no timer of it is left.', {
          given: [['happened', 'a read, then `close()`, then the socket was gone']],
          label: 'timers left',
          cause: () => 'Stop the old timer where you set another one, and the last at `close`.',
        });
      }),
  },
  {
    what: 'A connection that has ended is forgotten.',
    rules: [],
    check: async (lesson) =>
      expectForgotten(
        await goneLine(lesson),
        'A connection that has ended is forgotten.',
        'No timer of it is left. What else keeps it: a list, or a listener somewhere?',
      ),
  },
];

/** Waits until a socket is destroyed. */
function dropped(socket: Duplex, connection: Connection, what: string): Promise<void> {
  return until(
    () => socket.destroyed,
    what,
    () => [
      ['our side', socket.writableEnded ? 'ended' : 'open'],
      ['`ending` is', show(connection.ending)],
      ['the socket', socket.destroyed ? 'destroyed' : 'not destroyed'],
    ],
    () =>
      connection.ending === 'destroy'
        ? 'Destroy it, also when it is not `writable`: a socket that has ended is not.'
        : whyNoTimer(connection),
  );
}

/** A line that has gone, and whose connection has been used once more at its end. */
async function goneLine(lesson: Lesson): Promise<WeakRef<Line>> {
  const { line, connection } = onLine(lesson, (connection, event) => {
    if (event.type === 'close') connection.close();
  });
  connection.send('x');
  await turns(1);
  line.destroy();
  return new WeakRef(line);
}

/** Step 5: a peer that is silent, and one that does not close. */
import { equal } from '../../../shared/harness/check.ts';
import { clock } from '../../../shared/kit/clock.ts';
import { fromClient } from '../../../shared/kit/frames.ts';
import {
  Close,
  connect,
  type Event,
  expectDeadline,
  expectEnding,
  expectExplained,
  expectNext,
  expectOutput,
  expectPing,
  type Lesson,
  NORMAL,
  NOTHING,
  Pong,
  pull,
  type Scenarios,
  Text,
  ZERO,
} from './core.ts';

const FORGET = 'When something is heard, forget that you have asked.';
const TIMES = { pingIntervalMs: 30_000, closeTimeoutMs: 5_000 };

/** Makes a connection, and its clock. `wait` lets time go by, and checks it. */
function timed(lesson: Lesson, times = TIMES) {
  const { now, advance } = clock();
  const connection = connect(lesson, times, now);
  const wait = (ms: number) => {
    advance(ms);
    connection.checkTime();
  };
  return { connection, now, advance, wait };
}

/** Makes a connection whose peer has been silent, and has been asked. */
function asked(lesson: Lesson) {
  const silent = timed(lesson);
  silent.wait(30_000);
  silent.connection.takeOutput();
  return silent;
}

/** Why no `close` is told of a connection that a timeout has ended, and then TCP. */
function whyNotTold(early: Event | undefined, event: Event | undefined): string | undefined {
  if (early?.type === 'close') return '`close` says that TCP is gone: tell it at `disconnect`.';
  return event === undefined
    ? 'The timeout has ended the closing handshake, and the application has heard nothing yet. Is `close` told only when `disconnect` is what ends it?'
    : undefined;
}

/** Why a connection is not destroyed whose peer has not answered a Ping. */
function whyNotGone(ending: unknown): string | undefined {
  if (ending === undefined)
    return 'You have asked, and a whole interval has passed without an answer.';
  return ending === 'hangUp'
    ? 'Neither `fail` nor `close`: a Close would reach nobody. `destroy` is due at once.'
    : undefined;
}

export const TIME: Scenarios = [
  {
    what: 'Somebody new has the whole interval.',
    rules: [],
    check(lesson) {
      const { connection, now } = timed(lesson);
      expectDeadline(connection, now() + 30_000, 'Somebody new has the whole interval.');
    },
  },
  {
    what: 'Every byte is a sign of life.',
    rules: [],
    check(lesson) {
      const { connection, now, advance } = timed(lesson);
      advance(10_000);
      connection.receive(fromClient(Text, 'x').subarray(0, 1));
      const what = 'Every byte is a sign of life.';
      expectDeadline(connection, now() + 30_000, what, 'The peer is heard when bytes arrive.');
    },
  },
  {
    what: 'A peer is not asked before the interval is over.',
    rules: [],
    check(lesson) {
      const { connection, wait } = timed(lesson);
      wait(29_999);
      expectOutput(connection, NOTHING, 'A peer is not asked before the interval is over.');
    },
  },
  {
    what: 'Ask a silent peer whether it is there.',
    rules: [],
    check(lesson) {
      const { connection, wait } = timed(lesson);
      wait(30_000);
      const cause = 'When the deadline has come, `checkTime` sends a Ping.';
      expectPing(connection, 'Ask a silent peer whether it is there.', cause);
    },
  },
  {
    what: 'To answer, it has as long again.',
    rules: [],
    check(lesson) {
      const { connection, now } = asked(lesson);
      expectDeadline(connection, now() + 30_000, 'To answer, it has as long again.');
      expectEnding(connection, undefined, 'To answer, it has as long again.');
    },
  },
  {
    what: 'A silent peer is asked once.',
    rules: [],
    check(lesson) {
      const { connection } = asked(lesson);
      connection.checkTime();
      expectOutput(connection, NOTHING, 'A silent peer is asked once.');
    },
  },
  {
    what: 'Ask again after the next silence.',
    rules: [],
    check(lesson) {
      const { connection, wait } = asked(lesson);
      connection.receive(fromClient(Pong));
      wait(30_000);
      expectPing(connection, 'Ask again after the next silence.', FORGET);
    },
  },
  {
    what: 'A peer that has answered has the whole interval again.',
    rules: [],
    check(lesson) {
      const { connection, now, advance } = asked(lesson);
      advance(10_000);
      connection.receive(fromClient(Pong));
      const what = 'A peer that has answered has the whole interval again.';
      expectDeadline(connection, now() + 30_000, what, FORGET);
      expectEnding(connection, undefined, what);
    },
  },
  {
    what: 'A peer that takes what waits for it is there, as if it had sent something.',
    rules: [],
    check(lesson) {
      const { connection, now, advance } = asked(lesson);
      advance(10_000);
      connection.heard();
      const what = 'A peer that takes what waits for it is there, as if it had sent something.';
      expectDeadline(
        connection,
        now() + 30_000,
        what,
        '`heard` does what `receive` does for time.',
      );
      advance(30_000);
      connection.checkTime();
      expectPing(connection, 'Ask again after the next silence.', FORGET);
    },
  },
  {
    what: 'A client that does not answer is gone: drop the TCP connection.',
    rules: [],
    check(lesson) {
      const { connection, wait } = asked(lesson);
      wait(30_000);
      expectEnding(
        connection,
        'destroy',
        'A client that does not answer is gone: drop the TCP connection.',
        whyNotGone,
      );
    },
  },
  {
    what: 'The application hears why, once.',
    rules: [],
    check(lesson) {
      const { connection, wait } = asked(lesson);
      wait(30_000);
      connection.checkTime();
      const why = pull(connection, 'The application hears why.');
      equal(() => why, { type: 'error' }, 'The application hears why.', { label: '`next` gave' });
      expectExplained(why);
      expectNext(
        connection,
        undefined,
        'The application hears once that a peer is gone, however often `checkTime` is called.',
      );
    },
  },
  {
    what: 'Nobody said Close: 1006.',
    rules: [],
    check(lesson) {
      const { connection, wait } = asked(lesson);
      wait(30_000);
      connection.next();
      connection.disconnect();
      const end = { type: 'close', code: 1006, wasClean: false } as const;
      expectNext(connection, end, 'Nobody said Close: 1006.');
    },
  },
  {
    what: 'A peer may be asked when the clock is at 0.',
    rules: [],
    check(lesson) {
      let now = -30_000;
      const connection = connect(lesson, TIMES, () => now);
      now = 0;
      connection.checkTime();
      const what = 'A peer may be asked when the clock is at 0.';
      expectDeadline(connection, TIMES.pingIntervalMs, what, ZERO);
    },
  },
  {
    what: 'A closed connection waits for nothing.',
    rules: [],
    check(lesson) {
      const { connection } = timed(lesson);
      connection.disconnect();
      expectDeadline(connection, undefined, 'A closed connection waits for nothing.');
    },
  },
  {
    what: 'A connection that is closing asks nothing.',
    rules: [],
    check(lesson) {
      const { connection, wait } = timed(lesson, { ...TIMES, closeTimeoutMs: 600_000 });
      connection.close();
      connection.takeOutput();
      for (let i = 0; i < 2; i++) wait(30_000);
      expectOutput(connection, NOTHING, 'A connection that is closing asks nothing.');
      expectNext(connection, undefined, 'A client has `closeTimeoutMs` for its Close.');
      expectEnding(connection, undefined, 'A client has `closeTimeoutMs` for its Close.');
    },
  },
  {
    what: 'Our Close starts a clock.',
    rules: [100],
    check(lesson) {
      const { connection, now, wait } = timed(lesson);
      connection.close();
      expectDeadline(connection, now() + 5_000, 'Our Close starts a clock.');
      wait(4_999);
      expectEnding(connection, undefined, 'A peer has all of `closeTimeoutMs` to close.');
    },
  },
  {
    what: 'A peer that does not answer a Close is dropped.',
    rules: [100],
    check(lesson) {
      const { connection, wait } = timed(lesson);
      connection.close();
      wait(5_000);
      expectEnding(
        connection,
        'destroy',
        'A peer that does not answer a Close is dropped.',
        'In `checkTime`, ask `checkDeadline` of the closing handshake, and do what it says.',
      );
    },
  },
  {
    what: 'After a timeout too, the application hears when TCP is gone.',
    rules: [],
    check(lesson) {
      const { connection, wait } = timed(lesson);
      connection.close();
      wait(5_000);
      const what = 'After a timeout too, the application hears when TCP is gone.';
      // Some tell an `error` of the timeout, and some do not.
      const early = pull(connection, what);
      connection.disconnect();
      const end = { type: 'close', code: 1006, wasClean: false } as const;
      expectNext(connection, end, what, (event) => whyNotTold(early, event));
    },
  },
  {
    what: 'A peer that does not end TCP is dropped.',
    rules: [100],
    check(lesson) {
      const { connection, now, wait } = timed(lesson);
      connection.receive(fromClient(Close, NORMAL));
      connection.next();
      expectDeadline(
        connection,
        now() + 5_000,
        'Our side has ended, and we wait for the peer to end its own.',
      );
      wait(5_000);
      expectEnding(connection, 'destroy', 'A peer that does not end TCP is dropped.');
    },
  },
];

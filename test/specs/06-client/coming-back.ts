/** Step 9: how long to wait, whether to try again, and the connection that comes back. */
import { equal, fail } from '../../../shared/harness/check.ts';
import { show } from '../../../shared/harness/show.ts';
import { withGiven } from '../../../shared/kit/given.ts';
import { withTimeout } from '../../../shared/kit/patience.ts';
import { OpeningError } from '../../../shared/protocol.ts';
import { HERD } from './herd.ts';
import { closeEvent, refusal, Visitor } from './outages.ts';
import { GENERATED } from './stories.ts';
import type { Lesson, Scenarios } from './tools.ts';

/** How long a timer may take that is due at once, in milliseconds. */
const PATIENCE_MS = 3000;

/** Checks a delay, give or take a millisecond, when each random number is `share`. */
function expectDelay(
  { nextDelayMs }: Lesson,
  attempt: number,
  share: number,
  ms: number,
  what: string,
): void {
  const call = `nextDelayMs(${attempt}, () => ${share})`;
  withGiven(
    () => [['call', call]],
    () => {
      let delay: unknown;
      equal(
        () => {
          delay = nextDelayMs(attempt, () => share);
          return typeof delay;
        },
        'number',
        what,
      );
      if (typeof delay === 'number' && Math.abs(delay - ms) <= 1) return;
      const facts = [['you returned', show(delay)] as const, ['expected', `${ms}`] as const];
      fail(what, facts);
    },
  );
}

const DELAYS: Scenarios = [
  {
    what: 'The first delay is a random share of 5 seconds.',
    rules: [133],
    check: (lesson) => {
      for (const [share, ms] of [
        [0.5, 2500],
        [0, 0],
        [0.999, 4995],
      ] as const) {
        expectDelay(lesson, 0, share, ms, 'The first delay is a random share of 5 seconds.');
      }
    },
  },
  {
    what: 'The delays after it are random shares of 2 seconds, of 4, of 8, of 16 and of 30.',
    rules: [173],
    check: (lesson) => {
      const what = 'The longest delay doubles from one attempt to the next, up to 30 seconds.';
      for (const [i, ms] of [2000, 4000, 8000, 16_000, 30_000, 30_000].entries()) {
        for (const share of [0.5, 0.125, 0]) expectDelay(lesson, i + 1, share, share * ms, what);
      }
    },
  },
  {
    what: 'However many attempts there have been, the longest delay is 30 seconds.',
    rules: [173],
    check: (lesson) => {
      const what = 'However many attempts there have been, the longest delay is 30 seconds.';
      for (const attempt of [7, 21, 22, 31, 32, 53, 1023, 1024, 100_000]) {
        expectDelay(lesson, attempt, 0.5, 15_000, what);
      }
    },
  },
  {
    what: 'Without another source, the delays of two clients differ.',
    rules: [133],
    check: ({ nextDelayMs }) => {
      const what = 'Each delay is drawn anew, so that no two clients come back together.';
      const delays = Array.from({ length: 20 }, () => nextDelayMs(0));
      if (new Set(delays).size > 15 && delays.every((ms) => ms >= 0 && ms <= 5000)) return;
      fail(what, [
        ['call', 'nextDelayMs(0), 20 times'],
        ['you returned', show(delays)],
        ['expected', 'numbers from 0 to 5000, and different ones'],
      ]);
    },
  },
];

/** How long a timer of the world is set for, and what it may be early by, in milliseconds. */
const [TIMER_MS, EARLY_MS] = [5, 2];

const OF_THE_WORLD: Scenarios = [
  {
    what: '`SYSTEM_TIMING` is a clock in milliseconds, with timers that can be prevented.',
    rules: [],
    check: async ({ SYSTEM_TIMING: timing }) => {
      const what = '`SYSTEM_TIMING` is a clock in milliseconds, with timers that can be prevented.';
      const start = timing.now();
      let isCalled = false;
      timing.after(1, () => {
        isCalled = true;
      })();
      const over = new Promise<void>((resolve) => timing.after(TIMER_MS, resolve));
      await withTimeout(over, PATIENCE_MS, () =>
        fail(what, [
          ['call', `after(${TIMER_MS}, callback)`],
          ['it called back', 'never'],
        ]),
      );
      equal(() => isCalled, false, what, { label: 'a timer that was prevented called back' });
      const passed = timing.now() - start;
      if (passed >= TIMER_MS - EARLY_MS) return;
      fail(what, [
        ['a timer ran for', `${TIMER_MS} ms`],
        ['by `now`, it was', show(passed)],
      ]);
    },
  },
];

/** Checks a decision over ends of the same kind. */
function expectRetry(
  { shouldRetry }: Lesson,
  codes: readonly number[],
  expected: boolean,
  what: string,
  error?: unknown,
): void {
  for (const code of codes) {
    const second = error === undefined ? '' : `, ${sayError(error)}`;
    equal(() => shouldRetry({ code }, error), expected, what, {
      given: [['call', `shouldRetry({ code: ${code} }${second})`]],
    });
  }
}

function sayError(error: unknown): string {
  if (!(error instanceof OpeningError)) return show(error);
  return error.status === undefined
    ? 'an OpeningError without a status'
    : `an OpeningError of status ${error.status}`;
}

const DECISIONS: Scenarios = [
  {
    what: 'What passes is worth another try: 1001, 1005, 1006 and 1011–1014.',
    rules: [133],
    check: (lesson) => {
      const codes = [1006, 1001, 1005, 1011, 1012, 1013, 1014];
      expectRetry(lesson, codes, true, 'A server that goes away or has an accident may be back.');
    },
  },
  {
    what: 'An end that was meant is not: 1000, 1002, 1003, 1007–1010 and 3000–4999.',
    rules: [172],
    check: (lesson) => {
      const codes = [1000, 1002, 1003, 1007, 1008, 1009, 1010, 3000, 3999, 4000, 4001, 4999];
      expectRetry(lesson, codes, false, 'Who ends it on purpose would do so again.');
    },
  },
  {
    what: 'A server that answers the request with 500 or more may be well later.',
    rules: [133],
    check: (lesson) => {
      const what = 'A server that answers the request with 500 or more may be well later.';
      for (const status of [503, 500, 502, 504, 599]) {
        expectRetry(lesson, [1006], true, what, refusal(status));
      }
    },
  },
  {
    what: 'A server that answers the request with less than 500 would do so again.',
    rules: [172],
    check: (lesson) => {
      const what = 'A server that answers the request with less than 500 would do so again.';
      for (const status of [404, 401, 403, 429, 499, 302, 200, 101]) {
        expectRetry(lesson, [1006], false, what, refusal(status));
      }
    },
  },
  {
    what: 'An error without a status decides nothing: the code does.',
    rules: [133],
    check: (lesson) => {
      const what = 'An error without a status decides nothing: the code does.';
      const errors = [new OpeningError('4.1', 'No answer.'), new Error('ECONNREFUSED')];
      for (const error of errors) {
        expectRetry(lesson, [1006, 1011], true, what, error);
        expectRetry(lesson, [1000, 4000], false, what, error);
      }
    },
  },
];

const RETURNS: Scenarios = [
  {
    what: 'The first connection is made at once, and is the present one.',
    rules: [],
    check: (lesson) => {
      const what = 'The first connection is made at once, and is the present one.';
      const visitor = new Visitor(lesson);
      equal(() => visitor.connections.length, 1, what, { label: 'calls of open' });
      const { last } = visitor;
      if (visitor.reconnecting.connection !== (last as unknown)) {
        fail(what, [
          ['connection', show(visitor.reconnecting.connection)],
          ['expected', 'what `open` returned'],
        ]);
      }
    },
  },
  {
    what: 'After a lost connection, there is another when the first delay is over.',
    rules: [133],
    check: (lesson) => {
      const what = 'After a lost connection, there is another when the first delay is over.';
      for (const share of [0.5, 0.1]) {
        const visitor = new Visitor(lesson, { share });
        visitor.opens();
        visitor.isLost();
        visitor.expectReturn(5000 * share, what, (after) =>
          after === Number.POSITIVE_INFINITY
            ? undefined
            : 'The delay comes from `nextDelayMs`, with the random numbers of the `timing`.',
        );
        visitor.opens();
        const { connection } = visitor.reconnecting;
        if (connection !== (visitor.last as unknown)) {
          fail('The connection that was made last is the present one.', [
            ...visitor.facts(),
            ['connection', 'is the one before'],
          ]);
        }
      }
    },
  },
  {
    what: 'Each attempt that fails makes the next delay longer, and none is the last.',
    rules: [173],
    check: (lesson) => {
      const visitor = new Visitor(lesson);
      const delays = [2500, 1000, 2000, 4000, 8000, ...Array.from({ length: 40 }, () => 15_000)];
      for (const ms of delays) {
        visitor.isLost();
        visitor.expectReturn(ms, 'Each attempt that fails counts for the next delay.');
      }
    },
  },
  {
    what: 'What happens on each connection is told, and with which connection.',
    rules: [],
    check: (lesson) => {
      const visitor = new Visitor(lesson);
      visitor.opens();
      visitor.tells([{ type: 'text', data: 'Hello' }]);
      visitor.isLost();
      visitor.comesBackAfter();
      visitor.opens();
      visitor.tells([{ type: 'binary', data: new Uint8Array(1) }]);
      const told = ['1 open', '1 text', '1 error', '1 close', '2 open', '2 binary'];
      equal(() => visitor.told, told, 'What happens on each connection is told, in order.', {
        given: visitor.facts(),
        label: 'told, of connection',
      });
    },
  },
  {
    what: 'A connection that opens and ends at once does not start the count again.',
    rules: [173],
    check: (lesson) => {
      const visitor = new Visitor(lesson);
      for (const ms of [2500, 1000, 2000, 4000, 8000, 15_000]) {
        visitor.opens();
        visitor.waits(4900);
        visitor.isLost();
        visitor.expectReturn(
          ms,
          'A connection that was open for less than 5 seconds does not start the count again.',
          (after) =>
            after === 2500
              ? '`open` is no sign of health: a server in trouble accepts, and falls again.'
              : undefined,
        );
      }
    },
  },
  {
    what: 'A connection that was open for 5 seconds starts the count again.',
    rules: [133],
    check: (lesson) => {
      const what = 'A connection that was open for 5 seconds starts the count again.';
      for (const life of [5000, 60_000]) {
        const visitor = new Visitor(lesson);
        for (const ms of [2500, 1000, 2000]) {
          visitor.isLost();
          visitor.expectReturn(ms, 'Each attempt that fails counts for the next delay.');
        }
        visitor.opens();
        visitor.waits(life);
        visitor.isLost();
        visitor.expectReturn(2500, what);
        visitor.isLost();
        visitor.expectReturn(1000, what);
      }
    },
  },
  {
    what: 'Only the time that a connection is open counts as its life.',
    rules: [173],
    check: (lesson) => {
      const what = 'The time before `open` is no life: the count goes on.';
      const slow = new Visitor(lesson);
      for (const ms of [2500, 1000, 2000, 4000]) {
        slow.waits(9000);
        slow.isLost();
        slow.expectReturn(ms, what);
      }
      slow.waits(9000);
      slow.opens();
      slow.waits(10);
      slow.isLost();
      slow.expectReturn(8000, what);
      const again = new Visitor(lesson);
      again.opens();
      again.waits(6000);
      again.isLost();
      again.expectReturn(2500, what);
      again.waits(6000);
      again.isLost();
      again.expectReturn(1000, 'A connection that never opened has no life, whatever was before.');
    },
  },
  {
    what: 'After an end that was meant, there is no other connection.',
    rules: [172],
    check: (lesson) => {
      const what = 'After an end that was meant, there is no other connection.';
      for (const code of [1000, 1008, 4001]) {
        const visitor = new Visitor(lesson);
        visitor.opens();
        visitor.tells([closeEvent(code)]);
        visitor.expectNoReturn(what);
      }
      const refused = new Visitor(lesson);
      refused.isRefused(403);
      refused.expectNoReturn(what, 'The `error` event has the status: it comes before `close`.');
    },
  },
  {
    what: 'What one connection was told does not count for the next.',
    rules: [133],
    check: (lesson) => {
      const what = 'The refusal of one connection says nothing of the end of the next.';
      const visitor = new Visitor(lesson);
      visitor.isRefused(503, '60');
      visitor.expectReturn(62_500, 'After a Retry-After of 60 seconds, the delay begins.');
      visitor.opens();
      visitor.waits(10);
      visitor.tells([closeEvent(1001)]);
      visitor.expectReturn(1000, what);
    },
  },
  {
    what: 'A Retry-After in seconds is waited for first, an hour at most.',
    rules: [133],
    check: (lesson) => {
      const what = 'A Retry-After in seconds is waited for first, and then the delay.';
      const cases = { 0: 0, 1: 1000, 120: 120_000, 3600: 3_600_000, 86400: 3_600_000 };
      for (const [header, ms] of Object.entries(cases)) {
        const visitor = new Visitor(lesson);
        visitor.isRefused(503, header);
        visitor.expectReturn(ms + 2500, what, (after) =>
          after === ms
            ? 'If all come exactly when the server said, they come together.'
            : undefined,
        );
      }
      const endless = new Visitor(lesson);
      endless.isRefused(503, '9'.repeat(400));
      endless.expectReturn(3_602_500, what);
    },
  },
  {
    what: 'A Retry-After that is no number of seconds changes nothing.',
    rules: [133],
    check: (lesson) => {
      const what = 'A Retry-After that is no number of seconds changes nothing.';
      for (const header of ['Sun, 22 Nov 2026 08:00:00 GMT', '2026-11-22', '', '-5', 'soon']) {
        const visitor = new Visitor(lesson);
        visitor.isRefused(503, header);
        visitor.expectReturn(2500, what, (after) =>
          after <= 1
            ? 'A timer that is told to wait for no number, or for less than nothing, fires at once.'
            : undefined,
        );
      }
    },
  },
  {
    what: '`close` closes the connection, and no other follows, whatever the code.',
    rules: [172],
    check: (lesson) => {
      const what = '`close` closes the connection, and no other follows.';
      for (const code of [1000, 1006, 1001]) {
        const visitor = new Visitor(lesson);
        visitor.opens();
        visitor.closes(4000, 'bye');
        equal(() => visitor.last.closes, [[4000, 'bye']], '`close` hands on code and reason.', {
          given: visitor.facts(),
          label: 'calls of its `close`',
        });
        visitor.tells([closeEvent(code)]);
        visitor.expectNoReturn(what);
        equal(() => visitor.told, ['1 open', '1 close'], 'The end is told as ever.', {
          given: visitor.facts(),
          label: 'told, of connection',
        });
      }
      const silent = new Visitor(lesson);
      silent.opens();
      silent.closes();
      const [code] = silent.last.closes[0] ?? ['none: it was not called'];
      equal(() => code, undefined, '`close` hands on code and reason, and makes up neither.', {
        given: silent.facts(),
        label: 'code for its `close`',
      });
    },
  },
  {
    what: '`close` between two connections ends the delay, and no connection follows.',
    rules: [172],
    check: (lesson) => {
      const what = '`close` between two connections ends the delay, and no connection follows.';
      const visitor = new Visitor(lesson);
      visitor.opens();
      visitor.isLost();
      visitor.waits(1000);
      visitor.closes();
      equal(() => visitor.timing.pending, 0, what, {
        given: visitor.facts(),
        label: 'timers left',
      });
      visitor.expectNoReturn(what);
      const later = new Visitor(lesson);
      later.isLost();
      later.comesBackAfter();
      later.isLost();
      later.closes();
      later.expectNoReturn(what, 'Each delay has a timer of its own: it is the last that counts.');
    },
  },
  {
    what: 'Each delay is a random share of its own.',
    rules: [133],
    check: (lesson) => {
      const what = 'Each delay is a random share of its own.';
      const shares = [0.5, 0.25, 0.75];
      let attempts = 0;
      const visitor = new Visitor(lesson, { random: () => shares[attempts] ?? 0 });
      for (const ms of [2500, 500, 3000]) {
        visitor.isLost();
        visitor.expectReturn(ms, what);
        attempts++;
      }
    },
  },
  {
    what: '`close` while a later connection is being opened closes that one.',
    rules: [172],
    check: (lesson) => {
      const what = '`close` while a later connection is being opened closes that one.';
      const visitor = new Visitor(lesson);
      visitor.isLost();
      visitor.comesBackAfter();
      visitor.closes(1000);
      equal(() => visitor.last.closes.length, 1, what, {
        given: visitor.facts(),
        label: 'calls of its `close`',
      });
      visitor.isLost();
      visitor.expectNoReturn(what);
    },
  },
  {
    what: '`close` in a handler counts, in that of `close` as well.',
    rules: [172],
    check: (lesson) => {
      const what = '`close` in a handler counts, in that of `close` as well.';
      for (const type of ['error', 'close', 'open']) {
        const visitor = new Visitor(lesson, {
          react: (event, { reconnecting }) => {
            if (event.type === type) reconnecting.close();
          },
        });
        visitor.opens();
        visitor.isLost();
        visitor.expectNoReturn(what, `It was called in the handler of \`${type}\`.`);
      }
    },
  },
  {
    what: 'A late event of an ended connection makes no second connection.',
    rules: [],
    check: (lesson) => {
      const what = 'A connection that has ended is not listened to.';
      const visitor = new Visitor(lesson);
      visitor.opens();
      const old = visitor.last;
      visitor.isLost();
      visitor.tells([closeEvent(1006)], old);
      visitor.expectReturn(2500, what);
      visitor.opens();
      const told = visitor.told.length;
      visitor.tells([{ type: 'text', data: 'late' }, closeEvent(1006)], old);
      equal(() => visitor.told.slice(told), [], what, {
        given: visitor.facts(),
        label: 'told, of connection',
      });
      visitor.expectNoReturn(
        what,
        'Each connection has a handler of its own, which can remember that it has ended.',
      );
    },
  },
  {
    what: 'What the handler throws is thrown on, and there is another connection all the same.',
    rules: [133],
    check: (lesson) => {
      const what = 'What the handler throws is thrown on, and changes nothing else.';
      const bug = new Error('a bug in the handler of `close`');
      const visitor = new Visitor(lesson, {
        react: (event) => {
          if (event.type === 'close') throw bug;
        },
      });
      visitor.opens();
      let thrown: unknown;
      try {
        visitor.isLost();
      } catch (error) {
        thrown = error;
      }
      if (thrown !== bug) {
        const given = visitor.facts();
        fail(what, [...given, ['thrown on', show(thrown)], ['expected', show(bug)]]);
      }
      visitor.expectReturn(2500, what, () => '`finally` is for what has to be done in any case.');
    },
  },
];

export const COMING_BACK: Scenarios = [
  ...DELAYS,
  ...OF_THE_WORLD,
  ...DECISIONS,
  ...RETURNS,
  ...HERD,
  ...GENERATED,
];

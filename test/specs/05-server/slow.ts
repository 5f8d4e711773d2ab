/** Step 8: clients that read slowly, or nothing any more, with much on its way to them. */
import { equal, fail } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import { giveWay } from '../../../shared/kit/patience.ts';
import { until } from '../../../shared/kit/peer.ts';
import { count } from '../../../shared/view/count.ts';
import { Close, type Connection, type Lesson, type Scenarios, spokenIn } from './core.ts';
import { type Line, listenersOf, onLine, turns, writtenTo } from './sockets.ts';

/** What an application sends: small messages, then large ones, less than `HIGH_WATER_BYTES`. */
const MESSAGES = [
  ...['a', 'b', 'c', 'd'].map((text) => Buffer.from(text)),
  ...Array.from({ length: 10 }, (_, i) => new Uint8Array(20_000 + i).fill(i + 1)),
];

const SENT = `${MESSAGES.length} messages, each in a turn of its own: four of 1 byte, then 200 KB`;

/** Sends everything, each message in a turn of the event loop of its own. */
async function sendAll(connection: Connection): Promise<void> {
  for (const message of MESSAGES) {
    connection.send(message);
    await turns(1);
  }
}

/** Lets a client take what is written to it, one write after the other. */
export async function takeSlowly(line: Line): Promise<void> {
  for (let idle = 0; idle < 5; idle = line.writableLength > 0 ? 0 : idle + 1) {
    line.takeOne();
    await turns(1);
  }
  line.release();
}

/** How a connection ends while a slow client has everything to come. */
const ENDS = [
  ['fail(Error)', (connection: Connection) => connection.fail(new Error('a bug of ours'))],
  ['close()', (connection: Connection) => connection.close()],
] as const;

/** A slow client gets everything that was sent before the end of the connection. */
function losesNothing([name, end]: (typeof ENDS)[number]): Scenario<Lesson> {
  const what = `A slow client gets all that was sent before \`${name}\`, and then the Close.`;
  return {
    what,
    rules: [],
    async check(lesson) {
      const { line, connection } = onLine(lesson);
      line.hold();
      await sendAll(connection);
      end(connection);
      await turns(3);
      const isEarly = line.writableEnded;
      await takeSlowly(line);
      const everything = `${MESSAGES.length} messages, then a Close`;
      equal(() => cameOut(line), everything, what, {
        given: [
          ['sent', SENT],
          ['then', `\`${name}\`, and the client takes one write after the other`],
        ],
        label: 'went out',
        cause: () =>
          isEarly
            ? 'The socket was ended while output waited: end it when none is left.'
            : undefined,
      });
      line.destroy();
    },
  };
}

/** How many of the messages went out whole, in order, and what is behind them. */
function cameOut(line: Line): string {
  const spoken = spokenIn(writtenTo(line));
  const wrong = MESSAGES.findIndex(
    (message, i) => !spoken[i] || Buffer.compare(message, spoken[i].payload) !== 0,
  );
  const whole = wrong === -1 ? MESSAGES.length : wrong;
  const rest = spoken.slice(whole);
  const isClose = rest.length === 1 && rest[0]?.opcode === Close;
  const others = rest.length === 0 ? 'nothing' : count(rest.length, 'other frame');
  return `${count(whole, 'message')}, then ${isClose ? 'a Close' : others}`;
}

/** Deadlines that come when a client takes nothing more. */
const DEADLINES = [
  ['is silent', { pingIntervalMs: 20 }, () => {}],
  ['does not answer a Close', { closeTimeoutMs: 20 }, ENDS[1][1]],
] as const;

/** A client that takes nothing more is dropped, whatever waits for it. */
function dropsStuck([name, limits, act]: (typeof DEADLINES)[number]): Scenario<Lesson> {
  const what = `A client that ${name} is dropped, with 200 KB waiting for it.`;
  return {
    what,
    rules: [],
    waits: true,
    async check(lesson) {
      const { line, connection } = onLine(lesson, () => {}, limits);
      line.hold();
      // In one turn: the first deadline is near.
      for (const message of MESSAGES) connection.send(message);
      act(connection);
      const facts = (): Fact[] => [
        ['waiting', `${MESSAGES.length} messages, 200 KB`],
        ['limits', JSON.stringify(limits)],
        ['`ending` is', `${connection.ending}`],
        ['the socket', 'not destroyed'],
      ];
      await until(
        () => line.destroyed,
        what,
        facts,
        () =>
          connection.ending === 'destroy'
            ? '`destroy` waits for nothing: look at it first.'
            : undefined,
      );
    },
  };
}

export const SLOW_READERS: Scenarios = [
  ...ENDS.map(losesNothing),
  ...DEADLINES.map(dropsStuck),
  {
    what: 'While a client is behind, what waits stays in the core.',
    rules: [],
    async check(lesson) {
      const { line, connection } = onLine(lesson);
      line.hold();
      await sendAll(connection);
      const most =
        line.writableHighWaterMark + lesson.MAX_OUTPUT_BYTES + lesson.MAX_FRAGMENT_BYTES + 1000;
      const kept = line.writableLength;
      line.destroy();
      if (kept <= most) return;
      fail(
        'While a client is behind, what waits stays in the core.',
        [
          ['sent', SENT],
          ['in the socket', count(kept, 'byte')],
          ['expected', `${count(most, 'byte')} at most`],
        ],
        'What the socket has cannot be overtaken. Take output while it has room.',
      );
    },
  },
  {
    what: 'However much is sent to a client that is behind, listeners do not become more.',
    rules: [],
    async check(lesson) {
      const { line, connection } = onLine(lesson);
      line.hold();
      const before = listenersOf(line);
      await sendAll(connection);
      const after = listenersOf(line);
      line.destroy();
      if (after <= before + 2) return;
      fail('However much is sent to a client that is behind, listeners do not become more.', [
        ['sent', SENT],
        ['listeners before', `${before}`],
        ['listeners after', `${after}`],
        ['expected', `${before + 2} at most`],
      ]);
    },
  },
  {
    what: 'A client that takes what waits for it is there, though it is not read from.',
    rules: [],
    async check(lesson) {
      const { line, connection } = onLine(lesson);
      line.hold();
      for (const message of MESSAGES) connection.send(message);
      await turns(3);
      const before = connection.deadline ?? Number.NaN;
      // The clock has a fraction of a millisecond, but not every one has.
      await giveWay(2);
      line.takeOne();
      await turns(3);
      const later = (connection.deadline ?? Number.NaN) - before;
      line.destroy();
      const what = 'A client that takes what waits for it is there, though it is not read from.';
      equal(() => later > 0, true, what, {
        given: [
          ['waiting', `${MESSAGES.length} messages, 200 KB: the socket is paused`],
          ['then', 'the client reads a part of it, and the socket emits `drain`'],
          ['`deadline` moved', `by ${Math.round(later)} ms`],
        ],
        label: 'it moved',
        cause: () =>
          'Its Pongs cannot be heard while the socket is paused. At `drain`, call `heard`.',
      });
    },
  },
];

/** Step 8: clients that read slowly, or nothing any more, with much on its way to them. */
import { equal } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import { until } from '../../../shared/kit/peer.ts';
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
      const [whole, rest] = cameOut(line);
      equal(() => [whole, rest], [MESSAGES.length, [Close]], what, {
        given: [
          ['sent', SENT],
          ['then', `\`${name}\`, and the client takes one write after the other`],
          ['told', 'how many went out whole, in order; the opcodes behind them'],
        ],
        label: 'so it was',
        cause: () =>
          isEarly
            ? 'The socket was ended while output waited: end it when none is left.'
            : undefined,
      });
      line.destroy();
    },
  };
}

/** How many of the messages went out whole, in order, and the opcodes of what is behind them. */
function cameOut(line: Line): [whole: number, rest: number[]] {
  const spoken = spokenIn(writtenTo(line));
  const wrong = MESSAGES.findIndex(
    (message, i) => !spoken[i] || Buffer.compare(message, spoken[i].payload) !== 0,
  );
  const whole = wrong === -1 ? MESSAGES.length : wrong;
  return [whole, spoken.slice(whole).map(({ opcode }) => opcode)];
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
      const isLittle = () => line.writableLength <= most;
      equal(isLittle, true, 'While a client is behind, what waits stays in the core.', {
        given: [
          ['sent', SENT],
          ['in the socket', `${line.writableLength} bytes`],
        ],
        label: 'so much is fine',
        cause: () => 'What the socket has cannot be overtaken. Take output while it has room.',
      });
      line.destroy();
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
      const more = () => listenersOf(line) - before;
      const isFew = () => more() <= 2;
      const what = 'However much is sent to a client that is behind, listeners do not become more.';
      equal(isFew, true, what, {
        given: [
          ['sent', SENT],
          ['listeners', `${before} before, ${before + more()} after`],
        ],
        label: 'so many are fine',
      });
      line.destroy();
    },
  },
];

/** Step 8: when who somebody is comes to its end. */
import { attempt, equal, fail } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { fromClient } from '../../../shared/kit/frames.ts';
import { isForgotten } from '../../../shared/kit/memory.ts';
import { giveWay } from '../../../shared/kit/patience.ts';
import { until } from '../../../shared/kit/peer.ts';
import { Timers } from '../../../shared/kit/timers.ts';
import type { GateOptions } from '../../../solutions/09-production/production.ts';
import { Close, NORMAL } from '../05-server/core.ts';
import { settles, turns } from '../05-server/sockets.ts';
import type { Lesson, Scenarios } from './tools.ts';
import { type Asking, atGate, expectIdle, OPEN, SELDOM, Visitor } from './visitors.ts';

const OUTLIVED =
  'A login that has ended on paper goes on in every socket, unless somebody closes it.';

/** A way in which a client comes and goes. */
interface Way {
  readonly name: string;
  readonly asking?: Asking;
  readonly options?: Partial<GateOptions>;
  readonly goes: (visitor: Visitor) => void | Promise<void>;
  /** Why its socket may still be open. Absent: `SEEN`. */
  readonly why?: string;
}

const SEEN =
  'Read on until a client has gone: the end of a socket that nobody reads is never seen.';
const TIMERS =
  'A timer that is left keeps the socket, and the process. Clear that of the login when it is over, in whatever way, and every other when the socket closes.';
const KEPT = 'A field of the gate, or a listener, still refers to the socket.';
const LIST = 'At the `close` of a connection, take it out of `connections`.';
const REFUSED_LATE =
  '`authenticate` never answers here. When `loginTimeoutMs` is over, that is a refusal like any other: end the socket with a 503, and read on until the client has gone.';

const HOUR_MS = 3_600_000;
const inAnHour: GateOptions['authenticate'] = async () => ({
  user: 'anna',
  until: performance.now() + HOUR_MS,
});
const slowly: GateOptions['authenticate'] = async () => {
  await turns(3);
  return undefined;
};
const never: GateOptions['authenticate'] = () => new Promise(() => {});

const WAYS: readonly Way[] = [
  {
    name: 'it closes',
    goes: (visitor) => {
      visitor.send(fromClient(Close, NORMAL));
      visitor.leave();
    },
  },
  { name: 'it resets', goes: (visitor) => visitor.reset() },
  {
    name: 'it says too much, and resets while its socket is paused',
    options: { messages: { burst: 2, perSecond: SELDOM } },
    goes: async (visitor) => {
      visitor.say('a', 'b', 'c', 'd');
      await turns(3);
      visitor.reset();
    },
  },
  {
    name: 'it is refused, and ends TCP',
    asking: { target: '/' },
    goes: (visitor) => visitor.leave(),
  },
  {
    name: 'it is refused, and resets',
    asking: { target: '/' },
    goes: (visitor) => visitor.reset(),
  },
  {
    name: 'it resets while it is looked up, and is unknown',
    options: { authenticate: slowly },
    goes: (visitor) => visitor.reset(),
  },
  {
    name: 'it is looked up for too long, and ends TCP',
    options: { authenticate: never, loginTimeoutMs: 20 },
    goes: async (visitor) => {
      await settles(() => visitor.status !== '');
      visitor.leave();
    },
    why: REFUSED_LATE,
  },
];

/** Not written where a socket is at hand: a function keeps what is around it. */
const ignore = () => {};

/** How long things last when a client goes in this way: a timer that is left shows what it is for. */
function lasting({ options }: Way): Fact[] {
  const login: Fact = ['a login', `lasts ${HOUR_MS} ms`];
  return [
    ['`loginTimeoutMs`', `${{ ...OPEN, ...options }.loginTimeoutMs}`],
    ...(options?.authenticate ? [] : [login]),
  ];
}

/** Lets a client come and go. Returns what is left of it, and nothing that keeps its socket. */
async function comeAndGo(lesson: Lesson, way: Way) {
  const gate = new lesson.Gate(ignore, { ...OPEN, authenticate: inAnHour, ...way.options });
  const timers = new Timers();
  const visitor = timers.run(() => new Visitor(gate, way.asking));
  // Whoever resets while it is looked up goes at once.
  if (way.options?.loginTimeoutMs === undefined && !way.name.includes('looked up')) await turns(5);
  await timers.run(() => way.goes(visitor));
  await settles(() => visitor.line.closed);
  await turns(5);
  const isClosed = visitor.line.closed;
  for (let i = 0; i < 10 && (await timers.count()) > 0; i++) await giveWay(2);
  const left = await timers.describe();
  timers.stop();
  const { size } = gate.connections;
  return { way, gate, left, size, isClosed, line: new WeakRef(visitor.line) };
}

/** Checks that no timers come and go for a login that ends so many milliseconds later, or never. */
async function costsNothing(lesson: Lesson, ms: number | undefined): Promise<void> {
  const login = { user: 'anna', ...(ms !== undefined && { until: performance.now() + ms }) };
  await atGate(lesson, { authenticate: async () => login }, async (entrance) => {
    const what = 'A login that does not end soon costs nothing meanwhile.';
    const until = ms === undefined ? 'absent' : `${ms} ms after the login`;
    await expectIdle(() => entrance.open(), what, [['`until`', until]]);
  });
}

export const LOGGING_OUT: Scenarios = [
  {
    what: 'A gate knows its connections, and whose they are.',
    rules: [],
    check: (lesson) =>
      atGate(lesson, {}, async (entrance) => {
        const names = () => [...entrance.gate.connections.values()].map(({ user }) => user);
        const what = 'A gate knows its connections, and whose they are.';
        equal(names, [], what, { given: [['came', 'nobody']], label: 'users' });
        const anna = await entrance.open();
        await entrance.open({ target: '/?ticket=bert' });
        equal(names, ['anna', 'bert'], what, { given: [['came', 'anna, bert']], label: 'users' });
        const known = () => entrance.gate.connections.has(entrance.heard[0]?.connection as never);
        equal(known, true, 'They are those that the application hears of.', {
          label: 'is it there?',
          inWords: true,
        });
        anna.send(fromClient(Close, NORMAL));
        anna.leave();
        await settles(() => entrance.gate.connections.size === 1);
        const left: Fact[] = [
          ['came', 'anna, bert'],
          ['left', 'anna'],
        ];
        equal(names, ['bert'], what, { given: left, label: 'users' });
      }),
  },
  {
    what: 'Who logs out is closed with 4401, on every connection.',
    rules: [195],
    check: (lesson) =>
      atGate(lesson, {}, async (entrance) => {
        const users = ['anna', 'bert', 'anna', 'ann', 'anna2'];
        const visitors: Visitor[] = [];
        for (const user of users)
          visitors.push(await entrance.open({ target: `/?ticket=${user}` }));
        attempt(() => entrance.gate.logOut('anna'), 'Log a user out.');
        await turns(3);
        const closed = () => visitors.map(({ closedWith }) => closedWith);
        const expected = users.map((user) => (user === 'anna' ? 'a Close with 4401' : 'nothing'));
        equal(closed, expected, 'Who logs out is closed with 4401, and nobody else.', {
          given: [
            ['the users', users.join(', ')],
            ['the call', "logOut('anna')"],
          ],
          label: 'the server sent',
          inWords: true,
        });
        attempt(() => entrance.gate.logOut('nobody'), 'Somebody logs out who is not here.');
      }),
  },
  {
    what: 'When a login ends, its connection is closed with 4401.',
    rules: [],
    waits: true,
    async check(lesson) {
      const what = 'When a login ends, its connection is closed with 4401.';
      const authenticate: GateOptions['authenticate'] = async ({ value }) => ({
        user: value,
        ...(value !== 'for-ever' && {
          until: performance.now() + (value === 'soon' ? 40 : 3_600_000),
        }),
      });
      await atGate(lesson, { authenticate }, async (entrance) => {
        const later = await entrance.open({ target: '/?ticket=later' });
        const forEver = await entrance.open({ target: '/?ticket=for-ever' });
        const startedAt = performance.now();
        const soon = await entrance.open({ target: '/?ticket=soon' });
        await turns(1);
        const given: Fact[] = [
          ['`until`', '40 ms after the login, on the clock of performance.now()'],
        ];
        if (performance.now() - startedAt < 40)
          equal(() => soon.closedWith, 'nothing', 'Until then, it stays open.', {
            given,
            label: 'sent',
            inWords: true,
          });
        await until(
          () => soon.closedWith !== 'nothing',
          what,
          () => given,
          OUTLIVED,
        );
        equal(() => soon.closedWith, 'a Close with 4401', what, {
          given,
          label: 'sent',
          inWords: true,
        });
        equal(
          () => [later.closedWith, forEver.closedWith],
          ['nothing', 'nothing'],
          'Others stay.',
          {
            given: [['`until`', 'in an hour, and absent']],
            label: 'sent',
            inWords: true,
          },
        );
      });
    },
  },
  {
    what: 'A login that ends in a month does not end at once.',
    rules: [],
    waits: true,
    async check(lesson) {
      for (const ms of [2 ** 31, 2 ** 32 + 10, Number.POSITIVE_INFINITY]) {
        const authenticate = async () => ({ user: 'anna', until: performance.now() + ms });
        await atGate(lesson, { authenticate }, async (entrance) => {
          const visitor = await entrance.open();
          await giveWay(20);
          const what = 'A login that ends in a month does not end at once.';
          equal(() => visitor.closedWith, 'nothing', what, {
            given: [['`until`', `${ms} ms after the login`]],
            label: 'the server sent',
            inWords: true,
            cause: () => 'Beyond 2³¹ − 1 ms, a timer of Node fires at once.',
          });
        });
      }
    },
  },
  {
    what: 'A login that does not end soon costs nothing meanwhile.',
    rules: [],
    waits: true,
    async check(lesson) {
      for (const ms of [undefined, 2 ** 31, Number.POSITIVE_INFINITY]) {
        await costsNothing(lesson, ms);
      }
    },
  },
  {
    what: 'However a client goes, nothing of it stays.',
    rules: [],
    waits: true,
    async check(lesson) {
      const gone = await Promise.all(WAYS.map((way) => comeAndGo(lesson, way)));
      for (const { way, gate, left, size, isClosed, line } of gone) {
        const given: Fact[] = [['a client', `goes: ${way.name}`]];
        const expect = (
          actual: unknown,
          expected: unknown,
          what: string,
          label: string,
          why: string,
        ) => equal(() => actual, expected, what, { given, label, cause: () => why });
        const closed = 'The socket of a client that goes is closed.';
        expect(isClosed, true, closed, 'it is closed', way.why ?? SEEN);
        equal(() => left, 'none', 'When a client is gone, no timer of it is left.', {
          given: [...given, ...lasting(way)],
          label: 'timers left',
          inWords: true,
          cause: () => TIMERS,
        });
        const forgotten = 'When a client is gone, its connection is forgotten.';
        expect(size, 0, forgotten, 'connections', LIST);
        if (!(await isForgotten(line)))
          fail(
            'Nothing keeps the socket of a client that is gone.',
            [...given, ['its memory', `is still kept, with ${gate.connections.size} connections`]],
            KEPT,
          );
      }
    },
  },
];

/** Step 10: however a client goes, nothing of it stays. */
import { equal, fail } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { fromClient, fromServer } from '../../../shared/kit/frames.ts';
import { isForgotten } from '../../../shared/kit/memory.ts';
import { giveWay } from '../../../shared/kit/patience.ts';
import { request } from '../../../shared/kit/peer.ts';
import { Timers } from '../../../shared/kit/timers.ts';
import type * as Server from '../../../solutions/05-server/server.ts';
import { Close, type Event, type Lesson, NORMAL, type Scenarios, Text } from './core.ts';
import { acceptLine, type Line, quietly, settles, turns } from './sockets.ts';

/** A way in which a client goes. */
interface Way {
  readonly name: string;
  /** What arrives first: the sample request, if nothing else is said. */
  readonly asks?: Uint8Array;
  readonly options?: Server.Options;
  /** The event at which the application throws. */
  readonly bug?: Event['type'];
  /** What happens before the socket is gone. */
  readonly happens?: (line: Line, server: Server.WebSocketServer) => void;
  /** Whether it is the server that drops the socket. */
  readonly isDropped?: boolean;
}

const PART = request().subarray(0, 20);
const REFUSED = request('/', 'Sec-WebSocket-Version: 12');
const says = (bytes: Uint8Array) => (line: Line) => line.emit('data', bytes);
const closeAll = (_: Line, { connections }: Server.WebSocketServer) => {
  for (const connection of connections) connection.close();
};

/** No timer comes to its end in a scenario, unless a way says so. */
const SLOW = { headTimeoutMs: 600_000, pingIntervalMs: 600_000, closeTimeoutMs: 300_000 };

const WAYS: readonly Way[] = [
  { name: 'it resets in the middle of its request', asks: PART },
  { name: 'it is refused, and resets', asks: REFUSED },
  {
    name: 'its request takes too long',
    asks: PART,
    options: { headTimeoutMs: 20, closeTimeoutMs: 20 },
    isDropped: true,
  },
  {
    name: 'it ends TCP in the middle of its request, and then nothing comes',
    asks: PART,
    options: { headTimeoutMs: 20, closeTimeoutMs: 20 },
    happens: (line) => line.push(null),
    isDropped: true,
  },
  {
    name: 'it is refused, and stays',
    asks: REFUSED,
    options: { closeTimeoutMs: 20 },
    isDropped: true,
  },
  {
    name: 'it is refused, says more, and ends TCP',
    asks: REFUSED,
    happens: (line) => {
      line.push(PART);
      line.push(null);
    },
    isDropped: true,
  },
  { name: 'it resets' },
  { name: 'it ends TCP', happens: (line) => line.push(null), isDropped: true },
  {
    name: 'it closes, and ends TCP',
    happens: (line) => {
      line.push(fromClient(Close, NORMAL));
      line.push(null);
    },
    isDropped: true,
  },
  {
    name: 'it closes, and stays',
    happens: says(fromClient(Close, NORMAL)),
    options: { closeTimeoutMs: 20 },
    isDropped: true,
  },
  {
    name: 'it does not answer our Close',
    happens: closeAll,
    options: { closeTimeoutMs: 20 },
    isDropped: true,
  },
  { name: 'it is silent', options: { pingIntervalMs: 20 }, isDropped: true },
  { name: 'it breaks a rule, and resets', happens: says(fromServer(Text, 'not masked')) },
  {
    name: 'the application throws at a text, and it resets',
    bug: 'text',
    happens: says(fromClient(Text, 'Hello')),
  },
  { name: 'the application throws at `close`', bug: 'close' },
];

const SHUT_DOWN: Way = {
  name: 'the server is shut down, and it resets',
  happens: (_, server) => void server.shutdown(),
};

/** A server whose application remembers what it hears. */
function listening({ WebSocketServer }: Lesson, { bug, options }: Way) {
  const events: Event['type'][] = [];
  const handle: Server.Handler = (_, { type }) => {
    events.push(type);
    if (type === bug) throw new Error(`a bug in the handler of \`${type}\``);
  };
  return { events, server: new WebSocketServer(handle, { ...SLOW, ...options }) };
}

/** Lets a client come and go. Returns what is left of it, and nothing that keeps its socket. */
async function comeAndGo(lesson: Lesson, way: Way) {
  const { server, events } = listening(lesson, way);
  const timers = new Timers();
  const line = timers.run(() => acceptLine(server, way.asks ?? request()));
  // A part of a request has a short time, which a busy machine would let go by.
  if (way.asks !== PART) await turns(2);
  timers.run(() => way.happens?.(line, server));
  await turns(2);
  if (way.isDropped) await settles(() => line.destroyed);
  const isDropped = line.destroyed;
  const cameBack = statusLineOf(line);
  // What an application throws at `close` comes here, and not out of the socket.
  timers.run(() => quietly(() => line.emit('close')));
  line.removeAllListeners('close').destroy();
  let left = await timers.count();
  for (let i = 0; i < 10 && left > 0; i++, left = await timers.count()) await giveWay(2);
  timers.stop();
  return { way, server, events, isDropped, cameBack, timers: left, line: new WeakRef(line) };
}

/** The status line that has been written to a line. Empty: nothing has. */
function statusLineOf({ written }: Line): string {
  return Buffer.from(written).toString('latin1').split('\r\n', 1)[0] ?? '';
}

type Gone = Awaited<ReturnType<typeof comeAndGo>>;

/** Why a client that never had a connection is still there, although a time of the options is over. */
function whyNotDropped({ way: { options }, events, cameBack }: Gone): string | undefined {
  if (events.length > 0) return undefined;
  if (cameBack === '' && options?.headTimeoutMs !== undefined)
    return 'After `headTimeoutMs`, a request that has not ended gets a response of 408.';
  return cameBack !== '' && options?.closeTimeoutMs !== undefined
    ? 'After a refusal, destroy the socket when `closeTimeoutMs` is over.'
    : undefined;
}

async function expectNothingLeft(gone: Gone) {
  const { way, server, events, isDropped, cameBack, timers, line } = gone;
  const given: Fact[] = [
    ['a client', `goes: ${way.name}`],
    ...(way.options ? [['options', JSON.stringify(way.options)] as const] : []),
    ['came back', cameBack || 'nothing'],
    ['the events', events.join(', ') || 'none'],
  ];
  const expect = (call: () => unknown, expected: unknown, what: string, label: string) =>
    equal(call, expected, what, { given, label });
  if (way.isDropped)
    equal(() => isDropped, true, 'Such a client is dropped.', {
      given,
      label: 'the socket is destroyed',
      cause: () => whyNotDropped(gone),
    });
  const isOpened = events.length > 0;
  const ends = events.filter((type) => type === 'close').length;
  expect(() => ends, isOpened ? 1 : 0, 'The end is told once.', '`close` events');
  if (isOpened)
    expect(() => events.at(-1), 'close', 'The last event is `close`.', 'the last event');
  const size = () => (server.connections as Set<unknown>).size;
  expect(size, 0, 'A client that is gone is forgotten.', 'connections');
  expect(() => timers, 0, 'When a client is gone, no timer of it is left.', 'timers left');
  if (await isForgotten(line)) return;
  const cause = 'At its end, stop its timers, and take it out of every list.';
  fail(
    'Nothing keeps the socket of a client that is gone.',
    [...given, ['its memory', 'is still kept']],
    cause,
  );
}

/** Lets a client go in each of these ways, all at once, and looks for what is left. */
async function leaveNothing(lesson: Lesson, ways: readonly Way[]): Promise<void> {
  const gone = await Promise.all(ways.map((way) => comeAndGo(lesson, way)));
  const failures = await Promise.allSettled(gone.map(expectNothingLeft));
  for (const failure of failures) if (failure.status === 'rejected') throw failure.reason;
}

/** Step 11: the same, when the server is shut down. */
export const LEAVING_AT_SHUTDOWN: Scenarios = [
  {
    what: 'When the server is shut down, nothing stays of a client that resets.',
    rules: [132],
    check: (lesson) => leaveNothing(lesson, [SHUT_DOWN]),
  },
];

export const LEAVING: Scenarios = [
  {
    what: 'However a client goes, nothing of it stays.',
    rules: [132],
    check: (lesson) => leaveNothing(lesson, WAYS),
  },
  {
    what: 'The listeners of a request are taken off when it has been read.',
    rules: [],
    check({ WebSocketServer }) {
      const line = acceptLine(new WebSocketServer(() => {}), request());
      equal(
        () => line.listenerCount('data'),
        1,
        'The listeners of a request are taken off when it has been read.',
        {
          label: 'listeners of `data`',
          cause: (count) =>
            Number(count) > 1
              ? 'Take off the one that collects the request: it goes on collecting.'
              : undefined,
        },
      );
      line.destroy();
    },
  },
];

/** What the scenarios of connections on sockets are written with. */
import { createServer, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { attempt, equal, fail } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import { join } from '../../../shared/kit/frames.ts';
import { isForgotten } from '../../../shared/kit/memory.ts';
import { giveWay } from '../../../shared/kit/patience.ts';
import { Listener, type Peer, request, until } from '../../../shared/kit/peer.ts';
import type * as Server from '../../../solutions/05-server/server.ts';
import { type Connection, type Event, type Lesson, NOTHING, nameOf, spokenIn } from './core.ts';

/** Limits that the end of a scenario comes before, however slow the machine is. */
export const PATIENT = { closeTimeoutMs: 600_000, pingIntervalMs: 600_000 };

export const CLEANLY =
  'Ending a socket at once, with bytes in it that nobody has read, resets it: the Close may get lost.';

/** An application that remembers its events, echoes messages, and then does what it is told. */
export function application(react: Server.Handler = () => {}) {
  const events: Event[] = [];
  let last: Connection | undefined;
  return {
    events,
    types: () => events.map(({ type }) => type),
    /** How often an event has come. */
    count: (type: Event['type']) => events.filter((event) => event.type === type).length,
    /** The connection that the last event was of. */
    get connection() {
      return last as Connection;
    },
    handle: (connection: Connection, event: Event) => {
      last = connection;
      events.push(event);
      if (event.type === 'text' || event.type === 'binary') connection.send(event.data);
      react(connection, event);
    },
  };
}

export type Application = ReturnType<typeof application>;

/** Handles events like an application with a bug in its handler of one of them. */
export function throwAt(type: Event['type']): Server.Handler {
  return (_, event) => {
    if (event.type === type) throw new Error(`a bug in the handler of \`${type}\``);
  };
}

/** Calls something whose error is looked at in another scenario. */
export function quietly(call: () => void): void {
  try {
    call();
  } catch {
    // Whether it throws does not matter here.
  }
}

/** Waits for the event that ends a connection, and checks it. */
export async function closes(
  { app, socket }: Pick<Attached, 'app' | 'socket'>,
  expected: Partial<Event>,
  what: string,
) {
  await until(
    () => app.types().includes('close'),
    what,
    () => [
      ['the socket', socket.closed ? 'is closed' : 'is there'],
      ['the last events', app.types().slice(-3).join(', ')],
    ],
    () =>
      socket.closed
        ? 'At `close` of the socket, call `disconnect`; the event comes out of `next`.'
        : undefined,
  );
  equal(() => app.events.at(-1), expected, what, { label: 'the last event' });
}

/** A connection that is attached to one end of a pair of sockets. */
export interface Attached {
  /** The other end, which has read the response of the handshake. */
  readonly client: Peer;
  readonly socket: Socket;
  readonly connection: Connection;
  readonly app: Application;
}

/** How a connection is attached, where that matters. */
export interface Attaching {
  readonly limits?: Partial<Server.Limits>;
  /** Frames that come together with the request. */
  readonly rest?: Uint8Array;
  /** What the application does besides echoing. */
  readonly react?: Server.Handler;
}

/** Runs a check over a connection on a real socket. */
export function onSocket(
  lesson: Lesson,
  check: (attached: Attached) => Promise<void>,
  { limits = {}, rest = NOTHING, react }: Attaching = {},
): Promise<void> {
  const ignore = () => {};
  return Listener.run(createServer(), 'connection', ignore, async (listener) => {
    const [socket, client] = await listener.pair();
    const app = application(react);
    const opening = accepted(lesson, rest);
    const connection = attempt(
      () => lesson.attach(socket, opening, app.handle, { ...lesson.LIMITS, ...PATIENT, ...limits }),
      'Attach a connection.',
    );
    // Before any client resets its connection: that would end the checks, too.
    expectListener(socket);
    const [status = ''] = (await client.head('The response of the handshake is sent.')).split(
      '\r\n',
    );
    equal(() => status.slice(9, 12), '101', 'The response of the handshake comes first.', {
      label: 'status',
    });
    await check({ client, socket, connection, app });
  });
}

/** Opens with the sample request, and these frames behind it. */
export function accepted(
  { openingHandshake }: Lesson,
  rest: Uint8Array = NOTHING,
): Server.Accepted {
  const opening = openingHandshake(join(request(), rest));
  if (!opening?.accepted) return fail('The sample request is accepted.');
  return opening;
}

/** Runs a check with a server of the lesson on a listening socket. Its application echoes. */
export async function withServer(
  { WebSocketServer }: Lesson,
  check: (listener: Listener, server: Server.WebSocketServer, app: Application) => Promise<void>,
  options: Server.Options = {},
): Promise<void> {
  const app = application();
  const server = attempt(
    () => new WebSocketServer(app.handle, { ...PATIENT, ...options }),
    'Make a server.',
  );
  await Listener.run(
    createServer(),
    'connection',
    (socket) => server.accept(socket),
    (listener) => check(listener, server, app),
  );
}

/** Connects clients to a server, and opens a WebSocket with each. */
export async function openAll(listener: Listener, count: number): Promise<Peer[]> {
  const clients: Peer[] = [];
  for (let i = 0; i < count; i++) {
    const client = await listener.connect();
    await client.open();
    clients.push(client);
  }
  return clients;
}

/** Waits until a server has so many connections. `tooMany` is why it may have more. */
export function counts(
  { connections }: Server.WebSocketServer,
  expected: number,
  what: string,
  tooMany?: string,
): Promise<void> {
  const size = () => (connections as Set<unknown>).size;
  return until(
    () => size() === expected,
    what,
    () => [
      ['connections', `${size()}`],
      ['expected', `${expected}`],
    ],
    () => {
      if (size() > expected) return tooMany;
      if (size() === 0) return 'Add a connection at its `open` event.';
      return 'All of them have sent the same key, from the same address. What tells them apart?';
    },
  );
}

/** Waits until a server has forgotten who is gone. */
export function countsLeft(server: Server.WebSocketServer, left: number): Promise<void> {
  const cause = 'Take a connection out at its `close` event.';
  return counts(server, left, 'A client that is gone is forgotten.', cause);
}

/** Checks that a refusal has a body. */
export function expectReason(head: string): void {
  const length = Number(/content-length: *(\d+)/i.exec(head)?.[1]);
  if (length > 1) return;
  fail('A refusal says why, in its body.', [['the response', head]], 'The error needs a message.');
}

/** A socket whose other end is the scenario: for what can only be seen at the socket itself. */
export class Line extends Duplex {
  /** What `setNoDelay` was called with, if it was. */
  noDelay: boolean | undefined;
  /** What has been written to it, write by write. */
  #writes: Uint8Array[] = [];

  /** Does the other end read nothing? */
  #isHeld = false;
  /** Called when the other end reads on. */
  #whenTaken = () => {};

  /** Has room for as much on every Node: their defaults differ. In bytes. */
  constructor(highWaterMark = 4 * 1024) {
    super({ highWaterMark });
    // A scenario counts listeners that pile up. The warning of Node would only be printed beside it.
    this.setMaxListeners(0);
  }

  /** What has been written to it. */
  get written(): Uint8Array {
    if (this.#writes.length > 1) this.#writes = [join(...this.#writes)];
    return this.#writes[0] ?? NOTHING;
  }

  /** The other end reads nothing more. */
  hold(): void {
    this.#isHeld = true;
  }

  /** The other end reads on. */
  release(): void {
    this.#isHeld = false;
    this.takeOne();
  }

  /** The other end reads what has been written first, and no more. */
  takeOne(): void {
    const whenTaken = this.#whenTaken;
    this.#whenTaken = () => {};
    whenTaken();
  }

  override _read(): void {}
  override _write(chunk: Uint8Array, _encoding: string, done: () => void): void {
    this.#writes.push(new Uint8Array(chunk));
    if (this.#isHeld) this.#whenTaken = done;
    else done();
  }
  override _final(done: () => void): void {
    setImmediate(done);
  }
  setNoDelay(value: boolean): this {
    this.noDelay = value;
    return this;
  }
}

/** Attaches a connection to a new line. */
export function onLine(
  lesson: Lesson,
  handle: Server.Handler = () => {},
  limits: Partial<Server.Limits> = {},
) {
  const line = new Line();
  const opening = accepted(lesson);
  const attach = () =>
    lesson.attach(line, opening, handle, { ...lesson.LIMITS, ...PATIENT, ...limits });
  const connection = attempt(attach, 'Attach a connection.');
  expectListener(line);
  return { line, connection };
}

/** How many listeners a line has. */
export const listenersOf = (line: Line) =>
  line.eventNames().reduce((sum, name) => sum + line.listenerCount(name), 0);

/**
 * Checks that the times that nobody has set are the usual ones: by how much nearer the deadline
 * comes when an open connection is closed.
 */
export function expectUsualTimes({ LIMITS }: Lesson, connection: Connection, close: () => void) {
  const before = connection.deadline ?? Number.NaN;
  close();
  const nearer = before - (connection.deadline ?? Number.NaN);
  const usual = LIMITS.pingIntervalMs - LIMITS.closeTimeoutMs;
  // On a busy machine, a second may go by meanwhile.
  equal(() => Math.abs(nearer - usual) < 5000, true, 'Without limits, the usual ones apply.', {
    given: [
      ['by `close()`, the deadline came nearer', `by ${Math.round(nearer)} ms`],
      ['expected', `about ${usual} ms: \`pingIntervalMs\` less \`closeTimeoutMs\` of LIMITS`],
    ],
    label: 'so it was',
  });
}

/** What has been written to a line behind the response of the handshake. */
export function writtenTo(line: Line): Uint8Array {
  return line.written.subarray(Buffer.from(line.written).indexOf('\r\n\r\n') + 4);
}

/** Lets so many turns of the event loop go by. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await nextTurn();
}

/** Waits until something is so, or for half a second: what is not so then is told by a check. */
export async function settles(isSettled: () => boolean): Promise<void> {
  for (let turn = 0; turn < 250 && !isSettled(); turn++) await giveWay(turn < 5 ? 0 : 2);
}

/** An application with a bug in its handler of one event, which hears on what becomes of it. */
export function buggy(type: Event['type'], react: Server.Handler = () => {}) {
  const bug = new Error(`a bug in the handler of \`${type}\``);
  const events: Event[] = [];
  const handle: Server.Handler = (connection, event) => {
    events.push(event);
    react(connection, event);
    if (event.type === type) throw bug;
  };
  return { bug, events, handle };
}

/** Checks that the last thing that went out on a line is a Close with this code. */
export function expectCode(line: Line, code: number, what: string, given: readonly Fact[]): void {
  const last = () => nameOf(spokenIn(writtenTo(line)).at(-1));
  equal(last, `a Close with ${code}`, what, { given, label: 'the last frame' });
}

/** Checks that a bug in a handler has failed its connection, and that the application heard so. */
export function expectFailed(line: Line, { bug, events }: ReturnType<typeof buggy>): void {
  const given: Fact[] = [
    ['thrown', show(bug)],
    ['the events', events.map(({ type }) => type).join(', ')],
  ];
  const told = () => events.flatMap((event) => (event.type === 'error' ? [event.error] : []));
  equal(() => told().length, 1, 'The application hears of its own error, by an `error` event.', {
    given,
    label: '`error` events',
    cause: (count) => (count === 0 ? 'Fail the connection with it: `fail` tells both.' : undefined),
  });
  equal(() => told()[0] === bug, true, 'The `error` event has the error that was thrown.', {
    given,
    label: 'it is the same',
  });
  expectCode(line, 1011, 'An error of the application is 1011 for the client.', given);
  equal(
    () => line.writableEnded,
    true,
    'After an error of the application, the server ends its side.',
    {
      given,
      label: 'the socket was ended',
    },
  );
}

/** Lets a server accept a new line, on which these bytes have arrived. */
export function acceptLine(server: Server.WebSocketServer, bytes: Uint8Array): Line {
  const line = new Line();
  attempt(() => server.accept(line as unknown as Socket), 'Accept a socket.');
  line.emit('data', bytes);
  return line;
}

/** Checks that a reset of a socket would not end the process. */
export function expectListener(line: Duplex): void {
  if (line.listenerCount('error') > 0) return;
  const cause = 'In Node, an `error` event that nobody listens to ends the process.';
  fail(
    'Listen for the `error` of a socket from the start.',
    [['a reset', 'ends the server']],
    cause,
  );
}

/** Waits for the response to a request that came on a line, and checks its status: `cause` is why it is, or is not, 101. */
export async function expectStatus(
  line: Line,
  status: string,
  what: string,
  calls: string,
  cause: string,
): Promise<void> {
  await until(() => line.written.length > 0, what);
  const answer = Buffer.from(line.written).toString('latin1');
  equal(() => answer.slice(9, 12), status, what, {
    given: [['the calls', calls]],
    label: 'status',
    cause: (actual) => ([actual, status].includes('101') ? cause : undefined),
  });
}

/** Checks that nothing keeps a socket that is gone. */
export async function expectForgotten(line: WeakRef<Line>, what: string, cause: string) {
  if (!(await isForgotten(line))) fail(what, [['its memory', 'is still kept']], cause);
}

/** Counts the calls of a method from now on. */
export function countCalls<T extends object>(object: T, name: keyof T): () => number {
  let count = 0;
  const method = object[name] as (...args: unknown[]) => unknown;
  const counting = (...args: unknown[]) => {
    count++;
    return method.apply(object, args);
  };
  Object.defineProperty(object, name, { value: counting, configurable: true, writable: true });
  return () => count;
}

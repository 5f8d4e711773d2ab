/** What the scenarios of a connection without a socket are written with. */
import { attempt, equal, fail, throws } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import { callsOf, clockOf, recorded } from '../../../shared/kit/calls.ts';
import { clock } from '../../../shared/kit/clock.ts';
import { closeBody, join, splitFrames } from '../../../shared/kit/frames.ts';
import { Opcode } from '../../../shared/protocol.ts';
import { count } from '../../../shared/view/count.ts';
import type * as Server from '../../../solutions/05-server/server.ts';

export type Lesson = typeof Server;
export type Connection = Server.Connection;
export type Event = Server.ConnectionEvent;
export type Scenarios = readonly Scenario<Lesson>[];

export const { Binary, Close, Continuation, Ping, Pong, Text } = Opcode;
export const NOTHING = new Uint8Array(0);

/** Joins the fragments of what a server sends: its messages and control frames, in order. */
export function spokenIn(bytes: Uint8Array): { opcode: number; payload: Uint8Array }[] {
  const spoken: { opcode: number; payload: Uint8Array }[] = [];
  for (const { opcode, payload } of splitFrames(bytes).frames) {
    const begun = spoken.findLast((one) => one.opcode < Close);
    if (opcode !== Continuation || !begun) spoken.push({ opcode, payload });
    else begun.payload = join(begun.payload, payload);
  }
  return spoken;
}

const NAMES: Readonly<Record<number, string>> = {
  [Continuation]: 'a continuation',
  [Text]: 'a Text',
  [Binary]: 'a Binary',
  [Ping]: 'a Ping',
  [Pong]: 'a Pong',
};

/** Says what a frame is, such as `a Close with 1000`. */
export function nameOf(frame: { opcode: number; payload: Uint8Array } | undefined): string {
  if (!frame) return 'nothing';
  const { opcode, payload } = frame;
  if (opcode !== Close) {
    return `${NAMES[opcode] ?? `opcode ${opcode}`} of ${count(payload.length, 'byte')}`;
  }
  const [high, low] = payload;
  return low === undefined ? 'an empty Close' : `a Close with ${high! * 256 + low}`;
}

export const NORMAL = closeBody(1000);

/** The cause, where something goes wrong at 0 only. */
export const ZERO =
  'Is a number asked whether it is true? 0 is a time like any other. Ask whether it is `undefined`.';

export const SHARED =
  'What belongs to one connection is kept in its fields, not in the module, which is there once.';

/** Makes a connection that has been accepted. */
export function connect(
  { Connection, LIMITS }: Lesson,
  limits: Partial<Server.Limits> = {},
  now = clock().now,
  wake = () => {},
): Connection {
  const make = () => new Connection({ ...LIMITS, ...limits }, now, wake);
  return recorded(attempt(make, 'Make a connection.'), now);
}

/** Makes a connection that has received these bytes in one read. */
export function received(lesson: Lesson, ...frames: readonly Uint8Array[]): Connection {
  const connection = connect(lesson);
  connection.receive(join(...frames));
  return connection;
}

/** Answers every message with the same message, and returns the other events. */
export function echo(connection: Connection): Event[] {
  const others: Event[] = [];
  for (let event = connection.next(); event && others.length < 10; event = connection.next()) {
    if (event.type === 'text' || event.type === 'binary') connection.send(event.data);
    else others.push(event);
  }
  return others;
}

/** Takes all of the output, and returns what each call gave. */
export function takeAll(connection: Connection): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let piece = connection.takeOutput(); piece.length > 0; piece = connection.takeOutput()) {
    pieces.push(piece);
    if (pieces.length > 100) fail('`takeOutput` comes to an end.');
  }
  return pieces;
}

/** Pulls one event. */
export function pull(connection: Connection, what: string, given: readonly Fact[] = []) {
  const calls = callsOf(connection);
  return attempt(() => connection.next(), what, [...calls, ...given]) as Event | undefined;
}

/** Checks the event that comes next. */
export function expectNext(
  connection: Connection,
  expected: Partial<Event> | undefined,
  what: string,
  cause?: string | ((event: Event | undefined) => string | undefined),
  given: readonly Fact[] = [],
): void {
  const before = [...callsOf(connection), ...given];
  const event = pull(connection, what, given);
  if (event?.type === 'error' && expected?.type !== 'error') {
    before.push(['its error', show(event.error)]);
  }
  equal(() => event, expected, what, {
    given: before,
    label: '`next` gave',
    cause: () => (typeof cause === 'function' ? cause(event) : cause),
  });
}

/** Checks what goes out in one call of `takeOutput`. */
export function expectOutput(
  connection: Connection,
  expected: Uint8Array,
  what: string,
  cause?: string | ((output: Uint8Array) => string | undefined),
): void {
  equal(() => connection.takeOutput(), expected, what, {
    given: callsOf(connection),
    frames: true,
    label: 'went out',
    cause: (actual) => {
      if (!(actual instanceof Uint8Array)) return undefined;
      if (((actual[1] ?? 0) & 0x80) !== 0) return 'A server never masks.';
      return typeof cause === 'function' ? cause(actual) : cause;
    },
  });
}

/** Checks that one Ping goes out, with whatever payload. */
export function expectPing(connection: Connection, what: string, cause?: string): void {
  const given = callsOf(connection);
  const output = connection.takeOutput();
  const { frames, rest } = splitFrames(output);
  const opcodes = frames.map(({ opcode }) => opcode);
  if (rest.length === 0 && opcodes.length === 1 && opcodes[0] === Ping) return;
  const facts = [...given, ['went out', show(output)], ['expected', 'a Ping']] as const;
  fail(what, facts, output.length === 0 ? cause : undefined);
}

const BY_ACTION =
  'The closing handshake returns an action for that. Keep it in `ending`, for the shell.';

/** Checks what is to be done with the TCP connection. */
export function expectEnding(
  connection: Connection,
  expected: 'hangUp' | 'destroy' | undefined,
  what: string,
  cause: string | ((actual: unknown) => string | undefined) = BY_ACTION,
): void {
  equal(() => connection.ending, expected, what, {
    given: callsOf(connection),
    label: '`ending` is',
    cause: (actual) => {
      if (typeof cause === 'function') return cause(actual);
      return actual === undefined ? cause : undefined;
    },
  });
}

/** Checks when `checkTime` is to be called. */
export function expectDeadline(
  connection: Connection,
  expected: number | undefined,
  what: string,
  cause?: string,
): void {
  equal(() => connection.deadline, expected, what, {
    given: [...callsOf(connection), ...clockOf(connection)],
    label: '`deadline` is',
    cause: () => cause,
  });
}

/** Throws the error of an `error` event, to be checked. Throws `undefined` for any other event. */
export function raise(event: Event | undefined): never {
  throw event?.type === 'error' ? event.error : undefined;
}

/** Checks that the error of an event says something. */
export function expectExplained(event: Event | undefined): void {
  throws(Error, () => raise(event), 'An `error` event says what is wrong.');
}

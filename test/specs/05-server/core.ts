/** What the scenarios of a connection without a socket are written with. */
import { attempt, equal, fail, throws } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import { join, utf8, wire } from '../../../shared/kit/frames.ts';
import { Opcode } from '../../../shared/protocol.ts';
import type * as Server from '../../../solutions/05-server/server.ts';

export type Lesson = typeof Server;
export type Connection = Server.Connection;
export type Event = Server.ConnectionEvent;
export type Scenarios = readonly Scenario<Lesson>[];

export const { Binary, Close, Continuation, Ping, Pong, Text } = Opcode;
export const NOTHING = new Uint8Array(0);

/** Encodes a frame as a client sends it. */
export function fromClient(opcode: number, payload: string | Uint8Array = '', fin = true) {
  return wire({ opcode, payload, fin });
}

/** Encodes a frame as a server sends it. */
export function fromServer(opcode: number, payload: string | Uint8Array = '', fin = true) {
  return wire({ opcode, payload, fin, key: null });
}

/** Encodes a binary message as a server sends it, in fragments of so many bytes. */
export function fragments(data: Uint8Array, fragmentBytes: number): Uint8Array {
  const frames: Uint8Array[] = [];
  for (let at = 0; at < data.length; at += fragmentBytes) {
    const end = Math.min(at + fragmentBytes, data.length);
    const opcode = at === 0 ? Binary : Continuation;
    frames.push(fromServer(opcode, data.subarray(at, end), end === data.length));
  }
  return join(...frames);
}

/** Encodes the payload of a Close frame. */
export function closeBody(code: number, reason = ''): Uint8Array {
  return join(Uint8Array.of(code >> 8, code & 255), utf8(reason));
}

export const NORMAL = closeBody(1000);

export const SHARED =
  'What one client sent has to do with one connection only: keep it in fields, not in the module.';

/** A clock that the scenario sets. */
export function clock() {
  let ms = 1_000_000;
  return { now: () => ms, advance: (by: number) => (ms += by) };
}

/** Makes a connection that has been accepted. */
export function connect(
  { Connection, LIMITS }: Lesson,
  limits: Partial<Server.Limits> = {},
  now = clock().now,
  wake = () => {},
): Connection {
  return attempt(() => new Connection({ ...LIMITS, ...limits }, now, wake), 'Make a connection.');
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
  return attempt(() => connection.next(), what, given) as Event | undefined;
}

/** Checks the event that comes next. */
export function expectNext(
  connection: Connection,
  expected: Partial<Event> | undefined,
  what: string,
  cause?: string,
  given: readonly Fact[] = [],
): void {
  const event = pull(connection, what, given);
  equal(() => event, expected, what, { given, label: '`next` gave', cause: () => cause });
}

/** Checks what goes out in one call of `takeOutput`. */
export function expectOutput(
  connection: Connection,
  expected: Uint8Array,
  what: string,
  cause?: string,
): void {
  equal(() => connection.takeOutput(), expected, what, {
    frames: true,
    label: 'went out',
    cause: (actual) => {
      if (!(actual instanceof Uint8Array)) return undefined;
      if (actual.length === 0) return cause ?? 'Nothing went out.';
      if (((actual[1] ?? 0) & 0x80) !== 0) return 'A server never masks.';
      return cause;
    },
  });
}

/** Checks what is to be done with the TCP connection. */
export function expectEnding(
  connection: Connection,
  expected: 'hangUp' | 'destroy' | undefined,
  what: string,
  cause = 'The closing handshake returns an action for that. Keep it in `ending`, for the shell.',
): void {
  equal(() => connection.ending, expected, what, {
    label: '`ending` is',
    cause: (actual) => (actual === undefined ? cause : undefined),
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

/** What the scenarios of a connection without a socket are written with. */
import { createHash } from 'node:crypto';
import { attempt, equal, fail } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import { callsOf, clockOf, recorded } from '../../../shared/kit/calls.ts';
import { clock } from '../../../shared/kit/clock.ts';
import { closeBody, join, KEY, utf8, wire } from '../../../shared/kit/frames.ts';
import { withGiven } from '../../../shared/kit/given.ts';
import { GUID, Opcode } from '../../../shared/protocol.ts';
import { type DecodedFrame, decodeFrames } from '../../../shared/view/frame.ts';
import type * as Client from '../../../solutions/06-client/client.ts';
import type { Lesson } from './tools.ts';

export type Connection = Client.ClientConnection;
export type Event = Client.ClientEvent;

export const { Binary, Close, Continuation, Ping, Pong, Text } = Opcode;
export const NOTHING = new Uint8Array(0);

/** Where the connections of the scenarios lead. */
export const TARGET: Client.Target = {
  url: 'ws://example.com/chat',
  secure: false,
  host: 'example.com',
  port: 80,
  hostHeader: 'example.com',
  resource: '/chat',
};

export const NORMAL = closeBody(1000);

/** Random bytes as they are handed out: no four of them in a row appear twice. */
export function chance() {
  let handedOut = 0;
  const byteAt = (i: number) => (i % 4 === 0 ? i >> 2 : i % 4 === 1 ? i >> 10 : 0xa5 ^ (i % 4));
  return {
    random: (size: number) => {
      const from = handedOut;
      handedOut += size;
      return Uint8Array.from({ length: size }, (_, i) => byteAt(from + i) & 255);
    },
    /** Says where such bytes have been handed out. -1: nowhere. */
    find(bytes: Uint8Array): number {
      const all = Uint8Array.from({ length: handedOut }, (_, i) => byteAt(i) & 255);
      return Buffer.from(all).indexOf(bytes);
    },
  };
}

/** What a connection is made with, where a scenario wants something else. */
export interface Making {
  readonly options?: Client.ClientOptions;
  readonly now?: () => number;
  readonly wake?: () => void;
  readonly random?: (size: number) => Uint8Array;
}

/** What connections were made with. */
const optionsOf = new WeakMap<object, object>();

/** Makes a connection that has not sent anything yet. */
export function dial(lesson: Lesson, making: Making = {}): Connection {
  const { options = {}, now = clock().now, wake = () => {}, random = chance().random } = making;
  const make = () => new lesson.ClientConnection(TARGET, options, now, wake, random);
  const connection = recorded(attempt(make, 'Make a connection.'), now);
  optionsOf.set(connection, options);
  return connection;
}

/** Takes the request, and returns the response that agrees, with these header lines besides. */
export function agree(connection: Connection, ...lines: readonly string[]): Uint8Array {
  const request = connection.takeOutput();
  const text = request instanceof Uint8Array ? Buffer.from(request).toString('latin1') : '';
  const [, key] = /\r\nSec-WebSocket-Key: *([^ \r]+)/i.exec(text) ?? [];
  if (key !== undefined) return agreement(key, ...lines);
  const facts: Fact[] = [
    ['went out', show(request)],
    ['expected', 'what `openingRequest` returns'],
  ];
  fail('The request goes out first.', facts);
}

/** Writes the response that agrees to a key. */
function agreement(key: string, ...lines: readonly string[]): Uint8Array {
  const accept = createHash('sha1').update(`${key}${GUID}`).digest('base64');
  return respond(
    '101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${accept}`,
    ...lines,
  );
}

/** Writes a response. */
export function respond(status: string, ...lines: readonly string[]): Uint8Array {
  return utf8(
    ['HTTP/1.1 ', status, '\r\n', ...lines.map((line) => `${line}\r\n`), '\r\n'].join(''),
  );
}

/** Connections that were open when their scenario began. */
const opened = new WeakSet<object>();

/** Makes a connection that the server has agreed to. What it took to open it is not told. */
export function open(lesson: Lesson, making: Making = {}): Connection {
  const now = making.now ?? clock().now;
  const opening = dial(lesson, { ...making, now });
  const protocols = making.options?.protocols ?? [];
  const lines = protocols.slice(0, 1).map((name) => `Sec-WebSocket-Protocol: ${name}`);
  opening.receive(agree(opening, ...lines));
  expectNext(opening, { type: 'open' }, 'After the server’s yes, it is open.');
  opening.sent();
  const connection = recorded(opening, now);
  opened.add(connection);
  optionsOf.set(connection, making.options ?? {});
  return connection;
}

/** Makes an open connection that has received these bytes in one read. */
export function received(lesson: Lesson, ...frames: readonly Uint8Array[]): Connection {
  const connection = open(lesson);
  connection.receive(join(...frames));
  return connection;
}

/** Tells how it came to this. */
export function story(connection: Connection): Fact[] {
  const options = optionsOf.get(connection) ?? {};
  const facts: Fact[] = Object.keys(options).length > 0 ? [['options', show(options)]] : [];
  if (opened.has(connection)) facts.push(['it began', 'with an open connection']);
  return [...facts, ...callsOf(connection)];
}

/** Runs a check. When it fails, the calls so far are told first. */
function toldWith<T>(connection: Connection, check: () => T): T {
  return withGiven(() => story(connection), check);
}

/** Pulls one event. */
export function pull(connection: Connection, what: string): Event | undefined {
  return toldWith(connection, () => attempt(() => connection.next(), what));
}

/** Pulls all events there are. */
export function pullAll(connection: Connection, what: string): Event[] {
  const events: Event[] = [];
  for (let event = pull(connection, what); event; event = pull(connection, what)) {
    events.push(event);
    if (events.length === 50) fail('`next` comes to an end.', story(connection));
  }
  return events;
}

type Cause = string | ((event: Event | undefined) => string | undefined);

/** Checks the event that comes next. */
export function expectNext(
  connection: Connection,
  expected: Partial<Event> | undefined,
  what: string,
  cause?: Cause,
): void {
  const event = pull(connection, what);
  toldWith(connection, () =>
    equal(() => event, expected, what, {
      given: event?.type === 'error' ? [['its error', show(event.error)]] : [],
      label: '`next` gave',
      cause: () => (typeof cause === 'function' ? cause(event) : cause),
    }),
  );
}

/** Takes output. */
export function take(connection: Connection, what: string): Uint8Array | undefined {
  return toldWith(connection, () => attempt(() => connection.takeOutput(), what));
}

/** Takes all of the output, and returns what each call gave. */
export function takeAll(connection: Connection, what: string): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let piece = take(connection, what); piece; piece = take(connection, what)) {
    pieces.push(piece);
    if (pieces.length === 100) fail('`takeOutput` comes to an end.', story(connection));
  }
  return pieces;
}

/** Checks that nothing goes out. `cause` is that of a frame. */
export function expectSilence(connection: Connection, what: string, cause?: string): void {
  const output = take(connection, what);
  if (output === undefined) return;
  const isFrame = output.length > 0 && output[0]! >= 0x80;
  const causeOfNothing = 'Nothing to write is `undefined`, and not an empty array.';
  fail(
    what,
    [...story(connection), ['went out', isFrame ? { bytes: output } : show(output)], NO_OUTPUT],
    output.length === 0 ? causeOfNothing : isFrame ? cause : undefined,
  );
}

const NO_OUTPUT = ['expected', 'undefined'] as const;

/** The masking key of a frame, or another where it has none. */
const keyOf = (frame: DecodedFrame | undefined) => frame?.key ?? KEY;

/** Checks that this frame goes out in one call of `takeOutput`: masked, whole and alone. */
export function expectFrame(
  connection: Connection,
  opcode: number,
  payload: string | Uint8Array,
  what: string,
  cause?: string,
): void {
  const output = take(connection, what);
  const frames = output instanceof Uint8Array ? decodeFrames(output) : [];
  const expected = wire({ opcode, payload, key: keyOf(frames[0]) });
  const about = {
    frames: true,
    label: 'went out',
    cause: () => causeOfFrame(frames, opcode) ?? cause,
  };
  toldWith(connection, () => equal(() => output, expected, what, about));
}

function causeOfFrame(frames: readonly DecodedFrame[], opcode: number): string | undefined {
  const [frame, another] = frames;
  if (!frame) return undefined;
  if (frame.masked === false) {
    return opcode >= Close
      ? 'A client masks its control frames, too, and not only its messages.'
      : 'A client masks every frame.';
  }
  if (frame.missing > 0n) {
    return 'Only a part of the frame went out. Some servers break when it comes in two writes.';
  }
  if (another) return 'More than one frame went out in one array.';
  return undefined;
}

/** Checks that a Close with this code goes out, whatever reason it has. `undefined`: an empty one. */
export function expectClose(
  connection: Connection,
  code: number | undefined,
  what: string,
  cause?: string,
): void {
  const output = take(connection, what);
  const frames = output instanceof Uint8Array ? decodeFrames(output) : [];
  const [frame, another] = frames;
  const isRight =
    frame?.opcode === Close && frame.fin && frame.masked && frame.missing === 0n && !another;
  if (isRight && codeOf(frame) === code) return;
  const expected = code === undefined ? 'an empty Close, masked' : `a Close with ${code}, masked`;
  const facts: Fact[] = [
    ...story(connection),
    ['went out', output instanceof Uint8Array ? { bytes: output } : show(output)],
    ['expected', expected],
  ];
  fail(what, facts, causeOfFrame(frames, Close) ?? cause);
}

/** The code in a Close. `undefined`: it is empty. */
export function codeOf({ payload }: Pick<DecodedFrame, 'payload'>): number | undefined {
  const [high, low] = payload ?? [];
  return high === undefined || low === undefined ? undefined : high * 256 + low;
}

/** What can be asked of a connection at any time. */
type Standing = 'state' | 'ending' | 'deadline' | 'bufferedBytes';

/** Checks what a connection says of itself. */
export function expectIs(
  connection: Connection,
  name: Standing,
  expected: unknown,
  what: string,
  cause?: string | ((actual: unknown) => string | undefined),
): void {
  const facts = () => [...story(connection), ...(name === 'deadline' ? clockOf(connection) : [])];
  withGiven(facts, () =>
    equal(() => connection[name], expected, what, {
      label: `\`${name}\` is`,
      cause: (actual) => (typeof cause === 'function' ? cause(actual) : cause),
    }),
  );
}

/** Lets something happen that has no reason to throw. */
export function act(connection: Connection, call: () => void, what: string): void {
  toldWith(connection, () => attempt(call, what));
}

/** Checks that a message is refused, since it cannot be sent. */
export function expectUnsent(connection: Connection, what: string): void {
  const isSent = toldWith(connection, () => attempt(() => connection.send('not now'), what));
  toldWith(connection, () => equal(() => isSent, false, what, { label: '`send` gave' }));
}

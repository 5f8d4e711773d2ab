/** A server of functions that keep what they need, without a class, and with one timer for all. */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import {
  type Extension,
  type Frame,
  HandshakeError,
  type Message,
  Opcode,
  ProtocolError,
  type SendOptions,
} from '../../../shared/protocol.ts';
import * as handshake from '../../../solutions/01-handshake/handshake.ts';
import { MessageReader } from '../../../solutions/02-reading-frames/reading.ts';
import {
  controlFrame,
  encodeFrames,
  encodeText,
  fragment,
  SendQueue,
} from '../../../solutions/03-sending-frames/sending.ts';
import * as closing from '../../../solutions/04-closing/closing.ts';
import type * as reference from '../../../solutions/05-server/server.ts';

type Limits = reference.Limits;
type Event = reference.ConnectionEvent;
type Opening = reference.Accepted | reference.Refused;
/** What a connection can do. */
type Connection = Pick<reference.Connection, keyof reference.Connection>;
type Handler = (connection: Connection, event: Event) => void;

export const LIMITS: Limits = {
  maxHeadBytes: handshake.MAX_HEAD_BYTES,
  headTimeoutMs: 10_000,
  maxMessageBytes: 16 * 1024 * 1024,
  maxWaitingBytes: 16 * 1024 * 1024,
  pingIntervalMs: 30_000,
  closeTimeoutMs: 5_000,
};
export const MAX_FRAGMENT_BYTES = 65_535;
export const MAX_OUTPUT_BYTES = 64 * 1024;
export const HIGH_WATER_BYTES = 256 * 1024;

// The opening handshake

export function openingHandshake(
  received: Uint8Array,
  policy: reference.Options = {},
  maxHeadBytes = handshake.MAX_HEAD_BYTES,
): Opening | undefined {
  return orRefused(() => {
    const head = handshake.parseRequest(received, maxHeadBytes);
    return head && decide(head, received.subarray(head.length), policy);
  });
}

function decide(head: handshake.RequestHead, rest: Uint8Array, policy: reference.Options): Opening {
  const upgrade = handshake.checkUpgrade(head);
  const protocol = handshake.negotiate(upgrade, policy);
  const answer = handshake.acceptResponse(upgrade.key, protocol);
  const opening: reference.Accepted = { accepted: true, answer, upgrade, protocol, rest };
  return policy.extend ? policy.extend(opening, head) : opening;
}

function orRefused<T>(decision: () => T): T | reference.Refused {
  try {
    return decision();
  } catch (error) {
    if (error instanceof HandshakeError) return refused(error);
    throw error;
  }
}

function refused(error: HandshakeError): reference.Refused {
  return { accepted: false, answer: handshake.refusal(error), error };
}

// A connection without a socket

/**
 * Makes a class of a function that makes objects. It has their methods itself, so that a class that
 * extends it can replace them. The function is told for which object it makes one.
 */
function classOf<T extends object, Args extends unknown[]>(
  make: (self: T, ...args: Args) => T,
  names: readonly (keyof T)[],
): new (
  ...args: Args
) => T {
  const inner = new WeakMap<object, T>();
  class Made {
    constructor(...args: Args) {
      inner.set(this, make(this as unknown as T, ...args));
    }
  }
  for (const name of names) {
    Object.defineProperty(Made.prototype, name, {
      get() {
        return inner.get(this)?.[name];
      },
    });
  }
  return Made as unknown as new (
    ...args: Args
  ) => T;
}

/** What the parts of a connection share. */
interface Core {
  /** The connection itself. */
  readonly self: Connection;
  readonly limits: Limits;
  readonly now: () => number;
  readonly wake: () => void;
  readonly extension: Extension | undefined;
  readonly closing: closing.ClosingHandshake;
  readonly queue: SendQueue;
  readonly events: Event[];
  /** The bytes of the messages in the queue, with their headers. */
  waiting: number;
  owesDrain: boolean;
  ending: 'hangUp' | 'destroy' | undefined;
  heardAt: number;
  askedAt: number | undefined;
}

function makeConnection(
  self: Connection,
  limits: Limits,
  now: () => number,
  wake: () => void,
  extension?: Extension,
): Connection {
  const core: Core = {
    self,
    limits,
    now,
    wake,
    extension,
    closing: new closing.ClosingHandshake('server', limits.closeTimeoutMs, now),
    queue: new SendQueue(),
    events: [],
    waiting: 0,
    owesDrain: false,
    ending: undefined,
    heardAt: now(),
    askedAt: undefined,
  };
  return withParts(incoming(core), silence(core), outgoing(core), ending(core));
}

export const Connection = classOf(makeConnection, [
  'receive',
  'next',
  'send',
  'sendFrames',
  'owesDrain',
  'ping',
  'takeOutput',
  'takeFrames',
  'close',
  'fail',
  'disconnect',
  'ending',
  'heard',
  'deadline',
  'checkTime',
  'drained',
]);

/** One object of several, whose getters stay getters. */
function withParts<A, B, C, D>(...parts: [A, B, C, D]): A & B & C & D {
  const whole = {} as A & B & C & D;
  for (const part of parts) {
    Object.defineProperties(whole, Object.getOwnPropertyDescriptors(part));
  }
  return whole;
}

function perform(core: Core, actions: readonly closing.Action[]): void {
  if (actions.length === 0) return;
  for (const action of actions) {
    if (action.type === 'sendClose') {
      core.queue.addControl(controlFrame(Opcode.Close, action.body));
    } else {
      core.ending = action.type;
    }
  }
  core.wake();
}

function failWith(core: Core, error: unknown): void {
  const actions = core.closing.fail(error);
  if (actions.length > 0) core.events.push({ type: 'error', error });
  perform(core, actions);
}

/** Drops the messages that wait. Nobody hears of room that came about like this. */
function drop(core: Core): void {
  core.queue.dropWaiting();
  core.owesDrain = false;
}

/** The peer is there. */
function hear(core: Core): void {
  core.heardAt = core.now();
  core.askedAt = undefined;
}

/** What the peer sends. */
function incoming(core: Core) {
  const { closing, events, queue } = core;
  const { maxMessageBytes } = core.limits;
  const reader =
    core.extension?.readerFor(maxMessageBytes) ?? new MessageReader('server', maxMessageBytes);
  let hadBacklog = false;

  const react = (message: Message): Event | undefined => {
    if (message.type === 'close') {
      checkClose(message.payload);
      if (hadBacklog && closing.state === 'OPEN') drop(core);
      perform(core, closing.receiveClose(message.payload));
    } else if (message.type === 'ping') {
      queue.addControl(controlFrame(Opcode.Pong, message.payload));
      core.wake();
    } else {
      return message;
    }
    return undefined;
  };
  return {
    receive(chunk: Uint8Array): void {
      hear(core);
      hadBacklog = core.waiting > 0;
      if (closing.isListening) reader.push(chunk);
    },
    next(): Event | undefined {
      while (events.length === 0 && closing.isListening) {
        try {
          const message = reader.read();
          if (message === undefined) break;
          const event = react(message);
          if (event) return event;
        } catch (error) {
          failWith(core, error);
        }
      }
      return events.shift();
    },
  };
}

/** What happens when the peer does nothing. */
function silence(core: Core) {
  const { closing, limits, now } = core;
  const deadline = () => {
    if (core.ending === 'destroy') return undefined;
    if (closing.state !== 'OPEN') return closing.deadline;
    return (core.askedAt ?? core.heardAt) + limits.pingIntervalMs;
  };
  return {
    heard: () => hear(core),
    get deadline() {
      return deadline();
    },
    checkTime(): void {
      if (now() < (deadline() ?? Number.POSITIVE_INFINITY)) return;
      if (closing.state !== 'OPEN') {
        perform(core, closing.checkDeadline());
      } else if (core.askedAt === undefined) {
        core.askedAt = now();
        core.queue.addControl(controlFrame(Opcode.Ping));
        core.wake();
      } else {
        core.events.push({ type: 'error', error: new Error('Nobody is there any more.') });
        closing.disconnect();
        perform(core, [{ type: 'destroy' }]);
      }
    },
  };
}

/** Throws for a Close that breaks a rule. */
function checkClose(payload: Uint8Array): void {
  const { code = 1000 } = closing.decodeCloseBody(payload) ?? {};
  if (!closing.isWireCode(code)) throw new ProtocolError(1002, '7.4', `${code} may not travel.`);
}

/** How much a frame counts while it waits. */
const sizeOf = ({ payload }: Frame) => payload.length + 10;

/** Adds a message to what waits. */
function queueFrames(core: Core, frames: readonly Frame[]): boolean {
  if (core.closing.state !== 'OPEN') return false;
  if (core.waiting > core.limits.maxWaitingBytes) {
    drop(core);
    failWith(core, new ProtocolError(1008, '10.4', 'The client reads too slowly.'));
    return false;
  }
  core.queue.addMessage(frames);
  for (const frame of frames) core.waiting += sizeOf(frame);
  core.owesDrain ||= core.waiting >= HIGH_WATER_BYTES;
  core.wake();
  return core.waiting < HIGH_WATER_BYTES;
}

/** Takes out what is to be written at once. */
function takeFrames(core: Core): Frame[] {
  const frames: Frame[] = [];
  for (let size = 0; size < MAX_OUTPUT_BYTES; ) {
    const frame = core.queue.next();
    if (frame === undefined) break;
    frames.push(frame);
    size += sizeOf(frame);
    if (frame.opcode <= Opcode.Binary) core.waiting -= sizeOf(frame);
  }
  return frames;
}

/** What we send. */
function outgoing(core: Core) {
  const { closing, queue } = core;
  return {
    get owesDrain() {
      return core.owesDrain;
    },
    send(data: string | Uint8Array, options?: SendOptions): boolean {
      const isText = typeof data === 'string';
      const bytes = isText ? encodeText(data) : data;
      const message = [isText ? Opcode.Text : Opcode.Binary, bytes, MAX_FRAGMENT_BYTES] as const;
      return core.self.sendFrames(
        core.extension?.framesFor(...message, options) ?? fragment(...message),
      );
    },
    sendFrames: (frames: readonly Frame[]) => queueFrames(core, frames),
    takeFrames: () => takeFrames(core),
    ping(payload?: Uint8Array): void {
      const frame = controlFrame(Opcode.Ping, payload);
      if (closing.state !== 'OPEN') return;
      queue.addControl(frame);
      core.wake();
    },
    takeOutput: () => encodeFrames(core.self.takeFrames()),
    drained(): void {
      if (!core.owesDrain || core.waiting > 0) return;
      core.owesDrain = false;
      if (closing.state === 'OPEN') core.events.push({ type: 'drain' });
    },
  };
}

/** How it ends. */
function ending(core: Core) {
  let isGone = false;
  return {
    get ending() {
      return core.ending;
    },
    close(code?: number, reason?: string): void {
      perform(core, core.closing.close(code, reason));
    },
    fail(error: unknown): void {
      failWith(core, error);
    },
    disconnect(): void {
      core.closing.disconnect();
      if (isGone) return;
      isGone = true;
      const result = core.closing.result ?? { code: 1006, reason: '', wasClean: false };
      core.events.push({ type: 'close', ...result });
      core.wake();
    },
  };
}

// One timer for everything

/** What has to be done, and when on the clock of `performance.now`. */
const alarms = new Map<() => void, number>();
/** The longest time that Node waits. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;
let timer: NodeJS.Timeout | undefined;
let rings = Number.POSITIVE_INFINITY;

/** Calls `action` at a time, instead of the one before. `undefined`: never. */
function setAlarm(action: () => void, time: number | undefined): void {
  if (time === undefined) alarms.delete(action);
  else alarms.set(action, time);
  // To ring too early does no harm.
  if (alarms.size === 0 || (time !== undefined && time < rings)) wind();
}

function wind(): void {
  clearTimeout(timer);
  rings = Number.POSITIVE_INFINITY;
  for (const time of alarms.values()) rings = Math.min(rings, time);
  if (rings === Number.POSITIVE_INFINITY) return;
  const wait = Math.ceil(rings - performance.now());
  timer = setTimeout(ring, Math.min(Math.max(wait, 0), MAX_TIMEOUT_MS));
}

function ring(): void {
  for (const [action, time] of alarms) {
    if (time > performance.now()) continue;
    alarms.delete(action);
    // An action that throws must not keep the others from theirs.
    queueMicrotask(action);
  }
  wind();
}

// On a socket

const ignore = () => {};

export function attach(
  socket: Duplex,
  opening: reference.Accepted,
  handle: Handler,
  limits: Limits = LIMITS,
): Connection {
  let isScheduled = false;
  const connection = new Connection(limits, () => performance.now(), schedule, opening.extension);
  const write = writer(socket, connection, schedule);
  const show = shower(handle, connection);

  function schedule(): void {
    if (isScheduled) return;
    isScheduled = true;
    queueMicrotask(turn);
  }
  function turn(): void {
    isScheduled = false;
    try {
      for (let event = connection.next(); event; event = connection.next()) show(event);
    } finally {
      write();
      setAlarm(check, connection.deadline);
    }
  }
  function check(): void {
    connection.checkTime();
    turn();
  }
  function receive(chunk: Uint8Array): void {
    connection.receive(chunk);
    turn();
  }

  socket.on('error', ignore);
  socket.on('data', receive);
  socket.on('drain', () => {
    connection.heard();
    turn();
  });
  socket.on('end', () => socket.end());
  socket.on('close', () => {
    connection.disconnect();
    turn();
  });
  socket.write(opening.answer);
  show({ type: 'open', upgrade: opening.upgrade, protocol: opening.protocol });
  receive(opening.rest);
  return connection;
}

/** Makes a function that shows events to the application. */
function shower(handle: Handler, connection: Connection): (event: Event) => void {
  return (event) => {
    try {
      handle(connection, event);
    } catch (error) {
      // The application has to hear of it, or else Node.
      if (event.type === 'close' || connection.ending) throw error;
      connection.fail(error);
    }
  };
}

/** Makes a function that writes what goes out, and slows down with the peer. */
function writer(socket: Duplex, connection: Connection, schedule: () => void): () => void {
  const isBehind = () => socket.writableLength >= socket.writableHighWaterMark;
  let tellsDrain = false;
  const tellDrain = () => {
    tellsDrain = false;
    connection.drained();
    schedule();
  };
  return () => {
    while (socket.writable && !isBehind()) {
      const bytes = connection.takeOutput();
      if (bytes.length === 0) {
        if (connection.ending === 'hangUp') socket.end();
        break;
      }
      socket.write(bytes);
    }
    if (connection.ending === 'destroy') socket.destroy();
    if (socket.writable && isBehind()) {
      socket.pause();
      return;
    }
    socket.resume();
    if (!connection.owesDrain || tellsDrain) return;
    tellsDrain = true;
    setImmediate(tellDrain);
  };
}

/** Says no, and reads on for a while, so that the answer is not lost. */
function hangUp(socket: Duplex, answer: Uint8Array, closeTimeoutMs: number): void {
  const destroy = () => socket.destroy();
  setAlarm(destroy, performance.now() + closeTimeoutMs);
  socket.on('error', ignore);
  socket.on('close', () => setAlarm(destroy, undefined));
  socket.end(answer);
  socket.resume();
}

// Many connections

type WebSocketServer = Pick<reference.WebSocketServer, keyof reference.WebSocketServer>;

function makeServer(
  _self: WebSocketServer,
  handle: Handler,
  options: reference.Options = {},
): WebSocketServer {
  const limits: Limits = { ...LIMITS, ...options };
  const connections = new Set<Connection>();
  const pending = new Set<Duplex>();
  let whenEmpty = ignore;
  let isOver: Promise<void> | undefined;

  function handleHere(connection: Connection, event: Event): void {
    if (event.type === 'open') connections.add(connection);
    if (event.type === 'close') connections.delete(connection);
    if (connections.size === 0) whenEmpty();
    handle(connection, event);
  }
  function finish(socket: Duplex, opening: Opening): void {
    const last = isOver ? refused(new HandshakeError(503, '4.2.2', 'We are closing.')) : opening;
    if (last.accepted && socket.destroyed) return;
    if (last.accepted) (options.attach ?? attach)(socket, last, handleHere, limits);
    else hangUp(socket, last.answer, limits.closeTimeoutMs);
  }
  function shutdown(): Promise<void> {
    isOver ??= new Promise((resolve) => {
      whenEmpty = resolve;
    });
    for (const socket of pending) socket.destroy();
    for (const connection of connections) connection.close(1001);
    if (connections.size === 0) whenEmpty();
    return isOver;
  }
  return {
    connections: connections as ReadonlySet<object> as ReadonlySet<reference.Connection>,
    accept: (socket: Socket) => readRequest(socket, options, limits, pending, finish),
    broadcast(data: string | Uint8Array, except?: Connection): void {
      for (const connection of connections) if (connection !== except) connection.send(data);
    },
    shutdown,
    upgrade(request: IncomingMessage, socket: Duplex, head: Uint8Array): void {
      finish(
        socket,
        orRefused(() => decide(headOf(request), head, options)),
      );
    },
  };
}

export const WebSocketServer = classOf(makeServer, [
  'connections',
  'accept',
  'broadcast',
  'shutdown',
  'upgrade',
]);

/** Waits for the request on a socket, and answers it with `finish`. */
function readRequest(
  socket: Socket,
  policy: reference.Options,
  limits: Limits,
  pending: Set<Duplex>,
  finish: (socket: Socket, opening: Opening) => void,
): void {
  let received = Buffer.alloc(0);
  const forget = () => {
    pending.delete(socket);
    setAlarm(giveUp, undefined);
    socket.off('data', read).off('close', forget);
  };
  const read = (chunk: Uint8Array) => {
    received = Buffer.concat([received, chunk]);
    const opening = openingHandshake(received, policy, limits.maxHeadBytes);
    if (!opening) return;
    forget();
    finish(socket, opening);
  };
  const giveUp = () => {
    forget();
    finish(socket, refused(new HandshakeError(408, '4.2', 'Where is your request?')));
  };
  pending.add(socket);
  socket.setNoDelay(true);
  socket.on('error', ignore).on('close', forget).on('data', read);
  setAlarm(giveUp, performance.now() + limits.headTimeoutMs);
}

function headOf(request: IncomingMessage): handshake.RequestHead {
  return {
    method: request.method ?? '',
    target: request.url ?? '',
    version: `HTTP/${request.httpVersion}`,
    headers: new Map(Object.entries(request.headersDistinct).map(([n, v]) => [n, v ?? []])),
    length: 0,
  };
}

import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import {
  CloseCode,
  type Extension,
  type Frame,
  HandshakeError,
  isControl,
  type Message,
  Opcode,
  ProtocolError,
  type SendOptions,
} from '../../shared/protocol.ts';
import {
  acceptResponse,
  checkUpgrade,
  MAX_HEAD_BYTES,
  negotiate,
  type Policy,
  parseRequest,
  type RequestHead,
  refusal,
  type Upgrade,
} from '../01-handshake/handshake.ts';
import { MAX_MESSAGE_BYTES, MessageReader } from '../02-reading-frames/reading.ts';
import {
  controlFrame,
  encodeFrames,
  encodeText,
  fragment,
  SendQueue,
} from '../03-sending-frames/sending.ts';
import {
  type Action,
  type CloseResult,
  ClosingHandshake,
  decodeCloseBody,
  isWireCode,
} from '../04-closing/closing.ts';

/** How much a server puts up with. Beyond 2³¹ − 1 ms, a timer of Node fires at once. */
export interface Limits {
  /** The longest request head, in bytes. */
  readonly maxHeadBytes: number;
  /** How long a client can take to send its request. */
  readonly headTimeoutMs: number;
  /** The longest message that a client may send, in bytes. */
  readonly maxMessageBytes: number;
  /** How many bytes of messages may wait for a client that does not read, before we give it up. */
  readonly maxWaitingBytes: number;
  /** How long a client can be silent before we ask whether it is there, and then to answer. */
  readonly pingIntervalMs: number;
  /** How long a client can take for each thing we wait for while closing. */
  readonly closeTimeoutMs: number;
}

/** What a server puts up with unless told otherwise. */
export const LIMITS: Limits = {
  maxHeadBytes: MAX_HEAD_BYTES,
  headTimeoutMs: 10_000,
  maxMessageBytes: MAX_MESSAGE_BYTES,
  maxWaitingBytes: 16 * 1024 * 1024,
  pingIntervalMs: 30_000,
  closeTimeoutMs: 5_000,
};

/** Longer messages go in fragments, so that a Pong need not wait for the whole. In bytes. */
export const MAX_FRAGMENT_BYTES = 65_535;

/** About how much is written to a socket at once, in bytes. */
export const MAX_OUTPUT_BYTES = 64 * 1024;

/** When this much waits to be sent, or more, `send` asks its caller to pause. In bytes. */
export const HIGH_WATER_BYTES = 256 * 1024;

/** What a message that waits costs besides its payload, about: an empty one is not free. */
const MESSAGE_COST_BYTES = 128;

/** A request that is turned into a WebSocket. */
export interface Accepted {
  readonly accepted: true;
  /** The HTTP response. */
  readonly answer: Uint8Array;
  readonly upgrade: Upgrade;
  /** The subprotocol that was chosen. `undefined`: none. */
  readonly protocol: string | undefined;
  /** What `extend` has agreed on with the client. Absent: nothing. */
  readonly extension?: Extension;
  /** What came after the head: the first frames, or a part of one. Often empty. */
  readonly rest: Uint8Array;
}

/** A request that is not. */
export interface Refused {
  readonly accepted: false;
  /** The HTTP response. After it, we end our side of the TCP connection. */
  readonly answer: Uint8Array;
  readonly error: HandshakeError;
}

/** What an application hears of a connection. */
export type ConnectionEvent =
  /** The handshake is done. Always the first. */
  | { readonly type: 'open'; readonly upgrade: Upgrade; readonly protocol: string | undefined }
  /** A message has arrived, or the answer to a Ping. */
  | Extract<Message, { readonly type: 'text' | 'binary' | 'pong' }>
  /** After a `send` that returned `false`: there is room again. Never on one that is closing. */
  | { readonly type: 'drain' }
  /** The peer broke a rule, was too slow, or our own code threw. The connection is closing. */
  | { readonly type: 'error'; readonly error: unknown }
  /** The TCP connection is gone. Always the last. */
  | ({ readonly type: 'close' } & CloseResult);

/** Agrees on an extension with a client, or leaves the opening as it is. */
export type Extend = (opening: Accepted, request: RequestHead) => Accepted;

/** What a server is willing to serve, and how much it puts up with. */
export interface Options extends Policy, Partial<Limits> {
  /** Absent: the server has no extension. */
  readonly extend?: Extend;
  /** What puts an accepted connection on its socket. Absent: `attach`. */
  readonly attach?: typeof attach;
}

/** What an application does with its connections. */
export type Handler = (connection: Connection, event: ConnectionEvent) => void;

/**
 * Step 1 · The opening handshake.
 *
 * Answers the request at the start of what a client has sent so far. Returns `undefined` while the
 * head is incomplete. Never throws for what came from the network: a bad request is `Refused`.
 * RFC 6455 §4.2
 */
export function openingHandshake(
  received: Uint8Array,
  policy: Options = {},
  maxHeadBytes = MAX_HEAD_BYTES,
): Accepted | Refused | undefined {
  return catchRefusal(() => {
    const request = parseRequest(received, maxHeadBytes);
    return request && acceptRequest(request, received.subarray(request.length), policy);
  });
}

function acceptRequest(request: RequestHead, rest: Uint8Array, policy: Options): Accepted {
  const upgrade = checkUpgrade(request);
  const protocol = negotiate(upgrade, policy);
  const answer = acceptResponse(upgrade.key, protocol);
  const opening: Accepted = { accepted: true, answer, upgrade, protocol, rest };
  return policy.extend?.(opening, request) ?? opening;
}

function catchRefusal<T>(open: () => T): T | Refused {
  try {
    return open();
  } catch (error) {
    if (!(error instanceof HandshakeError)) throw error;
    return refusedFor(error);
  }
}

function refusedFor(error: HandshakeError): Refused {
  return { accepted: false, answer: refusal(error), error };
}

/**
 * Steps 2–5 and 9 · A connection without a socket.
 *
 * Puts reader, send queue and closing handshake together. It never touches the network: `receive`
 * is given bytes, `next` returns events, and `takeOutput` returns the bytes to send.
 */
export class Connection {
  readonly #limits: Limits;
  readonly #now: () => number;
  readonly #wake: () => void;
  readonly #extension: Extension | undefined;
  readonly #reader: Pick<MessageReader, 'push' | 'read'>;
  readonly #queue = new SendQueue();
  readonly #closing: ClosingHandshake;
  /** Events of our own, which come before what is still to be read. */
  readonly #events: ConnectionEvent[] = [];
  /** How many bytes of messages are in the queue. */
  #waitingBytes = 0;
  /** How many of them were in it already when the last read arrived. */
  #backlogBytes = 0;
  #owesDrain = false;
  #ending: 'hangUp' | 'destroy' | undefined;
  /** Has the application been told of the end? */
  #isOver = false;
  /** When the peer was last heard, on the clock `#now`. */
  #heardAt: number;
  /** When we asked whether it is there. `undefined`: it has been heard since. */
  #askedAt: number | undefined;

  /**
   * Step 2 · Starts after the opening handshake. `now` reads a clock, in milliseconds; `wake` is
   * called whenever there is something new to do: output to take, or a socket to end. An
   * `extension` makes the reader, and the frames of what is sent.
   */
  constructor(limits: Limits, now: () => number, wake: () => void, extension?: Extension) {
    this.#limits = limits;
    this.#now = now;
    this.#wake = wake;
    this.#extension = extension;
    this.#reader = extension
      ? extension.readerFor(limits.maxMessageBytes)
      : new MessageReader('server', limits.maxMessageBytes);
    this.#closing = new ClosingHandshake('server', limits.closeTimeoutMs, now);
    this.#heardAt = now();
  }

  /** Step 2 · Receives the bytes of one read. Drops them when we no longer listen. */
  receive(chunk: Uint8Array): void {
    this.#heardAt = this.#now();
    this.#askedAt = undefined;
    this.#backlogBytes = this.#waitingBytes;
    if (this.#closing.isListening) this.#reader.push(chunk);
  }

  /**
   * Step 2 · Returns what happens next, or `undefined` when more bytes are needed. One event at a
   * time, so that an application can answer a message before the Close behind it is looked at.
   *
   * Pings and Closes are answered here. A peer that breaks a rule fails the connection.
   * RFC 6455 §5.5.1, §5.5.2, §7.1.7
   */
  next(): ConnectionEvent | undefined {
    while (this.#events.length === 0 && this.#closing.isListening) {
      try {
        const message = this.#reader.read();
        if (message === undefined) return undefined;
        const event = this.#react(message);
        if (event) return event;
      } catch (error) {
        this.fail(error);
      }
    }
    return this.#events.shift();
  }

  #react(message: Message): ConnectionEvent | undefined {
    switch (message.type) {
      case 'ping':
        this.#queue.addControl(controlFrame(Opcode.Pong, message.payload));
        return undefined;
      case 'close':
        this.#answerClose(message.payload);
        return undefined;
      default:
        return message;
    }
  }

  /**
   * The response waits for the message on its way, but for no other: what waited before this read
   * is dropped. The answers to messages of this read leave together with it. When our own Close
   * waits, this is not a response, and dropping would take that Close, too. RFC 6455 §5.5.1
   */
  #answerClose(payload: Uint8Array): void {
    checkCloseBody(payload);
    if (this.#backlogBytes > 0 && this.#closing.state === 'OPEN') this.#queue.dropWaiting();
    this.#perform(this.#closing.receiveClose(payload));
  }

  /**
   * Step 3 · Sends a message: a string as text, bytes as binary. The bytes are not copied: leave
   * them alone. A connection that is closing sends nothing. The options are for the extension.
   *
   * Returns `false` when `HIGH_WATER_BYTES` or more wait, this message counted: then wait for the
   * `drain` event, or the `close`. When more than `maxWaitingBytes` wait, drops them and fails the
   * connection with 1008. `true` says that there is room, not that the message arrives: one that
   * still waits when the peer's Close arrives is dropped.
   *
   * Throws `TypeError` for text with half of a surrogate pair in it. RFC 6455 §5.6, §6.1
   */
  send(data: string | Uint8Array, options?: SendOptions): boolean {
    const isText = typeof data === 'string';
    const payload = isText ? encodeText(data) : data;
    const opcode = isText ? Opcode.Text : Opcode.Binary;
    return this.sendFrames(
      this.#extension
        ? this.#extension.framesFor(opcode, payload, MAX_FRAGMENT_BYTES, options)
        : fragment(opcode, payload, MAX_FRAGMENT_BYTES),
    );
  }

  /** Step 3 · Sends a message that is cut into frames already, and returns what `send` returns. */
  sendFrames(frames: readonly Frame[]): boolean {
    if (this.#closing.state !== 'OPEN') return false;
    if (this.#waitingBytes > this.#limits.maxWaitingBytes) {
      this.#queue.dropWaiting();
      this.fail(new ProtocolError(CloseCode.PolicyViolation, '10.4', 'You read too slowly.'));
      return false;
    }
    this.#queue.addMessage(frames);
    for (const frame of frames) this.#waitingBytes += frame.payload.length;
    this.#waitingBytes += MESSAGE_COST_BYTES;
    this.#owesDrain ||= this.#waitingBytes >= HIGH_WATER_BYTES;
    this.#wake();
    return !this.#owesDrain;
  }

  /** Step 3 · Says whether an open connection owes a `drain`: a `send` has returned `false`. */
  get owesDrain(): boolean {
    return this.#owesDrain && this.#closing.state === 'OPEN';
  }

  /**
   * Step 3 · Asks the peer for a Pong. A connection that is closing asks nothing. Throws
   * `RangeError` for a payload of more than 125 bytes. RFC 6455 §5.5.2
   */
  ping(payload?: Uint8Array): void {
    const frame = controlFrame(Opcode.Ping, payload);
    if (this.#closing.state !== 'OPEN') return;
    this.#queue.addControl(frame);
    this.#wake();
  }

  /**
   * Step 3 · Returns the bytes to write next, `MAX_OUTPUT_BYTES` or a little more, for one write.
   * Empty: nothing waits.
   */
  takeOutput(): Uint8Array {
    return encodeFrames(this.takeFrames());
  }

  /** Step 3 · Takes out the frames that `takeOutput` writes next. Empty: nothing waits. */
  takeFrames(): Frame[] {
    const frames: Frame[] = [];
    let size = 0;
    while (size < MAX_OUTPUT_BYTES) {
      const frame = this.#queue.next();
      if (frame === undefined) break;
      frames.push(frame);
      size += frame.payload.length;
      if (!isControl(frame.opcode)) this.#waitingBytes -= frame.payload.length;
      if (frame.fin && !isControl(frame.opcode)) this.#waitingBytes -= MESSAGE_COST_BYTES;
    }
    return frames;
  }

  /**
   * Step 4 · Starts the closing handshake. Throws `RangeError` for a code that never travels and
   * for a reason of more than 123 bytes. RFC 6455 §7.1.2
   */
  close(code?: number, reason?: string): void {
    this.#perform(this.#closing.close(code, reason));
  }

  /**
   * Step 4 · Fails the connection: tells the peer why, and the application too. Does nothing when
   * it has failed or closed already. RFC 6455 §7.1.7
   */
  fail(error: unknown): void {
    const actions = this.#closing.fail(error);
    if (actions.length > 0) this.#events.push({ type: 'error', error });
    this.#perform(actions);
  }

  /** Step 4 · Is told that the TCP connection is gone. RFC 6455 §7.1.4 */
  disconnect(): void {
    this.#closing.disconnect();
    const { result } = this.#closing;
    if (this.#isOver || !result) return;
    this.#isOver = true;
    this.#events.push({ type: 'close', ...result });
  }

  /**
   * Step 4 · What to do with the TCP connection: `hangUp` ends our side once all output is sent,
   * `destroy` drops it at once. `undefined`: it stays. RFC 6455 §7.1.1
   */
  get ending(): 'hangUp' | 'destroy' | undefined {
    return this.#ending;
  }

  #perform(actions: readonly Action[]): void {
    for (const action of actions) {
      if (action.type === 'sendClose') {
        this.#queue.addControl(controlFrame(Opcode.Close, action.body));
      } else {
        this.#ending = action.type;
      }
    }
    this.#wake();
  }

  /**
   * Step 5 · Is told of a sign of life: the peer has sent something, or taken what waited for it.
   */
  heard(): void {
    this.#heardAt = this.#now();
    this.#askedAt = undefined;
  }

  /** Step 5 · When to call `checkTime`, on the clock `now`. `undefined`: it is over. */
  get deadline(): number | undefined {
    return this.#closing.state === 'OPEN' ? this.#silentUntil : this.#closing.deadline;
  }

  get #silentUntil(): number {
    return (this.#askedAt ?? this.#heardAt) + this.#limits.pingIntervalMs;
  }

  /**
   * Step 5 · Does what time demands, when the deadline has come: asks a silent peer for a Pong,
   * and gives up on one that has not answered, or does not close. RFC 6455 §5.5.2, §7.1.1
   */
  checkTime(): void {
    if (this.#ending === 'destroy') return;
    this.#perform(this.#closing.checkDeadline());
    if (this.#closing.state !== 'OPEN' || this.#now() < this.#silentUntil) return;
    if (this.#askedAt === undefined) {
      this.#askedAt = this.#now();
      this.ping();
    } else {
      this.#events.push({ type: 'error', error: new Error('The peer does not answer a Ping.') });
      this.#perform([{ type: 'destroy' }]);
    }
  }

  /** Step 9 · Is told that the socket has room: makes a `drain` that is owed when nothing waits. */
  drained(): void {
    if (!this.owesDrain || this.#waitingBytes > 0) return;
    this.#owesDrain = false;
    this.#events.push({ type: 'drain' });
  }
}

/** Throws here what `receiveClose` would keep to itself, so that the application hears of it. */
function checkCloseBody(payload: Uint8Array): void {
  const body = decodeCloseBody(payload);
  if (body && !isWireCode(body.code)) {
    const message = `A Close frame cannot carry the code ${body.code}.`;
    throw new ProtocolError(CloseCode.ProtocolError, '7.4', message);
  }
}

/**
 * Steps 6–8 · On a socket.
 *
 * Puts an accepted connection on its socket: sends the response, and from then on each read goes
 * to the core, its events to `handle`, and what `handle` sends leaves in one write.
 *
 * An error that `handle` throws fails the connection with 1011. When it has failed or closed
 * already, as at an `error` or `close` event, nobody would hear of the error: it is thrown on, and
 * Node reports it as uncaught.
 */
export function attach(
  socket: Duplex,
  opening: Accepted,
  handle: Handler,
  limits: Limits = LIMITS,
): Connection {
  return new Attachment(socket, opening, handle, limits).connection;
}

/** A connection and its socket. Methods instead of closures: there may be many thousands of it. */
class Attachment {
  readonly connection: Connection;
  readonly #socket: Duplex;
  readonly #handle: Handler;
  /** How many turns are on, or scheduled. What is sent now leaves with them. */
  #turnsAhead = 0;
  #timer: NodeJS.Timeout | undefined;
  /** When the timer fires. */
  #timerAt = NEVER;

  constructor(socket: Duplex, opening: Accepted, handle: Handler, limits: Limits) {
    const { answer, upgrade, protocol, extension, rest } = opening;
    this.#socket = socket;
    this.#handle = handle;
    this.connection = new Connection(limits, now, () => this.#wake(), extension);
    socket.on('data', (chunk: Uint8Array) => this.#read(chunk));
    socket.on('drain', () => {
      this.connection.heard();
      socket.resume();
      this.#turn();
    });
    socket.on('end', () => socket.end());
    socket.on('error', ignore);
    socket.on('close', () => this.#close());

    socket.write(answer);
    socket.resume(); // Somebody may have paused it until now.
    this.connection.receive(rest);
    this.#turn({ type: 'open', upgrade, protocol });
  }

  #read(chunk: Uint8Array): void {
    this.connection.receive(chunk);
    this.#turn();
  }

  #close(): void {
    clearTimeout(this.#timer);
    this.connection.disconnect();
    this.#turn();
  }

  /** Sees to it that there is a turn. */
  #wake(): void {
    if (this.#turnsAhead === 0) this.#scheduleTurn();
  }

  /** Begins a turn once the present code has ended, so that what it sends leaves in one write. */
  #scheduleTurn(): void {
    this.#turnsAhead++;
    queueMicrotask(() => {
      this.#turnsAhead--;
      this.#turn();
    });
  }

  /** Handles what there is, sends what that makes, and sets the clock, whatever `handle` throws. */
  #turn(first?: ConnectionEvent): void {
    const { connection } = this;
    this.#turnsAhead++;
    try {
      for (let event = first ?? connection.next(); event; event = connection.next()) {
        this.#emit(event);
      }
    } finally {
      this.#turnsAhead--;
      this.#flush();
      this.#setTimer();
    }
  }

  /** Lets the application have an event. */
  #emit(event: ConnectionEvent): void {
    try {
      this.#handle(this.connection, event);
    } catch (error) {
      if (event.type === 'close' || this.connection.ending) {
        this.#scheduleTurn(); // This one ends here, and there may be more events.
        throw error;
      }
      this.connection.fail(error);
    }
  }

  /** Does the peer read more slowly than we write? */
  get #isBehind(): boolean {
    return this.#socket.writableNeedDrain;
  }

  #flush(): void {
    const { connection } = this;
    const socket = this.#socket;
    if (connection.ending === 'destroy') socket.destroy();
    if (!socket.writable) return;
    while (!this.#isBehind) {
      const bytes = connection.takeOutput();
      if (bytes.length === 0) break;
      socket.write(bytes);
    }
    if (this.#isBehind) {
      // Reading on would make answers that nobody takes: they would pile up here.
      socket.pause();
      return;
    }
    if (connection.ending === 'hangUp') socket.end();
    // In a turn of its own: an application that sends more at each `drain` would starve the others.
    if (connection.owesDrain) setImmediate(() => this.#drain());
  }

  #drain(): void {
    this.connection.drained();
    this.#turn();
  }

  #setTimer(): void {
    const { deadline = NEVER } = this.connection;
    // A timer that fires too early only sets itself again: cheaper than to move it at each read.
    if (deadline >= this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = deadline;
    this.#timer = setTimeout(() => this.#onTimer(), Math.max(0, deadline - now()));
  }

  #onTimer(): void {
    this.#timerAt = NEVER;
    this.connection.checkTime();
    this.#turn();
  }
}

const now = () => performance.now();
const NEVER = Number.POSITIVE_INFINITY;

/** For the `error` of a socket, most of the time a reset: `close` follows, and that is handled. */
const ignore = () => {};

/**
 * Steps 10, 11 and 13 · Many connections.
 *
 * Turns sockets into connections, each with a state of its own, and knows those that are open.
 */
export class WebSocketServer {
  readonly #connections = new Set<Connection>();
  readonly #handle: Handler;
  readonly #options: Options & Limits;
  /** The sockets that are not connections: their request is arriving, or was refused. */
  readonly #pending = new Set<Duplex>();
  /** Called when the last connection is gone. */
  #whenEmpty = () => {};
  /** The end of a shutdown. `undefined`: there is none. */
  #shutdown: Promise<void> | undefined;

  /** Step 10 · Makes a server that tells `handle` what happens on each of its connections. */
  constructor(handle: Handler, options: Options = {}) {
    this.#handle = handle;
    this.#options = { ...LIMITS, ...options };
  }

  /** Step 10 · The connections whose TCP connection is there: those that are open, or closing. */
  get connections(): ReadonlySet<Connection> {
    return this.#connections;
  }

  /**
   * Step 10 · Takes over a socket that somebody has just connected to. Reads the request, however
   * it arrives, and responds to it: with 408 if it takes too long. RFC 6455 §4.2
   */
  accept(socket: Socket): void {
    // Small messages leave at once: otherwise TCP keeps them back to join them with more.
    socket.setNoDelay(true);
    let received: Uint8Array = new Uint8Array(0);
    const read = (chunk: Uint8Array) => {
      // Copied and parsed again with each read. `maxHeadBytes` bounds what that can cost.
      received = Buffer.concat([received, chunk]);
      const opening = openingHandshake(received, this.#options, this.#options.maxHeadBytes);
      if (opening) finish(opening);
    };
    const finish = (opening: Accepted | Refused) => {
      socket.off('data', read);
      forget();
      this.#open(socket, opening);
    };
    const forget = this.#remember(socket, this.#options.headTimeoutMs, () => {
      finish(refusedFor(new HandshakeError(408, '10.4', 'The request took too long.')));
    });
    socket.on('data', read);
  }

  /** Remembers a socket until it closes; after `ms`, calls `onTimeout`. Returns what forgets it. */
  #remember(socket: Duplex, ms: number, onTimeout: () => void): () => void {
    const timer = setTimeout(onTimeout, ms);
    const forget = () => {
      clearTimeout(timer);
      this.#pending.delete(socket);
    };
    this.#pending.add(socket);
    socket.on('error', ignore);
    socket.on('close', forget);
    return forget;
  }

  #open(socket: Duplex, opening: Accepted | Refused): void {
    if (socket.destroyed) return; // It has no `close` left to emit: it would be kept for ever.
    if (!opening.accepted) {
      this.#refuse(socket, opening);
      return;
    }
    if (this.#shutdown) {
      const error = new HandshakeError(503, '4.2.2', 'The server is shutting down.');
      this.#refuse(socket, refusedFor(error));
      return;
    }
    (this.#options.attach ?? attach)(
      socket,
      opening,
      (connection, event) => {
        if (event.type === 'close') this.#remove(connection);
        if (event.type === 'open') this.#connections.add(connection);
        this.#handle(connection, event);
      },
      this.#options,
    );
  }

  #remove(connection: Connection): void {
    this.#connections.delete(connection);
    if (this.#connections.size === 0) this.#whenEmpty();
  }

  /**
   * Refuses. Reads on for a while: with unread bytes, closing would be a reset, and lose the
   * response.
   */
  #refuse(socket: Duplex, { answer }: Refused): void {
    this.#remember(socket, this.#options.closeTimeoutMs, () => socket.destroy());
    socket.resume();
    socket.end(answer);
  }

  /** Step 11 · Sends a message to every open connection but `except`, full or not. */
  broadcast(data: string | Uint8Array, except?: Connection): void {
    for (const connection of this.#connections) {
      if (connection !== except) connection.send(data);
    }
  }

  /**
   * Step 11 · Sends 1001 to every client. Resolves when all of them are gone: those that do not
   * respond are dropped after `closeTimeoutMs`. From now on, every request gets a response of 503,
   * also when the promise has resolved. A second call returns the same promise. RFC 6455 §7.4.1
   */
  shutdown(): Promise<void> {
    this.#shutdown ??= new Promise((resolve) => {
      this.#whenEmpty = resolve;
      if (this.#connections.size === 0) resolve();
    });
    for (const socket of this.#pending) socket.destroy();
    for (const connection of this.#connections) connection.close(CloseCode.GoingAway);
    return this.#shutdown;
  }

  /**
   * Step 13 · Takes a socket over from a server of `node:http`, as its `upgrade` event hands it
   * out: the request without a body, and what has been read behind it. Leaves a socket alone that
   * is destroyed already. RFC 6455 §4.2.2
   */
  upgrade(request: IncomingMessage, socket: Duplex, head: Uint8Array): void {
    // A request has a method and a URL. Only a response, which is of the same class, has none.
    const { method, url, httpVersion, headersDistinct } = request as IncomingMessage & {
      method: string;
      url: string;
    };
    const headers = Object.entries(headersDistinct).map(
      ([name, values]) => [name, values ?? []] as const,
    );
    const requestHead: RequestHead = {
      method,
      target: url,
      version: `HTTP/${httpVersion}`,
      headers: new Map(headers),
      length: 0,
    };
    const opening = catchRefusal(() => acceptRequest(requestHead, head, this.#options));
    this.#open(socket, opening);
  }
}

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
import { Todo } from '../../shared/todo.ts';
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
  throw new Todo('05.1');
}

/**
 * Steps 2–5 and 9 · A connection without a socket.
 *
 * Puts reader, send queue and closing handshake together. It never touches the network: `receive`
 * is given bytes, `next` returns events, and `takeOutput` returns the bytes to send.
 */
export class Connection {
  /**
   * Step 2 · Starts after the opening handshake. `now` reads a clock, in milliseconds; `wake` is
   * called whenever there is something new to do: output to take, or a socket to end. An
   * `extension` makes the reader, and the frames of what is sent.
   */
  constructor(limits: Limits, now: () => number, wake: () => void, extension?: Extension) {
    throw new Todo('05.2');
  }

  /** Step 2 · Receives the bytes of one read. Drops them when we no longer listen. */
  receive(chunk: Uint8Array): void {
    throw new Todo('05.2');
  }

  /**
   * Step 2 · Returns what happens next, or `undefined` when more bytes are needed. One event at a
   * time, so that an application can answer a message before the Close behind it is looked at.
   *
   * Pings and Closes are answered here. A peer that breaks a rule fails the connection.
   * RFC 6455 §5.5.1, §5.5.2, §7.1.7
   */
  next(): ConnectionEvent | undefined {
    throw new Todo('05.2');
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
    throw new Todo('05.3');
  }

  /** Step 3 · Sends a message that is cut into frames already, and returns what `send` returns. */
  sendFrames(frames: readonly Frame[]): boolean {
    throw new Todo('05.3');
  }

  /** Step 3 · Says whether an open connection owes a `drain`: a `send` has returned `false`. */
  get owesDrain(): boolean {
    throw new Todo('05.3');
  }

  /**
   * Step 3 · Asks the peer for a Pong. A connection that is closing asks nothing. Throws
   * `RangeError` for a payload of more than 125 bytes. RFC 6455 §5.5.2
   */
  ping(payload?: Uint8Array): void {
    throw new Todo('05.3');
  }

  /**
   * Step 3 · Returns the bytes to write next, `MAX_OUTPUT_BYTES` or a little more, for one write.
   * Empty: nothing waits.
   */
  takeOutput(): Uint8Array {
    throw new Todo('05.3');
  }

  /** Step 3 · Takes out the frames that `takeOutput` writes next. Empty: nothing waits. */
  takeFrames(): Frame[] {
    throw new Todo('05.3');
  }

  /**
   * Step 4 · Starts the closing handshake. Throws `RangeError` for a code that never travels and
   * for a reason of more than 123 bytes. RFC 6455 §7.1.2
   */
  close(code?: number, reason?: string): void {
    throw new Todo('05.4');
  }

  /**
   * Step 4 · Fails the connection: tells the peer why, and the application too. Does nothing when
   * it has failed or closed already. RFC 6455 §7.1.7
   */
  fail(error: unknown): void {
    throw new Todo('05.4');
  }

  /** Step 4 · Is told that the TCP connection is gone. RFC 6455 §7.1.4 */
  disconnect(): void {
    throw new Todo('05.4');
  }

  /**
   * Step 4 · What to do with the TCP connection: `hangUp` ends our side once all output is sent,
   * `destroy` drops it at once. `undefined`: it stays. RFC 6455 §7.1.1
   */
  get ending(): 'hangUp' | 'destroy' | undefined {
    throw new Todo('05.4');
  }

  /**
   * Step 5 · Is told of a sign of life: the peer has sent something, or taken what waited for it.
   */
  heard(): void {
    throw new Todo('05.5');
  }

  /** Step 5 · When to call `checkTime`, on the clock `now`. `undefined`: it is over. */
  get deadline(): number | undefined {
    throw new Todo('05.5');
  }

  /**
   * Step 5 · Does what time demands, when the deadline has come: asks a silent peer for a Pong,
   * and gives up on one that has not answered, or does not close. RFC 6455 §5.5.2, §7.1.1
   */
  checkTime(): void {
    throw new Todo('05.5');
  }

  /** Step 9 · Is told that the socket has room: makes a `drain` that is owed when nothing waits. */
  drained(): void {
    throw new Todo('05.9');
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
  throw new Todo('05.6');
}

/**
 * Steps 10, 11 and 13 · Many connections.
 *
 * Turns sockets into connections, each with a state of its own, and knows those that are open.
 */
export class WebSocketServer {
  /** Step 10 · Makes a server that tells `handle` what happens on each of its connections. */
  constructor(handle: Handler, options: Options = {}) {
    throw new Todo('05.10');
  }

  /** Step 10 · The connections whose TCP connection is there: those that are open, or closing. */
  get connections(): ReadonlySet<Connection> {
    throw new Todo('05.10');
  }

  /**
   * Step 10 · Takes over a socket that somebody has just connected to. Reads the request, however
   * it arrives, and responds to it: with 408 if it takes too long. RFC 6455 §4.2
   */
  accept(socket: Socket): void {
    throw new Todo('05.10');
  }

  /** Step 11 · Sends a message to every open connection but `except`, full or not. */
  broadcast(data: string | Uint8Array, except?: Connection): void {
    throw new Todo('05.11');
  }

  /**
   * Step 11 · Sends 1001 to every client. Resolves when all of them are gone: those that do not
   * respond are dropped after `closeTimeoutMs`. From now on, every request gets a response of 503,
   * also when the promise has resolved. A second call returns the same promise. RFC 6455 §7.4.1
   */
  shutdown(): Promise<void> {
    throw new Todo('05.11');
  }

  /**
   * Step 13 · Takes a socket over from a server of `node:http`, as its `upgrade` event hands it
   * out: the request without a body, and what has been read behind it. Leaves a socket alone that
   * is destroyed already. RFC 6455 §4.2.2
   */
  upgrade(request: IncomingMessage, socket: Duplex, head: Uint8Array): void {
    throw new Todo('05.13');
  }
}

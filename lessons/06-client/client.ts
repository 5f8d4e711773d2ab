import { randomBytes } from 'node:crypto';
import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { connect as connectTcp, isIP, type Socket, type TcpNetConnectOpts } from 'node:net';
import { connect as connectTls } from 'node:tls';
import {
  CloseCode,
  type Extension,
  isControl,
  MAX_CONTROL_PAYLOAD,
  type Message,
  Opcode,
  OpeningError,
  ProtocolError,
  type SendOptions,
} from '../../shared/protocol.ts';
import { Todo } from '../../shared/todo.ts';
import { acceptKey, MAX_HEAD_BYTES } from '../01-handshake/handshake.ts';
import { MAX_MESSAGE_BYTES, MessageReader } from '../02-reading-frames/reading.ts';
import {
  controlFrame,
  encodeMaskedFrame,
  encodeText,
  SendQueue,
} from '../03-sending-frames/sending.ts';
import {
  type Action,
  type CloseResult,
  ClosingHandshake,
  decodeCloseBody,
  encodeCloseBody,
  isWireCode,
  type State,
} from '../04-closing/closing.ts';

/** Where a WebSocket URL leads. */
export interface Target {
  /** The URL as a `WebSocket` shows it: with `ws:` or `wss:`, and written the one usual way. */
  readonly url: string;
  /** Does TLS come first? */
  readonly secure: boolean;
  /** What to connect to: a name or an address, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** For the request: with brackets around IPv6, and the port unless it is the scheme's own. */
  readonly hostHeader: string;
  /** Path and query, such as `/chat?room=1`. */
  readonly resource: string;
}

/** What a client can say in its request besides what it has to. */
export interface RequestOptions {
  /** The subprotocols that we speak, most wanted first. */
  readonly protocols?: readonly string[];
  /** More headers, such as `Cookie` or `Origin`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The extension that we offer. Absent: none. */
  readonly offer?: Offer;
}

/** An extension on offer. RFC 6455 §9.1 */
export interface Offer {
  /** The value of Sec-WebSocket-Extensions in the request. */
  readonly header: string;
  /**
   * Reads what the server has agreed to in its response. `undefined`: to no extension. Throws
   * `OpeningError` for what was not on offer.
   */
  agree(response: ResponseHead): Extension | undefined;
}

/** The head of an HTTP response: everything up to and including the blank line. */
export interface ResponseHead {
  readonly status: number;
  /** Lower-case name → its values, line by line, without the spaces and tabs around them. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  /** Size of the head in bytes. After a 101, what follows is the first WebSocket frame. */
  readonly length: number;
}

/** How much a client puts up with. Beyond 2³¹ − 1 ms, a timer of Node fires at once. */
export interface ClientLimits {
  /** The longest head of a response, in bytes, interim responses included. */
  readonly maxHeadBytes: number;
  /** How long it can take until the WebSocket is open: TCP, TLS and the response. */
  readonly openTimeoutMs: number;
  /** The longest message that a server may send, in bytes. */
  readonly maxMessageBytes: number;
  /** How long a server can take for each thing we wait for while closing. */
  readonly closeTimeoutMs: number;
}

/** What a client puts up with unless told otherwise. */
export const CLIENT_LIMITS: ClientLimits = {
  maxHeadBytes: MAX_HEAD_BYTES,
  openTimeoutMs: 10_000,
  maxMessageBytes: MAX_MESSAGE_BYTES,
  closeTimeoutMs: 5_000,
};

/** All that a client can be told besides the URL. */
export interface ClientOptions extends RequestOptions, Partial<ClientLimits> {
  /** Certificates of authorities to trust instead of Node's own list, in PEM. */
  readonly ca?: string | readonly string[];
}

/** What an application hears of its connection. */
export type ClientEvent =
  /** The server has agreed. */
  | { readonly type: 'open'; readonly protocol: string | undefined }
  /** A message has arrived, or the answer to a Ping. */
  | Extract<Message, { readonly type: 'text' | 'binary' | 'pong' }>
  /** It failed: refused, too slow, lost, or one of us broke a rule. `close` follows. */
  | { readonly type: 'error'; readonly error: unknown }
  /** The TCP connection is gone. Always the last. */
  | ({ readonly type: 'close' } & CloseResult);

/** What an application does with its connection. */
export type ClientHandler = (connection: ClientConnection, event: ClientEvent) => void;

/**
 * Step 1 · Where a URL leads.
 *
 * Takes a `ws:` or `wss:` URL apart, and reads it as `new URL` does: what isn't ASCII comes out
 * encoded, `..` is resolved, line breaks are gone. `http:` and `https:` mean the same two. A user
 * and a password stay in `url`, and are in no other field. A `?` without a query stays in `url`,
 * too, and isn't a part of the resource.
 *
 * Throws a `DOMException` named `SyntaxError` for what isn't an absolute URL, another scheme, and a
 * fragment, even an empty one. RFC 6455 §3
 */
export function parseUrl(text: string): Target {
  throw new Todo('06.1');
}

/**
 * Step 2 · A key.
 *
 * Makes a `Sec-WebSocket-Key`, a new one for each connection: 16 bytes that nobody can guess, from
 * one call of `random`, in base64. RFC 6455 §4.1
 */
export function newKey(random: (size: number) => Uint8Array = randomBytes): string {
  throw new Todo('06.2');
}

/**
 * Step 2 · The request.
 *
 * Writes the request that asks for a WebSocket: a GET of the resource in HTTP/1.1, then Host,
 * Upgrade, Connection, Sec-WebSocket-Key, Sec-WebSocket-Version, Sec-WebSocket-Protocol if there
 * are subprotocols, Sec-WebSocket-Extensions if there is an offer, each on one line, and the
 * headers of the options, one byte for each of their characters. Nothing else: no Origin, for
 * example, unless the options have one. Their order is free.
 *
 * Throws a `DOMException` named `SyntaxError` for subprotocols that aren't tokens or not all
 * different, and `TypeError` for a header whose name isn't a token or is ours to write: Host,
 * Upgrade, Connection and all of `Sec-WebSocket-`, in any case; and for one whose value has a
 * control character in it, apart from the tab, or a character that isn't one byte. RFC 6455 §4.1
 */
export function openingRequest(
  target: Target,
  key: string,
  { protocols = [], headers = {}, offer }: RequestOptions = {},
): Uint8Array {
  throw new Todo('06.2');
}

/**
 * Step 3 · A response out of a stream of bytes.
 *
 * Reads the head of an HTTP response from all the bytes that have arrived so far, and keeps none of
 * them. Returns `undefined` while the blank line that ends it is still missing.
 *
 * Throws `OpeningError` when the head has not ended within `maxHeadBytes`, and for one that isn't
 * HTTP: a status line that isn't `HTTP/1.1` or `HTTP/1.0`, one space and three digits, with nothing
 * behind them or a space and a phrase, which may be empty; a name that isn't a token; a control
 * character in a phrase or a value, apart from the tab. RFC 6455 §4.1
 */
export function parseResponse(
  bytes: Uint8Array,
  maxHeadBytes = MAX_HEAD_BYTES,
): ResponseHead | undefined {
  throw new Todo('06.3');
}

/**
 * Step 4 · Is this a yes?
 *
 * Checks every rule that the server's response has to follow: `key` is the one we sent, and
 * `protocols` the subprotocols that we offered. Returns the one that the server has chosen.
 * `undefined`: we offered none.
 *
 * Throws `OpeningError` with the response's status and headers for
 * - a status that isn't 101: nobody follows a redirect here, or tries again with a password,
 * - no single Upgrade that is `websocket` in any case,
 * - no `Upgrade` among the items of Connection, in any case and on any of its lines,
 * - no single Sec-WebSocket-Accept that proves our key,
 * - an extension or an empty list of them, unless `hasOffered`: then, who offered it looks at it,
 * - a subprotocol that we didn't offer, letter by letter, more than one, and none at all when we
 *   offered some. RFC 6455 §4.1
 */
export function checkResponse(
  head: ResponseHead,
  key: string,
  protocols: readonly string[] = [],
  hasOffered = false,
): string | undefined {
  throw new Todo('06.4');
}

/**
 * Steps 5 and 6 · A connection without a socket.
 *
 * The client's side of a connection, from the request to the end. It never touches the network:
 * `receive` is given bytes, `next` returns events, and `takeOutput` returns the bytes to send.
 */
export class ClientConnection {
  /**
   * Step 5 · Starts with the request, and the time it may take to be open. `now` reads a clock, in
   * milliseconds. `wake` is called whenever there is something new to do: output to take, an event,
   * or a socket to end. The keys are made of `random(size)`, which returns `size` bytes that nobody
   * can guess. Throws what `openingRequest` throws.
   */
  constructor(
    target: Target,
    options: ClientOptions,
    now: () => number,
    wake: () => void,
    random: (size: number) => Uint8Array = randomBytes,
  ) {
    throw new Todo('06.5');
  }

  /**
   * Step 5 · How far the connection is from its end: `CONNECTING` until it is open or has failed.
   */
  get state(): 'CONNECTING' | State {
    throw new Todo('06.5');
  }

  /**
   * Step 5 · Receives the bytes of one read. Drops them when we no longer listen. The chunk stays
   * its caller's, who can overwrite it.
   */
  receive(chunk: Uint8Array): void {
    throw new Todo('06.5');
  }

  /**
   * Step 5 · Returns what happens next, or `undefined` when more bytes are needed. One event at a
   * time, so that an application can answer a message before the Close behind it is looked at.
   *
   * A response with a status below 200, other than 101, is interim: it is skipped, and counts
   * towards `maxHeadBytes`. Pings and Closes are answered here. A response that isn't a yes and a
   * server that breaks a rule fail the connection. RFC 6455 §4.1, §5.5.1, §5.5.2, §7.1.7
   */
  next(): ClientEvent | undefined {
    throw new Todo('06.5');
  }

  /**
   * Step 5 · Sends a message in one frame: a string as text, bytes as binary. The bytes are neither
   * copied nor changed: leave them alone until `takeOutput` has returned their frame. Returns
   * `false` for a message that is not sent, because the connection is not open. Throws `TypeError`
   * for text with half of a surrogate pair in it. The options are for the extension. RFC 6455 §5.6,
   * §6.1
   */
  send(data: string | Uint8Array, options?: SendOptions): boolean {
    throw new Todo('06.5');
  }

  /**
   * Step 5 · Asks the server for a Pong, when the connection is open. The payload is left alone as
   * with `send`. Throws `RangeError` for one of more than 125 bytes. RFC 6455 §5.5.2
   */
  ping(payload: Uint8Array = new Uint8Array(0)): void {
    throw new Todo('06.5');
  }

  /**
   * Step 5 · Returns what to write next, for one write: the request, or one whole masked frame. The
   * array is the caller's, and nothing changes in it later. `undefined`: nothing waits, or the
   * server has not answered yet. RFC 6455 §4.1, §5.3, §10.3
   */
  takeOutput(): Uint8Array | undefined {
    throw new Todo('06.5');
  }

  /** Step 5 · Is told that the first output that was taken and not yet reported has been sent. */
  sent(): void {
    throw new Todo('06.5');
  }

  /** Step 5 · The payloads of all messages that have not been sent, in bytes. */
  get bufferedBytes(): number {
    throw new Todo('06.5');
  }

  /**
   * Step 6 · Starts the closing handshake: our Close goes after the messages that were sent before,
   * and is empty without a code. Then waits for the server, who closes the TCP connection first.
   * Before the server has answered, it fails with an `OpeningError`. Does nothing when it is
   * closing already. Throws `RangeError` for a code that never travels and for a reason of more
   * than 123 bytes, and `TypeError` for a reason without a code. RFC 6455 §7.1.1, §7.1.2
   */
  close(code?: number, reason?: string): void {
    throw new Todo('06.6');
  }

  /**
   * Step 6 · Fails the connection: tells the application why, and, if the server has agreed to a
   * WebSocket, the server too, with a Close; then it hangs up, and otherwise TCP is destroyed. Does
   * nothing when it has failed or closed already. RFC 6455 §7.1.7
   */
  fail(error: unknown): void {
    throw new Todo('06.6');
  }

  /**
   * Step 6 · Is told that the TCP connection is gone, and why if that is known. What arrived before
   * is still told, and then the `close`. Without a Close of the server, and while we still waited
   * for one, it has failed: an `error` comes before, an `OpeningError` if it never was open, with
   * `cause` as its cause. RFC 6455 §7.1.4, §7.2.1
   */
  disconnect(cause?: unknown): void {
    throw new Todo('06.6');
  }

  /**
   * Step 6 · What to do with the TCP connection: `hangUp` ends our side once all output is sent,
   * `destroy` drops it at once. `undefined`: it stays. It says the same when TCP is gone.
   * RFC 6455 §7.1.1
   */
  get ending(): 'hangUp' | 'destroy' | undefined {
    throw new Todo('06.6');
  }

  /**
   * Step 6 · When to call `checkTime`, on the clock `now`: `openTimeoutMs` after the start,
   * whatever arrives; `closeTimeoutMs` after the closing began, and again after the server's Close
   * or a failure. `undefined`: we wait for nothing.
   */
  get deadline(): number | undefined {
    throw new Todo('06.6');
  }

  /**
   * Step 6 · Gives up on a server that has taken too long, from the deadline on: TCP is destroyed.
   * Before it is open, that's a failure, with an `OpeningError`; while closing, no `error` is told.
   * RFC 6455 §7.1.1
   */
  checkTime(): void {
    throw new Todo('06.6');
  }
}

/**
 * Step 7 · On a socket.
 *
 * Connects to the server that a URL names, over TLS for `wss:`, and puts a `ClientConnection` on
 * the socket. TLS is told the host if that is a name, and the server's certificate has to be one
 * that we trust, for this host: nothing is sent before. A name may have addresses of both families,
 * and only one of them may have a server.
 *
 * To one address and port, one connection at a time is being opened: others wait until it is open
 * or has ended, however it is called, and their time to open runs meanwhile.
 *
 * Each event goes to `handle` in a task of its own, so that all that follows from one is done
 * before the next: nothing is heard before this function has returned. No more is read until the
 * events of one read have been told. Each output is written by itself, as long as the socket has
 * room, and leaves at once, without TCP's delay for small ones (`noDelay`).
 *
 * A server that ends its side without a Close is gone, even if it still reads: no output waits for
 * it. One that ends it after its Close still gets all that waits. An error of the socket is the
 * `cause` of the one that is told. Nothing is left of a connection that has ended, no timer either.
 *
 * An error that `handle` throws fails the connection, and the server gets a Close with 1011; at an
 * `error` or `close` event it is thrown on. Throws what `parseUrl` and `openingRequest` throw.
 * RFC 6455 §4.1, §7.2.1, §10.6
 */
export function connect(
  url: string,
  options: ClientOptions,
  handle: ClientHandler,
): ClientConnection {
  throw new Todo('06.7');
}

/** What a `WebSocket` sends: text, or bytes in any of their forms. */
export type WebSocketData = string | ArrayBuffer | ArrayBufferView<ArrayBuffer> | Blob;

/** What `onclose` is told. Not every Node has a class for it. */
export type CloseEvent = Event & CloseResult;

/** A function that is told of one kind of event, as with `onmessage`. */
export type Listener<E extends Event> = ((this: WebSocket, event: E) => void) | null;

/**
 * Step 8 · The class that every browser has.
 *
 * A connection as a page knows it, by the WHATWG's standard: an `EventTarget` with the events
 * `open`, `message`, `error` and `close`, and the constants `CONNECTING`, `OPEN`, `CLOSING` and
 * `CLOSED`, 0 to 3, on the class and on each object. For each event there's a property such as
 * `onopen`: one listener, which another can replace in its place, and `null` when there is none.
 *
 * Each event is told in a task of its own, never inside a call, but an `error` can share the task
 * of its `close`. `readyState` has changed before. Messages are told while it's OPEN, as a
 * `MessageEvent` with the `origin` of the URL. Every failure is the same: when TCP is gone, an
 * `error` that has nothing to say, and then a `close` with 1006. A page that heard why could look
 * around in its user's network.
 */
export class WebSocket extends EventTarget {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSING = 2;
  static readonly CLOSED = 3;
  readonly CONNECTING = 0;
  readonly OPEN = 1;
  readonly CLOSING = 2;
  readonly CLOSED = 3;
  declare onopen: Listener<Event>;
  declare onmessage: Listener<MessageEvent>;
  declare onerror: Listener<Event>;
  declare onclose: Listener<CloseEvent>;

  /**
   * Step 8 · Connects to a URL, and offers one subprotocol or several. `options` is what a browser
   * decides by itself.
   *
   * Throws `TypeError` without a URL, and a `DOMException` named `SyntaxError` for a URL that
   * `parseUrl` refuses, and for subprotocols that aren't tokens or not all different.
   */
  constructor(
    url: string | URL,
    protocols: string | readonly string[] = [],
    options: Omit<ClientOptions, 'protocols'> = {},
  ) {
    super();
    throw new Todo('06.8');
  }

  /** Step 8 · The URL, written the one usual way. */
  get url(): string {
    throw new Todo('06.8');
  }

  /** Step 8 · The subprotocol that the server chose. Empty: none, or it has not answered yet. */
  get protocol(): string {
    throw new Todo('06.8');
  }

  /** Step 8 · The extensions that the server chose: none. */
  get extensions(): string {
    throw new Todo('06.8');
  }

  /** Step 8 · `CONNECTING`, `OPEN`, `CLOSING` or `CLOSED`. */
  get readyState(): number {
    throw new Todo('06.8');
  }

  /**
   * Step 8 · The payloads of all messages that have not been sent, in bytes. Those that were never
   * sent because the connection was closing count for ever.
   */
  get bufferedAmount(): number {
    throw new Todo('06.8');
  }

  /**
   * Step 8 · What the data of a binary message is, at first a Blob. Another value than these two
   * changes nothing.
   */
  get binaryType(): 'blob' | 'arraybuffer' {
    throw new Todo('06.8');
  }

  set binaryType(type: 'blob' | 'arraybuffer') {
    throw new Todo('06.8');
  }

  /**
   * Step 8 · Sends a message, as it is now: later changes to the bytes change nothing. What is
   * neither bytes nor a Blob is sent as text, with U+FFFD for half of a surrogate pair. Messages
   * keep their order, though a Blob has to be read first; one that cannot be read fails the
   * connection. Once the connection is closing, they are dropped.
   *
   * Throws a `DOMException` named `InvalidStateError` before the connection is open.
   */
  send(data: WebSocketData): void {
    throw new Todo('06.8');
  }

  /**
   * Step 8 · Starts the closing handshake, after all that was sent before. Without a code, our
   * Close is empty; a reason without a code gets 1000, and half of a surrogate pair in it is
   * U+FFFD. Before the connection is open, it fails. Does nothing when it is closing already.
   *
   * A code is what `Number` makes of it, to the nearest whole one, and not below 0 or above 65,535.
   * At any time, throws a `DOMException` named `InvalidAccessError` for one that is neither 1000
   * nor 3000–4999, and one named `SyntaxError` for a reason of more than 123 bytes.
   */
  close(code?: number, reason = ''): void {
    throw new Todo('06.8');
  }
}

/** What reconnecting needs of the world. */
export interface Timing {
  /** Reads a clock, in milliseconds. */
  now(): number;
  /** Returns a random number from 0 up to, not including, 1. */
  random(): number;
  /** Calls back once, after so many milliseconds. Returns what prevents it. */
  after(ms: number, callback: () => void): () => void;
}

/** The world as it is. */
export const SYSTEM_TIMING: Timing = {
  now: () => performance.now(),
  random: Math.random,
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

/** The first attempt to come back waits no longer than this, in milliseconds. RFC 6455 §7.2.3 */
export const FIRST_DELAY_MS = 5_000;

/** No later attempt waits longer than this, in milliseconds. */
export const MAX_DELAY_MS = 30_000;

/** A connection that lasted so long was a good one: the next attempt is a first one again. */
export const GOOD_LIFE_MS = 5_000;

/**
 * Step 9 · How long to wait.
 *
 * Returns the milliseconds before an attempt to connect again: a random share of 5 seconds for the
 * first, `attempt` 0, and then of 2 seconds, of 4, of 8 and so on, up to 30. RFC 6455 §7.2.3
 */
export function nextDelayMs(attempt: number, random: () => number = Math.random): number {
  throw new Todo('06.9');
}

/**
 * Step 9 · Whether to try again.
 *
 * Says whether a connection that ended so is worth another: after 1001, 1005, 1006 and 1011–1014,
 * but not when the server has answered the request with a status below 500. `error` is what was
 * told before the end.
 */
export function shouldRetry({ code }: Pick<CloseResult, 'code'>, error?: unknown): boolean {
  throw new Todo('06.9');
}

/**
 * Step 9 · Coming back.
 *
 * Keeps one connection. When it ends in a way that is worth a retry, makes another after
 * `nextDelayMs`. The attempts are counted from 0, and from 0 again after a connection that was open
 * for `GOOD_LIFE_MS`. A refusal with a `Retry-After` in seconds makes all of that begin so much
 * later, an hour at most.
 *
 * `open` makes a connection and tells its handler what happens, never before it has returned. After
 * its `close` event, a connection is not listened to: a second end would make a second connection.
 * What `handle` throws is thrown on, and changes nothing else. RFC 6455 §7.2.3
 */
export class Reconnecting {
  /** Step 9 · Makes the first connection at once, and tells `handle` what happens on each. */
  constructor(
    open: (handle: ClientHandler) => ClientConnection,
    handle: ClientHandler,
    timing: Timing = SYSTEM_TIMING,
  ) {
    throw new Todo('06.9');
  }

  /** Step 9 · The present connection. Between two, the one that has ended. */
  get connection(): ClientConnection {
    throw new Todo('06.9');
  }

  /** Step 9 · Closes the connection, and makes no other: a delay that is under way ends now. */
  close(code?: number, reason?: string): void {
    throw new Todo('06.9');
  }
}

/** The longest message that a debugger may send, in bytes: a picture or a profile is long. */
export const MAX_DEVTOOLS_MESSAGE_BYTES = 256 * 1024 * 1024;

/** How many bytes Node's debugger reads at a time. */
export const READ_BYTES = 65_536;

/** When so many bytes of a frame or fewer are left for the next read, that debugger can crash. */
export const CUT_BYTES = 10;

/**
 * Step 10 · The remote control of a debugger.
 *
 * Speaks the DevTools Protocol: JSON, each message in one text frame. A request has an id of its
 * own, a whole number, with a method and its params; its response has the same id, and what has no
 * id is an event. Sends no Pings and no fragments, since a debugger hangs up at both.
 */
export class DevTools {
  /**
   * Step 10 · Connects to a debugger, whose messages can have up to `MAX_DEVTOOLS_MESSAGE_BYTES`.
   * Each event goes to `onEvent`. What is not JSON fails the connection. Throws what `parseUrl`
   * throws.
   */
  constructor(url: string, onEvent: (method: string, params: unknown) => void = () => {}) {
    throw new Todo('06.10');
  }

  /**
   * Step 10 · Asks for something, such as `Runtime.evaluate`. Before the connection is open, the
   * request waits for that. Resolves with the result.
   *
   * Node's debugger reads `READ_BYTES` at a time, and crashes when only the last bytes of a frame,
   * `CUT_BYTES` or fewer, are left for the next read. A request that would end so gets spaces
   * behind its JSON, which mean nothing.
   *
   * Rejects with an `Error` when the debugger refuses, with its message, and its `code` as the
   * `cause`; and when the connection has ended, or does before the response: then the error of the
   * connection, if there was one, is the `cause`.
   */
  // biome-ignore lint/suspicious/noExplicitAny: each method has a result of its own.
  request(method: string, params: object = {}): Promise<any> {
    throw new Todo('06.10');
  }

  /** Step 10 · Resolves when the connection has ended, in whatever way. */
  get ended(): Promise<void> {
    throw new Todo('06.10');
  }

  /** Step 10 · Closes the connection with 1000. Resolves when it has ended. */
  close(): Promise<void> {
    throw new Todo('06.10');
  }
}

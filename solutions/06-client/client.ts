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

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** What the value of a header can be: bytes, none of them a control character but the tab. */
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
/** The headers that are ours to write. */
const OUR_HEADER = /^(host|upgrade|connection|sec-websocket-.*)$/i;

const invalid = (message: string) => new DOMException(message, 'SyntaxError');

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
  const url = readUrl(text);
  if (url.protocol === 'http:') url.protocol = 'ws:';
  if (url.protocol === 'https:') url.protocol = 'wss:';
  if (url.protocol !== 'ws:' && url.protocol !== 'wss:') {
    throw invalid(`A WebSocket URL begins with ws: or wss:, not ${url.protocol}`);
  }
  // `hash` is empty for an empty fragment, too.
  if (url.href.includes('#')) throw invalid('A WebSocket URL has no fragment.');
  const secure = url.protocol === 'wss:';
  return {
    url: url.href,
    secure,
    host: url.hostname.replace(/[[\]]/g, ''),
    port: Number(url.port || (secure ? 443 : 80)),
    hostHeader: url.host,
    resource: url.pathname + url.search,
  };
}

/** Asks nobody first: on Node 20 and 22, `URL.canParse` comes to refuse `ü` after 4,000 calls. */
function readUrl(text: string): URL {
  try {
    return new URL(text);
  } catch {
    throw invalid(`${JSON.stringify(text)} is not a URL.`);
  }
}

/**
 * Step 2 · A key.
 *
 * Makes a `Sec-WebSocket-Key`, a new one for each connection: 16 bytes that nobody can guess, from
 * one call of `random`, in base64. RFC 6455 §4.1
 */
export function newKey(random: (size: number) => Uint8Array = randomBytes): string {
  return Buffer.from(random(16)).toString('base64');
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
  if (!protocols.every((name) => TOKEN.test(name)) || new Set(protocols).size < protocols.length) {
    throw invalid('The subprotocols have to be different tokens.');
  }
  for (const [name, value] of Object.entries(headers)) {
    if (!TOKEN.test(name) || OUR_HEADER.test(name) || !HEADER_VALUE.test(value)) {
      throw new TypeError(`The header ${JSON.stringify(name)} cannot be sent as it is.`);
    }
  }
  const lines = [
    `GET ${target.resource} HTTP/1.1`,
    `Host: ${target.hostHeader}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Key: ${key}`,
    'Sec-WebSocket-Version: 13',
    ...(protocols.length > 0 ? [`Sec-WebSocket-Protocol: ${protocols.join(', ')}`] : []),
    ...(offer ? [`Sec-WebSocket-Extensions: ${offer.header}`] : []),
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
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
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    .subarray(0, maxHeadBytes)
    .toString('latin1');
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) {
    if (bytes.length < maxHeadBytes) return undefined;
    throw new OpeningError('10.4', `The head is longer than ${maxHeadBytes} bytes.`);
  }
  const lines = text.slice(0, end).split('\r\n');
  const statusLine = lines[0]!;
  const status = /^HTTP\/1\.[01] (\d{3})(?: .*)?$/s.exec(statusLine)?.[1];
  if (status === undefined || !HEADER_VALUE.test(statusLine)) {
    throw new OpeningError('4.1', 'The status line is not one of HTTP/1.1.');
  }
  const headers = new Map<string, string[]>();
  for (const line of lines.slice(1)) {
    const [name, value] = parseHeader(line);
    const values = headers.get(name);
    if (values) values.push(value);
    else headers.set(name, [value]);
  }
  return { status: Number(status), headers, length: end + 4 };
}

/** Splits `Name: value` at its first colon. */
function parseHeader(line: string): [name: string, value: string] {
  const colon = line.indexOf(':');
  const name = line.slice(0, Math.max(colon, 0));
  if (!TOKEN.test(name)) {
    throw new OpeningError('4.1', 'A header line does not start with a name and a colon.');
  }
  const value = trim(line.slice(colon + 1));
  if (!HEADER_VALUE.test(value)) {
    throw new OpeningError('4.1', `The value of ${name} has a control character in it.`);
  }
  return [name.toLowerCase(), value];
}

/** Trims spaces and tabs, the white space of HTTP, and no other. */
function trim(text: string): string {
  // Looking behind, it tries a run of spaces once, and not again from each of them.
  return text.replace(/^[ \t]+|(?<![ \t])[ \t]+$/g, '');
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
  const valuesOf = (name: string) => head.headers.get(name) ?? [];
  const refuse = (section: string, message: string) => new OpeningError(section, message, head);
  if (head.status !== 101) throw refuse('4.1', `The server says ${head.status}, and not 101.`);
  if (valuesOf('upgrade').join().toLowerCase() !== 'websocket') {
    throw refuse('4.1', 'Upgrade is not `websocket`.');
  }
  const connection = valuesOf('connection').join().toLowerCase().split(',').map(trim);
  if (!connection.includes('upgrade')) throw refuse('4.1', 'Connection lacks `Upgrade`.');
  if (valuesOf('sec-websocket-accept').join() !== acceptKey(key)) {
    throw refuse('4.1', 'Sec-WebSocket-Accept does not prove that the server has read our key.');
  }
  if (!hasOffered && valuesOf('sec-websocket-extensions').length > 0) {
    throw refuse('9.1', 'The server uses an extension that nobody asked for.');
  }
  const [protocol, ...others] = valuesOf('sec-websocket-protocol');
  const isOurs = protocol === undefined ? protocols.length === 0 : protocols.includes(protocol);
  if (!isOurs || others.length > 0) throw refuse('4.1', 'That is not one subprotocol of ours.');
  return protocol;
}

/**
 * Steps 5 and 6 · A connection without a socket.
 *
 * The client's side of a connection, from the request to the end. It never touches the network:
 * `receive` is given bytes, `next` returns events, and `takeOutput` returns the bytes to send.
 */
export class ClientConnection {
  readonly #limits: ClientLimits;
  readonly #protocols: readonly string[];
  readonly #key: string;
  readonly #now: () => number;
  readonly #wake: () => void;
  readonly #random: (size: number) => Uint8Array;
  readonly #offer: Offer | undefined;
  /** What the server has agreed to. `undefined`: nothing, or it has not answered yet. */
  #extension: Extension | undefined;
  #reader: Pick<MessageReader, 'push' | 'read'>;
  readonly #queue = new SendQueue();
  readonly #closing: ClosingHandshake;
  /** Events of our own. */
  readonly #events: ClientEvent[] = [];
  /** When the opening is given up, on the clock `#now`. */
  readonly #openUntil: number;
  /** The request, until it is taken. */
  #request: Uint8Array | undefined;
  /** What has arrived of the response. `undefined`: the opening is over. */
  #response: Uint8Array | undefined = new Uint8Array(0);
  /** How many bytes of interim responses have been dropped. */
  #interimBytes = 0;
  #bufferedBytes = 0;
  /** The bytes of each message that has not been taken. */
  readonly #waiting: number[] = [];
  /** The bytes of messages in each piece of output that has been taken and not been sent. */
  readonly #onTheirWay: number[] = [];
  #ending: 'hangUp' | 'destroy' | undefined;
  /** The end of the TCP connection, and what is known of it. `undefined`: it is there. */
  #lost: { readonly cause: unknown } | undefined;
  /** Has the end been told? */
  #isOver = false;

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
    this.#limits = { ...CLIENT_LIMITS, ...options };
    this.#protocols = options.protocols ?? [];
    this.#offer = options.offer;
    this.#key = newKey(random);
    this.#request = openingRequest(target, this.#key, options);
    this.#now = now;
    this.#wake = wake;
    this.#random = random;
    this.#reader = new MessageReader('client', this.#limits.maxMessageBytes);
    this.#closing = new ClosingHandshake('client', this.#limits.closeTimeoutMs, now);
    this.#openUntil = now() + this.#limits.openTimeoutMs;
  }

  /**
   * Step 5 · How far the connection is from its end: `CONNECTING` until it is open or has failed.
   */
  get state(): 'CONNECTING' | State {
    return this.#response ? 'CONNECTING' : this.#closing.state;
  }

  /**
   * Step 5 · Receives the bytes of one read. Drops them when we no longer listen. The chunk stays
   * its caller's, who can overwrite it.
   */
  receive(chunk: Uint8Array): void {
    // Joined again with each read. `maxHeadBytes` bounds what that can cost.
    if (this.#response) this.#response = Buffer.concat([this.#response, chunk]);
    else if (this.#closing.isListening) this.#reader.push(chunk);
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
    try {
      const event = this.#response ? this.#open(this.#response) : this.#read();
      if (event) return event;
    } catch (error) {
      this.fail(error);
    }
    if (this.#lost) this.#end(this.#lost.cause);
    return this.#events.shift();
  }

  #open(response: Uint8Array): ClientEvent | undefined {
    const { maxHeadBytes } = this.#limits;
    const head = parseResponse(response, maxHeadBytes - this.#interimBytes);
    if (head === undefined) return undefined;
    const rest = response.subarray(head.length);
    if (head.status < 200 && head.status !== 101) {
      // An interim response, such as 103: the one that counts is behind it.
      this.#interimBytes += head.length;
      this.#response = rest;
      return this.#open(rest);
    }
    const protocol = checkResponse(head, this.#key, this.#protocols, this.#offer !== undefined);
    this.#extension = this.#offer?.agree(head);
    if (this.#extension) {
      this.#reader = this.#extension.readerFor(this.#limits.maxMessageBytes);
    }
    this.#response = undefined;
    this.#reader.push(rest);
    return { type: 'open', protocol };
  }

  #read(): ClientEvent | undefined {
    while (this.#closing.isListening) {
      const message = this.#reader.read();
      if (message === undefined) return undefined;
      if (message.type === 'ping') this.#control(Opcode.Pong, message.payload);
      else if (message.type === 'close') this.#answerClose(message.payload);
      else return message;
    }
    return undefined;
  }

  #answerClose(payload: Uint8Array): void {
    const body = decodeCloseBody(payload);
    if (body && !isWireCode(body.code)) {
      // `receiveClose` would keep it to itself, and the application would not hear of it.
      const message = `A Close frame cannot carry the code ${body.code}.`;
      throw new ProtocolError(CloseCode.ProtocolError, '7.4', message);
    }
    this.#perform(this.#closing.receiveClose(payload));
  }

  /**
   * Step 5 · Sends a message in one frame: a string as text, bytes as binary. The bytes are neither
   * copied nor changed: leave them alone until `takeOutput` has returned their frame. Returns
   * `false` for a message that is not sent, because the connection is not open. Throws `TypeError`
   * for text with half of a surrogate pair in it. The options are for the extension. RFC 6455 §5.6,
   * §6.1
   */
  send(data: string | Uint8Array, options?: SendOptions): boolean {
    const isText = typeof data === 'string';
    const payload = isText ? encodeText(data) : data;
    if (this.state !== 'OPEN') return false;
    const opcode = isText ? Opcode.Text : Opcode.Binary;
    const frames = this.#extension?.framesFor(opcode, payload, Number.MAX_SAFE_INTEGER, options);
    this.#queue.addMessage(frames ?? [{ fin: true, opcode, payload }]);
    this.#waiting.push(payload.length);
    this.#bufferedBytes += payload.length;
    this.#wake();
    return true;
  }

  /**
   * Step 5 · Asks the server for a Pong, when the connection is open. The payload is left alone as
   * with `send`. Throws `RangeError` for one of more than 125 bytes. RFC 6455 §5.5.2
   */
  ping(payload: Uint8Array = new Uint8Array(0)): void {
    if (this.state === 'OPEN') this.#control(Opcode.Ping, payload);
  }

  #control(opcode: number, payload: Uint8Array): void {
    this.#queue.addControl(controlFrame(opcode, payload));
    this.#wake();
  }

  /**
   * Step 5 · Returns what to write next, for one write: the request, or one whole masked frame. The
   * array is the caller's, and nothing changes in it later. `undefined`: nothing waits, or the
   * server has not answered yet. RFC 6455 §4.1, §5.3, §10.3
   */
  takeOutput(): Uint8Array | undefined {
    if (this.#response) {
      const request = this.#request;
      this.#request = undefined;
      if (request) this.#onTheirWay.push(0);
      return request;
    }
    const frame = this.#queue.next();
    if (frame === undefined) return undefined;
    this.#onTheirWay.push(isControl(frame.opcode) ? 0 : (this.#waiting.shift() ?? 0));
    return encodeMaskedFrame(frame, this.#random);
  }

  /** Step 5 · Is told that the first output that was taken and not yet reported has been sent. */
  sent(): void {
    this.#bufferedBytes -= this.#onTheirWay.shift() ?? 0;
  }

  /** Step 5 · The payloads of all messages that have not been sent, in bytes. */
  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  /**
   * Step 6 · Starts the closing handshake: our Close goes after the messages that were sent before,
   * and is empty without a code. Then waits for the server, who closes the TCP connection first.
   * Before the server has answered, it fails with an `OpeningError`. Does nothing when it is
   * closing already. Throws `RangeError` for a code that never travels and for a reason of more
   * than 123 bytes, and `TypeError` for a reason without a code. RFC 6455 §7.1.1, §7.1.2
   */
  close(code?: number, reason?: string): void {
    if (this.#response) {
      this.fail(new OpeningError('4.1', 'It was closed before it was open.'));
      return;
    }
    const body = encodeCloseBody(code, reason);
    // Its own Close would say 1000 where we say nothing.
    const isFirst = this.#closing.close(code, reason).length > 0;
    if (isFirst) this.#perform([{ type: 'sendClose', body }]);
  }

  /**
   * Step 6 · Fails the connection: tells the application why, and, if the server has agreed to a
   * WebSocket, the server too, with a Close; then it hangs up, and otherwise TCP is destroyed. Does
   * nothing when it has failed or closed already. RFC 6455 §7.1.7
   */
  fail(error: unknown): void {
    const actions = this.#closing.fail(error);
    if (actions.length > 0) this.#events.push({ type: 'error', error });
    const hasAgreed = this.#response === undefined;
    this.#response = undefined;
    // A server that hasn't agreed knows nothing of frames.
    this.#perform(hasAgreed ? actions : [{ type: 'destroy' }]);
  }

  /**
   * Step 6 · Is told that the TCP connection is gone, and why if that is known. What arrived before
   * is still told, and then the `close`. Without a Close of the server, and while we still waited
   * for one, it has failed: an `error` comes before, an `OpeningError` if it never was open, with
   * `cause` as its cause. RFC 6455 §7.1.4, §7.2.1
   */
  disconnect(cause?: unknown): void {
    this.#lost ??= { cause };
    this.#wake();
  }

  #end(cause: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#closing.isListening) {
      const message = 'The connection was lost.';
      const error = this.#response
        ? new OpeningError('4.1', message, undefined, cause)
        : new Error(message, { cause });
      this.#events.push({ type: 'error', error });
    }
    this.#response = undefined;
    this.#closing.disconnect();
    this.#events.push({ type: 'close', ...this.#closing.result! });
  }

  /**
   * Step 6 · What to do with the TCP connection: `hangUp` ends our side once all output is sent,
   * `destroy` drops it at once. `undefined`: it stays. It says the same when TCP is gone.
   * RFC 6455 §7.1.1
   */
  get ending(): 'hangUp' | 'destroy' | undefined {
    return this.#ending;
  }

  /**
   * Step 6 · When to call `checkTime`, on the clock `now`: `openTimeoutMs` after the start,
   * whatever arrives; `closeTimeoutMs` after the closing began, and again after the server's Close
   * or a failure. `undefined`: we wait for nothing.
   */
  get deadline(): number | undefined {
    return this.#response ? this.#openUntil : this.#closing.deadline;
  }

  /**
   * Step 6 · Gives up on a server that has taken too long, from the deadline on: TCP is destroyed.
   * Before it is open, that's a failure, with an `OpeningError`; while closing, no `error` is told.
   * RFC 6455 §7.1.1
   */
  checkTime(): void {
    if (!this.#response) this.#perform(this.#closing.checkDeadline());
    else if (this.#now() >= this.#openUntil) {
      this.fail(new OpeningError('4.1', 'The server has not answered in time.'));
    }
  }

  #perform(actions: readonly Action[]): void {
    for (const action of actions) {
      if (action.type === 'sendClose') this.#control(Opcode.Close, action.body);
      else this.#ending = action.type;
    }
    this.#wake();
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
  return new Attachment(parseUrl(url), options, handle).connection;
}

/** A connection and its socket. */
class Attachment {
  readonly connection: ClientConnection;
  readonly #handle: ClientHandler;
  /** `undefined`: we have not begun to connect. */
  #socket: Socket | undefined;
  /** The same, once TCP is there, and TLS if it has to be. */
  #ready: Socket | undefined;
  #error: Error | undefined;
  #task: NodeJS.Immediate | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Lets the next one in line have its turn. */
  #leaveLine = () => {};
  /** The opening is over, in whatever way. */
  readonly #opened = new Promise<void>((resolve) => {
    this.#leaveLine = resolve;
  });

  constructor(target: Target, options: ClientOptions, handle: ClientHandler) {
    this.connection = new ClientConnection(target, options, now, () => this.#schedule());
    this.#handle = handle;
    this.#setTimer();
    this.#dial(target, options).catch((error) => this.connection.disconnect(error));
  }

  async #dial(target: Target, options: ClientOptions): Promise<void> {
    const addresses = await lookup(target.host, { all: true });
    const places = addresses.map(({ address }) => `${address} ${target.port}`);
    await waitInLine(places, this.#opened);
    if (this.connection.ending) return;
    const socket = openSocket(target, addresses, options);
    this.#socket = socket;
    // Small messages leave at once: otherwise TCP keeps them back to join them with more.
    socket.setNoDelay(true);
    // For TLS, not `connect`: until the certificate is checked, anybody could be listening.
    socket.once(target.secure ? 'secureConnect' : 'connect', () => {
      this.#ready = socket;
      this.#schedule();
    });
    socket.on('data', (chunk: Uint8Array) => {
      // Until its events have been told: an application that is slow slows the server.
      socket.pause();
      this.connection.receive(chunk);
      this.#schedule();
    });
    socket.on('drain', () => this.#flush());
    socket.on('end', () => this.#schedule());
    socket.on('error', (error) => {
      this.#error = error;
    });
    socket.on('close', () => this.connection.disconnect(this.#error));
  }

  #schedule(): void {
    this.#task ??= setImmediate(() => this.#turn());
  }

  /** Tells one event, sends what that makes, and sets the clock, whatever `handle` throws. */
  #turn(): void {
    this.#task = undefined;
    const event = this.connection.next();
    try {
      if (event) this.#emit(event);
    } finally {
      this.#flush();
      this.#setTimer();
      if (event) this.#schedule();
      else this.#readOn();
    }
  }

  /** All that has come is told. A server that has ended its side without a Close is gone. */
  #readOn(): void {
    const socket = this.#socket;
    if (socket?.readableEnded && this.connection.state !== 'HANGING_UP') socket.destroy();
    else socket?.resume();
  }

  #emit(event: ClientEvent): void {
    try {
      this.#handle(this.connection, event);
    } catch (error) {
      if (event.type === 'close' || event.type === 'error') throw error;
      this.connection.fail(error);
    }
  }

  #flush(): void {
    const { connection } = this;
    if (connection.state !== 'CONNECTING') this.#leaveLine();
    if (connection.ending === 'destroy') {
      if (this.#socket) this.#socket.destroy();
      else if (connection.state !== 'CLOSED') connection.disconnect();
    }
    const socket = this.#ready;
    if (!socket?.writable) return;
    while (!socket.writableNeedDrain) {
      const bytes = connection.takeOutput();
      if (bytes === undefined) break;
      socket.write(bytes, (error) => {
        // What is cut off by the end of TCP comes back without an error, too.
        if (!error && !socket.destroyed) connection.sent();
      });
    }
    if (socket.writableNeedDrain) return;
    if (connection.ending === 'hangUp' || socket.readableEnded) socket.end();
  }

  #setTimer(): void {
    clearTimeout(this.#timer);
    const { deadline } = this.connection;
    if (deadline === undefined) return;
    const waitMs = Math.max(0, deadline - now());
    this.#timer = setTimeout(() => {
      this.connection.checkTime();
      this.#schedule();
    }, waitMs);
  }
}

const now = () => performance.now();

/** The openings under way: the last one for each address and port. */
const lines = new Map<string, Promise<unknown>>();

/**
 * Waits until nobody else is opening a connection to one of these places, each an address and a
 * port. The next one waits for `opened`. RFC 6455 §4.1
 */
async function waitInLine(places: readonly string[], opened: Promise<void>): Promise<void> {
  const before = places.map((place) => lines.get(place));
  const turn = Promise.all([...before, opened]).then(() => {
    for (const place of places) if (lines.get(place) === turn) lines.delete(place);
  });
  for (const place of places) lines.set(place, turn);
  await Promise.all(before);
}

/** Connects to the first of the addresses that answers, in both families. */
function openSocket(
  { secure, host, port }: Target,
  addresses: LookupAddress[],
  { ca }: ClientOptions,
): Socket {
  const where: TcpNetConnectOpts = {
    host,
    port,
    // A server that has ended its side after a Close may still read our answer.
    allowHalfOpen: true,
    autoSelectFamily: true,
    lookup: (_host, _options, callback) => callback(null, addresses),
  };
  if (!secure) return connectTcp(where);
  return connectTls({
    ...where,
    rejectUnauthorized: true,
    ALPNProtocols: ['http/1.1'],
    ...(ca !== undefined && { ca: [ca].flat() }),
    // So that a server of many names shows the right certificate. An address is not a name.
    ...(isIP(host) === 0 && { servername: host }),
  });
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

  readonly #url: string;
  readonly #connection: ClientConnection;
  #binaryType: 'blob' | 'arraybuffer' = 'blob';
  #protocol = '';
  /** Has `close` been called? */
  #isClosing = false;
  #isClosed = false;
  #hasFailed = false;
  /** The bytes of messages that the connection does not have: waiting for a Blob, or dropped. */
  #keptBytes = 0;
  /** The end of all that has been asked of the connection. */
  #done: Promise<void> = Promise.resolve();

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
    if (url === undefined) throw new TypeError('A WebSocket needs a URL.');
    const offered = Array.isArray(protocols) ? protocols.map(String) : [String(protocols)];
    this.#url = parseUrl(String(url)).url;
    this.#connection = connect(this.#url, { ...options, protocols: offered }, (_, event) =>
      this.#hear(event),
    );
  }

  /** Step 8 · The URL, written the one usual way. */
  get url(): string {
    return this.#url;
  }

  /** Step 8 · The subprotocol that the server chose. Empty: none, or it has not answered yet. */
  get protocol(): string {
    return this.#protocol;
  }

  /** Step 8 · The extensions that the server chose: none. */
  get extensions(): string {
    return '';
  }

  /** Step 8 · `CONNECTING`, `OPEN`, `CLOSING` or `CLOSED`. */
  get readyState(): number {
    if (this.#isClosed) return WebSocket.CLOSED;
    if (this.#isClosing) return WebSocket.CLOSING;
    const { state } = this.#connection;
    if (state === 'CONNECTING') return WebSocket.CONNECTING;
    return state === 'OPEN' ? WebSocket.OPEN : WebSocket.CLOSING;
  }

  /**
   * Step 8 · The payloads of all messages that have not been sent, in bytes. Those that were never
   * sent because the connection was closing count for ever.
   */
  get bufferedAmount(): number {
    return this.#connection.bufferedBytes + this.#keptBytes;
  }

  /**
   * Step 8 · What the data of a binary message is, at first a Blob. Another value than these two
   * changes nothing.
   */
  get binaryType(): 'blob' | 'arraybuffer' {
    return this.#binaryType;
  }

  set binaryType(type: 'blob' | 'arraybuffer') {
    if (type === 'blob' || type === 'arraybuffer') this.#binaryType = type;
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
    if (this.readyState === WebSocket.CONNECTING) {
      throw new DOMException('The connection is not open yet.', 'InvalidStateError');
    }
    const message = data instanceof Blob ? data : toMessage(data);
    const size = message instanceof Blob ? message.size : Buffer.byteLength(message);
    this.#keptBytes += size;
    // When the connection is closing, its `send` says no.
    this.#inOrder(message instanceof Blob ? message : undefined, (bytes) => {
      if (this.#connection.send(bytes ?? (message as string | Uint8Array))) this.#keptBytes -= size;
    });
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
    const number = code === undefined ? undefined : clamp(code);
    if (number !== undefined && number !== 1000 && (number < 3000 || number > 4999)) {
      throw new DOMException(`${code} is not 1000 or 3000–4999.`, 'InvalidAccessError');
    }
    const text = String(reason).toWellFormed();
    if (Buffer.byteLength(text) > MAX_CONTROL_PAYLOAD - 2) {
      throw invalid('A reason has at most 123 bytes.');
    }
    this.#isClosing = true;
    const wireCode = number ?? (text === '' ? undefined : CloseCode.NormalClosure);
    this.#inOrder(undefined, () => this.#connection.close(wireCode, text));
  }

  /** Does something when this Blob has been read, and all that was before it is done. */
  #inOrder(blob: Blob | undefined, act: (bytes?: Uint8Array) => void): void {
    this.#done = Promise.all([blob?.arrayBuffer(), this.#done])
      .then(([bytes]) => act(bytes && new Uint8Array(bytes)))
      .catch((error) => this.#connection.fail(error));
  }

  #hear(event: ClientEvent): void {
    switch (event.type) {
      case 'open':
        this.#protocol = event.protocol ?? '';
        this.dispatchEvent(new Event('open'));
        break;
      case 'text':
        this.#receive(event.data);
        break;
      case 'binary': {
        const bytes = new Uint8Array(event.data);
        this.#receive(this.#binaryType === 'blob' ? new Blob([bytes]) : bytes.buffer);
        break;
      }
      case 'error':
        // Told together with `close`, and not why: a page could look around in its user's network.
        this.#hasFailed = true;
        break;
      case 'close':
        this.#isClosed = true;
        if (this.#hasFailed) this.dispatchEvent(new Event('error'));
        this.dispatchEvent(closeEvent(event));
    }
  }

  #receive(data: string | Blob | ArrayBuffer): void {
    if (this.readyState !== WebSocket.OPEN) return;
    this.dispatchEvent(new MessageEvent('message', { data, origin: new URL(this.#url).origin }));
  }
}

/** A listener that calls the present value of a property such as `onmessage`. */
interface HandlerListener {
  handler: (this: WebSocket, event: Event) => void;
  handleEvent(event: Event): void;
}

for (const type of ['open', 'message', 'error', 'close']) defineHandler(type);

/**
 * Gives the class a property such as `onmessage`: one listener, which can be replaced in its place.
 */
function defineHandler(type: string): void {
  const handlers = new WeakMap<WebSocket, HandlerListener>();
  Object.defineProperty(WebSocket.prototype, `on${type}`, {
    get(this: WebSocket) {
      return handlers.get(this)?.handler ?? null;
    },
    set(this: WebSocket, handler: HandlerListener['handler'] | null) {
      const known = handlers.get(this);
      if (typeof handler !== 'function') {
        if (known) this.removeEventListener(type, known);
        handlers.delete(this);
      } else if (known) {
        known.handler = handler;
      } else {
        const listener: HandlerListener = {
          handler,
          handleEvent: (event) => listener.handler.call(this, event),
        };
        handlers.set(this, listener);
        this.addEventListener(type, listener);
      }
    },
  });
}

/** Turns what `send` is given into text or bytes of our own. */
function toMessage(data: Exclude<WebSocketData, Blob>): string | Uint8Array {
  if (data instanceof ArrayBuffer) return new Uint8Array(data.slice(0));
  if (!ArrayBuffer.isView(data)) return String(data).toWellFormed();
  const { buffer, byteOffset, byteLength } = data;
  return new Uint8Array(buffer.slice(byteOffset, byteOffset + byteLength));
}

function closeEvent({ code, reason, wasClean }: CloseResult): CloseEvent {
  return Object.assign(new Event('close'), { code, reason, wasClean });
}

/** Turns a number into one of 16 bits without wrapping: 66536 is 65535, and never 1000. */
function clamp(code: unknown): number {
  return Math.round(Math.min(Math.max(Number(code) || 0, 0), 65_535));
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
  const longest = attempt === 0 ? FIRST_DELAY_MS : Math.min(1000 * 2 ** attempt, MAX_DELAY_MS);
  return random() * longest;
}

/**
 * Step 9 · Whether to try again.
 *
 * Says whether a connection that ended so is worth another: after 1001, 1005, 1006 and 1011–1014,
 * but not when the server has answered the request with a status below 500. `error` is what was
 * told before the end.
 */
export function shouldRetry({ code }: Pick<CloseResult, 'code'>, error?: unknown): boolean {
  if (error instanceof OpeningError && error.status !== undefined) return error.status >= 500;
  return code === 1001 || code === 1005 || code === 1006 || (code >= 1011 && code <= 1014);
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
  readonly #open: (handle: ClientHandler) => ClientConnection;
  readonly #handle: ClientHandler;
  readonly #timing: Timing;
  #connection: ClientConnection;
  #attempt = 0;
  #isOver = false;
  #cancel = () => {};

  /** Step 9 · Makes the first connection at once, and tells `handle` what happens on each. */
  constructor(
    open: (handle: ClientHandler) => ClientConnection,
    handle: ClientHandler,
    timing: Timing = SYSTEM_TIMING,
  ) {
    this.#open = open;
    this.#handle = handle;
    this.#timing = timing;
    this.#connection = this.#start();
  }

  /** Step 9 · The present connection. Between two, the one that has ended. */
  get connection(): ClientConnection {
    return this.#connection;
  }

  /** Step 9 · Closes the connection, and makes no other: a delay that is under way ends now. */
  close(code?: number, reason?: string): void {
    this.#isOver = true;
    this.#cancel();
    this.#connection.close(code, reason);
  }

  #start(): ClientConnection {
    let openedAt = Number.POSITIVE_INFINITY;
    let error: unknown;
    let hasEnded = false;
    return this.#open((connection, event) => {
      if (hasEnded) return;
      if (event.type === 'open') openedAt = this.#timing.now();
      if (event.type === 'error') error = event.error;
      hasEnded = event.type === 'close';
      try {
        this.#handle(connection, event);
      } finally {
        if (event.type === 'close') this.#comeBack(event, error, openedAt);
      }
    });
  }

  #comeBack(end: CloseResult, error: unknown, openedAt: number): void {
    if (this.#isOver || !shouldRetry(end, error)) return;
    const timing = this.#timing;
    if (timing.now() - openedAt >= GOOD_LIFE_MS) this.#attempt = 0;
    const delayMs = retryAfterMs(error) + nextDelayMs(this.#attempt, timing.random);
    this.#attempt++;
    this.#cancel = timing.after(delayMs, () => {
      this.#connection = this.#start();
    });
  }
}

/**
 * How long a server that refused asks us to wait, in milliseconds, up to an hour. 0: not at all.
 */
function retryAfterMs(error: unknown): number {
  if (!(error instanceof OpeningError)) return 0;
  const seconds = String(error.headers.get('retry-after')?.[0]);
  return /^\d+$/.test(seconds) ? Math.min(Number(seconds), 3600) * 1000 : 0;
}

/** The longest message that a debugger may send, in bytes: a picture or a profile is long. */
export const MAX_DEVTOOLS_MESSAGE_BYTES = 256 * 1024 * 1024;

/** How many bytes Node's debugger reads at a time. */
export const READ_BYTES = 65_536;

/** When so many bytes of a frame or fewer are left for the next read, that debugger can crash. */
export const CUT_BYTES = 10;

/** What a debugger says: a response with an `id`, or an event. */
type DevToolsMessage =
  | {
      readonly id: number;
      readonly result?: unknown;
      readonly error?: { readonly code: number; readonly message: string };
    }
  | { readonly id?: undefined; readonly method: string; readonly params?: unknown };

/**
 * Step 10 · The remote control of a debugger.
 *
 * Speaks the DevTools Protocol: JSON, each message in one text frame. A request has an id of its
 * own, a whole number, with a method and its params; its response has the same id, and what has no
 * id is an event. Sends no Pings and no fragments, since a debugger hangs up at both.
 */
export class DevTools {
  readonly #connection: ClientConnection;
  readonly #onEvent: (method: string, params: unknown) => void;
  /** The requests made before the connection is open. */
  readonly #unsent: string[] = [];
  /** Who waits for a response, by the id of the request. */
  readonly #waiting = new Map<number, Record<'resolve' | 'reject', (value: unknown) => void>>();
  #lastId = 0;
  #error: unknown;
  readonly #ended: Promise<void>;
  #end = () => {};

  /**
   * Step 10 · Connects to a debugger, whose messages can have up to `MAX_DEVTOOLS_MESSAGE_BYTES`.
   * Each event goes to `onEvent`. What is not JSON fails the connection. Throws what `parseUrl`
   * throws.
   */
  constructor(url: string, onEvent: (method: string, params: unknown) => void = () => {}) {
    this.#onEvent = onEvent;
    this.#ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    const options = { maxMessageBytes: MAX_DEVTOOLS_MESSAGE_BYTES };
    this.#connection = connect(url, options, (_, event) => this.#hear(event));
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
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId;
      const text = padded(JSON.stringify({ id, method, params }));
      if (this.#connection.state === 'CONNECTING') this.#unsent.push(text);
      else if (!this.#connection.send(text)) {
        reject(this.#lost());
        return;
      }
      this.#waiting.set(id, { resolve, reject });
    });
  }

  /** Step 10 · Resolves when the connection has ended, in whatever way. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  /** Step 10 · Closes the connection with 1000. Resolves when it has ended. */
  close(): Promise<void> {
    this.#connection.close(CloseCode.NormalClosure);
    return this.#ended;
  }

  #hear(event: ClientEvent): void {
    switch (event.type) {
      case 'open':
        for (const text of this.#unsent.splice(0)) this.#connection.send(text);
        break;
      case 'text':
        this.#receive(JSON.parse(event.data));
        break;
      case 'error':
        this.#error = event.error;
        break;
      case 'close':
        for (const { reject } of this.#waiting.values()) reject(this.#lost());
        this.#end();
    }
  }

  #receive(message: DevToolsMessage): void {
    if (message.id === undefined) {
      this.#onEvent(message.method, message.params);
      return;
    }
    const { id, result, error } = message;
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error) waiting?.reject(new Error(error.message, { cause: error.code }));
    else waiting?.resolve(result);
  }

  #lost(): Error {
    return new Error('The debugger has ended the connection.', { cause: this.#error });
  }
}

/** Adds spaces to a request whose frame would be cut where a debugger cannot take it. */
function padded(text: string): string {
  const payloadBytes = Buffer.byteLength(text);
  const frameBytes = payloadBytes + (payloadBytes > 65_535 ? 14 : 8);
  // The shortest request is longer than `CUT_BYTES`.
  const left = frameBytes % READ_BYTES;
  return left >= 1 && left <= CUT_BYTES ? text + ' '.repeat(CUT_BYTES) : text;
}

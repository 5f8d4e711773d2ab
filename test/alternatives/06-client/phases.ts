/** A client of functions: its connection is in one of three phases, and each is an object. */
import { randomBytes } from 'node:crypto';
import { type LookupAddress, lookup } from 'node:dns';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import {
  type Frame,
  isControl,
  Opcode,
  OpeningError,
  ProtocolError,
} from '../../../shared/protocol.ts';
import { acceptKey, MAX_HEAD_BYTES } from '../../../solutions/01-handshake/handshake.ts';
import { MAX_MESSAGE_BYTES, MessageReader } from '../../../solutions/02-reading-frames/reading.ts';
import {
  controlFrame,
  encodeMaskedFrame,
  encodeText,
  SendQueue,
} from '../../../solutions/03-sending-frames/sending.ts';
import * as closing from '../../../solutions/04-closing/closing.ts';
import type * as reference from '../../../solutions/06-client/client.ts';

type Target = reference.Target;
type ResponseHead = reference.ResponseHead;
type ClientOptions = reference.ClientOptions;
type ClientEvent = reference.ClientEvent;
/** What a connection can do. There is no class of that name. */
type Connection = Pick<reference.ClientConnection, keyof reference.ClientConnection>;
type Handler = (connection: Connection, event: ClientEvent) => void;

export const CLIENT_LIMITS: reference.ClientLimits = {
  maxHeadBytes: MAX_HEAD_BYTES,
  openTimeoutMs: 10_000,
  maxMessageBytes: MAX_MESSAGE_BYTES,
  closeTimeoutMs: 5_000,
};

export const FIRST_DELAY_MS = 5_000;
export const MAX_DELAY_MS = 30_000;
export const GOOD_LIFE_MS = 5_000;
export const MAX_DEVTOOLS_MESSAGE_BYTES = 256 * 1024 * 1024;
export const READ_BYTES = 65_536;
export const CUT_BYTES = 10;
export const SYSTEM_TIMING: reference.Timing = {
  now: () => performance.now(),
  random: Math.random,
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

const ignore = () => {};

// The opening handshake

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const FIELD_TEXT = /^[\t\x20-\x7e\x80-\xff]*$/;
const OURS = /^(?:host|upgrade|connection|sec-websocket-.*)$/i;
const STATUS_LINE = /^HTTP\/1\.[01] (\d{3})(?: [\t\x20-\x7e\x80-\xff]*)?$/;

function syntaxError(message: string): DOMException {
  return new DOMException(message, 'SyntaxError');
}

export function parseUrl(text: string): Target {
  if (!URL.canParse(text)) throw syntaxError(`Not an absolute URL: ${text}`);
  const url = new URL(text);
  url.protocol = url.protocol.replace('http', 'ws');
  if (!['ws:', 'wss:'].includes(url.protocol)) throw syntaxError('Not the URL of a WebSocket.');
  if (url.href.includes('#')) throw syntaxError('The URL of a WebSocket has no fragment.');
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

export function newKey(random: (size: number) => Uint8Array = randomBytes): string {
  return Buffer.from(random(16)).toString('base64');
}

export function openingRequest(
  target: Target,
  key: string,
  { protocols = [], headers = {} }: reference.RequestOptions = {},
): Uint8Array {
  checkProtocols(protocols);
  for (const [name, value] of Object.entries(headers)) checkHeader(name, value);
  const fields = Object.entries({
    ...headers,
    host: target.hostHeader,
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': key,
    ...(protocols.length > 0 && { 'sec-websocket-protocol': protocols.join() }),
  });
  const lines = fields.map(([name, value]) => `${name}:${value}\r\n`);
  return Buffer.from(`GET ${target.resource} HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1');
}

function checkProtocols(protocols: readonly string[]): void {
  if (!protocols.every((name) => TOKEN.test(name))) throw syntaxError('A name is not a token.');
  if (new Set(protocols).size < protocols.length) throw syntaxError('A name is there twice.');
}

function checkHeader(name: string, value: string): void {
  if (!TOKEN.test(name)) throw new TypeError('The name of a header is not a token.');
  if (OURS.test(name)) throw new TypeError(`The header ${name} is ours to write.`);
  if (!FIELD_TEXT.test(value)) throw new TypeError(`The header ${name} cannot say that.`);
}

export function parseResponse(
  bytes: Uint8Array,
  maxHeadBytes = MAX_HEAD_BYTES,
): ResponseHead | undefined {
  const text = Buffer.from(bytes.subarray(0, maxHeadBytes)).toString('latin1');
  const end = text.indexOf('\r\n\r\n');
  if (end < 0 && bytes.length < maxHeadBytes) return undefined;
  if (end < 0) throw new OpeningError('10.4', 'The head is too long.');
  const [statusLine = '', ...lines] = text.slice(0, end).split('\r\n');
  const status = STATUS_LINE.exec(statusLine)?.[1];
  if (status === undefined) throw new OpeningError('4.1', 'That is not a status line.');
  return { status: Number(status), headers: headersOf(lines), length: end + 4 };
}

function headersOf(lines: readonly string[]): Map<string, string[]> {
  const headers = new Map<string, string[]>();
  for (const line of lines) {
    const [before = '', ...after] = line.split(':');
    const name = before.toLowerCase();
    const value = after.join(':');
    if (after.length === 0 || !TOKEN.test(name) || !FIELD_TEXT.test(value)) {
      throw new OpeningError('4.1', 'That is not a header.');
    }
    headers.set(name, [...(headers.get(name) ?? []), trim(value)]);
  }
  return headers;
}

function trim(text: string): string {
  return text.replace(/^[ \t]+|(?<![ \t])[ \t]+$/g, '');
}

export function checkResponse(
  head: ResponseHead,
  key: string,
  protocols: readonly string[] = [],
): string | undefined {
  const values = (name: string) => head.headers.get(name) ?? [];
  const names = values('sec-websocket-protocol');
  const broken = [
    head.status !== 101 && `The server says ${head.status}.`,
    values('upgrade').join().toLowerCase() !== 'websocket' && 'Upgrade is not `websocket`.',
    !values('connection').join().toLowerCase().split(',').map(trim).includes('upgrade') &&
      'Connection lacks `Upgrade`.',
    values('sec-websocket-accept').join() !== acceptKey(key) && 'It is not an answer to our key.',
    values('sec-websocket-extensions').length > 0 && 'We have offered no extension.',
    names.length !== Math.min(protocols.length, 1) && 'There has to be one subprotocol, or none.',
    !names.every((name) => protocols.includes(name)) && 'We have not offered this subprotocol.',
  ].find((message) => message !== false);
  if (broken) throw new OpeningError('4.1', broken, head);
  return names[0];
}

// A connection without a socket

/** What a connection does during a part of its life. */
interface Phase {
  readonly state: Connection['state'];
  readonly deadline: number | undefined;
  receive(chunk: Uint8Array): void;
  /** Reads on. `undefined`: it takes more bytes, or none at all. Throws what the server breaks. */
  read(): ClientEvent | undefined;
  write(): Uint8Array | undefined;
  send(opcode: number, payload: Uint8Array): boolean;
  ping(frame: Frame): void;
  close(code?: number, reason?: string): void;
  /** Fails. Returns whether anything changes. */
  fail(error: unknown): boolean;
  giveUp(): void;
  /** TCP has ended. Returns the error when something is lost with it. */
  lose(cause: unknown): Error | undefined;
  /** How it has ended. */
  readonly result: closing.CloseResult;
}

/** What the phases share. */
interface Core {
  readonly limits: reference.ClientLimits;
  readonly now: () => number;
  readonly wake: () => void;
  readonly random: (size: number) => Uint8Array;
  readonly fail: (error: unknown) => void;
  /** How many bytes of messages are in each output that was taken. */
  readonly taken: number[];
  buffered: number;
  phase: Phase;
  ending: 'hangUp' | 'destroy' | undefined;
}

/** The phase of a connection that has never been open, and never will be. */
function refused(state: closing.State): Phase {
  return {
    get state() {
      return state;
    },
    deadline: undefined,
    receive: ignore,
    read: () => undefined,
    write: () => undefined,
    send: () => false,
    ping: ignore,
    close: ignore,
    fail: () => false,
    giveUp: ignore,
    lose() {
      state = 'CLOSED';
      return undefined;
    },
    result: { code: 1006, reason: '', wasClean: false },
  };
}

/** The phase before the server has agreed. */
function opening(core: Core, target: Target, options: ClientOptions): Phase {
  const key = newKey(core.random);
  let request: Uint8Array | undefined = openingRequest(target, key, options);
  let received = Buffer.alloc(0);
  let room = core.limits.maxHeadBytes;
  return {
    ...refused('HANGING_UP'),
    state: 'CONNECTING',
    deadline: core.now() + core.limits.openTimeoutMs,
    receive(chunk) {
      received = Buffer.concat([received, chunk]);
    },
    read() {
      const head = parseResponse(received, room);
      if (head === undefined) return undefined;
      received = received.subarray(head.length);
      room -= head.length;
      if (head.status < 200 && head.status !== 101) return this.read();
      const protocol = checkResponse(head, key, options.protocols);
      core.phase = open(core, received);
      return { type: 'open', protocol };
    },
    write() {
      const bytes = request;
      request = undefined;
      if (bytes) core.taken.push(0);
      return bytes;
    },
    close() {
      core.fail(new OpeningError('4.1', 'It was closed before it was open.'));
    },
    fail() {
      core.phase = refused('HANGING_UP');
      core.ending = 'destroy';
      return true;
    },
    giveUp() {
      core.fail(new OpeningError('4.1', 'It was not open in time.'));
    },
    lose(cause) {
      core.phase = refused('CLOSED');
      return new OpeningError('4.1', 'It ended before it was open.', undefined, cause);
    },
  };
}

/** The phase after the server has agreed, up to the end. */
function open(core: Core, received: Uint8Array): Phase {
  const handshake = new closing.ClosingHandshake('client', core.limits.closeTimeoutMs, core.now);
  const queue = new SendQueue();
  const perform = (actions: readonly closing.Action[]) => {
    for (const action of actions) {
      if (action.type !== 'sendClose') core.ending = action.type;
      else queue.addControl(controlFrame(Opcode.Close, action.body));
    }
    if (actions.length > 0) core.wake();
    return actions.length > 0;
  };
  return withParts(
    incoming(core, handshake, queue, perform, received),
    outgoing(core, handshake, queue),
    ending(handshake, perform),
  );
}

/** One object of several, whose getters stay getters. */
function withParts<A, B, C>(...parts: [A, B, C]): A & B & C {
  const whole = {} as A & B & C;
  for (const part of parts) {
    Object.defineProperties(whole, Object.getOwnPropertyDescriptors(part));
  }
  return whole;
}

type Perform = (actions: readonly closing.Action[]) => boolean;

/** What the server sends. */
function incoming(
  core: Core,
  handshake: closing.ClosingHandshake,
  queue: SendQueue,
  perform: Perform,
  received: Uint8Array,
) {
  const reader = new MessageReader('client', core.limits.maxMessageBytes);
  reader.push(received);
  return {
    receive(chunk: Uint8Array): void {
      if (handshake.isListening) reader.push(chunk);
    },
    read(): ClientEvent | undefined {
      while (handshake.isListening) {
        const message = reader.read();
        if (message?.type === 'close') {
          checkClose(message.payload);
          perform(handshake.receiveClose(message.payload));
        } else if (message?.type === 'ping') {
          queue.addControl(controlFrame(Opcode.Pong, message.payload));
          core.wake();
        } else {
          return message;
        }
      }
      return undefined;
    },
  };
}

/** Throws for a Close that breaks a rule. */
function checkClose(payload: Uint8Array): void {
  const { code = 1000 } = closing.decodeCloseBody(payload) ?? {};
  if (!closing.isWireCode(code)) throw new ProtocolError(1002, '7.4', `${code} never travels.`);
}

/** What we send. */
function outgoing(core: Core, handshake: closing.ClosingHandshake, queue: SendQueue) {
  return {
    write(): Uint8Array | undefined {
      const frame = queue.next();
      if (frame === undefined) return undefined;
      core.taken.push(isControl(frame.opcode) ? 0 : frame.payload.length);
      return encodeMaskedFrame(frame, core.random);
    },
    send(opcode: number, payload: Uint8Array): boolean {
      if (handshake.state !== 'OPEN') return false;
      queue.addMessage([{ fin: true, opcode, payload }]);
      core.buffered += payload.length;
      core.wake();
      return true;
    },
    ping(frame: Frame): void {
      if (handshake.state !== 'OPEN') return;
      queue.addControl(frame);
      core.wake();
    },
  };
}

/** How it ends. */
function ending(handshake: closing.ClosingHandshake, perform: Perform) {
  return {
    get state() {
      return handshake.state;
    },
    get deadline() {
      return handshake.deadline;
    },
    get result() {
      return handshake.result ?? refused('CLOSED').result;
    },
    close(code?: number, reason?: string): void {
      const body = closing.encodeCloseBody(code, reason);
      const withBody = (action: closing.Action) =>
        action.type === 'sendClose' ? { ...action, body } : action;
      perform(handshake.close(code, reason).map(withBody));
    },
    fail: (error: unknown) => perform(handshake.fail(error)),
    giveUp(): void {
      perform(handshake.checkDeadline());
    },
    lose(cause: unknown): Error | undefined {
      const isLost = handshake.isListening;
      handshake.disconnect();
      return isLost ? new Error('It ended without a Close.', { cause }) : undefined;
    },
  };
}

/** `new` is allowed, and makes no difference. */
export function ClientConnection(
  target: Target,
  options: ClientOptions,
  now: () => number,
  wake: () => void,
  random: (size: number) => Uint8Array = randomBytes,
): Connection {
  const events: ClientEvent[] = [];
  const core: Core = {
    limits: { ...CLIENT_LIMITS, ...options },
    now,
    wake,
    random,
    fail(error) {
      if (!core.phase.fail(error)) return;
      events.push({ type: 'error', error });
      wake();
    },
    taken: [],
    buffered: 0,
    phase: refused('CLOSED'),
    ending: undefined,
  };
  core.phase = opening(core, target, options);
  return withParts(course(core, events), traffic(core), {
    get state() {
      return core.phase.state;
    },
    get ending() {
      return core.ending;
    },
    close(code?: number, reason?: string): void {
      checkCloseArguments(code, reason);
      core.phase.close(code, reason);
    },
    fail: core.fail,
  });
}

/** Throws for what no Close can say. */
function checkCloseArguments(code?: number, reason?: string): void {
  if (code !== undefined && !closing.isWireCode(code)) throw new RangeError(`${code} is no code.`);
  closing.encodeCloseBody(code, reason);
}

/** What happens, from the first event to the last, and when. */
function course(core: Core, events: ClientEvent[]) {
  let hasTcp = true;
  let hasEnded = false;
  let cause: unknown;
  const deadline = () => (hasTcp ? core.phase.deadline : undefined);
  const end = () => {
    hasEnded = true;
    const error = core.phase.lose(cause);
    if (error) events.push({ type: 'error', error });
    events.push({ type: 'close', ...core.phase.result });
  };
  return {
    next(): ClientEvent | undefined {
      if (events.length > 0) return events.shift();
      try {
        const event = core.phase.read();
        if (event) return event;
      } catch (error) {
        core.fail(error);
      }
      if (events.length === 0 && !hasTcp && !hasEnded) end();
      return events.shift();
    },
    disconnect(why?: unknown): void {
      if (!hasTcp) return;
      hasTcp = false;
      cause = why;
      core.wake();
    },
    get deadline() {
      return deadline();
    },
    checkTime(): void {
      if (core.now() >= (deadline() ?? Number.POSITIVE_INFINITY)) core.phase.giveUp();
    },
  };
}

/** What comes and goes. */
function traffic(core: Core) {
  return {
    receive: (chunk: Uint8Array): void => core.phase.receive(chunk),
    send(data: string | Uint8Array): boolean {
      if (typeof data !== 'string') return core.phase.send(Opcode.Binary, data);
      return core.phase.send(Opcode.Text, encodeText(data));
    },
    ping: (payload?: Uint8Array): void => core.phase.ping(controlFrame(Opcode.Ping, payload)),
    takeOutput: (): Uint8Array | undefined => core.phase.write(),
    sent(): void {
      core.buffered -= core.taken.shift() ?? 0;
    },
    get bufferedBytes() {
      return core.buffered;
    },
  };
}

// On a socket

export function connect(url: string, options: ClientOptions, handle: Handler): Connection {
  const target = parseUrl(url);
  let isScheduled = false;
  const connection = ClientConnection(target, options, () => performance.now(), schedule);
  const wire = dial(target, options, schedule);
  const setAlarm = alarm(schedule);
  schedule();
  return connection;

  function schedule(): void {
    if (isScheduled) return;
    isScheduled = true;
    setImmediate(turn);
  }
  function turn(): void {
    isScheduled = false;
    take(wire, connection);
    const event = connection.next();
    try {
      if (event) tell(event);
    } finally {
      if (event) schedule();
      else goOn(wire, connection);
      write(wire, connection);
      setAlarm(connection.deadline);
    }
  }
  function tell(event: ClientEvent): void {
    try {
      handle(connection, event);
    } catch (error) {
      if (event.type === 'error' || event.type === 'close') throw error;
      connection.fail(error);
    }
  }
}

/** Makes a timer that can be set to another time, on the clock of `performance.now`. */
function alarm(ring: () => void): (time: number | undefined) => void {
  let timer: NodeJS.Timeout | undefined;
  return (time) => {
    clearTimeout(timer);
    if (time === undefined) return;
    const wait = Math.ceil(time - performance.now());
    timer = setTimeout(ring, Math.min(Math.max(wait, 0), 2 ** 31 - 1));
  };
}

/** The way to a server. Whatever happens on it is noted, until somebody looks. */
interface Wire {
  /** `undefined`: not yet. */
  socket: Socket | undefined;
  /** What has arrived. The socket is paused meanwhile. */
  chunk: Uint8Array | undefined;
  /** Has the server ended its side? */
  hasEnded: boolean;
  isGone: boolean;
  cause: unknown;
  /** Lets others connect to the same place. */
  leave: () => void;
  /** Gives up, whatever there is by now. */
  drop: () => void;
}

/** Tells a connection what has happened on the wire. */
function take(wire: Wire, connection: Connection): void {
  const { chunk } = wire;
  wire.chunk = undefined;
  if (chunk) connection.receive(chunk);
  if (wire.isGone) connection.disconnect(wire.cause);
  connection.checkTime();
}

/** There is nothing to tell. */
function goOn(wire: Wire, connection: Connection): void {
  // A server that says nothing more ought to have said Close.
  if (wire.hasEnded && connection.state !== 'HANGING_UP') wire.drop();
  else wire.socket?.resume();
}

function write(wire: Wire, connection: Connection): void {
  const { socket } = wire;
  while (socket?.writable && !socket.writableNeedDrain) {
    const bytes = connection.takeOutput();
    // What the end of TCP has cut off comes back without an error, too.
    if (bytes) socket.write(bytes, () => socket.destroyed || connection.sent());
    else if (connection.ending === 'hangUp' || wire.hasEnded) socket.end();
    if (!bytes) break;
  }
  if (connection.state !== 'CONNECTING') wire.leave();
  if (connection.ending === 'destroy') wire.drop();
}

/** Begins to connect. Calls `schedule` whenever something has happened on the wire. */
function dial(target: Target, options: ClientOptions, schedule: () => void): Wire {
  const end = () => {
    if (wire.isGone) return;
    wire.isGone = true;
    wire.leave();
    schedule();
  };
  const wire: Wire = {
    socket: undefined,
    chunk: undefined,
    hasEnded: false,
    isGone: false,
    cause: undefined,
    leave: ignore,
    drop: end,
  };
  lookup(target.host, { all: true }, (error, addresses) => {
    if (wire.isGone) return;
    if (error) {
      wire.cause = error;
      end();
      return;
    }
    wire.leave = standInLine(addresses, target.port, () => {
      const tcp = connectTcp({
        host: target.host,
        port: target.port,
        autoSelectFamily: true,
        allowHalfOpen: true,
        noDelay: true,
        lookup: (_host, _options, callback) => callback(null, addresses),
      });
      follow(tcp, wire, end);
      tcp.on('connect', () => {
        if (!target.secure) {
          use(tcp, wire, schedule);
          return;
        }
        const tls = encrypt(tcp, target.host, options.ca);
        follow(tls, wire, end);
        tcp.off('close', end);
        tls.on('secureConnect', () => use(tls, wire, schedule));
      });
    });
  });
  return wire;
}

/** Puts TLS on a TCP connection. It says `secureConnect` when the certificate is right. */
function encrypt(socket: Socket, host: string, ca: ClientOptions['ca']): Socket {
  return connectTls({
    socket,
    host,
    ...(isIP(host) === 0 && { servername: host }),
    ...(ca && { ca: typeof ca === 'string' ? ca : [...ca] }),
  });
}

/** Notes how a socket ends. */
function follow(socket: Socket, wire: Wire, end: () => void): void {
  wire.drop = () => socket.destroy();
  socket.on('close', end).on('error', (error) => {
    wire.cause ??= error;
  });
}

/** Notes what arrives. */
function use(socket: Socket, wire: Wire, schedule: () => void): void {
  wire.socket = socket;
  socket.on('data', (chunk) => {
    wire.chunk = chunk;
    socket.pause();
    schedule();
  });
  socket.on('end', () => {
    wire.hasEnded = true;
    schedule();
  });
  socket.on('drain', schedule);
  schedule();
}

/** Those who want to connect to an address and port. The first of a line is connecting. */
const lines = new Map<string, (() => void)[]>();

/** Calls `go` once nobody is before us at any of the addresses. Returns how to leave the lines. */
function standInLine(
  addresses: readonly LookupAddress[],
  port: number,
  go: () => void,
): () => void {
  const places = addresses.map(({ address }) => `${address} ${port}`);
  let isWaiting = true;
  const tryToGo = () => {
    if (!isWaiting || places.some((place) => lines.get(place)?.[0] !== tryToGo)) return;
    isWaiting = false;
    go();
  };
  const leave = () => {
    isWaiting = false;
    for (const place of places.splice(0)) {
      const others = (lines.get(place) ?? []).filter((other) => other !== tryToGo);
      if (others.length > 0) lines.set(place, others);
      else lines.delete(place);
      others[0]?.();
    }
  };
  for (const place of places) lines.set(place, [...(lines.get(place) ?? []), tryToGo]);
  tryToGo();
  return leave;
}

// The class that every browser has

/** What a page sends. */
type Payload = string | Uint8Array | Blob;
type BinaryType = 'blob' | 'arraybuffer';
type Listener = (this: WebSocket, event: Event) => void;

const STATES = ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED'] as const;
const EVENTS = ['open', 'message', 'error', 'close'] as const;

export class WebSocket extends EventTarget {
  declare onopen: ((this: WebSocket, event: Event) => void) | null;
  declare onmessage: ((this: WebSocket, event: MessageEvent) => void) | null;
  declare onerror: ((this: WebSocket, event: Event) => void) | null;
  declare onclose: ((this: WebSocket, event: reference.CloseEvent) => void) | null;
  readonly #listeners = new Map<string, Listener | null>();
  readonly #connection: Connection;
  readonly #inOrder = inOrder((error) => this.#connection.fail(error));
  readonly #url: URL;
  #protocol = '';
  #binaryType: BinaryType = 'blob';
  #isClosing = false;
  #hasFailed = false;
  #isOver = false;
  /** The bytes that the connection doesn't have: they wait for a Blob, or were dropped. */
  #unsent = 0;

  static {
    for (const [value, name] of STATES.entries()) {
      const constant = { value, enumerable: true };
      Object.defineProperty(WebSocket, name, constant);
      Object.defineProperty(WebSocket.prototype, name, constant);
    }
    for (const type of EVENTS) {
      Object.defineProperty(WebSocket.prototype, `on${type}`, {
        get(this: WebSocket) {
          return this.#listeners.get(type) ?? null;
        },
        set(this: WebSocket, listener: unknown) {
          const isKnown = this.#listeners.has(type);
          this.#listeners.set(type, typeof listener === 'function' ? (listener as Listener) : null);
          if (isKnown) return;
          this.addEventListener(type, (event) => this.#listeners.get(type)?.call(this, event));
        },
      });
    }
  }

  constructor(
    ...args: [
      url: string | URL,
      protocols?: string | readonly string[],
      options?: Omit<ClientOptions, 'protocols'>,
    ]
  ) {
    super();
    if (args.length < 1) throw new TypeError('There has to be a URL.');
    const [url, protocols = [], options = {}] = args;
    const offered = typeof protocols === 'string' ? [protocols] : protocols;
    this.#url = new URL(parseUrl(`${url}`).url);
    this.#connection = connect(this.#url.href, { ...options, protocols: offered }, (_, event) => {
      this.#hear(event);
    });
  }

  get url(): string {
    return this.#url.href;
  }

  get protocol(): string {
    return this.#protocol;
  }

  get extensions(): string {
    return '';
  }

  get readyState(): number {
    return STATES.indexOf(this.#state);
  }

  get bufferedAmount(): number {
    return this.#connection.bufferedBytes + this.#unsent;
  }

  get binaryType(): BinaryType {
    return this.#binaryType;
  }

  set binaryType(type: BinaryType) {
    if (type === 'blob' || type === 'arraybuffer') this.#binaryType = type;
  }

  send(data: reference.WebSocketData): void {
    if (this.#state === 'CONNECTING') throw new DOMException('Not yet.', 'InvalidStateError');
    const payload = payloadOf(data);
    const size = payload instanceof Blob ? payload.size : Buffer.byteLength(payload);
    this.#unsent += size;
    if (this.#state !== 'OPEN') return;
    this.#inOrder(payload, (ready) => {
      if (this.#connection.send(ready)) this.#unsent -= size;
    });
  }

  close(code?: number, reason = ''): void {
    const said = closeArguments(code, String(reason).toWellFormed());
    if (this.#state !== 'CONNECTING' && this.#state !== 'OPEN') return;
    this.#isClosing = true;
    this.#inOrder('', () => this.#connection.close(...said));
  }

  get #state(): (typeof STATES)[number] {
    if (this.#isOver) return 'CLOSED';
    const { state } = this.#connection;
    return !this.#isClosing && (state === 'CONNECTING' || state === 'OPEN') ? state : 'CLOSING';
  }

  #hear(event: ClientEvent): void {
    if (event.type === 'open') {
      this.#protocol = event.protocol ?? '';
      this.dispatchEvent(new Event('open'));
    } else if (event.type === 'text') {
      this.#tell(event.data);
    } else if (event.type === 'binary') {
      const bytes = new Uint8Array(event.data);
      this.#tell(this.#binaryType === 'blob' ? new Blob([bytes]) : bytes.buffer);
    } else if (event.type === 'error') {
      this.#hasFailed = true;
    } else if (event.type === 'close') {
      const { code, reason, wasClean } = event;
      this.#isOver = true;
      if (this.#hasFailed) this.dispatchEvent(new Event('error'));
      this.dispatchEvent(Object.assign(new Event('close'), { code, reason, wasClean }));
    }
  }

  #tell(data: unknown): void {
    if (this.#state !== 'OPEN') return;
    this.dispatchEvent(new MessageEvent('message', { data, origin: this.#url.origin }));
  }
}

/** Returns what a page sends, as it is now. */
function payloadOf(data: unknown): Payload {
  if (data instanceof Blob) return data;
  if (data instanceof ArrayBuffer) return new Uint8Array(data.slice(0));
  if (!ArrayBuffer.isView(data)) return String(data).toWellFormed();
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
}

/** Returns what a Close says, and throws for what a page can't say. */
function closeArguments(
  code: number | undefined,
  reason: string,
): [code?: number, reason?: string] {
  const clamped = Math.round(Math.min(Math.max(Number(code) || 0, 0), 65_535));
  if (code !== undefined && clamped !== 1000 && (clamped < 3000 || clamped > 4999)) {
    throw new DOMException(`${clamped} is not for pages.`, 'InvalidAccessError');
  }
  if (Buffer.byteLength(reason) > 123) throw new DOMException('Too long.', 'SyntaxError');
  if (code !== undefined) return [clamped, reason];
  return reason === '' ? [] : [1000, reason];
}

/** Makes a function that uses what it is given in order, though a Blob has to be read first. */
function inOrder(giveUp: (error: unknown) => void) {
  type Use = (ready: string | Uint8Array) => void;
  const waiting: { payload: Payload; use: Use }[] = [];
  let isReading = false;
  const go = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const { payload, use } = next;
      if (payload instanceof Blob) {
        isReading = true;
        await payload.arrayBuffer().then((read) => use(new Uint8Array(read)), giveUp);
        isReading = false;
      } else {
        use(payload);
      }
    }
  };
  return (payload: Payload, use: Use): void => {
    waiting.push({ payload, use });
    if (!isReading) void go();
  };
}

// Coming back

export function nextDelayMs(attempt: number, random: () => number = Math.random): number {
  const span = attempt === 0 ? FIRST_DELAY_MS : Math.min(2 ** attempt * 1000, MAX_DELAY_MS);
  return random() * span;
}

export function shouldRetry({ code }: { readonly code: number }, error?: unknown): boolean {
  if (error instanceof OpeningError && error.status !== undefined) return error.status >= 500;
  return [1001, 1005, 1006, 1011, 1012, 1013, 1014].includes(code);
}

function retryAfterMs(error: unknown): number {
  if (!(error instanceof OpeningError)) return 0;
  const [value = ''] = error.headers.get('retry-after') ?? [];
  return /^\d+$/.test(value) ? Math.min(Number(value), 3600) * 1000 : 0;
}

/** `new` is allowed, and makes no difference. */
export function Reconnecting(
  open: (handle: Handler) => Connection,
  handle: Handler,
  timing: reference.Timing = SYSTEM_TIMING,
): Pick<reference.Reconnecting, 'close'> & { readonly connection: Connection } {
  let attempt = 0;
  let isOver = false;
  let cancel = () => {};
  let present = begin();

  function begin(): Connection {
    let openedAt = Number.POSITIVE_INFINITY;
    let lastError: unknown;
    let hasEnded = false;
    return open((connection, event) => {
      if (hasEnded || connection !== present) return;
      if (event.type === 'open') openedAt = timing.now();
      if (event.type === 'error') lastError = event.error;
      hasEnded = event.type === 'close';
      try {
        handle(connection, event);
      } finally {
        if (event.type === 'close' && !isOver && shouldRetry(event, lastError)) {
          again(timing.now() - openedAt, lastError);
        }
      }
    });
  }
  function again(lifeMs: number, error: unknown): void {
    if (lifeMs >= GOOD_LIFE_MS) attempt = 0;
    const delayMs = retryAfterMs(error) + nextDelayMs(attempt, timing.random);
    attempt++;
    cancel = timing.after(delayMs, () => {
      present = begin();
    });
  }
  return {
    get connection() {
      return present;
    },
    close(code, reason) {
      present.close(code, reason);
      isOver = true;
      cancel();
    },
  };
}

// The remote control of a debugger

interface Waiting {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/** `new` is allowed, and makes no difference. */
export function DevTools(
  url: string,
  onEvent: (method: string, params: unknown) => void = () => {},
): Pick<reference.DevTools, keyof reference.DevTools> {
  const waiting = new Map<number, Waiting>();
  const early: string[] = [];
  let lastId = 0;
  let cause: unknown;
  let end = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const limits = { maxMessageBytes: MAX_DEVTOOLS_MESSAGE_BYTES };
  const connection = connect(url, limits, (_, event) => {
    if (event.type === 'open') for (const text of early) connection.send(text);
    if (event.type === 'text') hear(event.data);
    if (event.type === 'binary') connection.fail(notJson());
    if (event.type === 'error') cause = event.error;
    if (event.type !== 'close') return;
    for (const { reject } of waiting.values()) reject(hasEnded());
    end();
  });
  const hasEnded = () => new Error('The connection has ended, or is about to.', { cause });
  function hear(text: string): void {
    const { id, method, params, result, error } = parse(text);
    const request = waiting.get(id);
    waiting.delete(id);
    if (id === undefined) onEvent(method, params);
    else if (error) request?.reject(new Error(error.message, { cause: error.code }));
    else request?.resolve(result);
  }
  return {
    ended,
    request: (method, params = {}) =>
      new Promise((resolve, reject) => {
        const id = ++lastId;
        const text = padded(JSON.stringify({ id, method, params }));
        if (connection.state === 'CONNECTING') early.push(text);
        else if (!connection.send(text)) throw hasEnded();
        waiting.set(id, { resolve, reject });
      }),
    close() {
      connection.close(1000);
      return ended;
    },
  };
}

/** Puts spaces behind JSON whose frame would leave too few bytes for the last read. */
function padded(json: string): string {
  const size = Buffer.byteLength(json);
  const left = (size + (size > 65_535 ? 14 : 8)) % READ_BYTES;
  return left > 0 && left <= CUT_BYTES ? json + ' '.repeat(CUT_BYTES) : json;
}

const notJson = () => new ProtocolError(1007, '5.6', 'The message is not JSON.');

// biome-ignore lint/suspicious/noExplicitAny: it is what JSON.parse returns.
function parse(text: string): any {
  try {
    return JSON.parse(text);
  } catch {
    throw notJson();
  }
}

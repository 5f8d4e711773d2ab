/**
 * Steps 1 to 7 as somebody wrote them from the lesson's text: the end is told when everything else
 * has been, and the shell is functions.
 */
import { randomBytes } from 'node:crypto';
import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { connect as connectTcp, isIP, type Socket, type TcpNetConnectOpts } from 'node:net';
import { connect as connectTls } from 'node:tls';
import {
  CloseCode,
  type Extension,
  type Frame,
  isControl,
  type Message,
  Opcode,
  OpeningError,
  ProtocolError,
  type SendOptions,
} from '../../../shared/protocol.ts';
import { acceptKey, MAX_HEAD_BYTES } from '../../../solutions/01-handshake/handshake.ts';
import { MAX_MESSAGE_BYTES, MessageReader } from '../../../solutions/02-reading-frames/reading.ts';
import {
  controlFrame,
  encodeMaskedFrame,
  encodeText,
  SendQueue,
} from '../../../solutions/03-sending-frames/sending.ts';
import {
  type Action,
  ClosingHandshake,
  decodeCloseBody,
  encodeCloseBody,
  isWireCode,
  type State,
} from '../../../solutions/04-closing/closing.ts';
import type {
  ClientEvent,
  ClientLimits,
  ClientOptions,
  RequestOptions,
  ResponseHead,
  Target,
} from '../../../solutions/06-client/client.ts';

export {
  DevTools,
  FIRST_DELAY_MS,
  GOOD_LIFE_MS,
  MAX_DELAY_MS,
  nextDelayMs,
  Reconnecting,
  SYSTEM_TIMING,
  shouldRetry,
  WebSocket,
} from '../../../solutions/06-client/client.ts';

type Handler = (connection: ClientConnection, event: ClientEvent) => void;

export const CLIENT_LIMITS: ClientLimits = {
  maxHeadBytes: MAX_HEAD_BYTES,
  openTimeoutMs: 10_000,
  maxMessageBytes: MAX_MESSAGE_BYTES,
  closeTimeoutMs: 5_000,
};

export function parseUrl(text: string): Target {
  if (text.includes('#')) throw syntaxError('A WebSocket URL has no fragment.');
  if (!URL.canParse(text)) throw syntaxError(`${text} is not an absolute URL.`);
  const url = new URL(text);
  if (url.protocol === 'http:') url.protocol = 'ws:';
  if (url.protocol === 'https:') url.protocol = 'wss:';
  if (!/^wss?:$/.test(url.protocol)) throw syntaxError(`${url.protocol} is not ws: or wss:.`);

  const secure = url.protocol === 'wss:';
  return {
    url: url.href,
    secure,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (secure ? 443 : 80) : Number(url.port),
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
  { protocols = [], headers = {}, offer }: RequestOptions = {},
): Uint8Array {
  const isToken = (it: string) => /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(it);
  if (!protocols.every(isToken)) throw syntaxError('A subprotocol is not a token.');
  if (new Set(protocols).size < protocols.length) throw syntaxError('Twice the same.');
  const lines = [
    `GET ${target.resource} HTTP/1.1`,
    `Host: ${target.hostHeader}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Key: ${key}`,
    'Sec-WebSocket-Version: 13',
  ];
  if (protocols.length > 0) lines.push(`Sec-WebSocket-Protocol: ${protocols.join(', ')}`);
  if (offer) lines.push(`Sec-WebSocket-Extensions: ${offer.header}`);
  const ours = /^(host|upgrade|connection|sec-websocket-.*)$/i;
  for (const [name, value] of Object.entries(headers)) {
    if (!isToken(name) || ours.test(name))
      throw new TypeError(`The header ${name} is not for you.`);
    if (/[^\t\x20-\x7e\x80-\xff]/.test(value)) throw new TypeError(`${name} has a bad value.`);
    lines.push(`${name}: ${value}`);
  }
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

export function parseResponse(
  bytes: Uint8Array,
  maxHeadBytes = MAX_HEAD_BYTES,
): ResponseHead | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = buffer.subarray(0, maxHeadBytes).indexOf('\r\n\r\n');
  if (end < 0) {
    if (bytes.length >= maxHeadBytes) throw new OpeningError('10.4', 'The head is too long.');
    return undefined;
  }
  const [statusLine = '', ...lines] = buffer.toString('latin1', 0, end).split('\r\n');
  const status = /^HTTP\/1\.[01] (\d{3})(?: [\t\x20-\x7e\x80-\xff]*)?$/.exec(statusLine)?.[1];
  if (status === undefined) throw new OpeningError('4.1', 'Not HTTP.');
  const headers = new Map<string, string[]>();
  for (const line of lines) {
    const [, name, value] =
      /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[\t ]*([\t\x20-\x7e\x80-\xff]*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined) throw new OpeningError('4.1', 'Not a header.');
    const key = name.toLowerCase();
    headers.set(key, [...(headers.get(key) ?? []), value.replace(/[\t ]+$/, '')]);
  }
  return { status: Number(status), headers, length: end + 4 };
}

export function checkResponse(
  head: ResponseHead,
  key: string,
  protocols: readonly string[] = [],
  isOffered = false,
): string | undefined {
  const refuse = (message: string): never => {
    throw new OpeningError('4.1', message, head);
  };
  const all = (name: string) => head.headers.get(name) ?? [];
  if (head.status !== 101) refuse(`The status is ${head.status}.`);
  const upgrade = all('upgrade');
  if (upgrade.length !== 1 || upgrade[0]?.toLowerCase() !== 'websocket') refuse('Upgrade');
  const tokens = all('connection').flatMap((line) => line.split(','));
  if (!tokens.some((token) => /^[ \t]*upgrade[ \t]*$/i.test(token))) refuse('Connection');
  const accept = all('sec-websocket-accept');
  if (accept.length !== 1 || accept[0] !== acceptKey(key)) refuse('Accept');
  if (!isOffered && head.headers.has('sec-websocket-extensions')) refuse('Extensions');
  const chosen = all('sec-websocket-protocol');
  if (chosen.length > 1) refuse('Two subprotocols');
  const [protocol] = chosen;
  if (protocol === undefined) {
    if (protocols.length > 0) refuse('None');
    return undefined;
  }
  if (!protocols.includes(protocol)) refuse('Not offered');
  return protocol;
}

export class ClientConnection {
  readonly #limits: ClientLimits;
  readonly #protocols: readonly string[];
  readonly #now: () => number;
  readonly #wake: () => void;
  readonly #random: (size: number) => Uint8Array;
  readonly #key: string;
  readonly #output: Uint8Array[] = [];
  readonly #openBy: number;
  readonly #offer: ClientOptions['offer'];
  #extension: Extension | undefined;
  #reader: Pick<MessageReader, 'push' | 'read'>;
  readonly #closing: ClosingHandshake;
  readonly #queue = new SendQueue();
  readonly #taken: number[] = [];
  /** The message of each frame that waits, in bytes. */
  readonly #sizes = new WeakMap<Frame, number>();
  #events: ClientEvent[] = [];
  #isOpening = true;
  #isGone = false;
  #head: Uint8Array = new Uint8Array(0);
  #buffered = 0;
  #interim = 0;
  #isTold = false;
  #cause: unknown;
  #ending: 'hangUp' | 'destroy' | undefined;

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
    this.#now = now;
    this.#wake = wake;
    this.#random = random;
    this.#key = newKey(random);
    this.#output.push(openingRequest(target, this.#key, options));
    this.#openBy = now() + this.#limits.openTimeoutMs;
    this.#reader = new MessageReader('client', this.#limits.maxMessageBytes);
    this.#closing = new ClosingHandshake('client', this.#limits.closeTimeoutMs, now);
  }

  get state(): 'CONNECTING' | State {
    return this.#isOpening ? 'CONNECTING' : this.#closing.state;
  }

  receive(chunk: Uint8Array): void {
    if (!this.#isListening) return;
    if (this.#isOpening) this.#head = Buffer.concat([this.#head, chunk]);
    else this.#reader.push(chunk);
  }

  next(): ClientEvent | undefined {
    while (this.#events.length === 0 && this.#isListening) {
      try {
        if (this.#isOpening) {
          if (!this.#open()) break;
        } else {
          const message = this.#reader.read();
          if (message === undefined) break;
          this.#handle(message);
        }
      } catch (error) {
        this.fail(error);
      }
    }
    if (this.#events.length === 0 && this.#isGone && !this.#isTold) this.#end();
    return this.#events.shift();
  }

  send(data: string | Uint8Array, options?: SendOptions): boolean {
    const payload = typeof data === 'string' ? encodeText(data) : data;
    if (this.state !== 'OPEN') return false;
    const opcode = typeof data === 'string' ? Opcode.Text : Opcode.Binary;
    const frames = this.#extension?.framesFor(opcode, payload, 2 ** 40, options) ?? [
      { fin: true, opcode, payload },
    ];
    this.#queue.addMessage(frames);
    this.#sizes.set(frames.at(-1)!, payload.length);
    this.#buffered += payload.length;
    this.#wake();
    return true;
  }

  ping(payload: Uint8Array = new Uint8Array(0)): void {
    const frame = controlFrame(Opcode.Ping, payload);
    if (this.state !== 'OPEN') return;
    this.#queue.addControl(frame);
    this.#wake();
  }

  takeOutput(): Uint8Array | undefined {
    const request = this.#output.shift();
    if (request) {
      this.#taken.push(0);
      return request;
    }
    const frame = this.#queue.next();
    if (!frame) return undefined;
    this.#taken.push(isControl(frame.opcode) ? 0 : (this.#sizes.get(frame) ?? 0));
    return encodeMaskedFrame(frame, this.#random);
  }

  sent(): void {
    this.#buffered -= this.#taken.shift() ?? 0;
  }

  get bufferedBytes(): number {
    return this.#buffered;
  }

  close(code?: number, reason?: string): void {
    if (code === undefined && reason) throw new TypeError('A reason needs a code.');
    if (this.#isOpening) {
      encodeCloseBody(code, reason);
      if (code !== undefined && !isWireCode(code)) throw new RangeError('Never travels');
      this.fail(new OpeningError('4.1', 'We gave up.'));
      return;
    }
    const actions = this.#closing.close(code, reason);
    this.#perform(
      actions.map((action) =>
        action.type === 'sendClose' ? { ...action, body: encodeCloseBody(code, reason) } : action,
      ),
    );
  }

  fail(error: unknown): void {
    if (this.#isOpening) {
      this.#isOpening = false;
      this.#output.length = 0;
      this.#closing.disconnect();
      this.#events.push({ type: 'error', error });
      this.#ending = 'destroy';
      this.#wake();
      return;
    }
    const actions = this.#closing.fail(error);
    if (actions.length === 0) return;
    this.#events.push({ type: 'error', error });
    this.#perform(actions);
  }

  disconnect(cause?: unknown): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#cause = cause;
    this.#wake();
  }

  get ending(): 'hangUp' | 'destroy' | undefined {
    return this.#ending;
  }

  get deadline(): number | undefined {
    if (this.#isGone || this.#ending === 'destroy') return undefined;
    return this.#isOpening ? this.#openBy : this.#closing.deadline;
  }

  checkTime(): void {
    if (this.deadline === undefined || this.#now() < this.deadline) return;
    if (this.#isOpening) this.fail(new OpeningError('4.1', 'It took too long to open.'));
    else this.#perform(this.#closing.checkDeadline());
  }

  get #isListening(): boolean {
    return !this.#isTold && this.#closing.isListening;
  }

  #end(): void {
    this.#isTold = true;
    const isExpected = this.#ending !== undefined || this.state === 'HANGING_UP';
    const cause = this.#cause;
    if (!isExpected) {
      this.#events.push({
        type: 'error',
        error: this.#isOpening
          ? new OpeningError('4.1', 'Lost', undefined, cause)
          : new Error('The TCP connection was lost.', { cause }),
      });
    }
    this.#isOpening = false;
    this.#closing.disconnect();
    const result = this.#closing.result ?? { code: 1006, reason: '', wasClean: false };
    this.#events.push({ type: 'close', ...result });
  }

  #open(): boolean {
    const head = parseResponse(this.#head, this.#limits.maxHeadBytes - this.#interim);
    if (!head) return false;
    const rest = this.#head.subarray(head.length);
    if (head.status < 200 && head.status !== 101) {
      this.#interim += head.length;
      this.#head = rest;
      return true;
    }
    const protocol = checkResponse(head, this.#key, this.#protocols, this.#offer !== undefined);
    this.#extension = this.#offer?.agree(head);
    if (this.#extension) {
      this.#reader = this.#extension.readerFor(this.#limits.maxMessageBytes);
    }
    this.#isOpening = false;
    this.#events.push({ type: 'open', protocol });
    this.#reader.push(rest);
    return true;
  }

  #handle(message: Message): void {
    if (message.type === 'ping') {
      this.#queue.addControl(controlFrame(Opcode.Pong, message.payload));
      this.#wake();
    } else if (message.type === 'close') {
      const body = decodeCloseBody(message.payload);
      if (body && !isWireCode(body.code)) {
        throw new ProtocolError(CloseCode.ProtocolError, '7.4', 'No such code.');
      }
      this.#perform(this.#closing.receiveClose(message.payload));
    } else {
      this.#events.push(message);
    }
  }

  #perform(actions: readonly Action[]): void {
    for (const action of actions) {
      if (action.type === 'sendClose') {
        this.#queue.addControl(controlFrame(Opcode.Close, action.body));
      } else {
        this.#ending = action.type;
      }
    }
    if (actions.length > 0) this.#wake();
  }
}

/** What a connection has besides its core. */
interface Wire {
  readonly connection: ClientConnection;
  readonly handle: Handler;
  /** Lets the next one in line have its turn. */
  readonly leave: () => void;
  socket?: Socket;
  isReady: boolean;
  timer?: NodeJS.Timeout;
  isScheduled: boolean;
}

const now = () => performance.now();

export function connect(url: string, options: ClientOptions, handle: Handler): ClientConnection {
  const target = parseUrl(url);
  let leave = () => {};
  const over = new Promise<void>((resolve) => {
    leave = resolve;
  });
  const connection = new ClientConnection(target, options, now, () => schedule(wire));
  const wire: Wire = { connection, handle, leave, isReady: false, isScheduled: false };
  schedule(wire);
  dial(wire, target, options, over).catch((error) => connection.disconnect(error));
  return connection;
}

function schedule(wire: Wire): void {
  if (wire.isScheduled) return;
  wire.isScheduled = true;
  setImmediate(() => {
    wire.isScheduled = false;
    turn(wire);
  });
}

function turn(wire: Wire): void {
  const { connection, handle } = wire;
  const event = connection.next();
  try {
    if (event) handle(connection, event);
  } catch (error) {
    if (event?.type === 'error' || event?.type === 'close') throw error;
    connection.fail(error);
  } finally {
    write(wire);
    setTimer(wire);
    if (event) schedule(wire);
    else wire.socket?.resume();
  }
}

function setTimer(wire: Wire): void {
  clearTimeout(wire.timer);
  const { deadline } = wire.connection;
  if (deadline === undefined) return;
  wire.timer = setTimeout(() => {
    wire.connection.checkTime();
    schedule(wire);
  }, deadline - now());
}

function write({ connection, leave, socket, isReady }: Wire): void {
  if (connection.state !== 'CONNECTING') leave();
  if (connection.ending === 'destroy') {
    if (socket) socket.destroy();
    else connection.disconnect();
    return;
  }
  if (!isReady || !socket?.writable) return;
  if (socket.readableEnded && connection.state !== 'HANGING_UP') {
    socket.destroySoon();
    return;
  }
  while (!socket.writableNeedDrain) {
    const bytes = connection.takeOutput();
    if (!bytes) break;
    socket.write(bytes, () => connection.sent());
  }
  const isOver = connection.ending === 'hangUp' || socket.readableEnded;
  if (isOver && !socket.writableNeedDrain) socket.end();
}

async function dial(
  wire: Wire,
  target: Target,
  options: ClientOptions,
  over: Promise<void>,
): Promise<void> {
  const { connection } = wire;
  const addresses = await lookup(target.host, { all: true });
  await Promise.all(addresses.map(({ address }) => waitAt(`${address} ${target.port}`, over)));
  if (connection.ending) return;
  const socket = socketTo(target, addresses, options);
  wire.socket = socket;
  socket.setNoDelay(true);
  socket.once(target.secure ? 'secureConnect' : 'connect', () => {
    wire.isReady = true;
    schedule(wire);
  });
  socket.on('data', (chunk) => {
    socket.pause();
    connection.receive(chunk);
    schedule(wire);
  });
  socket.on('drain', () => schedule(wire));
  socket.on('end', () => schedule(wire));
  let cause: unknown;
  socket.on('error', (error) => {
    cause = error;
  });
  socket.on('close', () => connection.disconnect(cause));
}

function socketTo(target: Target, addresses: LookupAddress[], { ca }: ClientOptions): Socket {
  const where: TcpNetConnectOpts = {
    host: target.host,
    port: target.port,
    autoSelectFamily: true,
    allowHalfOpen: true,
    lookup: (_host, _options, callback) => callback(null, addresses),
  };
  if (!target.secure) return connectTcp(where);
  return connectTls({
    ...where,
    ...(ca !== undefined && { ca: typeof ca === 'string' ? ca : [...ca] }),
    ...(isIP(target.host) === 0 && { servername: target.host }),
  });
}

function syntaxError(message: string): DOMException {
  return new DOMException(message, 'SyntaxError');
}

const lines = new Map<string, Promise<void>>();

function waitAt(place: string, over: Promise<void>): Promise<void> {
  const before = lines.get(place) ?? Promise.resolve();
  const mine = before.then(() => over);
  lines.set(place, mine);
  void mine.then(() => {
    if (lines.get(place) === mine) lines.delete(place);
  });
  return before;
}

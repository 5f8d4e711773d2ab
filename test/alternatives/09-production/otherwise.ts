/**
 * Other algorithms: a bucket that knows when it is full, limits that look at two keys a call, a ring,
 * ids compared as text, a buffer while pages are pulled, a server for each connection, a header that
 * is read byte by byte.
 */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import * as tls from 'node:tls';
import { HandshakeError } from '../../../shared/protocol.ts';
import {
  checkUpgrade,
  negotiate,
  type RequestHead,
  refusal,
} from '../../../solutions/01-handshake/handshake.ts';
import {
  type Connection,
  type ConnectionEvent,
  WebSocketServer,
} from '../../../solutions/05-server/server.ts';
import * as given from '../../../solutions/09-production/production.ts';
import {
  addressKey,
  clientAddress,
  compareIds,
  credentialOf,
  History,
  parseAddress,
  parseProxyHeader,
  RateLimiter,
  ServerSession,
  Slots,
  TokenBucket,
} from './otherwise/pure.ts';

export {
  BASE_DELAY_MS,
  BLOCK_MS,
  COOKIE,
  GATE_LIMITS,
  HISTORY_SIZE,
  MAX_DELAY_MS,
  MAX_NAME,
  MAX_UNACKED,
  PAGE_SIZE,
  PUBLISH_SCRIPT,
  ROOM_LIFE_MS,
  SETTLE_MS,
  TICKET_LIFE_MS,
  TIP_SCRIPT,
  TLS_TIMEOUT_MS,
  TOKEN_PREFIX,
} from '../../../solutions/09-production/production.ts';
export * from './otherwise/pure.ts';

const ignore = () => {};
const now = () => performance.now();

// Step 8

function no(status: number, why: string, headers: Record<string, string> = {}): never {
  throw new HandshakeError(status, '10.4', why, headers);
}

const comeBackIn = (seconds: number) => ({ 'Retry-After': seconds.toFixed(0) });

/** One connection, and what it may do. */
class Guest {
  readonly #login: given.Login;
  readonly #limits: given.GateLimits;
  readonly #messages: TokenBucket;
  readonly #bytes: TokenBucket;
  readonly #pass: (connection: Connection, event: ConnectionEvent) => void;
  /** What is early, and how many tokens the first of it still lacks. */
  #early: { event: ConnectionEvent; size: number }[] = [];
  #lacks: { messages: number; bytes: number } | undefined;
  #isFlooding = false;
  #timer: NodeJS.Timeout | undefined;
  #work: NodeJS.Timeout | undefined;

  constructor(
    login: given.Login,
    limits: given.GateLimits,
    pass: (connection: Connection, event: ConnectionEvent) => void,
  ) {
    this.#login = login;
    this.#limits = limits;
    this.#pass = pass;
    this.#messages = new TokenBucket(limits.messages, now());
    this.#bytes = new TokenBucket(limits.bytes, now());
  }

  /** Passes an event on, now or later. */
  hears(connection: Connection, event: ConnectionEvent): void {
    if (event.type === 'text' || event.type === 'binary') {
      this.#hearsMessage(connection, event, Buffer.from(event.data as string).length);
      return;
    }
    if (event.type === 'open') this.#watch(connection);
    if (event.type === 'error') this.#forget();
    if (event.type === 'close') {
      clearTimeout(this.#timer);
      for (const { event } of this.#forget()) this.#pass(connection, event);
    }
    this.#pass(connection, event);
  }

  #hearsMessage(connection: Connection, event: ConnectionEvent, size: number): void {
    if (this.#isFlooding) return;
    this.#early.push({ event, size });
    this.#passDue(connection);
    const { messages, bytes } = this.#limits;
    const sum = this.#early.map(({ size }) => size).reduce((a, b) => a + b, 0);
    this.#isFlooding = this.#early.length > messages.burst || sum > bytes.burst;
    if (!this.#isFlooding) return;
    this.#forget();
    connection.close(1008, 'Slower, please.');
  }

  /** Passes on all that is due, and looks again when the next one may be. */
  #passDue(connection: Connection): void {
    clearTimeout(this.#work);
    while (this.#early[0]) {
      this.#lacks ??= { messages: 1, bytes: this.#early[0].size };
      const { messages, bytes } = this.#lacks;
      const waits = [this.#bytes.take(bytes, now()), this.#messages.take(messages, now())] as const;
      if (waits[0] === 0) this.#lacks.bytes = 0;
      if (waits[1] === 0) this.#lacks.messages = 0;
      const wait = Math.max(...waits);
      if (wait > 0) {
        this.#work = setTimeout(() => this.#passLate(connection), Math.min(wait, 86_400_000));
        return;
      }
      this.#lacks = undefined;
      this.#pass(connection, this.#early.shift()!.event);
    }
  }

  #passLate(connection: Connection): void {
    try {
      this.#passDue(connection);
    } catch (error) {
      connection.fail(error);
    }
  }

  #forget() {
    clearTimeout(this.#work);
    return this.#early.splice(0);
  }

  /** Looks once a day, and at the end, whether the login is over. */
  #watch(connection: Connection): void {
    const { until = Infinity } = this.#login;
    if (until === Infinity) return;
    const look = () => {
      if (until <= now()) connection.close(4401, 'Log in again.');
      else this.#timer = setTimeout(look, Math.min(until - now() + 1, 86_400_000));
    };
    this.#timer = setTimeout(look, 0);
  }
}

/** A gate that makes a server for each connection it lets in. */
export class Gate {
  readonly #handle: given.UserHandler;
  readonly #options: given.GateOptions;
  readonly #limits: given.GateLimits;
  readonly #requests: RateLimiter;
  readonly #ofAddress: Slots;
  readonly #ofUser: Slots;
  readonly #servers = new Set<WebSocketServer>();
  readonly #connections = new Map<Connection, given.Login>();
  #isClosed = false;
  #end: Promise<unknown> | undefined;

  constructor(handle: given.UserHandler, options: given.GateOptions) {
    this.#handle = handle;
    this.#options = options;
    this.#limits = { ...given.GATE_LIMITS, ...options };
    this.#requests = new RateLimiter(this.#limits.requests);
    this.#ofAddress = new Slots(this.#limits.socketsPerAddress);
    this.#ofUser = new Slots(this.#limits.socketsPerUser);
  }

  get connections(): ReadonlyMap<Connection, given.Login> {
    return this.#connections;
  }

  async upgrade(request: IncomingMessage, socket: Duplex, head: Uint8Array): Promise<void> {
    socket.on('error', ignore);
    const { method = '', url = '', httpVersion, headersDistinct } = request;
    const headers = new Map<string, string[]>();
    for (const [name, values = []] of Object.entries(headersDistinct)) headers.set(name, values);
    const asked = { method, target: url, version: `HTTP/${httpVersion}`, headers, length: 0 };
    try {
      this.#checkAddress((socket as Socket).remoteAddress, headers, socket);
      negotiate(checkUpgrade(asked), this.#options);
      const login = await this.#checkUser(asked, socket);
      this.#serve(login, socket).upgrade(request, socket, head);
    } catch (error) {
      this.#refuse(socket, error);
    }
  }

  logOut(user: string): void {
    const theirs = [...this.#connections].filter(([, login]) => login.user === user);
    for (const [connection] of theirs) connection.close(4401, 'Logged out.');
  }

  close(): void {
    this.#isClosed = true;
  }

  async shutdown(): Promise<void> {
    this.close();
    this.#end ??= Promise.all([...this.#servers].map((server) => server.shutdown()));
    await this.#end;
  }

  #checkAddress(peer: string | undefined, headers: RequestHead['headers'], socket: Duplex): void {
    if (this.#isClosed) no(503, 'Closed.', comeBackIn(1));
    const key = addressKey(clientAddress(peer, headers, this.#options.proxies) ?? '');
    const wait = this.#requests.take(key, 1, now());
    if (wait > 0) no(429, 'Too often.', comeBackIn(Math.ceil(wait / 1000)));
    this.#hold(socket, this.#ofAddress.take(key));
  }

  async #checkUser(asked: RequestHead, socket: Duplex): Promise<given.Login> {
    const credential = credentialOf(asked);
    const login = credential && (await this.#ask(credential));
    if (!login) no(401, 'Who are you?', { 'WWW-Authenticate': 'Bearer' });
    if (this.#isClosed) no(503, 'Closed meanwhile.', comeBackIn(1));
    this.#hold(socket, this.#ofUser.take(login.user));
    return login;
  }

  /** Asks the application. What it answers too late, or fails with, is a 503. */
  async #ask(credential: given.Credential): Promise<given.Login | undefined> {
    const watch = new AbortController();
    const { loginTimeoutMs } = this.#limits;
    const tooLate = delay(loginTimeoutMs, undefined, { signal: watch.signal }).then(() =>
      no(503, ''),
    );
    tooLate.catch(ignore);
    try {
      return await Promise.race([this.#options.authenticate(credential), tooLate]);
    } catch {
      return no(503, 'Nobody knows.', comeBackIn(5));
    } finally {
      watch.abort();
    }
  }

  #hold(socket: Duplex, giveBack: (() => void) | undefined): void {
    if (!giveBack) throw no(429, 'Too many.', comeBackIn(5));
    socket.on('close', giveBack);
    if (socket.closed) giveBack();
  }

  #serve(login: given.Login, socket: Duplex): WebSocketServer {
    const guest = new Guest(login, this.#limits, (connection, event) =>
      this.#handle(connection, event, login),
    );
    const server = new WebSocketServer((connection, event) => {
      if (event.type === 'open') this.#connections.set(connection, login);
      if (event.type === 'close') this.#connections.delete(connection);
      guest.hears(connection, event);
    }, this.#options);
    if (!socket.closed) this.#servers.add(server);
    socket.on('close', () => this.#servers.delete(server));
    return server;
  }

  #refuse(socket: Duplex, error: unknown): void {
    if (socket.destroyed) return;
    const isTold = error instanceof HandshakeError;
    socket.end(refusal(isTold ? error : new HandshakeError(503, '10.4', 'Oh.', comeBackIn(5))));
    socket.on('data', ignore);
    const timer = setTimeout(() => socket.destroy(), this.#limits.loginTimeoutMs);
    socket.on('close', () => clearTimeout(timer));
  }
}

// Step 9

export function createTlsServer(
  options: tls.TlsOptions,
  accept: (socket: tls.TLSSocket) => void,
): tls.Server {
  const server = new tls.Server({
    ...options,
    handshakeTimeout: options.handshakeTimeout ?? given.TLS_TIMEOUT_MS,
    ALPNProtocols: options.ALPNProtocols ?? ['http/1.1'],
  });
  server.on('tlsClientError', (_error, socket) => void socket.destroy());
  return server.on('secureConnection', (socket) => accept(socket));
}

/** Reads byte by byte until there is a header: what is behind it is never read. */
export function acceptProxied(
  socket: Socket,
  trusts: given.Proxies['trusts'],
  accept: (socket: Socket) => void,
  timeoutMs = given.TLS_TIMEOUT_MS,
): void {
  socket.on('error', ignore);
  const timer = setTimeout(() => socket.destroy(), timeoutMs);
  socket.on('close', () => clearTimeout(timer));
  const peer = parseAddress(`${socket.remoteAddress}`);
  if (!peer || !trusts(peer)) return void socket.destroy();
  const bytes: number[] = [];
  const read = () => {
    for (let byte = socket.read(1); byte; byte = socket.read(1)) {
      bytes.push(byte[0]);
      const header = headerIn(bytes, socket);
      if (!header) continue;
      clearTimeout(timer);
      socket.off('readable', read);
      const { address = socket.remoteAddress } = header;
      Object.defineProperty(socket, 'remoteAddress', { get: () => address });
      return accept(socket);
    }
  };
  socket.on('readable', read);
}

function headerIn(bytes: readonly number[], socket: Socket): given.ProxyHeader | undefined {
  try {
    return parseProxyHeader(Uint8Array.from(bytes));
  } catch {
    socket.destroy();
    return undefined;
  }
}

// Step 10

interface Listener {
  readonly deliver: given.Deliver;
}

interface Room {
  readonly history: History;
  readonly listeners: Set<Listener>;
  usedAt: number;
}

/** Delivers one after the other, and looks at the two oldest rooms whenever it makes one. */
export class MemoryBus implements given.Bus {
  readonly #rooms = new Map<string, Room>();
  readonly #now: () => number;
  readonly #size: number;
  #delivered: Promise<void> = Promise.resolve();

  constructor(now: () => number = Date.now, size = given.HISTORY_SIZE) {
    this.#now = now;
    this.#size = size;
  }

  get size(): number {
    return this.#rooms.size;
  }

  async publish(name: string, said: given.Said): Promise<string> {
    const { history, listeners } = this.#room(name);
    const { id, isNew } = history.append(said);
    if (!isNew) return id;
    this.#delivered = this.#delivered.then(() => {
      for (const listener of [...listeners]) {
        if (listeners.has(listener)) listener.deliver({ ...said, id });
      }
    });
    await this.#delivered;
    return id;
  }

  async subscribe(name: string, deliver: given.Deliver): Promise<() => void> {
    const room = this.#room(name);
    const listener = { deliver };
    room.listeners.add(listener);
    return () => {
      if (room.listeners.delete(listener)) room.usedAt = this.#now();
    };
  }

  async after(name: string, last: string, count: number): Promise<given.Entry[] | undefined> {
    return this.#room(name).history.after(last, count);
  }

  async tip(name: string): Promise<string> {
    return this.#room(name).history.tip;
  }

  #room(name: string): Room {
    const usedAt = this.#now();
    const room = this.#rooms.get(name) ?? this.#make();
    room.usedAt = usedAt;
    this.#rooms.delete(name);
    this.#rooms.set(name, room);
    return room;
  }

  #make(): Room {
    let looks = 2;
    for (const [name, room] of this.#rooms) {
      if (looks-- === 0) break;
      this.#rooms.delete(name);
      const isQuiet = this.#now() - room.usedAt >= given.ROOM_LIFE_MS;
      if (room.listeners.size > 0 || !isQuiet) this.#rooms.set(name, room);
    }
    const history = new History(this.#now(), this.#size);
    return { history, listeners: new Set(), usedAt: 0 };
  }
}

// Step 11

type StreamEntry = readonly [id: string, fields: readonly string[]];

const MOST = 2n ** 64n - 1n;
const LIFE = `${given.ROOM_LIFE_MS / 1000}`;

const entriesIn = (entries: readonly StreamEntry[]): given.Entry[] =>
  entries
    .map(([id, [, user = '', , cid = '', , text]]) => ({ id, user, cid, text: text! }))
    .filter(({ text }) => text !== undefined);

interface Place {
  readonly listeners: Set<Listener>;
  at: string | undefined;
}

export class StreamBus implements given.Bus {
  readonly #commands: given.Engine;
  readonly #reader: given.Engine;
  readonly #size: number;
  readonly #places = new Map<string, Place>();
  #reading: Promise<void> | undefined;
  #readerId: unknown;
  #isOver = false;

  constructor(commands: given.Engine, reader: given.Engine, size = given.HISTORY_SIZE) {
    this.#commands = commands;
    this.#reader = reader;
    this.#size = size;
  }

  stop(): void {
    this.#isOver = true;
    this.#places.clear();
  }

  publish(room: string, { user, cid, text }: given.Said): Promise<string> {
    const name = Buffer.from(JSON.stringify([room, user, cid])).toString('base64url');
    const words = [`chat/${room}`, `said/${name}`, user, cid, text, LIFE, `${this.#size}`];
    return this.#ask<string>(['EVAL', given.PUBLISH_SCRIPT, '2', ...words]);
  }

  tip(room: string): Promise<string> {
    return this.#ask<string>(['EVAL', given.TIP_SCRIPT, '1', `chat/${room}`, LIFE]);
  }

  async after(room: string, last: string, count: number): Promise<given.Entry[] | undefined> {
    const numbers = /^(\d+)-(\d+)$/.exec(last)?.slice(1).map(BigInt);
    if (!numbers?.every((number) => number <= MOST)) return undefined;
    const words = ['XRANGE', `chat/${room}`, last, '+', 'COUNT', `${count + 1}`];
    const entries = await this.#ask<StreamEntry[]>(words);
    return entries.shift()?.[0] === last ? entriesIn(entries) : undefined;
  }

  async subscribe(room: string, deliver: given.Deliver): Promise<() => void> {
    const place = this.#places.get(room) ?? { listeners: new Set(), at: undefined };
    if (!this.#isOver) this.#places.set(room, place);
    const listener = { deliver };
    place.listeners.add(listener);
    const leave = () => {
      place.listeners.delete(listener);
      if (place.listeners.size === 0 && this.#places.get(room) === place) this.#places.delete(room);
    };
    const at = await this.tip(room).catch((error) => {
      leave();
      throw error;
    });
    place.at ??= at;
    if (this.#isOver) return leave;
    if (this.#reading) this.#ask(['CLIENT', 'UNBLOCK', `${this.#readerId}`]).catch(ignore);
    this.#reading ??= this.#begin();
    return leave;
  }

  async #ask<Reply>(words: readonly string[]): Promise<Reply> {
    return (await this.#commands.sendCommand(words)) as Reply;
  }

  #ready(): [string, Place & { at: string }][] {
    return [...this.#places].flatMap(([room, place]) =>
      place.at === undefined ? [] : [[room, place as Place & { at: string }]],
    );
  }

  /** A connection: reads on it until it is lost, and then on the next one. */
  async #begin(): Promise<void> {
    try {
      this.#readerId = await this.#reader.sendCommand(['CLIENT', 'ID']);
      for (const [room] of this.#ready()) await this.#verify(room);
      while (this.#ready().length > 0) await this.#read();
      this.#reading = undefined;
    } catch {
      await delay(20);
      this.#reading = this.#begin();
    }
  }

  async #verify(room: string): Promise<void> {
    const place = this.#places.get(room);
    if (!place?.at || (await this.after(room, place.at, 1)) !== undefined) return;
    place.at = await this.tip(room);
    for (const { deliver } of place.listeners) if (!this.#isOver) deliver(undefined);
  }

  async #read(): Promise<void> {
    const ready = this.#ready();
    const reply = (await this.#reader.sendCommand([
      ...['XREAD', 'COUNT', '100', 'BLOCK', `${given.BLOCK_MS}`, 'STREAMS'],
      ...ready.map(([room]) => `chat/${room}`),
      ...ready.map(([, { at }]) => at),
    ])) as [string, StreamEntry[]][] | null;
    for (const [key, entries] of reply ?? []) {
      const room = key.replace('chat/', '');
      if (entries.length >= Math.min(this.#size, 100)) await this.#verify(room);
      for (const entry of entries) this.#hear(room, entry);
    }
  }

  #hear(room: string, entry: StreamEntry): void {
    const place = this.#places.get(room);
    if (!place?.at || compareIds(entry[0], place.at) <= 0) return;
    place.at = entry[0];
    for (const message of entriesIn([entry])) {
      for (const { deliver } of place.listeners) if (!this.#isOver) deliver(message);
    }
  }
}

// Step 12

/** How long a client stays away that is told to leave, in milliseconds. */
const AWAY_MS = 250;

export class ChatServer {
  readonly gate: Gate;
  readonly #sessions = new Map<Connection, ServerSession>();
  readonly #settleMs: number;
  #left: Promise<void> | undefined;

  constructor({ bus, settleMs, ...options }: given.ChatOptions) {
    this.#settleMs = settleMs ?? given.SETTLE_MS;
    this.gate = new Gate((connection, event, login) => {
      if (event.type === 'open') {
        this.#sessions.set(connection, new ServerSession(connection, bus, login.user));
      }
      this.#pass(connection, event);
    }, options);
  }

  get isReady(): boolean {
    return !this.#left;
  }

  leave(spreadMs: number): Promise<void> {
    this.#left ??= this.#leave(spreadMs);
    return this.#left;
  }

  #pass(connection: Connection, event: ConnectionEvent): void {
    const session = this.#sessions.get(connection);
    if (event.type === 'text') session?.receive(event.data);
    else if (event.type === 'drain') session?.drained();
    else if (event.type === 'close') {
      session?.ended();
      this.#sessions.delete(connection);
    }
  }

  async #leave(spreadMs: number): Promise<void> {
    this.gate.close();
    const waits: Promise<void>[] = [];
    const stepMs = spreadMs / this.#sessions.size;
    for (const [connection, session] of [...this.#sessions]) {
      waits.push(delay(waits.length * stepMs).then(() => this.#send(connection, session)));
    }
    await Promise.all(waits);
    await this.gate.shutdown();
  }

  async #send(connection: Connection, session: ServerSession): Promise<void> {
    const watch = new AbortController();
    const limit = delay(this.#settleMs, undefined, watch).catch(ignore);
    await Promise.race([session.leaves(AWAY_MS), limit]);
    watch.abort();
    connection.close(1012, 'A new server is waiting.');
  }
}

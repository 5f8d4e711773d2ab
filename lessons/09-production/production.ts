import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIPv4, isIPv6, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { createServer, type Server, type TLSSocket, type TlsOptions } from 'node:tls';
import { CloseCode, HandshakeError, ProtocolError } from '../../shared/protocol.ts';
import { Todo } from '../../shared/todo.ts';
import { checkUpgrade, negotiate, type RequestHead, refusal } from '../01-handshake/handshake.ts';
import {
  attach,
  type Connection,
  type ConnectionEvent,
  type Handler,
  type Options,
  WebSocketServer,
} from '../05-server/server.ts';

/** How often something may happen: `burst` times at once, and `perSecond` times on average. */
export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

/**
 * Step 1 · How often.
 *
 * A bucket of tokens: it has `burst` at first, who does something takes some out, and time fills it
 * again, with `perSecond` of them each second.
 */
export class TokenBucket {
  /** Makes a full bucket. `now` is in milliseconds, on a clock that is never put back. */
  constructor(rate: Rate, now: number) {
    throw new Todo('09.1');
  }

  /**
   * Takes `count` tokens, and returns 0. When there are fewer, takes none, and returns after how many
   * milliseconds there are enough, rounded up; `Infinity` when there will never be, because the
   * bucket cannot hold so many, or nothing fills it.
   */
  take(count: number, now: number): number {
    throw new Todo('09.1');
  }

  /** Says whether the bucket is full: then it is no different from a new one. */
  isFull(now: number): boolean {
    throw new Todo('09.1');
  }
}

/**
 * Step 1 · How often, for each.
 *
 * A bucket for each key, such as an address. Those that are full again are forgotten, so that
 * somebody who has many keys does not fill our memory. However many there are, a call costs the same
 * on average.
 */
export class RateLimiter {
  /** Makes a limiter without a bucket. */
  constructor(rate: Rate) {
    throw new Todo('09.1');
  }

  /** How many buckets it remembers. */
  get size(): number {
    throw new Todo('09.1');
  }

  /** Takes tokens from the bucket of `key`, and returns what `TokenBucket.take` returns. */
  take(key: string, count: number, now: number): number {
    throw new Todo('09.1');
  }
}

/**
 * Step 1 · How many at once, for each.
 *
 * Counts what is there for each key, such as the sockets of an address, up to `most`.
 */
export class Slots {
  /** Makes slots that are all free. */
  constructor(most: number) {
    throw new Todo('09.1');
  }

  /** How many keys have a slot. */
  get size(): number {
    throw new Todo('09.1');
  }

  /**
   * Takes a slot of `key`. Returns what gives it back, once, however often it is called; `undefined`
   * when all are taken.
   */
  take(key: string): (() => void) | undefined {
    throw new Todo('09.1');
  }
}

/**
 * Step 2 · What an address is.
 *
 * Reads an address as proxies write it: `203.0.113.7`, `203.0.113.7:4711`, `2001:DB8::1`,
 * `[2001:db8::1]:4711` or `fe80::1%eth0`. A port can also be a name, such as `_web`. Returns it as
 * one text for all ways to write it: short and in lower case, without port and zone, and an IPv4
 * address that was mapped into IPv6 as IPv4. `undefined`: it is none. RFC 5952, RFC 4291 §2.5.5.2,
 * RFC 7239 §6
 */
export function parseAddress(text: string): string | undefined {
  throw new Todo('09.2');
}

/**
 * Step 2 · Who is limited together.
 *
 * Returns what to count an address under, one that `parseAddress` has returned: an IPv4 address
 * itself, and of an IPv6 address the first 64 bits, because everybody has all of the others.
 */
export function addressKey(address: string): string {
  throw new Todo('09.2');
}

/** The proxies in front of a server. */
export interface Proxies {
  /** The header that they write. The other one is the client's, and says what the client likes. */
  readonly header: 'x-forwarded-for' | 'forwarded';
  /** Says whether an address, one that `parseAddress` has returned, is that of a proxy of ours. */
  readonly trusts: (address: string) => boolean;
}

/**
 * Step 2 · Who is it?
 *
 * Returns the address of a client, as `parseAddress` does. That is the `peer` of the TCP connection,
 * unless it is one of our proxies: then it is what that proxy has written behind all others, and so
 * on from right to left, until an address is not a proxy's, or is none, or a line cannot be read.
 * `undefined`: the peer has no address any more. RFC 7239 §5.2
 */
export function clientAddress(
  peer: string | undefined,
  headers: RequestHead['headers'],
  proxies?: Proxies,
): string | undefined {
  throw new Todo('09.2');
}

/** What a proxy has put before all else on a TCP connection. */
export interface ProxyHeader {
  /** Size of the header in bytes. What follows is what the client has sent. */
  readonly length: number;
  /** The client, as `parseAddress` returns it. `undefined`: the proxy itself, or nobody knows. */
  readonly address: string | undefined;
}

/**
 * Step 3 · What a proxy says first.
 *
 * Reads a header of the PROXY protocol, version 1 or 2, at the start of what has arrived. Only for
 * connections of our own proxies: anybody could send one. `undefined`: more bytes are needed. Throws
 * `HandshakeError` 400 for what is no such header.
 */
export function parseProxyHeader(received: Uint8Array): ProxyHeader | undefined {
  throw new Todo('09.3');
}

/** What a client has sent to show who it is. */
export interface Credential {
  readonly kind: 'ticket' | 'token' | 'cookie';
  readonly value: string;
}

/** The cookie that says who somebody is. */
export const COOKIE = 'session';

/** What a subprotocol begins with that is a token. The rest of it is UTF-8 in base64url. */
export const TOKEN_PREFIX = 'token.';

/**
 * Step 4 · What a page can send.
 *
 * Finds what shows who is asking: a `ticket` in the query of the target, a subprotocol that begins
 * with `TOKEN_PREFIX`, or the cookie `COOKIE`, in this order. `undefined`: nothing does. One that
 * comes twice with two values counts for none. RFC 6265 §4.2, RFC 6455 §10.5
 */
export function credentialOf(
  head: Pick<RequestHead, 'target' | 'headers'>,
): Credential | undefined {
  throw new Todo('09.4');
}

/** How long a ticket can be used, in milliseconds. */
export const TICKET_LIFE_MS = 30_000;

/**
 * Step 4 · Tickets.
 *
 * A page that is logged in gets a ticket, and puts it into the address of its WebSocket. It is good
 * for once, and not for long: whoever reads it in a log later has nothing. One that is too old is
 * forgotten, so that those that nobody uses do not fill our memory.
 */
export class Tickets {
  /** Makes a desk that has issued nothing. `random` returns bytes that nobody can guess. */
  constructor(random: (size: number) => Uint8Array = randomBytes) {
    throw new Todo('09.4');
  }

  /** How many tickets it remembers. */
  get size(): number {
    throw new Todo('09.4');
  }

  /** Issues a ticket of 128 random bits to a user, as base64url. `now` is in milliseconds. */
  issue(user: string, now: number): string {
    throw new Todo('09.4');
  }

  /** Takes a ticket back, and returns its user. `undefined`: it is none, or used, or too old. */
  redeem(ticket: string, now: number): string | undefined {
    throw new Todo('09.4');
  }
}

/** What somebody says in a room, before it has an id. */
export interface Said {
  readonly user: string;
  /** What the client calls it, to say it again without saying it twice. */
  readonly cid: string;
  readonly text: string;
}

/** A message of a room. */
export interface Entry extends Said {
  /** Two numbers of up to 20 digits, such as `1700000000000-12`. Later entries have greater ones. */
  readonly id: string;
}

/**
 * Step 5 · What comes after what.
 *
 * Compares two ids: negative when `a` is the earlier one, positive when it is the later one, and 0
 * when they are the same. As text, `9-10` would come before `9-9`.
 */
export function compareIds(a: string, b: string): number {
  throw new Todo('09.5');
}

/**
 * Step 5 · A history.
 *
 * The last messages of a room, in order, each with an id. Whoever has seen the one with some id can
 * get all behind it, or learns that it is too late for that.
 */
export class History {
  /**
   * Makes a history that remembers `most` messages. `epoch` is the first number of its ids, and
   * greater than that of any history of this room before, such as the time in milliseconds.
   */
  constructor(epoch: number, most: number) {
    throw new Todo('09.5');
  }

  /** The id of the last message. Before the first one, that of the beginning: with a 0 at its end. */
  get tip(): string {
    throw new Todo('09.5');
  }

  /**
   * Adds a message, and returns its id. When a message of this user with this `cid` is in the history
   * already, adds nothing, and returns the id of that one: `isNew` is `false`.
   */
  append(said: Said): { readonly id: string; readonly isNew: boolean } {
    throw new Todo('09.5');
  }

  /**
   * Returns the messages behind the one with the id `last`, `count` of them at most, the oldest
   * first. `undefined`: some of them are forgotten, or there never was such an id.
   */
  after(last: string, count: number): Entry[] | undefined {
    throw new Todo('09.5');
  }
}

/** Is told of a message; with `undefined`, that some may have been lost. */
export type Deliver = (entry: Entry | undefined) => void;

/** What carries messages between all who are in a room, and remembers them. */
export interface Bus {
  /**
   * Adds a message to a room, and returns its id; the first one again for a `cid` that this user has
   * used already.
   */
  publish(room: string, said: Said): Promise<string>;
  /**
   * From when it has resolved, calls `deliver` with each message that is added to the room, in order;
   * with `undefined` when some may have been lost. Resolves with what ends that at once, also while a
   * message is being delivered.
   */
  subscribe(room: string, deliver: Deliver): Promise<() => void>;
  /**
   * Returns what `History.after` returns. May also return `undefined` when the message `last` itself
   * is forgotten, and nothing behind it.
   */
  after(room: string, last: string, count: number): Promise<Entry[] | undefined>;
  /** Returns the id of the last message, or that of the beginning. */
  tip(room: string): Promise<string>;
}

/** What a client says, as JSON in a text message. */
export type ClientFrame =
  /** The first: which room, and the id of the last message it has seen there. Absent: none yet. */
  | { readonly t: 'hello'; readonly room: string; readonly last?: string }
  /** Something for all in the room. */
  | { readonly t: 'msg'; readonly cid: string; readonly text: string };

/** What a server says, as JSON in a text message. */
export type ServerFrame =
  /** The first. All messages behind `last` follow. `gap`: what was before may be incomplete. */
  | { readonly t: 'welcome'; readonly last: string; readonly gap: boolean }
  /** What somebody has said. */
  | ({ readonly t: 'msg' } & Entry)
  /** A message of this client is in the history. */
  | { readonly t: 'ack'; readonly cid: string; readonly id: string }
  /** Messages may be missing up to here. All behind `last` follow. */
  | { readonly t: 'gap'; readonly last: string }
  /** This server is about to leave: come back after so many milliseconds. */
  | { readonly t: 'bye'; readonly afterMs: number };

/** How many messages a session asks its bus for at once, at most. */
export const PAGE_SIZE = 200;

/** How many messages of a client can wait for their place in the history. */
export const MAX_UNACKED = 100;

/**
 * The longest name of a room, and the longest `cid`, in characters. None of them has half of a
 * surrogate pair in it: that is lost in UTF-8, and two names would be one.
 */
export const MAX_NAME = 64;

/**
 * Step 6 · What a client says.
 *
 * Reads a message of a client. Throws `ProtocolError` 1008 for one that isn't a `ClientFrame`.
 */
export function parseClientFrame(message: string): ClientFrame {
  throw new Todo('09.6');
}

/** What a session needs of a connection. */
export type Peer = Pick<Connection, 'send' | 'close'>;

/**
 * Step 6 · A client in its room.
 *
 * The server's side of a conversation that survives its connections. Whoever comes back with the id
 * of the last message they have seen gets all that came behind it, in order and none twice, and
 * then what comes. A client that reads slowly is sent none from when `send` returns `false`, and gets
 * them from the history when it has room.
 *
 * When the bus fails, publishes no more, and closes the connection with 1013: the client comes back
 * later, and says again what it has seen no `ack` for, in the same order. RFC 6455 §7.4.1
 */
export class ServerSession {
  /** Starts with a connection that has opened, of a user who has shown who they are. */
  constructor(peer: Peer, bus: Bus, user: string) {
    throw new Todo('09.6');
  }

  /**
   * Receives a text message. Throws `ProtocolError` 1008 for one that isn't a `ClientFrame`, for a
   * second `hello`, for a message before the first, and when more than `MAX_UNACKED` wait for their
   * place in the history.
   */
  receive(message: string): void {
    throw new Todo('09.6');
  }

  /** Is told that the client has room again. */
  drained(): void {
    throw new Todo('09.6');
  }

  /** Is told that the connection has ended. What the client has said until then is still published. */
  ended(): void {
    throw new Todo('09.6');
  }

  /**
   * Step 12 · Tells the client that this server leaves, and to come back after so many milliseconds.
   * Resolves when all that it has said until now has its place in the history.
   */
  leaves(afterMs: number): Promise<void> {
    throw new Todo('09.12');
  }
}

/** What a client hears of its room. */
export type RoomEvent =
  /** Somebody has said something. */
  | { readonly type: 'message'; readonly entry: Entry }
  /** A message of our own has its place in the history. */
  | { readonly type: 'sent'; readonly cid: string; readonly id: string }
  /** Messages may be missing before the next one: what is shown has to be loaded again. */
  | { readonly type: 'gap' };

/** The first delay before a client comes back is up to this, in milliseconds. */
export const BASE_DELAY_MS = 1_000;

/** And no delay is longer than this, whatever the server asks for, in milliseconds. */
export const MAX_DELAY_MS = 30_000;

/**
 * Step 7 · A room that survives its connections.
 *
 * The client's side. It keeps what it says until there is an `ack` for it, and says it again on the
 * next connection, in the same order, each under its `cid`. No more than `MAX_UNACKED` are on their
 * way at once. It remembers the last message it has seen, and drops what it has seen already.
 */
export class ClientSession {
  /**
   * Makes a session for a room. `name` is that of this session alone, such as a UUID: two tabs are
   * two. `random` returns a number from 0 up to, not including, 1.
   */
  constructor(room: string, name: string, random: () => number = Math.random) {
    throw new Todo('09.7');
  }

  /** The id of the last message it has seen. `undefined`: it has never been welcome. */
  get last(): string | undefined {
    throw new Todo('09.7');
  }

  /** The texts that there is no `ack` for, the oldest first. */
  get unacked(): readonly string[] {
    throw new Todo('09.7');
  }

  /** Says something, now or when there is a connection again. Returns its `cid`. */
  say(text: string): string {
    throw new Todo('09.7');
  }

  /** Is told that a connection has opened. */
  opened(): void {
    throw new Todo('09.7');
  }

  /** Returns the text messages to send on the connection now, and keeps none of them. */
  takeOutput(): string[] {
    throw new Todo('09.7');
  }

  /** Receives a text message of the server. */
  receive(message: string): void {
    throw new Todo('09.7');
  }

  /** Returns what happens next. `undefined`: nothing, until more is received. */
  next(): RoomEvent | undefined {
    throw new Todo('09.7');
  }

  /**
   * Is told that the connection has ended, or could not be opened. Returns after how many
   * milliseconds to try again: a random share of `BASE_DELAY_MS`, doubled with each attempt up to
   * `MAX_DELAY_MS`, after what the server has asked for with `bye`. The next `welcome` starts the
   * count again. `undefined`: never, for 1000, 1002, 1003, 1007 to 1010, 4401 (not logged in) and
   * 4403 (not allowed): whoever is closed with one of these would be closed again.
   */
  closed(code: number): number | undefined {
    throw new Todo('09.7');
  }
}

/** Who somebody is, as the application has found out. */
export interface Login {
  readonly user: string;
  /** When that ends, on the clock of `performance.now()`, in milliseconds. Absent: never. */
  readonly until?: number;
}

/**
 * Finds out who shows this credential. Resolves with `undefined` when nobody does; that may take
 * a while. It is asked last, so that nothing that is good for once is used up in vain.
 */
export type Authenticate = (credential: Credential) => Promise<Login | undefined>;

/** How much a gate lets in. */
export interface GateLimits {
  /** How many sockets an address can have. One of IPv6 is counted with its first 64 bits. */
  readonly socketsPerAddress: number;
  /** How many sockets a user can have. */
  readonly socketsPerUser: number;
  /** How many requests an address can make, good and bad. */
  readonly requests: Rate;
  /**
   * How many messages a socket can send, and how many bytes of them. What a client of ours has on its
   * way has to fit into a `burst`: `MAX_UNACKED` messages, and its longest one with 64 KiB behind it.
   */
  readonly messages: Rate;
  readonly bytes: Rate;
  /** How long it can take to find out who somebody is, and to take a refusal, in milliseconds. */
  readonly loginTimeoutMs: number;
}

/** What a gate lets in unless told otherwise. */
export const GATE_LIMITS: GateLimits = {
  socketsPerAddress: 20,
  socketsPerUser: 10,
  requests: { burst: 10, perSecond: 1 },
  messages: { burst: 500, perSecond: 20 },
  bytes: { burst: 256 * 1024, perSecond: 64 * 1024 },
  loginTimeoutMs: 5_000,
};

/** What a gate serves. */
export interface GateOptions extends Options, Partial<GateLimits> {
  readonly authenticate: Authenticate;
  /** Absent: clients connect to us directly. */
  readonly proxies?: Proxies;
}

/** Like `Handler` of lesson 05, and with who it is. */
export type UserHandler = (
  connection: Connection,
  event: Parameters<Handler>[1],
  login: Login,
) => void;

/**
 * Step 8 · The gate.
 *
 * Lets in who may come in: it sits between a server of `node:http` or `node:https` and the WebSocket
 * server of lesson 05, whose options are its own, too. What costs little is asked first, and who
 * somebody is comes last.
 *
 * What a client says too fast waits, and is handled in order when there are tokens for it, or when
 * the client is gone; meanwhile, no more is read. When more messages or bytes wait than a bucket can
 * hold, the client is closed with 1008, and nothing more of it is handled.
 */
export class Gate {
  /** Makes a gate that tells `handle` what happens on each connection, and whose it is. */
  constructor(handle: UserHandler, options: GateOptions) {
    throw new Todo('09.8');
  }

  /** The connections that are open or closing, and whose they are. */
  get connections(): ReadonlyMap<Connection, Login> {
    throw new Todo('09.8');
  }

  /**
   * Takes a socket over as an `upgrade` event hands it out, and answers its request: with 101, or
   * with 503 when the gate is closed, 429 for too many of one address or user, what lesson 01 has
   * for a bad request, 401 when nobody shows who they are, and 503 when that cannot be found out.
   * With 429 and 503, `Retry-After` says in how many seconds to come back, and with 401,
   * `WWW-Authenticate` how to log in. What the client has sent already is not lost meanwhile, and
   * what it sends waits in its socket, not in our memory. Never rejects. RFC 9110 §10.2.3, §15.5.2
   */
  async upgrade(request: IncomingMessage, socket: Duplex, head: Uint8Array): Promise<void> {
    throw new Todo('09.8');
  }

  /** Closes the connections of a user who has logged out, with 4401, as when `until` has come. */
  logOut(user: string): void {
    throw new Todo('09.8');
  }

  /** Closes the gate: from now on, every request is refused with 503. */
  close(): void {
    throw new Todo('09.8');
  }

  /** Closes the gate and all connections, as the server of lesson 05 does. */
  shutdown(): Promise<void> {
    throw new Todo('09.8');
  }
}

/** How long a client can take for the handshake of TLS, in milliseconds. */
export const TLS_TIMEOUT_MS = 10_000;

/**
 * Step 9 · TLS.
 *
 * Makes a server that calls `accept` with each socket whose TLS handshake is done, such as
 * `(socket) => httpServer.emit('connection', socket)`. Agrees on HTTP/1.1 with clients that name
 * protocols (ALPN), as HTTP/2 has no `Upgrade`. Destroys those that fail in it, and those that have
 * not done it after `TLS_TIMEOUT_MS`: `node:tls` itself only says so. The options may say otherwise.
 */
export function createTlsServer(options: TlsOptions, accept: (socket: TLSSocket) => void): Server {
  throw new Todo('09.9');
}

/**
 * Step 9 · Behind a proxy that says who it is for.
 *
 * Reads the header of the PROXY protocol from a socket, and calls `accept` with the socket: its
 * `remoteAddress` is the client's then, and what the client has sent is still to be read. Destroys
 * the socket when its peer isn't a proxy of ours, when something else arrives, and when no header
 * does within `timeoutMs`.
 */
export function acceptProxied(
  socket: Socket,
  trusts: Proxies['trusts'],
  accept: (socket: Socket) => void,
  timeoutMs = TLS_TIMEOUT_MS,
): void {
  throw new Todo('09.9');
}

/** How many messages a room remembers, at least. */
export const HISTORY_SIZE = 10_000;

/** How long a room is remembered that nobody is in, in milliseconds. */
export const ROOM_LIFE_MS = 3_600_000;

/**
 * Step 10 · One process.
 *
 * Carries messages between the clients of one process, and remembers them for as long as it lives.
 */
export class MemoryBus implements Bus {
  /**
   * Makes a bus whose rooms remember `size` messages. `now` returns the time in milliseconds, later
   * than any time that a bus before this one has seen: what it had is not mixed up with what we have.
   */
  constructor(now: () => number = Date.now, size = HISTORY_SIZE) {
    throw new Todo('09.10');
  }

  /** How many rooms it remembers. */
  get size(): number {
    throw new Todo('09.10');
  }

  async publish(name: string, said: Said): Promise<string> {
    throw new Todo('09.10');
  }

  async subscribe(name: string, deliver: Deliver): Promise<() => void> {
    throw new Todo('09.10');
  }

  async after(name: string, last: string, count: number): Promise<Entry[] | undefined> {
    throw new Todo('09.10');
  }

  async tip(name: string): Promise<string> {
    throw new Todo('09.10');
  }
}

/** A connection to an engine such as Redis or Valkey. It connects again by itself. */
export interface Engine {
  /**
   * Sends a command, and resolves with its reply, in the form that RESP2 has for it; with the package
   * `@redis/client`, that takes the option `RESP: 2`. Rejects when the connection was lost.
   */
  sendCommand(words: readonly string[]): Promise<unknown>;
}

/**
 * Adds a message to a stream, or returns the id of the one that this `cid` has had already. In one
 * piece, so that somebody who repeats it, because they heard nothing, does not add it twice.
 * Keys: the stream, the `cid`. Arguments: user, cid, text, life of both in seconds, size.
 */
export const PUBLISH_SCRIPT = `
local known = redis.call('GET', KEYS[2])
if known then return known end
local id = redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[5], '*',
  'user', ARGV[1], 'cid', ARGV[2], 'text', ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[4])
redis.call('SET', KEYS[2], id, 'EX', ARGV[4])
return id`;

/** Returns the id of the last entry of a stream. To one that is empty, it adds a beginning. */
export const TIP_SCRIPT = `
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
if last then return last[1] end
local id = redis.call('XADD', KEYS[1], '*', 'user', '')
redis.call('EXPIRE', KEYS[1], ARGV[1])
return id`;

/**
 * How long the reader waits for something new, in milliseconds. Who enters a room meanwhile does not
 * wait for that: `CLIENT UNBLOCK` ends it.
 */
export const BLOCK_MS = 1_000;

/**
 * Step 11 · Many processes.
 *
 * Carries messages between the clients of many processes, through streams of an engine that
 * remembers them. Each process has one connection that waits for what is new in all of its rooms,
 * and one for all else: a connection that waits does nothing else. When a connection was lost, it
 * goes on where it was. When that is not in the engine any more, then or because it reads too slowly,
 * everybody in the room is told, once, that some may have been lost, and it goes on behind what the
 * engine has now. A room that nobody says anything in is forgotten after `ROOM_LIFE_MS`.
 */
export class StreamBus implements Bus {
  /** Makes a bus on two connections to the same engine. Rooms remember `size` messages, or more. */
  constructor(commands: Engine, reader: Engine, size = HISTORY_SIZE) {
    throw new Todo('09.11');
  }

  /** Delivers nothing any more, whatever is on its way, and asks the engine for nothing new. */
  stop(): void {
    throw new Todo('09.11');
  }

  async publish(room: string, said: Said): Promise<string> {
    throw new Todo('09.11');
  }

  async tip(room: string): Promise<string> {
    throw new Todo('09.11');
  }

  async after(room: string, last: string, count: number): Promise<Entry[] | undefined> {
    throw new Todo('09.11');
  }

  async subscribe(room: string, deliver: Deliver): Promise<() => void> {
    throw new Todo('09.11');
  }
}

/** What a chat server needs. */
export interface ChatOptions extends GateOptions {
  readonly bus: Bus;
  /** How long to wait for each client's last messages when leaving, in ms. Absent: `SETTLE_MS`. */
  readonly settleMs?: number;
}

/** How long a server that leaves waits until what a client has said is in the history, in ms. */
export const SETTLE_MS = 2_000;

/**
 * Step 12 · A server that can leave.
 *
 * Gate, bus and sessions together: a chat whose clients lose nothing when this process ends.
 */
export class ChatServer {
  /** Makes a server that nobody is connected to. */
  constructor({ bus, settleMs = SETTLE_MS, ...options }: ChatOptions) {
    throw new Todo('09.12');
  }

  /** The gate, for the `upgrade` event, and for users that log out. */
  get gate(): Gate {
    throw new Todo('09.12');
  }

  /** Says whether a proxy should send clients here: what `GET /ready` answers with 200, or 503. */
  get isReady(): boolean {
    throw new Todo('09.12');
  }

  /**
   * Leaves: lets nobody in from now on, and sends all clients away, one after the other within
   * `spreadMs`, so that they do not all come back at the same moment. Each is told with `bye`, and
   * closed with 1012 when what it has said has its place in the history, or `settleMs` later: it
   * says the rest again elsewhere. Resolves when all are gone. A second call returns the same promise.
   * RFC 6455 §7.4.1
   */
  leave(spreadMs: number): Promise<void> {
    throw new Todo('09.12');
  }
}

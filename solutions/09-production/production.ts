import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIPv4, isIPv6, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { createServer, type Server, type TLSSocket, type TlsOptions } from 'node:tls';
import { CloseCode, HandshakeError, ProtocolError } from '../../shared/protocol.ts';
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
  readonly #rate: Rate;
  #tokens: number;
  /** When the bucket had so many. */
  #at: number;

  /** Makes a full bucket. `now` is in milliseconds, on a clock that is never put back. */
  constructor(rate: Rate, now: number) {
    this.#rate = rate;
    this.#tokens = rate.burst;
    this.#at = now;
  }

  /**
   * Takes `count` tokens, and returns 0. When there are fewer, takes none, and returns after how many
   * milliseconds there are enough, rounded up; `Infinity` when there will never be, because the
   * bucket cannot hold so many, or nothing fills it.
   */
  take(count: number, now: number): number {
    this.#fill(now);
    const missing = count - this.#tokens;
    if (missing <= 0) {
      this.#tokens -= count;
      return 0;
    }
    if (count > this.#rate.burst) return Number.POSITIVE_INFINITY;
    return Math.ceil((missing / this.#rate.perSecond) * 1000);
  }

  /** Says whether the bucket is full: then it is no different from a new one. */
  isFull(now: number): boolean {
    this.#fill(now);
    return this.#tokens === this.#rate.burst;
  }

  #fill(now: number): void {
    const seconds = (now - this.#at) / 1000;
    this.#tokens = Math.min(this.#rate.burst, this.#tokens + seconds * this.#rate.perSecond);
    this.#at = now;
  }
}

/** A limiter looks for buckets to forget when it has so many, and then when it has twice as many. */
const FEW_BUCKETS = 1000;

/**
 * Step 1 · How often, for each.
 *
 * A bucket for each key, such as an address. Those that are full again are forgotten, so that
 * somebody who has many keys does not fill our memory. However many there are, a call costs the same
 * on average.
 */
export class RateLimiter {
  readonly #rate: Rate;
  readonly #buckets = new Map<string, TokenBucket>();
  #sweepSize = FEW_BUCKETS;

  /** Makes a limiter without a bucket. */
  constructor(rate: Rate) {
    this.#rate = rate;
  }

  /** How many buckets it remembers. */
  get size(): number {
    return this.#buckets.size;
  }

  /** Takes tokens from the bucket of `key`, and returns what `TokenBucket.take` returns. */
  take(key: string, count: number, now: number): number {
    const bucket = this.#buckets.get(key) ?? this.#add(key, now);
    return bucket.take(count, now);
  }

  #add(key: string, now: number): TokenBucket {
    if (this.#buckets.size >= this.#sweepSize) this.#sweep(now);
    const bucket = new TokenBucket(this.#rate, now);
    this.#buckets.set(key, bucket);
    return bucket;
  }

  /** Not at each call: the time that it takes is spread over as many new keys as it looks at. */
  #sweep(now: number): void {
    for (const [key, bucket] of this.#buckets) {
      if (bucket.isFull(now)) this.#buckets.delete(key);
    }
    this.#sweepSize = Math.max(FEW_BUCKETS, 2 * this.#buckets.size);
  }
}

/**
 * Step 1 · How many at once, for each.
 *
 * Counts what is there for each key, such as the sockets of an address, up to `most`.
 */
export class Slots {
  readonly #most: number;
  readonly #taken = new Map<string, number>();

  /** Makes slots that are all free. */
  constructor(most: number) {
    this.#most = most;
  }

  /** How many keys have a slot. */
  get size(): number {
    return this.#taken.size;
  }

  /**
   * Takes a slot of `key`. Returns what gives it back, once, however often it is called; `undefined`
   * when all are taken.
   */
  take(key: string): (() => void) | undefined {
    const taken = this.#taken.get(key) ?? 0;
    if (taken >= this.#most) return undefined;
    this.#taken.set(key, taken + 1);
    let isTaken = true;
    return () => {
      if (isTaken) this.#giveBack(key);
      isTaken = false;
    };
  }

  #giveBack(key: string): void {
    const taken = this.#taken.get(key)! - 1;
    if (taken > 0) this.#taken.set(key, taken);
    else this.#taken.delete(key);
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
  const [, bracketed, withPort] = /^\[([^\]]*)\](?::[\w.-]+)?$|^([\d.]+):[\w.-]+$/.exec(text) ?? [];
  const address = (bracketed ?? withPort ?? text).replace(/%.*/, '');
  if (isIPv4(address)) return bracketed === undefined ? address : undefined;
  if (!isIPv6(address)) return undefined;
  const short = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const mapped = /^::ffff:([\da-f]+):([\da-f]+)$/.exec(short);
  if (!mapped) return short;
  const [a, b] = [Number.parseInt(mapped[1]!, 16), Number.parseInt(mapped[2]!, 16)];
  return [a >> 8, a & 255, b >> 8, b & 255].join('.');
}

/**
 * Step 2 · Who is limited together.
 *
 * Returns what to count an address under, one that `parseAddress` has returned: an IPv4 address
 * itself, and of an IPv6 address the first 64 bits, because everybody has all of the others.
 */
export function addressKey(address: string): string {
  if (!address.includes(':')) return address;
  const [before = '', after = ''] = address.split('::');
  const [head, tail] = [before, after].map((part) => part.split(':').filter(Boolean)) as [
    string[],
    string[],
  ];
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => '0');
  return `${[...head, ...zeros, ...tail].slice(0, 4).join(':')}::/64`;
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
  let client = parseAddress(peer ?? '');
  if (!proxies) return client;
  const lines = headers.get(proxies.header) ?? [];
  const hops = lines.flatMap(proxies.header === 'forwarded' ? forwardedFor : forwardedForOld);
  for (const hop of hops.reverse()) {
    if (client === undefined || !proxies.trusts(client)) break;
    const next = parseAddress(hop);
    if (next === undefined) break;
    client = next;
  }
  return client;
}

function forwardedForOld(line: string): string[] {
  return line.split(',').map((hop) => hop.trim());
}

/** A token, or text in quotes that may have commas and semicolons in it. RFC 7239 §4 */
const PAIR = /\s*([^\s",;=]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s",;]*))\s*([,;]|$)/gy;

/** The `for` of each element, from left to right. One that has none, or cannot be read, is empty. */
function forwardedFor(line: string): string[] {
  const hops = [''];
  let end = 0;
  for (const [pair, name = '', quoted, token = '', separator] of line.matchAll(PAIR)) {
    end += pair.length;
    const value = quoted?.replace(/\\(.)/g, '$1') ?? token;
    if (name.toLowerCase() === 'for') hops[hops.length - 1] = value;
    if (separator === ',') hops.push('');
  }
  // An open quote of the client's would hide what our proxy has written behind it.
  return end === line.length ? hops : [...hops, ''];
}

/** What a proxy has put before all else on a TCP connection. */
export interface ProxyHeader {
  /** Size of the header in bytes. What follows is what the client has sent. */
  readonly length: number;
  /** The client, as `parseAddress` returns it. `undefined`: the proxy itself, or nobody knows. */
  readonly address: string | undefined;
}

const PROXY_V1 = Buffer.from('PROXY ');
const PROXY_V2 = Buffer.from('\r\n\r\n\0\r\nQUIT\n');

/** The longest header of version 1, its line break included, in bytes. */
const MAX_V1_BYTES = 107;

/**
 * Step 3 · What a proxy says first.
 *
 * Reads a header of the PROXY protocol, version 1 or 2, at the start of what has arrived. Only for
 * connections of our own proxies: anybody could send one. `undefined`: more bytes are needed. Throws
 * `HandshakeError` 400 for what is no such header.
 */
export function parseProxyHeader(received: Uint8Array): ProxyHeader | undefined {
  const bytes = Buffer.from(received.buffer, received.byteOffset, received.length);
  if (startsLike(bytes, PROXY_V2)) return parseProxyV2(bytes);
  if (startsLike(bytes, PROXY_V1)) return parseProxyV1(bytes);
  throw badProxyHeader();
}

/** Says whether bytes begin with others, or may when more of them arrive. */
function startsLike(bytes: Buffer, start: Buffer): boolean {
  const size = Math.min(bytes.length, start.length);
  return bytes.subarray(0, size).equals(start.subarray(0, size));
}

function parseProxyV1(bytes: Buffer): ProxyHeader | undefined {
  const end = bytes.subarray(0, MAX_V1_BYTES).indexOf('\r\n');
  if (end < 0 && bytes.length < MAX_V1_BYTES) return undefined;
  const line = bytes.toString('latin1', 0, Math.max(end, 0));
  if (/^PROXY UNKNOWN( |$)/.test(line)) return { length: end + 2, address: undefined };
  const [, family, source = '', destination = ''] =
    /^PROXY TCP([46]) (\S+) (\S+) \d{1,5} \d{1,5}$/.exec(line) ?? [];
  const isAddress = family === '4' ? isIPv4 : isIPv6;
  if (!isAddress(source) || !isAddress(destination)) throw badProxyHeader();
  return { length: end + 2, address: parseAddress(source) };
}

/** Signature, version and command, family, two bytes of length; then addresses, ports and more. */
function parseProxyV2(bytes: Buffer): ProxyHeader | undefined {
  if (bytes.length < 16) return undefined;
  const [command, family] = [bytes[12]!, bytes[13]!];
  const length = 16 + bytes.readUInt16BE(14);
  if (command !== 0x20 && command !== 0x21) throw badProxyHeader();
  if (bytes.length < length) return undefined;
  const isLocal = command === 0x20; // A check by the proxy itself.
  const size = isLocal ? 0 : family === 0x11 ? 4 : family === 0x21 ? 16 : 0;
  if (size === 0) return { length, address: undefined };
  if (length < 16 + 2 * size + 4) throw badProxyHeader();
  const source = bytes.subarray(16, 16 + size);
  const text = size === 4 ? source.join('.') : source.toString('hex').match(/.{4}/g)!.join(':');
  return { length, address: parseAddress(text) };
}

function badProxyHeader(): HandshakeError {
  return new HandshakeError(400, '4.2.1', 'That is no header of the PROXY protocol.');
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
  return (
    credential('ticket', queryOf(head.target).getAll('ticket')) ??
    credential('token', tokens(head.headers)) ??
    credential('cookie', cookies(head.headers))
  );
}

function credential(kind: Credential['kind'], values: readonly string[]): Credential | undefined {
  const [value, ...others] = new Set(values);
  return value && others.length === 0 ? { kind, value } : undefined;
}

/** What is behind the first `?` of a target. A query may have others. RFC 3986 §3.4 */
function queryOf(target: string): URLSearchParams {
  return new URLSearchParams(target.replace(/[^?]*/, ''));
}

function tokens(headers: RequestHead['headers']): string[] {
  const offered = (headers.get('sec-websocket-protocol') ?? []).flatMap((line) => line.split(','));
  return offered
    .map((protocol) => protocol.trim())
    .filter((protocol) => protocol.startsWith(TOKEN_PREFIX))
    .map((protocol) => Buffer.from(protocol.slice(TOKEN_PREFIX.length), 'base64url').toString());
}

function cookies(headers: RequestHead['headers']): string[] {
  const pairs = (headers.get('cookie') ?? []).flatMap((line) => line.split(';'));
  return pairs
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${COOKIE}=`))
    .map((pair) => pair.slice(COOKIE.length + 1));
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
  readonly #random: (size: number) => Uint8Array;
  /** Ticket → who it is for, and until when. The oldest is the first. */
  readonly #issued = new Map<string, { readonly user: string; readonly until: number }>();

  /** Makes a desk that has issued nothing. `random` returns bytes that nobody can guess. */
  constructor(random: (size: number) => Uint8Array = randomBytes) {
    this.#random = random;
  }

  /** How many tickets it remembers. */
  get size(): number {
    return this.#issued.size;
  }

  /** Issues a ticket of 128 random bits to a user, as base64url. `now` is in milliseconds. */
  issue(user: string, now: number): string {
    this.#forgetOld(now);
    const ticket = Buffer.from(this.#random(16)).toString('base64url');
    this.#issued.set(ticket, { user, until: now + TICKET_LIFE_MS });
    return ticket;
  }

  /** Takes a ticket back, and returns its user. `undefined`: it is none, or used, or too old. */
  redeem(ticket: string, now: number): string | undefined {
    this.#forgetOld(now);
    const user = this.#issued.get(ticket)?.user;
    this.#issued.delete(ticket);
    return user;
  }

  #forgetOld(now: number): void {
    for (const [ticket, { until }] of this.#issued) {
      if (now < until) break;
      this.#issued.delete(ticket);
    }
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
  const [[a1, a2], [b1, b2]] = [numbersOf(a), numbersOf(b)];
  return Number(a1 - b1) || Number(a2 - b2);
}

function numbersOf(id: string): [bigint, bigint] {
  return id.split('-').map(BigInt) as [bigint, bigint];
}

/**
 * Step 5 · A history.
 *
 * The last messages of a room, in order, each with an id. Whoever has seen the one with some id can
 * get all behind it, or learns that it is too late for that.
 */
export class History {
  readonly #epoch: number;
  readonly #most: number;
  /** The oldest first. */
  readonly #entries: Entry[] = [];
  /** User and `cid` of each of them → its id. */
  readonly #ids = new Map<string, string>();
  #forgotten = 0;

  /**
   * Makes a history that remembers `most` messages. `epoch` is the first number of its ids, and
   * greater than that of any history of this room before, such as the time in milliseconds.
   */
  constructor(epoch: number, most: number) {
    this.#epoch = epoch;
    this.#most = most;
  }

  /** The id of the last message. Before the first one, that of the beginning: with a 0 at its end. */
  get tip(): string {
    return this.#idOf(this.#forgotten + this.#entries.length);
  }

  #idOf(number: number): string {
    return `${this.#epoch}-${number}`;
  }

  /**
   * Adds a message, and returns its id. When a message of this user with this `cid` is in the history
   * already, adds nothing, and returns the id of that one: `isNew` is `false`.
   */
  append(said: Said): { readonly id: string; readonly isNew: boolean } {
    const known = this.#ids.get(keyOf(said));
    if (known !== undefined) return { id: known, isNew: false };
    const id = this.#idOf(this.#forgotten + this.#entries.length + 1);
    this.#entries.push({ ...said, id });
    this.#ids.set(keyOf(said), id);
    if (this.#entries.length > this.#most) this.#forgetOldest();
    return { id, isNew: true };
  }

  #forgetOldest(): void {
    const oldest = this.#entries.shift()!;
    this.#ids.delete(keyOf(oldest));
    this.#forgotten++;
  }

  /**
   * Returns the messages behind the one with the id `last`, `count` of them at most, the oldest
   * first. `undefined`: some of them are forgotten, or there never was such an id.
   */
  after(last: string, count: number): Entry[] | undefined {
    const number = Number(last.split('-')[1]);
    const start = number - this.#forgotten;
    const isOurs = last === this.#idOf(number) && start >= 0 && start <= this.#entries.length;
    return isOurs ? this.#entries.slice(start, start + count) : undefined;
  }
}

/** A `cid` is the client's own: somebody else's can be the same, by chance or on purpose. */
function keyOf({ user, cid }: Said): string {
  return JSON.stringify([user, cid]);
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
  const frame = parseObject(message);
  const { t, room, last, cid, text } = frame;
  if (t === 'hello' && isName(room) && (last === undefined || isId(last))) {
    return last === undefined ? { t, room } : { t, room, last };
  }
  if (t === 'msg' && isName(cid) && typeof text === 'string') return { t, cid, text };
  throw refused('That is no message of this protocol.');
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return Object(value) as Record<string, unknown>;
  } catch {
    throw refused('That is not JSON.');
  }
}

function isName(value: unknown): value is string {
  if (typeof value !== 'string' || !value.isWellFormed()) return false;
  return value.length > 0 && value.length <= MAX_NAME;
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && /^\d{1,20}-\d{1,20}$/.test(value);
}

function refused(message: string): ProtocolError {
  return new ProtocolError(CloseCode.PolicyViolation, '7.4.1', message);
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
  readonly #peer: Peer;
  readonly #bus: Bus;
  readonly #user: string;
  #room: string | undefined;
  /** The client has been sent everything up to this one. `undefined`: it is not welcome yet. */
  #cursor: string | undefined;
  /** Is the client being sent what it has missed? What arrives meanwhile is in the history, too. */
  #isCatchingUp = false;
  /** Has something arrived since the history was asked? */
  #hasMore = false;
  /** Has `send` said that the client has no room? */
  #isFull = false;
  #isOver = false;
  #hasFailed = false;
  #leave = () => {};
  #unacked = 0;
  #published: Promise<void> = Promise.resolve();

  /** Starts with a connection that has opened, of a user who has shown who they are. */
  constructor(peer: Peer, bus: Bus, user: string) {
    this.#peer = peer;
    this.#bus = bus;
    this.#user = user;
  }

  /**
   * Receives a text message. Throws `ProtocolError` 1008 for one that isn't a `ClientFrame`, for a
   * second `hello`, for a message before the first, and when more than `MAX_UNACKED` wait for their
   * place in the history.
   */
  receive(message: string): void {
    const frame = parseClientFrame(message);
    if (frame.t === 'hello') this.#enter(frame.room, frame.last);
    else this.#publish(frame.cid, frame.text);
  }

  /** Is told that the client has room again. */
  drained(): void {
    if (!this.#isFull) return;
    this.#isFull = false;
    this.#try(() => this.#catchUp());
  }

  /** Is told that the connection has ended. What the client has said until then is still published. */
  ended(): void {
    this.#isOver = true;
    this.#leave();
  }

  /**
   * Step 12 · Tells the client that this server leaves, and to come back after so many milliseconds.
   * Resolves when all that it has said until now has its place in the history.
   */
  leaves(afterMs: number): Promise<void> {
    this.#send({ t: 'bye', afterMs });
    return this.#published;
  }

  #enter(room: string, last: string | undefined): void {
    if (this.#room !== undefined) throw refused('A second hello.');
    this.#room = room;
    // What the client says waits for this: `welcome` is the first that it hears.
    this.#published = this.#try(async () => {
      // First, so that nothing falls between the history and what arrives from now on.
      this.#leave = await this.#bus.subscribe(room, (entry) => this.#arrived(entry));
      if (this.#isOver) return this.#leave();
      await this.#welcome(room, last);
      this.#try(() => this.#catchUp());
    });
  }

  async #welcome(room: string, last: string | undefined): Promise<void> {
    const isKnown = last !== undefined && (await this.#bus.after(room, last, 1)) !== undefined;
    const cursor = isKnown ? last : await this.#bus.tip(room);
    this.#cursor = cursor;
    this.#send({ t: 'welcome', last: cursor, gap: last !== undefined && !isKnown });
  }

  /** Sends what the client has not seen, page by page, until there is nothing left, or no room. */
  async #catchUp(): Promise<void> {
    this.#hasMore = true;
    if (this.#isCatchingUp) return;
    this.#isCatchingUp = true;
    while (this.#hasMore && !this.#isFull && !this.#isOver) {
      this.#hasMore = false;
      const page = await this.#bus.after(this.#room!, this.#cursor!, PAGE_SIZE);
      if (page === undefined) await this.#tellGap();
      for (const entry of page ?? []) if (!this.#isFull) this.#deliver(entry);
      this.#hasMore ||= page === undefined || page.length > 0;
    }
    this.#isCatchingUp = false;
  }

  async #tellGap(): Promise<void> {
    const last = await this.#bus.tip(this.#room!);
    this.#cursor = last;
    this.#send({ t: 'gap', last });
  }

  /** Something has been said in the room, or some of that may have been lost. */
  #arrived(entry: Entry | undefined): void {
    if (this.#cursor === undefined) return; // The history is asked after this.
    if (entry === undefined) this.#try(() => this.#catchUp());
    else if (this.#isCatchingUp || this.#isFull) this.#hasMore = true;
    else this.#deliver(entry);
  }

  #deliver(entry: Entry): void {
    if (compareIds(entry.id, this.#cursor!) <= 0) return;
    this.#cursor = entry.id;
    this.#send({ t: 'msg', ...entry });
  }

  #publish(cid: string, text: string): void {
    const room = this.#room;
    if (room === undefined) throw refused('A message before hello.');
    if (this.#unacked === MAX_UNACKED) throw refused('Too many messages at once.');
    this.#unacked++;
    // One after the other: an answer that is late must not change their order.
    this.#published = this.#published.then(() =>
      this.#try(async () => {
        // Behind one that is lost, they would be out of order: the client repeats them all.
        if (this.#hasFailed) return;
        const id = await this.#bus.publish(room, { user: this.#user, cid, text });
        this.#unacked--;
        this.#send({ t: 'ack', cid, id });
      }),
    );
  }

  #send(frame: ServerFrame): void {
    if (!this.#peer.send(JSON.stringify(frame))) this.#isFull = true;
  }

  async #try(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch {
      this.#hasFailed = true;
      this.#peer.close(CloseCode.TryAgainLater, 'The messages are out of reach.');
    }
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

const FINAL_CODES: ReadonlySet<number> = new Set([
  1000, 1002, 1003, 1007, 1008, 1009, 1010, 4401, 4403,
]);

/**
 * Step 7 · A room that survives its connections.
 *
 * The client's side. It keeps what it says until there is an `ack` for it, and says it again on the
 * next connection, in the same order, each under its `cid`. No more than `MAX_UNACKED` are on their
 * way at once. It remembers the last message it has seen, and drops what it has seen already.
 */
export class ClientSession {
  readonly #room: string;
  readonly #name: string;
  readonly #random: () => number;
  /** What there is no `ack` for, the oldest first: `cid` → text. */
  readonly #unacked = new Map<string, string>();
  /** The `cid` of each that is still to be sent on this connection, the oldest first. */
  #unsent: string[] = [];
  #output: ClientFrame[] = [];
  #events: RoomEvent[] = [];
  #said = 0;
  #isWelcome = false;
  #last: string | undefined;
  /** How many attempts to come back there were since the last `welcome`. */
  #attempt = 0;
  #byeMs = 0;

  /**
   * Makes a session for a room. `name` is that of this session alone, such as a UUID: two tabs are
   * two. `random` returns a number from 0 up to, not including, 1.
   */
  constructor(room: string, name: string, random: () => number = Math.random) {
    this.#room = room;
    this.#name = name;
    this.#random = random;
  }

  /** The id of the last message it has seen. `undefined`: it has never been welcome. */
  get last(): string | undefined {
    return this.#last;
  }

  /** The texts that there is no `ack` for, the oldest first. */
  get unacked(): readonly string[] {
    return [...this.#unacked.values()];
  }

  /** Says something, now or when there is a connection again. Returns its `cid`. */
  say(text: string): string {
    this.#said++;
    const cid = `${this.#name}:${this.#said}`;
    this.#unacked.set(cid, text);
    this.#unsent.push(cid);
    this.#sendMore();
    return cid;
  }

  /** Is told that a connection has opened. */
  opened(): void {
    const last = this.#last;
    this.#output = [{ t: 'hello', room: this.#room, ...(last !== undefined && { last }) }];
  }

  /** Returns the text messages to send on the connection now, and keeps none of them. */
  takeOutput(): string[] {
    const frames = this.#output;
    this.#output = [];
    return frames.map((frame) => JSON.stringify(frame));
  }

  /** Receives a text message of the server. */
  receive(message: string): void {
    const frame = JSON.parse(message) as ServerFrame;
    switch (frame.t) {
      case 'welcome':
        this.#welcome(frame.last, frame.gap);
        break;
      case 'msg':
        this.#show(frame);
        break;
      case 'ack':
        this.#acked(frame.cid, frame.id);
        break;
      case 'gap':
        this.#miss(frame.last);
        break;
      case 'bye':
        this.#byeMs = frame.afterMs;
    }
  }

  /** Returns what happens next. `undefined`: nothing, until more is received. */
  next(): RoomEvent | undefined {
    return this.#events.shift();
  }

  #welcome(last: string, gap: boolean): void {
    this.#isWelcome = true;
    this.#attempt = 0;
    if (gap) this.#miss(last);
    this.#last = last;
    this.#unsent = [...this.#unacked.keys()];
    this.#sendMore();
  }

  #show({ id, user, cid, text }: Entry): void {
    if (compareIds(id, this.#last!) <= 0) return;
    this.#last = id;
    this.#events.push({ type: 'message', entry: { id, user, cid, text } });
  }

  #miss(last: string): void {
    this.#last = last;
    this.#events.push({ type: 'gap' });
  }

  #acked(cid: string, id: string): void {
    if (!this.#unacked.delete(cid)) return;
    this.#events.push({ type: 'sent', cid, id });
    this.#sendMore();
  }

  #sendMore(): void {
    while (this.#isWelcome && this.#unsent.length > 0) {
      if (this.#unacked.size - this.#unsent.length === MAX_UNACKED) break;
      const cid = this.#unsent.shift()!;
      this.#output.push({ t: 'msg', cid, text: this.#unacked.get(cid)! });
    }
  }

  /**
   * Is told that the connection has ended, or could not be opened. Returns after how many
   * milliseconds to try again: a random share of `BASE_DELAY_MS`, doubled with each attempt up to
   * `MAX_DELAY_MS`, after what the server has asked for with `bye`. The next `welcome` starts the
   * count again. `undefined`: never, for 1000, 1002, 1003, 1007 to 1010, 4401 (not logged in) and
   * 4403 (not allowed): whoever is closed with one of these would be closed again.
   */
  closed(code: number): number | undefined {
    this.#isWelcome = false;
    this.#output = [];
    if (FINAL_CODES.has(code)) return undefined;
    const longest = Math.min(BASE_DELAY_MS * 2 ** this.#attempt, MAX_DELAY_MS);
    this.#attempt++;
    const byeMs = Math.min(this.#byeMs, MAX_DELAY_MS - longest);
    this.#byeMs = 0;
    return byeMs + this.#random() * longest;
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

/** Who somebody is has come to its end. A code of our own: 4000–4999 are free. RFC 6455 §7.4.2 */
const NOT_LOGGED_IN = 4401;

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
  readonly #handle: UserHandler;
  readonly #options: GateOptions & GateLimits;
  readonly #server: WebSocketServer;
  readonly #requests: RateLimiter;
  readonly #addresses: Slots;
  readonly #users: Slots;
  /** Who has come in on a socket. */
  readonly #logins = new WeakMap<Duplex, Login>();
  readonly #connections = new Map<Connection, Login>();
  #isClosed = false;

  /** Makes a gate that tells `handle` what happens on each connection, and whose it is. */
  constructor(handle: UserHandler, options: GateOptions) {
    this.#handle = handle;
    this.#options = { ...GATE_LIMITS, ...options };
    this.#requests = new RateLimiter(this.#options.requests);
    this.#addresses = new Slots(this.#options.socketsPerAddress);
    this.#users = new Slots(this.#options.socketsPerUser);
    this.#server = new WebSocketServer(() => {}, {
      ...options,
      attach: (socket, opening, handle, limits) =>
        (options.attach ?? attach)(socket, opening, this.#guard(socket, handle), limits),
    });
  }

  /** The connections that are open or closing, and whose they are. */
  get connections(): ReadonlyMap<Connection, Login> {
    return this.#connections;
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
    socket.on('error', ignore); // While nobody else listens, a reset would end the process.
    try {
      this.#logins.set(socket, await this.#admit(request, socket));
    } catch (error) {
      this.#refuse(socket, error);
      return;
    }
    this.#server.upgrade(request, socket, head);
  }

  async #admit(request: IncomingMessage, socket: Duplex): Promise<Login> {
    this.#checkOpen();
    const requestHead = headOf(request);
    const peer = request.socket.remoteAddress;
    const address = clientAddress(peer, requestHead.headers, this.#options.proxies);
    const key = addressKey(address ?? '');
    const waitMs = this.#requests.take(key, 1, now());
    if (waitMs > 0) throw tooMany(waitMs);
    hold(socket, this.#addresses.take(key));
    negotiate(checkUpgrade(requestHead), this.#options);
    const login = await this.#authenticate(credentialOf(requestHead));
    this.#checkOpen(); // It may have been closed while we waited.
    hold(socket, this.#users.take(login.user));
    return login;
  }

  #checkOpen(): void {
    if (!this.#isClosed) return;
    throw new HandshakeError(503, '4.2.2', 'The server is about to leave.', { 'Retry-After': '1' });
  }

  async #authenticate(credential: Credential | undefined): Promise<Login> {
    const { authenticate, loginTimeoutMs } = this.#options;
    const login = credential && (await within(loginTimeoutMs, authenticate(credential)));
    if (login) return login;
    throw new HandshakeError(401, '10.5', 'Nobody knows who you are.', {
      'WWW-Authenticate': 'Bearer',
    });
  }

  /** Reads on for a while: with unread bytes, closing would be a reset, and lose the response. */
  #refuse(socket: Duplex, error: unknown): void {
    const why =
      error instanceof HandshakeError
        ? error
        : new HandshakeError(503, '4.2.2', 'Who you are is out of reach.', { 'Retry-After': '5' });
    if (socket.destroyed) return; // It may have no `close` left that would stop the timer.
    const timer = setTimeout(() => socket.destroy(), this.#options.loginTimeoutMs);
    socket.on('close', () => clearTimeout(timer));
    socket.resume();
    socket.end(refusal(why));
  }

  /** Puts limits between a connection and who handles it. */
  #guard(socket: Duplex, handle: Handler): Handler {
    const login = this.#logins.get(socket)!;
    let pace: Pace;
    let cancel = () => {};
    return (connection, event) => {
      const pass = (event: ConnectionEvent) => {
        handle(connection, event); // That of lesson 05, for its list.
        this.#handle(connection, event, login);
      };
      switch (event.type) {
        case 'open':
          this.#connections.set(connection, login);
          if (login.until !== undefined) cancel = at(login.until, () => logOut(connection));
          pace = new Pace(socket, connection, this.#options, pass);
          break;
        case 'text':
        case 'binary':
          pace.add(event);
          return;
        case 'error':
          pace.drop();
          break;
        case 'close':
          this.#connections.delete(connection);
          cancel();
          pace.finish();
      }
      pass(event);
    };
  }

  /** Closes the connections of a user who has logged out, with 4401, as when `until` has come. */
  logOut(user: string): void {
    for (const [connection, login] of this.#connections) {
      if (login.user === user) logOut(connection);
    }
  }

  /** Closes the gate: from now on, every request is refused with 503. */
  close(): void {
    this.#isClosed = true;
  }

  /** Closes the gate and all connections, as the server of lesson 05 does. */
  shutdown(): Promise<void> {
    this.close();
    return this.#server.shutdown();
  }
}

/** What a client has said. */
type DataEvent = Extract<ConnectionEvent, { readonly data: unknown }>;

/** A message that is not handled yet. */
interface Early {
  readonly event: DataEvent;
  readonly size: number;
  /** Has its token for one message been taken? Those for its bytes come last. */
  isCounted: boolean;
}

/** Hands on what a client says, no faster than it may. What comes too early waits. */
class Pace {
  readonly #socket: Duplex;
  readonly #connection: Connection;
  readonly #handle: (event: DataEvent) => void;
  readonly #limits: GateLimits;
  readonly #messages: TokenBucket;
  readonly #bytes: TokenBucket;
  #early: Early[] = [];
  #isOver = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    socket: Duplex,
    connection: Connection,
    limits: GateLimits,
    handle: (event: DataEvent) => void,
  ) {
    this.#socket = socket;
    this.#connection = connection;
    this.#limits = limits;
    this.#handle = handle;
    this.#messages = new TokenBucket(limits.messages, now());
    this.#bytes = new TokenBucket(limits.bytes, now());
  }

  /** Handles a message, now or when there are tokens. Closes with 1008 when too many wait. */
  add(event: DataEvent): void {
    if (this.#isOver) return;
    this.#early.push({ event, size: Buffer.byteLength(event.data), isCounted: false });
    this.#handleDue();
    const size = this.#early.reduce((sum, early) => sum + early.size, 0);
    const { messages, bytes } = this.#limits;
    if (this.#early.length <= messages.burst && size <= bytes.burst) return;
    this.drop();
    this.#connection.close(CloseCode.PolicyViolation, 'Too many messages.');
  }

  /** Handles all that there are tokens for. The rest waits, and so does what is not read yet. */
  #handleDue(): void {
    clearTimeout(this.#timer);
    for (let [first] = this.#early; first; [first] = this.#early) {
      const waitMs = this.#pay(first);
      if (waitMs > 0) {
        this.#socket.pause();
        this.#timer = setTimeout(() => this.#handleLate(), Math.min(waitMs, MAX_TIMER_MS));
        return;
      }
      this.#early.shift();
      this.#handle(first.event);
    }
  }

  /** Takes the tokens for a message. Returns how many milliseconds it is too early. */
  #pay(early: Early): number {
    if (!early.isCounted) {
      const waitMs = this.#messages.take(1, now());
      if (waitMs > 0) return waitMs;
      early.isCounted = true;
    }
    return this.#bytes.take(early.size, now());
  }

  /** On a timer, nobody but us would notice that a handler throws. */
  #handleLate(): void {
    try {
      this.#handleDue();
    } catch (error) {
      this.#connection.fail(error);
    }
    if (this.#early.length === 0) this.#socket.resume();
  }

  /** Handles nothing more, and reads on: the client may still close. */
  drop(): void {
    clearTimeout(this.#timer);
    this.#isOver = true;
    this.#early = [];
    this.#socket.resume();
  }

  /** The client is gone: handles at once what still waits. */
  finish(): void {
    const rest = this.#early;
    this.drop();
    for (const { event } of rest) this.#handle(event);
  }
}

/** The head as lesson 01 has it, of a request that `node:http` has read. */
function headOf(request: IncomingMessage): RequestHead {
  // A request has a method and a URL. Only a response, which is of the same class, has none.
  const { method, url, httpVersion, headersDistinct } = request;
  const headers = Object.entries(headersDistinct).map(
    ([name, values]) => [name, values ?? []] as const,
  );
  return {
    method: method!,
    target: url!,
    version: `HTTP/${httpVersion}`,
    headers: new Map(headers),
    length: 0,
  };
}

function tooMany(waitMs: number): HandshakeError {
  const seconds = String(Math.ceil(waitMs / 1000));
  return new HandshakeError(429, '10.4', 'Too many requests.', { 'Retry-After': seconds });
}

/** Keeps a slot until the socket has closed. Throws `HandshakeError` 429 when there is none. */
function hold(socket: Duplex, giveBack: (() => void) | undefined): void {
  if (!giveBack) throw tooMany(5_000);
  if (socket.closed)
    giveBack(); // There is no other `close` to wait for.
  else socket.on('close', giveBack);
}

/** Waits so many milliseconds at most. Rejects when that was not enough. */
async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('No answer in time.')), ms);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

/** The longest delay that a timer of Node can have. A longer one fires at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Calls back when it is so late on the clock of `now`. Returns what prevents it. */
function at(time: number, callback: () => void): () => void {
  let timer: NodeJS.Timeout;
  const wait = () => {
    const ms = time - now();
    if (ms <= 0) callback();
    else timer = setTimeout(wait, Math.min(Math.ceil(ms), MAX_TIMER_MS));
  };
  timer = setTimeout(wait); // Not yet: the caller has nothing to prevent it with.
  return () => clearTimeout(timer);
}

function logOut(connection: Connection): void {
  connection.close(NOT_LOGGED_IN, 'You are not logged in any more.');
}

const now = () => performance.now();

/** For the `error` of a socket, most of the time a reset: `close` follows, and that is handled. */
const ignore = () => {};

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
  const server = createServer(
    { handshakeTimeout: TLS_TIMEOUT_MS, ALPNProtocols: ['http/1.1'], ...options },
    accept,
  );
  return server.on('tlsClientError', (_error, socket) => socket.destroy());
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
  const peer = parseAddress(socket.remoteAddress ?? '');
  socket.on('error', ignore);
  if (peer === undefined || !trusts(peer)) {
    socket.destroy();
    return;
  }
  const timer = setTimeout(() => socket.destroy(), timeoutMs);
  let received = Buffer.alloc(0);
  const read = () => {
    const chunk = socket.read() as Buffer | null;
    received = Buffer.concat([received, chunk ?? Buffer.alloc(0)]);
    const header = parse(received);
    if (!header) return;
    done();
    Object.defineProperty(socket, 'remoteAddress', { value: header.address ?? peer });
    socket.unshift(received.subarray(header.length));
    accept(socket);
  };
  const parse = (bytes: Buffer) => {
    try {
      return parseProxyHeader(bytes);
    } catch {
      socket.destroy();
      return undefined;
    }
  };
  const done = () => {
    clearTimeout(timer);
    socket.off('readable', read);
  };
  socket.on('readable', read);
  socket.on('close', done);
}

/** How many messages a room remembers, at least. */
export const HISTORY_SIZE = 10_000;

/** How long a room is remembered that nobody is in, in milliseconds. */
export const ROOM_LIFE_MS = 3_600_000;

/** A room of a `MemoryBus`. */
interface Room {
  readonly history: History;
  readonly listeners: Set<{ readonly deliver: Deliver }>;
  /** When it was last used, on the clock of the bus. */
  usedAt: number;
}

/**
 * Step 10 · One process.
 *
 * Carries messages between the clients of one process, and remembers them for as long as it lives.
 */
export class MemoryBus implements Bus {
  readonly #now: () => number;
  readonly #size: number;
  readonly #rooms = new Map<string, Room>();
  #sweepSize = FEW_BUCKETS;

  /**
   * Makes a bus whose rooms remember `size` messages. `now` returns the time in milliseconds, later
   * than any time that a bus before this one has seen: what it had is not mixed up with what we have.
   */
  constructor(now: () => number = Date.now, size = HISTORY_SIZE) {
    this.#now = now;
    this.#size = size;
  }

  /** How many rooms it remembers. */
  get size(): number {
    return this.#rooms.size;
  }

  async publish(name: string, said: Said): Promise<string> {
    const { history, listeners } = this.#room(name);
    const { id, isNew } = history.append(said);
    const entry = { ...said, id };
    // Not at once: others would hear an answer that a listener gives to it before they hear it.
    await undefined;
    if (isNew) for (const { deliver } of listeners) deliver(entry);
    return id;
  }

  async subscribe(name: string, deliver: Deliver): Promise<() => void> {
    const room = this.#room(name);
    const listener = { deliver }; // Its own, even if somebody subscribes twice with the same.
    room.listeners.add(listener);
    return () => {
      if (room.listeners.delete(listener)) room.usedAt = this.#now();
    };
  }

  async after(name: string, last: string, count: number): Promise<Entry[] | undefined> {
    return this.#room(name).history.after(last, count);
  }

  async tip(name: string): Promise<string> {
    return this.#room(name).history.tip;
  }

  #room(name: string): Room {
    const room = this.#rooms.get(name) ?? this.#addRoom(name);
    room.usedAt = this.#now();
    return room;
  }

  #addRoom(name: string): Room {
    if (this.#rooms.size >= this.#sweepSize) this.#sweep();
    // A room that was forgotten and is made again was made at least `ROOM_LIFE_MS` earlier.
    const history = new History(this.#now(), this.#size);
    const room: Room = { history, listeners: new Set(), usedAt: 0 };
    this.#rooms.set(name, room);
    return room;
  }

  #sweep(): void {
    for (const [name, { listeners, usedAt }] of this.#rooms) {
      const isOld = this.#now() - usedAt >= ROOM_LIFE_MS;
      if (isOld && listeners.size === 0) this.#rooms.delete(name);
    }
    this.#sweepSize = Math.max(FEW_BUCKETS, 2 * this.#rooms.size);
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

/** An entry of a stream in a reply: its id, then names and values in turn. */
type StreamEntry = readonly [id: string, fields: readonly string[]];

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

/** How long a stream lives that nobody says anything in, in seconds. */
const LIFE_SECONDS = String(ROOM_LIFE_MS / 1000);

/**
 * How long the reader waits for something new, in milliseconds. Who enters a room meanwhile does not
 * wait for that: `CLIENT UNBLOCK` ends it.
 */
export const BLOCK_MS = 1_000;

/** How many entries of a room it reads at once. */
const READ_SIZE = 500;

/** How long it waits after an error, in milliseconds. */
const RETRY_MS = 100;

/** Both numbers of an id have 64 bits. */
const MAX_ID_NUMBER = 2n ** 64n - 1n;

/** A room that somebody of this process is in. */
interface Followed {
  readonly listeners: Set<{ readonly deliver: Deliver }>;
  /** Everything up to this one has been delivered. `undefined`: we do not know yet where we are. */
  position?: string;
}

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
  readonly #commands: Engine;
  readonly #reader: Engine;
  readonly #size: number;
  readonly #rooms = new Map<string, Followed>();
  /** What the engine calls the connection that waits. */
  #readerId = '';
  #isReading = false;

  /** Makes a bus on two connections to the same engine. Rooms remember `size` messages, or more. */
  constructor(commands: Engine, reader: Engine, size = HISTORY_SIZE) {
    this.#commands = commands;
    this.#reader = reader;
    this.#size = size;
  }

  /** Delivers nothing any more, whatever is on its way, and asks the engine for nothing new. */
  stop(): void {
    for (const { listeners } of this.#rooms.values()) listeners.clear();
    this.#rooms.clear();
  }

  async publish(room: string, said: Said): Promise<string> {
    const keys = [streamOf(room), `said:${room}:${keyOf(said)}`];
    const { user, cid, text } = said;
    return this.#evaluate(PUBLISH_SCRIPT, keys, user, cid, text, LIFE_SECONDS, String(this.#size));
  }

  async tip(room: string): Promise<string> {
    return this.#evaluate(TIP_SCRIPT, [streamOf(room)], LIFE_SECONDS);
  }

  async #evaluate(script: string, keys: string[], ...words: string[]): Promise<string> {
    const command = ['EVAL', script, String(keys.length), ...keys, ...words];
    return String(await this.#commands.sendCommand(command));
  }

  async after(room: string, last: string, count: number): Promise<Entry[] | undefined> {
    // An engine does not look for what cannot be an id of its own: it answers with an error.
    if (numbersOf(last).some((number) => number > MAX_ID_NUMBER)) return undefined;
    // From that one on, itself included: one reply says whether it is there, and what is behind it.
    const words = ['XRANGE', streamOf(room), last, '+', 'COUNT', String(count + 1)];
    const [first, ...behind] = (await this.#commands.sendCommand(words)) as StreamEntry[];
    return first?.[0] === last ? behind.flatMap(messagesIn) : undefined;
  }

  async subscribe(room: string, deliver: Deliver): Promise<() => void> {
    const followed: Followed = this.#rooms.get(room) ?? { listeners: new Set() };
    this.#rooms.set(room, followed);
    const listener = { deliver }; // Its own, even if somebody subscribes twice with the same.
    followed.listeners.add(listener);
    const leave = () => {
      followed.listeners.delete(listener);
      const isLast = followed.listeners.size === 0 && this.#rooms.get(room) === followed;
      if (isLast) this.#rooms.delete(room);
    };
    try {
      const tip = await this.tip(room);
      // Somebody else may have been faster. What came since then is theirs, too.
      followed.position ??= tip;
    } catch (error) {
      leave();
      throw error;
    }
    this.#read();
    return leave;
  }

  /** Reads what is new in all rooms, until nobody is in one. */
  async #read(): Promise<void> {
    if (this.#isReading) {
      // What waits knows nothing of a new room. When this fails, it has to wait for a second more.
      this.#commands.sendCommand(['CLIENT', 'UNBLOCK', this.#readerId]).catch(ignore);
      return;
    }
    this.#isReading = true;
    let isNew = true; // The connection, not a room.
    while (this.#positions().length > 0) {
      try {
        if (isNew) await this.#connected();
        isNew = false;
        await this.#readOnce();
      } catch {
        isNew = true;
        await delay(RETRY_MS);
      }
    }
    this.#isReading = false;
  }

  #positions(): { readonly stream: string; readonly position: string }[] {
    return [...this.#rooms].flatMap(([room, { position }]) =>
      position === undefined ? [] : [{ stream: streamOf(room), position }],
    );
  }

  async #readOnce(): Promise<void> {
    // From where we are, and never from `$`, which is now: what came between two reads would be lost.
    const positions = this.#positions();
    const reply = await this.#reader.sendCommand([
      ...['XREAD', 'BLOCK', String(BLOCK_MS), 'COUNT', String(READ_SIZE), 'STREAMS'],
      ...positions.map(({ stream }) => stream),
      ...positions.map(({ position }) => position),
    ]);
    for (const [stream, entries] of (reply ?? []) as [string, StreamEntry[]][]) {
      const room = roomOf(stream);
      // As many as that can be the end of more, whose beginning is trimmed already.
      if (entries.length >= Math.min(READ_SIZE, this.#size)) await this.#checkPosition(room);
      this.#deliver(this.#rooms.get(room), entries);
    }
  }

  #deliver(followed: Followed | undefined, entries: readonly StreamEntry[]): void {
    for (const entry of entries) {
      // Everybody may have left meanwhile, and somebody come back.
      if (!followed?.position || compareIds(entry[0], followed.position) <= 0) continue;
      followed.position = entry[0];
      for (const message of messagesIn(entry)) {
        for (const { deliver } of followed.listeners) deliver(message);
      }
    }
  }

  /** On a new connection: the engine may have come back with less than it had. */
  async #connected(): Promise<void> {
    this.#readerId = String(await this.#reader.sendCommand(['CLIENT', 'ID']));
    for (const room of this.#rooms.keys()) await this.#checkPosition(room);
  }

  /** When the engine has forgotten where we are in a room, goes to the tip, and tells everybody. */
  async #checkPosition(room: string): Promise<void> {
    const followed = this.#rooms.get(room);
    if (!followed?.position || (await this.after(room, followed.position, 1))) return;
    followed.position = await this.tip(room);
    for (const { deliver } of followed.listeners) deliver(undefined);
  }
}

function streamOf(room: string): string {
  return `room:${room}`;
}

function roomOf(stream: string): string {
  return stream.slice('room:'.length);
}

/** The message in an entry of a stream. None: it is the beginning. */
function messagesIn([id, fields]: StreamEntry): Entry[] {
  const [, user = '', , cid = '', , text] = fields;
  return text === undefined ? [] : [{ id, user, cid, text }];
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
  readonly #gate: Gate;
  readonly #settleMs: number;
  readonly #sessions = new Map<Connection, ServerSession>();
  #left: Promise<void> | undefined;

  /** Makes a server that nobody is connected to. */
  constructor({ bus, settleMs = SETTLE_MS, ...options }: ChatOptions) {
    this.#settleMs = settleMs;
    this.#gate = new Gate((connection, event, { user }) => {
      switch (event.type) {
        case 'open':
          this.#sessions.set(connection, new ServerSession(connection, bus, user));
          break;
        case 'text':
          this.#sessions.get(connection)!.receive(event.data);
          break;
        case 'drain':
          this.#sessions.get(connection)!.drained();
          break;
        case 'close':
          this.#sessions.get(connection)!.ended();
          this.#sessions.delete(connection);
      }
    }, options);
  }

  /** The gate, for the `upgrade` event, and for users that log out. */
  get gate(): Gate {
    return this.#gate;
  }

  /** Says whether a proxy should send clients here: what `GET /ready` answers with 200, or 503. */
  get isReady(): boolean {
    return this.#left === undefined;
  }

  /**
   * Leaves: lets nobody in from now on, and sends all clients away, one after the other within
   * `spreadMs`, so that they do not all come back at the same moment. Each is told with `bye`, and
   * closed with 1012 when what it has said has its place in the history, or `settleMs` later: it
   * says the rest again elsewhere. Resolves when all are gone. A second call returns the same promise.
   * RFC 6455 §7.4.1
   */
  leave(spreadMs: number): Promise<void> {
    this.#left ??= this.#leave(spreadMs);
    return this.#left;
  }

  async #leave(spreadMs: number): Promise<void> {
    this.#gate.close();
    const sessions = [...this.#sessions];
    const farewells = sessions.map(async ([connection, session], i) => {
      await delay((i / sessions.length) * spreadMs);
      await within(this.#settleMs, session.leaves(0)).catch(ignore);
      connection.close(CloseCode.ServiceRestart, 'Please come back.');
    });
    await Promise.all(farewells);
    await this.#gate.shutdown();
  }
}

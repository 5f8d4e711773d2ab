/** Steps 1 to 7, with other algorithms. */
import { createHash, randomBytes } from 'node:crypto';
import { isIPv4, isIPv6 } from 'node:net';
import { HandshakeError, ProtocolError } from '../../../../shared/protocol.ts';
import type { RequestHead } from '../../../../solutions/01-handshake/handshake.ts';
import * as given from '../../../../solutions/09-production/production.ts';

type Headers = RequestHead['headers'];

/** What does not count, because it is an error of rounding, in tokens. */
const TINY = 1e-6;

/**
 * A bucket that counts what time has brought since it was made, as if it could hold everything, and
 * knows at which count it will be full again. (The trade calls that GCRA.)
 */
export class TokenBucket {
  readonly #rate: given.Rate;
  readonly #start: number;
  #fullAt = 0;

  constructor(rate: given.Rate, now: number) {
    this.#rate = rate;
    this.#start = now;
  }

  take(count: number, now: number): number {
    const { burst, perSecond } = this.#rate;
    if (count > burst) return Infinity;
    const brought = this.#broughtUntil(now);
    const fullAt = Math.max(this.#fullAt, brought) + count;
    const missing = fullAt - brought - burst;
    if (missing > TINY) return Math.ceil(((missing - TINY) / perSecond) * 1000);
    this.#fullAt = fullAt;
    return 0;
  }

  isFull(now: number): boolean {
    return this.#fullAt - this.#broughtUntil(now) <= TINY;
  }

  #broughtUntil(now: number): number {
    return ((now - this.#start) * this.#rate.perSecond) / 1000;
  }
}

/** A limiter that looks at the two oldest buckets whenever it adds one. */
export class RateLimiter {
  readonly #buckets = new Map<string, TokenBucket>();
  readonly #rate: given.Rate;

  constructor(rate: given.Rate) {
    this.#rate = rate;
  }

  get size(): number {
    return this.#buckets.size;
  }

  take(key: string, count: number, now: number): number {
    let bucket = this.#buckets.get(key);
    if (!bucket) {
      this.#forget(now);
      bucket = new TokenBucket(this.#rate, now);
      this.#buckets.set(key, bucket);
    }
    return bucket.take(count, now);
  }

  #forget(now: number): void {
    let looks = 2;
    for (const [key, bucket] of this.#buckets) {
      if (looks-- === 0) return;
      this.#buckets.delete(key);
      if (!bucket.isFull(now)) this.#buckets.set(key, bucket);
    }
  }
}

/** A set for each key, of what has been taken. */
export class Slots {
  readonly #taken = new Map<string, Set<symbol>>();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#taken.size;
  }

  take(key: string): (() => void) | undefined {
    const taken = this.#taken.get(key) ?? new Set();
    if (taken.size >= this.#most) return undefined;
    const slot = Symbol(key);
    this.#taken.set(key, taken.add(slot));
    return () => {
      taken.delete(slot);
      if (taken.size === 0 && this.#taken.get(key) === taken) this.#taken.delete(key);
    };
  }
}

const WITH_PORT =
  /^(?:\[(?<v6>.*)\](?::(?:\d{1,5}|_[\w.-]+))?|(?<v4>[\d.]+):(?:\d{1,5}|_[\w.-]+))$/;
const MAPPED = /^::ffff:([\da-f]{1,4}):([\da-f]{1,4})$/;

export function parseAddress(text: string): string | undefined {
  const { v4, v6 } = WITH_PORT.exec(text)?.groups ?? {};
  if (v6 !== undefined && !isIPv6(v6)) return undefined;
  const address = v4 ?? v6 ?? text;
  if (isIPv4(address)) return address;
  if (!isIPv6(address)) return undefined;
  const { hostname } = new URL(`http://[${address.replace(/%.*/, '')}]`);
  const short = hostname.slice(1, -1);
  const words = MAPPED.exec(short)?.slice(1);
  return words ? words.flatMap((word) => bytesOf(word)).join('.') : short;
}

const bytesOf = (word: string): number[] => [...Buffer.from(word.padStart(4, '0'), 'hex')];

export function addressKey(address: string): string {
  if (!address.includes(':')) return address;
  const missing = 8 - address.split(':').filter((group) => group !== '').length;
  const full = address.replace('::', `:${'0:'.repeat(missing)}`).replace(/^:/, '');
  return `${full.split(':').slice(0, 4).join(':')}::/64`;
}

const PAIR = /[ \t]*([^\s",;=]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s",;]*))[ \t]*([,;]|$)/gy;

function hopsIn(line: string): string[] {
  const pairs = [...line.matchAll(PAIR)];
  const read = pairs.reduce((sum, [all]) => sum + all.length, 0);
  const elements = [['']];
  for (const [, name = '', inQuotes, bare = '', end] of pairs) {
    if (name.toLowerCase() === 'for') {
      elements.at(-1)?.unshift(inQuotes?.replace(/\\(.)/g, '$1') ?? bare);
    }
    if (end === ',') elements.push(['']);
  }
  const hops = elements.map(([hop = '']) => hop);
  return read === line.length ? hops : [...hops, ''];
}

export function clientAddress(
  peer: string | undefined,
  headers: Headers,
  proxies?: given.Proxies,
): string | undefined {
  let client = parseAddress(peer ?? '');
  if (!proxies) return client;
  const lines = headers.get(proxies.header) ?? [];
  const isStandard = proxies.header === 'forwarded';
  const hops = isStandard ? lines.flatMap(hopsIn) : lines.join(',').split(',');
  while (client !== undefined && proxies.trusts(client)) {
    const next = parseAddress((hops.pop() ?? '').trim());
    if (next === undefined) return client;
    client = next;
  }
  return client;
}

const V1 =
  /^PROXY (?:UNKNOWN(?: [^\r\n]*)?|TCP(?<family>[46]) (?<source>\S+) (?<target>\S+) (?<from>\d{1,5}) (?<to>\d{1,5}))\r\n/;
const V2 = '0d0a0d0a000d0a515549540a';

export function parseProxyHeader(received: Uint8Array): given.ProxyHeader | undefined {
  const bytes = Buffer.from(received);
  const hex = bytes.toString('hex', 0, 12);
  if (V2.startsWith(hex)) return bytes.length < 16 ? undefined : parseBinary(bytes);
  const start = bytes.toString('latin1', 0, 107);
  const isPossible = start.startsWith('PROXY ') || 'PROXY '.startsWith(start);
  const isWhole = start.includes('\r\n') || start.length === 107;
  if (isPossible && !isWhole) return undefined;
  const line = V1.exec(start);
  const { family, source = '', target = '', from, to } = line?.groups ?? {};
  const fits = family === '4' ? isIPv4 : isIPv6;
  const isRight = fits(source) && fits(target) && Math.max(Number(from), Number(to)) < 65_536;
  if (!line || (family && !isRight)) throw new HandshakeError(400, '10.4', 'Not PROXY version 1.');
  return { length: line[0].length, address: family ? parseAddress(source) : undefined };
}

/** How many bytes an address has, by the family in byte 13. */
const SIZES: Readonly<Record<number, number>> = { 17: 4, 33: 16 };

function parseBinary(bytes: Buffer): given.ProxyHeader | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const command = view.getUint8(12);
  const size = command === 0x21 ? SIZES[view.getUint8(13)] : 0;
  const length = view.getUint16(14) + 16;
  if (command >> 1 !== 0x10 || (size && view.getUint16(14) < 2 * size + 4)) {
    throw new HandshakeError(400, '10.4', 'Not PROXY version 2.');
  }
  if (bytes.length < length) return undefined;
  if (!size) return { length, address: undefined };
  const groups = bytes.toString('hex', 16, 32).replace(/(.{4})(?=.)/g, '$1:');
  return { length, address: parseAddress(size === 4 ? bytes.subarray(16, 20).join('.') : groups) };
}

export function credentialOf({
  target,
  headers,
}: Pick<RequestHead, 'target' | 'headers'>): given.Credential | undefined {
  const protocols = (headers.get('sec-websocket-protocol') ?? []).join(',');
  const tokens = protocols.matchAll(/(?:^|,)\s*token\.([^,\s]*)/g);
  const cookies = (headers.get('cookie') ?? []).join(';').matchAll(/(?:^|;)\s*session=([^;]*)/g);
  const query = new URL(target.replace(/^[^?]*/, 'http://host/')).searchParams;
  return (
    single('ticket', query.getAll('ticket')) ??
    single(
      'token',
      [...tokens].map(([, token = '']) => `${Buffer.from(token, 'base64url')}`),
    ) ??
    single(
      'cookie',
      [...cookies].map(([, value = '']) => value.trim()),
    )
  );
}

function single(kind: given.Credential['kind'], values: string[]): given.Credential | undefined {
  const value = values.pop();
  return value && values.every((other) => other === value) ? { value, kind } : undefined;
}

/** Remembers no ticket, only what it hashes to, in the order in which they end. */
export class Tickets {
  #issued: { readonly hash: string; readonly user: string; readonly end: number }[] = [];
  readonly #random: (size: number) => Uint8Array;

  constructor(random: (size: number) => Uint8Array = randomBytes) {
    this.#random = random;
  }

  get size(): number {
    return this.#issued.length;
  }

  issue(user: string, now: number): string {
    const ticket = Buffer.from(this.#random(16)).toString('base64url');
    this.#issued = this.#issued.filter(({ end }) => end > now);
    this.#issued.push({ hash: hashOf(ticket), user, end: now + given.TICKET_LIFE_MS });
    return ticket;
  }

  redeem(ticket: string, now: number): string | undefined {
    const hash = hashOf(ticket);
    const found = this.#issued.find((issued) => issued.hash === hash);
    this.#issued = this.#issued.filter(({ end }) => end > now).filter((one) => one !== found);
    return found && found.end > now ? found.user : undefined;
  }
}

const hashOf = (ticket: string) => createHash('sha256').update(ticket).digest('base64');

/** Makes a text of an id that can be compared as such. */
const sortable = (id: string) =>
  id
    .split('-')
    .map((number) => number.padStart(20, '0'))
    .join('-');

export function compareIds(a: string, b: string): number {
  const [left, right] = [sortable(a), sortable(b)];
  return Number(left > right) - Number(left < right);
}

/** A ring: the message with number n is in the place n modulo `most`. */
export class History {
  readonly #ring: given.Entry[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #epoch: number;
  readonly #most: number;
  #next = 1;

  constructor(epoch: number, most: number) {
    this.#epoch = epoch;
    this.#most = most;
  }

  get tip(): string {
    return this.#idOf(this.#next - 1);
  }

  append(said: given.Said): { readonly id: string; readonly isNew: boolean } {
    const known = this.#numbers.get(keyOf(said));
    if (known !== undefined) return { id: this.#idOf(known), isNew: false };
    const id = this.#idOf(this.#next);
    const place = this.#next % this.#most;
    const forgotten = this.#ring[place];
    if (forgotten) this.#numbers.delete(keyOf(forgotten));
    this.#ring[place] = { user: said.user, cid: said.cid, text: said.text, id };
    this.#numbers.set(keyOf(said), this.#next);
    this.#next++;
    return { id, isNew: true };
  }

  after(last: string, count: number): given.Entry[] | undefined {
    const number = Number.parseInt(last.replace(/^.*-/, ''), 10);
    if (last !== this.#idOf(number) || number >= this.#next) return undefined;
    const behind = this.#next - 1 - number;
    if (behind > this.#most) return undefined;
    const places = Array.from({ length: Math.min(behind, count) }, (_, i) => number + 1 + i);
    return places.map((place) => this.#ring[place % this.#most]!);
  }

  #idOf(number: number): string {
    return [this.#epoch, number].join('-');
  }
}

/** Nobody can make another pair of texts with the same key: the first number says where to cut. */
const keyOf = ({ user, cid }: given.Said) => `${user.length} ${user}${cid}`;

const isText = (value: unknown) => typeof value === 'string';
/** In UTF-8, half of a surrogate pair is U+FFFD. */
const isName = (value: unknown) =>
  isText(value) && /^.{1,64}$/su.test(`${value}`) && `${Buffer.from(`${value}`)}` === value;
const isId = (value: unknown) => isText(value) && /^\d{1,20}-\d{1,20}$/.test(`${value}`);
const orAbsent = (check: (value: unknown) => boolean) => (value: unknown) =>
  value === undefined || check(value);

/** Which fields a message has, and what each of them has to be. */
const FIELDS: Readonly<Record<string, Record<string, (value: unknown) => boolean>>> = {
  hello: { t: isText, room: isName, last: orAbsent(isId) },
  msg: { t: isText, cid: isName, text: isText },
};

const refusal = (why: string) => new ProtocolError(1008, '7.4.1', why);

export function parseClientFrame(message: string): given.ClientFrame {
  let value: Record<string, unknown> | null;
  try {
    value = JSON.parse(message);
  } catch {
    throw refusal('not JSON');
  }
  const t = value?.t;
  const fields = typeof t === 'string' && Object.hasOwn(FIELDS, t) ? FIELDS[t] : undefined;
  const entries = Object.entries(fields ?? {}).map(
    ([name, check]) => [name, value?.[name], check] as const,
  );
  if (!fields || !entries.every(([, field, check]) => check(field))) throw refusal('not known');
  const known = entries.filter(([, field]) => field !== undefined);
  return Object.fromEntries(known) as unknown as given.ClientFrame;
}

/** How many messages a session keeps while it asks for those before them. */
const BUFFER_SIZE = 50;

/** Keeps what arrives while it asks for pages, when it is not much, and delivers that at the end. */
export class ServerSession {
  readonly #peer: given.Peer;
  readonly #bus: given.Bus;
  readonly #user: string;
  #room: string | undefined;
  #cursor: string | undefined;
  #buffer: given.Entry[] = [];
  #isPaging = false;
  #hasMissed = false;
  #isFull = false;
  #isOver = false;
  #isBroken = false;
  #leave: (() => void) | undefined;
  #unsaid: { readonly cid: string; readonly text: string }[] = [];
  #isPublishing = false;
  #publishedCount = 0;
  #whenSaid: { readonly count: number; readonly resolve: () => void }[] = [];

  constructor(peer: given.Peer, bus: given.Bus, user: string) {
    this.#peer = peer;
    this.#bus = bus;
    this.#user = user;
  }

  receive(message: string): void {
    const frame = parseClientFrame(message);
    if (frame.t === 'hello') {
      if (this.#room !== undefined) throw refusal('a second hello');
      this.#room = frame.room;
      this.#run(() => this.#enter(frame.room, frame.last));
      return;
    }
    if (this.#room === undefined) throw refusal('no hello yet');
    if (this.#unsaid.length === given.MAX_UNACKED) throw refusal('too much at once');
    this.#unsaid.push({ cid: frame.cid, text: frame.text });
    this.#run(() => this.#publish());
  }

  drained(): void {
    if (!this.#isFull) return;
    this.#isFull = false;
    this.#run(() => this.#page());
  }

  ended(): void {
    this.#isOver = true;
    this.#buffer = [];
    this.#leave?.();
    this.#leave = undefined;
  }

  leaves(afterMs: number): Promise<void> {
    this.#tell({ t: 'bye', afterMs });
    if (this.#unsaid.length === 0 || this.#isBroken) return Promise.resolve();
    const count = this.#publishedCount + this.#unsaid.length;
    return new Promise((resolve) => this.#whenSaid.push({ count, resolve }));
  }

  async #enter(room: string, last: string | undefined): Promise<void> {
    this.#isPublishing = true; // Nothing is said before the welcome.
    const leave = await this.#bus.subscribe(room, (entry) => this.#hear(entry));
    if (this.#isOver) leave();
    else {
      this.#leave = leave;
      const isKnown = last !== undefined && (await this.#bus.after(room, last, 1)) !== undefined;
      this.#cursor = isKnown ? last : await this.#bus.tip(room);
      this.#tell({ t: 'welcome', last: this.#cursor, gap: last !== undefined && !isKnown });
      this.#run(() => this.#page());
    }
    this.#isPublishing = false;
    this.#run(() => this.#publish());
  }

  #hear(entry: given.Entry | undefined): void {
    if (this.#cursor === undefined || this.#isOver) return;
    if (!this.#isPaging && entry) this.#show(entry);
    else if (entry && this.#buffer.length < BUFFER_SIZE) this.#buffer.push(entry);
    else {
      this.#buffer = [];
      this.#hasMissed = true;
      this.#run(() => this.#page());
    }
  }

  async #page(): Promise<void> {
    if (this.#isPaging || this.#cursor === undefined || !this.#room) return;
    this.#isPaging = true;
    while (!this.#isFull && !this.#isOver) {
      this.#hasMissed = false;
      const page = await this.#bus.after(this.#room, this.#cursor, given.PAGE_SIZE);
      if (!page) {
        this.#cursor = await this.#bus.tip(this.#room);
        this.#tell({ t: 'gap', last: this.#cursor });
        continue;
      }
      for (const entry of page) this.#show(entry);
      if (page.length > 0 || this.#hasMissed) continue;
      for (const entry of this.#buffer) this.#show(entry);
      break;
    }
    this.#buffer = [];
    this.#isPaging = false;
  }

  async #publish(): Promise<void> {
    if (this.#isPublishing) return;
    this.#isPublishing = true;
    for (let next = this.#unsaid[0]; next && this.#room; next = this.#unsaid[0]) {
      const { cid, text } = next;
      const id = await this.#bus.publish(this.#room, { user: this.#user, cid, text });
      this.#unsaid.shift();
      this.#tell({ t: 'ack', cid, id });
      this.#settle(++this.#publishedCount);
    }
    this.#isPublishing = false;
  }

  #settle(published: number): void {
    for (const { count, resolve } of this.#whenSaid) if (count <= published) resolve();
    this.#whenSaid = this.#whenSaid.filter(({ count }) => count > published);
  }

  #show(entry: given.Entry): void {
    if (this.#isFull || this.#cursor === undefined) return;
    if (compareIds(entry.id, this.#cursor) <= 0) return;
    const { id, user, cid, text } = entry;
    this.#cursor = id;
    this.#tell({ t: 'msg', id, user, cid, text });
  }

  #tell(frame: given.ServerFrame): void {
    if (this.#isOver) return;
    const hasRoom = this.#peer.send(JSON.stringify(frame));
    if (!hasRoom) this.#isFull = true;
  }

  /** Runs something that asks the bus. When that fails, all ends: what is being said stays unsaid. */
  #run(work: () => Promise<void>): void {
    if (this.#isBroken) return;
    work().catch(() => {
      if (!this.#isOver) this.#peer.close(1013, 'Come back later.');
      this.#isBroken = true;
      this.#isPublishing = true;
      this.ended();
      this.#settle(Infinity);
    });
  }
}

const COMES_BACK_NEVER = /^(1000|1002|1003|1007|1008|1009|1010|4401|4403)$/;

/** Counts what it says: the outbox begins behind the last `ack`, and what was sent is a number. */
export class ClientSession {
  readonly #room: string;
  readonly #name: string;
  readonly #random: () => number;
  readonly #outbox = new Map<string, string>();
  readonly #inFlight = new Set<string>();
  #said = 0;
  #last: string | undefined;
  #isWelcome = false;
  #hello: string | undefined;
  #events: given.RoomEvent[] = [];
  #delayMs = given.BASE_DELAY_MS;
  #byeMs = 0;

  constructor(room: string, name: string, random: () => number = Math.random) {
    this.#room = room;
    this.#name = name;
    this.#random = random;
  }

  get last(): string | undefined {
    return this.#last;
  }

  get unacked(): readonly string[] {
    return [...this.#outbox.values()];
  }

  say(text: string): string {
    this.#said += 1;
    const cid = [this.#name, this.#said].join(':');
    this.#outbox.set(cid, text);
    return cid;
  }

  opened(): void {
    this.#hello = JSON.stringify({ last: this.#last, room: this.#room, t: 'hello' });
  }

  takeOutput(): string[] {
    const output = this.#hello === undefined ? [] : [this.#hello];
    this.#hello = undefined;
    if (!this.#isWelcome) return output;
    for (const [cid, text] of this.#outbox) {
      if (this.#inFlight.size >= given.MAX_UNACKED) break;
      if (this.#inFlight.has(cid)) continue;
      this.#inFlight.add(cid);
      output.push(JSON.stringify({ cid, text, t: 'msg' }));
    }
    return output;
  }

  receive(message: string): void {
    const frame: given.ServerFrame = JSON.parse(message);
    switch (frame.t) {
      case 'welcome':
        this.#isWelcome = true;
        this.#delayMs = given.BASE_DELAY_MS;
        this.#moveTo(frame.last, frame.gap);
        break;
      case 'gap':
        this.#moveTo(frame.last, true);
        break;
      case 'msg':
        this.#show(frame);
        break;
      case 'ack':
        this.#inFlight.delete(frame.cid);
        if (!this.#outbox.delete(frame.cid)) break;
        this.#events.push({ type: 'sent', cid: frame.cid, id: frame.id });
        break;
      case 'bye':
        this.#byeMs = frame.afterMs;
    }
  }

  next(): given.RoomEvent | undefined {
    const [event, ...others] = this.#events;
    this.#events = others;
    return event;
  }

  closed(code: number): number | undefined {
    const asked = Math.min(this.#byeMs, given.MAX_DELAY_MS - this.#delayMs);
    const delayMs = asked + this.#random() * this.#delayMs;
    this.#delayMs = Math.min(2 * this.#delayMs, given.MAX_DELAY_MS);
    this.#byeMs = 0;
    this.#isWelcome = false;
    this.#hello = undefined;
    this.#inFlight.clear();
    return COMES_BACK_NEVER.test(`${code}`) ? undefined : delayMs;
  }

  #moveTo(last: string, hasGap: boolean): void {
    if (hasGap) this.#events.push({ type: 'gap' });
    this.#last = last;
  }

  #show({ id, user, cid, text }: given.Entry): void {
    if (this.#last !== undefined && compareIds(id, this.#last) <= 0) return;
    this.#last = id;
    this.#events.push({ entry: { id, user, cid, text }, type: 'message' });
  }
}

/** Steps 1 to 7, of functions that keep what they need. */
import { randomBytes } from 'node:crypto';
import { isIPv4, isIPv6 } from 'node:net';
import { CloseCode, HandshakeError, ProtocolError } from '../../../../shared/protocol.ts';
import type { RequestHead } from '../../../../solutions/01-handshake/handshake.ts';
import * as given from '../../../../solutions/09-production/production.ts';

type Headers = RequestHead['headers'];

/** Makes what `new` can be called on of a function that makes objects. */
export function made<Args extends unknown[], Made extends object>(make: (...args: Args) => Made) {
  return function construct(...args: Args) {
    return make(...args);
  } as unknown as new (
    ...args: Args
  ) => Made;
}

export function once(run: () => void): () => void {
  let left = [run];
  return () => {
    const now = left;
    left = [];
    for (const each of now) each();
  };
}

// Step 1

export const TokenBucket = made((rate: given.Rate, start: number) => {
  let level = { tokens: rate.burst, at: start };
  const fillTo = (now: number) => {
    const grown = level.tokens + ((now - level.at) / 1000) * rate.perSecond;
    level = { tokens: Math.min(rate.burst, grown), at: now };
    return level.tokens;
  };
  return {
    take(count: number, now: number): number {
      const missing = count - fillTo(now);
      if (count > rate.burst) return Infinity;
      if (missing > 0) return Math.ceil((missing / rate.perSecond) * 1000);
      level = { tokens: -missing, at: now };
      return 0;
    },
    isFull: (now: number) => fillTo(now) === rate.burst,
  };
});

export const RateLimiter = made((rate: given.Rate) => {
  let buckets = new Map<string, InstanceType<typeof TokenBucket>>();
  let crowd = 1000;
  const forget = (now: number) => {
    buckets = new Map([...buckets].filter(([, bucket]) => !bucket.isFull(now)));
    crowd = Math.max(1000, 2 * buckets.size);
  };
  return {
    get size() {
      return buckets.size;
    },
    take(key: string, count: number, now: number): number {
      const known = buckets.get(key);
      if (known) return known.take(count, now);
      if (buckets.size >= crowd) forget(now);
      const bucket = new TokenBucket(rate, now);
      buckets.set(key, bucket);
      return bucket.take(count, now);
    },
  };
});

export const Slots = made((most: number) => {
  const taken: Record<string, number> = Object.create(null);
  const give = (key: string) => {
    const left = (taken[key] ?? 0) - 1;
    if (left > 0) taken[key] = left;
    else delete taken[key];
  };
  return {
    get size() {
      return Object.keys(taken).length;
    },
    take(key: string): (() => void) | undefined {
      const count = taken[key] ?? 0;
      if (count >= most) return undefined;
      taken[key] = count + 1;
      return once(() => give(key));
    },
  };
});

// Step 2

/** Returns the eight groups of an IPv6 address. */
function groupsOf(address: string): number[] {
  const words = (part: string | undefined) =>
    (part ? part.split(':') : []).flatMap((word) => {
      if (!word.includes('.')) return [Number.parseInt(word, 16)];
      const [a = 0, b = 0, c = 0, d = 0] = word.split('.').map(Number);
      return [a * 256 + b, c * 256 + d];
    });
  const [before, behind] = address.split('::');
  const [left, right] = [words(before), words(behind)];
  const zeros: number[] = new Array(8 - left.length - right.length).fill(0);
  return [...left, ...zeros, ...right];
}

/** Writes eight groups in the short form of RFC 5952. */
function shortened(groups: readonly number[]): string {
  const hex = groups.map((group) => group.toString(16));
  let [from, length] = [0, 1];
  for (const start of groups.keys()) {
    const end = groups.findIndex((group, i) => i >= start && group !== 0);
    const run = (end === -1 ? 8 : end) - start;
    if (run > length) [from, length] = [start, run];
  }
  if (length === 1) return hex.join(':');
  return `${hex.slice(0, from).join(':')}::${hex.slice(from + length).join(':')}`;
}

const isPort = (text: string) =>
  text.length > 1 && (text[0] === '_' || (Number(text) <= 65535 && !text.includes('.')));

/** Takes a port off: what is behind the last colon of IPv4, or behind the bracket of IPv6. */
function bare(text: string): string | undefined {
  const end = text.indexOf(']');
  if (text.startsWith('[')) {
    const port = text.slice(end + 1);
    const isWhole = end > 0 && (port === '' || (port[0] === ':' && isPort(port.slice(1))));
    const inside = text.slice(1, end);
    return isWhole && isIPv6(inside) ? inside : undefined;
  }
  const [address = '', port, more] = text.split(':');
  if (more !== undefined || port === undefined) return text;
  return isIPv4(address) && (isPort(port) || /^\d$/.test(port)) ? address : undefined;
}

export function parseAddress(text: string): string | undefined {
  const address = bare(text);
  if (address === undefined) return undefined;
  if (isIPv4(address)) return address;
  if (!isIPv6(address)) return undefined;
  const groups = groupsOf(address.split('%')[0] ?? '');
  const [high = 0, low = 0] = groups.slice(6);
  const isMapped = groups.slice(0, 6).join() === '0,0,0,0,0,65535';
  if (!isMapped) return shortened(groups);
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

export function addressKey(address: string): string {
  if (isIPv4(address)) return address;
  const network = groupsOf(address).slice(0, 4);
  return `${network.map((group) => group.toString(16)).join(':')}::/64`;
}

/** Reads text from left to right. */
function scanner(text: string) {
  let at = 0;
  const scan = {
    isAtEnd: () => at >= text.length,
    /** Takes one character, when it is one of these. */
    take: (wanted: string) => (at < text.length && wanted.includes(text[at]!) ? text[at++] : ''),
    any: () => text[at++] ?? '',
    /** Takes all up to one of these characters, or to the end. */
    until(stops: string): string {
      const from = at;
      while (at < text.length && !stops.includes(text[at]!)) at++;
      return text.slice(from, at);
    },
    skip() {
      while (scan.take(' \t'));
    },
  };
  return scan;
}

type Scanner = ReturnType<typeof scanner>;

/** Reads what is behind a quote, and the quote that ends it. `undefined`: there is none. */
function quoted(scan: Scanner): string | undefined {
  let text = '';
  for (;;) {
    text += scan.until('"\\');
    if (scan.take('"')) return text;
    if (!scan.take('\\') || scan.isAtEnd()) return undefined;
    text += scan.any();
  }
}

/** Reads a line of `Forwarded`. Returns each hop's `for`, and `''` for a hop that has none. */
function forwardedIn(line: string): string[] {
  const scan = scanner(line);
  const hops: string[] = [];
  let hop = '';
  for (;;) {
    scan.skip();
    const name = scan.until(' \t",;=').toLowerCase();
    if (name === '' || !scan.take('=')) return [...hops, ''];
    const value = scan.take('"') ? quoted(scan) : scan.until(' \t",;');
    if (value === undefined) return [...hops, ''];
    if (name === 'for') hop = value;
    scan.skip();
    if (scan.isAtEnd()) return [...hops, hop];
    if (scan.take(',')) {
      hops.push(hop);
      hop = '';
    } else if (!scan.take(';')) return [...hops, ''];
  }
}

const HOPS = {
  forwarded: forwardedIn,
  'x-forwarded-for': (line: string) => line.split(',').map((hop) => hop.trim()),
};

export function clientAddress(
  peer: string | undefined,
  headers: Headers,
  proxies?: given.Proxies,
): string | undefined {
  const lines = proxies ? (headers.get(proxies.header) ?? []) : [];
  const hops = proxies ? lines.flatMap(HOPS[proxies.header]) : [];
  const from = (client: string | undefined, end: number): string | undefined => {
    if (client === undefined || end === 0 || !proxies?.trusts(client)) return client;
    const next = parseAddress(hops[end - 1] ?? '');
    return next === undefined ? client : from(next, end - 1);
  };
  return from(parseAddress(peer ?? ''), hops.length);
}

// Step 3

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const noHeader = (why: string) => new HandshakeError(400, '10.4', `No PROXY header: ${why}.`);

/** Says whether text is the beginning of a word, or a word the beginning of it. */
const fits = (text: string, word: string) => text.startsWith(word) || word.startsWith(text);

function parseLine(text: string): given.ProxyHeader | undefined {
  const kinds = ['PROXY TCP4 ', 'PROXY TCP6 ', 'PROXY UNKNOWN'];
  if (!kinds.some((kind) => fits(text, kind))) throw noHeader('neither TCP4 nor TCP6');
  const length = text.slice(0, 107).indexOf('\r\n') + 2;
  if (length === 1 && text.length >= 107) throw noHeader('its line does not end');
  if (length === 1) return undefined;
  const [, family, source = '', target = '', ...ports] = text.slice(0, length - 2).split(' ');
  if (family === 'UNKNOWN') return { length, address: undefined };
  const isRight = family === 'TCP4' ? isIPv4 : isIPv6;
  const isNumber = (port: string) => /^\d{1,5}$/.test(port) && Number(port) <= 65535;
  if (!isRight(source) || !isRight(target)) throw noHeader('an address is wrong');
  if (ports.length !== 2 || !ports.every(isNumber)) throw noHeader('a port is wrong');
  return { length, address: parseAddress(source) };
}

function parseBinary(received: Buffer): given.ProxyHeader | undefined {
  const [command = 0x21, family = 0] = received.subarray(12, 14);
  if (command !== 0x21 && command !== 0x20) throw noHeader('its version or command is unknown');
  if (received.length < 16) return undefined;
  const length = 16 + received.readUInt16BE(14);
  const isProxied = command === 0x21;
  const size = { 17: 4, 33: 16 }[family];
  if (isProxied && size && length < 16 + 2 * size + 4) throw noHeader('its addresses do not fit');
  if (received.length < length) return undefined;
  if (!isProxied || !size) return { length, address: undefined };
  const source = received.subarray(16, 16 + size);
  const words = Array.from({ length: 8 }, (_, i) => size === 16 && source.readUInt16BE(2 * i));
  const text = size === 4 ? source.join('.') : words.map((word) => word.toString(16)).join(':');
  return { length, address: parseAddress(text) };
}

export function parseProxyHeader(received: Uint8Array): given.ProxyHeader | undefined {
  const bytes = Buffer.from(received.buffer, received.byteOffset, received.byteLength);
  const start = bytes.toString('latin1', 0, 107);
  if (fits(start, SIGNATURE.toString('latin1'))) return start ? parseBinary(bytes) : undefined;
  return parseLine(start);
}

// Step 4

type Found = Record<given.Credential['kind'], readonly string[]>;

export function credentialOf(
  head: Pick<RequestHead, 'target' | 'headers'>,
): given.Credential | undefined {
  const list = (name: string, separator: string) =>
    (head.headers.get(name) ?? []).flatMap((line) =>
      line.split(separator).map((one) => one.trim()),
    );
  const query = head.target.split('?').slice(1).join('?');
  const found: Found = {
    ticket: new URLSearchParams(query).getAll('ticket'),
    token: list('sec-websocket-protocol', ',')
      .filter((protocol) => protocol.startsWith(given.TOKEN_PREFIX))
      .map((protocol) => protocol.slice(given.TOKEN_PREFIX.length))
      .map((token) => Buffer.from(token, 'base64url').toString()),
    cookie: list('cookie', ';')
      .filter((cookie) => cookie.startsWith(`${given.COOKIE}=`))
      .map((cookie) => cookie.slice(given.COOKIE.length + 1)),
  };
  for (const kind of ['ticket', 'token', 'cookie'] as const) {
    const [value] = found[kind];
    if (value && found[kind].every((other) => other === value)) return { kind, value };
  }
  return undefined;
}

export const Tickets = made((random: (size: number) => Uint8Array = randomBytes) => {
  const users = new Map<string, { readonly user: string; readonly end: number }>();
  const forget = (now: number) => {
    for (const [ticket, { end }] of users) {
      if (now < end) return;
      users.delete(ticket);
    }
  };
  return {
    get size() {
      return users.size;
    },
    issue(user: string, now: number): string {
      forget(now);
      const ticket = Buffer.from(random(16)).toString('base64url');
      users.set(ticket, { user, end: now + given.TICKET_LIFE_MS });
      return ticket;
    },
    redeem(ticket: string, now: number): string | undefined {
      forget(now);
      const user = users.get(ticket)?.user;
      users.delete(ticket);
      return user;
    },
  };
});

// Step 5

export function compareIds(a: string, b: string): number {
  const [[a1, a2], [b1, b2]] = [a, b].map((id) => id.split('-').map(BigInt)) as bigint[][] as [
    [bigint, bigint],
    [bigint, bigint],
  ];
  if (a1 !== b1) return a1 < b1 ? -1 : 1;
  if (a2 !== b2) return a2 < b2 ? -1 : 1;
  return 0;
}

export const History = made((epoch: number, most: number) => {
  /** The entries by their ids, the oldest first. */
  const entries = new Map<string, given.Entry>();
  const ids = new Map<string, string>();
  const keyOf = ({ user, cid }: given.Said) => JSON.stringify([user, cid]);
  let last = 0;
  const idOf = (number: number) => `${epoch}-${number}`;
  const history = {
    get tip() {
      return idOf(last);
    },
    append({ user, cid, text }: given.Said) {
      const key = keyOf({ user, cid, text });
      const known = ids.get(key);
      if (known !== undefined) return { id: known, isNew: false };
      const id = idOf(++last);
      entries.set(id, { id, user, cid, text });
      ids.set(key, id);
      for (const [oldest, entry] of entries) {
        if (entries.size <= most) break;
        entries.delete(oldest);
        ids.delete(keyOf(entry));
      }
      return { id, isNew: true };
    },
    after(from: string, count: number): given.Entry[] | undefined {
      const number = Number(from.split('-')[1]);
      const isOurs = from === idOf(number) && number <= last;
      if (!isOurs || number < last - entries.size) return undefined;
      const page = [];
      for (let next = number + 1; next <= last && page.length < count; next++) {
        page.push(entries.get(idOf(next))!);
      }
      return page;
    },
  };
  return history;
});

// Step 6

const policy = (why: string) => new ProtocolError(CloseCode.PolicyViolation, '7.4.1', why);

const isName = (value: unknown): value is string =>
  typeof value === 'string' &&
  value.isWellFormed() &&
  value.length > 0 &&
  value.length <= given.MAX_NAME;

export const isId = (value: unknown): value is string => {
  if (typeof value !== 'string') return false;
  const parts = value.split('-');
  return parts.length === 2 && parts.every((part) => /^\d{1,20}$/.test(part));
};

function parseJson(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return { ...(value as object) };
  } catch {
    throw policy('That is no JSON.');
  }
}

export function parseClientFrame(message: string): given.ClientFrame {
  const { t, room, last, cid, text } = parseJson(message);
  if (t === 'hello' && isName(room) && last === undefined) return { t, room };
  if (t === 'hello' && isName(room) && isId(last)) return { t, room, last };
  if (t === 'msg' && isName(cid) && typeof text === 'string') return { t, cid, text };
  throw policy('That is no message of a client.');
}

export const ServerSession = made((peer: given.Peer, bus: given.Bus, user: string) => {
  const state = { isFull: false, isOver: false, hasFailed: false, isBusy: false, hasMore: false };
  let cursor: string | undefined;
  let leave = () => {};
  let waiting = 0;
  /** What is said waits for this. `undefined`: there was no hello. */
  let chain: Promise<void> | undefined;
  let room = '';

  const tell = (frame: given.ServerFrame) => {
    if (!state.isOver && !peer.send(JSON.stringify(frame))) state.isFull = true;
  };
  const end = () => {
    state.isOver = true;
    leave();
  };
  const orFail = (work: () => Promise<void>) =>
    work().catch(() => {
      state.hasFailed = true;
      if (state.isOver) return;
      end();
      peer.close(CloseCode.TryAgainLater, 'Try again later.');
    });
  const show = (entry: given.Entry) => {
    if (state.isOver || state.isFull || cursor === undefined) return;
    if (compareIds(entry.id, cursor) <= 0) return;
    cursor = entry.id;
    tell({ t: 'msg', ...entry });
  };
  /** Asks for pages until nothing is left. The first may be there already. */
  const catchUp = async (first?: readonly given.Entry[]) => {
    state.hasMore = true;
    if (state.isBusy) return;
    state.isBusy = true;
    first?.forEach(show);
    while (state.hasMore && !state.isFull && !state.isOver && cursor !== undefined) {
      state.hasMore = false;
      const page = await bus.after(room, cursor, given.PAGE_SIZE);
      if (!page) {
        const last = await bus.tip(room);
        cursor = last;
        tell({ t: 'gap', last });
      }
      page?.forEach(show);
      if (page?.length !== 0) state.hasMore = true;
    }
    state.isBusy = false;
  };
  const deliver: given.Deliver = (entry) => {
    if (cursor === undefined || state.isOver) return;
    if (!entry) orFail(() => catchUp());
    else if (state.isBusy) state.hasMore = true;
    else show(entry);
  };
  const enter = async (last?: string) => {
    leave = once(await bus.subscribe(room, deliver));
    if (state.isOver) return leave();
    const page = last === undefined ? undefined : await bus.after(room, last, given.PAGE_SIZE);
    const from = page && last !== undefined ? last : await bus.tip(room);
    if (state.isOver) return;
    cursor = from;
    tell({ t: 'welcome', last: from, gap: last !== undefined && !page });
    orFail(() => catchUp(page));
  };
  const publish = async (cid: string, text: string) => {
    if (state.hasFailed) return;
    const id = await bus.publish(room, { user, cid, text });
    waiting--;
    tell({ t: 'ack', cid, id });
  };
  return {
    receive(message: string): void {
      const frame = parseClientFrame(message);
      if (frame.t === 'hello') {
        if (chain) throw policy('That was the second hello.');
        room = frame.room;
        chain = orFail(() => enter(frame.last));
        return;
      }
      if (!chain) throw policy('The first message is a hello.');
      if (waiting >= given.MAX_UNACKED) throw policy('Too many messages wait.');
      waiting++;
      chain = chain.then(() => orFail(() => publish(frame.cid, frame.text)));
    },
    drained(): void {
      state.isFull = false;
      if (cursor !== undefined) orFail(() => catchUp());
    },
    ended: end,
    async leaves(afterMs: number): Promise<void> {
      tell({ t: 'bye', afterMs });
      await chain;
    },
  };
});

// Step 7

const FINAL = [1000, 1002, 1003, 1007, 1008, 1009, 1010, 4401, 4403];

export const ClientSession = made(
  (room: string, name: string, random: () => number = Math.random) => {
    /** What has no `ack`, in order, and whether it was sent on this connection. */
    let outbox: { readonly cid: string; readonly text: string; isSent: boolean }[] = [];
    let output: string[] = [];
    const events: given.RoomEvent[] = [];
    let [last, count, attempt, byeMs, isWelcome] = [
      undefined as string | undefined,
      0,
      0,
      0,
      false,
    ];

    const flush = () => {
      if (!isWelcome) return;
      const inFlight = outbox.filter(({ isSent }) => isSent).length;
      const next = outbox.filter(({ isSent }) => !isSent);
      for (const one of next.slice(0, given.MAX_UNACKED - inFlight)) {
        one.isSent = true;
        output.push(JSON.stringify({ t: 'msg', cid: one.cid, text: one.text }));
      }
    };
    const hear: {
      [T in given.ServerFrame['t']]: (frame: given.ServerFrame & { readonly t: T }) => void;
    } = {
      welcome(frame) {
        if (frame.gap) events.push({ type: 'gap' });
        [last, attempt, isWelcome] = [frame.last, 0, true];
      },
      gap(frame) {
        events.push({ type: 'gap' });
        last = frame.last;
      },
      msg({ id, user, cid, text }) {
        if (last !== undefined && compareIds(id, last) <= 0) return;
        last = id;
        events.push({ type: 'message', entry: { id, user, cid, text } });
      },
      ack({ cid, id }) {
        const others = outbox.filter((one) => one.cid !== cid);
        if (others.length < outbox.length) events.push({ type: 'sent', cid, id });
        outbox = others;
      },
      bye({ afterMs }) {
        byeMs = afterMs;
      },
    };
    return {
      get last() {
        return last;
      },
      get unacked(): readonly string[] {
        return outbox.map(({ text }) => text);
      },
      say(text: string): string {
        const cid = `${name}:${++count}`;
        outbox.push({ cid, text, isSent: false });
        flush();
        return cid;
      },
      opened(): void {
        output = [JSON.stringify({ t: 'hello', room, last })];
      },
      takeOutput(): string[] {
        return output.splice(0);
      },
      receive(message: string): void {
        const frame = JSON.parse(message);
        hear[frame.t as given.ServerFrame['t']]?.(frame as never);
        flush();
      },
      next: () => events.shift(),
      closed(code: number): number | undefined {
        const longest = Math.min(given.BASE_DELAY_MS * 2 ** attempt, given.MAX_DELAY_MS);
        const delayMs = Math.min(byeMs, given.MAX_DELAY_MS - longest) + random() * longest;
        for (const one of outbox) one.isSent = false;
        [output, isWelcome, byeMs, attempt] = [[], false, 0, attempt + 1];
        return FINAL.includes(code) ? undefined : delayMs;
      },
    };
  },
);

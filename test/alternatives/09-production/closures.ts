/** Functions that keep what they need, and records: no class, no `this`. What proxies write is scanned. */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createServer, type Server, type TLSSocket, type TlsOptions } from 'node:tls';
import { CloseCode, HandshakeError } from '../../../shared/protocol.ts';
import {
  checkUpgrade,
  negotiate,
  type RequestHead,
  refusal,
} from '../../../solutions/01-handshake/handshake.ts';
import {
  attach,
  type Connection,
  type Handler,
  WebSocketServer,
} from '../../../solutions/05-server/server.ts';
import * as given from '../../../solutions/09-production/production.ts';
import {
  addressKey,
  clientAddress,
  compareIds,
  credentialOf,
  History,
  isId,
  made,
  parseAddress,
  parseProxyHeader,
  RateLimiter,
  ServerSession,
  Slots,
  TokenBucket,
} from './closures/pure.ts';

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

export * from './closures/pure.ts';

// Step 8

/** Calls back at a time of `performance.now()`, or later. Returns what stops it. */
function at(time: number, callback: () => void): () => void {
  let timer: NodeJS.Timeout;
  const wait = () => {
    const ms = Math.ceil(time - performance.now());
    timer = setTimeout(ms > 0 ? wait : callback, Math.min(Math.max(ms, 0), 2 ** 31 - 1));
  };
  wait();
  return () => clearTimeout(timer);
}

/** Resolves as `work` does, or rejects after so many milliseconds. */
function within<T>(work: Promise<T>, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(reject, ms, new Error('Too late.'));
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

const later = (status: number, seconds: number, why: string) =>
  new HandshakeError(status, '10.4', why, { 'Retry-After': `${seconds}` });

function headOf(request: IncomingMessage): RequestHead {
  const lines = Object.entries(request.headersDistinct) as [string, string[]][];
  return {
    method: request.method ?? '',
    target: request.url ?? '',
    version: `HTTP/${request.httpVersion}`,
    headers: new Map(lines),
    length: 0,
  };
}

/** Holds a slot until the socket has closed. */
function hold(socket: Duplex, give: (() => void) | undefined): void {
  if (!give) throw later(429, 5, 'Too many sockets.');
  if (socket.closed) give();
  else socket.once('close', give);
}

function refuse(socket: Duplex, error: unknown, ms: number): void {
  if (socket.destroyed) return;
  const told = error instanceof HandshakeError ? error : later(503, 5, 'Nobody knows who that is.');
  const timer = setTimeout(() => socket.destroy(), ms);
  socket.once('close', () => clearTimeout(timer));
  socket.end(refusal(told));
  socket.resume();
}

/** Something early, with the tokens that it still lacks. */
interface Early {
  readonly lacks: [messages: number, bytes: number];
  readonly size: number;
  readonly pass: () => void;
}

/** A list of what is early. The socket goes on being read: the list is bounded. */
function listOf({ messages, bytes }: given.GateLimits, fails: (error: unknown) => void) {
  const start = performance.now();
  const buckets = [new TokenBucket(messages, start), new TokenBucket(bytes, start)] as const;
  const early: Early[] = [];
  let timer: NodeJS.Timeout | undefined;
  const pay = ({ lacks }: Early): number => {
    const waits = buckets.map((bucket, i) => bucket.take(lacks[i]!, performance.now()));
    for (const [i, ms] of waits.entries()) if (ms === 0) lacks[i] = 0;
    return Math.max(...waits);
  };
  const work = () => {
    clearTimeout(timer);
    while (early[0]) {
      const ms = pay(early[0]);
      if (ms > 0) {
        timer = setTimeout(workLate, Math.min(ms, 2 ** 31 - 1));
        return;
      }
      early.shift()!.pass();
    }
  };
  const workLate = () => {
    try {
      work();
    } catch (error) {
      fails(error);
    }
  };
  return {
    add(size: number, pass: () => void) {
      early.push({ lacks: [1, size], size, pass });
      work();
    },
    get isTooLong() {
      const size = early.reduce((sum, { size }) => sum + size, 0);
      return early.length > messages.burst || size > bytes.burst;
    },
    /** Takes what is left out of it. */
    clear() {
      clearTimeout(timer);
      return early.splice(0);
    },
  };
}

export const Gate = made((handle: given.UserHandler, options: given.GateOptions) => {
  const limits = { ...given.GATE_LIMITS, ...options };
  const requests = new RateLimiter(limits.requests);
  const perAddress = new Slots(limits.socketsPerAddress);
  const perUser = new Slots(limits.socketsPerUser);
  const logins = new WeakMap<Duplex, given.Login>();
  const connections = new Map<Connection, given.Login>();
  let isClosed = false;

  /** Makes a handler that lets through what the limits of a connection allow. */
  const guard = (login: given.Login, inner: Handler): Handler => {
    let list: ReturnType<typeof listOf> | undefined;
    let isFlooded = false;
    let stop = () => {};
    return (connection, event) => {
      list ??= listOf(limits, (error) => connection.fail(error));
      const pass = () => {
        inner(connection, event);
        handle(connection, event, login);
      };
      if (event.type === 'open') {
        connections.set(connection, login);
        if (login.until !== undefined) stop = at(login.until, () => connection.close(4401));
      } else if (event.type === 'close') {
        connections.delete(connection);
        stop();
        for (const early of list.clear()) early.pass();
      } else if (event.type === 'error') {
        list.clear();
      } else if (event.type === 'text' || event.type === 'binary') {
        if (isFlooded) return;
        list.add(Buffer.byteLength(event.data), pass);
        isFlooded = list.isTooLong;
        if (!isFlooded) return;
        list.clear();
        return connection.close(CloseCode.PolicyViolation, 'Too much at once.');
      }
      pass();
    };
  };
  const server = new WebSocketServer(() => {}, {
    ...options,
    attach(socket, opening, inner, bounds) {
      const login = logins.get(socket)!;
      return (options.attach ?? attach)(socket, opening, guard(login, inner), bounds);
    },
  });
  const checkOpen = () => {
    if (isClosed) throw later(503, 1, 'This server leaves.');
  };
  const admit = async (head: RequestHead, socket: Duplex): Promise<given.Login> => {
    checkOpen();
    const peer = (socket as Socket).remoteAddress;
    const address = clientAddress(peer, head.headers, options.proxies);
    const key = address === undefined ? '' : addressKey(address);
    const ms = requests.take(key, 1, performance.now());
    if (ms > 0) throw later(429, Math.ceil(ms / 1000), 'Too many requests.');
    hold(socket, perAddress.take(key));
    negotiate(checkUpgrade(head), options);
    const credential = credentialOf(head);
    const asked = (async () => credential && options.authenticate(credential))();
    const login = await within(asked, limits.loginTimeoutMs);
    if (!login) {
      throw new HandshakeError(401, '10.5', 'Who is it?', { 'WWW-Authenticate': 'Bearer' });
    }
    checkOpen();
    hold(socket, perUser.take(login.user));
    return login;
  };
  return {
    get connections(): ReadonlyMap<Connection, given.Login> {
      return connections;
    },
    async upgrade(request: IncomingMessage, socket: Duplex, head: Uint8Array): Promise<void> {
      socket.on('error', () => {});
      try {
        logins.set(socket, await admit(headOf(request), socket));
        server.upgrade(request, socket, head);
      } catch (error) {
        refuse(socket, error, limits.loginTimeoutMs);
      }
    },
    logOut(user: string): void {
      for (const [connection, login] of connections) {
        if (login.user === user) connection.close(4401);
      }
    },
    close(): void {
      isClosed = true;
    },
    shutdown(): Promise<void> {
      isClosed = true;
      return server.shutdown();
    },
  };
});

// Step 9

export function createTlsServer(options: TlsOptions, accept: (socket: TLSSocket) => void): Server {
  const handshakeTimeout = given.TLS_TIMEOUT_MS;
  const server = createServer({ ALPNProtocols: ['http/1.1'], handshakeTimeout, ...options });
  server.on('secureConnection', accept);
  return server.on('tlsClientError', (_, socket) => socket.destroy());
}

export function acceptProxied(
  socket: Socket,
  trusts: given.Proxies['trusts'],
  accept: (socket: Socket) => void,
  timeoutMs = given.TLS_TIMEOUT_MS,
): void {
  socket.on('error', () => {});
  const peer = parseAddress(socket.remoteAddress ?? '');
  if (peer === undefined || !trusts(peer)) {
    socket.destroy();
    return;
  }
  let received = Buffer.alloc(0);
  const read = () => {
    received = Buffer.concat([received, socket.read() ?? Buffer.alloc(0)]);
    const header = parsed();
    if (!header) return;
    finish();
    const { address, length } = header;
    if (address) Object.defineProperty(socket, 'remoteAddress', { value: address });
    if (received.length > length) socket.unshift(received.subarray(length));
    accept(socket);
  };
  const parsed = () => {
    try {
      return parseProxyHeader(received);
    } catch {
      socket.destroy();
      return undefined;
    }
  };
  const timer = setTimeout(() => socket.destroy(), timeoutMs);
  const finish = () => {
    clearTimeout(timer);
    socket.off('readable', read).off('close', finish);
  };
  socket.on('readable', read).on('close', finish);
}

// Step 10

export const MemoryBus = made((now: () => number = Date.now, size: number = given.HISTORY_SIZE) => {
  interface Room {
    readonly history: InstanceType<typeof History>;
    listeners: readonly { deliver?: given.Deliver }[];
    usedAt: number;
  }
  const rooms = new Map<string, Room>();
  let crowd = 1000;
  const forget = () => {
    for (const [name, { listeners, usedAt }] of rooms) {
      const isQuiet = listeners.length === 0 && now() - usedAt >= given.ROOM_LIFE_MS;
      if (isQuiet) rooms.delete(name);
    }
    crowd = Math.max(1000, 2 * rooms.size);
  };
  const enter = (name: string): Room => {
    if (!rooms.has(name) && rooms.size >= crowd) forget();
    const known = rooms.get(name);
    const room = known ?? { history: new History(now(), size), listeners: [], usedAt: 0 };
    rooms.set(name, room);
    room.usedAt = now();
    return room;
  };
  return {
    get size() {
      return rooms.size;
    },
    async publish(name: string, { user, cid, text }: given.Said): Promise<string> {
      const room = enter(name);
      const { id, isNew } = room.history.append({ user, cid, text });
      await Promise.resolve();
      if (!isNew) return id;
      for (const listener of room.listeners) listener.deliver?.({ id, user, cid, text });
      return id;
    },
    async subscribe(name: string, deliver: given.Deliver): Promise<() => void> {
      const room = enter(name);
      const listener: { deliver?: given.Deliver } = { deliver };
      room.listeners = [...room.listeners, listener];
      return () => {
        delete listener.deliver;
        room.listeners = room.listeners.filter((other) => other !== listener);
        room.usedAt = now();
      };
    },
    after: async (name: string, last: string, count: number) =>
      enter(name).history.after(last, count),
    tip: async (name: string) => enter(name).history.tip,
  };
});

// Step 11

type StreamEntry = readonly [id: string, fields: readonly string[]];

const messageOf = ([id, fields]: StreamEntry): given.Entry[] => {
  const field = (name: string) => fields[fields.indexOf(name) + 1] ?? '';
  return fields.length < 6
    ? []
    : [{ id, user: field('user'), cid: field('cid'), text: field('text') }];
};

/** How many entries are read at once. */
const AT_ONCE = 300;

const LIFE_S = String(given.ROOM_LIFE_MS / 1000);
const keyOf = (room: string) => `room:${room}`;

export const StreamBus = made(
  (commands: given.Engine, reader: given.Engine, size: number = given.HISTORY_SIZE) => {
    interface Followed {
      readonly listeners: Set<{ readonly deliver: given.Deliver }>;
      position?: string;
    }
    const rooms = new Map<string, Followed>();
    let isStopped = false;
    let isReading = false;
    let readerId = '';

    const publish = async (room: string, { user, cid, text }: given.Said): Promise<string> => {
      const keys = [keyOf(room), `cid:${JSON.stringify([room, user, cid])}`];
      const words = [...keys, user, cid, text, LIFE_S, String(size)];
      return String(await commands.sendCommand(['EVAL', given.PUBLISH_SCRIPT, '2', ...words]));
    };
    const tip = async (room: string): Promise<string> =>
      String(await commands.sendCommand(['EVAL', given.TIP_SCRIPT, '1', keyOf(room), LIFE_S]));
    const after = async (room: string, last: string, count: number) => {
      if (!isId(last) || last.split('-').some((part) => BigInt(part) >= 2n ** 64n))
        return undefined;
      const words = ['XRANGE', keyOf(room), last, '+', 'COUNT', String(count + 1)];
      const [first, ...rest] = (await commands.sendCommand(words)) as StreamEntry[];
      return first?.[0] === last ? rest.flatMap(messageOf) : undefined;
    };

    const followed = () => [...rooms].filter(([, { position }]) => position !== undefined);
    const tellAll = ({ listeners }: Followed, entry: given.Entry | undefined) => {
      for (const { deliver } of listeners) if (!isStopped) deliver(entry);
    };
    const checkPlace = async (name: string) => {
      const room = rooms.get(name);
      if (!room?.position || (await after(name, room.position, 1))) return;
      room.position = await tip(name);
      tellAll(room, undefined);
    };
    const checkPlaces = async () => {
      readerId = String(await reader.sendCommand(['CLIENT', 'ID']));
      for (const [name] of followed()) await checkPlace(name);
    };
    const hear = async (name: string, entries: readonly StreamEntry[]) => {
      if (entries.length >= Math.min(size, AT_ONCE)) await checkPlace(name);
      const room = rooms.get(name);
      for (const entry of entries) {
        if (!room?.position || compareIds(entry[0], room.position) <= 0) continue;
        room.position = entry[0];
        for (const message of messageOf(entry)) tellAll(room, message);
      }
    };
    const readOnce = async () => {
      const now = followed();
      const keys = now.map(([name]) => keyOf(name));
      const positions = now.map(([, { position }]) => position!);
      const words = ['XREAD', 'BLOCK', String(given.BLOCK_MS), 'COUNT', `${AT_ONCE}`, 'STREAMS'];
      const reply = await reader.sendCommand([...words, ...keys, ...positions]);
      for (const [key, entries] of (reply ?? []) as [string, StreamEntry[]][]) {
        await hear(key.slice('room:'.length), entries);
      }
    };
    const read = async () => {
      isReading = true;
      for (let isNew = true; !isStopped && followed().length > 0; ) {
        try {
          if (isNew) await checkPlaces();
          isNew = false;
          if (!isStopped && followed().length > 0) await readOnce();
        } catch {
          isNew = true;
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      }
      isReading = false;
    };
    const wake = () => {
      if (!isReading) read();
      else if (readerId) commands.sendCommand(['CLIENT', 'UNBLOCK', readerId]).catch(() => {});
    };
    return {
      publish,
      tip,
      after,
      stop() {
        isStopped = true;
      },
      async subscribe(name: string, deliver: given.Deliver): Promise<() => void> {
        const room: Followed = rooms.get(name) ?? { listeners: new Set() };
        rooms.set(name, room);
        const listener = { deliver };
        room.listeners.add(listener);
        const leave = () => {
          room.listeners.delete(listener);
          if (room.listeners.size === 0 && rooms.get(name) === room) rooms.delete(name);
        };
        try {
          const position = await tip(name);
          if (room.position === undefined) {
            room.position = position;
            if (!isStopped) wake();
          }
          return leave;
        } catch (error) {
          leave();
          throw error;
        }
      },
    };
  },
);

// Step 12

export const ChatServer = made(
  ({ bus, settleMs = given.SETTLE_MS, ...options }: given.ChatOptions) => {
    const sessions = new Map<Connection, InstanceType<typeof ServerSession>>();
    let left: Promise<void> | undefined;
    const gate = new Gate((connection, event, { user }) => {
      const session = sessions.get(connection);
      if (event.type === 'open') sessions.set(connection, new ServerSession(connection, bus, user));
      if (event.type === 'text') session?.receive(event.data);
      if (event.type === 'drain') session?.drained();
      if (event.type !== 'close') return;
      session?.ended();
      sessions.delete(connection);
    }, options);
    const leave = async (spreadMs: number) => {
      gate.close();
      const farewells = [...sessions].map(async ([connection, session], i, all) => {
        await new Promise((resolve) => setTimeout(resolve, (i / all.length) * spreadMs));
        await within(session.leaves(0), settleMs).catch(() => {});
        connection.close(CloseCode.ServiceRestart, 'Please come back.');
      });
      await Promise.all(farewells);
      await gate.shutdown();
    };
    return {
      gate,
      get isReady() {
        return left === undefined;
      },
      leave: (spreadMs: number): Promise<void> => (left ??= leave(spreadMs)),
    };
  },
);

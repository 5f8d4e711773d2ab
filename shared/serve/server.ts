/** The page and the learner's WebSockets on one port. */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import * as reference from '../../solutions/05-server/server.ts';
import type * as compression from '../../solutions/07-compression/compression.ts';
import { withTimeout } from '../kit/patience.ts';
import { ProtocolError } from '../protocol.ts';
import { type Agreement, sayAgreement } from './agreement.ts';
import { isOurHost, serveFiles } from './files.ts';
import { Observers, wantsCompression } from './observers.ts';
import { COMPRESSION, type Part } from './parts.ts';
import { PATHS, Rooms } from './rooms.ts';
import { guard, onWrite } from './socket.ts';
import { tapSocket, type UpgradeRequest } from './tap.ts';

/** The part of lesson 05 that is put to use here. */
export type Lesson05 = Pick<typeof reference, 'WebSocketServer'>;

/** The part of lesson 07. */
export type Lesson07 = Pick<typeof compression, 'compressingServer'>;

/** How to start a server. */
export interface ServeOptions {
  /** The lesson, the learner's or the reference. */
  readonly lesson: Lesson05;
  /** What compresses with every client that offers it. Absent: nobody does. */
  readonly compression?: Lesson07;
  /** What shows the wire. By default the reference, which works where the learner's code does not. */
  readonly wire?: Lesson05;
  /** What it's made of, for people. */
  readonly parts: readonly Part[];
  /** 0: the system picks one. */
  readonly port: number;
  /** Hears what the lesson's code throws, and what its connections fail with. */
  readonly report: Report;
}

type Report = (error: unknown) => void;

/** A server at work. */
export interface Serving {
  readonly port: number;
  /** Such as `http://127.0.0.1:8080`. */
  readonly url: string;
  /** Tells every page what is new about the lessons. */
  tell(parts: readonly Part[]): void;
  /**
   * Closes every connection with 1001. Resolves when all sockets are gone: `false` when the lesson
   * did not manage that within `CLOSE_GUARD_MS` and they had to be dropped.
   */
  stop(): Promise<boolean>;
}

/** The subprotocols that the page may ask for. */
export const PROTOCOLS = ['chat.101', 'echo.101'];

/** How long a page may take to answer a Close. */
const CLOSE_TIMEOUT_MS = 2_000;

/** How long the lesson's `shutdown` may take; longer than it takes to give up on every page. */
export const CLOSE_GUARD_MS = 3 * CLOSE_TIMEOUT_MS;

/**
 * Starts to serve, on 127.0.0.1 only. Rejects with what the lesson's constructor throws, and with
 * the system's error when the port cannot be had.
 */
export async function serve(options: ServeOptions): Promise<Serving> {
  const { parts, port, report } = options;
  const server = createServer(serveFiles);
  const sockets = rememberSockets(server);
  const bound = await listen(server, port);
  try {
    const servers = webSocketServers(options, new Observers(parts), bound);
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      handOver({ request, socket, head }, servers, report);
    });
    const stop = async () => {
      server.close();
      server.closeIdleConnections();
      const shutdown = shutDown(servers, report).then(() => true);
      const wasInTime = await withTimeout(shutdown, CLOSE_GUARD_MS, () => false);
      for (const socket of sockets) socket.destroy();
      return wasInTime;
    };
    const tell = (parts: readonly Part[]) => servers.observers.tell(parts);
    return { port: bound, url: `http://127.0.0.1:${bound}`, tell, stop };
  } catch (error) {
    server.close();
    throw error;
  }
}

/** Returns the sockets that are open, now and later. */
function rememberSockets(server: Server): ReadonlySet<Duplex> {
  const sockets = new Set<Duplex>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  return sockets;
}

/** The server that compresses. */
interface Compressing {
  readonly server: reference.WebSocketServer;
  /** Is it for every client that does not say what it wants? */
  readonly isDefault: boolean;
  /** Says what it has agreed on with a client. */
  sayAgreed(agreement: Agreement | undefined): string;
}

/** The server that the learner has built, and the one that shows what crosses its wire. */
interface Servers {
  readonly lesson: reference.WebSocketServer;
  /** With compression. `undefined`: there is none. */
  readonly compressing: Compressing | undefined;
  readonly wire: reference.WebSocketServer;
  readonly observers: Observers;
}

function webSocketServers(
  { lesson, compression, wire = reference, parts, report }: ServeOptions,
  observers: Observers,
  port: number,
): Servers {
  const origins = ['127.0.0.1', 'localhost'].map((name) => `http://${name}:${port}`);
  const policy = { origins, closeTimeoutMs: CLOSE_TIMEOUT_MS };
  const { handle } = new Rooms(observers.sendOptionsFor);
  const handler = reporting(watched(handle, observers), report);
  const options = { ...policy, paths: PATHS, protocols: PROTOCOLS };
  return {
    lesson: new lesson.WebSocketServer(handler, options),
    compressing: compression && {
      server: compression.compressingServer(handler, options),
      ...compressingFor(parts),
    },
    wire: new wire.WebSocketServer(observers.handle, { ...policy, paths: ['/wire'] }),
    observers,
  };
}

/**
 * How compression is offered. As long as the reference only fills in for lesson 07, a client has to
 * ask for it: the first lessons are about frames that everybody can read.
 */
function compressingFor(parts: readonly Part[]): Omit<Compressing, 'server'> {
  const part = parts.find(({ number }) => number === COMPRESSION?.number);
  const isAlone = parts.every(({ isYours }) => isYours === part?.isYours);
  return {
    isDefault: part?.until === '',
    sayAgreed: (agreement) => {
      const whose = agreement && !isAlone ? ' The reference serves this connection.' : '';
      return sayAgreement(agreement) + whose;
    },
  };
}

/** Gives a socket to the server that it is for. */
function handOver(
  { request, socket, head }: UpgradeRequest,
  servers: Servers,
  report: Report,
): void {
  const { url = '', headers } = request;
  if (!isOurHost(headers.host, request.socket.localPort)) {
    refuse(socket, '421 Misdirected Request');
  } else if (/^\/wire(\?|$)/.test(url)) {
    servers.wire.upgrade(request, socket, head);
  } else {
    const { lesson, compressing, observers } = servers;
    const observer = observers.find(url);
    if (observer) tapSocket({ request, socket, head }, observer, compressing?.sayAgreed);
    const compresses = wantsCompression(url) ?? compressing?.isDefault;
    const server = compresses ? compressing?.server : undefined;
    upgrade({ request, socket, head }, server ?? lesson, report);
  }
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

/** Lets the lesson have a socket, and answers in its place when its code throws before it has. */
function upgrade(
  { request, socket, head }: UpgradeRequest,
  webSockets: reference.WebSocketServer,
  report: Report,
): void {
  let wasAnswered = false;
  onWrite(socket, () => {
    wasAnswered = true;
  });
  const failed = (error: unknown) => {
    report(error);
    if (wasAnswered) socket.destroy();
    else refuse(socket, '500 Internal Server Error', `The lesson threw ${String(error)}`);
  };
  guard(socket, failed);
  try {
    webSockets.upgrade(request, socket, head);
  } catch (error) {
    failed(error);
  }
}

function refuse(socket: Duplex, status: string, text = status): void {
  const body = Buffer.from(`${text}\n`);
  socket.on('error', () => {});
  socket.end(
    Buffer.concat([
      Buffer.from(`HTTP/1.1 ${status}\r\nConnection: close\r\n`),
      Buffer.from('Content-Type: text/plain; charset=utf-8\r\n'),
      Buffer.from(`Content-Length: ${body.length}\r\n\r\n`),
      body,
    ]),
  );
}

/** Lets the page that observes a connection know it: it may ask for a Ping. */
function watched(handle: reference.Handler, observers: Observers): reference.Handler {
  return (connection, event) => {
    if (event.type === 'open') observers.watch(connection, event.upgrade.resource);
    handle(connection, event);
  };
}

/** Hears of failed connections before the application does. What a client did wrong isn't news. */
function reporting(handle: reference.Handler, report: Report): reference.Handler {
  return (connection, event) => {
    if (event.type === 'error' && !(event.error instanceof ProtocolError)) report(event.error);
    handle(connection, event);
  };
}

/** Shuts the servers down. What the lesson's throws does not keep the others from their turn. */
async function shutDown({ lesson, compressing, wire }: Servers, report: Report): Promise<void> {
  const shutDownOne = async (server: reference.WebSocketServer | undefined) => {
    try {
      await server?.shutdown();
    } catch (error) {
      report(error);
    }
  };
  await Promise.all([lesson, compressing?.server].map(shutDownOne));
  await wire.shutdown();
}

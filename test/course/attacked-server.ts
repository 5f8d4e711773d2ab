/**
 * A process with the chat of lesson 09, for clients that mean harm: over TCP, and over TLS. Asked, it
 * says what it has: only a process of its own has a memory of its own.
 */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { endWithParent } from '../../shared/process/parent.ts';
import {
  type Bus,
  ChatServer,
  createTlsServer,
  MemoryBus,
} from '../../solutions/09-production/production.ts';
import { OF_LOCALHOST } from '../vectors/certificates.ts';

/** What it says when asked. */
export interface Standing {
  readonly port: number;
  readonly tlsPort: number;
  /** The memory of the whole process, which gives little of it back. In MiB. */
  readonly memoryMiB: number;
  /** What is in use of it. In MiB. */
  readonly usedMiB: number;
  /** The most that it has had so far, garbage included. In MiB. */
  readonly highestMiB: number;
  /** How many TCP connections it has accepted so far. */
  readonly accepted: number;
  /** How many of them are there, whatever they are waiting for. */
  readonly sockets: number;
  /** How many messages were published in each room. */
  readonly published: Readonly<Record<string, number>>;
}

/** How long a client can take for its head, for the handshake of TLS, and to leave. In milliseconds. */
const timeoutMs = Number(process.argv[2]);

const published: Record<string, number> = {};
const memory = new MemoryBus();
const bus: Bus = {
  publish: (room, said) => {
    published[room] = (published[room] ?? 0) + 1;
    return memory.publish(room, said);
  },
  subscribe: (room, deliver) => memory.subscribe(room, deliver),
  after: (room, last, count) => memory.after(room, last, count),
  tip: (room) => memory.tip(room),
};
const chat = new ChatServer({
  bus,
  authenticate: async ({ value }) => ({ user: value }),
  loginTimeoutMs: timeoutMs,
  closeTimeoutMs: timeoutMs,
});
const http = createServer({ headersTimeout: timeoutMs, connectionsCheckingInterval: 100 });
http.on('upgrade', (request, socket, head) => chat.gate.upgrade(request, socket, head));
const tls = createTlsServer({ ...OF_LOCALHOST, handshakeTimeout: timeoutMs }, (socket) => {
  http.emit('connection', socket);
});

let accepted = 0;
// The server of HTTP is told of what the one of TLS has accepted as well, once that speaks HTTP.
http.on('connection', (socket) => {
  if (!('encrypted' in socket)) accepted++;
});
tls.on('connection', () => accepted++);

const portOf = (server: Pick<Server, 'address'>) => (server.address() as AddressInfo).port;

async function tell(): Promise<void> {
  const servers = [http, tls].map((server) => promisify(server.getConnections.bind(server))());
  const [plain = 0, secret = 0] = await Promise.all(servers);
  const { rss, heapUsed, external } = process.memoryUsage();
  const standing: Standing = {
    port: portOf(http),
    tlsPort: portOf(tls),
    memoryMiB: rss / 1024 / 1024,
    usedMiB: (heapUsed + external) / 1024 / 1024,
    highestMiB: process.resourceUsage().maxRSS / 1024,
    accepted,
    sockets: plain + secret,
    published,
  };
  process.send?.(standing);
}

for (const server of [http, tls]) server.listen(0, '127.0.0.1', 4096);
await Promise.all([http, tls].map((server) => once(server, 'listening')));
process.on('message', (question) => {
  // Not each time: others would wait for that.
  if (question === 'without garbage') for (let i = 0; i < 2; i++) globalThis.gc?.();
  tell();
});
endWithParent();
await tell();

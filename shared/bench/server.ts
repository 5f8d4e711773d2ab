/**
 * A process with one echo server: `lesson` of the file that follows, `ws`, or `tcp`, which sends
 * back whatever comes and is as fast as any server on `node:net` can be. Those with `deflate` compress.
 */
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { WebSocketServer } from 'ws';
import type * as Lesson from '../../solutions/05-server/server.ts';
import type * as Compression from '../../solutions/07-compression/compression.ts';
import { endWithParent } from '../process/parent.ts';
import type { Kind, ServerReply } from './messages.ts';

const [, , kind, lesson = ''] = process.argv as [string, string, Kind, string?];
const reply = (message: ServerReply) => process.send?.(message);

/** Sends back whatever a client of the lesson's server says. */
const echo: Lesson.Handler = (connection, event) => {
  if (event.type === 'text' || event.type === 'binary') connection.send(event.data);
};

const listen = (server: Lesson.WebSocketServer) => createServer((socket) => server.accept(socket));

/** Makes a server of `ws`. With `threshold`, it compresses everything as the lesson does. */
function makeWs(perMessageDeflate: false | { readonly threshold: number }): Server {
  const server = new WebSocketServer({ noServer: true, perMessageDeflate });
  server.on('connection', (socket) => {
    socket.on('error', () => {});
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  return createHttpServer().on('upgrade', (request, socket, head) => {
    server.handleUpgrade(request, socket, head, (it) => server.emit('connection', it, request));
  });
}

const makers: Record<Kind, () => Promise<Server>> = {
  async lesson() {
    const { WebSocketServer } = (await import(lesson)) as typeof Lesson;
    return listen(new WebSocketServer(echo));
  },
  async 'lesson-deflate'() {
    const { compressingServer } = (await import(lesson)) as typeof Compression;
    return listen(compressingServer(echo));
  },
  async ws() {
    return makeWs(false);
  },
  async 'ws-deflate'() {
    return makeWs({ threshold: 0 });
  },
  async tcp() {
    return createServer({ noDelay: true }, (socket) => {
      socket.on('error', () => {});
      socket.on('data', (chunk) => socket.write(chunk));
    });
  },
};

const server = await makers[kind]();
server.listen(0, '127.0.0.1', 1024, () => reply({ port: (server.address() as AddressInfo).port }));

process.on('message', () => {
  const { user, system } = process.cpuUsage();
  // Twice: what the first run lets go of, the second collects.
  for (let i = 0; i < 2; i++) globalThis.gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  reply({ memoryBytes: heapUsed + external, processBytes: rss, cpuUs: user + system });
});
endWithParent();

/**
 * A process with one server: `lesson` of the file that follows, `ws`, or `tcp`, which sends back
 * whatever comes and is as fast as any server on `node:net` can be. Those with `deflate` compress.
 */
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { WebSocketServer } from 'ws';
import type * as Lesson from '../../solutions/05-server/server.ts';
import type * as Compression from '../../solutions/07-compression/compression.ts';
import { endWithParent } from '../process/parent.ts';
import { answer } from './answers.ts';
import type { Job, Kind } from './messages.ts';

const [, , kind, lesson = ''] = process.argv as [string, string, Exclude<Kind, 'bun'>, string?];

let job: Job = 'echo';

/** Makes a server of a lesson that sends back what a client says, or sends it to everybody. */
function makeLesson(make: (handle: Lesson.Handler) => Lesson.WebSocketServer): Server {
  const server = make((connection, event) => {
    if (event.type !== 'text' && event.type !== 'binary') return;
    if (job === 'echo') connection.send(event.data);
    else server.broadcast(event.data);
  });
  return createServer((socket) => server.accept(socket));
}

/** Makes a server of `ws`. With `threshold`, it compresses everything as the lesson does. */
function makeWs(perMessageDeflate: false | { readonly threshold: number }): Server {
  const server = new WebSocketServer({ noServer: true, perMessageDeflate });
  server.on('connection', (socket) => {
    socket.on('error', () => {});
    socket.on('message', (data, isBinary) => {
      const receivers = job === 'echo' ? [socket] : server.clients;
      for (const receiver of receivers) receiver.send(data, { binary: isBinary });
    });
  });
  return createHttpServer().on('upgrade', (request, socket, head) => {
    server.handleUpgrade(request, socket, head, (it) => server.emit('connection', it, request));
  });
}

function makeTcp(): Server {
  const sockets = new Set<Socket>();
  return createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.write('.');
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (chunk) => {
      if (job === 'echo') socket.write(chunk);
      else for (const receiver of sockets) receiver.write(chunk);
    });
  });
}

const makers: Record<typeof kind, () => Promise<Server>> = {
  async lesson() {
    const { WebSocketServer } = (await import(lesson)) as typeof Lesson;
    return makeLesson((handle) => new WebSocketServer(handle));
  },
  async 'lesson-deflate'() {
    const { compressingServer } = (await import(lesson)) as typeof Compression;
    return makeLesson(compressingServer);
  },
  async ws() {
    return makeWs(false);
  },
  async 'ws-deflate'() {
    return makeWs({ threshold: 0 });
  },
  async tcp() {
    return makeTcp();
  },
};

const server = await makers[kind]();
server.listen(0, '127.0.0.1', 1024, () => {
  answer((server.address() as AddressInfo).port, (next) => {
    job = next;
  });
});
endWithParent();

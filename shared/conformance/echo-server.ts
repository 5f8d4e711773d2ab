/** An echo server on a lesson 05 or 07, whose name is the argument. It tells its parent its port. */
import { type AddressInfo, createServer } from 'node:net';
import type * as Server from '../../solutions/05-server/server.ts';
import type * as Compression from '../../solutions/07-compression/compression.ts';
import { findTarget, importTarget } from '../course/lessons.ts';
import { endWithParent } from '../process/parent.ts';

endWithParent();
const target = findTarget(process.argv[2] ?? '');

const echo: Server.Handler = (connection, event) => {
  if (event.type === 'text' || event.type === 'binary') connection.send(event.data);
};

const lesson: unknown = await importTarget(target);
const server =
  target.lesson.number === '07'
    ? (lesson as typeof Compression).compressingServer(echo)
    : new (lesson as typeof Server).WebSocketServer(echo);
const tcp = createServer((socket) => server.accept(socket));
tcp.listen(0, '127.0.0.1', () => process.send?.((tcp.address() as AddressInfo).port));

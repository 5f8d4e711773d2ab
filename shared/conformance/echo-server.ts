/**
 * An echo server on a lesson 05, 07 or 08, whose name is the argument. Behind that, a lesson 07 can be
 * named with which the other one compresses. It tells its parent its port.
 */
import { type AddressInfo, createServer } from 'node:net';
import type * as Server from '../../solutions/05-server/server.ts';
import type * as Compression from '../../solutions/07-compression/compression.ts';
import { findTarget, importTarget } from '../course/lessons.ts';
import { endWithParent } from '../process/parent.ts';

endWithParent();
const [, , name = '', extension] = process.argv;

const echo: Server.Handler = (connection, event) => {
  if (event.type === 'text' || event.type === 'binary') connection.send(event.data);
};

const load = (name: string): Promise<unknown> => importTarget(findTarget(name));

async function makeServer(): Promise<Server.WebSocketServer> {
  const lesson = await load(name);
  if (findTarget(name).lesson.number === '07') {
    return (lesson as typeof Compression).compressingServer(echo);
  }
  const { WebSocketServer } = lesson as typeof Server;
  if (extension === undefined) return new WebSocketServer(echo);
  const { agreeOnDeflate } = (await load(extension)) as typeof Compression;
  return new WebSocketServer(echo, { extend: agreeOnDeflate });
}

const server = await makeServer();
const tcp = createServer((socket) => server.accept(socket));
tcp.listen(0, '127.0.0.1', () => process.send?.((tcp.address() as AddressInfo).port));

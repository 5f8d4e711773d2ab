/**
 * A process with the reference of lesson 05: it echoes, floods clients that ask for it, and tells how
 * much memory it takes. Only a process of its own has a memory of its own.
 */
import { type AddressInfo, createServer } from 'node:net';
import {
  type Connection,
  type Handler,
  WebSocketServer,
} from '../../solutions/05-server/server.ts';

/** What it says when asked. */
export interface Standing {
  readonly port: number;
  /** The memory of the whole process, after what is garbage has been collected. In MiB. */
  readonly memoryMiB: number;
  readonly connections: number;
}

const PIECE = new Uint8Array(1024 * 1024);
/** How many pieces each connection is still to get. */
const owed = new Map<Connection, number>();

const handle: Handler = (connection, event) => {
  if (event.type === 'close') owed.delete(connection);
  if (event.type === 'drain') pour(connection);
  if (event.type === 'binary') connection.send(event.data);
  if (event.type !== 'text') return;
  const [word, count] = event.data.split(' ');
  if (word === 'pour') {
    owed.set(connection, Number(count));
    pour(connection);
  } else if (word === 'push') {
    // Whatever `send` says. Ten in a turn: there are others to serve.
    const push = (left: number) => {
      for (let i = 0; i < 10; i++) connection.send(PIECE);
      if (left > 10 && server.connections.has(connection)) setImmediate(push, left - 10);
    };
    push(Number(count));
  } else connection.send(event.data);
};
const server = new WebSocketServer(handle, { closeTimeoutMs: 500 });

/** Sends as long as there is room; the `drain` event goes on. */
function pour(connection: Connection): void {
  for (let left = owed.get(connection) ?? 0; left > 0; left--) {
    owed.set(connection, left - 1);
    if (!connection.send(PIECE)) return;
  }
}

const listener = createServer((socket) => server.accept(socket));
listener.listen(0, '127.0.0.1', 4096, tell);
process.on('message', tell);
process.on('disconnect', () => process.exit());

function tell(): void {
  for (let i = 0; i < 2; i++) globalThis.gc?.();
  const { port } = listener.address() as AddressInfo;
  const memoryMiB = process.memoryUsage().rss / 1024 / 1024;
  const standing: Standing = { port, memoryMiB, connections: server.connections.size };
  process.send?.(standing);
}

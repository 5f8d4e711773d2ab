/**
 * A process with a server of lesson 07 that sends back what comes. Asked, it says how much memory it
 * has had at most: only a process of its own has a memory of its own.
 */
import { type AddressInfo, createServer } from 'node:net';
import { endWithParent } from '../../shared/process/parent.ts';
import { compressingServer } from '../../solutions/07-compression/compression.ts';

/** What it says when asked. */
export interface Highest {
  readonly port: number;
  /** The most that the whole process has had so far. In MiB. */
  readonly memoryMiB: number;
}

const server = compressingServer(
  (connection, event) => {
    if (event.type === 'text' || event.type === 'binary') connection.send(event.data);
  },
  {},
  { clientMaxWindowBits: 10 },
);
const listener = createServer((socket) => server.accept(socket));

function tell(): void {
  const { port } = listener.address() as AddressInfo;
  const highest: Highest = { port, memoryMiB: process.resourceUsage().maxRSS / 1024 };
  process.send?.(highest);
}

listener.listen(0, '127.0.0.1', tell);
process.on('message', tell);
endWithParent();

/** The server that the checks of lesson 06 talk to. */
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { expect, test } from 'vitest';
import { Host } from '../../shared/kit/host.ts';

test('A host keeps its port from the next one, and ends whoever comes too late', async () => {
  let port = 0;
  await Host.run(async (host) => {
    port = host.port;
  });
  const late = connect(port, '127.0.0.1').resume();
  await once(late, 'close');
  expect(await listensAt(port)).toBe('EADDRINUSE');
  // It does so for a while only: there are not that many ports.
  await expect.poll(() => listensAt(port), { timeout: 60_000 }).toBe('it does');
});

/** Says whether a server can listen at a port, or why not. */
async function listensAt(port: number): Promise<string> {
  const server = createServer().listen(port, '127.0.0.1');
  const outcome = await once(server, 'listening').then(
    () => 'it does',
    (error: NodeJS.ErrnoException) => `${error.code}`,
  );
  server.close();
  return outcome;
}

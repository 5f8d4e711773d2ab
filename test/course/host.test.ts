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
  const next = createServer().listen(port, '127.0.0.1');
  const [error] = await once(next, 'error');
  expect(error.code).toBe('EADDRINUSE');
});

/** The program that `npm run drive` looks into. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { test } from 'vitest';
import { Debuggee } from '../../shared/drive/debuggee.ts';

test('A program that has ended by itself is ended, too', async () => {
  const words = ['--inspect=127.0.0.1:0', '-e', 'setTimeout(() => process.exit(), 100)'];
  const debuggee = await Debuggee.start(process.execPath, words);
  const { port } = new URL(debuggee.url);
  // Nobody listens any more when it is gone.
  for (let isThere = true; isThere; await pause(20)) {
    const socket = connect(Number(port), '127.0.0.1');
    isThere = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
  }
  await pause(200);
  await debuggee.end();
});

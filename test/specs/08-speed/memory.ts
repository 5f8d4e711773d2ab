/** Step 3: who may use the memory of a read. */
import { equal, fail } from '../../../shared/harness/check.ts';
import { show } from '../../../shared/harness/show.ts';
import { fromClient, wire } from '../../../shared/kit/frames.ts';
import { Opcode } from '../../../shared/protocol.ts';
import { Line } from '../05-server/sockets.ts';
import { HOOKS_OF_CONNECTION } from './hooks.ts';
import { attachTo } from './lines.ts';
import type { Scenarios } from './tools.ts';

export const MEMORY: Scenarios = [
  ...HOOKS_OF_CONNECTION,
  {
    what: 'A message of a chunk that was taken over is a view of that chunk.',
    rules: [],
    check({ MessageReader }) {
      const chunk = wire({ opcode: Opcode.Binary, payload: new Uint8Array(1000) });
      const reader = new MessageReader();
      reader.own(chunk);
      const message = reader.read();
      if (message?.type === 'binary' && message.data.buffer === chunk.buffer) return;
      fail(
        'A message of a chunk that was taken over is a view of that chunk.',
        [
          ['the calls', 'own(chunk), then read()'],
          ['you returned', show(message)],
          ['its memory', 'is not that of the chunk'],
        ],
        'Unmask the chunk in place, and return a part of it: `subarray` copies nothing.',
      );
    },
  },
  {
    what: 'A chunk of a socket that is no `net.Socket` stays as it is.',
    rules: [],
    check(lesson) {
      const chunk = fromClient(Opcode.Text, 'Hello');
      const before = chunk.slice();
      const line = new Line();
      attachTo(lesson, line);
      line.emit('data', chunk);
      line.destroy();
      equal(() => chunk, before, 'A chunk of a socket that is no `net.Socket` stays as it is.', {
        label: 'the chunk, afterwards',
        cause: () => 'Others may have that memory as well. Copy it, unless it is a `net.Socket`.',
      });
    },
  },
];

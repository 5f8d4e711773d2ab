/** Step 3: who may use the memory of a read. */
import { fail } from '../../../shared/harness/check.ts';
import { show } from '../../../shared/harness/show.ts';
import { wire } from '../../../shared/kit/frames.ts';
import { Opcode } from '../../../shared/protocol.ts';
import type { Scenarios } from './tools.ts';

export const MEMORY: Scenarios = [
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
];

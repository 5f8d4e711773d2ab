/** Step 6: payloads that go out as they are. */
import { fail } from '../../../shared/harness/check.ts';
import { Opcode } from '../../../shared/protocol.ts';
import { count } from '../../../shared/view/count.ts';
import type { Scenarios } from './tools.ts';

export const LONG: Scenarios = [
  {
    what: 'A payload of LONG_BYTES is a part by itself, in its own memory.',
    rules: [],
    check({ Output, LONG_BYTES }) {
      const payload = new Uint8Array(LONG_BYTES);
      const output = new Output();
      output.add({ fin: true, opcode: Opcode.Binary, payload });
      const parts = output.take();
      if (parts.some((part) => part.buffer === payload.buffer)) return;
      fail(
        'A payload of LONG_BYTES is a part by itself, in its own memory.',
        [
          ['the payload', count(LONG_BYTES, 'byte')],
          ['the parts', parts.map(({ length }) => count(length, 'byte')).join(', ')],
        ],
        'It has been copied. Take the payload itself as a part, between the header and what follows.',
      );
    },
  },
];

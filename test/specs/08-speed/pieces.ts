/** Step 4: payloads that arrive in pieces. */
import { fail } from '../../../shared/harness/check.ts';
import { wire } from '../../../shared/kit/frames.ts';
import { buffersReserved } from '../../../shared/kit/memory.ts';
import { Opcode } from '../../../shared/protocol.ts';
import { count } from '../../../shared/view/count.ts';
import type { Scenarios } from './tools.ts';

/** So many times what has arrived may be reserved. */
const TRUST = 32;

export const PIECES: Scenarios = [
  {
    what: 'For a payload that is only announced, at most 32 times what has arrived is reserved.',
    rules: [],
    check({ MessageReader }) {
      const whole = wire({ opcode: Opcode.Binary, payload: new Uint8Array(8 * 1024 * 1024) });
      // More than comes out of the pool of Node, which is taken as a whole.
      const arrived = 10_000;
      const reader = new MessageReader();
      const reserved = buffersReserved(1, () => {
        reader.own(whole.slice(0, arrived));
        reader.read();
      });
      // The chunk itself is reserved as well.
      if (reserved <= (TRUST + 1) * arrived) return;
      fail(
        'For a payload that is only announced, at most 32 times what has arrived is reserved.',
        [
          ['announced', count(8 * 1024 * 1024, 'byte')],
          ['arrived', count(arrived, 'byte')],
          ['reserved', count(reserved, 'byte')],
        ],
        'Ten thousand clients can announce a lot, and send next to nothing.',
      );
    },
  },
];

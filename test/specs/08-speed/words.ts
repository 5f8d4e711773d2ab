/** Step 2: unmasking, right wherever the bytes begin in memory. */
import { equal } from '../../../shared/harness/check.ts';
import { KEY, masked } from '../../../shared/kit/frames.ts';
import type { Scenarios } from './tools.ts';

export const WORDS: Scenarios = [
  {
    what: 'Bytes are unmasked wherever they begin in memory, however many they are.',
    rules: [],
    check({ unmask }) {
      const memory = Uint8Array.from({ length: 400 }, (_, i) => i * 7);
      for (let start = 0; start < 9; start++) {
        for (let length = 0; length < 300; length++) {
          const position = (start + length) % 4;
          const bytes = memory.slice();
          const part = bytes.subarray(start, start + length);
          unmask(part, KEY, position);
          const right = memory.slice();
          right.set(masked(memory.subarray(start, start + length), KEY, position), start);
          equal(() => bytes, right, 'Each byte is XORed with its byte of the key, and no other.', {
            given: [
              ['the bytes', `${length}, which begin at ${start} of their memory`],
              ['position', `${position}`],
            ],
            label: 'the memory',
          });
        }
      }
    },
  },
];

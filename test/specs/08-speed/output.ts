/** Step 5: one memory for all answers. */
import { equal } from '../../../shared/harness/check.ts';
import { join, wire } from '../../../shared/kit/frames.ts';
import { Opcode } from '../../../shared/protocol.ts';
import { HOOKS_OF_OUTPUT } from './hooks.ts';
import type { Scenarios } from './tools.ts';

export const OUTPUT: Scenarios = [
  ...HOOKS_OF_OUTPUT,
  {
    what: 'What was taken stays as it is, whatever is added later.',
    rules: [],
    check({ Output }) {
      const frames = ['one', 'two', 'three'].map((text) => {
        return { fin: true, opcode: Opcode.Text, payload: Buffer.from(text) };
      });
      const output = new Output();
      const taken = frames.map((frame) => {
        output.add(frame);
        return output.take();
      });
      const right = frames.map((frame) => wire({ ...frame, key: null }));
      equal(() => join(...taken.flat()), join(...right), 'What was taken stays as it is.', {
        given: [['the calls', 'add(frame), then take(), three times']],
        label: 'the parts, in the end',
        frames: true,
        cause: () => 'Memory that was taken out may still wait to be written: never use it again.',
      });
    },
  },
];

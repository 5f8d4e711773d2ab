import { fail } from '../../../shared/harness/check.ts';
import type { Scenarios } from './tools.ts';

export const MARKING: Scenarios = [
  {
    what: 'It is there.',
    rules: [],
    check: ({ deflatedFrames }) => {
      if (typeof deflatedFrames !== 'function') fail('It is there.', []);
    },
  },
];

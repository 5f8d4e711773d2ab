import { fail } from '../../../shared/harness/check.ts';
import type { Scenarios } from './tools.ts';

export const UNPACKING: Scenarios = [
  {
    what: 'It is there.',
    rules: [],
    check: ({ inflateMessage }) => {
      if (typeof inflateMessage !== 'function') fail('It is there.', []);
    },
  },
];

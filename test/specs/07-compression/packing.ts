import { fail } from '../../../shared/harness/check.ts';
import type { Scenarios } from './tools.ts';

export const PACKING: Scenarios = [
  {
    what: 'It is there.',
    rules: [],
    check: ({ deflateMessage }) => {
      if (typeof deflateMessage !== 'function') fail('It is there.', []);
    },
  },
];

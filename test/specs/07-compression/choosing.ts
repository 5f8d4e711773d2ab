import { fail } from '../../../shared/harness/check.ts';
import type { Scenarios } from './tools.ts';

export const CHOOSING: Scenarios = [
  {
    what: 'It is there.',
    rules: [],
    check: ({ chooseDeflate }) => {
      if (typeof chooseDeflate !== 'function') fail('It is there.', []);
    },
  },
];

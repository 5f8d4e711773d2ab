import { fail } from '../../../shared/harness/check.ts';
import type { Scenarios } from './tools.ts';

export const OFFERING: Scenarios = [
  {
    what: 'It is there.',
    rules: [],
    check: ({ offerDeflate }) => {
      if (typeof offerDeflate !== 'function') fail('It is there.', []);
    },
  },
];

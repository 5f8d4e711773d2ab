import { fail } from '../../../shared/harness/check.ts';
import type { Scenarios } from './tools.ts';

export const SERVING: Scenarios = [
  {
    what: 'It is there.',
    rules: [],
    check: ({ agreeOnDeflate }) => {
      if (typeof agreeOnDeflate !== 'function') fail('It is there.', []);
    },
  },
];

import { fail } from '../../../shared/harness/check.ts';
import type { Scenarios } from './tools.ts';

export const LEAKING: Scenarios = [
  {
    what: 'It is there.',
    rules: [],
    check: ({ guessSecret }) => {
      if (typeof guessSecret !== 'function') fail('It is there.', []);
    },
  },
];

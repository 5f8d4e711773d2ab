import { fail } from '../../../shared/harness/check.ts';
import type { Scenarios } from './tools.ts';

export const DEVTOOLS: Scenarios = [
  {
    what: 'It is there.',
    rules: [],
    check: ({ DevTools }) => {
      if (typeof DevTools !== 'function') fail('It is there.', []);
    },
  },
];

import { fail } from '../../../shared/harness/check.ts';
import type { Scenarios } from './tools.ts';

export const CHECKING: Scenarios = [
  {
    what: 'It is there.',
    rules: [],
    check: ({ checkResponse }) => {
      if (typeof checkResponse !== 'function') fail('It is there.', []);
    },
  },
];

import { fail } from '../../../shared/harness/check.ts';
import type { Scenarios } from './tools.ts';

export const COMING_BACK: Scenarios = [
  {
    what: 'It is there.',
    rules: [],
    check: ({ nextDelayMs }) => {
      if (typeof nextDelayMs !== 'function') fail('It is there.', []);
    },
  },
];

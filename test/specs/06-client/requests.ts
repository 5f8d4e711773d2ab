import { fail } from '../../../shared/harness/check.ts';
import type { Scenarios } from './tools.ts';

export const REQUESTS: Scenarios = [
  {
    what: 'It is there.',
    rules: [],
    check: ({ openingRequest }) => {
      if (typeof openingRequest !== 'function') fail('It is there.', []);
    },
  },
];

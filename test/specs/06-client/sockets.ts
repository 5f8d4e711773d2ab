import { fail } from '../../../shared/harness/check.ts';
import type { Scenarios } from './tools.ts';

export const SOCKETS: Scenarios = [
  {
    what: 'It is there.',
    rules: [],
    check: ({ connect }) => {
      if (typeof connect !== 'function') fail('It is there.', []);
    },
  },
];

import { fail } from '../../../shared/harness/check.ts';
import type { Scenarios } from './tools.ts';

export const URLS: Scenarios = [
  {
    what: 'It is there.',
    rules: [],
    check: ({ parseUrl }) => {
      if (typeof parseUrl !== 'function') fail('It is there.', []);
    },
  },
];

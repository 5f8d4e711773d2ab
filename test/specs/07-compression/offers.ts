import { fail } from '../../../shared/harness/check.ts';
import type { Scenarios } from './tools.ts';

export const OFFERS: Scenarios = [
  {
    what: 'It is there.',
    rules: [],
    check: ({ parseExtensions }) => {
      if (typeof parseExtensions !== 'function') fail('It is there.', []);
    },
  },
];

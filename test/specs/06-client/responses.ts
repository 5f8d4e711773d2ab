import { fail } from '../../../shared/harness/check.ts';
import type { Scenarios } from './tools.ts';

export const RESPONSES: Scenarios = [
  {
    what: 'It is there.',
    rules: [],
    check: ({ parseResponse }) => {
      if (typeof parseResponse !== 'function') fail('It is there.', []);
    },
  },
];

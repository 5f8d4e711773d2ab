import { fail } from '../../../shared/harness/check.ts';
import type { Scenarios } from './tools.ts';

export const MARKED: Scenarios = [
  {
    what: 'It is there.',
    rules: [],
    check: ({ InflatingReader }) => {
      if (typeof InflatingReader !== 'function') fail('It is there.', []);
    },
  },
];

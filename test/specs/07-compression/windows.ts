import { fail } from '../../../shared/harness/check.ts';
import type { Scenarios } from './tools.ts';

export const WINDOWS: Scenarios = [
  {
    what: 'It is there.',
    rules: [],
    check: ({ slide }) => {
      if (typeof slide !== 'function') fail('It is there.', []);
    },
  },
];

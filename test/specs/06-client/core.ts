import { fail } from '../../../shared/harness/check.ts';
import type { Scenarios } from './tools.ts';

export const CORE: Scenarios = [
  {
    what: 'It is there.',
    rules: [],
    check: ({ ClientConnection }) => {
      if (typeof ClientConnection !== 'function') fail('It is there.', []);
    },
  },
];

import { fail } from '../../../shared/harness/check.ts';
import type { Scenarios } from './tools.ts';

export const WEBSOCKET: Scenarios = [
  {
    what: 'It is there.',
    rules: [],
    check: ({ WebSocket }) => {
      if (typeof WebSocket !== 'function') fail('It is there.', []);
    },
  },
];

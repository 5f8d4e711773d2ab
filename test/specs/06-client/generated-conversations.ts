/** Conversations that nobody wrote: the client beside a slow and obvious one, step by step. */
import type { Scenario } from '../../../shared/harness/spec.ts';
import { generated } from '../../../shared/kit/generate.ts';
import { Conversation, type Scope } from './conversation.ts';
import type { Lesson } from './tools.ts';

/** How many things happen in a conversation, at most. */
const MAX_STEPS = 20;

/** Has conversations over one connection, or over some that take turns. */
function conversations(
  what: string,
  rules: readonly number[],
  cases: number,
  scope: Scope,
  connections = 1,
): Scenario<Lesson> {
  return {
    what,
    rules,
    check: (lesson) =>
      generated(cases, (choose) => {
        const several = Array.from(
          { length: connections },
          () => new Conversation(lesson, choose, scope),
        );
        choose.list(MAX_STEPS, () => choose.pick(several).step());
        for (const conversation of several) conversation.end();
      }),
  };
}

const TALKING = ['send', 'takeOutput', 'sent', 'ping'] as const;
const ENDING = [...TALKING, 'takeOutput', 'close', 'fail', 'disconnect'] as const;
const WAITING = [
  'wait',
  'wait',
  'wait',
  'send',
  'takeOutput',
  'close',
  'fail',
  'disconnect',
] as const;

/** Step 5. */
export const ANY_TALK = conversations(
  'Whatever is said, and however it is cut, all is heard and all goes out.',
  [79, 103, 104],
  60,
  { says: 'messages', acts: TALKING },
);

/** Step 6. */
export const ANY_ENDS = [
  conversations(
    'A connection ends right, whatever ends it, and whenever.',
    [126, 128, 129, 130, 131],
    120,
    { says: 'everything', acts: ENDING },
  ),
  conversations('Time does what it demands, and no more.', [102], 80, {
    says: 'everything',
    acts: WAITING,
  }),
  conversations(
    'Connections that take turns share nothing.',
    [],
    15,
    { says: 'everything', acts: ENDING },
    2,
  ),
];

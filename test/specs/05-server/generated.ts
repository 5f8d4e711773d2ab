/** Scripts that nobody wrote: the connection beside a slow and obvious one, step by step. */
import type { Scenario } from '../../../shared/harness/spec.ts';
import { generated } from '../../../shared/kit/generate.ts';
import type { Lesson } from './core.ts';
import { type Scope, Session } from './script.ts';

/** How many things happen in a script, at most. */
const MAX_STEPS = 20;

/** Runs scripts over one connection, or over some that take turns. */
function scripted(
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
        const sessions = Array.from(
          { length: connections },
          () => new Session(lesson, choose, scope),
        );
        choose.list(MAX_STEPS, () => choose.pick(sessions).step());
        if (scope.acts.includes('takeOutput')) for (const session of sessions) session.end();
      }),
  };
}

const TALKING = ['send', 'takeOutput', 'ping', 'sendLarge'] as const;
const ENDING = [...TALKING, 'send', 'takeOutput', 'close', 'fail', 'disconnect'] as const;
const WAITING = [
  'wait',
  'wait',
  'wait',
  'heard',
  'send',
  'takeOutput',
  'close',
  'fail',
  'disconnect',
] as const;
const LOADS = ['sendLarge', 'sendLarge', 'takeOutput', 'drained', 'send', 'close', 'wait'] as const;

/** Step 2. */
export const ANY_READS = scripted('Whatever comes, however it is cut, is heard.', [91, 116], 25, {
  says: 'messages',
  acts: [],
});

/** Step 3. */
export const ANY_TALK = scripted('Whatever is said goes out, in order.', [103, 104, 115], 20, {
  says: 'pings',
  acts: TALKING,
});

/** Step 4. */
export const ANY_ENDS = [
  scripted('A connection ends right, whatever ends it, and whenever.', [98, 127, 128], 40, {
    says: 'anything',
    acts: ENDING,
  }),
  scripted(
    'Connections that take turns share nothing.',
    [116],
    15,
    { says: 'anything', acts: ENDING },
    2,
  ),
];

/** Step 5. */
export const ANY_TIMES = scripted('Time does what it demands, and no more.', [100], 40, {
  says: 'anything',
  acts: WAITING,
});

/** Step 9. */
export const ANY_LOADS = [600, 400_000].map((maxWaitingBytes) =>
  scripted(`A client reads when it likes, and ${maxWaitingBytes} bytes can wait.`, [150], 25, {
    says: 'pings',
    acts: LOADS,
    limits: { maxWaitingBytes },
    sizes: [100, 70_000, 300_000],
  }),
);

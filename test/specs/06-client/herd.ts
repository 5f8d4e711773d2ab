/** Many clients that lose the same server. */
import { fail } from '../../../shared/harness/check.ts';
import { Choices } from '../../../shared/kit/generate.ts';
import { SEED } from '../../../shared/kit/seed.ts';
import { count } from '../../../shared/view/count.ts';
import { Visitor } from './outages.ts';
import type { Lesson, Scenarios } from './tools.ts';

const CLIENTS = 2000;
/** How long the server is away, in milliseconds. */
const OUTAGE_MS = 20_000;
/** In how long a time we count who comes, in milliseconds. */
const WINDOW_MS = 100;
/** More in such a time are a herd. Full jitter makes some 30. */
const MAX_IN_WINDOW = 100;

/** When each client asks for a connection, after all have lost theirs at 0, in milliseconds. */
function attemptsOf(lesson: Lesson): number[] {
  const choices = Choices.random(SEED);
  const random = () => choices.below(1_000_000) / 1_000_000;
  return Array.from({ length: CLIENTS }, () => {
    const visitor = new Visitor(lesson, { random });
    visitor.opens();
    let time = 0;
    const attempts: number[] = [];
    while (time < OUTAGE_MS) {
      visitor.isLost();
      time += visitor.comesBackAfter();
      attempts.push(time);
    }
    return attempts;
  }).flat();
}

/** The most attempts in one window, from a time on. */
function worstAfter(attempts: readonly number[], from: number): number {
  const windows = new Map<number, number>();
  for (const time of attempts) {
    if (time < from || time === Number.POSITIVE_INFINITY) continue;
    const window = Math.floor(time / WINDOW_MS);
    windows.set(window, (windows.get(window) ?? 0) + 1);
  }
  return Math.max(0, ...windows.values());
}

export const HERD: Scenarios = [
  {
    what: '2,000 clients that lose their server do not all come at once when it is back.',
    rules: [133, 173],
    check: (lesson) => {
      const attempts = attemptsOf(lesson);
      const worst = worstAfter(attempts, OUTAGE_MS);
      const each = attempts.length / CLIENTS;
      if (worst <= MAX_IN_WINDOW && each <= 12) return;
      fail('2,000 clients that lose their server do not all come at once when it is back.', [
        ['the server', `is away for ${OUTAGE_MS / 1000} seconds`],
        ['attempts', `${each.toFixed(1)} for each client, expected: about 5`],
        ['worst 100 ms', `${count(worst, 'client')}, expected: at most ${MAX_IN_WINDOW}`],
      ]);
    },
  },
];

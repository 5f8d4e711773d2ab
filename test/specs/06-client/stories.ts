/** Lives of connections that nobody thought of, beside a slow and obvious way to come back. */
import { type Choices, generated } from '../../../shared/kit/generate.ts';
import { Visitor } from './outages.ts';
import type { Scenarios } from './tools.ts';

/** What is to happen on one connection. */
interface Life {
  readonly openingMs: number;
  /** `undefined`: it is never open. */
  readonly openMs: number | undefined;
  /** The status of a refusal, with the seconds of its Retry-After. */
  readonly refusal: readonly [status: number, retryAfter: number | undefined] | undefined;
}

function drawLife(choose: Choices): Life {
  const openingMs = choose.pick([0, 10, 4990, 5000, 7000]);
  if (choose.oneIn(3)) {
    const retryAfter = choose.oneIn(3) ? choose.below(100) : undefined;
    return { openingMs, openMs: undefined, refusal: [choose.pick([503, 500]), retryAfter] };
  }
  const openMs = choose.oneIn(3) ? undefined : choose.pick([0, 10, 4999, 5000, 5001, 9000]);
  return { openingMs, openMs, refusal: undefined };
}

/** The longest delays, attempt by attempt, in milliseconds. */
const LONGEST = [5000, 2000, 4000, 8000, 16_000, 30_000];

export const GENERATED: Scenarios = [
  {
    what: 'Whatever becomes of the connections, each delay is the one that follows from it.',
    rules: [133, 173],
    check: (lesson) =>
      generated(60, (choose) => {
        const share = choose.pick([0.5, 0.25, 0.75]);
        const visitor = new Visitor(lesson, { share });
        let attempt = 0;
        for (const { openingMs, openMs, refusal } of choose.list(8, () => drawLife(choose))) {
          visitor.waits(openingMs);
          if (openMs !== undefined) {
            visitor.opens();
            visitor.waits(openMs);
          }
          if (refusal) visitor.isRefused(refusal[0], refusal[1]?.toString());
          else visitor.isLost();
          if (openMs !== undefined && openMs >= 5000) attempt = 0;
          const longest = LONGEST[Math.min(attempt, LONGEST.length - 1)] ?? 0;
          const ms = (refusal?.[1] ?? 0) * 1000 + longest * share;
          visitor.expectReturn(ms, 'Each delay follows from what became of the connections.');
          attempt++;
        }
      }),
  },
];

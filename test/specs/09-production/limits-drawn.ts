/** Step 1, with calls that nobody thought of, against counting in whole thousandths of a token. */
import { attempt, equal, fail } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import { callsOf, recorded } from '../../../shared/kit/calls.ts';
import { type Choices, generated } from '../../../shared/kit/generate.ts';
import type { Rate } from '../../../solutions/09-production/production.ts';
import type { Lesson, Scenarios } from './tools.ts';

/** What clocks say at the beginning, in milliseconds. */
const START = 1_000_000;

/** Milliseconds between two calls. */
const STEPS_MS = [0, 1, 250, 7, 100, 333, 500, 1000, 5000];

/**
 * A bucket that counts thousandths of tokens, as whole numbers. Whoever counts in fractions may be a
 * little off, and that matters only where there is exactly enough: both answers are right then.
 */
class Model {
  readonly #rate: Rate;
  #thousandths: number;
  /** May somebody with fractions lack a little of it? */
  #isExact = false;

  constructor(rate: Rate) {
    this.#rate = rate;
    this.#thousandths = rate.burst * 1000;
  }

  pass(ms: number): void {
    const more = this.#thousandths + ms * this.#rate.perSecond;
    const most = this.#rate.burst * 1000;
    this.#isExact = more === most && (ms > 0 || this.#isExact);
    this.#thousandths = Math.min(most, more);
  }

  /** What `take` may return. The first is right for whoever is exact. */
  answers(tokens: number): number[] {
    const { burst, perSecond } = this.#rate;
    if (tokens > burst) return [Number.POSITIVE_INFINITY];
    const missing = tokens * 1000 - this.#thousandths;
    if (missing < 0) return [0];
    if (missing === 0) return tokens === 0 ? [0] : [0, 1];
    const ms = Math.ceil(missing / perSecond);
    return missing % perSecond === 0 ? [ms, ms + 1] : [ms];
  }

  take(tokens: number): void {
    this.#thousandths -= tokens * 1000;
    this.#isExact = false;
  }

  fullness(): boolean[] {
    const isFull = this.#thousandths === this.#rate.burst * 1000;
    return isFull && this.#isExact ? [true, false] : [isFull];
  }
}

function drawRate(choose: Choices): Rate {
  return { burst: 1 + choose.below(6), perSecond: choose.pick([1, 2, 3, 4, 10, 30, 1000]) };
}

/** Checks that an answer is one of those that are right. */
function expectOneOf<T>(
  call: () => T,
  right: readonly T[],
  what: string,
  given: () => Fact[],
): T | undefined {
  let answer: T | undefined;
  const run = () => {
    answer = call();
    return right.includes(answer) ? right[0] : answer;
  };
  equal(run, right[0], what, {
    label: 'the last call returned',
    get given() {
      return given();
    },
  });
  return answer;
}

export const ANY_BUCKET: Scenarios[number] = {
  what: 'A bucket answers any calls as one that counts in whole numbers does.',
  rules: [],
  check: ({ TokenBucket }: Lesson) =>
    generated(150, (choose) => {
      const rate = drawRate(choose);
      const made = attempt(() => new TokenBucket(rate, START), 'Make a bucket.');
      const bucket = recorded(made, () => 0);
      const model = new Model(rate);
      const given = (): Fact[] => [['the rate', show(rate)], ...callsOf(bucket)];
      let now = START;
      choose.list(14, () => {
        const ms = choose.pick(STEPS_MS);
        now += ms;
        model.pass(ms);
        if (choose.oneIn(4)) {
          const what = 'A bucket is full when nothing is missing.';
          expectOneOf(() => bucket.isFull(now), model.fullness(), what, given);
          return;
        }
        const tokens = choose.below(rate.burst + 2);
        const what = 'Any tokens are taken when they are there, and not before.';
        const answer = expectOneOf(
          () => bucket.take(tokens, now),
          model.answers(tokens),
          what,
          given,
        );
        if (answer === 0) model.take(tokens);
      });
    }),
};

const KEYS = ['a', 'b', '192.0.2.1', '__proto__', ''];

export const ANY_LIMITER: Scenarios[number] = {
  what: 'A limiter answers any calls as a bucket for each key does.',
  rules: [],
  check: ({ RateLimiter }: Lesson) =>
    generated(100, (choose) => {
      const rate = drawRate(choose);
      const made = attempt(() => new RateLimiter(rate), 'Make a limiter.');
      const limiter = recorded(made, () => 0);
      const models = new Map<string, Model>();
      const given = (): Fact[] => [['the rate', show(rate)], ...callsOf(limiter)];
      let now = START;
      choose.list(20, () => {
        const ms = choose.pick(STEPS_MS);
        now += ms;
        for (const model of models.values()) model.pass(ms);
        const key = choose.pick(KEYS);
        const model = models.get(key) ?? new Model(rate);
        models.set(key, model);
        const tokens = choose.below(rate.burst + 2);
        const what = 'Any tokens are taken from the bucket of their key.';
        const take = () => limiter.take(key, tokens, now);
        if (expectOneOf(take, model.answers(tokens), what, given) === 0) model.take(tokens);
      });
    }),
};

export const ANY_SLOTS: Scenarios[number] = {
  what: 'Any slots are taken and given back, in any order, and more than once.',
  rules: [],
  check: ({ Slots }: Lesson) =>
    generated(100, (choose) => {
      const most = choose.below(4);
      const slots = attempt(() => new Slots(most), 'Make slots.');
      const given: (readonly [key: string, giveBack: () => void])[] = [];
      /** Numbers of those that are given and not given back. */
      const held = new Set<number>();
      const told: string[] = [];
      const about = (): Fact[] => [
        ['slots of each key', `${most}`],
        ['the calls', told.join('; ')],
      ];
      const keysHeld = () => [...held].map((i) => given[i]![0]);
      choose.list(16, () => {
        if (given.length > 0 && choose.oneIn(3)) {
          const i = choose.below(given.length);
          const [key, giveBack] = given[i]!;
          told.push(`give slot ${i} of ${show(key)} back`);
          attempt(giveBack, 'Any slot can be given back.', about());
          held.delete(i);
        } else {
          const key = choose.pick(KEYS);
          const isFree = keysHeld().filter((other) => other === key).length < most;
          told.push(`take(${show(key)})`);
          const giveBack = attempt(() => slots.take(key), 'Any slot can be taken.', about());
          const what = isFree
            ? 'A slot that is free is given.'
            : 'Only a slot that is free is given.';
          if ((giveBack !== undefined) !== isFree) {
            fail(what, [...about(), ['the last call returned', show(giveBack)]]);
          }
          if (giveBack) held.add(given.push([key, giveBack]) - 1);
        }
        const what = '`size` is how many keys have a slot.';
        equal(() => slots.size, new Set(keysHeld()).size, what, { given: about(), label: 'size' });
      });
    }),
};

/** Cases that nobody thought of: drawn at random, the same for the same seed, told as small as they get. */
import { CheckFailure } from '../harness/check.ts';
import { SEED } from './seed.ts';

/** How many smaller cases are tried, at most, when one has failed. */
const MAX_ATTEMPTS = 500;

/**
 * What a case is made from: one number after the other. Whatever draws has to have the simplest
 * outcome at 0, and simpler ones at smaller numbers: a case that fails is told with the fewest and
 * smallest numbers with which it still does.
 */
export class Choices {
  readonly #next: () => number;
  readonly #made: number[] = [];

  private constructor(next: () => number) {
    this.#next = next;
  }

  /** Chooses at random: mulberry32, from a whole number. */
  static random(seed: number): Choices {
    let state = seed;
    return new Choices(() => {
      state = (state + 0x6d2b79f5) | 0;
      let t = Math.imul(state ^ (state >>> 15), 1 | state);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return (t ^ (t >>> 14)) >>> 0;
    });
  }

  /** Makes the same choices again, and the simplest one after the last of them. */
  static again(made: readonly number[]): Choices {
    let count = 0;
    return new Choices(() => made[count++] ?? 0);
  }

  /** All that have been made so far. */
  get made(): readonly number[] {
    return this.#made;
  }

  /** Returns a whole number from 0 up to, not including, `limit`. */
  below(limit: number): number {
    const number = this.#next() % limit;
    this.#made.push(number);
    return number;
  }

  /** Returns one of the items. The first one is the simplest. */
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }

  /** Says yes once in so many times. No is simpler. */
  oneIn(times: number): boolean {
    return this.below(times) === times - 1;
  }

  /** Returns a list of up to `most` items. */
  list<T>(most: number, make: () => T): T[] {
    const items: T[] = [];
    // Asked before each: so one can go, and those after it stay.
    while (items.length < most && this.below(most + 1) > 0) items.push(make());
    return items;
  }

  /** Returns `length` bytes. */
  bytes(length: number): Uint8Array<ArrayBuffer> {
    return Uint8Array.from({ length }, () => this.below(256));
  }

  /** Returns places at which to cut `length` bytes into pieces of 1 to `most` bytes. */
  cuts(length: number, most: number): number[] {
    const places: number[] = [];
    // The last piece may be longer: so one cut can go, and those before it stay.
    while (this.below(30) > 0) {
      const at = (places.at(-1) ?? 0) + 1 + this.below(most);
      if (at >= length) break;
      places.push(at);
    }
    return places;
  }
}

/**
 * Checks so many generated cases. `check` makes one from choices, without any other source of
 * chance, and throws when the code does not pass. Throws that of the simplest case found, with the
 * seed that finds it again.
 */
export function generated(cases: number, check: (choose: Choices) => void): void {
  const search = searching(cases);
  for (let next = search.next(); !next.done; ) {
    const choices = next.value;
    next = search.next(errorOf(() => check(choices)));
  }
}

/**
 * Checks so many generated cases, one after the other, of code that answers later. `attempts` is how
 * many simpler ones are tried when one has failed: fewer where each of them takes its time.
 */
export async function generatedLater(
  cases: number,
  check: (choose: Choices) => Promise<void>,
  attempts = MAX_ATTEMPTS,
): Promise<void> {
  const search = searching(cases, attempts);
  for (let next = search.next(); !next.done; ) {
    next = search.next(await laterErrorOf(check(next.value)));
  }
}

/** A search that hands out cases, and is told what the check of each threw, or `undefined`. */
type Search<Found> = Generator<Choices, Found, unknown>;

/** Hands out case after case, and throws for one that does not pass. */
function* searching(cases: number, attempts = MAX_ATTEMPTS): Search<void> {
  // Not one case would be checked, and that looks as if all of them had passed.
  if (Number.isNaN(SEED)) throw new Error('SEED has to be a whole number.');
  for (let seed = SEED; seed < SEED + cases; seed++) {
    const choices = Choices.random(seed);
    const error = yield choices;
    if (error !== undefined) throw withSeed(yield* simplest(choices.made, error, attempts), seed);
  }
}

function errorOf(check: () => void): unknown {
  try {
    check();
    return undefined;
  } catch (error) {
    return error;
  }
}

function laterErrorOf(check: Promise<void>): Promise<unknown> {
  return check.then(
    () => undefined,
    (error: unknown) => error,
  );
}

/** Looks for a simpler case that fails in the same way, and returns what it fails with. */
function* simplest(made: readonly number[], error: unknown, attempts: number): Search<unknown> {
  let best = { made, error };
  let tried = 0;
  for (let found = true; found; ) {
    found = false;
    for (const candidate of simpler(best.made)) {
      if (tried++ === attempts) return best.error;
      const choices = Choices.again(candidate);
      const other = yield choices;
      if (!isAlike(other, error) || !isSimpler(choices.made, best.made)) continue;
      best = { made: choices.made, error: other };
      found = true;
      break;
    }
  }
  return best.error;
}

/** Lists choices that are fewer, then those of which one is smaller. */
function* simpler(made: readonly number[]): Generator<readonly number[]> {
  for (let size = made.length; size > 0; size >>= 1) {
    for (let at = made.length - size; at >= 0; at -= size) yield made.toSpliced(at, size);
  }
  for (const [at, number] of made.entries()) {
    for (let by = number; by > 0; by >>= 1) yield made.with(at, number - by);
  }
}

function isSimpler(made: readonly number[], than: readonly number[]): boolean {
  if (made.length !== than.length) return made.length < than.length;
  const at = made.findIndex((number, i) => number !== than[i]);
  return at !== -1 && made[at]! < than[at]!;
}

/** Whether both fail at the same check: what they were given, and did, differs. */
function isAlike(error: unknown, other: unknown): boolean {
  return error instanceof Error && other instanceof Error && headline(error) === headline(other);
}

function headline(error: Error): string {
  return error instanceof CheckFailure ? error.message : error.name;
}

function withSeed(error: unknown, seed: number): unknown {
  if (!(error instanceof CheckFailure)) return error;
  return error.with([...error.facts, ['found with', `SEED=${seed}`]]);
}

/** Puts in one of these characters, takes one out, or changes one. */
export function mutate(choose: Choices, text: string, intruders: readonly string[]): string {
  const at = choose.below(text.length);
  const without = choose.below(2);
  const intruder = choose.below(3) < 2 ? choose.pick(intruders) : '';
  return text.slice(0, at) + intruder + text.slice(at + without);
}

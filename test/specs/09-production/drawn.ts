/** Generated cases that take more than one turn. */
import { CheckFailure } from '../../../shared/harness/check.ts';
import { Choices } from '../../../shared/kit/generate.ts';
import { SEED } from '../../../shared/kit/seed.ts';

/** How many smaller cases are tried, at most, when one has failed. */
const MAX_ATTEMPTS = 60;

type Check = (choose: Choices) => Promise<void>;

/** Like `generated`, for a check that waits for something: one case after the other. */
export async function drawn(cases: number, check: Check): Promise<void> {
  if (Number.isNaN(SEED)) throw new Error('SEED has to be a whole number.');
  for (let seed = SEED; seed < SEED + cases; seed++) {
    const choices = Choices.random(seed);
    const error = await errorOf(check, choices);
    if (error === undefined) continue;
    if (!(error instanceof CheckFailure)) throw error;
    const simplest = await shorter(check, choices.made, error);
    throw simplest.with([...simplest.facts, ['found with', `SEED=${seed}`]]);
  }
}

async function errorOf(check: Check, choices: Choices): Promise<unknown> {
  try {
    await check(choices);
    return undefined;
  } catch (error) {
    return error;
  }
}

/** Takes choices out, as long as the same sentence describes the failure. */
async function shorter(check: Check, made: readonly number[], error: CheckFailure) {
  let best = { made, error };
  let attempts = 0;
  for (let size = made.length >> 1; size > 0; size >>= 1) {
    for (let at = best.made.length - size; at >= 0 && attempts++ < MAX_ATTEMPTS; at -= size) {
      const choices = Choices.again(best.made.toSpliced(at, size));
      const other = await errorOf(check, choices);
      const isAlike = other instanceof CheckFailure && other.message === error.message;
      if (isAlike && choices.made.length < best.made.length)
        best = { made: choices.made, error: other };
    }
  }
  return best.error;
}

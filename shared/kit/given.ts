/** What a check was given, told only when it fails. */
import { CheckFailure } from '../harness/check.ts';
import type { Fact } from '../harness/facts.ts';

/**
 * Runs a check. When it fails, these facts are told first. They are not put together before: in a
 * long row of calls, that would cost more than the calls.
 */
export function withGiven<T>(facts: () => readonly Fact[], check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof CheckFailure)) throw error;
    throw error.with([...facts(), ...error.facts]);
  }
}

/** Plays one case, and makes a result of what comes out. */
import { withTimeout } from '../kit/patience.ts';
import type { Case } from './case.ts';
import { type CaseResult, Failed, type Finding, Unimplemented } from './model.ts';
import { Lost } from './play.ts';
import type { Stage } from './stage.ts';

/** What the reason begins with why a case was not tried. */
export const UNTRIED = 'Not tried. ';
/** How long a whole case may take, in milliseconds: a guard for peers that never come to an end. */
const CASE_MS = { short: 60_000, long: 400_000 };

/** Without a peer there is nothing to judge; each case would wait in vain. */
export function notTried(
  { id, title, section, expected }: Case<never>,
  obstacle: string,
): CaseResult {
  const finding = { verdict: 'FAILED', ending: 'untried', happened: UNTRIED + obstacle } as const;
  return { id, title, section, expected, ...finding, timeline: [], seconds: 0 };
}

/**
 * Plays a case, and leaves the stage. Whatever the peer does, there is a result. `isLost`: its
 * connection was reset, so another attempt may come to another one.
 */
export async function attempt<S extends Stage>(
  testCase: Case<S>,
  stage: S,
): Promise<{ result: CaseResult; isLost: boolean }> {
  const began = performance.now();
  const ms = testCase.long || stage.full ? CASE_MS.long : CASE_MS.short;
  const found = await withTimeout(findingOf(testCase, stage), ms, () => neverEnded(ms));
  stage.leave();
  const { id, title, section, expected } = testCase;
  const seconds = (performance.now() - began) / 1000;
  const timeline = stage.timeline.entries();
  const result = { id, title, section, expected, ...asFinding(found), timeline, seconds };
  return { result, isLost: found instanceof Lost };
}

function asFinding(found: Finding | Failed): Finding {
  if (!(found instanceof Failed)) return found;
  if (found instanceof Lost) return found.finding;
  return { verdict: 'FAILED', ending: found.ending, happened: found.message };
}

/** Plays a case. What makes it fail is returned. */
async function findingOf<S>(testCase: Case<S>, stage: S): Promise<Finding | Failed> {
  try {
    return await testCase.run(stage);
  } catch (error) {
    if (error instanceof Failed) return error;
    if (!(error instanceof Unimplemented)) throw error;
    return { verdict: 'UNIMPLEMENTED', ending: 'ours', happened: error.message };
  }
}

/** Gives a case up. */
const neverEnded = (ms: number) =>
  new Failed(`The case did not come to an end in ${ms / 1000} s.`, 'open');

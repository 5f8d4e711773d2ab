/** What the suite finds out: verdicts, and how connections end. */
import type { TimelineEntry } from './timeline.ts';

/**
 * How a case turned out, the best first.
 *
 * - `UNIMPLEMENTED`: it is about an extension that the peer did not agree on, which nobody has to.
 * - `NON-STRICT`: legal or harmless, and yet not what the standard recommends.
 */
export const VERDICTS = ['OK', 'UNIMPLEMENTED', 'NON-STRICT', 'FAILED'] as const;
export type Verdict = (typeof VERDICTS)[number];

/**
 * How the connection of a case ended. RFC 6455 §7.1
 *
 * - `clean`: the peer sent its Close, then ended TCP before we did.
 * - `reset`: it sent its Close, then TCP was reset and not ended.
 * - `dropped`: TCP was over, and there had been no Close.
 * - `open`: it did not end TCP as long as we waited.
 * - `refused`: there was no WebSocket: an HTTP error, or nobody answered.
 * - `ours`: we closed the connection, because the case asks for no more.
 * - `untried`: the case has not run, as there was no peer for it.
 */
export type Ending = 'clean' | 'reset' | 'dropped' | 'open' | 'refused' | 'ours' | 'untried';

/** What a case found out. */
export interface Finding {
  readonly verdict: Verdict;
  readonly ending: Ending;
  /** What the peer did, in one or two sentences. */
  readonly happened: string;
}

/** A case that has run. */
export interface CaseResult extends Finding {
  readonly id: string;
  readonly title: string;
  readonly section: string;
  readonly expected: string;
  /** What was sent and received, and when. The middle of a long conversation is left out. */
  readonly timeline: readonly TimelineEntry[];
  readonly seconds: number;
}

/** The peer did what it must not do, or not what it must. */
export class Failed extends Error {
  override readonly name = 'Failed';
  readonly ending: Ending;

  constructor(happened: string, ending: Ending = 'ours') {
    super(happened);
    this.ending = ending;
  }
}

/** The peer did not agree on what the case is about. */
export class Unimplemented extends Error {
  override readonly name = 'Unimplemented';
}

/** Returns the worst of some verdicts; `OK` when there are none. */
export function worst(...verdicts: readonly Verdict[]): Verdict {
  return VERDICTS[Math.max(0, ...verdicts.map((verdict) => VERDICTS.indexOf(verdict)))] ?? 'OK';
}

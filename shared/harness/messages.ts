/** What the checking process and the one that watches it tell each other. */
import type { Failure, StepResult } from './facts.ts';

/** A step before it runs. */
export type StepHeading = Pick<StepResult, 'title' | 'section' | 'scenarios'>;

/** From the process that checks. */
export type FromChecker =
  /** The spec is loaded; the learner's file is not. `startMs`: how long that took. */
  | { readonly type: 'ready'; readonly steps: readonly StepHeading[]; readonly startMs: number }
  /** The file could not be loaded. */
  | { readonly type: 'broken'; readonly failure: Failure }
  | { readonly type: 'started'; readonly number: number; readonly scenario?: string }
  /** A step does not pass, whatever else is still to be heard of it. 0: no step was on. */
  | { readonly type: 'failed'; readonly number: number; readonly failure: Failure }
  | ({ readonly type: 'finished' } & Pick<StepResult, 'number' | 'passed' | 'output'>)
  /** A step has not ended, and is not stuck: what waits in it has its turn. */
  | { readonly type: 'alive' }
  /** Every step has run, and nothing is left. */
  | { readonly type: 'done' };

/** To the process that checks: load the file and run the steps. */
export interface Go {
  readonly type: 'go';
  /** What every message but `ready` has to come with: the code that is checked does not know it. */
  readonly secret: string;
}

/** A message as it travels. `ready` has no secret: it comes before anything of the learner's runs. */
export type Signed = FromChecker & { readonly secret?: string };

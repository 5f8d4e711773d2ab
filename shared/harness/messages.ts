/** What the checking process and the one that watches it tell each other. */
import type { Failure } from './run.ts';

/** From the process that checks. */
export type Message =
  /** The spec is loaded; the learner's file is not. */
  | { readonly type: 'ready'; readonly steps: readonly { title: string; section: string }[] }
  /** The file could not be loaded. */
  | { readonly type: 'broken'; readonly failure: Failure }
  | { readonly type: 'started'; readonly number: number }
  | {
      readonly type: 'finished';
      readonly number: number;
      readonly failure?: Failure;
      /** What the code printed meanwhile. */
      readonly output: string;
    }
  /** A step has not ended, and is not stuck: what waits in it has its turn. */
  | { readonly type: 'alive' }
  /** Something was thrown, or is still going on, after its step had ended. */
  | { readonly type: 'late'; readonly number: number; readonly failure: Failure }
  /** Every step has run, and nothing is left. */
  | { readonly type: 'done' };

/** To the process that checks: load the file and run the steps. */
export interface Go {
  readonly type: 'go';
}

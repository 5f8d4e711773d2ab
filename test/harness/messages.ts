/** What the checking process tells the waiting one. */
import type { Failure } from './run.ts';

export type Message =
  /** The learner's file is about to be loaded. */
  | {
      readonly type: 'titles';
      readonly steps: readonly { title: string; section: string }[];
    }
  /** The file could not be loaded. */
  | { readonly type: 'broken'; readonly failure: Failure }
  | { readonly type: 'started'; readonly number: number }
  | {
      readonly type: 'finished';
      readonly number: number;
      readonly failure?: Failure;
    }
  /** Something was thrown while no step waited for it. */
  | { readonly type: 'late'; readonly failure: Failure }
  /** Every step has run. */
  | { readonly type: 'done' };

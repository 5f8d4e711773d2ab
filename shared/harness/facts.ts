/** What a failure is told with. */
import type { Stream } from '../view/wire.ts';

/** A line of a failure: what it is, and its value: text, or bytes to draw. */
export type Fact = readonly [label: string, value: string | Stream];

/** What surrounds a check. */
export interface About {
  /** What the code was called with, or what arrived. */
  readonly given?: readonly Fact[];
  /** Names the likely cause of what was returned, when there is one to name. */
  readonly cause?: (returned: unknown) => string | undefined;
  /** Names the likely cause of what was thrown, when there is one to name. */
  readonly causeOfError?: (error: unknown) => string | undefined;
  /** Bytes are frames: name the field that is wrong. */
  readonly frames?: boolean;
  /** What to call the actual value, where nobody has returned it: `you returned` would be wrong. */
  readonly label?: string;
  /** Are the values words of the check, and no texts, lists or booleans of the code? */
  readonly inWords?: boolean;
  /** The section that has the rule, where it is not that of the step. */
  readonly section?: string;
}

/** Why a step does not pass, ready to be sent to another process. */
export interface Failure {
  /** `todo`: not written yet. `check`: a wrong result. `crash`: the code threw or broke off. */
  readonly kind: 'todo' | 'check' | 'crash';
  /** What should have been so, in one sentence. */
  readonly what: string;
  readonly facts: readonly Fact[];
  readonly cause?: string;
  /** The section that has the rule, where it is not that of the step. */
  readonly section?: string;
  /** What to do about it, where it is not in the lesson's own file. */
  readonly remedy?: string;
  /** The scenario that it happened in. `undefined`: before or after them all. */
  readonly scenario?: string;
}

/** How one step went. */
export interface StepResult {
  /** From 1. */
  readonly number: number;
  readonly title: string;
  readonly section: string;
  /** How many scenarios it has. */
  readonly scenarios: number;
  /** How many of them pass. `undefined`: nobody counted. */
  readonly passed?: number;
  /** `undefined`: the step passes. */
  readonly failure?: Failure;
  /** What the code printed meanwhile. */
  readonly output: string;
}

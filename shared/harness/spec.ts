/** A lesson's checks, as data. */
import { EXTENSION } from '../course/lessons.ts';

/** One thing that has to be so, with a fresh object: readable and true alone. */
export interface Scenario<Implementation> {
  /** What has to be so, in a few words that no other scenario of the step has. */
  readonly what: string;
  /** The rules it checks, by their numbers in `test/rules/requirements.ts`. */
  readonly rules: readonly number[];
  /** Does it wait for a deadline? Those of a step wait together, when the others pass. */
  readonly waits?: true;
  /** Is it a suite over all that the lesson has built? What looks for one mistake leaves it out. */
  readonly isSuite?: true;
  /** Throws when the implementation does not pass, a `CheckFailure` where it can say why. */
  readonly check: (implementation: Implementation) => void | Promise<void>;
}

/** One step of a lesson: one idea, and how to see that it is right. */
export interface Step<Implementation> {
  readonly title: string;
  /** The section of RFC 6455 that it teaches, such as `5.2`. */
  readonly section: string;
  /** In the order in which they are told: the first that does not pass is explained. */
  readonly scenarios: readonly Scenario<Implementation>[];
}

/** All the checks of a lesson. The same spec runs over stub, learner's file and solution. */
export interface Spec<Implementation> {
  /** Such as `02-reading-frames`. */
  readonly lesson: string;
  /** In the order in which they are learned. Their numbers count from 1. */
  readonly steps: readonly Step<Implementation>[];
}

/** A spec over an implementation that has just been loaded and may have any shape. */
// biome-ignore lint/suspicious/noExplicitAny: what a learner's file exports is not known.
export type AnySpec = Spec<any>;

/** Loads the spec of a lesson, such as `02-reading-frames`: the one door to `test`. */
export async function loadSpec(lesson: string): Promise<AnySpec> {
  const module: { spec: AnySpec } = await import(
    /* @vite-ignore */ `../../test/specs/${lesson}${EXTENSION}`
  );
  return module.spec;
}

/** Returns the rules that the scenarios of a step check, each once, in order. */
export function rulesOf({ scenarios }: AnySpec['steps'][number]): number[] {
  return [...new Set(scenarios.flatMap(({ rules }) => rules))].sort((a, b) => a - b);
}

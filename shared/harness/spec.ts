/** A lesson's checks, as data. */

/** One step of a lesson: one idea, and how to see that it holds. */
export interface Step<Implementation> {
  readonly title: string;
  /** The section of RFC 6455 that it teaches, such as `5.2`. */
  readonly section: string;
  /** The rules it checks, by their numbers in `test/rules/requirements.ts`. */
  readonly rules: readonly number[];
  /** Throws when the implementation does not hold, a `CheckFailure` where it can say why. */
  readonly check: (implementation: Implementation) => void | Promise<void>;
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

/** Loads the spec of a lesson, such as `02-reading-frames`. */
export async function loadSpec(lesson: string): Promise<AnySpec> {
  const module: { spec: AnySpec } = await import(`../../test/specs/${lesson}.ts`);
  return module.spec;
}

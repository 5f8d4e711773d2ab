/** Runs the steps of a spec over an implementation. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { functionOf, isOfCheck, placeOf } from '../course/place.ts';
import { Todo } from '../todo.ts';
import { CheckFailure } from './check.ts';
import { causeOfCrash, thrown } from './crash.ts';
import type { Failure, StepResult } from './facts.ts';
import type { AnySpec } from './spec.ts';

type AnyScenarios = AnySpec['steps'][number]['scenarios'];

/** What surrounds the run of a scenario: it gets its name, and calls `run`. */
type Enter = <T>(scenario: string, run: () => Promise<T>) => Promise<T>;

/**
 * Runs a step, by its number from 1, up to the first scenario that does not pass. Those that wait
 * come last, all at once. Never throws.
 */
export async function runStep(
  spec: AnySpec,
  number: number,
  module: object,
  enter: Enter = (_, run) => run(),
): Promise<Failure | undefined> {
  const runOne = (scenario: AnyScenarios[number]) =>
    enter(scenario.what, () => runScenario(spec, scenario, number, module));
  const scenarios = scenariosOf(spec, number);
  for (const scenario of scenarios.filter(({ waits }) => !waits)) {
    const failure = await runOne(scenario);
    if (failure) return failure;
  }
  const failures = await Promise.all(scenarios.filter(({ waits }) => waits).map(runOne));
  return failures.find((failure) => failure !== undefined);
}

/**
 * Counts how many scenarios of a step pass. They run at once, so that they wait at once, and each
 * begins in a turn of its own: whoever watches hears in between that this is no endless loop. The
 * one that is told as `red` never counts: where the same code does not do the same again, it might.
 */
export async function countPassed(
  spec: AnySpec,
  number: number,
  module: object,
  red: string | undefined,
): Promise<number> {
  const others = scenariosOf(spec, number).filter(({ what }) => what !== red);
  const runs: Promise<Failure | undefined>[] = [];
  for (const scenario of others) {
    runs.push(runScenario(spec, scenario, number, module));
    await nextTurn();
  }
  const failures = await Promise.all(runs);
  return failures.filter((failure) => failure === undefined).length;
}

function scenariosOf(spec: AnySpec, number: number): AnyScenarios {
  return spec.steps[number - 1]?.scenarios ?? [];
}

async function runScenario(
  { lesson }: AnySpec,
  { what, check }: AnyScenarios[number],
  number: number,
  module: object,
): Promise<Failure | undefined> {
  try {
    await check(complete(module));
    return undefined;
  } catch (error) {
    return { ...(ranAhead(error, lesson, number) ?? toFailure(error)), scenario: what };
  }
}

/** The code of a step called that of a later one, which is not written yet. */
function ranAhead(error: unknown, lesson: string, number: number): Failure | undefined {
  if (!(error instanceof Todo)) return undefined;
  const [of = '', step] = error.step.split('.');
  if (!lesson.startsWith(of) || Number(step) <= number) return undefined;
  return {
    kind: 'check',
    what: `Step ${number} does without the later steps, but the code called step ${error.step}.`,
    facts: [['not written', todoPlace(error)]],
    cause:
      'Do without it here. It may have been handed in as a parameter, or there is a plainer way.',
  };
}

/** Where a `Todo` is, and in which function. */
function todoPlace(error: Todo): string {
  const name = functionOf(error);
  return `${placeOf(error) ?? ''}${name ? `  ${name}` : ''}`;
}

/** Makes the same spec, without what is a suite. */
export function withoutSuites(spec: AnySpec): AnySpec {
  const steps = spec.steps.map(({ scenarios, ...step }) => {
    return { ...step, scenarios: scenarios.filter(({ isSuite }) => !isSuite) };
  });
  return { ...spec, steps };
}

/** Runs the steps up to the first that does not pass. `undefined`: they all do. */
export async function firstFailure(spec: AnySpec, module: object): Promise<StepResult | undefined> {
  for (const [i, { title, section, scenarios }] of spec.steps.entries()) {
    // Whoever else waits for a socket has a turn: the steps without one leave none.
    await nextTurn();
    const failure = await runStep(spec, i + 1, module);
    if (!failure) continue;
    return { number: i + 1, title, section, scenarios: scenarios.length, failure, output: '' };
  }
  return undefined;
}

/** Turns whatever was thrown into something to tell. */
export function toFailure(error: unknown): Failure {
  if (error instanceof Todo) {
    return { kind: 'todo', what: error.message, facts: [['code', todoPlace(error)]] };
  }
  if (error instanceof CheckFailure) {
    const { message, facts, cause, section } = error;
    return {
      kind: 'check',
      what: message,
      facts,
      ...(cause && { cause }),
      ...(section && { section }),
    };
  }
  const cause = causeOfCrash(error);
  return {
    kind: 'crash',
    what: isOfCheck(error)
      ? 'What the code returned is not what it should be.'
      : 'The code threw where it should not.',
    facts: thrown(error),
    ...(cause && { cause }),
  };
}

/** A module that says so when something is asked of it that it does not export. */
function complete(module: object): object {
  return new Proxy(module, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (value === undefined && typeof name === 'string') {
        throw new CheckFailure(
          `The file exports no \`${name}\`.`,
          [['exported', Object.keys(target).join(', ') || 'nothing']],
          'It has been renamed, or its `export` is gone. `npm run reset` gives you a fresh file and keeps yours.',
        );
      }
      return value;
    },
  });
}

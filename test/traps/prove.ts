/** Runs the traps of a lesson, as tests. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { findTarget, type Lesson, ROOT } from '../../shared/course/lessons.ts';
import type { StepResult } from '../../shared/harness/facts.ts';
import { firstFailure, withoutSuites } from '../../shared/harness/run.ts';
import { loadSpec, rulesOf } from '../../shared/harness/spec.ts';
import { loadVariant, sourceOf } from './load-variant.ts';
import { type Chapter, type Row, renderPage, renderTrap } from './render.ts';
import { spring } from './spring.ts';
import type { Trap } from './trap.ts';
import { TRAPS } from './traps.ts';

interface Trial {
  /** The first step that does not pass. `undefined`: they all do. */
  readonly by: StepResult | undefined;
  readonly seconds: number;
}

const modules = new Map<Trap, Promise<object>>();
const runs = new Map<Trap, Promise<Trial>>();

/** Starts something for a trap, once. */
function once<T>(started: Map<Trap, Promise<T>>, trap: Trap, start: () => Promise<T>): Promise<T> {
  const known = started.get(trap);
  if (known) return known;
  const promise = start();
  // Somebody waits for it later, and hears of it then.
  promise.catch(() => {});
  started.set(trap, promise);
  return promise;
}

function load(lesson: Lesson, trap: Trap): Promise<object> {
  return once(modules, trap, () => loadVariant(lesson, (source) => spring(source, trap.edits)));
}

function run(lesson: Lesson, trap: Trap): Promise<Trial> {
  return once(runs, trap, async () => {
    const module = await load(lesson, trap);
    const started = performance.now();
    const spec = await loadSpec(lesson.name);
    // A suite takes two seconds, and has nothing to do with the steps after it.
    const before = spec.steps.slice(0, trap.step - 1).flatMap(({ scenarios }) => scenarios);
    const isAfterSuite = before.some(({ isSuite }) => isSuite);
    const by = await firstFailure(isAfterSuite ? withoutSuites(spec) : spec, module);
    return { by, seconds: (performance.now() - started) / 1000 };
  });
}

/**
 * How many traps run at once on sockets: a peer that never answers is waited for, and the others run
 * on. With all of them at once, code that is given 200 ms would hardly get a turn.
 */
const AT_ONCE = 6;

async function runEach(lesson: Lesson, waiting: Trap[]): Promise<void> {
  for (let trap = waiting.shift(); trap; trap = waiting.shift()) {
    await run(lesson, trap).catch(() => {});
  }
}

/** Makes every trap of a lesson, such as `02`, and the page that shows them. */
export function proveTraps(number: string): void {
  const { lesson } = findTarget(number);
  const traps = TRAPS[lesson.number] ?? [];
  const waiting = [...traps];

  beforeAll(async () => {
    if (lesson.needs) for (let i = 0; i < AT_ONCE; i++) void runEach(lesson, waiting);
    // Otherwise, one after the other. What is loaded meanwhile would be seen by those that measure.
    else await Promise.allSettled(traps.map((trap) => load(lesson, trap)));
  });

  test.for(traps)('$id is caught at step $step', async (trap, { task }) => {
    const trial = await runUntilCaught(lesson, trap);
    task.meta.row = rowOf(lesson, trap, trial);
    expectCaught(trap, trial);
  });

  test('every trap breaks rules that its step checks', async () => {
    const { steps } = await loadSpec(lesson.name);
    for (const { id, step, rules } of traps) {
      const claimed = steps.slice(step - 1, step).flatMap(rulesOf);
      expect(claimed, id).toEqual(expect.arrayContaining([...rules]));
      expect(rules, id).toEqual([...new Set(rules)].sort((a, b) => a - b));
    }
  });

  test('every trap changes the code, and not only what is around it', () => {
    const source = sourceOf(lesson);
    for (const { id, edits } of traps) {
      expect(bare(spring(source, edits)), id).not.toBe(bare(source));
      for (const [find] of edits) expect(source.split(find), `${id}: ${find}`).toHaveLength(2);
    }
  });

  test('the page shows them all', async () => {
    const file = join(ROOT, `test/traps/${lesson.name}.md`);
    await runAgainUnlessOn(file, lesson, traps);
    const page = renderPage(await chapterOf(lesson, traps));
    await expect(page).toMatchFileSnapshot(file);
  });
}

/** Runs a trap, and again, alone, if another step than its own has noticed it on a busy machine. */
async function runUntilCaught(lesson: Lesson, trap: Trap): Promise<Trial> {
  const trial = await run(lesson, trap);
  if (trial.by?.number === trap.step) return trial;
  runs.delete(trap);
  return run(lesson, trap);
}

function rowOf({ number }: Lesson, { id, step }: Trap, { by, seconds }: Trial): Row {
  const nameOf = (step: number) => `${number}.${step}`;
  return { id, wanted: nameOf(step), caught: by && nameOf(by.number), seconds };
}

/** Checks that a trap goes red at its step, with a message that explains and is not just a crash. */
function expectCaught({ step }: Trap, { by }: Trial): void {
  const { kind, what, scenario, cause, facts } = by?.failure ?? {};
  const told = JSON.stringify({ scenario, what, facts });
  expect(by?.number, told).toBe(step);
  expect(kind, told).toBe('check');
  expect(cause ?? facts, 'A message needs a cause, or facts').not.toHaveLength(0);
}

/**
 * Runs the traps again, alone, that are not on the page as they are: on a machine that has stood
 * still for a moment, a check that waits may have told another tale.
 */
async function runAgainUnlessOn(
  file: string,
  lesson: Lesson,
  traps: readonly Trap[],
): Promise<void> {
  const page = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const source = sourceOf(lesson);
  for (const trap of traps) {
    const { by } = await run(lesson, trap);
    if (page.includes(renderTrap({ trap, by }, source).join('\n\n'))) continue;
    runs.delete(trap);
    await run(lesson, trap);
  }
}

async function chapterOf(lesson: Lesson, traps: readonly Trap[]): Promise<Chapter> {
  const { steps } = await loadSpec(lesson.name);
  const caught = traps.map(async (trap) => ({ trap, by: (await run(lesson, trap)).by }));
  return {
    lesson,
    source: sourceOf(lesson),
    steps: steps.map(({ title }) => title),
    caught: await Promise.all(caught),
  };
}

/** Source without comments and white space. */
function bare(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '').replace(/\s+/g, '');
}

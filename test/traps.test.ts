import { beforeAll, describe, expect, test } from 'vitest';
import { LESSONS, type Lesson } from '../shared/lessons.ts';
import { loadVariant } from './harness/load-variant.ts';
import { firstFailure, type StepResult } from './harness/run.ts';
import { loadSpec } from './harness/spec.ts';
import { TRAPS } from './traps.ts';

async function runTrap(lesson: Lesson, id: string): Promise<StepResult | undefined> {
  return firstFailure(await loadSpec(lesson.name), await loadVariant(lesson, `trap=${id}`));
}

describe.each(LESSONS)('lesson $number', (lesson) => {
  const traps = TRAPS.filter((trap) => trap.lesson === lesson.number);

  /** All at once: a server that never answers is waited for, and the others meanwhile run on. */
  const runs = new Map<string, Promise<StepResult | undefined>>();
  beforeAll(() => {
    for (const { id } of traps) runs.set(id, runTrap(lesson, id));
  });

  test.each(traps)('$id is caught at step $step', async ({ id, step }) => {
    const caught = await runs.get(id);
    expect(caught?.number, caught?.failure?.what).toBe(step);
    // A message that explains, not just a crash.
    expect(caught?.failure?.kind, caught?.failure?.what).toBe('check');
  });
});

test('every trap has an id of its own', () => {
  expect(new Set(TRAPS.map(({ id }) => id)).size).toBe(TRAPS.length);
});

test('every trap belongs to a lesson', () => {
  const numbers = LESSONS.map(({ number }) => number);
  expect(TRAPS.filter(({ lesson }) => !numbers.includes(lesson))).toEqual([]);
});

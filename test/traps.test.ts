import { describe, expect, test } from 'vitest';
import { LESSONS } from '../shared/lessons.ts';
import { loadVariant } from './harness/load-variant.ts';
import { firstFailure } from './harness/run.ts';
import { loadSpec } from './harness/spec.ts';
import { TRAPS } from './traps.ts';

describe.each(LESSONS)('lesson $number', (lesson) => {
  const traps = TRAPS.filter((trap) => trap.lesson === lesson.number);

  test.each(traps)('$id is caught at step $step', async ({ id, step }) => {
    const spec = await loadSpec(lesson.name);
    const caught = await firstFailure(spec, await loadVariant(lesson, `trap=${id}`));
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

import { describe, expect, test } from 'vitest';
import { fileOf, LESSONS } from '../shared/lessons.ts';
import { runSpec } from './harness/run.ts';
import { loadSpec } from './harness/spec.ts';
import { TRAPS } from './traps.ts';

describe.each(LESSONS)('lesson $number', (lesson) => {
  const traps = TRAPS.filter((trap) => trap.lesson === lesson.number);

  test.each(traps)('$id is caught at step $step', async ({ id, step }) => {
    const spec = await loadSpec(lesson.name);
    const module = await import(`../${fileOf({ side: 'solutions', lesson })}?trap=${id}`);
    const results = await runSpec(spec, module);
    const first = results.find(({ failure }) => failure);
    expect(first?.number, JSON.stringify(first?.failure)).toBe(step);
    expect(first?.failure?.kind).not.toBe('todo');
  });
});

test('trap ids are unique', () => {
  expect(new Set(TRAPS.map(({ id }) => id)).size).toBe(TRAPS.length);
});

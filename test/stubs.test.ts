import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fileOf, LESSONS, type Lesson, ROOT, type Side } from '../shared/lessons.ts';
import { makeStub } from '../shared/stub.ts';
import { loadVariant } from './harness/load-variant.ts';
import { firstFailure, runStep } from './harness/run.ts';
import { loadSpec } from './harness/spec.ts';

function read(side: Side, lesson: Lesson): string {
  return readFileSync(join(ROOT, fileOf({ side, lesson })), 'utf8');
}

describe.each(LESSONS)('lesson $number', (lesson) => {
  const stub = makeStub(read('solutions', lesson), lesson.number);

  test('a stub of a stub is that stub', () => {
    expect(makeStub(stub, lesson.number)).toBe(stub);
  });

  test('the file in lessons is the stub of the solution', ({ skip }) => {
    const file = read('lessons', lesson);
    const untouched = makeStub(file, lesson.number) === file;
    // Somebody who takes the course has work here. What is committed has none.
    if (!process.env.CI) skip(!untouched, 'there is work in it');
    expect(file, `Make it anew: npm run reset ${lesson.number}`).toBe(stub);
  });

  test('a stub fails at its first step, with the Todo of that step', async () => {
    const spec = await loadSpec(lesson.name);
    const first = await firstFailure(spec, await loadVariant(lesson, 'done=0'));
    expect(first).toMatchObject({ number: 1, failure: { kind: 'todo' } });
    expect(first?.failure?.what).toContain(`Lesson ${lesson.number}, step 1 `);
  });

  test('who has done the first steps sees exactly these hold', async () => {
    const spec = await loadSpec(lesson.name);
    const own = [...stub.matchAll(/new Todo\('\d+\.(\d+)'\)/g)].map(([, step]) => Number(step));
    // What is written over several steps is there as a whole: no step inside is the last one done.
    const spans = [...stub.matchAll(/\* Steps (\d+)(?: and |–)(\d+) ·/g)];
    const splits = (done: number) =>
      spans.some(([, a, b]) => Number(a) <= done && done < Number(b));
    for (const next of new Set(own)) {
      const done = next - 1;
      if (splits(done)) continue;
      const module = await loadVariant(lesson, `done=${done}`);
      const held: number[] = [];
      for (let step = 1; step <= spec.steps.length; step++) {
        if (!(await runStep(spec, step, module))) held.push(step);
      }
      expect(held).toEqual(Array.from({ length: done }, (_, i) => i + 1));
    }
  });
});

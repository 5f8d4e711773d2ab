/** The same specs under Vitest, for editors and for `npx vitest`. */
import { describe, test } from 'vitest';
import { findTarget } from '../course/lessons.ts';
import { explanation } from './report.ts';
import { runStep } from './run.ts';
import { loadSpec } from './spec.ts';

/** Makes one Vitest test of each step of a lesson, such as `lessons/02`. */
export async function testLesson(name: string, load: () => Promise<object>): Promise<void> {
  const target = findTarget(name);
  const spec = await loadSpec(target.lesson.name);
  // Loaded before the first step. When that fails, each step says so.
  const loaded = load();
  await loaded.catch(() => {});
  describe(name, () => {
    for (const [i, step] of spec.steps.entries()) {
      test(`${i + 1} ${step.title}`, async () => {
        const { title, section, scenarios } = step;
        const failure = await runStep(spec, i + 1, await loaded);
        if (!failure) return;
        const result = { title, section, scenarios: scenarios.length, failure, output: '' };
        const lines = explanation({ ...result, number: i + 1 }, target);
        const error = new Error(`${lines.join('\n')}\n`);
        error.name = failure.kind === 'todo' ? 'Todo' : 'CheckFailure';
        error.stack = '';
        throw error;
      });
    }
  });
}

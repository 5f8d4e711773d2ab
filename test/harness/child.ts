/**
 * The process that a learner's code runs in. Whatever that code does, it does here: the parent
 * watches, and tells. Called with a target, such as `lessons/02`.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { fileOf, findTarget, ROOT } from '../../shared/lessons.ts';
import type { Message } from './messages.ts';
import { runStep, toFailure, toLoadFailure } from './run.ts';
import { loadSpec } from './spec.ts';

function tell(message: Message): Promise<void> {
  return new Promise((resolve) => process.send?.(message, () => resolve()));
}

process.on('uncaughtException', (error) => tell({ type: 'late', failure: toFailure(error) }));

const target = findTarget(process.argv[2] ?? '');
const spec = await loadSpec(target.lesson.name);
await tell({
  type: 'titles',
  steps: spec.steps.map(({ title, section }) => ({ title, section })),
});

let module: object | undefined;
try {
  module = await import(pathToFileURL(join(ROOT, fileOf(target))).href);
} catch (error) {
  await tell({ type: 'broken', failure: toLoadFailure(error, fileOf(target)) });
}
if (module) {
  for (const [i, step] of spec.steps.entries()) {
    await tell({ type: 'started', number: i + 1 });
    const failure = await runStep(step, module);
    await tell({
      type: 'finished',
      number: i + 1,
      ...(failure && { failure }),
    });
  }
}
await tell({ type: 'done' });

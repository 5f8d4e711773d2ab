import { runCommand } from '../../shared/commands/run-command.ts';
import { findTarget, LESSONS, type Lesson } from '../../shared/course/lessons.ts';
import { statusLine } from '../../shared/view/status-line.ts';
import { Laboratory } from './stryker.ts';
import { judge, renderJudgement } from './verdict.ts';

await runCommand({
  name: 'npm run mutate',
  summary:
    'Changes the solutions, one small thing at a time, and runs the steps of the lesson over each change: one that no step notices shows a check that is missing, unless test/mutation/survivors.ts lists it. Fetches what it needs, and takes minutes.',
  positionals: { '[LESSON…]': 'Such as 02. By default, all of them.' },
  examples: [
    ['npm run mutate 02', 'Changes the solution of lesson 02.'],
    ['npm run mutate', 'Those of all lessons.'],
  ],
  run: (_, names) =>
    mutate(names.length === 0 ? LESSONS : names.map((name) => findTarget(name).lesson)),
});

/** Changes solutions, and tells what came of it. Returns 0 when nothing is missing, else 1. */
async function mutate(lessons: readonly Lesson[]): Promise<number> {
  const laboratory = new Laboratory();
  let isGood = true;
  try {
    statusLine('Fetching StrykerJS.');
    await laboratory.install();
    for (const lesson of lessons) {
      statusLine(`Lesson ${lesson.number}: changing it, one thing at a time.`);
      const started = performance.now();
      const judgement = judge(lesson.number, await laboratory.mutate(lesson));
      const seconds = (performance.now() - started) / 1000;
      statusLine('');
      console.log(renderJudgement(lesson, judgement, seconds).join('\n'));
      isGood &&= judgement.isGood;
    }
  } finally {
    statusLine('');
  }
  return isGood ? 0 : 1;
}

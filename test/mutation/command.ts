/**
 * `npm run mutate` changes the solutions, one small thing at a time, and runs the steps of the
 * lesson over each change: one that no step notices shows a check that is missing, unless it is
 * on the list in `test/mutation/survivors.ts`. `npm run mutate 02` takes one lesson. It fetches
 * what it needs, and takes minutes.
 */

import { runCommand } from '../../shared/commands/run-command.ts';
import { findTarget, LESSONS } from '../../shared/course/lessons.ts';
import { statusLine } from '../../shared/view/status-line.ts';
import { Laboratory } from './stryker.ts';
import { judge, renderJudgement } from './verdict.ts';

await runCommand(async (args) => {
  const lessons = args.length === 0 ? LESSONS : args.map((name) => findTarget(name).lesson);
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
    laboratory.remove();
  }
  return isGood ? 0 : 1;
});

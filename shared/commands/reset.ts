/** `npm run reset 02` gives you a fresh stub. Your file is kept beside it. */
import { findTarget, LESSONS, type Lesson, UsageError } from '../lessons.ts';
import { resetLesson } from '../reset.ts';
import { runCommand } from './run-command.ts';

await runCommand(async (args) => {
  const [argument, ...more] = args;
  if (argument === undefined || more.length > 0) {
    throw new UsageError('Say which lesson to reset: npm run reset 02, or `lessons` for all.');
  }
  const all = /^lessons[\\/]?$/.test(argument);
  for (const lesson of all ? LESSONS : [learnersLesson(argument)]) console.log(resetLesson(lesson));
  return 0;
});

function learnersLesson(argument: string): Lesson {
  const { side, lesson } = findTarget(argument);
  if (side === 'solutions') {
    throw new UsageError(`A solution is not reset. Yours is: npm run reset ${lesson.number}`);
  }
  return lesson;
}

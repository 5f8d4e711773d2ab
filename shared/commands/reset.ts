/**
 * `npm run reset 02` gives you a fresh stub, `npm run reset 02 -- --solution` the reference. Your
 * file is kept beside it.
 */
import { findTarget, LESSONS, type Lesson, UsageError } from '../course/lessons.ts';
import { resetLesson } from '../course/reset.ts';
import { runCommand } from './run-command.ts';

await runCommand(async (args) => {
  const [argument, ...more] = args.filter((word) => word !== '--solution');
  const fresh = args.includes('--solution') ? 'reference' : 'stub';
  if (argument === undefined || more.length > 0) {
    throw new UsageError('Say which lesson to reset: npm run reset 02, or `lessons` for all.');
  }
  const all = /^lessons[\\/]?$/.test(argument);
  const lessons = all ? LESSONS : [learnersLesson(argument)];
  for (const lesson of lessons) console.log(resetLesson(lesson, fresh));
  return 0;
});

function learnersLesson(argument: string): Lesson {
  const { side, lesson } = findTarget(argument);
  if (side === 'solutions') {
    throw new UsageError(`A solution is not reset. Yours is: npm run reset ${lesson.number}`);
  }
  return lesson;
}

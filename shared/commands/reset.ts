import { findSide, findTarget, LESSONS, type Lesson, UsageError } from '../course/lessons.ts';
import { resetLesson } from '../course/reset.ts';
import { runCommand } from './run-command.ts';

await runCommand({
  name: 'npm run reset',
  summary: 'Gives you a fresh stub of a lesson. Your file is kept beside it.',
  positionals: { LESSON: 'Such as 02, or lessons for all.' },
  options: { solution: { type: 'boolean', help: 'The reference in place of the stub.' } },
  examples: [
    ['npm run reset 02', 'Lesson 02 from the start.'],
    ['npm run reset 02 -- --solution', 'The reference as your lesson 02.'],
  ],
  async run({ solution }, [name, ...more]) {
    if (name === undefined || more.length > 0) {
      throw new UsageError('Say which lesson to reset: npm run reset 02, or `lessons` for all.');
    }
    const lessons = findSide(name) === 'lessons' ? LESSONS : [learnersLesson(name)];
    for (const lesson of lessons) console.log(resetLesson(lesson, solution ? 'reference' : 'stub'));
    return 0;
  },
});

function learnersLesson(name: string): Lesson {
  const { side, lesson } = findTarget(name);
  if (side === 'solutions') {
    throw new UsageError(`A solution is not reset. Yours is: npm run reset ${lesson.number}`);
  }
  return lesson;
}

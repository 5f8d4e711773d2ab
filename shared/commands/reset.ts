/** `npm run reset 02` gives you a fresh stub. Your file is kept beside it. */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileOf, findTarget, LESSONS, type Lesson, ROOT, UsageError } from '../lessons.ts';
import { makeStub } from '../stub.ts';
import { runCommand } from './run-command.ts';

await runCommand(async (args) => {
  const [argument, ...more] = args;
  if (argument === undefined || more.length > 0) {
    throw new UsageError('Say which lesson to reset: npm run reset 02, or `lessons` for all.');
  }
  const all = /^lessons[\\/]?$/.test(argument);
  for (const lesson of all ? LESSONS : [learnersLesson(argument)]) console.log(reset(lesson));
  return 0;
});

function learnersLesson(argument: string): Lesson {
  const { side, lesson } = findTarget(argument);
  if (side === 'solutions') {
    throw new UsageError(`A solution is not reset. Yours is: npm run reset ${lesson.number}`);
  }
  return lesson;
}

/** Writes the stub of a lesson, and says what it did. What was there is set aside. */
function reset(lesson: Lesson): string {
  const path = fileOf({ side: 'lessons', lesson });
  const file = join(ROOT, path);
  const solution = readFileSync(join(ROOT, fileOf({ side: 'solutions', lesson })), 'utf8');
  const stub = makeStub(solution, lesson.number);
  const before = existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  if (before === stub) return `${path} is the stub already.`;

  let kept = '';
  if (before !== undefined) {
    let number = 1;
    while (existsSync(`${file}.kept-${number}`)) number++;
    renameSync(file, `${file}.kept-${number}`);
    kept = ` Your file is kept: ${path}.kept-${number}`;
  }
  writeFileSync(file, stub);
  return `${path} is the stub again.${kept}`;
}

import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileOf, type Lesson, ROOT } from './lessons.ts';
import { makeStub } from './stub.ts';

/** Writes the stub of a lesson, and says what it did. What was there is set aside. */
export function resetLesson(lesson: Lesson): string {
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

import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileOf, type Lesson, ROOT } from './lessons.ts';
import { makeStub } from './stub.ts';

/** What a lesson's file can be made again. */
export type Fresh = 'stub' | 'reference';

/** Writes the stub of a lesson, or its reference, and says so. What was there is set aside. */
export function resetLesson(lesson: Lesson, fresh: Fresh = 'stub'): string {
  const path = fileOf({ side: 'lessons', lesson });
  const file = join(ROOT, path);
  const solution = readFileSync(join(ROOT, fileOf({ side: 'solutions', lesson })), 'utf8');
  const source = fresh === 'stub' ? makeStub(solution, lesson.number) : solution;
  const before = existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  if (before === source) return `${path} is the ${fresh} already.`;

  let kept = '';
  if (before !== undefined) {
    let number = 1;
    while (existsSync(`${file}.kept-${number}`)) number++;
    renameSync(file, `${file}.kept-${number}`);
    kept = ` Your file is kept: ${path}.kept-${number}`;
  }
  writeFileSync(file, source);
  return `${path} is the ${fresh} ${fresh === 'stub' ? 'again' : 'now'}.${kept}`;
}

/** The solutions, where they are: a handout has their stubs in the place of them. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { requireFile } from './files.ts';
import { fileOf, type Lesson, ROOT, UsageError } from './lessons.ts';

/** Says whether the solution of a lesson is there, and not only what it exports. */
export function hasSolution(lesson: Lesson): boolean {
  const file = join(ROOT, fileOf({ side: 'solutions', lesson }));
  const isFile = statSync(file, { throwIfNoEntry: false })?.isFile();
  return isFile === true && !readFileSync(file, 'utf8').includes('throw new Todo(');
}

/** Makes sure that the solution of a lesson is there. Throws `UsageError` when it is not. */
export function requireSolution(lesson: Lesson): void {
  requireFile({ side: 'solutions', lesson });
  if (hasSolution(lesson)) return;
  throw new UsageError(
    `The solution of lesson ${lesson.number} is not in this handout. Ask your instructor for it.`,
  );
}

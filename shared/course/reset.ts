import { existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readText, sayFault } from './files.ts';
import { fileOf, type Lesson, ROOT, UsageError } from './lessons.ts';
import { requireSolution } from './solution.ts';
import { makeStub } from './stub.ts';

/** What a lesson's file can be made again. */
export type Fresh = 'stub' | 'reference';

/**
 * Writes the stub of a lesson, or its reference, and says so. What was there is set aside. Throws
 * `UsageError` when there is no reference, and when the system does not let it: then it says where
 * the work of the learner is.
 */
export function resetLesson(lesson: Lesson, fresh: Fresh = 'stub'): string {
  if (fresh === 'reference') requireSolution(lesson);
  const path = fileOf({ side: 'lessons', lesson });
  const solution = readText(fileOf({ side: 'solutions', lesson }));
  const source = fresh === 'stub' ? makeStub(solution, lesson.number) : solution;
  const before = statSync(join(ROOT, path), { throwIfNoEntry: false });
  if (before?.isFile() && readFileSync(join(ROOT, path), 'utf8') === source) {
    return `${path} is the ${fresh} already.`;
  }
  const kept = before && freeName(path);
  try {
    replace(path, source, kept);
  } catch (error) {
    const fault = sayFault(error);
    if (!fault) throw error;
    const work = existsSync(join(ROOT, path)) ? `still ${path}` : kept;
    throw new UsageError(
      `${path} could not be reset: ${fault}.${before ? ` Nothing is lost: your file is ${work}` : ''}`,
    );
  }
  const done = `${path} is the ${fresh} ${fresh === 'stub' ? 'again' : 'now'}.`;
  return kept ? `${done} Your file is kept: ${kept}` : done;
}

/** Finds the first name for what is set aside that nothing has yet. */
function freeName(path: string): string {
  let number = 1;
  while (existsSync(join(ROOT, `${path}.kept-${number}`))) number++;
  return `${path}.kept-${number}`;
}

/** Puts a file in the place of another. It is written first: then nothing can run out of space. */
function replace(path: string, source: string, kept: string | undefined): void {
  const file = join(ROOT, path);
  const whole = `${file}.new`;
  try {
    writeFileSync(whole, source);
    if (kept) renameSync(file, join(ROOT, kept));
    renameSync(whole, file);
  } catch (error) {
    if (statSync(whole, { throwIfNoEntry: false })?.isFile()) rmSync(whole);
    throw error;
  }
}

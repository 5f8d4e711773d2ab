import { readFileSync } from 'node:fs';
import { readText } from '../course/files.ts';
import { type Lesson, UsageError } from '../course/lessons.ts';
import { stepsOf } from '../course/readme.ts';

/** The points for each step, by the number of the lesson. */
export type Points = ReadonlyMap<Lesson, readonly number[]>;

/** Reads what each step of these lessons is worth. Throws `UsageError` for a file that does not say so. */
export function readPoints(file: string, lessons: readonly Lesson[]): Points {
  const read = parse(file);
  const points = lessons.map((lesson) => {
    const steps = stepsOf(readText(`lessons/${lesson.name}/README.md`));
    const given: unknown = read[lesson.number];
    const isList = Array.isArray(given) && given.length === steps.length;
    if (!isList || !given.every((it) => typeof it === 'number' && it >= 0 && it < 1e6)) {
      throw new UsageError(
        `${file}: "${lesson.number}" has to be a list of ${steps.length} numbers, the points for each step.`,
      );
    }
    return [lesson, given as readonly number[]] as const;
  });
  return new Map(points);
}

function parse(file: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${(error as Error).message}.`);
  }
}

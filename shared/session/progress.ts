/** How far somebody is. Computed from the code each time, stored nowhere. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileOf, LESSONS, type Lesson, ROOT, type Target } from '../course/lessons.ts';
import type { StepResult } from '../harness/facts.ts';
import { loadSpec } from '../harness/spec.ts';
import { supervise } from '../harness/supervise.ts';
import { style } from '../view/style.ts';
import { pad } from '../view/width.ts';

/** How far one lesson is. */
export interface Progress {
  /** How many steps pass. */
  readonly done: number;
  readonly total: number;
  /** The first step that does not pass: number and title. `undefined`: they all do. */
  readonly next: { readonly number: number; readonly title: string } | undefined;
}

/** How far each lesson is. One that has not been checked yet is not there. */
export type Course = ReadonlyMap<Lesson, Progress>;

/** Checks every lesson. */
export async function readCourse(): Promise<Course> {
  const read = async (lesson: Lesson) => [lesson, await readProgress(lesson)] as const;
  return new Map(await Promise.all(LESSONS.map(read)));
}

/** Checks one lesson. */
export async function readProgress(lesson: Lesson): Promise<Progress> {
  const target: Target = { side: 'lessons', lesson };
  if (existsSync(join(ROOT, fileOf(target)))) {
    const { results } = await supervise(target);
    if (results.length > 0) return progressIn(results);
  }
  const { steps } = await loadSpec(lesson.name);
  return { done: 0, total: steps.length, next: { number: 1, title: steps[0]?.title ?? '' } };
}

/** How far a lesson is, by the results of its steps. */
export function progressIn(results: readonly StepResult[]): Progress {
  return {
    done: results.filter(({ failure }) => !failure).length,
    total: results.length,
    next: results.find(({ failure }) => failure),
  };
}

/** Draws the map of the course: a line for each lesson, and a mark at the one to go on with. */
export function renderMap(course: Course, here: Lesson | undefined, width: number): string[] {
  const count = countSteps(course);
  const heading = pad('WebSocket 101', width - count.length - 1) + count;
  const longest = Math.max(...[...course.values()].map(({ total }) => total), 0);
  const lines = LESSONS.map((lesson) => {
    const progress = course.get(lesson);
    const mark = lesson === here ? '▸' : progress && !progress.next ? '✓' : '·';
    const start = ` ${mark} ${lesson.number}  ${pad(lesson.title, 16)} `;
    if (!progress) return `${start}${style.dim('checking …')}`;
    const { done, total, next } = progress;
    const bar = pad('█'.repeat(done) + '░'.repeat(total - done), longest + 1);
    const line = `${start}${bar} ${done}/${total}`;
    return next ? line : style.green(line);
  });
  return [style.bold(heading), '', ...lines];
}

/** Counts the steps of the course that pass, and all of them; only once all have been checked. */
export function countSteps(course: Course): string {
  if (course.size < LESSONS.length) return '…';
  const sum = (field: 'done' | 'total') =>
    [...course.values()].reduce((total, progress) => total + progress[field], 0);
  return `${sum('done')}/${sum('total')}`;
}

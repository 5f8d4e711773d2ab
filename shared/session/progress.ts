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
  readonly lesson: Lesson;
  /** How many steps hold. */
  readonly done: number;
  readonly total: number;
  /** The first step that does not hold: number and title. `undefined`: they all do. */
  readonly next: { readonly number: number; readonly title: string } | undefined;
}

/** Checks every lesson. */
export function readProgress(): Promise<Progress[]> {
  return Promise.all(LESSONS.map(progressOf));
}

async function progressOf(lesson: Lesson): Promise<Progress> {
  const target: Target = { side: 'lessons', lesson };
  const { steps } = await loadSpec(lesson.name);
  const total = steps.length;
  if (existsSync(join(ROOT, fileOf(target)))) {
    const { results } = await supervise(target);
    if (results.length > 0) return { lesson, total, ...standing(results) };
  }
  return { lesson, total, done: 0, next: { number: 1, title: steps[0]?.title ?? '' } };
}

/** How far a lesson is, by the results of its steps. */
export function standing(results: readonly StepResult[]): Pick<Progress, 'done' | 'next'> {
  return {
    done: results.filter(({ failure }) => !failure).length,
    next: results.find(({ failure }) => failure),
  };
}

/** The lesson to go on with: the first that is not finished. `undefined`: all are. */
export function currentLesson(progress: readonly Progress[]): Progress | undefined {
  return progress.find(({ next }) => next !== undefined);
}

/** Draws the map of the course: a line for each lesson, and a mark at the one to go on with. */
export function renderMap(
  progress: readonly Progress[],
  here: Lesson | undefined,
  width: number,
): string[] {
  const count = `${sum(progress, 'done')}/${sum(progress, 'total')}`;
  const heading = pad('WebSocket 101', width - count.length - 1) + count;
  const longest = Math.max(...progress.map(({ total }) => total));
  const lines = progress.map(({ lesson, done, total, next }) => {
    const mark = lesson === here ? '▸' : next ? '·' : '✓';
    const bar = pad('█'.repeat(done) + '░'.repeat(total - done), longest + 1);
    const line = ` ${mark} ${lesson.number}  ${pad(lesson.title, 16)} ${bar} ${done}/${total}`;
    return next ? line : style.green(line);
  });
  return [style.bold(heading), '', ...lines];
}

/** Adds up the steps of all lessons. */
export function sum(progress: readonly Progress[], field: 'done' | 'total'): number {
  return progress.reduce((total, item) => total + item[field], 0);
}

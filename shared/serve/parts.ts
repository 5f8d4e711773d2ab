/** Whose code is at work: the learner's where its checks pass, and the reference elsewhere. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileOf, LESSONS, type Lesson, ROOT } from '../course/lessons.ts';
import type { Run } from '../harness/record.ts';
import { supervise } from '../harness/supervise.ts';

/** A lesson's part in the server. */
export interface Part {
  /** Of the lesson, such as `02`. */
  readonly number: string;
  readonly title: string;
  /** Is the learner's own file at work, and not the reference? */
  readonly isYours: boolean;
  /** How long the reference is used, such as `until step 4 passes`. Empty: it's not about that. */
  readonly until: string;
}

/** The reference for every lesson. */
export const REFERENCE: readonly Part[] = LESSONS.map(({ number, title }) => {
  return { number, title, isYours: false, until: '' };
});

/** The same, while nobody knows yet what the learner has. */
export const UNCHECKED: readonly Part[] = REFERENCE.map((part) => {
  return { ...part, until: 'until yours is checked' };
});

/** Checks every lesson. Never throws for what a lesson does. */
export async function checkParts(): Promise<Part[]> {
  const side = 'lessons';
  const runs = await Promise.all(LESSONS.map((lesson) => supervise({ side, lesson })));
  const red = LESSONS.filter((_, i) => !passes(runs[i]!)).map(({ number }) => number);
  return LESSONS.map((lesson, i) => {
    const { number, title } = lesson;
    const isYours = !red.includes(number);
    return { number, title, isYours, until: isYours ? '' : until(lesson, runs[i]!, red) };
  });
}

function passes({ broken, results }: Run): boolean {
  return !broken && results.every(({ failure }) => !failure);
}

function until({ needs = [] }: Lesson, { broken, results }: Run, red: readonly string[]): string {
  if (needs.some((number) => red.includes(number))) {
    return `until lessons ${needs[0]} to ${needs.at(-1)} pass`;
  }
  const step = results.find(({ failure }) => failure);
  return broken || !step ? 'until your file can be loaded' : `until step ${step.number} passes`;
}

/** The numbers of the lessons whose part is the learner's. */
export function yoursAmong(parts: readonly Part[]): string[] {
  return parts.filter(({ isYours }) => isYours).map(({ number }) => number);
}

/** The code of the learner that is at work: another text means that a server is out of date. */
export function sourcesOf(parts: readonly Part[]): string {
  const yours = yoursAmong(parts);
  const lessons = LESSONS.filter(({ number }) => yours.includes(number));
  const read = (lesson: Lesson) =>
    readFileSync(join(ROOT, fileOf({ side: 'lessons', lesson })), 'utf8');
  return JSON.stringify(lessons.map((lesson) => [lesson.number, read(lesson)]));
}

/** Whose code is at work: the learner's where its checks pass, and the reference elsewhere. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileOf, LESSONS, type Lesson, neededBy, ROOT } from '../course/lessons.ts';
import { hasSolution } from '../course/solution.ts';
import { supervise } from '../harness/supervise.ts';
import { style } from '../view/style.ts';
import { pad } from '../view/width.ts';

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

/** The lessons that the server consists of: 05, and what that is made of. */
export const SERVED: readonly Lesson[] = LESSONS.filter(({ number }) => number <= '05');

/** What compresses the messages of the server. `undefined`: it's not in this handout. */
export const COMPRESSION: Lesson | undefined = LESSONS.find(({ number }) => number === '07');

/** What serves in the place of lesson 05 when it passes. `undefined`: it's not in this handout. */
export const SPEED: Lesson | undefined = LESSONS.find(({ number }) => number === '08');

/** Every lesson whose code is at work on the page, as far as it's there. */
const SHOWN: readonly Lesson[] = [
  ...SERVED,
  ...[COMPRESSION, SPEED].filter((lesson) => lesson !== undefined),
];

/** Can the reference be used where a lesson does not pass? In a handout, it cannot. */
export const hasReference = SERVED.every(hasSolution);

/** The reference for each lesson of the server. */
export const REFERENCE: readonly Part[] = SERVED.map(referenceOf);

/** The same for every lesson on the page. */
export const SHOWN_REFERENCE: readonly Part[] = SHOWN.filter(canBeReference).map(referenceOf);

/** The same, while nobody knows yet what the learner has. */
export const UNCHECKED: readonly Part[] = SHOWN_REFERENCE.map((part) => {
  return { ...part, until: 'until yours is checked' };
});

function referenceOf({ number, title }: Lesson): Part {
  return { number, title, isYours: false, until: '' };
}

/**
 * Where a handout has no reference for it, the server does without compression. That of lesson 08 is
 * never needed: until the learner's passes, their lesson 05 serves.
 */
function canBeReference(lesson: Lesson): boolean {
  return lesson !== SPEED && (lesson !== COMPRESSION || hasSolution(lesson));
}

/** The lessons whose checks decide what is on the page: those, and what they are made of. */
export const CHECKED: readonly Lesson[] = LESSONS.filter((lesson) =>
  SHOWN.some((shown) => shown === lesson || neededBy(shown).includes(lesson)),
);

/** Checks the lessons. Returns the parts that are on the page. */
export async function checkShown(): Promise<Part[]> {
  const parts = await checkParts(CHECKED);
  return parts.filter((part) => {
    const lesson = SHOWN.find(({ number }) => number === part.number);
    return lesson !== undefined && (part.isYours || canBeReference(lesson));
  });
}

/**
 * Checks lessons; one that is made of others only when these pass, since its own check would run
 * theirs again. Never throws for what a lesson does.
 */
export async function checkParts(lessons: readonly Lesson[]): Promise<Part[]> {
  const untils = new Map<string, string>();
  const check = async (lesson: Lesson) => untils.set(lesson.number, await untilOf(lesson));
  await Promise.all(lessons.filter(({ needs }) => !needs).map(check));
  for (const lesson of lessons) {
    const { needs = [] } = lesson;
    if (untils.has(lesson.number)) continue;
    if (needs.every((number) => untils.get(number) === '')) await check(lesson);
    else untils.set(lesson.number, `until lessons ${needs[0]} to ${needs.at(-1)} pass`);
  }
  return lessons.map(({ number, title }) => {
    const until = untils.get(number) ?? '';
    return { number, title, isYours: until === '', until };
  });
}

/** Checks a lesson. Says how long the reference is used for it; empty when it passes. */
async function untilOf(lesson: Lesson): Promise<string> {
  const { broken, results } = await supervise({ side: 'lessons', lesson });
  const step = results.find(({ failure }) => failure);
  if (!broken && !step) return '';
  return step && !broken ? `until step ${step.number} passes` : 'until your file can be loaded';
}

/** Writes whose code is at work for a lesson, and how long. */
export function renderPart({ number, title, isYours, until }: Part): string {
  const other = hasReference ? 'reference' : 'your last that passed,';
  const whose = isYours ? style.green('yours') : `${other} ${until}`.trimEnd();
  return `  ${number}  ${pad(title, 16)} ${whose}`;
}

/** The numbers of the lessons whose part is the learner's. */
export function yoursAmong(parts: readonly Part[]): string[] {
  return parts.filter(({ isYours }) => isYours).map(({ number }) => number);
}

/** The code of the learner that is at work: another text means that a server is out of date. */
export function sourcesOf(parts: readonly Part[]): string {
  const yours = yoursAmong(parts);
  // What is the learner's stands on nothing else.
  const lessons = LESSONS.filter(({ number }) => yours.includes(number)).flatMap((lesson) => [
    ...neededBy(lesson),
    lesson,
  ]);
  const read = (lesson: Lesson) =>
    readFileSync(join(ROOT, fileOf({ side: 'lessons', lesson })), 'utf8');
  return JSON.stringify(lessons.map((lesson) => [lesson.number, read(lesson)]));
}

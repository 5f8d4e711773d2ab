/** Lessons made of the learner's lessons and of the reference. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  fileOf,
  findTarget,
  importTarget,
  LESSONS,
  type Lesson,
  ROOT,
  type Target,
} from '../course/lessons.ts';
import { hasSolution } from '../course/solution.ts';
import { toJavaScript } from '../process/translate.mjs';
import { COMPRESSION } from './parts.ts';
import type { Lesson05, Lesson07 } from './server.ts';

/** The path of what a module imports of the project. */
const IMPORTED = /(?<=^import .* from )"(\..*)"/gm;

/**
 * Loads the server of lesson 05, made as `loadMixed` makes it. Rejects with what a file throws, and
 * when it has no such server.
 */
export async function loadServer(yours: readonly string[]): Promise<Lesson05> {
  const module: Partial<Lesson05> = await loadMixed('05', yours);
  if (typeof module.WebSocketServer === 'function') return module as Lesson05;
  const side = yours.includes('05') ? 'lessons' : 'solutions';
  const file = fileOf(findTarget(`${side}/05`));
  throw new TypeError(`${file} has no WebSocketServer. Lesson 05, step 10 is about it.`);
}

/**
 * Loads what compresses, made as `loadMixed` makes it. `undefined`: there is no such lesson here.
 * Rejects with what a file throws.
 */
export async function loadCompression(yours: readonly string[]): Promise<Lesson07 | undefined> {
  if (COMPRESSION === undefined) return undefined;
  const { number } = COMPRESSION;
  if (!yours.includes(number) && !hasSolution(COMPRESSION)) return undefined;
  return (await loadMixed(number, yours)) as Lesson07;
}

/**
 * Loads a lesson that is made of others, such as `05`. `yours` has the numbers of the lessons that
 * are the learner's. If this is one of them, all those that it needs are: it passes only when they
 * do. Rejects with what a file throws.
 */
export async function loadMixed(number: string, yours: readonly string[]): Promise<object> {
  if (yours.includes(number)) return importTarget(findTarget(`lessons/${number}`));
  const target = findTarget(`solutions/${number}`);
  const url = mixedUrl(target.lesson, yours);
  return url === urlOf(target) ? importTarget(target) : import(url);
}

/** Where a lesson is: the learner's, the reference, or a reference that stands on the learner's. */
function mixedUrl(lesson: Lesson, yours: readonly string[]): string {
  if (yours.includes(lesson.number)) return urlOf({ side: 'lessons', lesson });
  const target: Target = { side: 'solutions', lesson };
  const { needs = [] } = lesson;
  if (!needs.some((other) => yours.includes(other))) return urlOf(target);
  return `data:text/javascript,${encodeURIComponent(referenceOn(target, yours))}`;
}

/** The reference of a lesson as JavaScript, with imports that lead to the learner's files. */
function referenceOn(target: Target, yours: readonly string[]): string {
  const source = readFileSync(join(ROOT, fileOf(target)), 'utf8');
  const needed = LESSONS.filter(({ number }) => target.lesson.needs?.includes(number));
  const replaced = new Map(
    needed.map((lesson) => [urlOf({ side: 'solutions', lesson }), mixedUrl(lesson, yours)]),
  );
  return toJavaScript(fileOf(target), source).replace(IMPORTED, (_, path: string) => {
    const { href } = new URL(path, urlOf(target));
    return JSON.stringify(replaced.get(href) ?? href);
  });
}

function urlOf(target: Target): string {
  return pathToFileURL(join(ROOT, fileOf(target))).href;
}

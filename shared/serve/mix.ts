/** Lessons made of the learner's lessons and of the reference. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { fileOf, findTarget, importTarget, LESSONS, ROOT, type Target } from '../course/lessons.ts';
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
 * Loads what compresses: the learner's, or else the reference with nothing of the learner's in it,
 * as their files can lack what it needs of them. `undefined`: there is none here. Rejects with what
 * a file throws.
 */
export async function loadCompression(yours: readonly string[]): Promise<Lesson07 | undefined> {
  if (COMPRESSION === undefined) return undefined;
  const isYours = yours.includes(COMPRESSION.number);
  if (!isYours && !hasSolution(COMPRESSION)) return undefined;
  const side = isYours ? 'lessons' : 'solutions';
  return (await importTarget({ side, lesson: COMPRESSION })) as Lesson07;
}

/**
 * Loads a lesson that is made of others, such as `05`. `yours` has the numbers of the lessons that
 * are the learner's. If this is one of them, all those that it needs are: it passes only when they
 * do. Rejects with what a file throws.
 */
export async function loadMixed(number: string, yours: readonly string[]): Promise<object> {
  if (yours.includes(number)) return importTarget(findTarget(`lessons/${number}`));
  const target = findTarget(`solutions/${number}`);
  const { needs = [] } = target.lesson;
  if (!needs.some((other) => yours.includes(other))) return importTarget(target);
  return import(`data:text/javascript,${encodeURIComponent(referenceOn(target, yours))}`);
}

/** The reference of a lesson as JavaScript, with imports that lead to the learner's files. */
function referenceOn(target: Target, yours: readonly string[]): string {
  const source = readFileSync(join(ROOT, fileOf(target)), 'utf8');
  const replaced = new Map(
    LESSONS.filter(({ number }) => yours.includes(number)).map((lesson) => [
      urlOf({ side: 'solutions', lesson }),
      urlOf({ side: 'lessons', lesson }),
    ]),
  );
  return toJavaScript(fileOf(target), source).replace(IMPORTED, (_, path: string) => {
    const { href } = new URL(path, urlOf(target));
    return JSON.stringify(replaced.get(href) ?? href);
  });
}

function urlOf(target: Target): string {
  return pathToFileURL(join(ROOT, fileOf(target))).href;
}

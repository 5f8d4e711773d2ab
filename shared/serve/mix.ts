/** Lessons made of the learner's lessons and of the reference. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as Compression from '../../solutions/07-compression/compression.ts';
import { fileOf, findTarget, importTarget, LESSONS, ROOT, type Target } from '../course/lessons.ts';
import { hasSolution } from '../course/solution.ts';
import { toJavaScript } from '../process/translate.mjs';
import { COMPRESSION, SPEED } from './parts.ts';
import type { Lesson05, Lesson07 } from './server.ts';

/** The path of what a module imports of the project. */
const IMPORTED = /(?<=^import .* from )"(\..*)"/gm;

/**
 * Loads the server of lesson 05, made as `loadMixed` makes it, or the learner's of lesson 08. Rejects
 * with what a file throws, and when it has no such server.
 */
export async function loadServer(yours: readonly string[]): Promise<Lesson05> {
  const number = isFast(yours) ? '08' : '05';
  const module: Partial<Lesson05> = await loadMixed(number, yours);
  if (typeof module.WebSocketServer === 'function') return module as Lesson05;
  const side = yours.includes(number) ? 'lessons' : 'solutions';
  const file = fileOf(findTarget(`${side}/${number}`));
  const step = number === '05' ? 10 : 8;
  throw new TypeError(
    `${file} has no WebSocketServer. Lesson ${number}, step ${step} is about it.`,
  );
}

/** Is the learner's lesson 08 at work? The reference never is. */
function isFast(yours: readonly string[]): boolean {
  return SPEED !== undefined && yours.includes(SPEED.number);
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
  const lesson = (await importTarget({ side, lesson: COMPRESSION })) as typeof Compression;
  return isYours && isFast(yours) ? compressingWith(lesson, await loadServer(yours)) : lesson;
}

/** Makes the server of lesson 08 compress, as lesson 07 does that of lesson 05. */
function compressingWith(
  { agreeOnDeflate }: typeof Compression,
  { WebSocketServer }: Lesson05,
): Lesson07 {
  const compressingServer: Lesson07['compressingServer'] = (handle, options) =>
    new WebSocketServer(handle, { ...options, extend: agreeOnDeflate });
  return { compressingServer };
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

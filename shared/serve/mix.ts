/** A server made of the learner's lessons and of the reference. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { fileOf, findTarget, importTarget, LESSONS, ROOT, type Target } from '../course/lessons.ts';
import { toJavaScript } from '../process/translate.mjs';
import type { Lesson05 } from './server.ts';

/** The path of what a module imports of the project. */
const IMPORTED = /(?<=^import .* from )"(\..*)"/gm;

/**
 * Loads the server of lesson 05. `yours` has the numbers of the lessons that are the learner's. If
 * 05 is one of them, all are: it passes only when those that it's made of do.
 *
 * Rejects with what a file throws, and when it has no such server.
 */
export async function loadServer(yours: readonly string[]): Promise<Lesson05> {
  const target = findTarget(yours.includes('05') ? 'lessons/05' : 'solutions/05');
  const isMixed = target.side === 'solutions' && yours.length > 0;
  const module: Partial<Lesson05> = isMixed
    ? await import(`data:text/javascript,${encodeURIComponent(referenceOn(yours))}`)
    : await importTarget(target);
  if (typeof module.WebSocketServer === 'function') return module as Lesson05;
  throw new TypeError(`${fileOf(target)} has no WebSocketServer. Lesson 05, step 10 is about it.`);
}

/** The reference of lesson 05 as JavaScript, with imports that lead to the learner's files. */
function referenceOn(yours: readonly string[]): string {
  const file = fileOf(findTarget('solutions/05'));
  const source = readFileSync(join(ROOT, file), 'utf8');
  const replaced = new Map(
    LESSONS.filter(({ number }) => yours.includes(number)).map((lesson) => [
      urlOf({ side: 'solutions', lesson }),
      urlOf({ side: 'lessons', lesson }),
    ]),
  );
  return toJavaScript(file, source).replace(IMPORTED, (_, path: string) => {
    const { href } = new URL(path, urlOf(findTarget('solutions/05')));
    return JSON.stringify(replaced.get(href) ?? href);
  });
}

function urlOf(target: Target): string {
  return pathToFileURL(join(ROOT, fileOf(target))).href;
}

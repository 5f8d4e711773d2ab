/** What code that is graded may refer to, and what is named instead of run. */
import { posix } from 'node:path';
import type { Lesson } from '../course/lessons.ts';
import { fileOf, neededBy } from '../course/lessons.ts';
import { printable } from '../view/printable.ts';
import { FOR_LESSONS } from './course.ts';
import { type Mention, readSource } from './source.ts';

/** Modules of Node that a program can reach nothing outside of itself with. */
const HARMLESS = new Set(
  'assert buffer crypto events stream string_decoder timers timers/promises url util zlib'.split(
    ' ',
  ),
);
/** What the stub of a lesson with sockets names besides. */
const OF_SOCKETS = new Set(['dns', 'dns/promises', 'http', 'net', 'tls']);
/**
 * A path that leads elsewhere than it seems, since a loader takes it for a URL: there, `%2e` is a dot,
 * `\` a slash, and a tab nothing. Or to CommonJS, which has `require` by more names than can be seen.
 */
const DISGUISED = /[%\\?#\p{Cc}]|\.c[jt]s$/u;

/** Something that a file refers to and is not meant to. */
export interface Foreign extends Mention {
  /** Such as `lessons/02-reading-frames/reading.ts`. */
  readonly file: string;
}

/**
 * Lists what a file of a lesson refers to and may not: each by the name that allows it. What is
 * imported from the folder of the lesson itself is there, or cannot be loaded.
 */
export function foreignIn(
  file: string,
  text: string,
  lesson: Lesson,
  allowed: readonly string[],
): Foreign[] {
  const { imports, uses } = readSource(text);
  const known = new Set([
    ...FOR_LESSONS,
    ...neededBy(lesson).map((lesson) => fileOf({ side: 'lessons', lesson })),
  ]);
  const isFine = (name: string) => {
    if (name.startsWith('.')) {
      const path = posix.join(posix.dirname(file), name);
      const isBeside = path.startsWith(`lessons/${lesson.name}/`);
      return known.has(path) || (isBeside && !DISGUISED.test(name));
    }
    const module = name.replace(/^node:/, '');
    return HARMLESS.has(module) || (lesson.needs !== undefined && OF_SOCKETS.has(module));
  };
  const found = [...imports.filter(({ name }) => !isFine(name)), ...uses];
  return found
    .map(({ name, line }) => ({ file, line, name: nameFor(name, file) }))
    .filter(({ name }) => !allowed.includes(name))
    .sort((a, b) => a.line - b.line);
}

/** A path is named as it is from the root of the project, the same from everywhere. */
function nameFor(name: string, file: string): string {
  return printable(name.startsWith('.') ? posix.join(posix.dirname(file), name) : name);
}

/** The lessons there are, and how to find one. */
import { existsSync, realpathSync, statSync } from 'node:fs';
import { extname, isAbsolute, join, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** The project's folder. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A lesson as the course knows it. */
export interface Lesson {
  /** Two digits, such as `02`. */
  readonly number: string;
  /** Name of its folder in `lessons` and `solutions`, such as `02-reading-frames`. */
  readonly name: string;
  readonly title: string;
  /** The file that the learner fills in, such as `reading.ts`. */
  readonly file: string;
  /** What somebody can do who has done it. */
  readonly gain: string;
  /** The numbers of the lessons whose files it imports. Absent: it stands alone. */
  readonly needs?: readonly string[];
  /** The command that shows it at work. Absent: the page of `npm run serve` does. */
  readonly command?: string;
}

/** Every lesson of the course, in order. */
const COURSE: readonly Lesson[] = [
  {
    number: '01',
    name: '01-handshake',
    title: 'Handshake',
    file: 'handshake.ts',
    gain: 'You can turn an HTTP request into a WebSocket, and say no to a bad one.',
  },
  {
    number: '02',
    name: '02-reading-frames',
    title: 'Reading frames',
    file: 'reading.ts',
    gain: 'You can read whatever a client sends: long, in pieces, or broken on purpose.',
  },
  {
    number: '03',
    name: '03-sending-frames',
    title: 'Sending frames',
    file: 'sending.ts',
    gain: 'You can write frames that no peer can complain about.',
  },
  {
    number: '04',
    name: '04-closing',
    title: 'Closing',
    file: 'closing.ts',
    gain: 'You can end a connection so that both sides know why.',
  },
  {
    number: '05',
    name: '05-server',
    title: 'The server',
    file: 'server.ts',
    gain: 'A real browser talks to what you have built.',
    needs: ['01', '02', '03', '04'],
  },
  {
    number: '06',
    name: '06-client',
    title: 'The client',
    file: 'client.ts',
    gain: 'Your own code drives a real browser and a real debugger.',
    needs: ['01', '02', '03', '04'],
    command: 'npm run drive',
  },
  {
    number: '07',
    name: '07-compression',
    title: 'Compression',
    file: 'compression.ts',
    gain: 'Your messages are a fraction of their size, and you know when they should not be.',
    needs: ['01', '02', '03', '05', '06'],
  },
  {
    number: '08',
    name: '08-speed',
    title: 'Speed',
    file: 'speed.ts',
    gain: 'Your server copies what it must and no more, and you know what each copy costs.',
    needs: ['02', '03', '05'],
    command: 'npm run bench',
  },
  {
    number: '09',
    name: '09-production',
    title: 'In production',
    file: 'production.ts',
    gain: 'Your server survives floods, proxies and deploys, and no message is lost.',
    needs: ['01', '05'],
    command: 'npm run cluster',
  },
];

/** Those whose checks are here, in order: a handout may have some of them. */
export const LESSONS: readonly Lesson[] = COURSE.filter(({ name }) =>
  existsSync(join(ROOT, `test/specs/${name}`)),
);

/** Finds the lessons whose files this one imports, and those that they import, in order. */
export function neededBy({ needs = [] }: Lesson): Lesson[] {
  const direct = LESSONS.filter(({ number }) => needs.includes(number));
  const all = new Set(direct.flatMap((lesson) => [...neededBy(lesson), lesson]));
  return LESSONS.filter((lesson) => all.has(lesson));
}

/** Whose code it is: the learner's, or the reference. */
export type Side = 'lessons' | 'solutions';

/** A lesson's code on one side: what a command works on. */
export interface Target {
  readonly side: Side;
  readonly lesson: Lesson;
}

/** The command was called with something that it cannot work with. Its message is for people. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** What the name of a module ends with: in a copy without types, that is `.js`. */
export const EXTENSION = extname(fileURLToPath(import.meta.url));

/** Where somebody has typed a command: npm itself goes to the project's folder. */
export const STARTED_IN = process.env.INIT_CWD ?? process.cwd();

/**
 * Finds the code that `02`, `2`, `lessons/02`, `solutions/2`, `02-reading-frames`, `Reading` or
 * `reading.ts` means, or a path from `folder`, such as `.`. A number is exact, and a word is a
 * whole one of a lesson's name.
 *
 * Throws `UsageError` when there is no such lesson, or more than one.
 */
export function findTarget(argument: string, lessons = LESSONS, folder = STARTED_IN): Target {
  const [, side = 'lessons', word = ''] =
    /^(?:(lessons|solutions)\/)?([^/]*)(?:\/[^/]*)?$/.exec(fromRoot(argument, folder)) ?? [];
  const matches = lessons.filter((lesson) => isCalled(lesson, word.toLowerCase()));
  const [lesson, ...others] = matches;
  if (lesson === undefined) {
    throw new UsageError(`There is no lesson ${JSON.stringify(argument)}; ${listing(lessons)}`);
  }
  if (others.length > 0) {
    throw new UsageError(
      `${JSON.stringify(argument)} fits more than one lesson; ${listing(matches)}`,
    );
  }
  return { side: side as Side, lesson };
}

/**
 * Finds the lessons of a list such as `02`, `01-03` or `01,03-04`, in order. Throws `UsageError` for
 * one that is none, and for a range that goes backwards.
 */
export function findLessons(list: string): Lesson[] {
  const named = new Set(list.split(',').flatMap((part) => findRange(part.trim())));
  return LESSONS.filter((lesson) => named.has(lesson));
}

function findRange(range: string): readonly Lesson[] {
  const [, first, last] = /^(\d+) *- *(\d+)$/.exec(range) ?? [];
  if (first === undefined || last === undefined) return [findTarget(range).lesson];
  const [from = 0, to = 0] = [first, last].map((it) => LESSONS.indexOf(findTarget(it).lesson));
  if (from <= to) return LESSONS.slice(from, to + 1);
  throw new UsageError(`The list goes backwards: ${range}. Write ${last}-${first}`);
}

/** Finds whose lessons `lessons` or `solutions` means as a whole. `undefined`: it is neither. */
export function findSide(argument: string, folder = STARTED_IN): Side | undefined {
  return /^(lessons|solutions)$/.exec(fromRoot(argument, folder))?.[0] as Side | undefined;
}

function isCalled({ number, name, title, file }: Lesson, word: string): boolean {
  if (/^\d+$/.test(word)) return Number(number) === Number(word);
  const words = word.replaceAll(' ', '-');
  return (
    [file, title.toLowerCase()].includes(word) ||
    (word !== '' && `-${name}-`.includes(`-${words}-`))
  );
}

/** Writes a path as it is from the project's folder, with `/` on every system; a word stays. */
function fromRoot(argument: string, folder: string): string {
  const typed = argument.replaceAll('\\', '/');
  const path = typed.replace(/^\.\//, '').replace(/\/+$/, '');
  const isPath = /^\.{1,2}\/*$|\//.test(typed) || isAbsolute(argument);
  if (!isPath || /^(lessons|solutions)(\/|$)/.test(path)) return path;
  const place = resolve(folder, typed);
  return relative(ROOT, existsSync(place) ? realpathSync(place) : place).replaceAll('\\', '/');
}

function listing(lessons: readonly Lesson[]): string {
  return `name one of ${lessons.map(({ name }) => name).join(', ')}.`;
}

/** The path of a target's file from the project's folder, with `/` on every system. */
export function fileOf({ side, lesson }: Target): string {
  return `${side}/${lesson.name}/${lesson.file}`;
}

/** Loads a target's code. Rejects with whatever the file throws, and when it does not parse. */
export async function importTarget(target: Target): Promise<object> {
  const file = join(ROOT, fileOf(target).replace(/\.ts$/, EXTENSION));
  // A pipe would be read without end.
  const isOther = statSync(file, { throwIfNoEntry: false })?.isFile() === false;
  if (isOther) throw new UsageError(`${fileOf(target)} is not a file.`);
  return import(pathToFileURL(file).href);
}

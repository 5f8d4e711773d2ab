/** The lessons there are, and how to find one. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

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
}

/** Every lesson, in order. */
export const LESSONS: readonly Lesson[] = [
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
];

/** Where code can stand: the learner's, or the reference. */
export type Side = 'lessons' | 'solutions';

/** A lesson's code on one side: what a command works on. */
export interface Target {
  readonly side: Side;
  readonly lesson: Lesson;
}

/** The project's folder. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The command was called with something that it cannot work with. Its message is for people. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/**
 * Finds the code that `02`, `2`, `lessons/02`, `solutions/2`, `02-reading-frames` or `reading`
 * means. A number is exact; other words may be any part of a folder's name.
 *
 * Throws `UsageError` when there is no such lesson, or more than one.
 */
export function findTarget(argument: string, lessons = LESSONS): Target {
  const path = argument.replaceAll('\\', '/').replace(/^\.\//, '').replace(/\/+$/, '');
  const [, side = 'lessons', word = ''] =
    /^(?:(lessons|solutions)\/)?([^/]*)(?:\/[^/]*)?$/.exec(path) ?? [];
  const matches = lessons.filter(({ number, name }) =>
    /^\d+$/.test(word) ? Number(number) === Number(word) : name === word || name.includes(word),
  );
  const exact = matches.filter(({ name }) => name === word);
  const [lesson, ...others] = exact.length > 0 ? exact : matches;
  if (word === '' || lesson === undefined) {
    throw new UsageError(`There is no lesson ${JSON.stringify(argument)}; ${listing(lessons)}`);
  }
  if (others.length > 0) {
    throw new UsageError(
      `${JSON.stringify(argument)} fits more than one lesson; ${listing(matches)}`,
    );
  }
  return { side: side as Side, lesson };
}

function listing(lessons: readonly Lesson[]): string {
  return `name one of ${lessons.map(({ name }) => name).join(', ')}.`;
}

/** The path of a target's file from the project's folder, with `/` on every system. */
export function fileOf({ side, lesson }: Target): string {
  return `${side}/${lesson.name}/${lesson.file}`;
}

/** Loads a target's code. Rejects with whatever the file throws, and when it does not parse. */
export function importTarget(target: Target): Promise<object> {
  return import(pathToFileURL(join(ROOT, fileOf(target))).href);
}

/** Makes sure that a target's file is there. Throws `UsageError` that says how to get it back. */
export function requireFile(target: Target): void {
  if (existsSync(join(ROOT, fileOf(target)))) return;
  const remedy =
    target.side === 'lessons'
      ? `Get a fresh one: npm run reset ${target.lesson.number}`
      : `Get it back: git checkout ${fileOf(target)}`;
  throw new UsageError(`${fileOf(target)} is missing. ${remedy}`);
}

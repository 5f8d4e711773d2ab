/** The files of the course: what is said when one is not there, or cannot be read or written. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fileOf, ROOT, type Target, UsageError } from './lessons.ts';

/** What the system says no with, in words. */
const FAULTS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the disk is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk is full',
  EISDIR: 'a folder is in the way',
};

/** Reads a text of the course, such as a README. Throws `UsageError` when it is not there. */
export function readText(path: string): string {
  requireRegular(path, howToRestore(path));
  return readFileSync(join(ROOT, path), 'utf8');
}

/** Makes sure that a target's file is there. Throws `UsageError` that says how to get it back. */
export function requireFile(target: Target): void {
  const path = fileOf(target);
  const isOurs = target.side === 'solutions';
  const remedy = `Get a fresh one: npm run reset ${target.lesson.number}`;
  requireRegular(path, isOurs ? howToRestore(path) : remedy);
}

/** A folder cannot be read as a file, and a pipe would be waited for without end. */
function requireRegular(path: string, remedy: string): void {
  const stat = statSync(join(ROOT, path), { throwIfNoEntry: false });
  if (stat?.isFile()) return;
  const what =
    stat === undefined ? 'is missing' : stat.isDirectory() ? 'is a folder' : 'is not a file';
  throw new UsageError(`${path} ${what}. ${remedy}`);
}

/** Says how to get a file of the course back. */
export function howToRestore(path: string): string {
  let folder = ROOT;
  while (!existsSync(join(folder, '.git'))) {
    const parent = dirname(folder);
    if (parent === folder) return 'Get it back from a fresh copy of the course.';
    folder = parent;
  }
  return `Get it back: git checkout -- ${path}`;
}

/** Says in words what the system did not do. `undefined`: it is nothing that a person can fix. */
export function sayFault(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? FAULTS[String(error.code)] : undefined;
}

/**
 * Turns what was thrown into something for the person at the terminal: a file of the course that
 * is not there, or a system that says no. `undefined`: it is our own fault.
 */
export function toUsageError(error: unknown): UsageError | undefined {
  if (error instanceof UsageError) return error;
  const { code, url, path } = Object(error) as { code?: string; url?: string; path?: string };
  const place = url ? fileURLToPath(url) : path;
  const file = place && relative(ROOT, place).replaceAll('\\', '/');
  const isMissing = code === 'ERR_MODULE_NOT_FOUND' || code === 'ENOENT';
  if (isMissing && file && !file.startsWith('..')) {
    return new UsageError(`${file} is missing. ${howToRestore(file)}`);
  }
  const fault = sayFault(error);
  return fault ? new UsageError(`${file ?? 'A file cannot be written'}: ${fault}.`) : undefined;
}

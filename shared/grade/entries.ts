/** Reads what was handed in: files, folders and zips, so that nothing in them does harm. */
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join, posix } from 'node:path';
import { type UnzipFileInfo, unzipSync } from 'fflate';
import { UsageError } from '../course/lessons.ts';
import { areReadable } from './readable.ts';

/** Something that was handed in. */
export interface Entry {
  /** With `/` on every system. A folder that has nothing in it ends with one. */
  readonly path: string;
  /** `undefined`: it is no code, or a link, or a zip that is not opened, or too large or too deep. */
  readonly bytes: Uint8Array | undefined;
}

/** The largest file that is read, in bytes. A lesson has a hundredth of that. */
const MAX_BYTES = 2 ** 20;
/** How much may come out of one zip, in bytes. */
const MAX_ZIP_BYTES = 2 ** 26;
/** The largest zip that is opened, in bytes. */
const MAX_ZIP_FILE_BYTES = 2 ** 29;
/** How many files one PATH may have, and one zip in it. */
const MAX_FILES = 20_000;
const MAX_INNER_FILES = 1000;
/** What is not looked into. */
const SKIPPED = /^(node_modules|\..*|__MACOSX)$/;
/** What a clone has beside the lessons. */
const OURS = /^(solutions|shared|test)$/;

/** Tells whether a file has code that may belong to a lesson. */
export const isCode = (path: string) =>
  /^(?!\.).*(?<!\.(?:test|d))\.[mc]?[jt]s$/.test(path.slice(path.lastIndexOf('/') + 1));

/** Tells whether a file is a zip, by its name. */
export const isZip = (path: string) => /\.zip$/i.test(path);

/** Reads all that is at these paths. Throws `UsageError` for one that is not there. */
export function readPaths(paths: readonly { typed: string; path: string }[]): Entry[][] {
  return withoutHarm(paths.map(({ typed, path }) => inOrder(readPath(typed, path))));
}

function readPath(typed: string, path: string): Entry[] {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (!stat) throw new UsageError(`There is no ${JSON.stringify(typed)}.`);
  if (stat.isDirectory()) return readFolder(path);
  return readFile(path, basename(path), '');
}

/** Sorts by path, and leaves out the folders that have something in them: that follows them. */
function inOrder(entries: readonly Entry[]): Entry[] {
  return entries
    .toSorted((a, b) => (a.path < b.path ? -1 : 1))
    .filter(({ path }, i, all) => !path.endsWith('/') || !all[i + 1]?.path.startsWith(path));
}

/** The same files, without the bytes of those that nobody can read without harm. */
function withoutHarm(all: readonly (readonly Entry[])[]): Entry[][] {
  const read = all.flat().filter(({ bytes }) => bytes);
  const verdicts = areReadable(read.map(({ bytes }) => Buffer.from(bytes ?? []).toString('utf8')));
  const harmful = new Set(read.filter((_, i) => !verdicts[i]));
  return all.map((entries) =>
    entries.map((entry) => (harmful.has(entry) ? { ...entry, bytes: undefined } : entry)),
  );
}

/** Reads what a folder has. */
function readFolder(folder: string): Entry[] {
  const entries: Entry[] = [];
  const visit = (place: string) => {
    entries.push({ path: `${place}/`, bytes: undefined });
    const all = readdirSync(join(folder, place), { withFileTypes: true });
    const isClone = all.some(({ name }) => name === 'lessons');
    for (const entry of all) {
      const path = posix.join(place, entry.name);
      if (SKIPPED.test(entry.name) || (isClone && OURS.test(entry.name))) continue;
      if (entry.isDirectory()) visit(path);
      else entries.push(...readFile(join(folder, path), path));
      if (entries.length > MAX_FILES) {
        throw new UsageError(`${folder} has more than ${MAX_FILES} files.`);
      }
    }
  };
  visit('');
  return entries.length > 1 ? entries.slice(1) : entries;
}

/** Reads a file, or what is in it. A link is not followed: it may lead anywhere. */
function readFile(file: string, path: string, folder = path.slice(0, -4)): Entry[] {
  const stat = lstatSync(file);
  const isOpened = stat.isFile() && stat.size <= (isZip(path) ? MAX_ZIP_FILE_BYTES : MAX_BYTES);
  if (isOpened && isZip(path)) return readZip(readFileSync(file), path, folder);
  return [{ path, bytes: isOpened && isCode(path) ? readFileSync(file) : undefined }];
}

/** Reads a zip as if it was a folder. Of a damaged one, nothing but its name. */
function readZip(zip: Uint8Array, path: string, folder: string): Entry[] {
  const isWhole = folder === '';
  const names = new Set<string>();
  let total = 0;
  let left = isWhole ? MAX_FILES : MAX_INNER_FILES;
  const isWanted = ({ name, originalSize }: UnzipFileInfo) => {
    if (name.split('/').some((part) => SKIPPED.test(part))) return false;
    if (names.size >= MAX_FILES || ((isCode(name) || isZip(name)) && left-- <= 0)) return false;
    names.add(name);
    if (!isCode(name) || originalSize > MAX_BYTES) return false;
    total += originalSize;
    return total <= MAX_ZIP_BYTES;
  };
  try {
    const files = new Map(Object.entries(unzipSync(zip, { filter: isWanted })));
    const entries = Array.from(names, (name) => {
      const inner = posix.join(folder, name);
      // Somebody's zip in that of a class. What is in theirs is not opened, so that it has an end.
      if (isWhole && isZip(name)) return readInner(zip, name);
      return [{ path: inner, bytes: files.get(name) }];
    });
    return entries.length > 0 ? entries.flat() : [{ path: `${folder}/`, bytes: undefined }];
  } catch {
    return [{ path, bytes: undefined }];
  }
}

/** Reads a zip that is in a zip. */
function readInner(zip: Uint8Array, path: string): Entry[] {
  const isThis = (it: UnzipFileInfo) => it.name === path && it.originalSize <= MAX_ZIP_BYTES;
  const inner = unzipSync(zip, { filter: isThis })[path];
  return inner ? readZip(inner, path, path.slice(0, -4)) : [{ path, bytes: undefined }];
}

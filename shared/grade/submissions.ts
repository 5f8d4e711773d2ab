/** What was handed in: whose it is, and which lessons it has. */
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join, posix, resolve } from 'node:path';
import { type UnzipFileInfo, unzipSync } from 'fflate';
import { fileOf, LESSONS, type Lesson, ROOT, UsageError } from '../course/lessons.ts';
import { printable } from '../view/printable.ts';
import type { Files } from './check.ts';
import { areReadable } from './readable.ts';
import { readSource } from './source.ts';

/** A file that was handed in. */
export interface Entry {
  /** With `/` on every system. */
  readonly path: string;
  /** `undefined`: it is a link, or too large or too deep to be read. */
  readonly bytes: Uint8Array | undefined;
}

/** What was handed in for a lesson. */
export interface Work {
  readonly lesson: Lesson;
  /** Where the lesson's file was found. */
  readonly path: string;
  /** That file, and those beside it that it imports, by their paths in the course. */
  readonly files: Files;
}

/** What one student has handed in. */
export interface Submission {
  readonly name: string;
  readonly works: readonly Work[];
  /** What could not be read, in sentences. */
  readonly problems: readonly string[];
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
/** A file with code that may belong to a lesson. */
const CODE = /^(?!\.).*(?<!\.(?:test|d))\.[mc]?[jt]s$/;

/**
 * Finds who has handed in what, in the order of the paths. When only one lesson is `asked` for, a lone
 * file is of that one, whatever is in it. Throws `UsageError` for a path that is not there.
 */
export function findSubmissions(
  paths: readonly string[],
  from: string,
  asked: readonly Lesson[] = [],
): Submission[] {
  const [only, ...more] = asked;
  const meant = more.length === 0 ? only : undefined;
  const entries = withoutHarm(paths.map((typed) => readPath(typed, resolve(from, typed))));
  const submissions = paths.flatMap((typed, i) => {
    const path = resolve(from, typed);
    const own = entries[i] ?? [];
    const name = basename(path).replace(/\.\w+$/, '');
    const stat = lstatSync(path);
    if (stat.isDirectory()) return found(group(own, basename(path), meant), typed);
    if (isZip(path) && stat.isFile()) return found(group(own, name, meant), typed);
    return found([studentOf(name, own, meant)], posix.dirname(typed));
  });
  return withOwnNames(submissions);
}

/** Reads all that is at a path. */
function readPath(typed: string, path: string): Entry[] {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (!stat) throw new UsageError(`There is no ${JSON.stringify(typed)}.`);
  if (stat.isDirectory()) return readFolder(path);
  return isZip(path) && stat.isFile() ? readZip(path, '') : readFile(path, basename(path));
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

/** Names files as they are from where the command was called. */
function found(submissions: readonly Submission[], place: string): Submission[] {
  return submissions.map((submission) => {
    const works = submission.works.map((work) => ({ ...work, path: posix.join(place, work.path) }));
    return { ...submission, works };
  });
}

/** Reads what a folder has. */
function readFolder(folder: string): Entry[] {
  const entries: Entry[] = [];
  const visit = (place: string) => {
    const all = readdirSync(join(folder, place), { withFileTypes: true });
    const isClone = all.some(({ name }) => name === 'lessons');
    for (const entry of all) {
      const path = posix.join(place, entry.name);
      if (SKIPPED.test(entry.name) || (isClone && OURS.test(entry.name))) continue;
      if (entry.isDirectory()) visit(path);
      else if (CODE.test(entry.name) || isZip(entry.name)) {
        entries.push(...readFile(join(folder, path), path));
      }
      // Somebody who has handed in something else is still somebody.
      else if (place !== '') entries.push({ path, bytes: undefined });
      if (entries.length > MAX_FILES) {
        throw new UsageError(`${folder} has more than ${MAX_FILES} files.`);
      }
    }
  };
  visit('');
  return entries.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Reads a file, or what is in it. A link is not followed: it may lead anywhere. */
function readFile(file: string, path: string): Entry[] {
  const stat = lstatSync(file);
  if (stat.isFile() && isZip(path)) return readZip(file, path.slice(0, -4));
  const isReadable = stat.isFile() && stat.size <= MAX_BYTES;
  return [{ path, bytes: isReadable ? readFileSync(file) : undefined }];
}

const isZip = (path: string) => /\.zip$/i.test(path);

/** Reads the code in a zip, as if that was a folder. Of a damaged one, nothing but its name. */
function readZip(zip: string, folder: string): Entry[] {
  const nothing = folder === '' ? [] : [{ path: `${folder}/nothing`, bytes: undefined }];
  if (lstatSync(zip).size > MAX_ZIP_FILE_BYTES) return nothing;
  let total = 0;
  let left = folder === '' ? MAX_FILES : MAX_INNER_FILES;
  const isWanted = ({ name, originalSize }: UnzipFileInfo) => {
    const parts = name.split('/');
    if (!CODE.test(parts.at(-1) ?? '') || parts.some((part) => SKIPPED.test(part))) return false;
    total += originalSize;
    return originalSize <= MAX_BYTES && total <= MAX_ZIP_BYTES && left-- > 0;
  };
  try {
    const files = Object.entries(unzipSync(readFileSync(zip), { filter: isWanted }));
    if (files.length === 0) return nothing;
    return files.map(([name, bytes]) => ({ path: posix.join(folder, name), bytes }));
  } catch {
    return nothing;
  }
}

/** Tells whether files are those of one student, or of a class, and takes those apart. */
function group(entries: readonly Entry[], name: string, meant?: Lesson): Submission[] {
  if (entries.length === 0 || isOneStudent(entries)) return [studentOf(name, entries, meant)];
  const [inner, top] = unwrapped(entries);
  if (inner) return group(inner, top, meant);
  const students = new Map<string, Entry[]>();
  for (const entry of entries) {
    const { id } = ownerOf(entry.path);
    students.set(id, [...(students.get(id) ?? []), entry]);
  }
  const names = Array.from(students.values(), ([first]) => ownerOf(first?.path ?? '').name);
  return Array.from(students, ([id, theirs], i) => {
    const name = names[i] ?? '';
    const isAlone = names.indexOf(name) === names.lastIndexOf(name);
    return studentOf(isAlone ? name : id, theirs, meant);
  });
}

/** What is in the one folder that is there, unless that is a student's with files of other names. */
function unwrapped(entries: readonly Entry[]): [Entry[] | undefined, string] {
  const [top = ''] = entries[0]?.path.split('/') ?? [];
  if (!entries.every(({ path }) => path.startsWith(`${top}/`))) return [undefined, ''];
  const inner = entries.map((entry) => ({ ...entry, path: entry.path.slice(top.length + 1) }));
  const isFolder = isOneStudent(inner) || inner.every(({ path }) => path.includes('/'));
  return [isFolder ? inner : undefined, ownerOf(`${top}/`).name];
}

/** A clone, the `lessons` of one, or a folder with files by the names of lessons. */
function isOneStudent(entries: readonly Entry[]): boolean {
  return entries.some(({ path }) =>
    LESSONS.some(({ name, file }) =>
      [file, `${name}/${file}`, `lessons/${name}/${file}`].includes(path),
    ),
  );
}

/**
 * A file in a folder is that folder's. A lone one has the name of its student, or begins with it. The
 * id tells apart those of the same name.
 */
function ownerOf(path: string): { readonly name: string; readonly id: string } {
  const [top = '', ...rest] = path.split('/');
  // As Moodle and Canvas name them: Ada_123_assignsubmission_file, ada_LATE_123_456_handshake.ts.
  const known =
    rest.length > 0
      ? /^(.*)_\d+(?=_assignsubmission_)/.exec(top)
      : /^(.+?)_(?:LATE_)?\d+(?=_\d+_)/.exec(top);
  const bare = rest.length > 0 ? top : top.replace(/\.\w+$/, '');
  return { name: known?.[1] ?? bare, id: known?.[0].replace('_LATE', '') ?? bare };
}

/** Tells which lessons one student's files are. */
function studentOf(name: string, entries: readonly Entry[], meant?: Lesson): Submission {
  const problems: string[] = [];
  const works = LESSONS.flatMap((lesson) => {
    const code = entries.filter(({ path }) => CODE.test(basename(path)));
    const alone = lesson === meant && code.length === 1 ? code[0] : undefined;
    const [first = alone, ...others] = candidates(lesson, entries);
    if (!first) return [];
    if (others.length > 0) {
      const paths = others.map(({ path }) => path).join(', ');
      problems.push(`Lesson ${lesson.number} is there more than once: not ${paths}.`);
    }
    if (!first.bytes) {
      problems.push(
        `${first.path} is a link, or larger or deeper than a lesson can be: it is not read.`,
      );
      return [];
    }
    return [workOf(lesson, first, first.bytes, entries)];
  });
  if (works.length === 0 && problems.length === 0) problems.push('There is no lesson in it.');
  return { name, works, problems };
}

/** The files that may be the one of a lesson, the likeliest first. */
function candidates(lesson: Lesson, entries: readonly Entry[]): Entry[] {
  const isReference = ({ path }: Entry) => /(^|\/)(solutions|shared|test)\//.test(path);
  const own = entries.filter((entry) => !isReference(entry));
  const named = own.filter(({ path }) => basename(path) === lesson.file);
  const inPlace = named.filter(({ path }) => path.includes(`${lesson.name}/`));
  if (inPlace.length > 0) return inPlace;
  if (named.length > 0) return named;
  const ending = new RegExp(`[^\\w]${lesson.file}$|_${lesson.file}$`);
  const ended = own.filter(({ path }) => ending.test(path));
  return ended.length > 0 ? ended : own.filter((entry) => lessonByExports(entry) === lesson);
}

/** What the stub of a lesson exports, and no other lesson does. */
const exportsOf = new Map<Lesson, ReadonlySet<string>>();

/** Tells a lesson by what a file exports. `undefined`: it is none, or could be more than one. */
function lessonByExports({ path, bytes }: Entry): Lesson | undefined {
  if (!bytes || LESSONS.some(({ file }) => basename(path) === file)) return undefined;
  if (exportsOf.size === 0) {
    for (const lesson of LESSONS) exportsOf.set(lesson, new Set(exportsIn(lesson)));
  }
  const { exports } = readSource(Buffer.from(bytes).toString('utf8'));
  const counts = LESSONS.map((lesson) => {
    return exports.filter((name) => exportsOf.get(lesson)?.has(name)).length;
  });
  const most = Math.max(...counts);
  const best = LESSONS.filter((_, i) => counts[i] === most);
  return most > 0 && best.length === 1 ? best[0] : undefined;
}

function exportsIn(lesson: Lesson): readonly string[] {
  const solution = join(ROOT, fileOf({ side: 'solutions', lesson }));
  // What students get has none.
  return existsSync(solution) ? readSource(readFileSync(solution, 'utf8')).exports : [];
}

function workOf(
  lesson: Lesson,
  { path }: Entry,
  bytes: Uint8Array,
  entries: readonly Entry[],
): Work {
  const folder = posix.dirname(path);
  const isLesson = (name: string) => LESSONS.some(({ file }) => file === name);
  const beside = entries.filter(
    (entry) => posix.dirname(entry.path) === folder && !isLesson(basename(entry.path)),
  );
  const files = new Map<string, Uint8Array>();
  for (const entry of beside) {
    if (entry.bytes) files.set(`lessons/${lesson.name}/${basename(entry.path)}`, entry.bytes);
  }
  files.set(fileOf({ side: 'lessons', lesson }), bytes);
  return { lesson, path, files: usedOf(files, lesson) };
}

/** The file of a lesson, and those beside it that it imports: the others are nobody's business. */
function usedOf(own: Files, lesson: Lesson): Files {
  const used = new Map<string, Uint8Array>();
  const pending = [fileOf({ side: 'lessons', lesson })];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    const bytes = own.get(path);
    if (!bytes || used.has(path)) continue;
    used.set(path, bytes);
    const folder = posix.dirname(path);
    for (const { name } of readSource(Buffer.from(bytes).toString('utf8')).imports)
      pending.push(posix.join(folder, name));
  }
  return used;
}

/** Gives each submission a name that no other has. */
function withOwnNames(submissions: readonly Submission[]): Submission[] {
  const count = new Map<string, number>();
  return submissions.map(inPrint).map((submission) => {
    const number = (count.get(submission.name) ?? 0) + 1;
    count.set(submission.name, number);
    return number === 1 ? submission : { ...submission, name: `${submission.name} (${number})` };
  });
}

/** Names of folders and files come from students too, and a terminal obeys some characters. */
function inPrint({ name, works, problems }: Submission): Submission {
  return {
    name: printable(name),
    works: works.map((work) => ({ ...work, path: printable(work.path) })),
    problems: problems.map(printable),
  };
}

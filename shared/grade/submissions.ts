/** What was handed in: whose it is, and which lessons it has. */
import { isUtf8 } from 'node:buffer';
import { existsSync, lstatSync, readFileSync } from 'node:fs';
import { basename, join, posix, resolve } from 'node:path';
import { fileOf, LESSONS, type Lesson, ROOT } from '../course/lessons.ts';
import { printable } from '../view/printable.ts';
import type { Files } from './check.ts';
import { type Entry, isCode, isZip, readPaths } from './entries.ts';
import { readSource, type Source } from './source.ts';

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

/** What is kept beside what a class has handed in: nobody has handed it in. */
const BESIDE = /^(README|LICENSE)\b[^/]*$|^[^/]*\.(csv|json|xml)$/i;
const UNREAD = 'is a link, or larger or deeper than a lesson can be: it is not read.';
const UNOPENED = 'is not opened: it is damaged, too large, or a zip in a zip.';
const NOT_TEXT = 'is not UTF-8, so that nothing in it can be read: save it as UTF-8.';
/** How many names a sentence has. */
const MAX_NAMES = 3;

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
  // A path that is given twice has been handed in once.
  const different = [...new Map(paths.map((typed) => [resolve(from, typed), typed])).values()];
  const entries = readPaths(different.map((typed) => ({ typed, path: resolve(from, typed) })));
  const submissions = different.flatMap((typed, i) => {
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

/** Names files as they are from where the command was called. */
function found(submissions: readonly Submission[], place: string): Submission[] {
  return submissions.map((submission) => {
    const works = submission.works.map((work) => ({ ...work, path: posix.join(place, work.path) }));
    return { ...submission, works };
  });
}

/** Tells whether files are those of one student, or of a class, and takes those apart. */
function group(all: readonly Entry[], name: string, meant?: Lesson): Submission[] {
  const entries = all.filter(({ path }) => !BESIDE.test(path) || ownerOf(path).isKnown);
  const isEmpty = entries.every(({ path }) => path === '/');
  if (isEmpty || (isOneStudent(entries) && !isFlatClass(entries)))
    return [studentOf(name, all, meant)];
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
  const { name, isKnown } = ownerOf(`${top}/`);
  if (isKnown || !entries.every(({ path }) => path.startsWith(`${top}/`))) return [undefined, ''];
  const inner = entries.map((entry) => ({ ...entry, path: entry.path.slice(top.length + 1) }));
  const code = inner.filter(({ path }) => isCode(path));
  const isFolder =
    isOneStudent(inner) ||
    isFlatClass(inner) ||
    (code.length > 0 ? code : inner).every(({ path }) => path.includes('/'));
  return [isFolder ? inner : undefined, name];
}

/** Files side by side that a learning platform has named, or that are the same lesson more than once. */
function isFlatClass(entries: readonly Entry[]): boolean {
  const flat = entries.filter(({ path }) => !path.includes('/'));
  if (flat.some(({ path }) => ownerOf(path).isKnown)) return true;
  const code = flat.filter(({ path }) => isCode(path));
  return LESSONS.some((lesson) => {
    const same = code.filter((entry) => claims(entry, lesson));
    return same.length > 1 && !same.some((entry) => importsOneOf(entry, same));
  });
}

/** Tells whether a file is of a lesson, by its name or by what it exports. */
function claims(entry: Entry, lesson: Lesson): boolean {
  return basename(entry.path) === lesson.file || lessonByExports(entry) === lesson;
}

function importsOneOf({ bytes }: Entry, others: readonly Entry[]): boolean {
  const imports = bytes ? sourceOf(bytes).imports : [];
  return imports.some(({ name }) => others.some(({ path }) => name === `./${path}`));
}

/** A clone, the `lessons` of one, or a folder with files by the names of lessons. */
function isOneStudent(entries: readonly Entry[]): boolean {
  return entries.some(({ path }) =>
    LESSONS.some(({ name, file }) =>
      [file, `${name}/${file}`, `lessons/${name}/${file}`].includes(path),
    ),
  );
}

/** Whose a file is. */
interface Owner {
  readonly name: string;
  /** Tells apart those of the same name. */
  readonly id: string;
  /** Whether a learning platform says so. */
  readonly isKnown: boolean;
}

/** A file in a folder is that folder's. A lone one has the name of its student, or begins with it. */
function ownerOf(path: string): Owner {
  const [top = '', ...rest] = path.split('/');
  // As Moodle and Canvas name them: Ada_123_assignsubmission_file, ada_LATE_123_456_handshake.ts.
  const known = /^(.+?)_(?:LATE_)?\d+(?=_assignsubmission_|_\d+_)/.exec(top);
  const bare = rest.length > 0 ? top : top.replace(/\.\w+$/, '');
  const id = known?.[0].replace('_LATE', '') ?? bare;
  return { name: known?.[1] ?? bare, id, isKnown: known !== null };
}

/** Tells which lessons one student's files are. */
function studentOf(name: string, entries: readonly Entry[], meant?: Lesson): Submission {
  const problems: string[] = [];
  const works = LESSONS.flatMap((lesson) => {
    const code = entries.filter(({ path }) => isCode(path));
    const alone = lesson === meant && code.length === 1 ? code[0] : undefined;
    const [first = alone, ...others] = candidates(lesson, entries);
    if (!first) return [];
    if (others.length > 0) {
      const paths = [first, ...others].map(({ path }) => path).join(', ');
      problems.push(
        `Lesson ${lesson.number} is there more than once, so none of these counts: ${paths}.`,
      );
      return [];
    }
    if (!first.bytes) {
      problems.push(`${first.path} ${UNREAD}`);
      return [];
    }
    return [workOf(lesson, first, first.bytes, entries)];
  });
  const lost = entries.filter(
    ({ path, bytes }) => bytes && !isText(bytes) && !works.some((work) => work.path === path),
  );
  if (lost.length > 0) problems.push(`${namesOf(lost)} ${NOT_TEXT}`);
  if (works.length === 0 && problems.length === 0) problems.push(...whyNothing(entries));
  return { name, works, problems };
}

/** Says what is there instead of a lesson. */
function whyNothing(entries: readonly Entry[]): string[] {
  const files = entries.filter(({ path }) => !path.endsWith('/'));
  if (files.length === 0) return ['The folder is empty.'];
  const zips = files.filter(({ path }) => isZip(path));
  const code = files.filter(({ path }) => isCode(path));
  const unread = code.filter(({ bytes }) => !bytes);
  const reasons = [
    ...(zips.length > 0 ? [`${namesOf(zips)} ${UNOPENED}`] : []),
    ...(unread.length > 0 ? [`${namesOf(unread)} ${UNREAD}`] : []),
  ];
  if (reasons.length > 0) return reasons;
  if (code.length > 0) return ['There is no lesson in it.'];
  const are = files.length > 1 ? 'are no .ts files' : 'is no .ts file';
  return [`Nothing to check: ${namesOf(files)} ${are}.`];
}

/** Tells UTF-8 from what an editor may write instead: UTF-16 is full of zeros. */
function isText(bytes: Uint8Array): boolean {
  return isUtf8(bytes) && !bytes.includes(0);
}

/** Names the first few files, without what a learning platform puts before a name. */
function namesOf(entries: readonly Entry[]): string {
  const names = entries
    .slice(0, MAX_NAMES)
    .map(({ path }) => basename(path).replace(/^.*_assignsubmission_[a-z]+_/, ''));
  const more = entries.length - names.length;
  return more > 0 ? `${names.join(', ')} and ${more} more` : names.join(', ');
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

/** What has been read of each file: it is asked for each lesson, and for each file beside it. */
const sources = new WeakMap<Uint8Array, Source>();

function sourceOf(bytes: Uint8Array): Source {
  const source = sources.get(bytes) ?? readSource(Buffer.from(bytes).toString('utf8'));
  sources.set(bytes, source);
  return source;
}

/** What the stub of a lesson exports, and no other lesson does. */
const exportsOf = new Map<Lesson, ReadonlySet<string>>();

/** Tells a lesson by what a file exports. `undefined`: it is none, or could be more than one. */
function lessonByExports({ path, bytes }: Entry): Lesson | undefined {
  if (!bytes || LESSONS.some(({ file }) => basename(path) === file)) return undefined;
  if (exportsOf.size === 0) {
    for (const lesson of LESSONS) exportsOf.set(lesson, new Set(exportsIn(lesson)));
  }
  const { exports, reexports } = sourceOf(bytes);
  const counts = LESSONS.map((lesson) => {
    return exports.filter((name) => exportsOf.get(lesson)?.has(name)).length;
  });
  const most = Math.max(...counts);
  const best = LESSONS.filter(({ file }, i) =>
    most > 0 ? counts[i] === most : reexports.some((name) => posix.basename(name) === file),
  );
  return best.length === 1 ? best[0] : undefined;
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
    for (const { name } of sourceOf(bytes).imports) pending.push(posix.join(folder, name));
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

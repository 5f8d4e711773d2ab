/** A handout: a project for students, with some of the lessons and none of the solutions. */
import { cpSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readText, sayFault } from '../course/files.ts';
import { fileOf, LESSONS, type Lesson, neededBy, ROOT, UsageError } from '../course/lessons.ts';
import { writeSeal } from '../course/seal.ts';
import { requireSolution } from '../course/solution.ts';
import { makeStub } from '../course/stub.ts';

/** The commands that students have. */
const COMMANDS = [
  'test',
  'start',
  'hint',
  'diff',
  'reset',
  'inspect',
  'serve',
  'conformance',
  'drive',
  'bench',
  'cluster',
  'grade',
];

/** What goes into every handout as it is: files, and the code and data of whole folders. */
const COPIED = [
  '.editorconfig',
  '.gitattributes',
  '.gitignore',
  'LICENSE',
  'package-lock.json',
  'points.json',
  'tsconfig.json',
  'shared/bench',
  'shared/globals.d.ts',
  'shared/protocol.ts',
  'shared/todo.ts',
  ...COMMANDS.map((name) => `shared/commands/${name}.ts`),
  'shared/commands/arguments.ts',
  'shared/commands/ask.ts',
  'shared/commands/command.ts',
  'shared/commands/help.ts',
  'shared/commands/launch.mjs',
  'shared/commands/node.mjs',
  'shared/commands/output.mjs',
  'shared/commands/run-command.ts',
  'shared/commands/vitest.ts',
  'shared/cluster',
  'shared/conformance',
  'shared/course',
  'shared/drive',
  'shared/grade',
  'shared/harness',
  'shared/kit',
  'shared/process',
  'shared/serve',
  'shared/session',
  'shared/view',
  'test/vectors',
];

/** What a folder may have for a handout. Anything else in it is somebody's own. */
const CODE_OR_DATA = /(?<!\.test)\.(m?js|ts|txt|html|css|svg)$/;

/**
 * Makes a handout of these lessons in a folder, which has to be new or empty. Throws `UsageError`
 * when a lesson cannot be handed out, and when the system does not let it.
 */
export function makeHandout(lessons: readonly Lesson[], folder: string): void {
  requireNeeds(lessons);
  requireEmpty(folder);
  try {
    for (const path of [...COPIED, ...lessons.flatMap(checksOf)]) copy(path, folder);
    for (const [path, text] of textsOf(lessons)) write(join(folder, path), text);
    writeSeal(folder);
  } catch (error) {
    const fault = sayFault(error);
    if (!fault) throw error;
    throw new UsageError(`${folder} cannot be written: ${fault}.`);
  }
}

/** Throws `UsageError` for a lesson that is made of others which are not there. */
function requireNeeds(lessons: readonly Lesson[]): void {
  for (const lesson of lessons) {
    const needed = neededBy(lesson);
    if (needed.every((other) => lessons.includes(other))) continue;
    const [{ number }, first, last] = [lesson, needed[0]?.number, needed.at(-1)?.number];
    const isNext = LESSONS.indexOf(lesson) === needed.length;
    const list = isNext ? `${first}-${number}` : `${first}-${last},${number}`;
    throw new UsageError(
      `Lesson ${number} is made of lessons ${first} to ${last}. Hand them out as well: --lessons ${list}`,
    );
  }
}

/** Throws `UsageError` for a folder that has something in it already, or is no folder. */
function requireEmpty(folder: string): void {
  const stat = statSync(folder, { throwIfNoEntry: false });
  if (!stat || (stat.isDirectory() && readdirSync(folder).length === 0)) return;
  const what = stat.isDirectory() ? 'is not empty' : 'is a file';
  throw new UsageError(`${folder} ${what}. A handout needs a folder of its own.`);
}

/** What a lesson is checked with. */
function checksOf({ name }: Lesson): string[] {
  return [`test/specs/${name}.ts`, `test/specs/${name}`];
}

function copy(path: string, folder: string): void {
  const filter = (source: string) => statSync(source).isDirectory() || CODE_OR_DATA.test(source);
  const isFolder = statSync(join(ROOT, path)).isDirectory();
  cpSync(join(ROOT, path), join(folder, path), {
    recursive: true,
    ...(isFolder && { filter }),
  });
}

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

/** What is made for these lessons: each file by its path, with its text. */
function textsOf(lessons: readonly Lesson[]): [path: string, text: string][] {
  const { scripts, ...rest } = JSON.parse(readText('package.json'));
  const kept = Object.fromEntries(COMMANDS.map((name) => [name, scripts[name]]));
  return [
    ['package.json', `${JSON.stringify({ ...rest, scripts: kept }, null, 2)}\n`],
    ['README.md', makeReadme(lessons)],
    ['.github/workflows/check.yml', readText('shared/handout/check.yml')],
    ['solutions/README.md', readText('shared/handout/solutions.md')],
    // All of them: the course's own code takes its types from them as well.
    ...LESSONS.map((lesson): [string, string] => {
      return [fileOf({ side: 'solutions', lesson }), stubOf(lesson)];
    }),
    ...lessons.flatMap((lesson) => textsOfLesson(lesson, lessons)),
  ];
}

/** The files of a lesson: its stub, its text, its pictures and the test beside it. */
function textsOfLesson(lesson: Lesson, lessons: readonly Lesson[]): [string, string][] {
  const folder = `lessons/${lesson.name}`;
  const test = lesson.file.replace('.ts', '.test.ts');
  const others = readdirSync(join(ROOT, folder)).filter((name) => name.endsWith('.svg'));
  return [
    [fileOf({ side: 'lessons', lesson }), stubOf(lesson)],
    [`${folder}/README.md`, withoutLinks(readText(`${folder}/README.md`), lessons)],
    ...[test, ...others].map((name): [string, string] => {
      return [`${folder}/${name}`, readText(`${folder}/${name}`)];
    }),
  ];
}

function stubOf(lesson: Lesson): string {
  requireSolution(lesson);
  return makeStub(readText(fileOf({ side: 'solutions', lesson })), lesson.number);
}

/** Takes from a text the links to lessons that are not there. What they say stays. */
function withoutLinks(text: string, lessons: readonly Lesson[]): string {
  return text.replace(/\[([^\]]*)\]\(\.\.\/([^/)]+)\/[^)]*\)/g, (link, words, name) =>
    lessons.some((lesson) => lesson.name === name) ? link : words,
  );
}

/** The first page: its examples name the first lesson, and its table has those that are there. */
function makeReadme(lessons: readonly Lesson[]): string {
  const number = lessons[0]?.number ?? '';
  const has = (number: string) => lessons.some((lesson) => lesson.number === number);
  const rows = readFileSync(join(ROOT, 'README.md'), 'utf8')
    .split('\n')
    .filter((line) => /^\| +\| lesson|^\| ---.*\| ---.*\| ---.*\| ---/.test(line) || isRow(line));
  function isRow(line: string): boolean {
    return lessons.some((lesson) => line.startsWith(`| ${lesson.number} `));
  }
  return readText('shared/handout/README.md')
    .replace(/\b01\b/g, number)
    .replace(/^\| `npm run serve`.*\n/m, (row) => (has('05') ? row : ''))
    .replace(/^\| `npm run conformance`.*\n/m, (row) => (has('05') || has('06') ? row : ''))
    .replace(/^\| `npm run drive`.*\n/m, (row) => (has('06') ? row : ''))
    .replace(/^\| `npm run bench`.*\n/m, (row) => (has('08') ? row : ''))
    .replace(/^\| `npm run cluster`.*\n/m, (row) => (has('09') ? row : ''))
    .replace('LESSONS\n', `${rows.join('\n')}\n`);
}

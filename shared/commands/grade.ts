import {
  accessSync,
  appendFileSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import {
  findLessons,
  LESSONS,
  type Lesson,
  ROOT,
  STARTED_IN,
  UsageError,
} from '../course/lessons.ts';
import { fingerprint, requireSeal } from '../course/seal.ts';
import { Checker } from '../grade/check.ts';
import { toAnnotations, toCsv, toJunit, toMarkdown, toSummary } from '../grade/formats.ts';
import { gradeAll, type Order } from '../grade/grade.ts';
import { readPoints } from '../grade/points.ts';
import {
  type LessonResult,
  type Results,
  SCHEMA,
  type StudentResult,
  toResults,
} from '../grade/result.ts';
import { findSubmissions, type Submission } from '../grade/submissions.ts';
import { renderTable } from '../grade/table.ts';
import { count } from '../view/count.ts';
import { statusLine } from '../view/status-line.ts';
import { runCommand } from './run-command.ts';

await runCommand({
  name: 'npm run grade',
  summary:
    'Grades what students have handed in, each behind walls of its own. Exits with 0 when everybody has a result; with 1 when code was refused or could not run, or could not be found, or, with --strict, when points are missing; with 2 when it was called with something that it cannot work with; with 130 or 143 when it was broken off.',
  positionals: {
    'PATH…':
      'A file, a clone or other folder of one student, or a folder or zip with one of these for each. Yours are in lessons.',
  },
  options: {
    lessons: {
      type: 'string',
      value: 'LIST',
      help: 'Which lessons, such as 01-03,05. Otherwise all that anybody has handed in.',
    },
    json: { type: 'boolean', help: 'Print all results as JSON.' },
    csv: { type: 'boolean', help: 'Print CSV: a row for each student, the points for each step.' },
    junit: { type: 'string', value: 'FILE', help: 'Write JUnit XML to a file as well.' },
    report: {
      type: 'string',
      value: 'FOLDER',
      help: 'Write a report for each student as well, in Markdown, as they would have seen it.',
    },
    resume: {
      type: 'string',
      value: 'FILE',
      help: 'Keep the results in this file after each student, and do not check again what is in it.',
    },
    points: {
      type: 'string',
      value: 'FILE',
      help: 'What each step is worth. Otherwise, points.json says so.',
    },
    allow: {
      type: 'string',
      multiple: true,
      value: 'NAME',
      help: 'Run code that refers to this, such as node:fs or process. Can be given more than once.',
    },
    limit: {
      type: 'string',
      value: 'SECONDS',
      help: 'How long the check of one lesson may take. Otherwise 300.',
    },
    jobs: { type: 'string', value: 'NUMBER', help: 'How many at a time. Otherwise one a core.' },
    strict: { type: 'boolean', help: 'Exit with 1 unless everybody has all points.' },
  },
  examples: [
    ['npm run grade class', 'Everybody in the folder class, as a table.'],
    ['npm run grade -- class --lessons 02 --json', 'Lesson 02 of them, as JSON.'],
  ],
  async run(values, paths) {
    const { lessons, points, allow = [], limit, jobs, resume } = values;
    if (values.json && values.csv) throw new UsageError('Only one of --json and --csv is printed.');
    if (paths.length === 0) throw new UsageError('Say what to grade: npm run grade class');
    requireSeal();
    requireWritable('resume', resume, requireFile);
    requireWritable('junit', values.junit, requireFile);
    requireWritable('report', values.report, requireFolder);
    const wanted = lessons === undefined ? undefined : findLessons(lessons);
    const submissions = findSubmissions(paths, STARTED_IN, wanted);
    const asked = wanted ?? handedIn(submissions);
    const worth = points === undefined ? join(ROOT, 'points.json') : fromHere(points);
    const order: Order = {
      lessons: asked,
      points: readPoints(worth, asked),
      allowed: allow,
      limitSeconds: numberOf('limit', limit, 300),
      atOnce: numberOf('jobs', jobs, availableParallelism()),
      course: fingerprint(),
      known: resume === undefined ? new Map() : readKnown(fromHere(resume)),
    };
    const students = await grade(submissions, order, resume && fromHere(resume));
    const results = toResults(students, order.course);
    const { json, csv, junit, report, strict = false } = values;
    if (json) console.log(JSON.stringify(results, null, 2));
    else if (csv) process.stdout.write(toCsv(students));
    else console.log(renderTable(students).join('\n'));
    if (junit !== undefined) writeFileSync(fromHere(junit), toJunit(students));
    if (report !== undefined) writeReports(fromHere(report), students);
    tellGitHub(students);
    return exitCode(students, strict);
  },
});

function fromHere(path: string): string {
  return resolve(STARTED_IN, path);
}

/** Throws `UsageError` for a place that cannot be written to, before there is something to write. */
function requireWritable(
  option: string,
  path: string | undefined,
  require: (path: string) => void,
): void {
  try {
    if (path !== undefined) require(fromHere(path));
  } catch (error) {
    throw new UsageError(`--${option} ${path} cannot be written: ${(error as Error).message}.`);
  }
}

function requireFile(file: string): void {
  if (statSync(file, { throwIfNoEntry: false })?.isDirectory()) throw new Error('it is a folder');
  accessSync(`${dirname(file)}/.`, constants.W_OK);
}

function requireFolder(folder: string): void {
  mkdirSync(folder, { recursive: true });
  accessSync(folder, constants.W_OK);
}

/** Reads what an earlier run has found, if there was one. */
function readKnown(file: string): Map<string, LessonResult> {
  if (!existsSync(file)) return new Map();
  try {
    const { schema, students } = JSON.parse(readFileSync(file, 'utf8')) as Results;
    if (schema !== SCHEMA) throw new Error(`its schema is ${schema}`);
    const results = students.flatMap(({ lessons }) => lessons);
    return new Map(results.filter(({ key }) => key !== '').map((result) => [result.key, result]));
  } catch (error) {
    throw new UsageError(`${file} was not written by this command: ${(error as Error).message}.`);
  }
}

/** Writes a file for each student. No two names are the same, whatever is made of them. */
function writeReports(folder: string, students: readonly StudentResult[]): void {
  const names = new Set<string>();
  for (const student of students) {
    const name = student.name.replace(/[^\p{L}\p{N} ().-]|^\./gu, '_').slice(0, 100);
    let file = name;
    for (let n = 2; names.has(file.toLowerCase()); n++) file = `${name}-${n}`;
    names.add(file.toLowerCase());
    writeFileSync(join(folder, `${file}.md`), toMarkdown(student));
  }
}

/** In a job of GitHub, says there what is wrong, and where. */
function tellGitHub(students: readonly StudentResult[]): void {
  const { GITHUB_ACTIONS, GITHUB_STEP_SUMMARY } = process.env;
  if (GITHUB_ACTIONS) for (const line of toAnnotations(students)) console.error(line);
  if (GITHUB_STEP_SUMMARY) appendFileSync(GITHUB_STEP_SUMMARY, toSummary(students));
}

async function grade(
  submissions: readonly Submission[],
  order: Order,
  kept: string | undefined,
): Promise<StudentResult[]> {
  const checker = new Checker(order);
  process.once('exit', () => checker.close());
  const done: StudentResult[] = [];
  const tell = (student: StudentResult) => {
    const { name, points, max } = student;
    done.push(student);
    if (kept) keep(kept, toResults(done, order.course));
    const text = `${done.length} of ${submissions.length}  ${name}  ${points}/${max}`;
    if (process.stderr.isTTY) statusLine(text);
    else console.error(text);
  };
  if (kept) process.once('SIGINT', () => breakOff(done.length, submissions.length, kept));
  const students = await gradeAll(submissions, order, checker, tell);
  statusLine('');
  if (kept) keep(kept, toResults(students, order.course));
  return students;
}

/** Says what is left of a run that somebody ends with Ctrl-C. */
function breakOff(done: number, all: number, kept: string): never {
  statusLine('');
  console.error(`${done} of ${all} are kept in ${kept}: the same command goes on from there.`);
  process.exit(130);
}

/** Writes results as a whole: a run that is broken off leaves those of before. */
function keep(file: string, results: Results): void {
  writeFileSync(`${file}.part`, JSON.stringify(results));
  renameSync(`${file}.part`, file);
}

/** All lessons that somebody has handed in. */
function handedIn(submissions: readonly Submission[]): Lesson[] {
  const found = LESSONS.filter((lesson) =>
    submissions.some(({ works }) => works.some((work) => work.lesson === lesson)),
  );
  if (found.length > 0) return found;
  const where = count(submissions.length, 'submission');
  const reasons = submissions.map(({ name, problems }) => `${name}: ${problems.join(' ')}`);
  const why = 'a file is told by its name, or its exports.';
  throw new UsageError([`There is no lesson in ${where}: ${why}`, ...reasons].join('\n  '));
}

function numberOf(option: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new UsageError(`--${option} has to be a whole number from 1, not ${JSON.stringify(text)}.`);
}

function exitCode(students: readonly StudentResult[], isStrict: boolean): number {
  const isBad = ({ lessons, points, max, problems }: StudentResult) =>
    isStrict
      ? points < max
      : problems.length > 0 ||
        lessons.some(({ state }) => state === 'refused' || state === 'broken');
  return students.some(isBad) ? 1 : 0;
}

import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { findTarget, LESSONS, type Lesson, ROOT, UsageError } from '../course/lessons.ts';
import { fingerprint, requireSeal } from '../course/seal.ts';
import { Checker } from '../grade/check.ts';
import { gradeAll, type Order } from '../grade/grade.ts';
import { readPoints } from '../grade/points.ts';
import { type StudentResult, toResults } from '../grade/result.ts';
import { findSubmissions, type Submission } from '../grade/submissions.ts';
import { renderTable } from '../grade/table.ts';
import { count } from '../view/count.ts';
import { statusLine } from '../view/status-line.ts';
import { runCommand } from './run-command.ts';

await runCommand({
  name: 'npm run grade',
  summary:
    'Grades what students have handed in, each behind walls of its own. Exits with 0 when everybody has a result; with 1 when code was refused or could not run, or, with --strict, when points are missing; with 2 when it was called with something that it cannot work with.',
  positionals: {
    'PATH…':
      'A file, a clone or other folder of one student, or a folder with one of these for each. Yours are in lessons.',
  },
  options: {
    lessons: {
      type: 'string',
      value: 'LIST',
      help: 'Which lessons, such as 01-03,05. Otherwise all that anybody has handed in.',
    },
    json: { type: 'boolean', help: 'Print all results as JSON.' },
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
  async run({ lessons, json, points, allow = [], limit, jobs, strict }, paths) {
    if (paths.length === 0) throw new UsageError('Say what to grade: npm run grade class');
    requireSeal();
    const submissions = findSubmissions(paths, process.env.INIT_CWD ?? process.cwd());
    const order: Order = {
      lessons: lessons === undefined ? handedIn(submissions) : lessonsIn(lessons),
      points: readPoints(points ?? join(ROOT, 'points.json')),
      allowed: allow,
      limitSeconds: numberOf('limit', limit, 300),
      atOnce: numberOf('jobs', jobs, availableParallelism()),
      course: fingerprint(),
      known: new Map(),
    };
    const students = await grade(submissions, order);
    const results = toResults(students, order.course);
    console.log(json ? JSON.stringify(results, null, 2) : renderTable(students).join('\n'));
    return exitCode(students, strict === true);
  },
});

async function grade(submissions: readonly Submission[], order: Order): Promise<StudentResult[]> {
  const checker = new Checker(order);
  process.once('exit', () => checker.close());
  let done = 0;
  const tell = ({ name, points, max }: StudentResult) => {
    const text = `${++done} of ${submissions.length}  ${name}  ${points}/${max}`;
    if (process.stderr.isTTY) statusLine(text);
    else console.error(text);
  };
  const students = await gradeAll(submissions, order, checker, tell);
  statusLine('');
  return students;
}

/** All lessons that somebody has handed in. */
function handedIn(submissions: readonly Submission[]): Lesson[] {
  const found = LESSONS.filter((lesson) =>
    submissions.some(({ works }) => works.some((work) => work.lesson === lesson)),
  );
  if (found.length > 0) return found;
  const where = count(submissions.length, 'submission');
  throw new UsageError(
    `There is no lesson in ${where}: a file is told by its name, or its exports.`,
  );
}

/** Reads a list such as `01-03,05`. */
function lessonsIn(list: string): Lesson[] {
  const asked = list.split(',').flatMap((part) => {
    const [from = '', to = from] = part.trim().split('-');
    const [first, last] = [from, to].map((it) => LESSONS.indexOf(findTarget(it.trim()).lesson));
    return LESSONS.slice(first, (last ?? 0) + 1);
  });
  return LESSONS.filter((lesson) => asked.includes(lesson));
}

function numberOf(option: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new UsageError(`--${option} has to be a whole number from 1, not ${JSON.stringify(text)}.`);
}

function exitCode(students: readonly StudentResult[], isStrict: boolean): number {
  const isBad = ({ lessons, points, max }: StudentResult) =>
    isStrict
      ? points < max
      : lessons.some(({ state }) => state === 'refused' || state === 'broken');
  return students.some(isBad) ? 1 : 0;
}

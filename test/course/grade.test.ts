/** A class is graded: what is right counts, what cheats does not, and nobody stops the others. */

import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ROOT } from '../../shared/course/lessons.ts';
import type { LessonResult, Results, StudentResult } from '../../shared/grade/result.ts';
import { HIDDEN, NAMED, nameOf, solution, stub, writeFiles } from './class-of.ts';
import { faultsOf, type Schema } from './json-schema.ts';
import { ENV, LAUNCH, scriptOf } from './sandbox.ts';

/** A guard against hanging, in milliseconds. */
const MOST_MS = 600_000;

const folder = mkdtempSync(join(tmpdir(), 'websocket-101-class-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What a call of `grade` gave: its exit code, and both of its streams. */
interface Graded {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Grades what is in the folder. */
function grade(...args: readonly string[]): Promise<Graded> {
  const command = [LAUNCH, scriptOf('grade'), ...args];
  const options = { cwd: ROOT, env: { ...ENV, INIT_CWD: folder }, maxBuffer: 2 ** 26 };
  return new Promise((resolve) => {
    execFile(process.execPath, command, options, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}

function read({ stdout, stderr }: Graded): ReadonlyMap<string, StudentResult> {
  if (!stdout.startsWith('{')) throw new Error(`${stdout}${stderr}`);
  const { students } = JSON.parse(stdout) as Results;
  return new Map(students.map((student) => [student.name, student]));
}

/** The result of lesson 01 of a student. */
function lessonOf(students: ReadonlyMap<string, StudentResult>, name: string): LessonResult {
  const lesson = students.get(name)?.lessons[0];
  if (!lesson) throw new Error(`Nobody is called ${name}.`);
  return lesson;
}

const HALF = solution.replace('export function checkUpgrade(', 'export function checkUpgrade2(');

/** What is frozen behind walls stays as free as ever for objects of one's own. */
const EVERYDAY = `
import { Buffer } from 'node:buffer';
import { EventEmitter } from 'node:events';
enum Side { Ours, Theirs }
namespace Own { export const one = '1'; }
class Oops extends Error {
  constructor(private readonly side: Side) {
    super('oops');
    this.name = 'Oops';
    this.message = String(this.side);
    this.toString = () => this.name;
    Error.captureStackTrace(this, Oops);
  }
}
class Loud extends EventEmitter {
  override emit = (name: string) => super.emit(name.toUpperCase());
}
class Stack<T> extends Array<T> { override push(...all: T[]) { return super.push(...all); } }
const loud = new Loud();
loud.on = loud.on.bind(loud);
let heard = 0;
loud.on('HI', () => heard++);
loud.emit('hi');
const plain: Record<string, unknown> = {};
plain.constructor = plain.toString = plain.valueOf = () => Own.one;
const list = new Stack<number>();
list.push(1);
list.map = list.map.bind(list);
const bytes = Buffer.from([1]);
bytes.equals = () => true;
const random = globalThis.crypto.getRandomValues(new Uint8Array(4));
setTimeout(() => heard++, 1);
const isRight = heard === 1 && list.length === 1 && random.length === 4 && Math.max(1, 2) === 2;
if (!isRight || \`\${new Oops(Side.Theirs)}\` !== 'Oops') throw new Error('It runs.');
`;
const OTHERS: Readonly<Record<string, string | Uint8Array>> = {
  'right/handshake.ts': solution,
  'half/handshake.ts': HALF,
  'everyday/handshake.ts': `${EVERYDAY}${solution}`,
  'stub/lessons/01-handshake/handshake.ts': stub,
  'by-exports.ts': solution,
  'helper/handshake.ts': `import './help.ts';\n${solution}`,
  'helper/help.ts': 'export const help = 1;\n',
  'lost/handshake.ts': `import './help.ts';\n${solution}`,
  'types/handshake.ts': `${solution}\nexport const wrong: number = 'text';\n`,
  'crash/handshake.ts': `throw new Error('not today');\n${solution}`,
  'syntax/handshake.ts': `function ( {\n${solution}`,
  'utf-16/handshake.ts': Buffer.from(`\ufeff${solution}`, 'utf16le'),
  'nothing/README.txt': 'I was ill.',
  'bare-process.ts': solution.replace(/\bhead\b/g, 'process'),
};

describe('a class', () => {
  let graded: Graded;
  let students: ReadonlyMap<string, StudentResult>;

  beforeAll(async () => {
    writeFiles(join(folder, 'class'), OTHERS);
    for (const { cheat, code } of NAMED) {
      writeFiles(join(folder, 'class'), { [`${nameOf(cheat)}.ts`]: `${code}\n${stub}` });
    }
    symlinkSync(join(ROOT, 'solutions/01-handshake/handshake.ts'), join(folder, 'class/link.ts'));
    graded = await grade('class', '--json', '--lessons', '01');
    students = read(graded);
  }, MOST_MS);

  test.each([
    ['right', 'passes', 6],
    ['by-exports', 'passes', 6],
    ['half', 'partly', 4],
    ['everyday', 'passes', 6],
    ['helper', 'passes', 6],
    ['bare-process', 'passes', 6],
    ['types', 'partly', 6],
    ['stub', 'partly', 0],
    ['crash', 'broken', 0],
    ['syntax', 'broken', 0],
    ['utf-16', 'broken', 0],
    ['lost', 'broken', 0],
    ['nothing', 'missing', 0],
    ['link', 'missing', 0],
  ])('%s: %s, %i points', (name, state, points) => {
    expect(lessonOf(students, name)).toMatchObject({ state, points, max: 6 });
  });

  test('the results are as their schema says', () => {
    const schema: Schema = JSON.parse(readFileSync(join(ROOT, 'shared/grade/schema.json'), 'utf8'));
    const results = JSON.parse(graded.stdout);
    expect(faultsOf(results, schema)).toEqual([]);
    expect(faultsOf({ ...results, schema: 2, more: 1 }, schema)).toHaveLength(2);
    expect(faultsOf({ ...results, students: [{ name: 1 }] }, schema)).toHaveLength(5);
  });

  test.each(NAMED)('$cheat is named, and does not run', ({ cheat, named }) => {
    const [name, line] = typeof named === 'string' ? [named, 1] : named;
    const result = lessonOf(students, nameOf(cheat));
    expect(result).toMatchObject({ state: 'refused', points: 0, steps: [] });
    expect(result.refused[0]).toMatchObject({ name, line });
  });
});

describe('what gets past the list', () => {
  const ALLOWED = ['fs', 'child_process', 'worker_threads', 'inspector', 'v8', 'async_hooks'];
  let students: ReadonlyMap<string, StudentResult>;

  beforeAll(async () => {
    for (const { cheat, code } of HIDDEN) {
      writeFiles(join(folder, 'hidden'), { [`${nameOf(cheat)}.ts`]: `${code}\n${stub}` });
    }
    writeFiles(join(folder, 'hidden'), { 'zoe.ts': solution });
    const names = [...ALLOWED.map((name) => `node:${name}`), 'test/specs/01-handshake.ts'];
    const allow = names.flatMap((name) => ['--allow', name]);
    students = read(await grade('hidden', '--json', ...allow));
  }, MOST_MS);

  test.each(HIDDEN)('$cheat: the walls hold', ({ cheat, says }) => {
    const result = lessonOf(students, nameOf(cheat));
    expect(result).toMatchObject({ points: 0, refused: [] });
    expect(result.text).toMatch(says);
  });

  test('the one after them is as right as ever', () => {
    expect(lessonOf(students, 'zoe')).toMatchObject({ state: 'passes', points: 6 });
  });
});

/** A class is graded: what is right counts, what cheats does not, and nobody stops the others. */

import { execFile, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fileOf, LESSONS, type Lesson, ROOT } from '../../shared/course/lessons.ts';
import { makeStub } from '../../shared/course/stub.ts';
import type { LessonResult, Results, StudentResult } from '../../shared/grade/result.ts';
import { HIDDEN, NAMED, nameOf, solution, stub, writeFiles } from './class-of.ts';
import { faultsOf, type Schema } from './json-schema.ts';
import { ENV, LAUNCH, outcomeOf, STANDSTILL, scriptOf } from './sandbox.ts';

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
  'helper/scratch.ts': 'process.exit(',
  'lost/handshake.ts': `import './help.ts';\n${solution}`,
  'types/handshake.ts': `${solution}\nexport const wrong: number = 'text';\n`,
  'crash/handshake.ts': `throw new Error('not today');\n${solution}`,
  'syntax/handshake.ts': `function ( {\n${solution}`,
  'utf-16/handshake.ts': Buffer.from(`\ufeff${solution}`, 'utf16le'),
  'nothing/README.txt': 'I was ill.',
  'bare-process.ts': solution.replace(/\bhead\b/g, 'process'),
};

const sending = LESSONS.find(({ number }) => number === '03') as Lesson;

function referenceOf(lesson: Lesson): string {
  return readFileSync(join(ROOT, fileOf({ side: 'solutions', lesson })), 'utf8');
}

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

describe('a call', () => {
  const right = referenceOf(sending);
  const ENDLESS = right.replace('export function pongFor(', `${STANDSTILL}\n$&`);

  test('that is resumed checks only what is new, and tells of everybody', async () => {
    const points = JSON.parse(readFileSync(join(ROOT, 'points.json'), 'utf8'));
    const kept = () => readFileSync(join(folder, 'kept.json'), 'utf8');
    writeFiles(folder, {
      'again/=ada/sending.ts': right,
      'again/bob.ts': `export * from './nothing.ts';\n${right}`,
      'points.json': JSON.stringify({ ...points, '03': [0.1, 0.2, 3, 0, 0, 0, 0] }),
    });
    const args = ['again', '--lessons', '03', '--resume', 'kept.json'];
    const first = read(await grade(...args, '--json'));
    expect(first.get('=ada')).toMatchObject({ points: 7, max: 7 });
    // Whoever tells this has not checked again.
    writeFiles(folder, {
      'kept.json': kept().replaceAll('All 7 steps pass', 'It is known that all pass'),
      'again/cyd/notes.txt': '',
    });
    const more = ['--points', 'points.json', '--junit', 'junit.xml', '--report', 'reports'];
    const { code, stdout, stderr } = await grade(...args, ...more);

    expect(read({ code, stdout: kept(), stderr }).get('=ada')).toMatchObject({ points: 3.3 });
    expect(stdout).toMatch(/^student +03 +points\n=ada +7\/7 +3.3\/3.3\nbob +broken +0\/3.3 +03: /);
    expect(stdout).toMatch(/^cyd +– +0\/3.3 +Nothing to check: notes.txt is no .ts file.$/m);
    expect(stderr.match(/^\d of 3 {2}/gm)).toEqual(['1 of 3  ', '2 of 3  ', '3 of 3  ']);
    expect(code).toBe(1);
    expect(readFileSync(join(folder, 'junit.xml'), 'utf8')).toContain('<testsuite name="=ada 03"');
    const report = readFileSync(join(folder, 'reports/_ada.md'), 'utf8');
    expect(report).toContain('It is known that all pass');
  });

  test('for somebody who has handed in nothing to check has no points, and exits with 1', async () => {
    writeFiles(folder, { 'ill/cyd/notes.txt': '', 'ill/dan/notes.md': '' });
    const { code, stdout } = await grade('ill', '--lessons', '03');
    expect(stdout).toMatch(/^cyd .* 0\/7 .*\ndan .* 0\/7 /m);
    expect(code).toBe(1);
    const { stderr } = await grade('ill');
    expect(stderr).toMatch(/^✗ There is no lesson in 2 submissions: .*\n {2}cyd: Nothing to check/);
  });

  test('with something that it cannot work with is refused in a line', async () => {
    const refused = await grade('again', '--resume', 'junit.xml');
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toMatch(/^✗ \S*junit.xml was not written by this command: .*\n$/);
  });

  test.each([
    ['--report', 'places/file.ts', /EEXIST|ENOTDIR/],
    ['--resume', 'nowhere/kept.json', /ENOENT/],
    ['--junit', 'places', /it is a folder/],
  ])('with %s %s is refused in a line, before it checks', async (option, place, why) => {
    writeFiles(folder, { 'places/file.ts': right });
    const refused = await grade('places', option, place);
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toMatch(/^✗ .* cannot be written: .*\n$/);
    expect(refused.stderr).toMatch(why);
  });

  test.skipIf(process.platform === 'win32')(
    'that is broken off leaves nothing but what it has kept',
    async () => {
      writeFiles(folder, { 'endless/sending.ts': ENDLESS });
      const args = [join(folder, 'endless'), '--resume', join(folder, 'endless.json')];
      const child = spawn(process.execPath, [LAUNCH, scriptOf('grade'), ...args], {
        cwd: ROOT,
        env: { ...ENV, TMPDIR: folder },
      });
      const copy = () =>
        readdirSync(folder).find((name) => name.startsWith('websocket-101-grade-'));
      const running = () => execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' });
      await expect
        .poll(() => running().includes(`${copy()}/1/run`), { timeout: MOST_MS })
        .toBe(true);
      child.kill('SIGINT');
      const { code, output } = await outcomeOf(child);
      expect(code).toBe(130);
      expect(output).toMatch(/^0 of 1 are kept in \S*endless.json: the same command goes on/m);
      expect(copy()).toBeUndefined();
      await expect.poll(() => running().includes(`${folder}/websocket`)).toBe(false);
    },
  );
});

describe('lesson 05', () => {
  const server = LESSONS.find(({ number }) => number === '05') as Lesson;
  const serverStub = makeStub(referenceOf(server), server.number);

  test('is made of what passes, and the reference stands in for the rest', async () => {
    // It uses what a stub does not have.
    const uses = [
      "import { acceptKey as accept } from '../01-handshake/handshake.ts';",
      "import { mine } from '../03-sending-frames/sending.ts';",
      "accept('key');",
      'console.log(mine);',
    ];
    writeFiles(join(folder, 'five'), {
      'server.ts': `${uses.join('\n')}\n${serverStub}`,
      'handshake.ts': stub,
      'sending.ts': `${referenceOf(sending)}\nexport const mine = 'mine';\n`,
    });
    const result = lessonOf(read(await grade('five', '--json', '--lessons', '05')), 'five');
    expect(result).toMatchObject({
      state: 'partly',
      reference: ['01', '02', '04'],
      typeErrors: [],
    });
    expect(result.steps[0]?.output).toBe('mine\n');
  });

  test('says so for each, also where the same bytes are known from another', async () => {
    writeFiles(join(folder, 'same'), {
      'ada/server.ts': serverStub,
      'ada/sending.ts': referenceOf(sending),
      'bob/server.ts': serverStub,
    });
    const args = ['same', '--json', '--lessons', '05', '--resume', 'same.json'];
    for (const graded of [await grade(...args), await grade(...args)]) {
      const students = read(graded);
      expect(lessonOf(students, 'ada').reference).toEqual(['01', '02', '04']);
      expect(lessonOf(students, 'bob').reference).toEqual(['01', '02', '03', '04']);
    }
  });
});

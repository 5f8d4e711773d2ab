import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { confirm } from '../shared/ask.ts';
import { diffLines, hunksOf } from '../shared/diff.ts';
import { fileOf, LESSONS, type Lesson } from '../shared/lessons.ts';
import { type Outcome, Sandbox } from './harness/sandbox.ts';

const closing = LESSONS[3] as Lesson;
const yours = fileOf({ side: 'lessons', lesson: closing });

describe('the lines of a diff', () => {
  const diff = (before: string, after: string) =>
    diffLines([...before], [...after]).map(({ mark, text }) => mark + text);

  test.each([
    ['abc', 'abc', [' a', ' b', ' c']],
    ['abc', 'axc', [' a', '-b', '+x', ' c']],
    ['', 'ab', ['+a', '+b']],
    ['ab', '', ['-a', '-b']],
    ['abcd', 'bcde', ['-a', ' b', ' c', ' d', '+e']],
    ['aab', 'ab', [' a', '-a', ' b']],
    ['', '', []],
  ])('%j against %j', (before, after, expected) => {
    const lines = diff(before, after);
    expect(lines.toSorted()).toEqual(expected.toSorted());
    const side = (mark: string) =>
      lines.filter((line) => line[0] === ' ' || line[0] === mark).map((line) => line[1]);
    expect(side('-').join('')).toBe(before);
    expect(side('+').join('')).toBe(after);
  });

  test('near changes share a hunk, with three lines around, and far ones do not', () => {
    const headers = (before: string, after: string) =>
      hunksOf(diffLines([...before], [...after])).map(({ header }) => header);
    expect(headers('abcdefghijklmnop', 'abcdeXghijklmnop')).toEqual(['@@ -3,7 +3,7 @@']);
    expect(headers('abcdefghijklmnop', 'aXcdefghYjklmnop')).toEqual(['@@ -1,12 +1,12 @@']);
    expect(headers('abcdefghijklmnop', 'aXcdefghijkYmnop')).toEqual([
      '@@ -1,5 +1,5 @@',
      '@@ -9,7 +9,7 @@',
    ]);
    expect(headers('abcdefgh', 'abcdefghij')).toEqual(['@@ -6,3 +6,5 @@']);
    expect(headers('', 'ab')).toEqual(['@@ -0,0 +1,2 @@']);
    expect(headers('abc', 'abc')).toEqual([]);
  });
});

describe('a question', () => {
  test.each([
    ['y\n', true],
    ['Yes\r\n', true],
    ['\n', false],
    ['n\n', false],
    ['yesterday\n', false],
    ['', false],
  ])('%j is %j', async (typed, expected) => {
    const [input, output] = [new PassThrough(), new PassThrough()];
    const answer = confirm('Really?', input, output);
    input.end(typed);
    expect(await answer).toBe(expected);
    // At the end of the input, readline ends the line in some versions of Node, in others not.
    const asked = String(output.read());
    expect(typed === '' ? asked.trimEnd() : asked).toBe(
      typed === '' ? 'Really? [y/N]' : 'Really? [y/N] ',
    );
  });
});

describe.concurrent('npm run diff', () => {
  let sandbox: Sandbox;
  beforeAll(() => {
    sandbox = new Sandbox();
  });
  afterAll(() => sandbox.remove());

  test('shows nothing of the reference while the lesson is open', async () => {
    expect(await sandbox.run('diff', '04')).toEqual({
      code: 2,
      output:
        '✗ Lesson 04 is not finished. To see the reference anyway: npm run diff 04 -- --yes\n',
    });
  });

  test('shows it with --yes, each side under its name', async () => {
    const { code, output } = await sandbox.run('diff', '04', '--yes');
    expect(code).toBe(0);
    const lines = output.split('\n');
    expect(lines[0]).toMatch(/^--- lessons\/04-closing\/closing\.ts +yours$/);
    expect(lines[1]).toMatch(/^\+\+\+ solutions\/04-closing\/closing\.ts +the reference$/);
    expect(lines[2]).toMatch(/^@@ -\d+,\d+ \+\d+,\d+ @@$/);
    expect(lines).toContain("-  throw new Todo('04.2');");
    expect(lines).toContain('+  if (code >= 3000 && code <= 4999) return true;');
    const marks = lines.slice(2, -1).map((line) => line[0]);
    expect(marks.filter((mark) => !' -+@'.includes(mark ?? '?'))).toEqual([]);
  });

  test('asks a person, and takes no for an answer', async () => {
    const question = 'Lesson 04 is not finished. Show the reference anyway? [y/N] ';
    const yes = await atTerminal(sandbox, 'y\n');
    expect(yes.output).toContain(question);
    expect(yes.output).toContain('+++ solutions/04-closing/closing.ts');
    for (const typed of ['\n', '']) {
      const no = await atTerminal(sandbox, typed);
      expect(no.code).toBe(0);
      expect(no.output).toContain(question);
      expect(no.output).toContain('Not shown. A hint may do: npm run hint 04.1');
      expect(no.output).not.toContain('+++');
    }
  });

  test('does not ask when the lesson is done', async () => {
    const own = new Sandbox();
    own.write(yours, `// Mine.\n${own.solution(closing)}`);
    const done = await own.run('diff', '04');
    expect(done.code).toBe(0);
    expect(done.output.split('\n').slice(2, 6)).toEqual([
      '@@ -1,4 +1,3 @@',
      '-// Mine.',
      ...own
        .solution(closing)
        .split('\n')
        .slice(0, 2)
        .map((line) => ` ${line}`),
    ]);
    own.remove();
  });

  test('says so when there is no difference, whatever the line ends', async () => {
    const own = new Sandbox();
    own.write(yours, own.solution(closing).replaceAll('\n', '\r\n'));
    expect(await own.run('diff', '04')).toEqual({
      code: 0,
      output: `${yours} is the same as the reference.\n`,
    });
    own.remove();
  });

  test('a file that does not load is not finished', async () => {
    const own = new Sandbox();
    own.write(yours, 'export function (\n');
    const run = await own.run('diff', '04');
    expect(run).toMatchObject({ code: 2 });
    expect(run.output).toContain('Lesson 04 is not finished.');
    expect((await own.run('diff', '04', '--yes')).output).toContain('\n-export function (\n');
    rmSync(join(own.folder, yours));
    for (const args of [['04'], ['04', '--yes']]) {
      expect(await own.run('diff', ...args)).toEqual({
        code: 2,
        output: `✗ ${yours} is missing. Get a fresh one: npm run reset 04\n`,
      });
    }
    own.remove();
  });

  test.each([
    [[], /^✗ Say which lesson to compare: npm run diff 02\n$/],
    [['--yes'], /^✗ Say which lesson to compare: npm run diff 02\n$/],
    [['01', '02'], /^✗ Say which lesson to compare: npm run diff 02\n$/],
    [['9'], /^✗ There is no lesson "9"; name one of 01-handshake.*\n$/],
  ])('%j is one clear message', async (args, message) => {
    const run = await sandbox.run('diff', ...args);
    expect(run.code).toBe(2);
    expect(run.output).toMatch(message);
  });
});

/** Runs `npm run diff 04` as if a person sat there and typed. */
function atTerminal({ folder }: Sandbox, typed: string): Promise<Outcome> {
  const pretend = 'data:text/javascript,process.stdin.isTTY=true';
  const script = join(folder, 'shared', 'commands', 'diff.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', '--import', pretend, script, '04'], {
    cwd: folder,
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  child.stdin.end(typed);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
  });
}

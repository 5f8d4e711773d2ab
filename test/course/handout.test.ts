/** A handout: what is in it, that it works, and that it checks as the course does. */
import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { fileOf, findTarget, LESSONS, type Lesson, ROOT } from '../../shared/course/lessons.ts';
import { readSeal } from '../../shared/course/seal.ts';
import { makePartial, makeStub } from '../../shared/course/stub.ts';
import { ENV, LAUNCH, type Outcome, outcomeOf, Shell, scriptOf, withSandbox } from './sandbox.ts';

/** What is handed out. The others are 03, which stands between them, and 05. */
const NUMBERS = ['01', '02', '04'];
const lessons = LESSONS.filter(({ number }) => NUMBERS.includes(number));
const solutionOf = (lesson: Lesson) =>
  readFileSync(join(ROOT, fileOf({ side: 'solutions', lesson })), 'utf8');

/** The handout, as students get it, with the packages installed. */
let folder: string;
let made: Outcome;
beforeAll(async () => {
  folder = join(mkdtempSync(join(inject('sandboxes'), 'handout-')), 'class');
  const words = ['--lessons', '4,01-02', '--out', folder];
  made = await start(ROOT, process.execPath, LAUNCH, scriptOf('handout'), ...words);
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'), 'junction');
});

/** Runs a program in a folder, to its end. */
function start(cwd: string, program: string, ...args: readonly string[]): Promise<Outcome> {
  const env = { ...ENV, GITHUB_STEP_SUMMARY: join(folder, 'summary.md'), INIT_CWD: cwd };
  return outcomeOf(spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] }));
}

const read = (path: string) => readFileSync(join(folder, path), 'utf8');

/** Lists the files of the handout, with `/` on every system. */
function files(): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) =>
      join(parentPath, name)
        .slice(folder.length + 1)
        .replaceAll('\\', '/'),
    )
    .filter((path) => !path.startsWith('node_modules/'));
}

describe('a handout', () => {
  test('is made by one command, which says what to do with it', () => {
    expect(made.code, made.output).toBe(0);
    expect(made.output).toContain('01 Handshake, 02 Reading frames, 04 Closing.\n');
    expect(made.output).toContain('git init');
  });

  test('has the lessons that were asked for, as stubs, and their checks', () => {
    const names = lessons.map(({ name }) => name);
    expect(readdirSync(join(folder, 'lessons'))).toEqual(names);
    expect(readdirSync(join(folder, 'test')).sort()).toEqual(['specs', 'vectors']);
    expect(readdirSync(join(folder, 'test/specs')).sort()).toEqual(
      names.flatMap((name) => [name, `${name}.ts`]),
    );
    for (const lesson of lessons) {
      const stub = makeStub(solutionOf(lesson), lesson.number);
      expect(read(fileOf({ side: 'lessons', lesson }))).toBe(stub);
    }
  });

  test('has no code of a solution, and none of the rooms that prove the course', () => {
    const sources = files().filter((path) => path.endsWith('.ts'));
    const text = sources.map(read).join('\n');
    for (const lesson of LESSONS) {
      const stub = makeStub(solutionOf(lesson), lesson.number);
      expect(read(fileOf({ side: 'solutions', lesson }))).toBe(stub);
      const own = solutionOf(lesson)
        .split('\n')
        .map((line) => line.trim())
        .filter((line) => line.length > 45 && !stub.includes(line));
      expect(own.length).toBeGreaterThan(5);
      // What reads frames to draw them may have a line that looks the same.
      const shared = own.filter((line) => text.includes(line));
      expect(shared.length, shared.join('\n')).toBeLessThan(own.length / 5);
    }
    const tops = ['.editorconfig', '.gitattributes', '.gitignore', 'LICENSE', 'README.md'];
    const made = [
      'package-lock.json',
      'package.json',
      'points.json',
      'tsconfig.json',
      'node_modules',
    ];
    const rooms = ['.github', 'lessons', 'shared', 'solutions', 'test'];
    expect(readdirSync(folder).sort()).toEqual([...tops, ...made, ...rooms].sort());
    expect(existsSync(join(folder, 'shared/handout'))).toBe(false);
  });

  test('has all that it imports, and its types are right', async () => {
    const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
    expect(await start(folder, process.execPath, compiler, '--noEmit')).toEqual({
      code: 0,
      output: '',
    });
  });

  test('has the seal of its own checks, which are those of the course', () => {
    const seal = JSON.parse(read('shared/course/seal.json'));
    expect(seal).toEqual(readSeal(folder));
    expect(readSeal()).toMatchObject(seal);
  });

  test('can be installed: the packages are those of the lock', () => {
    const { devDependencies, scripts } = JSON.parse(read('package.json'));
    const lock = JSON.parse(read('package-lock.json'));
    expect(lock.packages[''].devDependencies).toEqual(devDependencies);
    for (const script of Object.values<string>(scripts)) {
      for (const path of script.split(' ').slice(1)) {
        expect(existsSync(join(folder, path)), path).toBe(true);
      }
    }
  });

  test('names in its texts what is there', () => {
    const { scripts } = JSON.parse(read('package.json'));
    const readme = read('README.md');
    const named = [...readme.matchAll(/npm (?:run )?(?!ci\b)([a-z]+)/g)].map(([, it = '']) => it);
    expect(Object.keys(scripts)).toEqual(expect.arrayContaining(named));
    expect(readme.match(/^\| \d\d .*$/gm)).toHaveLength(lessons.length);
    // Without lesson 05, there is nothing to serve.
    expect(readme).not.toContain('npm run serve');
    for (const path of files().filter((path) => path.endsWith('.md'))) {
      for (const [, link = ''] of read(path).matchAll(/\]\((?!https:|#)([^)#\s]+)/g)) {
        expect(existsSync(join(folder, dirname(path), link)), `${path}: ${link}`).toBe(true);
      }
    }
    expect(read('lessons/02-reading-frames/README.md')).toContain('in 03 · Sending frames it');
  });
});

/** What students may have: one lesson is right, one half done, and one wrong, with a wrong type. */
function works(): [path: string, source: string][] {
  const { lesson: wrong } = findTarget('02');
  const { lesson: half } = findTarget('04');
  return lessons.map((lesson) => {
    const solution = solutionOf(lesson);
    const source =
      lesson === half
        ? makePartial(solution, half.number, 3)
        : lesson === wrong
          ? `${solution.replace('opcode: first & 0x0f,', 'opcode: 1,')}export const n: number = '';\n`
          : solution;
    return [fileOf({ side: 'lessons', lesson }), source];
  });
}

/** The steps of the workflow that run something of ours: each with its script. */
function workflow(): string[] {
  const steps = read('.github/workflows/check.yml').matchAll(
    /^ {8}run: (?:\|\n((?: {10}.*\n)+)|(.*)\n)/gm,
  );
  return [...steps].map(([, block = '', line = block]) => line.replace(/^ {10}/gm, ''));
}

describe.skipIf(process.platform === 'win32')('the work of students', () => {
  beforeAll(() => {
    for (const [path, source] of works()) writeFileSync(join(folder, path), source);
  });

  test('is checked as in the course, and what is half done leaves the workflow green', async () => {
    const [count = '', check = ''] = workflow();
    const points = await start(folder, 'bash', '-e', '-c', count);
    expect(points.code, points.output).toBe(0);
    expect(read('summary.md')).toMatch(/^\| \S+ \| 6\/6 \| 1\/9 \| 3\/7 \| 10\/22 \|/m);

    const here = await start(folder, 'bash', '-e', '-c', check);
    expect(here.output).toContain('All 6 steps pass');
    await withSandbox(async (sandbox) => {
      for (const [path, source] of works()) sandbox.write(path, source);
      const there = await sandbox.run('test', ...NUMBERS);
      // All is the same, but for where to see the reference.
      const output = there.output.replace(/^(Try it|Compare) .*\n/gm, '');
      expect(here).toEqual({ code: 0, output });
      expect(there.code).toBe(1);
      expect(there.output).not.toBe(output);
    });
  });

  test('turns the workflow red when somebody has changed a check', async () => {
    const path = 'test/vectors/accept.ts';
    const source = read(path);
    writeFileSync(join(folder, path), `${source}// Easier.\n`);
    for (const script of workflow()) {
      const { code, output } = await start(folder, 'bash', '-e', '-c', script);
      expect(code).not.toBe(0);
      expect(output).toContain(`✗ ${path} is not as it came`);
    }
    writeFileSync(join(folder, path), source);
  });
});

describe('without solutions', () => {
  let shell: Shell;
  beforeAll(() => {
    shell = new Shell(folder);
  });
  const gone = 'is not in this handout. Ask your instructor for it.';
  test.each([
    [['diff', '01'], `The solution of lesson 01 ${gone}`],
    [['reset', '01', '--solution'], `The solution of lesson 01 ${gone}`],
    [['test', 'solutions/01'], `The solution of lesson 01 ${gone}`],
    [['serve'], 'Lesson 05 is not in this handout, and it is the one that serves.'],
    [
      ['serve', '--solution'],
      'The solutions are not in this handout. Ask your instructor for them.',
    ],
    [
      ['test', '03'],
      'There is no lesson "03"; name one of 01-handshake, 02-reading-frames, 04-closing.',
    ],
  ])('%j says why it cannot', async ([command = '', ...args], message) => {
    expect(await shell.call(command, ...args)).toEqual({ code: 2, output: `✗ ${message}\n` });
  });

  test('the last hint does not send anybody there', async () => {
    const { code, output } = await shell.call('hint', '02.1.3');
    expect(code).toBe(0);
    expect(output).toMatch(/\nThat was the last\.\n\n$/);
  });

  test('a solution that is put there later is shown, and is the stub for reset as before', async () => {
    const { lesson } = findTarget('01');
    for (const side of ['lessons', 'solutions'] as const) {
      writeFileSync(join(folder, fileOf({ side, lesson })), solutionOf(lesson));
    }
    const { code, output } = await shell.call('diff', '01');
    expect(output).toContain('does what the reference does');
    expect(code).toBe(0);
    await shell.call('reset', '01');
    const stub = makeStub(solutionOf(lesson), lesson.number);
    expect(read(fileOf({ side: 'lessons', lesson }))).toBe(stub);
  });

  test('reset makes the stub again, and keeps the work', async () => {
    const path = fileOf(findTarget('04'));
    const work = `${read(path)}// My own.\n`;
    writeFileSync(join(folder, path), work);
    const { output } = await shell.call('reset', '04');
    expect(output).toBe(`${path} is the stub again. Your file is kept: ${path}.kept-1\n`);
    expect(read(path)).toBe(read(path.replace('lessons/', 'solutions/')));
    expect(read(`${path}.kept-1`)).toBe(work);
  });
});

describe('npm run handout refuses in one line', () => {
  test.each([
    [[], 'Say where to make it: npm run handout -- --out ../class'],
    [['--lessons', '05'], /^Lesson 05 is made of lessons 01 to 04\. .* --lessons 01-05$/],
    [['--lessons', '02,05'], /^Lesson 05 is made of lessons 01 to 04\. .* --lessons 01-05$/],
    [['--lessons', '02-05,08'], /^Lesson 05 .* --lessons 01-05$/],
    [['--lessons', '08'], /^Lesson 08 is made of lessons 01 to 05\. .* --lessons 01-05,08$/],
    [['--lessons', '04-02'], 'The list goes backwards: 04-02. Write 02-04'],
    [['--lessons', '01-99'], /^There is no lesson "99"; name one of 01-handshake, .*$/],
    [['--lessons', '01,,02'], /^There is no lesson ""; name one of 01-handshake, .*$/],
    [['--lessons', ''], /^There is no lesson ""; name one of 01-handshake, .*$/],
    [['extra'], /^Unexpected argument 'extra'\. See npm run handout -- --help$/],
  ])('%j', (args, message) =>
    withSandbox(async (sandbox) => {
      const out = args.includes('--lessons') ? ['--out', join(folder, '../other')] : [];
      const { code, output } = await sandbox.call('handout', ...args, ...out);
      expect(code, output).toBe(2);
      const said = /^✗ (.*)\n$/.exec(output)?.[1];
      expect(said).toEqual(typeof message === 'string' ? message : expect.stringMatching(message));
    }),
  );

  test('a folder with something in it, a file, and the course itself', () =>
    withSandbox(async (sandbox) => {
      const place = mkdtempSync(join(inject('sandboxes'), 'full-'));
      const file = join(place, 'notes.txt');
      writeFileSync(file, 'Mine.');
      for (const [out, what] of [
        [place, 'is not empty. A handout needs a folder of its own.'],
        [file, 'is a file. A handout needs a folder of its own.'],
        [sandbox.folder, 'is in the course itself. Take a folder beside it: --out ../class'],
        [
          join(sandbox.folder, 'out'),
          'is in the course itself. Take a folder beside it: --out ../class',
        ],
      ] as const) {
        const outcome = await sandbox.call('handout', '--out', out);
        expect(outcome).toEqual({ code: 2, output: `✗ ${out} ${what}\n` });
      }
      expect(readdirSync(place)).toEqual(['notes.txt']);
    }));
});

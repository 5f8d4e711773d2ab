import { spawn } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fileOf, LESSONS, type Lesson } from '../../shared/course/lessons.ts';
import { loadSpec } from '../../shared/harness/spec.ts';
import { countSteps } from './count-steps.ts';
import { ENV, LAUNCH, outcomeOf, type Sandbox, scriptOf, withSandbox } from './sandbox.ts';

const [first, reading, sending, , server] = LESSONS as [Lesson, Lesson, Lesson, Lesson, Lesson];
const yours = (lesson: Lesson) => fileOf({ side: 'lessons', lesson });

/** What the types of Node, or a strict setting, might not take. */
const EVERYDAY = `
enum Side {
  Ours,
  Theirs,
}
class Text {
  constructor(
    private readonly decoder: TextDecoder,
    readonly side = Side.Ours,
  ) {}
  read(encoder: TextEncoder): string {
    return this.decoder.decode(encoder.encode(Side[this.side]));
  }
}
if (new Text(new TextDecoder()).read(new TextEncoder()) !== 'Ours') throw new Error('It runs.');
`;

/** The marks of the steps, in order, such as `✓✓✗··`. */
function marks(output: string): string {
  return [...output.matchAll(/^ ([✓✗·]) \d/gm)].map(([, mark]) => mark).join('');
}

/** What was printed of each lesson. */
function parts(output: string): string[] {
  return output.split(/^(?=\d\d .* \d+\/\d+$|✗ )/m).slice(1);
}

async function expectStub(lesson: Lesson, output = ''): Promise<void> {
  const { steps } = await loadSpec(lesson.name);
  expect(marks(output)).toBe('·'.repeat(steps.length));
  for (const { title } of steps) expect(output).toContain(title);
  expect(output).toContain(`Lesson ${lesson.number}, step 1 is yours to write.`);
  expect(output).toContain(`Code      ${yours(lesson)}`);
}

describe.concurrent('npm test over a lesson', () => {
  test('and all the others: stubs are red, what is solved is green, and one says what it lacks', () =>
    withSandbox(async (sandbox) => {
      sandbox.solve('01', '02', '04');
      const { code, output } = await sandbox.call('test', 'lessons');
      expect(code).toBe(1);
      const [one, two, three, four, ...built] = parts(output);
      for (const part of [one, two]) expect(marks(part ?? '')).toMatch(/^✓+$/);
      await expectStub(sending, three);
      expect(four).toMatch(/lesson 04 is done\.[\s\S]+Next\s+lessons\/05-server\/README\.md/);
      expect(built).toHaveLength(LESSONS.filter(({ needs }) => needs).length);
      for (const part of built) {
        expect(part).toContain('lesson 03 does not pass yet');
        expect(part).toContain('step 1  The shortest text frame');
        expect(part).toContain('npm run reset 03 -- --solution');
      }

      expect((await sandbox.call('reset', '03', '--solution')).output).toContain(
        `${yours(sending)} is the reference now. Your file is kept: ${yours(sending)}.kept-1`,
      );
      const stub = await sandbox.call('test', '05');
      expect(stub.code).toBe(1);
      await expectStub(server, stub.output);

      // Nobody listens for the errors of the sockets.
      const deaf = sandbox.solution(server).replaceAll("socket.on('error', ignore);", '');
      sandbox.write(yours(server), deaf);
      const red = await sandbox.call('test', '05');
      expect(red.code).toBe(1);
      expect(marks(red.output)).toMatch(/^✓✓✓✓✓✗/);
      expect(red.output).toContain('Listen for the `error` of a socket from the start.');

      sandbox.write(yours(first), 'export {};\n');
      const empty = await sandbox.call('test', '05');
      sandbox.erase(yours(first));
      const missing = await sandbox.call('test', '05');
      for (const { code, output } of [empty, missing]) {
        expect(code).toBe(1);
        expect(output).toContain('lesson 01 does not pass yet');
      }
    }));

  test('and all the others: the references are green, in their places with TypeScript of every day', () =>
    withSandbox(async (sandbox) => {
      for (const lesson of LESSONS) {
        sandbox.write(yours(lesson), `${sandbox.solution(lesson)}\n${EVERYDAY}`);
      }
      sandbox.write(yours(server), `${EVERYDAY}\n${sandbox.solution(server)}`);
      const { code, output } = await sandbox.run('test', 'lessons');
      const counts = LESSONS.map(async ({ name }) => (await loadSpec(name)).steps.length);
      expect(parts(output).map(marks)).toEqual(
        (await Promise.all(counts)).map((count) => '✓'.repeat(count)),
      );
      expect(output).not.toMatch(/type error/);
      expect(code).toBe(0);

      const reference = await sandbox.call('test', 'solutions/04');
      expect(reference.output).toContain('04 Closing (reference)');
      expect(marks(reference.output)).toMatch(/^✓+$/);
      expect(reference.code).toBe(0);
    }));

  test('explains a wrong result with bytes in hex, never in decimal', () =>
    withSandbox(async (sandbox) => {
      const solution = sandbox.solution(sending);
      sandbox.write(yours(sending), solution.replace('(fin ? 0x80 : 0) |', '0x80 |'));
      const { code, output } = await sandbox.call('test', '03');
      expect(code).toBe(1);
      expect(marks(output)).toMatch(/^✗.✗/);
      expect(output).toContain('you returned  81 03 48 65 6c');
      expect(output).toContain('expected      01 03 48 65 6c');
      expect(output).toContain('byte 0 is 81, not 01');
      expect(output).toContain('FIN, the highest bit of the first byte, is wrong.');
      expect(output).not.toMatch(/Uint8Array|\[\s*129/);
    }));

  test('names the cause of a wrong accept value', () =>
    withSandbox(async (sandbox) => {
      const solution = sandbox.solution(first);
      sandbox.write(yours(first), solution.replace(".digest('base64')", ".digest('hex')"));
      const { output } = await sandbox.call('test', '01');
      expect(output).toContain('key           "dGhlIHNhbXBsZSBub25jZQ=="');
      expect(output).toContain('expected      "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="');
      expect(output).toContain('That is the hex digest. It has to be base64.');
    }));

  test('says how to get back a file that is missing', () =>
    withSandbox(async (sandbox) => {
      const stub = sandbox.read(yours(reading));
      sandbox.erase(yours(reading));
      const run = await sandbox.run('test', '02');
      expect(run.code).toBe(2);
      expect(run.output.trim()).toBe(
        '✗ lessons/02-reading-frames/reading.ts is missing. Get a fresh one: npm run reset 02',
      );
      expect((await sandbox.run('reset', '02')).code).toBe(0);
      expect(sandbox.read(yours(reading))).toBe(stub);
    }));
});

/** Checks that a command is refused with exit code 2 and one line. */
async function expectRefusal(
  sandbox: Sandbox,
  [command, ...args]: readonly [string, ...string[]],
  message: string | RegExp,
): Promise<void> {
  const { code, output } = await sandbox.call(command, ...args);
  expect(code, output).toBe(2);
  expect(output).toMatch(message);
  expect(output.trim().split('\n')).toHaveLength(1);
}

test.each([['test'], ['test', '01'], ['start'], ['diff', '01'], ['coverage']])(
  'a seed that is none is one clear message of %s %s',
  (command, ...names) =>
    withSandbox(async (sandbox) => {
      const words = [LAUNCH, scriptOf(command), ...names];
      const options = { cwd: sandbox.folder, env: { ...ENV, SEED: 'abc' } };
      expect(await outcomeOf(spawn(process.execPath, words, options))).toEqual({
        code: 2,
        output:
          '✗ SEED has to be a whole number of at most nine digits, such as SEED=7, not "abc".\n',
      });
    }),
);

test('bad input is one clear message', () =>
  withSandbox(async (sandbox) => {
    for (const [args, message] of [
      [['lessons/99'], /There is no lesson "lessons\/99"; name one of 01-handshake/],
      [['cooking'], 'There is no lesson "cooking"'],
      [['frames'], /fits more than one lesson; name one of 02-.*, 03-/],
      [['--quik'], "Unknown option '--quik'. See npm test -- --help"],
      [['--quick', '03'], '--quick is for the proof of the whole course, not for a lesson'],
      [
        ['--skip-traps', '03'],
        '--skip-traps is for the proof of the whole course, not for a lesson',
      ],
    ] as const) {
      await expectRefusal(sandbox, ['test', ...args], message);
    }
  }));

describe.concurrent('npm run reset', () => {
  test('keeps the work of the learner, every time', () =>
    withSandbox(async (sandbox) => {
      const file = yours(sending);
      const stub = sandbox.read(file);
      for (const number of [1, 2]) {
        sandbox.write(file, `// my work, ${number}\n${stub}`);
        const run = await sandbox.call('reset', '03');
        expect(run.code).toBe(0);
        expect(run.output).toContain(`Your file is kept: ${file}.kept-${number}`);
        expect(sandbox.read(file)).toBe(stub);
        expect(sandbox.read(`${file}.kept-${number}`)).toContain(`// my work, ${number}`);
      }
    }));

  test('loses nothing where it cannot write, and sets aside whatever is there', () =>
    withSandbox(async (sandbox) => {
      const file = yours(sending);
      const stub = sandbox.read(file);
      sandbox.write(file, `// my work\n${stub}`);
      // It is written here first: a folder in the way is like a full disk.
      mkdirSync(join(sandbox.folder, `${file}.new`));
      const refused = await sandbox.call('reset', '03');
      expect(refused).toEqual({
        code: 2,
        output: `✗ ${file} could not be reset: a folder is in the way. Nothing is lost: your file is still ${file}\n`,
      });
      expect(sandbox.read(file)).toBe(`// my work\n${stub}`);
      rmSync(join(sandbox.folder, `${file}.new`), { recursive: true });

      sandbox.erase(file);
      mkdirSync(join(sandbox.folder, file));
      for (const command of ['test', 'diff']) {
        const remedy = 'is a folder. Get a fresh one: npm run reset 03';
        await expectRefusal(sandbox, [command, '03'], `${file} ${remedy}`);
      }
      const { code, output } = await sandbox.call('reset', '03');
      expect(code, output).toBe(0);
      expect(output).toContain(`Your file is kept: ${file}.kept-1`);
      expect(sandbox.read(file)).toBe(stub);
    }));

  test('takes the option that npm has kept to itself', () =>
    withSandbox(async (sandbox) => {
      const typed = 'npm run reset 03 --solution';
      const options = { cwd: sandbox.folder, env: ENV, shell: true } as const;
      const { code, output } = await outcomeOf(spawn(typed, options));
      expect(code, output).toBe(0);
      expect(output).toContain(`${yours(sending)} is the reference now.`);
      expect(sandbox.read(yours(sending))).toBe(sandbox.solution(sending));
    }));

  test('leaves a stub alone, touches no solution, and wants to know which lesson', () =>
    withSandbox(async (sandbox) => {
      expect(await sandbox.call('reset', 'lessons/3')).toEqual({
        code: 0,
        output: `${yours(sending)} is the stub already.\n`,
      });
      expect(() => sandbox.read(`${yours(sending)}.kept-1`)).toThrow('ENOENT');
      await expectRefusal(sandbox, ['reset'], 'Say which lesson to reset');
      await expectRefusal(sandbox, ['reset', 'solutions/02'], 'A solution is not reset.');
    }));
});

describe.concurrent('npm start without a terminal', () => {
  test('shows the map and the next step, once', () =>
    withSandbox(async (sandbox) => {
      sandbox.solve('01');
      const { code, output } = await sandbox.run('start');
      expect(code).toBe(0);
      expect(output).toMatch(new RegExp(`WebSocket 101 +6/${await countSteps()}`));
      expect(output).toMatch(/✓ 01 {2}Handshake +██████ +6\/6/);
      expect(output).toMatch(/▸ 02 {2}Reading frames +░{9} +0\/9/);
      expect(output).toContain('Next      lesson 02, step 1: The first two bytes');
    }));

  test('refuses what it cannot show, and checks that are not its own', () =>
    withSandbox(async (sandbox) => {
      await expectRefusal(sandbox, ['start', '10'], 'There is no lesson "10"');
      await expectRefusal(sandbox, ['start', 'solutions/02'], 'Your lessons are watched');
      const mine = 'shared/kit/mine.ts';
      sandbox.write(mine, '');
      await expectRefusal(sandbox, ['start'], `${mine} did not come with the course`);
      sandbox.erase(mine);
      const vectors = 'test/vectors/accept.ts';
      sandbox.write(vectors, `${sandbox.read(vectors)}// mine\n`);
      const seal = 'shared/course/seal.json';
      const refusals = [`${vectors} is not as it came`, `${seal} is not as`, `${seal} is missing.`];
      for (const message of refusals) {
        await expectRefusal(sandbox, ['start'], message);
        await expectRefusal(sandbox, ['test', '01'], message);
        sandbox.write(seal, '{');
        if (message === refusals[1]) sandbox.erase(seal);
      }
    }));
});

import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fileOf, LESSONS, type Lesson } from '../shared/lessons.ts';
import { type Outcome, Sandbox } from './harness/sandbox.ts';
import { loadSpec } from './harness/spec.ts';

/** Each test has its own lesson to break, so that none waits for another. */
let sandbox: Sandbox;
beforeAll(() => {
  sandbox = new Sandbox();
});
afterAll(() => sandbox.remove());

const [first, reading, sending, closing, server] = LESSONS as [
  Lesson,
  Lesson,
  Lesson,
  Lesson,
  Lesson,
];
const yours = (lesson: Lesson) => fileOf({ side: 'lessons', lesson });

/** The marks of the steps, in order, such as `✓✓✗··`. */
function marks({ output }: Outcome): string {
  return [...output.matchAll(/^ ([✓✗·]) \d/gm)].map(([, mark]) => mark).join('');
}

describe.concurrent('npm test over a lesson', () => {
  test.each(LESSONS)('$number: the stub is red, the first step explained', async (lesson) => {
    const { steps } = await loadSpec(lesson.name);
    const own = new Sandbox();
    for (const needed of lesson.needs ?? []) own.solve(needed);
    const run = await own.run('test', `lessons/${lesson.number}`);
    own.remove();
    expect(run.code).toBe(1);
    expect(marks(run)).toBe('·'.repeat(steps.length));
    for (const { title } of steps) expect(run.output).toContain(title);
    expect(run.output).toContain(`Lesson ${lesson.number}, step 1 is yours to write.`);
    expect(run.output).toContain(`Code      ${yours(lesson)}`);
  });

  test.each(LESSONS)('$number: the reference is green', async (lesson) => {
    const { steps } = await loadSpec(lesson.name);
    const run = await sandbox.run('test', `solutions/${lesson.number}`);
    expect(marks(run)).toBe('✓'.repeat(steps.length));
    expect(run.code).toBe(0);
  });

  test('the solution in place of the stub turns that lesson green and no other', async () => {
    const own = new Sandbox();
    own.write(yours(reading), own.solution(reading));
    const runs = await Promise.all(LESSONS.map(({ number }) => own.run('test', number)));
    own.remove();
    expect(runs.map(({ code }) => code)).toEqual([1, 0, 1, 1, 1]);
    expect(runs[1]?.output).toMatch(
      /lesson 02 is done\.[\s\S]+Next:\s+lessons\/03-sending-frames\/README\.md/,
    );
  });

  test('a wrong result is explained with bytes in hex, never in decimal', async () => {
    const own = new Sandbox();
    const wrong = own.solution(sending).replace('(fin ? 0x80 : 0) | opcode', '0x80 | opcode');
    own.write(yours(sending), wrong);
    const run = await own.run('test', '03');
    own.remove();
    expect(run.code).toBe(1);
    expect(marks(run)).toMatch(/^✗✓✗/);
    expect(run.output).toContain('you returned  81 03 48 65 6c');
    expect(run.output).toContain('expected      01 03 48 65 6c');
    expect(run.output).toContain('byte 0 is 81, not 01');
    expect(run.output).toContain('FIN, the highest bit of the first byte, is wrong.');
    expect(run.output).not.toMatch(/Uint8Array|\[\s*129/);
  });

  test('a wrong accept value names its cause', async () => {
    const own = new Sandbox();
    own.write(yours(first), own.solution(first).replace(".digest('base64')", ".digest('hex')"));
    const run = await own.run('test', '01');
    own.remove();
    expect(run.output).toContain(
      'given         "dGhlIHNhbXBsZSBub25jZQ=="'.replace('given', 'key  '),
    );
    expect(run.output).toContain('expected      "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="');
    expect(run.output).toContain('That is the hex digest. It has to be base64.');
  });

  test('type errors are shown after the steps, and count', async () => {
    const own = new Sandbox();
    own.write(yours(closing), `${own.solution(closing)}\nconst wrong: number = 'text';\n`);
    const run = await own.run('test', '04');
    own.remove();
    expect(run.code).toBe(1);
    expect(marks(run)).toBe('✓✓✓✓✓✓✓');
    expect(run.output).toMatch(/lessons\/04-closing\/closing\.ts\(\d+,7\): error TS2322/);
  });

  test('what the code prints is shown', async () => {
    const own = new Sandbox();
    own.write(yours(closing), `console.log('here I am');\n${own.solution(closing)}`);
    const run = await own.run('test', '04');
    own.remove();
    expect(run.code).toBe(0);
    expect(run.output).toContain('here I am');
  });
});

describe.concurrent('npm test over a lesson that is made of others', () => {
  test('names the one that does not hold, and how to go on without it', async () => {
    const own = new Sandbox();
    for (const number of ['01', '02', '04', '05']) own.solve(number);
    const run = await own.run('test', '05');
    expect(run.code).toBe(1);
    expect(run.output).toContain('lesson 03 does not hold yet');
    expect(run.output).toContain('step 1  The shortest text frame');
    expect(run.output).toContain('npm run reset 03 -- --solution');
    expect((await own.run('reset', '03', '--solution')).output).toContain(
      `${yours(sending)} is the reference now. Your file is kept: ${yours(sending)}.kept-1`,
    );
    const green = await own.run('test', '05');
    expect(green.code).toBe(0);
    expect(marks(green)).toMatch(/^✓+$/);

    own.write(yours(first), 'export {};\n');
    expect((await own.run('test', '05')).output).toMatch(/lesson 01 does not hold yet/);
    rmSync(join(own.folder, yours(first)));
    expect((await own.run('test', '05')).output).toMatch(/lesson 01 does not hold yet/);
    own.remove();
  });

  test('a socket that nobody listens to for errors is told as what it is', async () => {
    const own = new Sandbox();
    for (const number of ['01', '02', '03', '04']) own.solve(number);
    const deaf = own.solution(server).replaceAll("socket.on('error', ignore);", '');
    own.write(yours(server), deaf);
    const run = await own.run('test', '05');
    own.remove();
    expect(run.code).toBe(1);
    expect(marks(run)).toMatch(/^✓✓✓✓✓✗/);
    expect(run.output).toContain('The code threw in a callback, where nobody catches it.');
    expect(run.output).toContain('ECONNRESET');
  });
});

describe.concurrent('bad input is one clear message', () => {
  test.each([
    [
      'an unknown lesson',
      'lessons/99',
      /There is no lesson "lessons\/99"; name one of 01-handshake/,
    ],
    ['a word that fits none', 'compression', /There is no lesson "compression"/],
    ['a word that fits two', 'frames', /fits more than one lesson; name one of 02-.*, 03-/],
  ])('%s', async (_, argument, message) => {
    const run = await sandbox.run('test', argument);
    expect(run.code).toBe(2);
    expect(run.output).toMatch(message);
    expect(run.output.trim().split('\n')).toHaveLength(1);
  });

  test('a missing file', async () => {
    const own = new Sandbox();
    rmSync(join(own.folder, yours(reading)));
    const run = await own.run('test', '02');
    expect(run.code).toBe(2);
    expect(run.output.trim()).toBe(
      '✗ lessons/02-reading-frames/reading.ts is missing. Get a fresh one: npm run reset 02',
    );
    expect((await own.run('reset', '02')).code).toBe(0);
    expect(marks(await own.run('test', '02'))).toBe('········');
    own.remove();
  });

  test('a file that does not parse', async () => {
    const own = new Sandbox();
    own.write(yours(reading), 'export function decodeFirstBytes( {\n');
    const run = await own.run('test', '02');
    own.remove();
    expect(run.code).toBe(1);
    expect(run.output).toContain('lessons/02-reading-frames/reading.ts does not parse');
    expect(run.output).toContain('npm run reset 02');
    expect(run.output).not.toMatch(/node_modules|at async/);
  });
});

describe.concurrent('npm run reset', () => {
  test('keeps the work of the learner, every time', async () => {
    const own = new Sandbox();
    const file = yours(sending);
    const stub = own.read(file);
    for (const number of [1, 2]) {
      own.write(file, `// my work, ${number}\n${stub}`);
      const run = await own.run('reset', '03');
      expect(run.code).toBe(0);
      expect(run.output).toContain(`Your file is kept: ${file}.kept-${number}`);
      expect(own.read(file)).toBe(stub);
      expect(own.read(`${file}.kept-${number}`)).toContain(`// my work, ${number}`);
    }
    own.remove();
  });

  test('leaves a stub alone', async () => {
    const run = await sandbox.run('reset', 'lessons/3');
    expect(run).toMatchObject({ code: 0, output: `${yours(sending)} is the stub already.\n` });
    expect(existsSync(join(sandbox.folder, `${yours(sending)}.kept-1`))).toBe(false);
  });

  test('wants to know which lesson, and touches no solution', async () => {
    expect(await sandbox.run('reset')).toMatchObject({ code: 2 });
    expect(await sandbox.run('reset', 'solutions/02')).toMatchObject({ code: 2 });
  });
});

describe.concurrent('npm start without a terminal', () => {
  test('shows the map and the next step, once', async () => {
    const own = new Sandbox();
    own.write(yours(first), own.solution(first));
    const run = await own.run('start');
    own.remove();
    expect(run.code).toBe(0);
    expect(run.output).toMatch(/WebSocket 101 +5\/38/);
    expect(run.output).toMatch(/✓ 01 {2}Handshake +█████ +5\/5/);
    expect(run.output).toMatch(/▸ 02 {2}Reading frames +░{8} +0\/8/);
    expect(run.output).toContain('Next      lesson 02, step 1: The first two bytes');
  });

  test('refuses what it cannot show, and checks that are not its own', async () => {
    expect(await sandbox.run('start', '9')).toMatchObject({ code: 2 });
    expect(await sandbox.run('start', 'solutions/02')).toMatchObject({ code: 2 });
    const own = new Sandbox();
    own.write('test/vectors/accept.ts', `${own.read('test/vectors/accept.ts')}// mine\n`);
    const runs = [await own.run('start'), await own.run('test', '01')];
    own.remove();
    for (const { code, output } of runs) {
      expect(code).toBe(2);
      expect(output).toContain('test/vectors/accept.ts is not as it came');
    }
  });
});

import { type ChildProcess, fork } from 'node:child_process';
import { renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { fileOf, LESSONS, type Lesson } from '../shared/lessons.ts';
import { Sandbox } from './harness/sandbox.ts';

/** A learner who edits a file and presses keys, and what they see. */
class Learner {
  readonly sandbox = new Sandbox();
  readonly #lesson: Lesson;
  readonly #child: ChildProcess;
  screen = '';

  constructor(number = '01', rows = 40) {
    this.#lesson = LESSONS.find((lesson) => lesson.number === number) as Lesson;
    this.#child = fork(
      join(this.sandbox.folder, 'test', 'harness', 'drive.ts'),
      [number, String(rows)],
      { execArgv: ['--import', 'tsx'], env: { ...process.env, NO_COLOR: '1' } },
    );
    this.#child.on('message', (screen: string) => {
      this.screen = screen;
    });
  }

  get file(): string {
    return fileOf({ side: 'lessons', lesson: this.#lesson });
  }

  get solution(): string {
    return this.sandbox.solution(this.#lesson);
  }

  save(text: string): void {
    this.sandbox.write(this.file, text);
  }

  press(key: string): void {
    this.#child.send(key);
  }

  /** Waits until the screen shows something. */
  async sees(text: string | RegExp): Promise<void> {
    const found = () =>
      typeof text === 'string' ? this.screen.includes(text) : text.test(this.screen);
    await expect
      .poll(
        async () => {
          if (!found()) await new Promise<void>((resolve) => void setTimeout(resolve, 20));
          return found() || this.screen;
        },
        { timeout: 30_000 },
      )
      .toBe(true);
  }

  /** Waits until the process has ended. Returns its exit code. */
  ended(): Promise<number | null> {
    if (this.#child.exitCode !== null) return Promise.resolve(this.#child.exitCode);
    return new Promise((resolve) => this.#child.once('exit', resolve));
  }

  remove(): void {
    this.#child.kill();
    this.sandbox.remove();
  }
}

let learner: Learner;
afterEach(() => learner.remove());

const RIGHT = "return createHash('sha1').update(key + GUID).digest('base64');";
const HEX = RIGHT.replace('base64', 'hex');
const withStep1 = (stub: string, body: string) => stub.replace("throw new Todo('01.1');", body);

test('from red to green by saving, with every key', async () => {
  learner = new Learner();
  const stub = learner.sandbox.read(learner.file);
  await learner.sees('Lesson 01, step 1 is yours to write.');
  expect(learner.screen).toContain('course 0/38');

  learner.save(withStep1(stub, HEX));
  await learner.sees('That is the hex digest. It has to be base64.');
  learner.save(withStep1(stub, RIGHT));
  await learner.sees('✓ 1  The accept key');
  await learner.sees('course 1/38');

  learner.press('h');
  await learner.sees('Hint 1 of 3');
  learner.press('h');
  await learner.sees('Hint 2 of 3');
  learner.press('x');
  await learner.sees('1 of 5 steps hold.');

  learner.press('l');
  await learner.sees('▸ 01  Handshake        █░░░░        1/5');
  learner.press('3');
  await learner.sees('03 Sending frames');
  learner.press('n');
  await learner.sees('04 Closing');
  learner.press('l');
  learner.press('1');
  await learner.sees('1 of 5 steps hold.');

  learner.press('d');
  await learner.sees('Lesson 01 is not finished. Show the reference anyway? [y/N]');
  learner.press('n');
  await learner.sees('h hint');
  expect(learner.screen).not.toContain('parseHeader');

  learner.save(learner.solution);
  await learner.sees('All 5 steps hold: lesson 01 is done. You can turn');
  learner.press('d');
  await learner.sees('Any key: back to the steps.');
  learner.press('x');
  learner.press('h');
  await learner.sees('every step holds');

  learner.press('r');
  await learner.sees('Start lesson 01 afresh? Your file is kept beside it. [y/N]');
  learner.press('y');
  await learner.sees(`Your file is kept: ${learner.file}.kept-1`);
  await learner.sees('Lesson 01, step 1 is yours to write.');
  expect(learner.sandbox.read(`${learner.file}.kept-1`)).toBe(learner.solution);

  learner.press('q');
  expect(await learner.ended()).toBe(0);
  expect(learner.screen).toBe('closed');
});

test('no save is lost: not in quick succession, not during a run, not by renaming', async () => {
  learner = new Learner('03');
  await learner.sees('Lesson 03, step 1');
  for (let i = 0; i < 20; i++) learner.save(`// save ${i}\n${learner.solution}`);
  learner.save('export const nothing = 1;\n');
  await learner.sees('The file exports no `encodeFrame`.');

  // An endless loop, and its correction while the check still runs.
  learner.save(learner.solution.replace('  let size = 0;\n', '  for (;;);\n'));
  await learner.sees('checking');
  learner.save(learner.solution);
  await learner.sees('All 7 steps hold');

  const path = join(learner.sandbox.folder, learner.file);
  learner.sandbox.write(`${learner.file}.new`, 'export function broken( {');
  renameSync(`${path}.new`, path);
  await learner.sees('does not parse');

  rmSync(path);
  await learner.sees('is missing. Press r for a fresh one.');
  learner.press('r');
  learner.press('y');
  await learner.sees('Lesson 03, step 1');
  learner.press('\u0003');
  expect(await learner.ended()).toBe(0);
});

test('a README that is gone is said, and the session goes on', async () => {
  learner = new Learner();
  await learner.sees('Lesson 01, step 1');
  rmSync(join(learner.sandbox.folder, 'lessons', '01-handshake', 'README.md'));
  learner.press('h');
  await learner.sees('lessons/01-handshake/README.md is missing.');
  learner.press('l');
  await learner.sees('▸ 01  Handshake');
});

test('a small screen shows the failure first, and the rest with the arrows', async () => {
  learner = new Learner('02', 18);
  await learner.sees('Lesson 02, step 1');
  learner.save(
    learner.solution.replace(
      '    if (this.#received.length < payloadLength) return undefined;\n',
      '',
    ),
  );
  await learner.sees('✗ 4  A stream has no frames');
  expect(learner.screen).toContain('✓ steps 1–3 hold');
  expect(learner.screen).toContain('↑ ↓ for the rest');
  expect(learner.screen.split('\n')).toHaveLength(18);
  for (let i = 0; i < 30; i++) learner.press('j');
  await learner.sees('steps hold.');
  expect(learner.screen.split('\n')).toHaveLength(18);
});

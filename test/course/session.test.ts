import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { fileOf, LESSONS, type Lesson } from '../../shared/course/lessons.ts';
import { ENV, type Sandbox, withSandbox } from './sandbox.ts';

const CTRL_C = '\u0003';
/** How long anything may take before we say that it hangs. */
const HANG_MS = 30_000;

/** A learner who edits a file and presses keys, and what they see. */
class Learner {
  readonly sandbox: Sandbox;
  readonly #lesson: Lesson;
  readonly #child: ChildProcess;
  screen = '';

  constructor(sandbox: Sandbox, number: string, rows: number) {
    this.sandbox = sandbox;
    this.#lesson = LESSONS.find((lesson) => lesson.number === number) as Lesson;
    this.#child = fork(join(sandbox.folder, 'test', 'course', 'drive.ts'), [number, String(rows)], {
      execArgv: ['--import', 'tsx'],
      env: ENV,
    });
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
  async sees(text: string): Promise<void> {
    const look = () => {
      if (!this.screen.includes(text)) throw new Error(`Not seen: ${text}\n${this.screen}`);
    };
    await vi.waitFor(look, { timeout: HANG_MS, interval: 20 });
  }

  /** Waits until the process has ended. Returns its exit code. */
  async ended(): Promise<number | null> {
    const { exitCode, signalCode } = this.#child;
    if (exitCode === null && signalCode === null) await once(this.#child, 'exit');
    return this.#child.exitCode;
  }

  /** Ends the session, whatever it is doing. */
  async leave(): Promise<void> {
    const timer = setTimeout(() => this.#child.kill(), HANG_MS);
    if (this.#child.connected) this.press(CTRL_C);
    await this.ended();
    clearTimeout(timer);
  }
}

/** Starts a session, and ends it when everything has been done there. */
function session(
  { lesson, rows = 40 }: { readonly lesson: string; readonly rows?: number },
  act: (learner: Learner) => Promise<void>,
): Promise<void> {
  return withSandbox(async (sandbox) => {
    const learner = new Learner(sandbox, lesson, rows);
    try {
      await act(learner);
    } finally {
      await learner.leave();
    }
  });
}

const RIGHT = "return createHash('sha1').update(key + GUID).digest('base64');";
const HEX = RIGHT.replace('base64', 'hex');
const withStep1 = (stub: string, body: string) => stub.replace("throw new Todo('01.1');", body);

/** `h`, and any other key to go back. */
async function takeHints(learner: Learner): Promise<void> {
  learner.press('h');
  await learner.sees('Hint 1 of 3');
  learner.press('h');
  await learner.sees('Hint 2 of 3');
  learner.press('x');
  await learner.sees('1 of 5 steps holds.');
}

/** `l`, a number, and `n`. */
async function walkTheMap(learner: Learner): Promise<void> {
  learner.press('l');
  await learner.sees('▸ 01  Handshake        █░░░░        1/5');
  learner.press('3');
  await learner.sees('03 Sending frames');
  learner.press('n');
  await learner.sees('04 Closing');
  learner.press('l');
  learner.press('1');
  await learner.sees('1 of 5 steps holds.');
}

/** `d`, which asks first as long as the lesson is not finished. */
async function askForTheReference(learner: Learner): Promise<void> {
  learner.press('d');
  await learner.sees('Lesson 01 is not finished. Show the reference anyway? [y/N]');
  learner.press('n');
  await learner.sees('h hint');
  expect(learner.screen).not.toContain('the reference');

  learner.save(learner.solution);
  await learner.sees('All 5 steps hold: lesson 01 is done. You can turn');
  learner.press('d');
  await learner.sees('Any key: back to the steps.');
  learner.press('x');
  learner.press('h');
  await learner.sees('every step holds');
}

/** `r`, which keeps the learner's file. */
async function startAfresh(learner: Learner): Promise<void> {
  learner.press('r');
  await learner.sees('Start lesson 01 afresh? Your file is kept beside it. [y/N]');
  learner.press('y');
  await learner.sees(`Your file is kept:\n ${learner.file}.kept-1`);
  expect(learner.screen.split('\n')).toHaveLength(40);
  await learner.sees('Lesson 01, step 1 is yours to write.');
  expect(learner.sandbox.read(`${learner.file}.kept-1`)).toBe(learner.solution);
}

describe.concurrent('a session', () => {
  test('from red to green by saving, with every key', () =>
    session({ lesson: '01' }, async (learner) => {
      const stub = learner.sandbox.read(learner.file);
      await learner.sees('Lesson 01, step 1 is yours to write.');
      expect(learner.screen).toContain('course 0/38');

      learner.save(withStep1(stub, HEX));
      await learner.sees('That is the hex digest. It has to be base64.');
      learner.save(withStep1(stub, RIGHT));
      await learner.sees('✓ 1  The accept key');
      await learner.sees('course 1/38');

      await takeHints(learner);
      await walkTheMap(learner);
      await askForTheReference(learner);
      await startAfresh(learner);

      learner.press('q');
      expect(await learner.ended()).toBe(0);
      expect(learner.screen).toBe('closed');
    }));

  test('no save is lost, and what is gone is said', () =>
    session({ lesson: '03' }, async (learner) => {
      await learner.sees('Lesson 03, step 1');
      // In quick succession.
      for (let i = 0; i < 20; i++) learner.save(`// save ${i}\n${learner.solution}`);
      learner.save('export const nothing = 1;\n');
      await learner.sees('The file exports no `encodeFrame`.');

      // An endless loop, and its correction while the check still runs.
      learner.save(learner.solution.replace('  let size = 0;\n', '  for (;;);\n'));
      await learner.sees('checking');
      learner.save(learner.solution);
      await learner.sees('All 7 steps hold');

      // By renaming.
      const path = join(learner.sandbox.folder, learner.file);
      learner.sandbox.write(`${learner.file}.new`, 'export function broken( {');
      renameSync(`${path}.new`, path);
      await learner.sees('does not parse');

      learner.sandbox.erase(learner.file);
      await learner.sees('is missing. Press r for a fresh one.');
      learner.press('r');
      learner.press('y');
      await learner.sees('Lesson 03, step 1');

      learner.sandbox.erase('lessons/03-sending-frames/README.md');
      learner.press('h');
      await learner.sees('lessons/03-sending-frames/README.md is missing.');
      learner.press('l');
      await learner.sees('▸ 03  Sending frames');
      learner.press(CTRL_C);
      expect(await learner.ended()).toBe(0);
    }));

  test('a small screen shows the failure first, and the rest with the arrows', () =>
    session({ lesson: '02', rows: 18 }, async (learner) => {
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
    }));
});

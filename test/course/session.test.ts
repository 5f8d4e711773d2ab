import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, renameSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { fileOf, LESSONS, type Lesson, ROOT } from '../../shared/course/lessons.ts';
import { TYPESCRIPT } from '../../shared/process/children.ts';
import { CTRL_C, END, HOME } from '../../shared/session/keys.ts';
import { countSteps } from './count-steps.ts';
import { ENV, outcomeOf, type Sandbox, withSandbox } from './sandbox.ts';

/** What the footer says where there is nothing else to say. */
const KEYS = 'h hint  n next lesson  p previous  l list  d diff  r reset  q quit';
/** How long anything may take before we say that it hangs. */
const HANG_MS = 30_000;

/** A learner who edits a file and presses keys, and what they see. */
class Learner {
  readonly sandbox: Sandbox;
  readonly #lesson: Lesson;
  readonly #child: ChildProcess;
  /** What the screen has shown since the learner last did something. */
  #screens = [''];

  constructor(sandbox: Sandbox, number: string, rows: number) {
    this.sandbox = sandbox;
    this.#lesson = LESSONS.find((lesson) => lesson.number === number) as Lesson;
    this.#child = fork(join(sandbox.folder, 'test', 'course', 'drive.ts'), [number, String(rows)], {
      execArgv: [...TYPESCRIPT],
      env: ENV,
    });
    this.#child.on('message', (screen: string) => this.#screens.push(screen));
  }

  get screen(): string {
    return this.#screens.at(-1) as string;
  }

  get file(): string {
    return fileOf({ side: 'lessons', lesson: this.#lesson });
  }

  get solution(): string {
    return this.sandbox.solution(this.#lesson);
  }

  save(text: string): void {
    this.#looksAway();
    this.sandbox.write(this.file, text);
  }

  erase(): void {
    this.#looksAway();
    this.sandbox.erase(this.file);
  }

  press(key: string): void {
    this.#looksAway();
    // A session that is over reads no key.
    this.#child.send(key, () => {});
  }

  /** Waits until the screen shows something, if only for a moment. */
  async sees(text: string): Promise<void> {
    const look = () => {
      const at = this.#screens.findIndex((screen) => screen.includes(text));
      if (at === -1) throw new Error(`Not seen: ${text}\n${this.screen}`);
      this.#screens.splice(0, at);
    };
    await vi.waitFor(look, { timeout: HANG_MS, interval: 20 });
  }

  /** What comes of what the learner does now is on a later screen, or on this one. */
  #looksAway(): void {
    this.#screens.splice(0, this.#screens.length - 1);
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
  await learner.sees('1 of 6 steps passes.');
}

/** A hint that is open while its step turns green. */
async function solveOverAHint(learner: Learner, step1: string): Promise<void> {
  learner.press('h');
  await learner.sees('Hint 1 of 3');
  learner.save(step1);
  await learner.sees('✓ 1  The accept key');
  await learner.sees(`course 1/${await countSteps()}`);
}

/** `l`, a number, `n` and `p`. */
async function walkTheMap(learner: Learner): Promise<void> {
  learner.press('l');
  await learner.sees('▸ 01  Handshake        █░░░░░ ');
  learner.press('3');
  await learner.sees('03 Sending frames');
  learner.press('n');
  await learner.sees('04 Closing');
  learner.press('p');
  await learner.sees('03 Sending frames');
  learner.press('l');
  await learner.sees('Any other key: back to the steps.');
  learner.press('n');
  await learner.sees('03 Sending frames');
  learner.press('l');
  learner.press('1');
  await learner.sees('1 of 6 steps passes.');
  learner.press('p');
  await learner.sees('This is the first lesson.');
}

/** `d`, which asks first as long as the lesson is not finished. */
async function askForTheReference(learner: Learner): Promise<void> {
  learner.press('d');
  await learner.sees('Lesson 01 is not finished. Show the reference anyway? [y/N]');
  learner.press('n');
  await learner.sees('h hint');
  expect(learner.screen).not.toContain('the reference');

  learner.save(learner.solution);
  await learner.sees('All 6 steps pass: lesson 01 is done. You can turn');
  learner.press('d');
  await learner.sees('Any key: back to the steps.');
  learner.press('x');
  learner.press('h');
  await learner.sees('every step passes');
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
      await learner.sees(`course 0/${await countSteps()}`);

      learner.save(withStep1(stub, HEX));
      await learner.sees('That is the hex digest. It has to be base64.');
      await solveOverAHint(learner, withStep1(stub, RIGHT));
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
      await learner.sees('All 7 steps pass');

      // By renaming.
      const path = join(learner.sandbox.folder, learner.file);
      learner.sandbox.write(`${learner.file}.new`, 'export function broken( {');
      renameSync(`${path}.new`, path);
      await learner.sees('does not parse');

      learner.erase();
      await learner.sees('is missing. Press r for a fresh one.');
      learner.save(learner.solution);
      await learner.sees('All 7 steps pass');
      await learner.sees(KEYS);
      learner.erase();
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

  test('nothing is checked any more once it is over, even in the first moment', () =>
    session({ lesson: '02' }, async (learner) => {
      await learner.sees('Checking lessons/02-reading-frames/reading.ts …');
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
      expect(learner.screen).toContain('✓ steps 1–3 pass');
      expect(learner.screen).toContain('↑ ↓ for the rest');
      expect(learner.screen.split('\n')).toHaveLength(18);
      for (let i = 0; i < 30; i++) learner.press('j');
      await learner.sees('steps pass.');
      expect(learner.screen.split('\n')).toHaveLength(18);
      learner.press(HOME);
      await learner.sees('02 Reading frames');
    }));

  test('type errors below the screen are announced, and End goes there', () =>
    session({ lesson: '04', rows: 18 }, async (learner) => {
      learner.save(`${learner.solution}\nconst half: number = 'half';\n`);
      await learner.sees('watching closing.ts · 1 type error (End)');
      learner.press(END);
      await learner.sees("Type 'string' is not assignable to type 'number'.");
      learner.save(learner.solution);
      await learner.sees('lesson 04 is done');
      await learner.sees('watching closing.ts  ');
    }));

  test('a save goes to its lesson, and takes away what was said before', () =>
    session({ lesson: '04' }, async (learner) => {
      learner.save(learner.solution);
      await learner.sees('lesson 04 is done');
      learner.press('h');
      await learner.sees('every step passes');
      learner.save(`${learner.solution}\n`);
      await learner.sees(KEYS);

      learner.sandbox.solve('03');
      await learner.sees('All 7 steps pass: lesson 03 is done.');
      await learner.sees('watching sending.ts');
    }));
});

/** A terminal, as far as the first screen sees one. It says what mode it is in. */
const PRETEND = `data:text/javascript,
  process.stdin.isTTY = process.stdout.isTTY = true;
  process.stdin.setRawMode = () => process.stdout.write('No echo. ');`;

/** Loads the first screen alone, in a process that knows no TypeScript. Returns what it writes. */
async function firstScreen({ folder }: Sandbox, ...args: string[]): Promise<string> {
  const { start } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).scripts;
  const [, first = ''] = /^node \S+launch\.mjs (\S+\.js) /.exec(start) ?? [];
  const words = ['--import', PRETEND, first, ...args];
  const child = spawn(process.execPath, words, { cwd: folder, env: ENV });
  const { code, output } = await outcomeOf(child);
  expect(code, output).toBe(0);
  return output;
}

describe.concurrent('the first screen', () => {
  const PATHS = LESSONS.map((lesson) => fileOf({ side: 'lessons', lesson }));
  const [first = '', second = '', third = ''] = PATHS;
  const shown = (path: string) => `No echo. Checking ${path} …\n`;

  test('names the lesson that was saved last, of those that are begun', () =>
    withSandbox(async (sandbox) => {
      const saved = (path: string, seconds: number) =>
        utimesSync(join(sandbox.folder, path), seconds, seconds);
      for (const [i, path] of PATHS.entries()) saved(path, 1000 + i);
      expect(await firstScreen(sandbox)).toBe(shown(first));

      sandbox.solve('02', '03');
      saved(second, 3000);
      saved(third, 2000);
      saved(first, 4000);
      expect(await firstScreen(sandbox)).toBe(shown(second));
      saved(third, 5000);
      expect(await firstScreen(sandbox)).toBe(shown(third));
      sandbox.erase(third);
      expect(await firstScreen(sandbox)).toBe(shown(second));
    }));

  test('leaves the terminal alone where something else is asked for', () =>
    withSandbox(async (sandbox) => {
      expect(await firstScreen(sandbox, '--help')).toBe('');
      expect(await firstScreen(sandbox, '3')).toBe(shown(third));
    }));
});

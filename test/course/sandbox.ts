/** A copy of the project in a temporary folder, to run its commands in as a learner does. */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { inject } from 'vitest';
import { fileOf, LESSONS, type Lesson, ROOT } from '../../shared/course/lessons.ts';
import { makeStub } from '../../shared/course/stub.ts';
import { TYPESCRIPT } from '../../shared/process/children.ts';

/** What a command printed, and how it ended. */
export interface Outcome {
  readonly code: number | null;
  /** Both streams, as they came, without colour. */
  readonly output: string;
}

const COPIED = [
  'lessons',
  'solutions',
  'shared',
  'test',
  'package.json',
  'tsconfig.json',
  'vitest.config.ts',
];
/**
 * What every command runs with. The type checker ends before its garbage would matter. The options
 * of the npm that has started us, such as `--quick`, are not theirs.
 */
export const ENV: NodeJS.ProcessEnv = {
  ...Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_config_/i.test(name)),
  ),
  NO_COLOR: '1',
  FORCE_COLOR: undefined,
  GOGC: 'off',
};

/**
 * A statement that never ends. To the outside, that is an endless loop, but it leaves the processor
 * to the other tests.
 */
export const STANDSTILL = 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);';

/** The program that starts every command of ours, from the project's folder. */
export const LAUNCH = 'shared/commands/launch.mjs';

/** A statement that takes 20 milliseconds, and leaves the processor to the other tests. */
export const PAUSE = 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the sandboxes of a run are. It is gone when the run has ended. */
    sandboxes: string;
  }
}

/** Those that nobody works in. */
const free: Sandbox[] = [];

/**
 * Lends a sandbox in which every lesson is a stub. Those that come back are lent again: in a new
 * one, each module has to be translated again.
 */
export async function withSandbox<T>(act: (sandbox: Sandbox) => Promise<T>): Promise<T> {
  const sandbox = free.pop() ?? new Sandbox();
  try {
    return await act(sandbox);
  } finally {
    sandbox.restore();
    free.push(sandbox);
  }
}

export class Sandbox {
  readonly folder = mkdtempSync(join(inject('sandboxes'), 'sandbox-'));
  /** What has been written, other than lessons. */
  readonly #written = new Set<string>();
  #shell: Shell | undefined;

  /** Copies the project, with every lesson a stub again. */
  constructor() {
    for (const path of COPIED) this.#copy(path);
    symlinkSync(join(ROOT, 'node_modules'), join(this.folder, 'node_modules'), 'junction');
    this.#makeStubs();
  }

  /** Makes every lesson a stub again, and the rest what it was. */
  restore(): void {
    rmSync(join(this.folder, 'lessons'), { recursive: true });
    for (const path of ['lessons', ...this.#written]) {
      if (existsSync(join(ROOT, path))) this.#copy(path);
      else this.erase(path);
    }
    this.#written.clear();
    this.#makeStubs();
  }

  #copy(path: string): void {
    // What `npm run reset` has set aside for a learner is nothing to us.
    const filter = (source: string) => !source.includes('.kept-');
    cpSync(join(ROOT, path), join(this.folder, path), { recursive: true, filter });
  }

  #makeStubs(): void {
    for (const lesson of LESSONS) {
      const stub = makeStub(this.solution(lesson), lesson.number);
      this.write(fileOf({ side: 'lessons', lesson }), stub);
    }
  }

  /** Reads the reference of a lesson. */
  solution(lesson: Lesson): string {
    return this.read(fileOf({ side: 'solutions', lesson }));
  }

  /** Puts the references in the place of the stubs. A number has two digits. */
  solve(...numbers: readonly string[]): void {
    for (const lesson of LESSONS.filter(({ number }) => numbers.includes(number))) {
      this.write(fileOf({ side: 'lessons', lesson }), this.solution(lesson));
    }
  }

  read(path: string): string {
    return readFileSync(join(this.folder, path), 'utf8');
  }

  write(path: string, text: string | Uint8Array): void {
    if (!path.startsWith('lessons/')) this.#written.add(path);
    writeFileSync(join(this.folder, path), text);
  }

  /** Removes a file. */
  erase(path: string): void {
    rmSync(join(this.folder, path), { force: true });
  }

  /** Runs one of the course's commands, such as `test`, in a process of its own, to its end. */
  run(command: string, ...args: string[]): Promise<Outcome> {
    const child = spawn(process.execPath, [LAUNCH, scriptOf(command), ...args], {
      cwd: this.folder,
      env: ENV,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return outcomeOf(child);
  }

  /**
   * Runs a command in a process that stays for the next one: to start it is most of the work. One
   * at a time.
   */
  async call(command: string, ...args: string[]): Promise<Outcome> {
    this.#shell ??= new Shell(this.folder);
    return this.#shell.call(command, ...args);
  }
}

/** A process that runs commands of a project, one at a time. */
export class Shell {
  readonly #folder: string;
  readonly #child: ChildProcess;

  /** Starts it, in the folder of the project. */
  constructor(folder: string) {
    this.#folder = folder;
    this.#child = fork(join(ROOT, 'test', 'course', 'shell.ts'), {
      cwd: folder,
      env: ENV,
      execArgv: [...TYPESCRIPT],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
  }

  /** Runs a command to its end. */
  async call(command: string, ...args: readonly string[]): Promise<Outcome> {
    const answer = once(this.#child, 'message') as Promise<[Outcome]>;
    this.#child.send({ script: join(this.#folder, scriptOf(command)), args });
    const [outcome] = await answer;
    return outcome;
  }
}

/** The program behind one of the course's commands, from the project's folder. */
export function scriptOf(command: string): string {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const script = /^node \S+launch\.mjs (?:\S+\.js )?(\S+)$/.exec(scripts[command])?.[1];
  if (script === undefined) throw new Error(`npm run ${command} is no program of ours.`);
  return script;
}

/** Waits for a command to end. */
export function outcomeOf(child: ChildProcess): Promise<Outcome> {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
  });
}

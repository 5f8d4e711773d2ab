/** The processes of a benchmark, and which cores they are on. */
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { endChild, forkChild, runProgram, spawnChild } from '../process/children.ts';
import type { Failure, Kind, Order, Question } from './messages.ts';

/** Somebody who is measured. */
export interface Contestant {
  readonly kind: Kind;
  /** What it is called in a table. */
  readonly name: string;
  /** The URL of the module with a lesson's server. */
  readonly module?: string;
  /** The program that runs it. Absent: it is Node. */
  readonly program?: string;
}

/** A process that was asked has ended, or cannot do it. Its message is for people. */
export class ProcessError extends Error {
  override readonly name = 'ProcessError';
}

/** One of the processes. It answers what it is asked, one thing at a time. */
export class Process {
  readonly #child: ChildProcess;

  /** How it has ended. `undefined`: it runs. */
  #end: ProcessError | undefined;

  constructor(child: ChildProcess) {
    this.#child = child;
    child.once('exit', (code) => {
      this.#end = new ProcessError(`Its process ended with exit code ${code}.`);
    });
  }

  /** Returns what it says next. Throws `ProcessError` when it ends instead, or says why it cannot. */
  reply<T>(): Promise<T> {
    return new Promise((resolve, reject) => {
      const end = () => reject(this.#end);
      if (this.#end) end();
      this.#child.once('exit', end);
      this.#child.once('message', (message: T | Failure) => {
        this.#child.off('exit', end);
        const { failure } = message as Partial<Failure>;
        if (failure === undefined) resolve(message as T);
        else reject(new ProcessError(failure));
      });
    });
  }

  ask<T>(question: Order | Question | 'count'): Promise<T> {
    const reply = this.reply<T>();
    this.#child.send(question);
    return reply;
  }

  /** Keeps it on one core. */
  pinTo(core: number): void {
    runProgram('taskset', ['-a', '-c', '-p', String(core), String(this.#child.pid)]);
  }

  end(): void {
    endChild(this.#child);
  }
}

const NODE_OPTIONS = ['--expose-gc'];

/** Starts a server. It says on which port it listens. */
export function startServer({ kind, module = '', program }: Contestant): Process {
  if (program === undefined) {
    const url = new URL('server.ts', import.meta.url);
    return new Process(forkChild(url, [kind, module], NODE_OPTIONS));
  }
  const file = fileURLToPath(new URL('bun-server.ts', import.meta.url));
  const stdio = ['ignore', 'ignore', 'inherit', 'ipc'] as const;
  return new Process(spawnChild(program, [file], { stdio: [...stdio] }));
}

/** Starts what makes load. */
export function startLoad(): Process {
  return new Process(forkChild(new URL('load.ts', import.meta.url), []));
}

/** Lists the cores that we may use. Empty: the system does not let us choose. */
export function listCores(): number[] {
  const said = runProgram('taskset', ['-c', '-p', String(process.pid)]);
  const list = /: ([\d,-]+)\s*$/.exec(said)?.[1] ?? '';
  return list.split(',').flatMap((range) => {
    const [first, last = first] = range.split('-').map(Number);
    if (range === '' || first === undefined || last === undefined) return [];
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

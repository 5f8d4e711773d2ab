/** The processes that we start. Each ends with us at the latest, and with each all that it started. */
import {
  type ChildProcess,
  type ForkOptions,
  fork,
  type SpawnOptions,
  spawn,
  spawnSync,
} from 'node:child_process';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

/** What lets a process load TypeScript, as options of Node. */
export const TYPESCRIPT: readonly string[] = [
  '--import',
  new URL('typescript.mjs', import.meta.url).href,
];

const children = new Set<ChildProcess>();
process.once('exit', endChildren);

/**
 * Exits on Ctrl-C, on SIGTERM, and when the terminal is closed: by default, a signal ends a process
 * without its `exit` event. A command that listens for a signal itself ends when it wants to.
 */
export function exitOnSignals(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (process.listenerCount(signal) === 1) process.exit(128 + constants.signals[signal]);
    });
  }
}

/** A group of its own, so that what a child starts can be ended with it. Windows has no groups. */
const detached = process.platform !== 'win32';

/**
 * Starts a module of ours in a process of its own, with these options of Node. When we are killed,
 * `endWithParent` ends it.
 */
export function forkChild(
  module: URL,
  args: readonly string[],
  nodeOptions: readonly string[] = [],
  options: ForkOptions = {},
): ChildProcess {
  const env = { ...process.env, STARTED_BY: String(process.pid) };
  const execArgv = [...TYPESCRIPT, ...nodeOptions];
  return keep(fork(fileURLToPath(module), args, { ...options, execArgv, env, detached }));
}

/** Starts any other program. */
export function spawnChild(
  program: string,
  args: readonly string[],
  options: SpawnOptions,
): ChildProcess {
  return keep(spawn(program, args, { ...options, detached }));
}

/**
 * Starts any other program, and reads what it complains about. It is ended even when we are killed:
 * a process between us and it sees that nobody is at the other end of its standard input, and then
 * removes `folder`, if there is one.
 */
export function spawnKept(program: string, args: readonly string[], folder?: string): ChildProcess {
  const keeper = fileURLToPath(new URL('keeper.mjs', import.meta.url));
  return spawnChild(process.execPath, [keeper, program, ...args], {
    stdio: ['pipe', 'ignore', 'pipe'],
    env: { ...process.env, KEPT_FOLDER: folder },
  });
}

function keep(child: ChildProcess): ChildProcess {
  children.add(child);
  return child.once('exit', () => endChild(child));
}

/**
 * Runs a module of JavaScript with this on its standard input, and waits for its end, or until so
 * many milliseconds are over. Returns what it has written: of one that was ended, the beginning.
 */
export function runModule(module: string, input: string, timeoutMs: number): string {
  const options = { input, timeout: timeoutMs, killSignal: 'SIGKILL' } as const;
  const { stdout, error, signal } = spawnSync(process.execPath, [module], options);
  if (error && !signal) throw error;
  return stdout.toString();
}

/** Runs a small program of the system to its end. Returns what it has written. Empty: there is none. */
export function runProgram(program: string, args: readonly string[]): string {
  return spawnSync(program, args, { encoding: 'utf8' }).stdout ?? '';
}

/** Ends a child at once, and what it has started, even when it has ended itself. */
export function endChild(child: ChildProcess): void {
  children.delete(child);
  if (child.pid === undefined) return;
  try {
    if (detached) process.kill(-child.pid, 'SIGKILL');
    else child.kill('SIGKILL');
  } catch {
    // Nothing is left to end.
  }
}

/** Ends every child. */
export function endChildren(): void {
  for (const child of children) endChild(child);
}

/** Runs a lesson's checks in a process of their own, and survives whatever happens there. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { fileOf, type Target } from '../../shared/lessons.ts';
import type { Message } from './messages.ts';
import type { Failure, StepResult } from './run.ts';

/** How long one step, or loading the file, may take before it counts as endless. */
const PATIENCE_MS = 6000;
/** How much of what the code prints is kept, in characters. */
const MAX_OUTPUT = 2000;

/** What came out of a run. */
export interface Run {
  /** Why no step could run at all. `undefined`: the file was loaded. */
  readonly broken: Failure | undefined;
  readonly results: readonly StepResult[];
  /** What the code printed, cut when it is very much. */
  readonly output: string;
}

/** Runs all the steps over a target's file. Never throws for what that file does. */
export function supervise(target: Target): Promise<Run> {
  const child = fork(
    fileURLToPath(new URL('child.ts', import.meta.url)),
    [`${target.side}/${target.lesson.number}`],
    { execArgv: ['--import', 'tsx'], stdio: ['ignore', 'pipe', 'pipe', 'ipc'] },
  );

  let titles: readonly { title: string; section: string }[] = [];
  const failures = new Map<number, Failure | undefined>();
  let current = 0;
  let broken: Failure | undefined;
  let output = '';
  let timer: NodeJS.Timeout | undefined;

  const crash = (what: string, cause?: string): Failure => ({
    kind: 'crash',
    what,
    facts: [['file', fileOf(target)]],
    ...(cause && { cause }),
  });
  const breakOff = (failure: Failure) => {
    if (current === 0) broken ??= failure;
    else failures.set(current, failures.get(current) ?? failure);
  };
  const watch = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      const seconds = PATIENCE_MS / 1000;
      const what = current === 0 ? 'Loading the file' : 'The step';
      breakOff(
        crash(
          `${what} did not come to an end within ${seconds} seconds.`,
          'There may be a loop whose condition never becomes false, or a promise that nobody resolves.',
        ),
      );
      child.kill('SIGKILL');
    }, PATIENCE_MS);
  };

  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      if (output.length < MAX_OUTPUT) output += text.slice(0, MAX_OUTPUT - output.length);
    });
  }

  let done = false;
  child.on('message', (message: Message) => {
    watch();
    if (message.type === 'titles') titles = message.steps;
    if (message.type === 'started') current = message.number;
    if (message.type === 'finished') failures.set(message.number, message.failure);
    if (message.type === 'broken') broken = message.failure;
    if (message.type === 'late') breakOff(message.failure);
    if (message.type === 'done') done = true;
  });
  watch();

  return new Promise((resolve) => {
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (!done) {
        const how = signal ?? `exit code ${code}`;
        breakOff(
          crash(`The process ended before the steps did (${how}).`, 'Is there a `process.exit`?'),
        );
      }
      const results = titles.map(({ title, section }, i) => {
        const number = i + 1;
        const failure = failures.has(number) ? failures.get(number) : NOT_REACHED;
        return { number, title, section, ...(failure && { failure }) };
      });
      resolve({ broken, results, output });
    });
  });
}

const NOT_REACHED: Failure = {
  kind: 'todo',
  what: 'This step was not reached.',
  facts: [],
};

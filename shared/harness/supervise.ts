/** Runs a lesson's checks in a process of their own, and survives whatever happens there. */
import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileOf, type Lesson, neededBy, ROOT, type Target } from '../course/lessons.ts';
import { hasSolution } from '../course/solution.ts';
import { endChild, forkChild } from '../process/children.ts';
import { type Channel, channelOf } from './channel.ts';
import type { Fact } from './facts.ts';
import { NOT_REACHED, type Run, RunRecord } from './record.ts';
import { loadSpec } from './spec.ts';

/** How long nothing may be heard of a step, or of loading the file, before it counts as endless. */
const PATIENCE_MS = 5000;
/** On a busy machine it is more: so many times what our own process took to start. */
const PATIENCE_STARTS = 8;
/** How long our own process may take to start, in milliseconds: a guard for a busy machine. */
const START_MS = 30_000;
/** How long to wait for messages of a process that has ended, in milliseconds. */
const LAST_MESSAGES_MS = 2000;
/** How long a check may take as a whole, in milliseconds, where nobody says: it is watched. */
const LONGEST_MS = 3_600_000;
/** How much memory the code may take for its objects, in MiB. */
const MAX_HEAP_MIB = 512;

/** A process that has loaded the checks and waits to run them once. */
export interface Checker {
  /** Loads the file and runs its steps. Never throws for what that file does. */
  run(): Promise<Run>;
  /** Ends the process, and what it has started. */
  stop(): void;
}

/** Starts a process for one run, ahead of time. */
export function prepare(target: Target): Checker {
  const name = `${target.side}/${target.lesson.number}`;
  const memory = `--max-old-space-size=${MAX_HEAP_MIB}`;
  const child = forkChild(new URL('child.ts', import.meta.url), [name], [memory], {
    // What the process itself prints, such as that its memory is full, is of use only here.
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    serialization: 'advanced',
  });
  // What goes wrong with the process itself ends in its exit, and that is told.
  child.on('error', () => {});
  return {
    run: async () => {
      const held = await heldUp(target);
      if (held) endChild(child);
      // One that has not lived until now is replaced.
      const isThere = child.connected;
      return held ?? (isThere ? follow(child, channelOf(child), target) : prepare(target).run());
    },
    stop: () => endChild(child),
  };
}

/** The last run of each lesson that stands alone, and the source that it was a run of. */
const lastRuns = new Map<Lesson, { readonly source: string; readonly run: Promise<Run> }>();

/**
 * Runs all the steps over a target's file. Never throws for what that file does. A lesson that
 * stands alone, and whose file is as it was the last time, gives what it gave then: others build
 * on it, and ask again.
 */
export function supervise(target: Target): Promise<Run> {
  const { side, lesson } = target;
  if (side === 'solutions' || lesson.needs) return prepare(target).run();
  const file = join(ROOT, fileOf(target));
  const isFile = statSync(file, { throwIfNoEntry: false })?.isFile();
  const source = isFile ? readFileSync(file, 'utf8') : '';
  const last = lastRuns.get(lesson);
  if (last?.source === source) return last.run;
  const run = prepare(target).run();
  lastRuns.set(lesson, { source, run });
  return run;
}

/**
 * Says which of the lessons that this one builds on does not pass: until it does, a failure here
 * would be a riddle. `undefined`: they all do. The references are taken at their word.
 */
async function heldUp({ side, lesson }: Target): Promise<Run | undefined> {
  if (side === 'solutions' || !lesson.needs) return undefined;
  const builtOn = neededBy(lesson);
  const runs = await Promise.all(builtOn.map((lesson) => supervise({ side, lesson })));
  const at = runs.findIndex(({ broken, results }) => broken ?? results.some((it) => it.failure));
  const [first, run] = [builtOn[at], runs[at]];
  if (!first || !run) return undefined;

  const step = run.results.find(({ failure }) => failure);
  const { steps } = await loadSpec(lesson.name);
  const fact: Fact = run.broken
    ? ['it says', run.broken.what]
    : [`step ${step?.number}`, step?.title ?? ''];
  return {
    broken: {
      kind: 'check',
      what: `Lesson ${lesson.number} is made of your lessons ${builtOn[0]?.number} to ${builtOn.at(-1)?.number}, and lesson ${first.number} does not pass yet.`,
      facts: [['file', fileOf({ side, lesson: first })], fact],
      remedy: `See: npm test lessons/${first.number}.${hasSolution(first) ? ` Or go on with the reference for it, and keep yours: npm run reset ${first.number} -- --solution` : ''}`,
    },
    results: steps.map(({ title, section, scenarios: { length } }, i) => {
      return { number: i + 1, title, section, scenarios: length, output: '', failure: NOT_REACHED };
    }),
  };
}

/**
 * Says how long to hear nothing of a step before it counts as endless, in milliseconds, when our
 * own process took `startMs` to start: where that is slow, everything is.
 */
export function patienceFor(startMs: number): number {
  return Math.max(PATIENCE_MS, PATIENCE_STARTS * startMs);
}

/** Ends a process of which nothing is heard, or that goes on for too long, and records why. */
function guard(child: ChildProcess, record: RunRecord, limitMs: number) {
  const giveUp = (what: string, ms: number) => {
    record.breakOff(
      `${what} did not come to an end within ${Math.round(ms / 1000)} seconds.`,
      'Either a loop never ends, or each round does all the work again, such as copying every byte that has arrived so far.',
    );
    endChild(child);
  };
  const limit = setTimeout(() => giveUp('The whole check', limitMs), limitMs);
  let timer: NodeJS.Timeout | undefined;
  let heard = 0;
  let isOver = false;
  return {
    /** Something was heard: for so many milliseconds, all is well. */
    wait(ms: number): void {
      clearTimeout(timer);
      const now = ++heard;
      // When we ourselves had no time, what was said meanwhile is still to be heard.
      const look = () => now === heard && !isOver && giveUp(record.activity, ms);
      if (!isOver) timer = setTimeout(() => setImmediate(look), ms);
    },
    stop(): void {
      isOver = true;
      clearTimeout(timer);
      clearTimeout(limit);
    },
  };
}

/** How long to wait, in milliseconds. */
interface Waits {
  /** For all of a check. */
  readonly limitMs: number;
  /** At least, for anything to be heard of a step. */
  readonly patienceMs: number;
}

/** Lets a process check its file, and watches it until it ends. */
export function follow(
  child: ChildProcess,
  channel: Channel,
  target: Target,
  waits: Waits = { limitMs: LONGEST_MS, patienceMs: PATIENCE_MS },
): Promise<Run> {
  const record = new RunRecord(fileOf(target));
  const guarded = guard(child, record, waits.limitMs);
  let { patienceMs } = waits;
  const complaints = collectStart(child.stderr, 10_000);
  const secret = randomUUID();
  channel.listen((message) => {
    const isFirst = !record.isReady && message?.type === 'ready';
    if (isFirst) patienceMs = Math.max(patienceMs, patienceFor(message.startMs));
    else if (message?.secret !== secret) return forged(child, record);
    guarded.wait(patienceMs);
    record.take(message);
    if (record.isDone) endChild(child);
  });
  guarded.wait(START_MS);
  channel.start(secret);

  return new Promise((resolve) => {
    child.once('exit', (code, signal) => {
      guarded.stop();
      const settle = () => {
        clearTimeout(late);
        if (!record.isReady) record.neverStarted(complaintIn(complaints()));
        else if (!record.isDone) record.breakOff(...reasonOf(complaints(), code, signal));
        resolve(record.result());
      };
      // What was sent before the end may still be on its way: the channel closes after the last.
      const late = setTimeout(settle, LAST_MESSAGES_MS);
      void channel.closed().then(settle, settle);
    });
  });
}

/** Ends a run in which something else than the check has spoken in its name. */
function forged(child: ChildProcess, record: RunRecord): void {
  record.breakOff(
    'The code has written to the channel of the check.',
    'Does it call `process.send`, or something like it?',
  );
  endChild(child);
}

/** Keeps the first characters of a stream, and returns what gives them out. */
function collectStart(stream: Readable | null, most: number): () => string {
  let text = '';
  stream?.setEncoding('utf8').on('data', (chunk: string) => {
    if (text.length < most) text += chunk;
  });
  return () => text;
}

/** Finds the line that says what was wrong in what a process has left when it ended. */
function complaintIn(stderr: string): string {
  return /^\w*Error\b.*/m.exec(stderr)?.[0] ?? 'nothing';
}

/** Says why a process ended before it was done: what happened, and its cause. */
function reasonOf(
  stderr: string,
  code: number | null,
  signal: NodeJS.Signals | null,
): [what: string, cause: string] {
  if (/heap out of memory|allocation failed/i.test(stderr)) {
    return [
      `The code used up its memory, ${MAX_HEAP_MIB} MiB.`,
      'Something grows without end, such as a list or a text to which a loop adds.',
    ];
  }
  if (signal === null && (code === 0 || code === 13)) {
    return [
      'The code waits for something that never comes.',
      'A promise is awaited that nobody resolves.',
    ];
  }
  return [
    `The process of the check was ended from within (${signal ?? `exit code ${code}`}).`,
    'Does the code call `process.kill`, `process.abort` or something like it?',
  ];
}

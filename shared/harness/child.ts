/**
 * The process that a learner's code runs in. Whatever that code does, it does here: the parent
 * watches, and tells. Called with a target, such as `lessons/02`, and `walled` if that code is not
 * trusted, with the globals that it keeps all the same; starts when told to.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { text } from 'node:stream/consumers';
import { fileOf, findTarget, importTarget } from '../course/lessons.ts';
import { endWithParent } from '../process/parent.ts';
import { MESSAGES_FD, writeTo } from './channel.ts';
import { CheckFailure } from './check.ts';
import type { Failure } from './facts.ts';
import { Leftovers } from './leftovers.ts';
import { toLoadFailure } from './load-failure.ts';
import { keepBuffersApart, lockDown } from './lock-down.ts';
import type { FromChecker, Go, Signed } from './messages.ts';
import { countPassed, runStep, toFailure } from './run.ts';
import { loadSpec } from './spec.ts';

/** How often a step that waits says that it is alive, in milliseconds. */
const BEAT_MS = 250;
/** After so many beats in a row without anything to do, a step waits in vain. */
const MAX_QUIET_BEATS = 32;
/** How long timers and sockets may go on after the last step, in milliseconds. */
const GRACE_MS = 700;
/** How much of what a step prints is kept, in characters. */
const MAX_OUTPUT = 2000;

const [, , name = '', walled, ...kept] = process.argv;
// Behind walls, there are no threads: a limit of the system ends an endless loop.
if (walled) keepBuffersApart();
else endWithParent();

/** Taken from the parent before the learner's file is loaded. */
let secret = '';
const send = walled ? write : process.send?.bind(process);
if (!send) throw new Error('This is not a program of its own: `npm test lessons/02` starts it.');
const post = (message: FromChecker) =>
  new Promise<void>((resolve) => send({ ...message, secret } satisfies Signed, () => resolve()));

/** Sends a message behind walls, where Node has no channel. */
function write(message: Signed, then: () => void): void {
  writeTo(MESSAGES_FD, message);
  then();
}

const target = findTarget(name);
const spec = await loadSpec(target.lesson.name);
// What it is checked with, no code can change.
const parts = spec.steps.flatMap((step) => [step, step.scenarios, ...step.scenarios]);
for (const part of [spec, spec.steps, ...parts]) Object.freeze(part);
/** Which step and scenario started what happens now, even if it happens later. */
const startedBy = new AsyncLocalStorage<{ readonly number: number; readonly scenario: string }>();
// Taken now: what the learner's code puts in the place of these has no say.
const runAs = startedBy.run.bind(startedBy);
const starter = startedBy.getStore.bind(startedBy);
let current = 0;
/** The step that has not come to its end. 0: none. */
let running = 0;
/** The scenario that was begun last. */
let scenario = '';
let printed = '';
const left = new Leftovers();

for (const stream of [process.stdout, process.stderr]) {
  stream.write = ((chunk: string | Uint8Array) => {
    if (printed.length < MAX_OUTPUT) printed += Buffer.from(chunk).toString().slice(0, MAX_OUTPUT);
    return true;
  }) as typeof stream.write;
}
// A lesson has no business with these.
delete process.send;
process.exit = (code) => {
  const call = `process.exit(${code ?? ''})`;
  throw new CheckFailure(
    `The code called ${call}.`,
    [],
    'A lesson returns or throws. It never ends the program it is a part of.',
  );
};
process.on('uncaughtException', (error) => {
  const failure = toFailure(error);
  const isRunning = (starter()?.number ?? current) === running;
  const when = isRunning ? 'in a callback, where nobody catches it' : 'after its step had ended';
  const late = { ...failure, what: `The code threw ${when}.` };
  report(failure.kind === 'crash' ? late : failure);
});

/** Tells of something that happened outside of a step. */
function report(failure: Failure): void {
  // A callback of a socket may have lost what it belongs to: most likely, to what is on.
  const present = { number: current, ...(running === current && { scenario }) };
  const { number, ...named } = starter() ?? present;
  void post({ type: 'failed', number, failure: { ...failure, ...named } });
}

function takeOutput(): string {
  const output = printed;
  printed = '';
  return output;
}

async function go(): Promise<void> {
  let module: object;
  if (walled) lockDown(kept);
  try {
    module = await importTarget(target);
  } catch (error) {
    await post({ type: 'broken', failure: toLoadFailure(error, fileOf(target)) });
    return post({ type: 'done' });
  }
  left.note({ number: 1, what: 'the file was loaded' });
  let isCounted = false;
  for (current = 1; current <= spec.steps.length; current++) {
    running = current;
    const failure = await whileBeating(() => runStep(spec, current, module, enter));
    const output = takeOutput();
    if (failure) await post({ type: 'failed', number: current, failure });
    // Only the first step that is begun and does not pass is told with how many scenarios do.
    const isRed = failure !== undefined && failure.kind !== 'todo';
    const count = () => countPassed(spec, current, module, failure?.scenario);
    const passed = isRed && !isCounted ? await whileBeating(count) : undefined;
    isCounted ||= isRed;
    takeOutput();
    running = 0;
    await post({
      type: 'finished',
      number: current,
      output,
      ...(passed !== undefined && { passed }),
    });
  }
  current = spec.steps.length;
  // Now the process would end by itself. If it does not, something is still going on.
  process.once('beforeExit', () => post({ type: 'done' }));
  setTimeout(leftovers, GRACE_MS).unref();
}

/** Runs a scenario of the current step, so that whatever it does is told as its doing. */
function enter<T>(what: string, run: () => Promise<T>): Promise<T> {
  scenario = what;
  // Not waited for: a turn for each of hundreds of scenarios would be seen. It is written at once.
  void post({ type: 'started', number: current, scenario });
  const number = current;
  const waits = spec.steps[number - 1]?.scenarios.find((it) => it.what === what)?.waits;
  const name = waits ? 'one of those that wait for a deadline' : what;
  const note = () => left.note({ number, what: `step ${number}: ${name}` });
  return runAs({ number, scenario }, run).finally(note) as Promise<T>;
}

/** Runs something, and says all the while that it is alive. An endless loop leaves no turn for that. */
async function whileBeating<T>(run: () => Promise<T>): Promise<T> {
  let quietBeats = 0;
  let last = performance.eventLoopUtilization();
  const timer = setInterval(() => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, last);
    last = now;
    quietBeats = utilization < 0.5 ? quietBeats + 1 : 0;
    if (quietBeats < MAX_QUIET_BEATS) return void post({ type: 'alive' });
    report({
      kind: 'crash',
      what: 'The code waits for something that never comes.',
      facts: [['waited', `${(quietBeats * BEAT_MS) / 1000} seconds`]],
      cause: 'A promise is awaited that nobody resolves, or an event that nobody emits.',
    });
    void post({ type: 'done' });
  }, BEAT_MS).unref();
  try {
    return await run();
  } finally {
    clearInterval(timer);
  }
}

function leftovers(): void {
  const failure = left.failure(target.lesson.needs !== undefined);
  if (!failure) {
    setTimeout(leftovers, GRACE_MS).unref();
    return;
  }
  void post({ type: 'failed', ...failure });
  void post({ type: 'done' });
}

/** Takes the secret, and loads the file: from now on, the learner's code runs here. */
function begin(taken: string): void {
  secret = taken;
  process.channel?.unref();
  void go();
}

process.once('message', (message: Go) => begin(message.secret));
await post({
  type: 'ready',
  startMs: performance.now(),
  steps: spec.steps.map(({ title, section, scenarios }) => {
    return { title, section, scenarios: scenarios.length };
  }),
});
if (walled) begin(await text(process.stdin));

/** Ends a process whose code does not come back: an endless loop hears no Ctrl-C. */
import { Worker } from 'node:worker_threads';

/** How often the process shows that it is alive. */
const BEAT_MS = 250;

/** How long it may be silent. Long enough for a slow machine, short enough for a person. */
export const PATIENCE_MS = 5_000;

const MESSAGE = `
✗ Your code has not come back for ${PATIENCE_MS / 1000} seconds. Is there an endless loop?
  The server starts again, and your open pages come back to it.
`;

/** What runs in the other thread. It can only write by itself, since the first one is not there. */
const WATCH = `
  const { writeSync } = require('node:fs');
  const { workerData } = require('node:worker_threads');
  const { beats, patienceMs, message } = workerData;
  const isSilent = () =>
    Atomics.wait(beats, 0, Atomics.load(beats, 0), patienceMs / 2) === 'timed-out';
  // Twice: a computer that has slept is silent once.
  while (!isSilent() || !isSilent());
  writeSync(2, message);
  process.kill(process.pid, 'SIGKILL');
`;

/** Watches over this process from now on. It keeps nothing alive by itself. */
export function watchForEndlessLoops(): void {
  const beats = new Int32Array(new SharedArrayBuffer(4));
  const workerData = { beats, patienceMs: PATIENCE_MS, message: MESSAGE };
  new Worker(WATCH, { eval: true, workerData, execArgv: [] }).unref();
  const beat = () => {
    Atomics.add(beats, 0, 1);
    Atomics.notify(beats, 0);
  };
  setInterval(beat, BEAT_MS).unref();
}

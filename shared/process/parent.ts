/**
 * Ends a process when its parent is gone, however that ended: one that is killed can end nobody.
 * On Windows, the system does so, and the parent never seems to be gone.
 */
import { Worker } from 'node:worker_threads';

/** How often to look, in milliseconds. */
const LOOK_MS = 250;

/** Exits when the parent is gone, such as the shell of an npm that was told to end. */
export function exitWithParent(): void {
  const parent = process.ppid;
  const look = () => {
    if (process.ppid !== parent) process.exit();
  };
  setInterval(look, LOOK_MS).unref();
}

/** What runs in a thread of its own, since an endless loop gives nobody else a turn. */
const WATCH = `
  const { parent, lookMs } = require('node:worker_threads').workerData;
  const never = new Int32Array(new SharedArrayBuffer(4));
  while (process.ppid === parent) Atomics.wait(never, 0, 0, lookMs);
  process.kill(-process.pid, 'SIGKILL');
`;

/**
 * Ends this process and its group when the parent is gone, even out of an endless loop. For what
 * `forkChild` has started, and runs code of the learner.
 */
export function endWithParent(): void {
  const workerData = { parent: Number(process.env.STARTED_BY), lookMs: LOOK_MS };
  if (process.platform === 'win32') return;
  // Without the options of this process: the loader of TypeScript is of no use there.
  new Worker(WATCH, { eval: true, workerData, execArgv: [] }).unref();
}

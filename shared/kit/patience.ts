/**
 * Waiting that a busy machine does not turn into a wrong verdict. A process that gets no
 * processor for seconds has not waited for seconds: nobody in it could have answered.
 */

import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';

/** How often it is looked, in milliseconds. */
const TICK_MS = 20;

/**
 * Calls back after so many milliseconds, unless it is stopped. A tick that comes late counts as
 * one tick, and only once sockets have had a turn. Returns what stops it.
 */
export function afterPatience(ms: number, callback: () => void): () => void {
  let ticks = 0;
  let isStopped = false;
  const stop = () => {
    isStopped = true;
    clearInterval(timer);
  };
  const count = () => {
    if (isStopped || ++ticks * TICK_MS < ms) return;
    stop();
    callback();
  };
  const timer = setInterval(() => setImmediate(count), TICK_MS);
  return stop;
}

/**
 * Waits for a promise, but no longer than `ms` milliseconds of patience. Then `onTimeout` decides:
 * what it returns is the result, and what it throws is thrown. Nobody hears what becomes of the
 * promise afterwards, not even that it rejects.
 */
export async function withTimeout<T, Late>(
  promise: Promise<T>,
  ms: number,
  onTimeout: () => Late,
): Promise<T | Late> {
  let stop = () => {};
  const timeout = new Promise<void>((resolve) => {
    stop = afterPatience(ms, resolve);
  });
  try {
    return await Promise.race([promise, timeout.then(onTimeout)]);
  } finally {
    stop();
  }
}

/**
 * Waits so many milliseconds, and until sockets have had a turn. On a busy machine a timer is
 * always due, and nothing but timers would have one.
 */
export async function giveWay(ms: number): Promise<void> {
  await pause(ms);
  await nextTurn();
}

/** The processor time that this process has used so far, in milliseconds. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

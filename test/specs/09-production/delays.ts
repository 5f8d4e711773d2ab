/** How long the timers are that code sets. */
import { createHook } from 'node:async_hooks';

/** Collects the delays of all timers that are set while something runs, in milliseconds. */
export async function delaysOf(run: () => Promise<void>): Promise<number[]> {
  const delays: number[] = [];
  const hook = createHook({
    init(_id, type, _trigger, resource: { _idleTimeout?: number }) {
      if (type === 'Timeout' && resource._idleTimeout) delays.push(resource._idleTimeout);
    },
  }).enable();
  try {
    await run();
  } finally {
    hook.disable();
  }
  return delays;
}

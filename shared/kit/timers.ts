/** Which timers code has set: also those that do not keep the process alive. */
import { AsyncLocalStorage, createHook } from 'node:async_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** Whose timers are being set. One for all, as each is looked at whenever anything is started. */
const scope = new AsyncLocalStorage<Timers>();
/** The timers that run, by their ids, and whose they are. */
const running = new Map<number, Timers>();
const hook = createHook({
  init(id, type) {
    const timers = type === 'Timeout' || type === 'Immediate' ? scope.getStore() : undefined;
    if (timers?.kind !== type) return;
    running.set(id, timers);
    timers.started++;
  },
  destroy(id) {
    running.delete(id);
  },
});
const users = new Set<Timers>();

/**
 * Remembers the timers that have been set, and have neither come to their end nor been stopped: those
 * of `setTimeout` and `setInterval`, or those of `setImmediate`.
 */
export class Timers {
  readonly kind: 'Timeout' | 'Immediate';
  /** How many have been set since then. */
  started = 0;

  constructor(kind: 'Timeout' | 'Immediate' = 'Timeout') {
    this.kind = kind;
  }

  /** Runs code, whose timers count from now on, and those of what it starts. */
  run<T>(code: () => T): T {
    users.add(this);
    hook.enable();
    return scope.run(this, code);
  }

  /** Counts the timers that are running. Gives those that have been stopped time to be noticed. */
  async count(): Promise<number> {
    for (let turn = 0; turn < 3; turn++) await nextTurn();
    return [...running.values()].filter((timers) => timers === this).length;
  }

  /** Remembers no more. */
  stop(): void {
    users.delete(this);
    if (users.size > 0) return;
    hook.disable();
    scope.disable();
    running.clear();
  }
}

/** Which timers code has set: also those that do not keep the process alive. */
import { AsyncLocalStorage, createHook } from 'node:async_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** Whose timers are being set. One for all, as each is looked at whenever anything is started. */
const scope = new AsyncLocalStorage<Timers>();
/** The timers that run, by their ids: whose they are, and for how long. */
const running = new Map<number, { readonly owner: Timers; readonly ms: number }>();
const hook = createHook({
  init(id, type, _, resource) {
    const timers = type === 'Timeout' || type === 'Immediate' ? scope.getStore() : undefined;
    if (timers?.kind !== type) return;
    // Nothing public says for how long a timer was set.
    const { _idleTimeout: ms = 0 } = resource as { readonly _idleTimeout?: number };
    running.set(id, { owner: timers, ms });
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
    return (await this.#durations()).length;
  }

  /** Says for how long each timer that is running was set: `none`, or `one of 5000 ms`. */
  async describe(): Promise<string> {
    const each = (await this.#durations()).map((ms) => `one of ${Math.round(ms)} ms`);
    return each.join(', ') || 'none';
  }

  async #durations(): Promise<number[]> {
    for (let turn = 0; turn < 3; turn++) await nextTurn();
    const own = [...running.values()].filter(({ owner }) => owner === this);
    return own.map(({ ms }) => ms);
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

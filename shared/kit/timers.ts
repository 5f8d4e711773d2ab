/** Which timers code has set: also those that do not keep the process alive. */
import { AsyncLocalStorage, createHook } from 'node:async_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** Remembers the timers that have been set, and have neither come to their end nor been stopped. */
export class Timers {
  readonly #running = new Set<number>();
  readonly #scope = new AsyncLocalStorage<this>();
  readonly #hook = createHook({
    init: (id, type) => {
      if (type === 'Timeout' && this.#scope.getStore() === this) this.#running.add(id);
    },
    destroy: (id) => {
      this.#running.delete(id);
    },
  });

  /** Runs code, whose timers count from now on, and those of what it starts. */
  run<T>(code: () => T): T {
    this.#hook.enable();
    return this.#scope.run(this, code);
  }

  /** Counts the timers that are running. Gives those that have been stopped time to be noticed. */
  async count(): Promise<number> {
    for (let turn = 0; turn < 3; turn++) await nextTurn();
    return this.#running.size;
  }

  /** Remembers no more. */
  stop(): void {
    this.#hook.disable();
  }
}

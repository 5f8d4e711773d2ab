/** A tour of a debugger is a list of scenes. */
import type { DevTools } from '../../solutions/06-client/client.ts';
import { withTimeout } from '../kit/patience.ts';

/** How long a debugger may take for anything, in milliseconds. */
const PATIENCE_MS = 30_000;

/** Something to show. */
export interface Scene {
  readonly title: string;
  /** Does it with the debugger, and says what has come of it. */
  play(debuggee: Remote): Promise<string>;
}

/** What `onEvent` was told. */
// biome-ignore lint/suspicious/noExplicitAny: each event has parameters of its own.
type Params = any;

/** A debugger as a scene uses it: what it never does in time is an error. */
export class Remote {
  readonly #devtools: DevTools;
  readonly #events = new Map<string, Params[]>();
  #heard = () => {};

  /** `connect` makes the remote control, which tells its events to the function that it gets. */
  constructor(connect: (onEvent: (method: string, params: unknown) => void) => DevTools) {
    this.#devtools = connect((method, params) => {
      this.#eventsOf(method).push(params);
      this.#heard();
    });
  }

  #eventsOf(method: string): Params[] {
    const events = this.#events.get(method) ?? [];
    this.#events.set(method, events);
    return events;
  }

  /** Asks for something. Rejects with what the debugger complains about. */
  request(method: string, params: object = {}): Promise<Params> {
    return inTime(method, this.#devtools.request(method, params));
  }

  /** Evaluates an expression, waits for it when it is a promise, and returns its value. */
  async evaluate(expression: string): Promise<unknown> {
    const { result, exceptionDetails } = await this.request('Runtime.evaluate', {
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    if (exceptionDetails) throw new Error(`${expression}: ${exceptionDetails.text}`);
    return result.value;
  }

  /** Takes the next event of a kind: one that has come already, or will. */
  next(method: string): Promise<Params> {
    const take = async () => {
      while (this.count(method) === 0) {
        await new Promise<void>((resolve) => {
          this.#heard = resolve;
        });
      }
      return this.#eventsOf(method).shift();
    };
    return inTime(method, take());
  }

  /** How many events of a kind have come, and have not been taken. */
  count(method: string): number {
    return this.#eventsOf(method).length;
  }

  /** Takes all events of a kind that have come. */
  takeAll(method: string): Params[] {
    return this.#eventsOf(method).splice(0);
  }

  /** Ends the connection. */
  close(): Promise<void> {
    return inTime('The end', this.#devtools.close());
  }
}

function inTime<T>(what: string, promise: Promise<T>): Promise<T> {
  return withTimeout(promise, PATIENCE_MS, () => {
    throw new Error(
      `${what} does not come: your client waits since ${PATIENCE_MS / 1000} seconds.`,
    );
  });
}

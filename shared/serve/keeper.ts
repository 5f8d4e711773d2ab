/** Keeps a server at work that is made of the parts it should be made of. */
import { setTimeout as pause } from 'node:timers/promises';
import { type Part, sourcesOf, yoursAmong } from './parts.ts';
import { PortError, ServerProcess } from './server-process.ts';

/** What there is to know about a server that should serve other parts than before. */
export type Change =
  /** The server at work is made of the same code as before. */
  | 'none'
  /** Another server is at work, at the same port. */
  | 'replaced'
  /** The lessons could not be loaded. What was at work still is. */
  | 'failed';

/** How long another program may have the port when a server is replaced, in milliseconds. */
const PORT_PATIENCE_MS = 5_000;
/** How often to try it again meanwhile, in milliseconds. */
const PORT_LOOK_MS = 100;

/** Replaces the server when its code has changed, or when it has ended. */
export class Keeper {
  readonly #ended: () => void;
  #port: number;
  /** May another port be used if this one is taken? */
  #isFlexible: boolean;
  #current: ServerProcess | undefined;
  /** The code that `#current` is made of. */
  #sources: string | undefined;

  /**
   * Begins without a server. It gets `port`, or any free one when that's taken and it `isFlexible`;
   * later ones get the same. `ended` is called when a server is gone that nobody has stopped.
   */
  constructor(port: number, isFlexible: boolean, ended: () => void) {
    this.#port = port;
    this.#isFlexible = isFlexible;
    this.#ended = ended;
  }

  /** Where the server is, such as `http://127.0.0.1:8080`. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Makes sure that a server made of these parts is at work. Rejects with `PortError`. */
  async use(parts: readonly Part[]): Promise<Change> {
    const sources = sourcesOf(parts);
    if (this.#current && sources === this.#sources) {
      this.#current.tell(parts);
      return 'none';
    }
    // Loaded before the old one stops, so that a page finds nobody for a moment only.
    const next = new ServerProcess(yoursAmong(parts));
    if (!(await next.loaded)) return 'failed';
    await this.stop();
    await this.#listen(next, parts);
    this.#current = next;
    this.#sources = sources;
    void next.ended.then(() => {
      if (this.#current !== next) return;
      this.#current = undefined;
      this.#ended();
    });
    return 'replaced';
  }

  async #listen(server: ServerProcess, parts: readonly Part[]): Promise<void> {
    let tries = this.#sources === undefined ? 1 : PORT_PATIENCE_MS / PORT_LOOK_MS;
    for (;;) {
      try {
        this.#port = await server.listen(this.#port, parts);
        // An open page comes back to where it was.
        this.#isFlexible = false;
        return;
      } catch (error) {
        const isTaken = error instanceof PortError && error.code === 'EADDRINUSE';
        if (isTaken && this.#isFlexible) this.#port = 0;
        else if (isTaken && --tries > 0) await pause(PORT_LOOK_MS);
        else {
          await server.stop();
          throw error;
        }
      }
    }
  }

  /** Stops the server, and waits until it has said goodbye to its pages. */
  async stop(): Promise<void> {
    const stopped = this.#current;
    this.#current = undefined;
    await stopped?.stop();
  }
}

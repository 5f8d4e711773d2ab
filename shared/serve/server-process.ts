/** The process that serves, as the one that checks sees it. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { forkChild } from '../process/children.ts';
import type { FromServer, ToServer } from './messages.ts';
import type { Part } from './parts.ts';

/** The system won't let us have a port. */
export class PortError extends Error {
  override readonly name = 'PortError';
  /** The system's reason, such as `EADDRINUSE`. */
  readonly code: string;

  /** Keeps the system's words. */
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** A process that serves. It loads its lessons, then waits until it's told to listen. */
export class ServerProcess {
  readonly #child: ChildProcess;
  /** Resolves when the process is gone, however that came. */
  readonly ended: Promise<void>;
  /** Resolves with whether the lessons could be loaded. If not, the process has said why. */
  readonly loaded: Promise<boolean>;

  /** Starts the process. `yours` has the numbers of the lessons that are the learner's. */
  constructor(yours: readonly string[]) {
    this.#child = forkChild(new URL('child.ts', import.meta.url), yours);
    // What goes wrong with the process itself ends in its exit.
    this.#child.on('error', () => {});
    this.ended = once(this.#child, 'exit').then(() => {});
    this.loaded = Promise.race([
      this.#hears('loaded').then(() => true),
      this.ended.then(() => false),
    ]);
  }

  /** Lets it listen at a port; 0 is any free one. Resolves with the port. Rejects with `PortError`. */
  async listen(port: number, parts: readonly Part[]): Promise<number> {
    this.#tell({ type: 'listen', port, parts });
    const answer = await Promise.race([
      this.#hears('listening'),
      this.#hears('refused'),
      this.ended,
    ]);
    if (answer?.type === 'listening') return answer.port;
    if (answer?.type === 'refused') throw new PortError(answer.code, answer.message);
    throw new PortError('', 'The server has ended before it could listen.');
  }

  /** Tells the pages what is new about the lessons. */
  tell(parts: readonly Part[]): void {
    this.#tell({ type: 'parts', parts });
  }

  /** Lets it say goodbye to its pages. Resolves when it's gone. */
  async stop(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    await this.ended;
  }

  #tell(message: ToServer): void {
    if (this.#child.connected) this.#child.send(message, () => {});
  }

  #hears<T extends FromServer['type']>(type: T): Promise<Extract<FromServer, { type: T }>> {
    return new Promise((resolve) => {
      this.#child.on('message', (message: FromServer) => {
        if (message.type === type) resolve(message as Extract<FromServer, { type: T }>);
      });
    });
  }
}

/** `npm run serve` in a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { withTimeout } from '../../shared/kit/patience.ts';
import { ENV, LAUNCH, scriptOf } from './sandbox.ts';

/** What has been started, so that a test that fails half-way leaves nothing behind. */
const started = new Set<ChildProcess>();

/** Ends every command that is still at work. */
export function endCommands(): void {
  for (const child of started) child.kill('SIGKILL');
}

/** How long the command may say nothing new that is waited for: a guard, in milliseconds. */
const SAYS_MS = 120_000;

/** The URL that the command prints. */
export const URL_LINE = /http:\/\/127\.0\.0\.1:\d+/;

/** The line about the last lesson. */
export const LAST_LESSON = /^ {2}05 .*\n/m;

/** The command at work. */
export class ServeCommand {
  readonly #child: ChildProcess;
  #hasEnded = false;
  output = '';

  constructor(folder: string, ...args: string[]) {
    this.#child = spawn(process.execPath, [LAUNCH, scriptOf('serve'), ...args], {
      cwd: folder,
      env: ENV,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    started.add(this.#child);
    this.#child.once('close', () => {
      started.delete(this.#child);
      this.#hasEnded = true;
      this.#child.emit('said');
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
        this.#child.emit('said');
      });
    }
  }

  /** Waits until it has printed something like this, and returns what. Rejects when it ends. */
  async says(pattern: RegExp): Promise<string> {
    const give = (why: string) => () => {
      throw new Error(`The command ${why} and did not say ${pattern}, but:\n${this.output}`);
    };
    for (;;) {
      const [found] = pattern.exec(this.output) ?? [];
      if (found !== undefined) return found;
      if (this.#hasEnded) give('has ended')();
      await withTimeout(once(this.#child, 'said'), SAYS_MS, give('is silent'));
    }
  }

  /** Waits until it has checked every lesson, and returns the URL. */
  async isChecked(): Promise<string> {
    const url = await this.says(URL_LINE);
    await this.says(LAST_LESSON);
    return url;
  }

  /** Reads no more of what it says, as a terminal that is closed. */
  stopReading(): void {
    this.#child.stdout?.destroy();
    this.#child.stderr?.destroy();
  }

  /** Sends a signal. */
  send(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Waits for its end, after a signal if there is one, and returns the exit code. */
  async end(signal?: NodeJS.Signals): Promise<number | null> {
    const closed = once(this.#child, 'close');
    if (signal) this.#child.kill(signal);
    const [code] = (await closed) as [number | null];
    return code;
  }
}

/** A program with a debugger in it: another process, which ends with this one whatever happens. */
import type { ChildProcess } from 'node:child_process';
import { withTimeout } from '../kit/patience.ts';
import { endChild, spawnKept } from '../process/children.ts';

/** How long a program may take to say where its debugger listens, in milliseconds. */
const START_MS = 30_000;

/** How much of what it says is kept, in characters. */
const KEPT_CHARACTERS = 4096;

/** A program at work, and its debugger's address. */
export class Debuggee {
  readonly #process: ChildProcess;
  /** It may have ended by itself long before it is told to. */
  readonly #gone: Promise<void>;
  /** Of its debugger, such as `ws://127.0.0.1:9229/7c9a…`. */
  readonly url: string;

  private constructor(process: ChildProcess, url: string) {
    this.#process = process;
    this.#gone = new Promise((resolve) => process.once('close', () => resolve()));
    this.url = url;
  }

  /**
   * Starts a program, and waits until it says where its debugger listens, and `sign`, if it has one
   * for being ready. Rejects when it ends before, and when it does not say so in time.
   */
  static async start(program: string, args: readonly string[], sign = ''): Promise<Debuggee> {
    const child = spawnKept(program, args);
    try {
      const late = () => {
        throw new Error(`${program} has not said where its debugger listens.`);
      };
      const address = addressOf(child, program, sign);
      return new Debuggee(child, await withTimeout(address, START_MS, late));
    } catch (error) {
      endChild(child);
      throw error;
    }
  }

  /** Ends the program, and all that it has started. */
  async end(): Promise<void> {
    endChild(this.#process);
    await this.#gone;
  }
}

/** Reads where the debugger of a program listens, which is all that it is read for, and its sign. */
function addressOf(child: ChildProcess, program: string, sign: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    child.once('error', reject);
    child.once('close', () => reject(new Error(`${program} has ended: ${said.trim()}`)));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-KEPT_CHARACTERS);
      const url = /^(?:Debugger|DevTools) listening on (ws:\S+)/m.exec(said)?.[1];
      if (url && said.includes(sign)) resolve(url);
    });
  });
}

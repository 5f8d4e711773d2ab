/** Whether there is a server to test, and still is one. */
import { CloseCode } from '../protocol.ts';
import type { RawEndpoint } from './endpoint.ts';
import type { TargetServer } from './http.ts';
import { type CaseResult, Failed } from './model.ts';
import type { PeerEvent } from './parser.ts';
import { type Patience, Unreachable } from './socket.ts';
import { Trial } from './trial.ts';
import { close, nameEvent, ping, text } from './vocabulary.ts';

/** After so many failures in a row it is time to look whether the server is there. */
const FAILURES = 3;
/** How long a server may stay silent that has been asked nothing, in milliseconds. */
const UNASKED_MS = 200;

/** Opens a WebSocket. Returns why there is none, if there is none. */
export async function whyNoWebSocket(
  target: TargetServer,
  patience: Patience,
): Promise<string | undefined> {
  const problem = await problemOf(target, patience, async (trial) => void (await trial.open()));
  return problem && `This is not a WebSocket server, or not at ${target.path}: ${problem.message}`;
}

/** Looks after a server while cases run: one that is gone or hangs would fail all that follow. */
export class Watch {
  readonly #target: TargetServer;
  /** The cases that failed in a row, by their ids. */
  #failed: string[] = [];
  #look: Promise<string | undefined> | undefined;
  #isFirstLook = true;

  constructor(target: TargetServer) {
    this.#target = target;
  }

  /** Takes note of a case that has run, with this patience. */
  see({ id, verdict, ending }: CaseResult, patience: Patience): void {
    if (ending === 'untried') return;
    if (verdict !== 'FAILED') this.#failed = [];
    else this.#failed.push(id);
    if (this.#failed.length % FAILURES === 0 && this.#failed.length > 0) {
      this.#look = this.#lookNow(this.#failed.at(-FAILURES), patience);
    }
  }

  /** Says why it is in vain to go on. `undefined`: it is not, as far as we know. */
  async obstacle(): Promise<string | undefined> {
    return this.#look;
  }

  async #lookNow(since: string | undefined, patience: Patience): Promise<string | undefined> {
    const before = await this.#look;
    if (before) return before;
    const checks = this.#isFirstLook ? [expectSilence, expectLife] : [expectLife];
    this.#isFirstLook = false;
    for (const check of checks) {
      const problem = await problemOf(this.#target, patience, check);
      const what = problem instanceof Unreachable ? 'is gone' : 'is of no use';
      if (problem) return `The server ${what}, since about ${since}. ${problem.message}`;
    }
    return undefined;
  }
}

/** Throws `Failed` when a server says something unasked, so that no echo is told from it. */
async function expectSilence(trial: Trial): Promise<void> {
  const unasked = await eventOf(await trial.open(), UNASKED_MS);
  if (unasked && 'payload' in unasked && unasked.type !== 'close') {
    throw new Failed(`It is not an echo server: unasked, it says ${nameEvent(unasked)}.`);
  }
}

/** Any sign of life will do, legal or not: an echo, a Pong, a Close. Throws `Failed` for none. */
async function expectLife(trial: Trial): Promise<void> {
  const endpoint = await trial.open();
  await endpoint.send([text('Is anybody there?'), ping('?'), close(CloseCode.NormalClosure)]);
  if ((await eventOf(endpoint, trial.patience.answerMs))?.type !== 'silence') return;
  const seconds = trial.patience.answerMs / 1000;
  throw new Failed(`It opens a WebSocket, and says nothing for ${seconds} s.`, 'open');
}

/** Waits for what comes. `undefined`: something illegal. */
async function eventOf(endpoint: RawEndpoint, patienceMs: number): Promise<PeerEvent | undefined> {
  try {
    return await endpoint.next(patienceMs);
  } catch (error) {
    if (error instanceof Failed) return undefined;
    throw error;
  }
}

/** Tries something on a connection of its own. Returns what went wrong, if anything did. */
async function problemOf(
  target: TargetServer,
  patience: Patience,
  attempt: (trial: Trial) => Promise<void>,
): Promise<Failed | undefined> {
  const trial = new Trial(target, patience);
  try {
    await attempt(trial);
    return undefined;
  } catch (error) {
    if (error instanceof Failed) return error;
    throw error;
  } finally {
    trial.leave();
  }
}

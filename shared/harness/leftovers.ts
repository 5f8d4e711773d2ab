/** What a lesson's code has started and never ended, and where that was seen first. */
import { count } from '../view/count.ts';
import type { Failure } from './facts.ts';

/** What the harness itself may still have open: its channel, and the files of the loader. */
const OURS = /^(PipeWrap|Pipe|MessagePort|CloseReq|TTYWrap|FSReq.*|Immediate)$/;

/** What the kinds of resources are that Node knows. */
const NAMES: Readonly<Record<string, string>> = {
  Timeout: 'timer',
  TCPSocketWrap: 'socket',
  TLSWrap: 'socket with TLS',
  TCPServerWrap: 'server',
  ProcessWrap: 'process',
  Worker: 'thread',
};

/** A moment of a run. */
interface Place {
  /** The step, from 1. */
  readonly number: number;
  /** What had come to its end then. */
  readonly what: string;
}

/** Looks now and then what keeps the process alive, so that in the end it can tell since when. */
export class Leftovers {
  readonly #notes: { readonly place: Place; readonly open: ReadonlyMap<string, number> }[] = [];

  /** Notes what is open, at the end of something. */
  note(place: Place): void {
    this.#notes.push({ place, open: openNow() });
  }

  /** Tells what is open now, in the step where it was seen first. `undefined`: nothing is. */
  failure(isConnected: boolean): { number: number; failure: Failure } | undefined {
    const left = [...openNow()].map(([kind, number]) => {
      const name = count(number, NAMES[kind] ?? 'resource');
      return { told: `${name} (${kind})`, since: this.#since(kind) };
    });
    const [first] = left.map(({ since }) => since).sort((a, b) => a.number - b.number);
    if (!first) return undefined;
    const failure: Failure = {
      kind: 'crash',
      what: 'Something still goes on after the last check.',
      facts: left.flatMap(({ told, since }) => [
        ['still open', told],
        ['seen since', since.what],
      ]),
      cause: `It has been started and never ended. ${
        isConnected
          ? 'A timer ends with its connection.'
          : 'A lesson starts no timer, and no server.'
      }`,
    };
    return { number: first.number, failure };
  }

  /** From where on there has been one of a kind whenever somebody looked. */
  #since(kind: string): Place {
    const at = this.#notes.findLastIndex(({ open }) => !open.has(kind));
    return (this.#notes[at + 1] ?? this.#notes.at(-1)!).place;
  }
}

/** How many there are of each kind. */
function openNow(): Map<string, number> {
  const open = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) {
    if (!OURS.test(kind)) open.set(kind, (open.get(kind) ?? 0) + 1);
  }
  return open;
}

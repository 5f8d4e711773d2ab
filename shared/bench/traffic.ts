/** What a connection sends, and how it knows that it has come back. */
import { MessageCounter } from './counters.ts';

/** What goes there and back on a connection. */
export interface Traffic {
  /** What to send first. */
  readonly first: Uint8Array;
  /** Takes in a read. Returns how many messages are back when it completes a batch, and 0 if not. */
  receive(memory: Buffer, length: number): number;
  /** What to send when so many have come back. */
  next(count: number): Uint8Array;
}

/** Batches whose size on their way back is known: it counts bytes. */
export class Batches implements Traffic {
  readonly first: Uint8Array;
  readonly #count: number;
  readonly #bytes: number;
  #received = 0;

  /** Sends `first` again and again. What comes back are `count` messages, in so many bytes. */
  constructor(first: Uint8Array, count: number, bytes: number) {
    this.first = first;
    this.#count = count;
    this.#bytes = bytes;
  }

  receive(_: Buffer, length: number): number {
    this.#received += length;
    if (this.#received < this.#bytes) return 0;
    this.#received -= this.#bytes;
    return this.#count;
  }

  next(): Uint8Array {
    return this.first;
  }
}

/** Batches of messages of any size, in any number of frames: it reads their headers. */
export class Messages implements Traffic {
  readonly first: Uint8Array;
  readonly next: (count: number) => Uint8Array;
  readonly #inFlight: number;
  readonly #counter = new MessageCounter();
  #received = 0;

  /** Sends `inFlight` messages, and so many others when all of them have come back. */
  constructor(inFlight: number, next: (count: number) => Uint8Array) {
    this.first = next(inFlight);
    this.next = next;
    this.#inFlight = inFlight;
  }

  receive(memory: Buffer, length: number): number {
    this.#received += this.#counter.count(memory.subarray(0, length));
    if (this.#received < this.#inFlight) return 0;
    this.#received -= this.#inFlight;
    return this.#inFlight;
  }
}

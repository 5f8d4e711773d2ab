/** What one connection adds to the timeline of its case. */
import type { BytesKind, Timeline } from './timeline.ts';

/** The record of one connection. */
export class ConnectionRecord {
  readonly #timeline: Timeline;
  readonly #number: number;

  /** Starts the record of a connection, and gives it the next number of the timeline. */
  constructor(timeline: Timeline) {
    this.#timeline = timeline;
    this.#number = timeline.connection();
  }

  /** Keeps bytes that we sent. */
  sent(kind: BytesKind, bytes: Uint8Array): void {
    this.#timeline.bytes('→', this.#number, kind, bytes);
  }

  /** Keeps bytes that we received. */
  received(kind: BytesKind, bytes: Uint8Array): void {
    this.#timeline.bytes('←', this.#number, kind, bytes);
  }

  /** Keeps one line for something that we sent. */
  sentLine(text: string): void {
    this.#timeline.line('→', this.#number, text);
  }

  /** Keeps one line for something that we received. */
  receivedLine(text: string): void {
    this.#timeline.line('←', this.#number, text);
  }

  /** Keeps what happened to the connection, such as `reset`. */
  happened(text: string): void {
    this.#timeline.line('·', this.#number, text);
  }
}

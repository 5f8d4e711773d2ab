/** Counts what comes back from a server. */
import { decodeHeader } from '../view/frame.ts';

const NOTHING = Buffer.alloc(0);

/** Counts messages in what a server sends, without looking at their payloads. */
export class MessageCounter {
  /** The start of a header that is not complete. */
  #rest: Buffer = NOTHING;
  /** How much of the frame is still to come, in bytes. */
  #left = 0;
  /** Says whether the message ends with the frame. */
  #isLast = false;

  /**
   * Takes in the bytes of one read, whose memory can be used again afterwards. Returns how many
   * messages have come to their end.
   */
  count(chunk: Buffer): number {
    const bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    let messages = 0;
    let frameEnd = this.#left;
    while (frameEnd <= bytes.length) {
      if (this.#isLast) messages++;
      const { fin, headerBytes, length } = decodeHeader(bytes, frameEnd);
      if (length === undefined) {
        this.#rest = Buffer.from(bytes.subarray(frameEnd));
        this.#left = 0;
        this.#isLast = false;
        return messages;
      }
      frameEnd += headerBytes + Number(length);
      this.#isLast = fin;
    }
    this.#rest = NOTHING;
    this.#left = frameEnd - bytes.length;
    return messages;
  }
}

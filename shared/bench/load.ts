/** A process that makes load: it sends messages, and another for each that comes back. */
import { setTimeout as pause } from 'node:timers/promises';
import { wire } from '../kit/frames.ts';
import { endWithParent } from '../process/parent.ts';
import { Opcode } from '../protocol.ts';
import { decodeHeader } from '../view/frame.ts';
import { openClient } from './client.ts';
import type { Order } from './messages.ts';

const NOTHING = Buffer.alloc(0);

/** Counts messages in what a server sends, without looking at their payloads. */
class MessageCounter {
  /** The start of a header that is not complete. */
  #rest: Buffer = NOTHING;
  /** How much of the frame is still to come, in bytes. */
  #left = 0;
  /** Says whether the message ends with the frame. */
  #isLast = false;

  /** Takes in the bytes of one read. Returns how many messages have come to their end. */
  count(chunk: Buffer): number {
    const bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    let messages = 0;
    let frameEnd = this.#left;
    while (frameEnd <= bytes.length) {
      if (this.#isLast) messages++;
      const { fin, headerBytes, length } = decodeHeader(bytes, frameEnd);
      if (length === undefined) {
        this.#rest = bytes.subarray(frameEnd);
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

/** Counts pieces of `size` bytes. */
class PieceCounter {
  readonly #size: number;
  #bytes = 0;

  constructor(size: number) {
    this.#size = size;
  }

  /** Takes in the bytes of one read. Returns how many pieces have come to their end. */
  count(chunk: Buffer): number {
    const before = Math.floor(this.#bytes / this.#size);
    this.#bytes += chunk.length;
    return Math.floor(this.#bytes / this.#size) - before;
  }
}

/** Makes the load. Returns how many messages came back in a second. */
async function run(order: Order): Promise<number> {
  const { kind, port, bytes, inFlight, connections, warmUpMs, countMs } = order;
  const frame = wire({ opcode: Opcode.Binary, payload: Buffer.alloc(bytes, 'x') });
  const all = Buffer.concat(Array.from({ length: inFlight }, () => frame));
  const sockets = await Promise.all(
    Array.from({ length: connections }, () => openClient(kind, port)),
  );
  let messages = 0;
  for (const socket of sockets) {
    const counter = kind === 'tcp' ? new PieceCounter(frame.length) : new MessageCounter();
    socket.on('data', (chunk: Buffer) => {
      const back = counter.count(chunk);
      messages += back;
      if (back > 0) socket.write(all.subarray(0, back * frame.length));
    });
    socket.write(all);
  }
  await pause(warmUpMs);
  const [start, before] = [performance.now(), messages];
  await pause(countMs);
  const rate = ((messages - before) * 1000) / (performance.now() - start);
  for (const socket of sockets) socket.destroy();
  return rate;
}

process.on('message', async (order: Order) => process.send?.(await run(order)));
endWithParent();

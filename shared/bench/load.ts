/** A process that makes load: it sends messages, and another for each that comes back. */
import { setTimeout as pause } from 'node:timers/promises';
import { Opcode } from '../protocol.ts';
import { openClient } from './client.ts';
import type { Order } from './messages.ts';

/** The masking key of the examples in RFC 6455 §5.7. */
const MASKING_KEY = Uint8Array.of(0x37, 0xfa, 0x21, 0x3d);

/** A masked binary frame of so many bytes. Its key is not 0, which some servers would skip. */
function clientFrame(bytes: number): Buffer {
  const form = bytes <= 125 ? bytes : bytes <= 65535 ? 126 : 127;
  const head = Buffer.alloc({ 126: 4, 127: 10 }[form] ?? 2);
  head.writeUInt8(0x80 | Opcode.Binary, 0);
  head.writeUInt8(0x80 | form, 1);
  if (form === 126) head.writeUInt16BE(bytes, 2);
  if (form === 127) head.writeBigUInt64BE(BigInt(bytes), 2);
  return Buffer.concat([head, MASKING_KEY, Buffer.alloc(bytes, 'x')]);
}

const NOTHING = Buffer.alloc(0);

/** Counts messages in what a server sends, without looking at their payloads. */
class MessageCounter {
  /** The start of a header that is not complete. */
  #rest: Buffer = NOTHING;
  /** How much of a payload is still to come, in bytes. `undefined`: a header is next. */
  #left: number | undefined;
  #isLast = false;

  /** Takes in the bytes of one read. Returns how many messages have come to their end. */
  count(chunk: Buffer): number {
    const bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    let messages = 0;
    let at = 0;
    for (;;) {
      if (this.#left === undefined) {
        const size = this.#readHeader(bytes, at);
        this.#rest = size === 0 ? bytes.subarray(at) : NOTHING;
        if (size === 0) return messages;
        at += size;
      }
      const arrived = bytes.length - at;
      if (this.#left === undefined || this.#left > arrived) {
        this.#left = (this.#left ?? 0) - arrived;
        return messages;
      }
      at += this.#left;
      this.#left = undefined;
      if (this.#isLast) messages++;
    }
  }

  /** Reads a header. Returns its size in bytes, 0 when bytes of it are missing. */
  #readHeader(bytes: Buffer, at: number): number {
    const [first, second] = [bytes[at], bytes[at + 1]];
    if (first === undefined || second === undefined) return 0;
    const size = second === 127 ? 10 : second === 126 ? 4 : 2;
    if (bytes.length - at < size) return 0;
    this.#isLast = first >= 0x80;
    this.#left = second;
    if (second === 126) this.#left = bytes.readUInt16BE(at + 2);
    if (second === 127) this.#left = Number(bytes.readBigUInt64BE(at + 2));
    return size;
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
  const frame = clientFrame(bytes);
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
process.on('disconnect', () => process.exit());

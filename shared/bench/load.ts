/** The process that makes load: it sends messages, and others for those that come back. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { join, wire } from '../kit/frames.ts';
import { endWithParent } from '../process/parent.ts';
import { Opcode } from '../protocol.ts';
import { decodeFrames } from '../view/frame.ts';
import { openClient, openReceiver } from './client.ts';
import { MessageCounter } from './counters.ts';
import { busyBetween, cpuNow, isCompressing, type Measure, type Order } from './messages.ts';
import { framesOf } from './samples.ts';
import { quantile } from './statistics.ts';
import { Batches, Messages, type Traffic } from './traffic.ts';

const repeat = (bytes: Uint8Array, count: number) => Buffer.concat(Array(count).fill(bytes));

/** Finds out what is sent, and how it comes back. Returns what makes the traffic of a connection. */
async function trafficFor(order: Order): Promise<() => Traffic> {
  const { kind, bytes, inFlight, connections, job, isText, sample } = order;
  if (sample) {
    const frames = framesOf(sample, isCompressing(kind));
    return () => {
      let sent = 0;
      const next = (count: number) => join(...Array.from({ length: count }, () => frames(sent++)));
      return new Messages(inFlight, next);
    };
  }
  const payload = Buffer.alloc(bytes, 'x');
  const opcode = isText ? Opcode.Text : Opcode.Binary;
  const frame = wire({ opcode, payload });
  const { length, isOneFrame } = await firstEcho(order, frame, opcode, payload);
  if (job === 'broadcast') {
    const shared = new Batches(frame, connections, length * connections);
    return () => shared;
  }
  const batch = repeat(frame, inFlight);
  if (isOneFrame) return () => new Batches(batch, inFlight, length * inFlight);
  return () => new Messages(inFlight, (count) => batch.subarray(0, count * frame.length));
}

/** Sends a message, and looks at what comes back. Throws `Error` when that is not the same. */
async function firstEcho(
  { kind, port }: Order,
  frame: Uint8Array,
  opcode: number,
  payload: Uint8Array,
): Promise<{ length: number; isOneFrame: boolean }> {
  const socket = await openClient(kind, port);
  const counter = new MessageCounter();
  const chunks: Buffer[] = [];
  let length = 0;
  socket.write(frame);
  for (let isWhole = false; !isWhole; ) {
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    chunks.push(chunk);
    length += chunk.length;
    isWhole = kind === 'tcp' ? length >= frame.length : counter.count(chunk) > 0;
  }
  socket.destroy();
  const frames = decodeFrames(Buffer.concat(chunks));
  const echo = Buffer.concat(frames.map((it) => it.payload ?? new Uint8Array(0)));
  if (frames[0]?.opcode !== opcode || !echo.equals(payload)) {
    throw new Error('What came back is not what was sent.');
  }
  return { length, isOneFrame: frames.length === 1 };
}

/** A load that runs until it was counted. */
class Run {
  readonly #order: Order;
  readonly #sockets: Socket[] = [];
  /** How long messages took, in microseconds. Of one that is alone on its way. */
  readonly #latencies: number[] = [];
  #messages = 0;
  #bytes = 0;
  #isOver = false;

  constructor(order: Order) {
    this.#order = order;
  }

  /** Connects, and begins. Returns when it is warm. */
  async start(): Promise<void> {
    const { connections, job, warmUpMs } = this.#order;
    const trafficOf = await trafficFor(this.#order);
    const starts = await Promise.all(
      Array.from({ length: connections }, () => this.#open(trafficOf())),
    );
    for (const start of job === 'broadcast' ? starts.slice(0, 1) : starts) start();
    await pause(warmUpMs);
  }

  /** Opens a connection. Returns what starts its traffic. */
  async #open(traffic: Traffic): Promise<() => void> {
    const { kind, port, inFlight, connections, job } = this.#order;
    const isAlone = inFlight * connections === 1;
    let sentAt = 0;
    const receive = (memory: Buffer, length: number) => {
      const back = traffic.receive(memory, length);
      this.#bytes += length;
      if (back === 0) return;
      this.#messages += back;
      if (isAlone) {
        const now = performance.now();
        this.#latencies.push((now - sentAt) * 1000);
        sentAt = now;
      }
      (job === 'broadcast' ? this.#sockets[0] : socket)?.write(traffic.next(back));
    };
    const socket = await openReceiver(kind, port, receive);
    this.#sockets.push(socket);
    socket.on('close', () => {
      if (!this.#isOver) fail(new Error('A connection was closed.'));
    });
    return () => {
      sentAt = performance.now();
      socket.write(traffic.first);
    };
  }

  /** Counts for a while, and ends it. */
  async count(): Promise<Measure> {
    const [cpu, messages, bytes] = [cpuNow(), this.#messages, this.#bytes];
    this.#latencies.length = 0;
    // One at least, or nothing can be said.
    do await pause(this.#order.countMs);
    while (this.#messages === messages);
    const after = cpuNow();
    const count = this.#messages - messages;
    this.#isOver = true;
    for (const socket of this.#sockets) socket.destroy();
    const latencyOf = (share: number) => quantile(this.#latencies, share);
    return {
      rate: (count * 1000) / (after.atMs - cpu.atMs),
      bytesBack: (this.#bytes - bytes) / count,
      loadBusy: busyBetween(cpu, after),
      latenciesUs:
        this.#latencies.length > 0 ? { p50: latencyOf(0.5), p99: latencyOf(0.99) } : undefined,
    };
  }
}

function fail(error: unknown): void {
  if (process.connected) process.send?.({ failure: (error as Error).message });
}

let run: Run | undefined;

process.on('message', async (order: Order | 'count') => {
  try {
    if (order === 'count') process.send?.(await run?.count());
    else {
      run = new Run(order);
      await run.start();
      process.send?.('warm');
    }
  } catch (error) {
    fail(error);
  }
});
endWithParent();

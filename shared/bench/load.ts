/** The process that makes load: it sends messages, and others for those that come back. */
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

/** For a server that says nothing any more, in milliseconds. */
const GUARD_MS = 10_000;

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
  return () => new Messages(inFlight, () => batch);
}

/** Sends a message, and looks at what comes back. Throws `Error` when that is not the same. */
async function firstEcho(
  { kind, port }: Order,
  frame: Uint8Array,
  opcode: number,
  payload: Uint8Array,
): Promise<{ length: number; isOneFrame: boolean }> {
  const socket = await openClient(kind, port);
  const silent = new Error('A message did not come back.');
  socket.setTimeout(GUARD_MS, () => socket.destroy(silent));
  const counter = new MessageCounter();
  const chunks: Buffer[] = [];
  let [length, isWhole] = [0, false];
  socket.write(frame);
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    isWhole = kind === 'tcp' ? length >= frame.length : counter.count(chunk) > 0;
    if (isWhole) break; // And this destroys the socket.
  }
  if (!isWhole) throw silent;
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
  /** Why it cannot go on. `undefined`: it can. */
  #fault: Error | undefined;

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
      if (!this.#isOver) this.#fault = new Error('It closed a connection.');
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
    const hasTime = () => performance.now() - cpu.atMs < GUARD_MS && !this.#fault;
    // One at least, or nothing can be said.
    do await pause(this.#order.countMs);
    while (this.#messages === messages && hasTime());
    const after = cpuNow();
    const count = this.#messages - messages;
    this.#isOver = true;
    for (const socket of this.#sockets) socket.destroy();
    if (this.#fault) throw this.#fault;
    if (count === 0) throw new Error('Messages did not come back.');
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

let run: Run | undefined;

/** Does what it is told to, and says what came of it. */
async function obey(order: Order | 'count'): Promise<unknown> {
  if (order === 'count') return run?.count();
  run = new Run(order);
  await run.start();
  return 'warm';
}

process.on('message', async (order: Order | 'count') => {
  const answer = await obey(order).catch(({ message }: Error) => ({ failure: message }));
  if (process.connected) process.send?.(answer);
});
endWithParent();

/** Measures echo servers beside each other, all with the same load, in one run. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { endChild, forkChild } from '../process/children.ts';
import { openClient } from './client.ts';
import { MessageCounter } from './counters.ts';
import {
  isCompressing,
  type Kind,
  type Load,
  type Measure,
  type Order,
  type ServerReply,
} from './messages.ts';
import { framesOf, SAMPLE_BYTES } from './samples.ts';

/** The servers, in the order in which they are measured. */
export const KINDS = ['lesson', 'ws', 'tcp'] as const;

/** The servers of a benchmark of compression. */
export const COMPRESSING_KINDS = ['lesson-deflate', 'ws-deflate', 'ws'] as const;

/** What is asked of each of them. */
export const LOADS: readonly Load[] = [
  { bytes: 64, inFlight: 1 },
  { bytes: 64, inFlight: 16 },
  { bytes: 1024, inFlight: 1 },
  { bytes: 1024, inFlight: 16 },
  { bytes: 16 * 1024, inFlight: 1 },
  { bytes: 1024 * 1024, inFlight: 1 },
];

/** What they are asked when it is about compression. */
export const SAMPLES: readonly Load[] = (['chat', 'list', 'page', 'book', 'noise'] as const).map(
  (sample) => ({ bytes: SAMPLE_BYTES[sample], inFlight: 1, sample }),
);

/** How many processes make load. One would be slower than the server it tests. */
const GENERATORS = 3;
/** How many connections each of them has. */
const CONNECTIONS = 8;
/** How many messages make a connection busy: their 845 bytes each fill its windows. */
const BUSY_MESSAGES = 50;

/** How thoroughly to measure. */
export interface Effort {
  /** How often each server has its turn. The median counts. */
  readonly rounds: number;
  readonly warmUpMs: number;
  readonly countMs: number;
  /** How many connections are opened to see what an idle one takes. */
  readonly idleConnections: number;
  /** And what a busy one takes. */
  readonly busyConnections: number;
}

/** For figures. */
export const THOROUGH: Effort = {
  rounds: 3,
  warmUpMs: 300,
  countMs: 500,
  idleConnections: 2000,
  busyConnections: 200,
};
/** To see that it works. */
export const QUICK: Effort = {
  rounds: 1,
  warmUpMs: 5,
  countMs: 20,
  idleConnections: 50,
  busyConnections: 2,
};

/** What came back, for each server. */
export type Measures<K extends Kind> = Record<K, Measure>;

/** One of the processes. It answers what it is asked, one thing at a time. */
class Process {
  readonly #child: ChildProcess;

  constructor(file: string, args: readonly string[] = []) {
    this.#child = forkChild(new URL(file, import.meta.url), args, ['--expose-gc']);
  }

  /** Returns what it says next. Throws `Error` when it ends instead. */
  reply<T>(): Promise<T> {
    return new Promise((resolve, reject) => {
      const end = (code: number | null) => {
        reject(new Error(`A process of the benchmark ended with exit code ${code}.`));
      };
      this.#child.once('exit', end);
      this.#child.once('message', (message) => {
        this.#child.off('exit', end);
        resolve(message as T);
      });
    });
  }

  ask<T>(question: Order | 'memory'): Promise<T> {
    const reply = this.reply<T>();
    this.#child.send(question);
    return reply;
  }

  end(): void {
    endChild(this.#child);
  }
}

/** The processes of one benchmark. Call `end` when it is done. */
export class Bench<K extends Kind> {
  readonly #kinds: readonly K[];
  readonly #servers: Map<K, Process>;
  readonly #ports = new Map<K, number>();
  readonly #generators: readonly Process[];
  readonly #effort: Effort;

  /** Starts the processes. `lesson` is the URL of the module with the server to measure. */
  constructor(kinds: readonly K[], lesson: string, effort: Effort) {
    this.#kinds = kinds;
    this.#effort = effort;
    this.#servers = new Map(kinds.map((kind) => [kind, new Process('server.ts', [kind, lesson])]));
    this.#generators = Array.from({ length: GENERATORS }, () => new Process('load.ts'));
  }

  /** Waits until every server listens. */
  async ready(): Promise<void> {
    for (const [kind, server] of this.#servers) {
      const { port = 0 } = await server.reply<ServerReply>();
      this.#ports.set(kind, port);
    }
  }

  /** Measures one load on each server, in turns. `onTurn` hears of each, as it begins. */
  async measure(load: Load, onTurn: (kind: K, round: number) => void): Promise<Measures<K>> {
    const measures = this.#kinds.map((kind) => ({ kind, all: [] as Measure[] }));
    for (let round = 1; round <= this.#effort.rounds; round++) {
      for (const { kind, all } of measures) {
        onTurn(kind, round);
        all.push(await this.#once(kind, load));
      }
    }
    return Object.fromEntries(
      measures.map(({ kind, all }) => [kind, medianOf(all)]),
    ) as Measures<K>;
  }

  async #once(kind: K, load: Load): Promise<Measure> {
    const order: Order = {
      ...load,
      kind,
      port: this.#ports.get(kind) ?? 0,
      connections: CONNECTIONS,
      warmUpMs: this.#effort.warmUpMs,
      countMs: this.#effort.countMs,
    };
    const measures = await Promise.all(this.#generators.map((it) => it.ask<Measure>(order)));
    return {
      rate: measures.reduce((sum, { rate }) => sum + rate, 0),
      bytesBack: median(measures.map(({ bytesBack }) => bytesBack)),
    };
  }

  /** Measures what one idle connection takes on a server, in bytes of objects and buffers. */
  idleBytes(kind: K): Promise<number> {
    return this.#bytesOf(kind, this.#effort.idleConnections, (port) => openClient(kind, port));
  }

  /** Measures what one takes that has sent and received more than a window can hold. */
  busyBytes(kind: K): Promise<number> {
    const frames = framesOf('list', isCompressing(kind));
    return this.#bytesOf(kind, this.#effort.busyConnections, async (port) => {
      const socket = await openClient(kind, port);
      const counter = new MessageCounter();
      for (let sent = 0; sent < BUSY_MESSAGES; sent++) {
        socket.write(frames(sent));
        for (let back = 0; back === 0; ) back = counter.count((await once(socket, 'data'))[0]);
      }
      return socket;
    });
  }

  async #bytesOf(kind: K, count: number, open: (port: number) => Promise<Socket>): Promise<number> {
    const server = this.#servers.get(kind)!;
    const sockets: Socket[] = [];
    const openMore = async () => {
      for (let i = 0; i < count; i++) sockets.push(await open(this.#ports.get(kind) ?? 0));
      const { memoryBytes = 0 } = await server.ask<ServerReply>('memory');
      return memoryBytes;
    };
    // The first ones pay for what all of them share.
    const before = await openMore();
    const after = await openMore();
    for (const socket of sockets) socket.destroy();
    return (after - before) / count;
  }

  end(): void {
    for (const it of [...this.#servers.values(), ...this.#generators]) it.end();
  }
}

function medianOf(measures: readonly Measure[]): Measure {
  return {
    rate: median(measures.map(({ rate }) => rate)),
    bytesBack: median(measures.map(({ bytesBack }) => bytesBack)),
  };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

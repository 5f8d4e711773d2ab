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
  type Usage,
} from './messages.ts';
import { framesOf, SAMPLE_BYTES } from './samples.ts';

/** The servers, in the order in which they are measured. */
export const KINDS = ['lesson', 'ws', 'tcp'] as const;

/** The servers of a benchmark of compression. */
export const COMPRESSING_KINDS = ['lesson-deflate', 'ws-deflate', 'ws'] as const;

/** What is asked of each of them. */
export const LOADS: readonly Load[] = [
  { bytes: 64, inFlight: 1, connections: 24 },
  { bytes: 64, inFlight: 16, connections: 24 },
  { bytes: 1024, inFlight: 1, connections: 24 },
  { bytes: 1024, inFlight: 16, connections: 24 },
  { bytes: 16 * 1024, inFlight: 1, connections: 24 },
  { bytes: 1024 * 1024, inFlight: 1, connections: 24 },
];

/** What they are asked when it is about compression: by one client at a time, and by many. */
export const SAMPLES: readonly Load[] = (
  ['chat', 'list', 'page', 'book', 'noise'] as const
).flatMap((sample) =>
  [1, 24].map((connections) => {
    return { bytes: SAMPLE_BYTES[sample], inFlight: 1, connections, sample };
  }),
);

/** How many processes make load. One would be slower than the server it tests. */
const GENERATORS = 3;
/** When it compresses, one is fast enough, and fewer have to be woken for an answer. */
const COMPRESSING_GENERATORS = 1;
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

/** What a server did under a load. */
export interface Result {
  /** Messages in a second. */
  readonly rate: number;
  /** Bytes on the wire for each of them. */
  readonly bytesBack: number;
  /** Processor time of the server for each of them, in microseconds. */
  readonly cpuUs: number;
}

/** What each server did. */
export type Results<K extends Kind> = Record<K, Result>;

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

  ask<T>(question: Order | 'usage'): Promise<T> {
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
    const count = kinds.some(isCompressing) ? COMPRESSING_GENERATORS : GENERATORS;
    this.#generators = Array.from({ length: count }, () => new Process('load.ts'));
  }

  /** Waits until every server listens. */
  async ready(): Promise<void> {
    for (const [kind, server] of this.#servers) {
      const { port } = await server.reply<{ port: number }>();
      this.#ports.set(kind, port);
    }
  }

  /** Measures one load on each server, in turns. `onTurn` hears of each, as it begins. */
  async measure(load: Load, onTurn: (kind: K, round: number) => void): Promise<Results<K>> {
    const turns = this.#kinds.map((kind) => ({ kind, results: [] as Result[] }));
    for (let round = 1; round <= this.#effort.rounds; round++) {
      for (const { kind, results } of turns) {
        onTurn(kind, round);
        results.push(await this.#once(kind, load));
      }
    }
    const medians = turns.map(({ kind, results }) => [kind, medianOf(results)]);
    return Object.fromEntries(medians) as Results<K>;
  }

  async #once(kind: K, load: Load): Promise<Result> {
    const order: Order = {
      ...load,
      kind,
      port: this.#ports.get(kind) ?? 0,
      connections: load.connections / this.#generators.length,
      warmUpMs: this.#effort.warmUpMs,
      countMs: this.#effort.countMs,
    };
    const before = await this.#usage(kind);
    const measures = await Promise.all(this.#generators.map((it) => it.ask<Measure>(order)));
    const after = await this.#usage(kind);
    const messages = measures.reduce((sum, it) => sum + it.messages, 0);
    return {
      rate: measures.reduce((sum, { rate }) => sum + rate, 0),
      bytesBack: median(measures.map(({ bytesBack }) => bytesBack)),
      cpuUs: (after.cpuUs - before.cpuUs) / Math.max(messages, 1),
    };
  }

  #usage(kind: K): Promise<Usage> {
    return this.#servers.get(kind)!.ask<Usage>('usage');
  }

  /** Measures what an idle connection takes on a server. */
  idle(kind: K): Promise<Usage> {
    return this.#share(kind, this.#effort.idleConnections, (port) => openClient(kind, port));
  }

  /** Measures what one takes that has sent and received more than a window can hold. */
  busy(kind: K): Promise<Usage> {
    const frames = framesOf('list', isCompressing(kind));
    return this.#share(kind, this.#effort.busyConnections, async (port) => {
      const socket = await openClient(kind, port);
      const counter = new MessageCounter();
      for (let sent = 0; sent < BUSY_MESSAGES; sent++) {
        socket.write(frames(sent));
        for (let back = 0; back === 0; ) back = counter.count((await once(socket, 'data'))[0]);
      }
      return socket;
    });
  }

  /** Returns what a server uses for each connection. The first ones pay for what all of them share. */
  async #share(kind: K, count: number, open: (port: number) => Promise<Socket>): Promise<Usage> {
    const sockets: Socket[] = [];
    const openMore = async () => {
      for (let i = 0; i < count; i++) sockets.push(await open(this.#ports.get(kind) ?? 0));
      return this.#usage(kind);
    };
    const [before, after] = [await openMore(), await openMore()];
    for (const socket of sockets) socket.destroy();
    return {
      memoryBytes: (after.memoryBytes - before.memoryBytes) / count,
      processBytes: (after.processBytes - before.processBytes) / count,
      cpuUs: (after.cpuUs - before.cpuUs) / count,
    };
  }

  end(): void {
    for (const it of [...this.#servers.values(), ...this.#generators]) it.end();
  }
}

function medianOf(results: readonly Result[]): Result {
  return {
    rate: median(results.map(({ rate }) => rate)),
    bytesBack: median(results.map(({ bytesBack }) => bytesBack)),
    cpuUs: median(results.map(({ cpuUs }) => cpuUs)),
  };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

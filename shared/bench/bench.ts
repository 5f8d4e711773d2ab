/** Measures echo servers beside each other, all with the same load, in one run. */
import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import { endChild, forkChild } from '../process/children.ts';
import { openClient } from './client.ts';
import type { Kind, Load, Order, ServerReply } from './messages.ts';

/** The servers, in the order in which they are measured. */
export const KINDS: readonly Kind[] = ['lesson', 'ws', 'tcp'];

/** What is asked of each of them. */
export const LOADS: readonly Load[] = [
  { bytes: 64, inFlight: 1 },
  { bytes: 64, inFlight: 16 },
  { bytes: 1024, inFlight: 1 },
  { bytes: 1024, inFlight: 16 },
  { bytes: 16 * 1024, inFlight: 1 },
  { bytes: 1024 * 1024, inFlight: 1 },
];

/** How many processes make load. One would be slower than the server it tests. */
const GENERATORS = 3;
/** How many connections each of them has. */
const CONNECTIONS = 8;

/** How thoroughly to measure. */
export interface Effort {
  /** How often each server has its turn. The median counts. */
  readonly rounds: number;
  readonly warmUpMs: number;
  readonly countMs: number;
  /** How many connections are opened to see what an idle one takes. */
  readonly idleConnections: number;
}

/** For figures. */
export const THOROUGH: Effort = { rounds: 3, warmUpMs: 300, countMs: 500, idleConnections: 2000 };
/** To see that it works. */
export const QUICK: Effort = { rounds: 1, warmUpMs: 5, countMs: 20, idleConnections: 50 };

/** Messages in a second, for each server. */
export type Rates = Record<Kind, number>;

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
export class Bench {
  readonly #servers: Record<Kind, Process>;
  readonly #generators: readonly Process[];
  readonly #effort: Effort;
  #ports: Record<Kind, number> = { lesson: 0, ws: 0, tcp: 0 };

  /** Starts the processes. `lesson` is the URL of the module with the server to measure. */
  constructor(lesson: string, effort: Effort) {
    this.#effort = effort;
    const server = (kind: Kind) => new Process('server.ts', [kind, lesson]);
    this.#servers = { lesson: server('lesson'), ws: server('ws'), tcp: server('tcp') };
    this.#generators = Array.from({ length: GENERATORS }, () => new Process('load.ts'));
  }

  /** Waits until every server listens. */
  async ready(): Promise<void> {
    for (const kind of KINDS) {
      const { port = 0 } = await this.#servers[kind].reply<ServerReply>();
      this.#ports = { ...this.#ports, [kind]: port };
    }
  }

  /** Measures one load on each server, in turns. `onTurn` hears of each, as it begins. */
  async measure(load: Load, onTurn: (kind: Kind, round: number) => void): Promise<Rates> {
    const rates: Record<Kind, number[]> = { lesson: [], ws: [], tcp: [] };
    for (let round = 1; round <= this.#effort.rounds; round++) {
      for (const kind of KINDS) {
        onTurn(kind, round);
        rates[kind].push(await this.#once(kind, load));
      }
    }
    return { lesson: median(rates.lesson), ws: median(rates.ws), tcp: median(rates.tcp) };
  }

  async #once(kind: Kind, load: Load): Promise<number> {
    const order: Order = {
      ...load,
      kind,
      port: this.#ports[kind],
      connections: CONNECTIONS,
      warmUpMs: this.#effort.warmUpMs,
      countMs: this.#effort.countMs,
    };
    const rates = await Promise.all(this.#generators.map((it) => it.ask<number>(order)));
    return rates.reduce((sum, rate) => sum + rate, 0);
  }

  /** Measures what one idle connection takes on a server, in bytes of objects and buffers. */
  async idleBytes(kind: Kind): Promise<number> {
    const memory = async () => {
      const { memoryBytes = 0 } = await this.#servers[kind].ask<ServerReply>('memory');
      return memoryBytes;
    };
    const { idleConnections } = this.#effort;
    const sockets: Socket[] = [];
    const openMore = async () => {
      for (let i = 0; i < idleConnections; i++) {
        sockets.push(await openClient(kind, this.#ports[kind]));
      }
      return memory();
    };
    // The first ones pay for what all of them share.
    const before = await openMore();
    const after = await openMore();
    for (const socket of sockets) socket.destroy();
    return (after - before) / idleConnections;
  }

  end(): void {
    for (const it of [...Object.values(this.#servers), ...this.#generators]) it.end();
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

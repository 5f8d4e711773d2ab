/** Measures servers beside each other, all with the same load, in one run. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { UsageError } from '../course/lessons.ts';
import { openClient } from './client.ts';
import { MessageCounter } from './counters.ts';
import {
  busyBetween,
  type Cpu,
  isCompressing,
  type Load,
  type Measure,
  type Memory,
  type Order,
} from './messages.ts';
import {
  type Contestant,
  listCores,
  type Process,
  ProcessError,
  startLoad,
  startServer,
} from './processes.ts';
import type { Summary } from './profile.ts';
import { framesOf } from './samples.ts';

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
  /** How many connections a broadcast has. */
  readonly receivers: number;
}

/** For figures. */
export const THOROUGH: Effort = {
  rounds: 3,
  warmUpMs: 150,
  countMs: 300,
  idleConnections: 1000,
  busyConnections: 200,
  receivers: 1000,
};
/** To see that it works. */
export const QUICK: Effort = {
  rounds: 1,
  warmUpMs: 5,
  countMs: 20,
  idleConnections: 50,
  busyConnections: 2,
  receivers: 20,
};

/** What a server did under a load, in one round. */
export interface Result extends Measure {
  /** Processor time of the server for each message, in microseconds. */
  readonly cpuUs: number;
  /** The share of the time in which the server was busy: 1 is a whole core. */
  readonly serverBusy: number;
}

/** What a server did under a load, round by round. */
export interface Measured {
  readonly contestant: Contestant;
  readonly results: readonly Result[];
}

/** Where the processor time of a server went under a load. */
export interface Profiled extends Result {
  readonly summary: Summary;
  /** The share of its processor time that it spent in the kernel. */
  readonly kernel: number;
}

/** What is done around the time that counts. */
interface Around {
  before(): Promise<unknown>;
  after(before: Cpu, after: Cpu): Promise<void>;
}

/** Says whether a server works in several threads: to it, one core would be unfair. */
const hasThreads = ({ kind }: Contestant) => isCompressing(kind);

/** Waits for something about a server. Throws `UsageError` that names it when a process fails. */
async function about<T>({ name }: Contestant, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof ProcessError)) throw error;
    throw new UsageError(`${name} cannot be measured. ${error.message}`);
  }
}

/** The processes of one benchmark. Call `end` when it is done. */
export class Bench {
  /** On which core the servers are, and on which the load is. `undefined`: anywhere. */
  readonly cores: readonly [servers: number, load: number] | undefined;
  readonly #servers: ReadonlyMap<Contestant, Process>;
  readonly #ports = new Map<Contestant, number>();
  readonly #load: Process;
  readonly #effort: Effort;

  /** Starts the processes. */
  constructor(contestants: readonly Contestant[], effort: Effort) {
    this.#effort = effort;
    this.#servers = new Map(contestants.map((it) => [it, startServer(it)]));
    this.#load = startLoad();
    const [servers, load] = contestants.some(hasThreads) ? [] : listCores();
    this.cores = servers === undefined || load === undefined ? undefined : [servers, load];
  }

  /** Waits until every server listens. Throws `UsageError` when one does not. */
  async ready(): Promise<void> {
    for (const [contestant, server] of this.#servers) {
      const { port } = await about(contestant, server.reply<{ port: number }>());
      this.#ports.set(contestant, port);
      if (this.cores) server.pinTo(this.cores[0]);
    }
    if (this.cores) this.#load.pinTo(this.cores[1]);
  }

  /**
   * Measures one load on each server, in turns. `onTurn` hears of each, as it begins. Throws
   * `UsageError` when a server does not send back what it was sent.
   */
  async measure(
    load: Load,
    onTurn: (contestant: Contestant, round: number) => void,
  ): Promise<Measured[]> {
    const turns = Array.from(this.#servers.keys(), (contestant) => {
      return { contestant, results: [] as Result[] };
    });
    for (let round = 1; round <= this.#effort.rounds; round++) {
      for (const { contestant, results } of turns) {
        onTurn(contestant, round);
        results.push(await about(contestant, this.#run(contestant, load)));
      }
    }
    return turns;
  }

  /** Looks where the processor time of a server goes under a load. */
  async profile(contestant: Contestant, load: Load): Promise<Profiled> {
    const server = this.#servers.get(contestant)!;
    let [summary, kernel] = [undefined as Summary | undefined, 0];
    const around: Around = {
      before: () => server.ask('start profile'),
      async after(before, after) {
        summary = await server.ask<Summary>('end profile');
        const systemUs = after.systemUs - before.systemUs;
        kernel = systemUs / (systemUs + after.userUs - before.userUs);
      },
    };
    const result = await about(contestant, this.#run(contestant, load, around));
    return { ...result, summary: summary!, kernel };
  }

  async #run(contestant: Contestant, load: Load, around?: Around): Promise<Result> {
    const server = this.#servers.get(contestant)!;
    const { warmUpMs, countMs } = this.#effort;
    const port = this.#ports.get(contestant) ?? 0;
    const order: Order = { ...load, kind: contestant.kind, port, warmUpMs, countMs };
    await server.ask(load.job ?? 'echo');
    await this.#load.ask(order);
    await around?.before();
    const before = await server.ask<Cpu>('cpu');
    const measure = await this.#load.ask<Measure>('count');
    const after = await server.ask<Cpu>('cpu');
    await around?.after(before, after);
    const serverBusy = busyBetween(before, after);
    return { ...measure, serverBusy, cpuUs: (serverBusy * 1_000_000) / measure.rate };
  }

  /** Measures what an idle connection takes on a server. */
  idle(contestant: Contestant): Promise<Memory> {
    return this.#share(contestant, this.#effort.idleConnections, (port) =>
      openClient(contestant.kind, port),
    );
  }

  /** Measures what one takes that has sent and received more than a window can hold. */
  busy(contestant: Contestant): Promise<Memory> {
    const frames = framesOf('list', isCompressing(contestant.kind));
    return this.#share(contestant, this.#effort.busyConnections, async (port) => {
      const socket = await openClient(contestant.kind, port);
      const counter = new MessageCounter();
      for (let sent = 0; sent < BUSY_MESSAGES; sent++) {
        socket.write(frames(sent));
        for (let back = 0; back === 0; ) back = counter.count((await once(socket, 'data'))[0]);
      }
      return socket;
    });
  }

  /** Returns what a server uses for each connection. The first ones pay for what all of them share. */
  async #share(
    contestant: Contestant,
    count: number,
    open: (port: number) => Promise<Socket>,
  ): Promise<Memory> {
    const sockets: Socket[] = [];
    const openMore = async () => {
      for (let i = 0; i < count; i++) sockets.push(await open(this.#ports.get(contestant) ?? 0));
      return this.#servers.get(contestant)!.ask<Memory>('memory');
    };
    const [before, after] = [await openMore(), await openMore()];
    for (const socket of sockets) socket.destroy();
    return {
      memoryBytes: (after.memoryBytes - before.memoryBytes) / count,
      processBytes: (after.processBytes - before.processBytes) / count,
    };
  }

  end(): void {
    for (const it of [...this.#servers.values(), this.#load]) it.end();
  }
}

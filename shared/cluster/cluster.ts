/** The processes of a cluster: how they start, leave and are replaced. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import type { Bus } from '../../solutions/09-production/production.ts';
import { withTimeout } from '../kit/patience.ts';
import { endChild, forkChild } from '../process/children.ts';
import { isReady } from './balancer.ts';
import { BusDesk } from './distant-bus.ts';
import type { FromMember, Settings, ToMember } from './messages.ts';

/** What people call the processes. */
const NAMES = ['A', 'B', 'C'];

/** How long a process can take to start, and to leave once its clients are away, in milliseconds. */
const PATIENCE_MS = 30_000;

/** A process does not start. Its message is for people. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

/** How a process is: `gone` is one that has left, or was killed, and is not replaced yet. */
export type State = 'starting' | 'ready' | 'leaving' | 'gone';

/** What all processes have in common, and the bus for those without an engine. */
export type ClusterOptions = Omit<Settings, 'name' | 'port'> & {
  readonly bus: Bus;
  /** Hears that a process which had ended by itself could not be replaced. */
  readonly failed: (error: unknown) => void;
};

/** A process of a cluster, and who takes its place: always with the same name, at the same port. */
class Member {
  readonly name: string;
  readonly #options: ClusterOptions;
  /** Called when a process has ended that nobody has sent away. */
  readonly #ended: () => void;
  #child: ChildProcess | undefined;
  #port = 0;
  #state: State = 'gone';

  constructor(name: string, options: ClusterOptions, ended: () => void) {
    this.name = name;
    this.#options = options;
    this.#ended = ended;
  }

  get state(): State {
    return this.#state;
  }

  get port(): number {
    return this.#port;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Starts a process. Resolves when it is ready. Throws `StartError` when it does not get there. */
  async start(): Promise<void> {
    const { bus, failed: _, ...common } = this.#options;
    const settings: Settings = { ...common, name: this.name, port: this.#port };
    const child = forkChild(new URL('child.ts', import.meta.url), [JSON.stringify(settings)], [], {
      // Without our terminal: a process that ends leaves that as it has found it.
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    child.stdout?.on('data', (text) => process.stdout.write(text));
    child.stderr?.on('data', (text) => process.stderr.write(text));
    this.#child = child;
    this.#state = 'starting';
    const desk = new BusDesk(bus, (message) => tell(child, message));
    child.on('error', () => {});
    child.once('exit', () => {
      desk.close();
      const wasReady = this.#state === 'ready';
      this.#state = 'gone';
      if (wasReady) this.#ended();
    });
    child.on('message', (message: FromMember) => {
      if (message.type === 'listening') this.#port = message.port;
      else void desk.answer(message.number, message.question);
    });
    await withTimeout(this.#becomesReady(child), PATIENCE_MS, () => {
      throw new StartError(`Process ${this.name} does not get ready.`);
    });
    this.#state = 'ready';
  }

  async #becomesReady(child: ChildProcess): Promise<void> {
    while (this.#port === 0 || !(await isReady(this.#port))) {
      if (child.exitCode !== null || child.signalCode !== null)
        throw new StartError(`Process ${this.name} has ended before it was ready.`);
      await pause(20);
    }
  }

  /** Lets the process send its clients away and end. One that does not in time is killed. */
  async leave(spreadMs: number): Promise<void> {
    const child = this.#child;
    if (!child || this.#state === 'gone') return;
    this.#state = 'leaving';
    const gone = once(child, 'exit');
    tell(child, { type: 'leave', spreadMs });
    await withTimeout(gone, spreadMs + PATIENCE_MS, () => this.kill());
  }

  /** Kills the process. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (!child || this.#state === 'gone') return;
    const gone = once(child, 'exit');
    endChild(child);
    await gone;
  }
}

function tell(child: ChildProcess, message: ToMember): void {
  if (child.connected) child.send(message, () => {});
}

/** Some processes that serve the same rooms. */
export class Cluster {
  readonly #members: readonly Member[];
  #change: Promise<void> = Promise.resolve();
  #isStopped = false;

  private constructor(options: ClusterOptions) {
    this.#members = NAMES.map((name, i) => {
      const replace = () => this.#inTurn(() => this.#replace(this.#members[i]!));
      return new Member(name, options, () => replace().catch(options.failed));
    });
  }

  /** Starts the processes. Throws `StartError` when one of them does not get ready. */
  static async start(options: ClusterOptions): Promise<Cluster> {
    const cluster = new Cluster(options);
    await Promise.all(cluster.#members.map((member) => member.start()));
    return cluster;
  }

  /** The processes, in order. */
  get members(): readonly Pick<Member, 'name' | 'pid' | 'port' | 'state'>[] {
    return this.#members;
  }

  /**
   * Replaces the processes, one after the other, so that all but one are always there. Each gets so
   * many milliseconds to send its clients away. Throws `StartError` when one does not come back.
   */
  restart(spreadMs: number): Promise<void> {
    return this.#inTurn(async () => {
      for (const member of this.#members) {
        await member.leave(spreadMs);
        await this.#replace(member);
      }
    });
  }

  /** Kills a process as `kill -9` does, and starts another one in its place. Resolves with its name. */
  kill(random: () => number = Math.random): Promise<string> {
    return this.#inTurn(async () => {
      const member = this.#members[Math.floor(random() * this.#members.length)]!;
      await member.kill();
      await this.#replace(member);
      return member.name;
    });
  }

  /** Ends all processes at once. Those that are gone stay away. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.#members.map((member) => member.kill()));
  }

  async #replace(member: Member): Promise<void> {
    if (member.state === 'gone' && !this.#isStopped) await member.start();
  }

  /** One change after the other: two restarts at once would leave nobody. */
  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const result = this.#change.then(change);
    this.#change = result.then(
      () => {},
      () => {},
    );
    return result;
  }
}

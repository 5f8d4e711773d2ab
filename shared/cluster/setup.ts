/** A whole cluster: what carries the messages, the processes, and what is in front of them. */
import type * as Production from '../../solutions/09-production/production.ts';
import { RespConnection } from '../kit/resp.ts';
import { Balancer } from './balancer.ts';
import { Cluster } from './cluster.ts';
import type { Settings } from './messages.ts';
import {
  findPort,
  makeEngine,
  makeFolder,
  makeProxy,
  type Program,
  type ProxyName,
  requireProgram,
} from './programs.ts';

/** What a cluster is made of. */
export interface Plan {
  /** The URLs of the modules with lessons 09 and 05. */
  readonly production: string;
  readonly server: string;
  /** A real engine, in place of the bus in this process? */
  readonly withEngine: boolean;
  /** Without a log on disk, the engine has forgotten everything when it was killed. */
  readonly isForgetful: boolean;
  /** A real proxy, in place of the balancer in this process. Absent: none. */
  readonly proxy?: ProxyName;
  readonly limits: Settings['limits'];
  readonly origins?: readonly string[];
  /** How many messages a room remembers. */
  readonly historySize: number;
  /** Hears that a process which had ended by itself could not be replaced. */
  readonly failed: (error: unknown) => void;
}

/** A cluster at work. */
export interface Running {
  /** For clients, such as `ws://127.0.0.1:8081`. */
  readonly url: string;
  readonly cluster: Cluster;
  readonly bus: Production.Bus;
  /** Kills the engine, and starts it again. Absent: there is none. */
  readonly killEngine?: () => Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts a cluster on 127.0.0.1. Throws `ProgramError` when a program is missing or does not start,
 * and `StartError` when a process does not.
 */
export async function startCluster(plan: Plan): Promise<Running> {
  const { withEngine, proxy, production, server, limits, origins, historySize, failed } = plan;
  // First of all, so that nothing was begun when one is missing.
  const enginePath = withEngine ? requireProgram('valkey') : undefined;
  const proxyPath = proxy && requireProgram(proxy);
  const folder = enginePath || proxyPath ? makeFolder() : '';
  const lesson = (await import(production)) as typeof Production;
  const stops: (() => unknown)[] = [];
  const stop = async () => {
    for (const stop of stops.reverse()) await stop();
  };
  try {
    const engine = enginePath
      ? makeEngine(enginePath, folder, await findPort(), plan.isForgetful)
      : undefined;
    if (engine) stops.push(await started(engine));
    const bus = makeBus(lesson, engine, historySize, stops);
    const cluster = await Cluster.start({
      ...{ production, server, limits, historySize, bus, failed },
      isProxied: proxy !== undefined,
      ...(origins && { origins }),
      ...(engine && { engine: engine.port }),
    });
    stops.push(() => cluster.stop());
    const ports = cluster.members.map(({ port }) => port);
    const port =
      proxy && proxyPath
        ? await startProxy(makeProxy(proxy, proxyPath, folder, await findPort(), ports), stops)
        : await startBalancer(new Balancer(ports), stops);
    const killEngine = engine && (() => engine.kill().then(() => engine.start()));
    return { url: `ws://127.0.0.1:${port}`, cluster, bus, ...(killEngine && { killEngine }), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function started(program: Program): Promise<() => Promise<void>> {
  await program.start();
  return () => program.kill();
}

async function startProxy(program: Program, stops: (() => unknown)[]): Promise<number> {
  stops.push(await started(program));
  return program.port;
}

async function startBalancer(balancer: Balancer, stops: (() => unknown)[]): Promise<number> {
  const port = await balancer.listen(0);
  stops.push(() => balancer.stop());
  return port;
}

/** The bus of this process: all messages pass it, or it only looks at what the engine has. */
function makeBus(
  { MemoryBus, StreamBus }: typeof Production,
  engine: Program | undefined,
  historySize: number,
  stops: (() => unknown)[],
): Production.Bus {
  if (!engine) return new MemoryBus(Date.now, historySize);
  const connections = [new RespConnection(engine.port), new RespConnection(engine.port)] as const;
  const bus = new StreamBus(...connections, historySize);
  stops.push(() => {
    bus.stop();
    for (const connection of connections) connection.close();
  });
  return bus;
}

/** A cluster with a page, until somebody has seen enough. */

import type { ClientSide } from './client.ts';
import { type ClusterState, type ServedPage, servePage } from './page-server.ts';
import { bundleSession } from './session-module.ts';
import { type Plan, type Running, startCluster } from './setup.ts';
import { startTicker } from './ticker.ts';

/** Within how many milliseconds a process sends its clients away. */
const SPREAD_MS = 2_000;

/** What everybody on the page is in. */
const ROOM = 'lobby';

/** What to show, and how. */
export interface ShowOptions {
  readonly plan: Omit<Plan, 'origins' | 'limits' | 'historySize'>;
  /** The path of the file with lesson 09. */
  readonly file: string;
  /** Of the page. 0: the system picks one. */
  readonly port: number;
  /** How often to restart, in seconds. Absent: when somebody asks for it. */
  readonly everySeconds?: number;
  /** Whose code is at work. */
  readonly whose: string;
  /** Hears what happens, in a line. */
  readonly tell: (line: string) => void;
}

/** What is shown. */
export interface Show {
  /** Of the page. */
  readonly url: string;
  restart(): void;
  kill(): void;
  stop(): Promise<void>;
}

/** Starts to show a cluster. Throws what `startCluster` throws, and the system's error for a port. */
export async function showCluster(options: ShowOptions): Promise<Show> {
  const { plan, file, everySeconds, tell } = options;
  let running: Running | undefined;
  const act = (what: (running: Running) => Promise<string>) => () => {
    if (running) void what(running).then(tell, plan.failed);
  };
  const restart = act(({ cluster }) =>
    cluster.restart(SPREAD_MS).then(() => 'Every process was replaced, one after the other.'),
  );
  const kill = act(({ cluster }) =>
    cluster.kill().then((name) => `Process ${name} was killed, and another one is in its place.`),
  );
  const page = await servePage(options.port, {
    session: await bundleSession(file),
    state: () => stateOf(options, running),
    acts: { '/restart': restart, '/kill': kill },
  });
  try {
    running = await startCluster({ ...plan, ...modestLimits(page), historySize: 10_000 });
  } catch (error) {
    page.stop();
    throw error;
  }
  const { url, stop: stopCluster } = running;
  const lesson = (await import(plan.production)) as ClientSide;
  const stopTicker = startTicker(lesson, { url, room: ROOM, origin: page.url });
  const timer = everySeconds === undefined ? undefined : setInterval(restart, everySeconds * 1000);
  const stop = async () => {
    clearInterval(timer);
    stopTicker();
    page.stop();
    await stopCluster();
  };
  return { url: page.url, restart, kill, stop };
}

/** Every client is on this machine: one address, with many tabs. A flood waits, but not for long. */
function modestLimits({ url }: ServedPage): Pick<Plan, 'limits' | 'origins'> {
  const limits = {
    socketsPerAddress: 100,
    requests: { burst: 100, perSecond: 20 },
    messages: { burst: 100, perSecond: 100 },
  };
  return { limits, origins: [url, url.replace('127.0.0.1', 'localhost')] };
}

function stateOf({ plan, whose }: ShowOptions, running: Running | undefined): ClusterState {
  const members = running?.cluster.members ?? [];
  return {
    ...(running && { url: running.url }),
    proxy: plan.proxy ?? 'a balancer of our own',
    bus: plan.withEngine ? 'streams of an engine' : 'a bus in their parent',
    whose,
    room: ROOM,
    members: members.map(({ name, pid, state }) => ({ name, state, ...(pid && { pid }) })),
  };
}

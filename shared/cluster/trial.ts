/** Many clients at once, while processes are replaced and killed around them. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Bus, Entry } from '../../solutions/09-production/production.ts';
import { type Address, Client, type ClientSide } from './client.ts';
import type { Cluster } from './cluster.ts';
import { compareWithSaid, compareWithStream, type Faults, type Message, readAll } from './proof.ts';

/** What a trial needs. */
export interface TrialOptions {
  readonly lesson: ClientSide;
  readonly cluster: Cluster;
  readonly bus: Bus;
  readonly address: Address;
  readonly clients: number;
  /** How many messages all of them say together. */
  readonly messages: number;
  /** How long they take for that, in seconds, if they can. */
  readonly seconds: number;
  /** Kills the engine and starts it again. Absent: there is none. */
  readonly killEngine?: () => Promise<void>;
  /** Hears what happens, in a line. */
  readonly tell: (line: string) => void;
}

/** What came of a trial. */
export interface Verdict {
  readonly said: number;
  /** How many messages the history has. `undefined`: it has forgotten some. */
  readonly stream: number | undefined;
  /** How many messages all clients together were shown. */
  readonly shown: number;
  readonly reconnects: number;
  /** How often a client was told that something may be missing. */
  readonly gaps: number;
  /** How many clients were closed for good. */
  readonly closed: number;
  /** When the history has forgotten some, nothing is known of it, and lists are compared with what was said. */
  readonly history: Faults;
  /** For each client, and how many of them miss something and were never told. */
  readonly lists: readonly Faults[];
  readonly untold: number;
}

/** How many messages of a client can be on their way. More than 100 would be too many at once. */
const MOST_UNACKED = 20;

/** Within how many milliseconds a process sends its clients away. */
const SPREAD_MS = 1_000;

/** How long everything may stand still before nobody waits any longer, in milliseconds. */
const STANDSTILL_MS = 30_000;

/** Runs a trial: two rolling restarts, and in between a process and the engine are killed. */
export async function runTrial(options: TrialOptions): Promise<Verdict> {
  const { lesson, bus, address, messages } = options;
  const patience = new Patience();
  const start = await bus.tip(address.room);
  const clients = Array.from(
    { length: options.clients },
    (_, i) => new Client(lesson, address, `client-${i + 1}`),
  );
  try {
    await patience.until(
      () => clients.every(({ isThere }) => isThere),
      () => count(clients, 'isThere'),
    );
    options.tell(`${clients.length} clients are there.`);
    const said: Message[] = [];
    await Promise.all([sayAll(clients, said, options, patience), disturb(said, options, patience)]);
    const isOver = () =>
      clients.every(({ unacked, shown }) => unacked === 0 && shown.length >= messages);
    await patience.until(isOver, () => clients.reduce((sum, { shown }) => sum + shown.length, 0));
    return judge(said, await readAll(bus, address.room, start), clients);
  } finally {
    for (const client of clients) client.end();
  }
}

/** In turns, evenly, and no faster than they get through. */
async function sayAll(
  clients: readonly Client[],
  said: Message[],
  { messages, seconds }: TrialOptions,
  patience: Patience,
): Promise<void> {
  const startedAt = performance.now();
  for (let i = 0; i < messages; i++) {
    const lateMs = performance.now() - startedAt - (i / messages) * seconds * 1000;
    if (lateMs < 0) await pause(-lateMs);
    const number = i % clients.length;
    const client = clients[number]!;
    const hasRoom = await patience.until(
      () => client.unacked < MOST_UNACKED,
      () => client.unacked,
    );
    if (!hasRoom) return;
    const message = { user: `client-${number + 1}`, text: `message ${i + 1}` };
    said.push(message);
    client.say(message.text);
  }
}

/** What goes wrong, and when: after which share of the messages. */
async function disturb(
  said: readonly Message[],
  options: TrialOptions,
  patience: Patience,
): Promise<void> {
  const { cluster, killEngine, messages, tell } = options;
  const reached = (share: number) =>
    patience.until(
      () => said.length >= Math.floor(share * messages),
      () => said.length,
    );
  const restart = async () => {
    await cluster.restart(SPREAD_MS);
    tell('Every process was replaced, one after the other.');
  };
  await reached(0.1);
  await restart();
  await reached(0.4);
  tell(`Process ${await cluster.kill()} was killed.`);
  if (killEngine) {
    await reached(0.5);
    await killEngine();
    tell('The engine was killed.');
  }
  await reached(0.7);
  await restart();
}

/** Waits as long as there is progress. Once there was none, nobody waits for anything any more. */
class Patience {
  #isOver = false;

  /** Waits until something is so. Resolves with `false` when it never was. */
  async until(isSo: () => boolean, progress: () => number): Promise<boolean> {
    let [last, at] = [progress(), performance.now()];
    while (!isSo()) {
      if (this.#isOver) return false;
      await pause(20);
      if (progress() !== last) [last, at] = [progress(), performance.now()];
      this.#isOver ||= performance.now() - at > STANDSTILL_MS;
    }
    return true;
  }
}

function judge(
  said: readonly Message[],
  stream: readonly Entry[] | undefined,
  clients: readonly Client[],
): Verdict {
  const sum = (of: (client: Client) => number) => clients.reduce((so, one) => so + of(one), 0);
  const lists = clients.map(({ shown }) =>
    stream ? compareWithStream(stream, shown) : compareWithSaid(said, shown),
  );
  return {
    said: said.length,
    stream: stream?.length,
    shown: sum(({ shown }) => shown.length),
    reconnects: sum(({ reconnects }) => reconnects),
    gaps: sum(({ gaps }) => gaps),
    closed: sum(({ finalCode }) => (finalCode === undefined ? 0 : 1)),
    history: compareWithSaid(said, stream ?? said),
    lists,
    untold: lists.filter(({ missing }, i) => missing > 0 && clients[i]!.gaps === 0).length,
  };
}

function count<K extends string>(
  all: readonly { readonly [Key in K]: boolean }[],
  name: K,
): number {
  return all.filter((one) => one[name]).length;
}

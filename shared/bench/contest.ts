/** The programs of the benchmark: what is measured, and printed while it goes on. */
import { createRequire } from 'node:module';
import { count } from '../view/count.ts';
import { statusLine } from '../view/status-line.ts';
import { Bench, type Effort, type Measured } from './bench.ts';
import { BUN_NAME, fetchBun } from './bun.ts';
import { drawChart, writeChart } from './chart.ts';
import { ALONE, broadcastsTo, LOADS, PROFILED, SAMPLES } from './loads.ts';
import type { Load, Memory } from './messages.ts';
import type { Contestant } from './processes.ts';
import {
  describe,
  groupOf,
  PROFILE_LEGEND,
  renderBesides,
  renderLoad,
  renderMemory,
  renderNoise,
  renderProfile,
  renderSample,
  renderVerdict,
} from './report.ts';

/** What `ws` is called: with its version. */
const WS = `ws ${createRequire(import.meta.url)('ws/package.json').version}`;
const TCP: Contestant = { kind: 'tcp', name: 'plain TCP' };

/** Runs a benchmark, and ends its processes. */
async function withBench(
  contestants: readonly Contestant[],
  effort: Effort,
  act: (bench: Bench) => Promise<void>,
): Promise<void> {
  const bench = new Bench(contestants, effort);
  try {
    await bench.ready();
    const cores = bench.cores
      ? `The servers are on core ${bench.cores[0]}, and the load is on core ${bench.cores[1]}.`
      : 'The servers and the load share all cores.';
    console.log(`\n${cores}\n`);
    await act(bench);
  } finally {
    bench.end();
  }
}

/** What may be asked for when servers are measured. */
export interface Wishes {
  readonly effort: Effort;
  readonly isText: boolean;
  /** Who else takes part: `bun`, or `uws`. */
  readonly guests: readonly string[];
  /** The file for a chart. */
  readonly svg: string | undefined;
}

/** Measures our servers beside others, and prints tables. Throws `UsageError` when one cannot be. */
export async function measureServers(
  mine: readonly Contestant[],
  { effort, isText, guests, svg }: Wishes,
): Promise<void> {
  const contestants = [...mine, { kind: 'ws', name: WS } as const, ...(await invite(guests)), TCP];
  await withBench(contestants, effort, async (bench) => {
    console.log(`${isText ? 'Texts (of ASCII)' : 'Binary messages'} echoed in a second:\n`);
    const loads = LOADS.map((load) => ({ ...load, isText }));
    const results = await measureAll(bench, loads, (load, all) =>
      renderLoad(load, all, plainOf(all)),
    );
    await measureBesides(bench, contestants, effort);
    const noisy = results.filter(({ all }) => renderNoise(all, plainOf(all)) !== '').length;
    const verdict = renderVerdict(noisy, results.length, effort.rounds);
    console.log(verdict);
    if (svg === undefined) return;
    const groups = results.map(({ load, all }) => groupOf(load, all, plainOf(all)));
    const what = `${isText ? 'Text' : 'Binary'}, Node ${process.versions.node}, ${count(effort.rounds, 'round')}`;
    const names = mine.map(({ name }) => name);
    writeChart(svg, drawChart(groups, names, [what, ...verdict.split('\n')]));
    console.log(`\nThe chart is in ${svg}`);
  });
}

/** Makes those take part who can. */
async function invite(guests: readonly string[]): Promise<Contestant[]> {
  if (guests.includes('uws')) console.log('\nuws is left out: npm does not have µWebSockets.js.');
  if (!guests.includes('bun')) return [];
  statusLine('npm fetches Bun');
  try {
    return [{ kind: 'bun', name: BUN_NAME, program: await fetchBun() }];
  } finally {
    statusLine('');
  }
}

const plainOf = (all: readonly Measured[]) => all.find(({ contestant }) => contestant === TCP)!;

async function measureBesides(
  bench: Bench,
  contestants: readonly Contestant[],
  effort: Effort,
): Promise<void> {
  const alone = await measure(bench, ALONE);
  const loads = broadcastsTo(effort.receivers);
  const broadcasts: (readonly Measured[])[] = [];
  for (const load of loads) broadcasts.push(await measure(bench, load));
  const idle = await memoryOf('an idle', contestants, (it) => bench.idle(it));
  const besides = contestants.map(({ name }, i) => {
    return {
      alone: alone[i]!,
      idle: idle.get(name)!,
      broadcasts: broadcasts.map((all) => all[i]!),
    };
  });
  console.log(renderBesides(besides, loads).join('\n'));
}

/** Prints where the processor time of a server goes. Throws `UsageError` when it cannot be measured. */
export async function profileServer(
  mine: Contestant,
  effort: Effort,
  isText: boolean,
): Promise<void> {
  // One round is enough, but it takes many looks.
  await withBench([mine, TCP], { ...effort, countMs: effort.countMs * 5 }, async (bench) => {
    console.log(`Where the processor time of ${mine.name} goes:\n`);
    for (const load of PROFILED.map((it) => ({ ...it, isText }))) {
      statusLine(describe(load));
      const plain = await bench.profile(TCP, load);
      const profiled = await bench.profile(mine, load);
      statusLine('');
      console.log(renderProfile(load, profiled, plain).join('\n'));
    }
    console.log(PROFILE_LEGEND.join('\n'));
  });
}

/** Measures a server that compresses beside `ws`. Throws `UsageError` when one cannot be measured. */
export async function measureCompression(mine: Contestant, effort: Effort): Promise<void> {
  const contestants: Contestant[] = [
    mine,
    { kind: 'ws-deflate', name: `${WS}, compressing` },
    { kind: 'ws', name: WS },
  ];
  await withBench(contestants, effort, async (bench) => {
    console.log('Messages echoed in a second, and the bytes of each on its way back:\n');
    await measureAll(bench, SAMPLES, renderSample);
    const idle = await memoryOf('an idle', contestants, (it) => bench.idle(it));
    const busy = await memoryOf('a busy', contestants, (it) => bench.busy(it));
    console.log(renderMemory('an idle', idle).join('\n'));
    console.log(renderMemory('a busy', busy).join('\n'));
    // What zlib keeps for itself is neither an object nor a buffer of ours.
    console.log(renderMemory('a busy', busy, 'processBytes').join('\n'));
  });
}

/** Measures one load after the other, and prints what came of each. */
async function measureAll(
  bench: Bench,
  loads: readonly Load[],
  render: (load: Load, all: Measured[]) => string[],
): Promise<{ load: Load; all: Measured[] }[]> {
  const results = [];
  for (const load of loads) {
    const all = await measure(bench, load);
    console.log(render(load, all).join('\n'));
    results.push({ load, all });
  }
  return results;
}

async function measure(bench: Bench, load: Load): Promise<Measured[]> {
  const all = await bench.measure(load, ({ name }, round) =>
    statusLine(`${describe(load)}: ${name}, round ${round}`),
  );
  statusLine('');
  return all;
}

/** Finds what a connection takes on each server, by its name. */
async function memoryOf(
  which: string,
  contestants: readonly Contestant[],
  memory: (contestant: Contestant) => Promise<Memory>,
): Promise<Map<string, Memory>> {
  const all = new Map<string, Memory>();
  for (const contestant of contestants) {
    statusLine(`${which} connection: ${contestant.name}`);
    all.set(contestant.name, await memory(contestant));
  }
  statusLine('');
  return all;
}

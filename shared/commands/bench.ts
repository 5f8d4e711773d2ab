import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  Bench,
  COMPRESSING_KINDS,
  type Effort,
  KINDS,
  LOADS,
  QUICK,
  type Results,
  SAMPLES,
  THOROUGH,
} from '../bench/bench.ts';
import type { Kind, Load, Usage } from '../bench/messages.ts';
import { benchReading } from '../bench/reading.ts';
import { describe, type Names, renderLoad, renderMemory, renderSample } from '../bench/report.ts';
import { requireFile } from '../course/files.ts';
import { fileOf, findTarget, ROOT, type Target, UsageError } from '../course/lessons.ts';
import { supervise } from '../harness/supervise.ts';
import { statusLine } from '../view/status-line.ts';
import { runCommand } from './run-command.ts';

await runCommand({
  name: 'npm run bench',
  summary:
    'Measures your server of lesson 05 beside ws and beside plain TCP, with the same load, in one run. Compare the figures of a run with each other, and with nothing else.',
  options: {
    solution: { type: 'boolean', help: 'Measures the reference in place of your server.' },
    compression: {
      type: 'boolean',
      help: 'Measures your lesson 07 beside ws, both of them compressing, and beside ws without.',
    },
    reading: { type: 'boolean', help: 'Measures only how the reference reads frames.' },
    quick: { type: 'boolean', help: 'Only shows that it works. The figures mean nothing.' },
  },
  examples: [
    ['npm run bench', 'Your server.'],
    ['npm run bench -- --solution', 'The reference.'],
    ['npm run bench -- --compression', 'Your server of lesson 07.'],
  ],
  async run({ solution, compression, reading, quick }) {
    if (reading) {
      benchReading();
      return 0;
    }
    const target = findTarget(`${solution ? 'solutions' : 'lessons'}/${compression ? '07' : '05'}`);
    await requireFinished(target);
    const url = pathToFileURL(join(ROOT, fileOf(target))).href;
    const effort = quick ? QUICK : THOROUGH;
    const mine = solution ? 'reference' : 'yours';
    await (compression ? measureCompression(url, effort, mine) : measureServer(url, effort, mine));
    return 0;
  },
});

/** Runs a benchmark, and ends its processes. */
async function withBench<K extends Kind>(
  kinds: readonly K[],
  url: string,
  effort: Effort,
  act: (bench: Bench<K>) => Promise<void>,
): Promise<void> {
  const bench = new Bench(kinds, url, effort);
  try {
    await bench.ready();
    await act(bench);
  } finally {
    bench.end();
  }
}

/** What `ws` is called: with its version. */
function wsName(): string {
  return `ws ${createRequire(import.meta.url)('ws/package.json').version}`;
}

function measureServer(url: string, effort: Effort, mine: string): Promise<void> {
  const names = { lesson: mine, ws: wsName(), tcp: 'plain TCP' };
  return withBench(KINDS, url, effort, async (bench) => {
    console.log('\nMessages echoed in a second:\n');
    for (const load of LOADS) {
      const measures = await measure(bench, load, names);
      console.log(renderLoad(load, measures, names).join('\n'));
    }
    await printMemory('an idle', KINDS, names, (kind) => bench.idle(kind));
  });
}

function measureCompression(url: string, effort: Effort, mine: string): Promise<void> {
  const ws = wsName();
  const names = { 'lesson-deflate': mine, 'ws-deflate': `${ws}, compressing`, ws };
  return withBench(COMPRESSING_KINDS, url, effort, async (bench) => {
    console.log('\nMessages echoed in a second, and the bytes of each on its way back:\n');
    for (const load of SAMPLES) {
      const measures = await measure(bench, load, names);
      console.log(renderSample(load, measures, names).join('\n'));
    }
    await printMemory('an idle', COMPRESSING_KINDS, names, (kind) => bench.idle(kind));
    await printMemory('a busy', COMPRESSING_KINDS, names, (kind) => bench.busy(kind));
  });
}

async function measure<K extends Kind>(
  bench: Bench<K>,
  load: Load,
  names: Names<K>,
): Promise<Results<K>> {
  const measures = await bench.measure(load, (kind, round) =>
    statusLine(`${describe(load)}: ${names[kind]}, round ${round}`),
  );
  statusLine('');
  return measures;
}

/** Prints what a connection takes on each server. */
async function printMemory<K extends Kind>(
  which: string,
  kinds: readonly K[],
  names: Names<K>,
  usageOf: (kind: K) => Promise<Usage>,
): Promise<void> {
  const usages: [K, Usage][] = [];
  for (const kind of kinds) {
    statusLine(`${which} connection: ${names[kind]}`);
    usages.push([kind, await usageOf(kind)]);
  }
  statusLine('');
  const each = Object.fromEntries(usages) as Record<K, Usage>;
  console.log(renderMemory(which, each, names));
  // What zlib keeps for itself is neither an object nor a buffer of ours.
  if (which === 'a busy') console.log(renderMemory(which, each, names, 'processBytes'));
}

/** Makes sure that there is a server to measure. Throws `UsageError` when it is not finished. */
async function requireFinished(target: Target): Promise<void> {
  requireFile(target);
  if (target.side === 'solutions') return;
  const { broken, results } = await supervise(target);
  if (!broken && results.every(({ failure }) => !failure)) return;
  const { number } = target.lesson;
  throw new UsageError(
    `Your lesson ${number} does not pass yet: npm test lessons/${number}. Meanwhile, add --solution.`,
  );
}

/**
 * `npm run bench` measures your server of lesson 05 beside `ws` and beside plain TCP, with the same
 * load, in one run. `-- --solution` takes the reference, `-- --reading` measures the reader alone,
 * `-- --quick` only shows that it works. Compare the figures of a run with each other, and with
 * nothing else.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Bench, KINDS, LOADS, QUICK, THOROUGH } from '../bench/bench.ts';
import type { Kind } from '../bench/messages.ts';
import { benchReading } from '../bench/reading.ts';
import { describe, renderIdle, renderLoad } from '../bench/report.ts';
import {
  fileOf,
  findTarget,
  ROOT,
  requireFile,
  type Target,
  UsageError,
} from '../course/lessons.ts';
import { supervise } from '../harness/supervise.ts';
import { statusLine } from '../view/status-line.ts';
import { parseOptions, runCommand } from './run-command.ts';

await runCommand(async (args) => {
  const { solution, reading, quick } = parse(args);
  if (reading) {
    benchReading();
    return 0;
  }
  const target = findTarget(solution ? 'solutions/05' : 'lessons/05');
  await requireFinished(target);

  const bench = new Bench(pathToFileURL(join(ROOT, fileOf(target))).href, quick ? QUICK : THOROUGH);
  try {
    await bench.ready();
    await measure(bench, {
      lesson: solution ? 'reference' : 'yours',
      ws: `ws ${createRequire(import.meta.url)('ws/package.json').version}`,
      tcp: 'plain TCP',
    });
  } finally {
    bench.end();
  }
  return 0;
});

async function measure(bench: Bench, names: Record<Kind, string>): Promise<void> {
  console.log('\nMessages echoed in a second:\n');
  for (const load of LOADS) {
    const rates = await bench.measure(load, (kind, round) =>
      statusLine(`${describe(load)}: ${names[kind]}, round ${round}`),
    );
    statusLine('');
    console.log(renderLoad(load, rates, names).join('\n'));
  }
  const idle = { lesson: 0, ws: 0, tcp: 0 };
  for (const kind of KINDS) {
    statusLine(`idle connections: ${names[kind]}`);
    idle[kind] = await bench.idleBytes(kind);
  }
  statusLine('');
  console.log(renderIdle(idle, names));
}

function parse(args: readonly string[]) {
  const flag = { type: 'boolean' } as const;
  const options = { solution: flag, reading: flag, quick: flag };
  const help = 'The options are --solution, --reading and --quick.';
  return parseOptions({ args: [...args], options }, help).values;
}

/** Makes sure that there is a server to measure. Throws `UsageError` when it is not finished. */
async function requireFinished(target: Target): Promise<void> {
  requireFile(target);
  if (target.side === 'solutions') return;
  const { broken, results } = await supervise(target);
  if (!broken && results.every(({ failure }) => !failure)) return;
  throw new UsageError(
    'Your lesson 05 does not hold yet: npm test lessons/05. Meanwhile: npm run bench -- --solution',
  );
}

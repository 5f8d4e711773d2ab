import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Bench, KINDS, LOADS, QUICK, THOROUGH } from '../bench/bench.ts';
import type { Kind } from '../bench/messages.ts';
import { benchReading } from '../bench/reading.ts';
import { describe, renderIdle, renderLoad } from '../bench/report.ts';
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
    reading: { type: 'boolean', help: 'Measures only how the reference reads frames.' },
    quick: { type: 'boolean', help: 'Only shows that it works. The figures mean nothing.' },
  },
  examples: [
    ['npm run bench', 'Your server.'],
    ['npm run bench -- --solution', 'The reference.'],
  ],
  async run({ solution, reading, quick }) {
    if (reading) {
      benchReading();
      return 0;
    }
    const target = findTarget(solution ? 'solutions/05' : 'lessons/05');
    await requireFinished(target);

    const url = pathToFileURL(join(ROOT, fileOf(target))).href;
    const bench = new Bench(url, quick ? QUICK : THOROUGH);
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
  },
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

/** Makes sure that there is a server to measure. Throws `UsageError` when it is not finished. */
async function requireFinished(target: Target): Promise<void> {
  requireFile(target);
  if (target.side === 'solutions') return;
  const { broken, results } = await supervise(target);
  if (!broken && results.every(({ failure }) => !failure)) return;
  throw new UsageError(
    'Your lesson 05 does not pass yet: npm test lessons/05. Meanwhile: npm run bench -- --solution',
  );
}

import { countVerdicts, renderReport } from '../conformance/report.ts';
import { runConformance, serverAt } from '../conformance/run.ts';
import { UsageError } from '../course/lessons.ts';
import { statusLine } from '../view/status-line.ts';
import { runCommand } from './run-command.ts';

/** How often it is said how far it is, where there is no line that could be replaced. */
const PROGRESS_MS = 10_000;

await runCommand({
  name: 'npm run conformance',
  summary: 'Checks any WebSocket echo server, in any language, as a black box.',
  positionals: {
    URL: 'Where it listens, such as ws://127.0.0.1:9001/',
    '[NAME…]': 'Categories and cases, such as 5 or 6.4.2. By default, all of them.',
  },
  options: {
    category: { type: 'string', multiple: true, value: 'ID', help: 'Runs a category, such as 5.' },
    case: { type: 'string', multiple: true, value: 'ID', help: 'Runs a case, such as 6.4.2.' },
    json: { type: 'boolean', help: 'Writes JSON, for programs.' },
  },
  examples: [
    ['npm run conformance ws://127.0.0.1:9001/', 'Every case.'],
    ['npm run conformance ws://127.0.0.1:9001/ 6.4.2', 'One case, with all that is said.'],
    ['npm run -s conformance ws://127.0.0.1:9001/ 5 6 -- --json', 'Two categories, as JSON.'],
  ],
  async run({ category = [], case: cases = [], json }, [url, ...names]) {
    if (url === undefined) {
      throw new UsageError('Say which server to test: npm run conformance ws://127.0.0.1:9001/');
    }
    const second = names.find((name) => name.includes('://'));
    if (second) throw new UsageError(`One server at a time: ${second} is one too many.`);
    const select = [...names, ...category, ...cases]
      .flatMap((name) => name.split(','))
      .filter((name) => name !== '');
    const results = await follow(url, select);
    const counts = countVerdicts(results);
    const text = json
      ? JSON.stringify({ url, counts, results }, null, 2)
      : renderReport(serverAt(url), results).join('\n');
    console.log(text);
    return counts.FAILED === 0 ? 0 : 1;
  },
});

/** Runs cases, and says how far it is. */
async function follow(url: string, select: readonly string[]) {
  process.once('SIGINT', () => {
    statusLine('');
    process.exit(130);
  });
  let notOk = 0;
  let progress = 'No case has come to an end yet.';
  const timer = setInterval(() => {
    if (!process.stderr.isTTY) console.error(progress);
  }, PROGRESS_MS);
  try {
    return await runConformance(url, {
      select,
      onResult: ({ id, verdict, ending }, done, total) => {
        // npm keeps an option that it knows, such as `--only`, to itself, and says nothing.
        const isFirst = done === 1 && ending !== 'untried';
        if (isFirst && select.length === 0) console.error(sayAll(url, total));
        if (verdict !== 'OK') notOk++;
        progress = `${done}/${total}  ${id.padEnd(8)} ${notOk} not OK`;
        statusLine(progress);
      },
    });
  } finally {
    clearInterval(timer);
    statusLine('');
  }
}

function sayAll(url: string, total: number): string {
  return `All ${total} cases. To run some of them: npm run conformance ${url} 5 6.4.2`;
}

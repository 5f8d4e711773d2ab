import { countVerdicts, renderReport } from '../conformance/report.ts';
import { runConformance } from '../conformance/run.ts';
import { UsageError } from '../course/lessons.ts';
import { statusLine } from '../view/status-line.ts';
import { runCommand } from './run-command.ts';

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
    [
      'npm run conformance ws://127.0.0.1:9001/ -- --case 6.4.2',
      'One case, with all that is said.',
    ],
    [
      'npm run -s conformance ws://127.0.0.1:9001/ -- --category 5,6 --json',
      'Two categories, as JSON.',
    ],
  ],
  async run({ category = [], case: cases = [], json }, [url, ...names]) {
    if (url === undefined) {
      throw new UsageError('Say which server to test: npm run conformance ws://127.0.0.1:9001/');
    }
    const select = [...names, ...category, ...cases]
      .flatMap((name) => name.split(','))
      .filter((name) => name !== '');
    const results = await follow(url, select);
    const counts = countVerdicts(results);
    const text = json
      ? JSON.stringify({ url, counts, results }, null, 2)
      : renderReport(url, results).join('\n');
    console.log(text);
    return counts.FAILED === 0 ? 0 : 1;
  },
});

/** Runs cases, and says at the terminal how far it is. */
async function follow(url: string, select: readonly string[]) {
  process.once('SIGINT', () => {
    statusLine('');
    process.exit(130);
  });
  let notOk = 0;
  const results = await runConformance(url, {
    select,
    onResult: ({ id, verdict }, done, total) => {
      if (verdict !== 'OK') notOk++;
      statusLine(`${done}/${total}  ${id.padEnd(8)} ${notOk} not OK`);
    },
  });
  statusLine('');
  return results;
}

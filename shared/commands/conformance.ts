/**
 * `npm run conformance ws://127.0.0.1:9001/` checks any WebSocket echo server, in any language.
 * `-- --only 5` runs a category, `-- --case 6.4.2` one case, and `-- --json` is for programs.
 */
import { countVerdicts, renderReport } from '../conformance/report.ts';
import { runConformance } from '../conformance/run.ts';
import { UsageError } from '../course/lessons.ts';
import { statusLine } from '../view/status-line.ts';
import { parseOptions, runCommand } from './run-command.ts';

await runCommand(async (args) => {
  const { url, select, json } = parse(args);
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

  const counts = countVerdicts(results);
  const text = json
    ? JSON.stringify({ url, counts, results }, null, 2)
    : renderReport(url, results).join('\n');
  console.log(text);
  return counts.FAILED === 0 ? 0 : 1;
});

/** Reads the arguments. Throws `UsageError` when there is no URL, or an option is not known. */
function parse(args: readonly string[]): { url: string; select: string[]; json: boolean } {
  const text = { type: 'string', multiple: true } as const;
  const options = { only: text, case: text, json: { type: 'boolean' } } as const;
  const { values, positionals } = parseOptions(
    { args: [...args], allowPositionals: true, options },
    'The options are --only, --case and --json.',
  );
  const [url, ...names] = positionals;
  if (url === undefined) {
    throw new UsageError('Say which server to test: npm run conformance ws://127.0.0.1:9001/');
  }
  const { only = [], case: cases = [], json = false } = values;
  const select = [...names, ...only, ...cases].flatMap((name) => name.split(','));
  // Without a `--` before them npm keeps options to itself, and tells what they were.
  const { npm_config_case: kept = '', npm_config_json: keptJson } = process.env;
  if (/\d/.test(kept)) select.push(kept);
  return { url, select: select.filter((name) => name !== ''), json: json || keptJson === 'true' };
}

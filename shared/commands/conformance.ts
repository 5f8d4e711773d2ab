import { startInFront } from '../cluster/in-front.ts';
import { PROXIES, type ProxyName, requireProgram } from '../cluster/programs.ts';
import { serveLesson, startCommand, startLesson } from '../conformance/client-process.ts';
import { clientOf, runClientConformance, type StartedClient } from '../conformance/client-run.ts';
import type { CaseResult } from '../conformance/model.ts';
import { countVerdicts, isBad, renderReport, type Subject } from '../conformance/report.ts';
import { type ConformanceOptions, runConformance, serverAt } from '../conformance/run.ts';
import { parseTarget, untilListening } from '../conformance/target.ts';
import { findTarget, LESSONS, type Side, UsageError } from '../course/lessons.ts';
import { hasSolution } from '../course/solution.ts';
import { supervise } from '../harness/supervise.ts';
import { statusLine } from '../view/status-line.ts';
import { runCommand } from './run-command.ts';

const isUrl = (word: string) => word.includes('://');
/** Says whether this is a folder of ours, such as `lessons/07`, and no URL or command. */
const isLesson = (word: string) => /^(\.\/)?(lessons|solutions)\b/.test(word);
/** Where a server has to be for a proxy of this machine, and what else is called so. */
const HOME = '127.0.0.1';
const AT_HOME = [HOME, 'localhost'];

/** How often it is said how far it is, where there is no line that could be replaced. */
const PROGRESS_MS = 10_000;

const SERVER = 'npm run conformance ws://127.0.0.1:9001/';
const CLIENT = 'npm run conformance -- --client "node echo.js {url}"';

await runCommand({
  name: 'npm run conformance',
  summary:
    'Checks any WebSocket echo server or echo client, in any language, as a black box. A server is named by its URL. A client is a command that is started with a URL in the place of {url}, and goes through the cases there as clients for Autobahn do: /getCaseCount, /runCase?case=1, and so on.',
  positionals: {
    URL: 'Where a server listens, such as ws://127.0.0.1:9001/, or a lesson that is one, such as lessons/07. None with --client.',
    '[NAME…]': 'Categories and cases, such as 5 or 6.4.2. By default, all of them.',
  },
  options: {
    client: {
      type: 'string',
      value: 'COMMAND',
      help: 'Checks a client in place of a server. lessons/06 and lessons/07 are your own, and need no program.',
    },
    full: {
      type: 'boolean',
      help: 'Also the cases that wait for minutes, and all messages of those about compression.',
    },
    through: {
      type: 'string',
      value: 'PROXY',
      help: 'Puts a real haproxy or nginx in front of the server, configured as in lesson 09.',
    },
    category: { type: 'string', multiple: true, value: 'ID', help: 'Runs a category, such as 5.' },
    case: { type: 'string', multiple: true, value: 'ID', help: 'Runs a case, such as 6.4.2.' },
    json: { type: 'boolean', help: 'Writes JSON, for programs.' },
  },
  examples: [
    [SERVER, 'Every case for servers.'],
    [`${SERVER} 6.4.2`, 'One case, with all that is said.'],
    ['npm run -s conformance ws://127.0.0.1:9001/ 5 6 -- --json', 'Two categories, as JSON.'],
    ['npm run conformance -- --client lessons/06', 'Every case for clients, on your lesson 06.'],
    [CLIENT, 'The same, on a client of any language.'],
    ['npm run conformance lessons/07 12 13 -- --full', 'Compression, with every message there is.'],
    ['npm run conformance lessons/05 -- --through haproxy', 'What does a proxy change?'],
  ],
  async run({ client, full = false, through, category = [], case: cases = [], json }, words) {
    if (client !== undefined && through !== undefined) {
      throw new UsageError('--client and --through do not go together.');
    }
    const select = (names: readonly string[]) =>
      [...names, ...category, ...cases].flatMap((name) => name.split(',')).filter(Boolean);
    const { subject, results } =
      client === undefined
        ? await testServer(words, select(words.slice(1)), full, findProxy(through))
        : await testClient(client, words, select(words), full);
    const counts = countVerdicts(results);
    const named = { [client === undefined ? 'url' : 'client']: subject.name };
    const text = json
      ? JSON.stringify({ ...named, through, counts, results }, null, 2)
      : renderReport(subject, results).join('\n');
    console.log(text);
    return counts.FAILED === 0 ? 0 : 1;
  },
});

/** What was tested, and what came of it. */
interface Outcome {
  readonly subject: Subject;
  readonly results: readonly CaseResult[];
}

/** Finds a proxy. Throws `UsageError` for another name, and where there is no such program. */
function findProxy(name: string | undefined): ProxyName | undefined {
  if (name === undefined) return undefined;
  const proxy = PROXIES.find((known) => known === name);
  if (proxy) requireProgram(proxy);
  else {
    const known = PROXIES.join(' or ');
    throw new UsageError(`--through has to be ${known}, not ${JSON.stringify(name)}.`);
  }
  return proxy;
}

/** Runs cases against the server whose URL is the first word, through a proxy if there is one. */
async function testServer(
  [url, ...names]: readonly string[],
  select: readonly string[],
  full: boolean,
  proxy: ProxyName | undefined,
): Promise<Outcome> {
  if (url === undefined) {
    throw new UsageError(`Say which server to test: ${SERVER} Or a client: ${CLIENT}`);
  }
  const second = names.find(isUrl);
  if (second) throw new UsageError(`One server at a time: ${second} is one too many.`);
  const server = isLesson(url) ? await startServer(url) : { url, stop: () => {} };
  const subject = serverAt(url, proxy);
  try {
    const results = await follow(subject, select, (onResult) => {
      const options = { select, full, onResult };
      return proxy ? runThrough(proxy, server.url, options) : runConformance(server.url, options);
    });
    return { subject, results };
  } finally {
    server.stop();
  }
}

/** Runs cases as `runConformance` does, with a proxy in front of the server. */
async function runThrough(
  proxy: ProxyName,
  url: string,
  options: ConformanceOptions,
): Promise<CaseResult[]> {
  const target = parseTarget(url);
  if (!AT_HOME.includes(target.host)) {
    throw new UsageError(`--through is for a server at ${HOME}, not at ${target.host}.`);
  }
  await untilListening({ ...target, host: HOME });
  const { port, stop } = await startInFront(proxy, target.port);
  try {
    return await runConformance(`ws://${HOME}:${port}${target.path}`, options);
  } finally {
    await stop();
  }
}

/** Starts a lesson that is a server. Throws `UsageError` for another. */
async function startServer(word: string) {
  const { side, lesson } = findTarget(word);
  const { number } = lesson;
  if (!['05', '07', '08'].includes(number)) {
    throw new UsageError(
      `Lesson ${number} is no server. Lessons 05, 07 and 08 are: npm run conformance ${side}/05`,
    );
  }
  const compresses = number === '08' && (await hasCompression(side));
  return serveLesson(`${side}/${number}`, ...(compresses ? [`${side}/07`] : []));
}

/** Says whether there is a lesson 07 that is done, and with which lesson 08 can compress. */
async function hasCompression(side: Side): Promise<boolean> {
  const lesson = LESSONS.find(({ number }) => number === '07');
  if (!lesson) return false;
  if (side === 'solutions') return hasSolution(lesson);
  statusLine('Checking your lesson 07: if it passes, the server compresses.');
  const { broken, results } = await supervise({ side, lesson });
  statusLine('');
  return !broken && results.every(({ failure }) => !failure);
}

/** Runs cases against a client, which is a command or a lesson. */
async function testClient(
  client: string,
  words: readonly string[],
  select: readonly string[],
  full: boolean,
): Promise<Outcome> {
  const url = words.find(isUrl);
  if (url) throw new UsageError(`Either a server or a client: ${url} is one too many.`);
  const start = starterOf(client);
  const subject = clientOf(client);
  const results = await follow(subject, select, (onResult) =>
    runClientConformance(start, { select, full, onResult }),
  );
  return { subject, results };
}

/** Finds out what starts a client. Throws `UsageError` for a command without a place for the URL. */
function starterOf(client: string): (url: string) => StartedClient {
  if (client.includes('{url}')) return (url) => startCommand(client, url);
  if (!isLesson(client)) {
    throw new UsageError(`Put {url} where the URL belongs in the command of the client: ${CLIENT}`);
  }
  const { side, lesson } = findTarget(client);
  if (lesson.number === '06' || lesson.number === '07') {
    return (url) => startLesson(`${side}/${lesson.number}`, url);
  }
  throw new UsageError(
    `Lesson ${lesson.number} is no client. Lessons 06 and 07 are: --client ${side}/06`,
  );
}

/** Runs cases, and says how far it is. */
async function follow(
  subject: Subject,
  select: readonly string[],
  run: (onResult: ConformanceOptions['onResult']) => Promise<CaseResult[]>,
): Promise<CaseResult[]> {
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
    return await run((result, done, total) => {
      const { id, ending } = result;
      // npm keeps an option that it knows, such as `--only`, to itself, and says nothing.
      const isFirst = done === 1 && ending !== 'untried';
      if (isFirst && select.length === 0) console.error(sayAll(subject, total));
      if (isBad(result)) notOk++;
      progress = `${done}/${total}  ${id.padEnd(8)} ${notOk} not OK`;
      statusLine(progress);
    });
  } finally {
    clearInterval(timer);
    statusLine('');
  }
}

function sayAll({ wordsFor }: Subject, total: number): string {
  return `All ${total} cases. To run some of them: npm run conformance ${wordsFor('5 6.4.2')}`;
}

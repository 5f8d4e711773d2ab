import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ClientSide } from '../cluster/client.ts';
import { StartError } from '../cluster/cluster.ts';
import { PROXIES, ProgramError } from '../cluster/programs.ts';
import { isRight, renderVerdict } from '../cluster/report.ts';
import { type Plan, startCluster } from '../cluster/setup.ts';
import { type Show, showCluster } from '../cluster/show.ts';
import { runTrial } from '../cluster/trial.ts';
import { requireFile } from '../course/files.ts';
import { fileOf, findTarget, ROOT, type Side, UsageError } from '../course/lessons.ts';
import { hasSolution } from '../course/solution.ts';
import { supervise } from '../harness/supervise.ts';
import { CTRL_C, Keyboard } from '../session/keys.ts';
import { columns, style } from '../view/style.ts';
import { runCommand } from './run-command.ts';

/** Where the page is when nobody says so. */
const PORT = 8080;

/** What a trial has unless it is told otherwise. */
const TRIAL = { clients: 20, messages: 500, seconds: 10 };

/** What only a trial understands, and what only a page does. */
const OF_TRIAL = ['clients', 'messages', 'for'];
const OF_PAGE = ['port', 'every'];

await runCommand({
  name: 'npm run cluster',
  summary:
    'Three processes with your chat server of lesson 09, behind a balancer, and a page that shows what a client sees when they are replaced or killed. The reference is used until your lesson passes.',
  options: {
    solution: { type: 'boolean', help: 'The reference in place of your lesson.' },
    port: { type: 'string', value: 'PORT', help: `Where the page is. By default, ${PORT}.` },
    every: {
      type: 'string',
      value: 'SECONDS',
      help: 'Replaces all processes, one after the other, again and again.',
    },
    valkey: { type: 'boolean', help: 'The messages are in a real Valkey or Redis.' },
    forgetful: {
      type: 'boolean',
      help: 'With --valkey: it has no log on disk. What it has had is gone when it is killed.',
    },
    haproxy: { type: 'boolean', help: 'A real haproxy is in front of the processes.' },
    nginx: { type: 'boolean', help: 'A real nginx is in front of the processes.' },
    clients: {
      type: 'string',
      value: 'N',
      help: `No page: N clients while processes are replaced and killed. By default, ${TRIAL.clients}.`,
    },
    messages: {
      type: 'string',
      value: 'M',
      help: `How many messages all of them say together. By default, ${TRIAL.messages}.`,
    },
    for: {
      type: 'string',
      value: 'SECONDS',
      help: `How long they take for that. By default, ${TRIAL.seconds}.`,
    },
  },
  examples: [
    ['npm run cluster', 'Your server, three times, and a page.'],
    ['npm run cluster -- --every 20', 'A deploy every 20 seconds.'],
    ['npm run cluster -- --clients 50 --messages 500', 'Is anything lost?'],
    ['npm run cluster -- --valkey --haproxy --solution', 'The reference, on real parts.'],
  ],
  async run(values) {
    const given = Object.keys(values);
    requireTogether(given);
    const isTrial = given.some((name) => OF_TRIAL.includes(name));
    const clients = readNumber('clients', values.clients, 1, 1_000) ?? TRIAL.clients;
    const messages = readNumber('messages', values.messages, 1, 1_000_000) ?? TRIAL.messages;
    const seconds = readNumber('for', values.for, 1, 3_600) ?? TRIAL.seconds;
    const port = readNumber('port', values.port, 0, 65_535);
    const everySeconds = readNumber('every', values.every, 5, 3_600);
    const proxy = PROXIES.find((name) => values[name]);
    const code = await findCode(values.solution ?? false);
    const plan: ClusterPlan = {
      ...code,
      withEngine: values.valkey ?? false,
      isForgetful: values.forgetful ?? false,
      ...(proxy && { proxy }),
      failed,
    };
    try {
      if (isTrial) return await tryOut(plan, clients, messages, seconds);
      return await show(plan, port, everySeconds);
    } catch (error) {
      if (!(error instanceof ProgramError || error instanceof StartError)) throw error;
      console.error(`${style.red('✗')} ${error.message}`);
      return 1;
    }
  },
});

/** Throws `UsageError` for options that mean nothing together. */
function requireTogether(given: readonly string[]): void {
  if (given.includes('forgetful') && !given.includes('valkey')) {
    throw new UsageError('--forgetful is about an engine. Add --valkey.');
  }
  const trial = given.find((name) => OF_TRIAL.includes(name));
  const page = given.find((name) => OF_PAGE.includes(name));
  const apart = trial && page ? [trial, page] : PROXIES;
  if (!apart.every((name) => given.includes(name))) return;
  throw new UsageError(`${apart.map((name) => `--${name}`).join(' and ')} do not go together.`);
}

/** Reads a whole number within bounds. Throws `UsageError` for anything else. */
function readNumber(
  name: string,
  text: string | undefined,
  least: number,
  most: number,
): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= least && number <= most) return number;
  throw new UsageError(
    `--${name} has to be a whole number from ${least} to ${most}, not ${JSON.stringify(text)}.`,
  );
}

/** The code that is at work. */
interface Code extends Pick<Plan, 'production' | 'server'> {
  /** The path of lesson 09. */
  readonly file: string;
  readonly whose: string;
}

/** All but what a page and a trial do not have in common. */
type ClusterPlan = Code & Omit<Plan, 'limits' | 'origins' | 'historySize'>;

/** Finds the code: the learner's when it passes, and else the reference. */
async function findCode(isReference: boolean): Promise<Code> {
  const target = findTarget('lessons/09');
  const hasReference = hasSolution(target.lesson);
  if (isReference && !hasReference) {
    throw new UsageError('The solutions are not in this handout. Ask your instructor for them.');
  }
  if (isReference) return codeOf('solutions');
  requireFile(target);
  console.log('Checking your lesson 09 …');
  const { broken, results } = await supervise(target);
  const isFinished = !broken && results.every(({ failure }) => !failure);
  if (isFinished) return codeOf('lessons');
  if (hasReference) {
    console.log('It does not pass yet, so the reference runs in its place.\n');
    return codeOf('solutions');
  }
  throw new UsageError(
    'There is no reference in this handout, so your lesson 09 has to pass first. See: npm test lessons/09',
  );
}

function codeOf(side: Side): Code {
  const [file, server] = ['09', '05'].map((number) =>
    join(ROOT, fileOf(findTarget(`${side}/${number}`))),
  ) as [string, string];
  return {
    file,
    production: pathToFileURL(file).href,
    server: pathToFileURL(server).href,
    whose: side === 'lessons' ? 'your lesson 09' : 'the reference',
  };
}

function failed(error: unknown): void {
  console.error(`${style.red('✗')} ${error instanceof Error ? error.message : String(error)}`);
}

/** Runs a trial. Returns the exit code. */
async function tryOut(
  plan: ClusterPlan,
  clients: number,
  messages: number,
  seconds: number,
): Promise<number> {
  const plenty = { burst: 1e9, perSecond: 1e9 };
  const limits = {
    socketsPerAddress: 10_000,
    requests: plenty,
    messages: plenty,
    bytes: plenty,
  };
  // Everything is compared in the end, so nothing may be forgotten.
  const running = await startCluster({ ...plan, limits, historySize: messages + 1_000 });
  try {
    const { url, cluster, bus, killEngine } = running;
    console.log(`Three processes with ${plan.whose} are ready.`);
    const verdict = await runTrial({
      ...{ cluster, bus, clients, messages, seconds },
      lesson: (await import(plan.production)) as ClientSide,
      address: { url, room: 'trial' },
      tell: (line) => console.log(line),
      ...(killEngine && { killEngine }),
    });
    console.log(renderVerdict(verdict, columns()).join('\n'));
    return isRight(verdict) ? 0 : 1;
  } finally {
    await running.stop();
  }
}

/** Shows a page until somebody ends it. Returns the exit code. */
async function show(
  plan: ClusterPlan,
  port: number | undefined,
  everySeconds: number | undefined,
): Promise<number> {
  const { file, whose } = plan;
  const options = {
    ...{ plan, file, whose, tell: (line: string) => console.log(line) },
    ...(everySeconds !== undefined && { everySeconds }),
  };
  const shown = await atPort(port, (port) => showCluster({ ...options, port }));
  console.log(
    [
      '',
      `  ${style.bold(shown.url)}`,
      '',
      `  Three processes with ${whose}. Open the page in a browser, or in two, and press`,
      '',
      '  r  to replace all processes, one after the other',
      '  k  to kill one of them',
      '  q  to end it',
      '',
    ].join('\n'),
  );
  await keysUntilEnd(shown);
  process.stdin.pause();
  await shown.stop();
  return 0;
}

/** Uses the port that was asked for, or else the usual one, or any free one when that is in use. */
async function atPort(
  port: number | undefined,
  start: (port: number) => Promise<Show>,
): Promise<Show> {
  try {
    return await start(port ?? PORT);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (port === undefined && code === 'EADDRINUSE') return start(0);
    throw code === undefined
      ? error
      : new UsageError(`The page cannot be at this port: ${message}.`);
  }
}

/** Does what keys say. Resolves with the key that ends it: a signal ends it by itself. */
function keysUntilEnd(shown: Show): Promise<void> {
  const { stdin } = process;
  return new Promise((resolve) => {
    // Without a terminal, only a signal ends it.
    if (!stdin.isTTY) return;
    const keyboard = new Keyboard();
    process.once('exit', () => stdin.setRawMode(false));
    stdin.setRawMode(true).on('data', (data) => {
      for (const key of keyboard.read(String(data))) {
        if (key === 'r') shown.restart();
        if (key === 'k') shown.kill();
        if (key === 'q' || key === CTRL_C) resolve();
      }
    });
  });
}

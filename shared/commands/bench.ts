import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { QUICK, THOROUGH } from '../bench/bench.ts';
import { requireChartPlace } from '../bench/chart.ts';
import { measureCompression, measureServers, profileServer } from '../bench/contest.ts';
import type { Contestant } from '../bench/processes.ts';
import { benchReading } from '../bench/reading.ts';
import { requireFile } from '../course/files.ts';
import {
  fileOf,
  findTarget,
  LESSONS,
  ROOT,
  type Side,
  STARTED_IN,
  type Target,
  UsageError,
} from '../course/lessons.ts';
import { hasSolution, requireSolution } from '../course/solution.ts';
import { supervise } from '../harness/supervise.ts';
import { runCommand } from './run-command.ts';

/** With what else each of the other benchmarks can be asked for. */
const GOES_WITH: Readonly<Record<string, readonly string[]>> = {
  profile: ['solution', 'text', 'quick'],
  compression: ['solution', 'rounds', 'quick'],
  reading: [],
};

/** What `--with` knows. */
const GUESTS = ['bun', 'uws'];

await runCommand({
  name: 'npm run bench',
  summary:
    'Measures your server of lesson 05, and that of lesson 08 if it is finished, beside ws and beside plain TCP, with the same loads, in turns. Compare the figures of a run with each other, and with nothing else.',
  options: {
    solution: { type: 'boolean', help: 'Measures the references in place of your servers.' },
    text: { type: 'boolean', help: 'Sends text. Without it, messages are binary.' },
    rounds: {
      type: 'string',
      value: 'N',
      help: 'How often each has its turn. 3, or 7 to be sure.',
    },
    with: {
      type: 'string',
      value: 'NAMES',
      help: 'Measures others as well: bun, which npm fetches for this run, and uws, if it can.',
    },
    svg: { type: 'string', value: 'FILE', help: 'Draws a chart, too.' },
    profile: { type: 'boolean', help: 'Shows instead where the time of your server goes.' },
    compression: {
      type: 'boolean',
      help: 'Measures your lesson 07 beside ws, both of them compressing, and beside ws without.',
    },
    reading: { type: 'boolean', help: 'Measures only how the reference reads frames.' },
    quick: { type: 'boolean', help: 'Only shows that it works. The figures mean nothing.' },
  },
  examples: [
    ['npm run bench', 'Your server. It takes a minute.'],
    [
      'npm run bench -- --solution --with bun --rounds 7',
      'The references and Bun, for the record.',
    ],
    ['npm run bench -- --profile', 'Where the time goes.'],
    ['npm run bench -- --text --svg bench.svg', 'With text, and a chart of the results.'],
  ],
  async run(values) {
    requireTogether(Object.keys(values));
    if (values.reading) {
      requireSolution(findTarget('02').lesson);
      benchReading();
      return 0;
    }
    const rounds = values.rounds === undefined ? undefined : readRounds(values.rounds);
    const guests = readGuests(values.with);
    const svg = values.svg === undefined ? undefined : resolve(STARTED_IN, values.svg);
    if (svg !== undefined) requireChartPlace(svg);
    const effort = { ...(values.quick ? QUICK : THOROUGH), ...(rounds && { rounds }) };
    const side: Side = values.solution ? 'solutions' : 'lessons';
    const isText = values.text ?? false;
    if (values.compression) await measureCompression(await findCompressing(side), effort);
    else {
      const mine = await findServers(side);
      if (values.profile) await profileServer(mine[0], effort, isText);
      else await measureServers(mine, { effort, isText, guests, svg });
    }
    return 0;
  },
});

/** Throws `UsageError` for options that mean nothing together. */
function requireTogether(given: readonly string[]): void {
  const mode = given.find((name) => name in GOES_WITH);
  const other = given.find((name) => mode && name !== mode && !GOES_WITH[mode]?.includes(name));
  if (other) throw new UsageError(`--${mode} and --${other} do not go together.`);
}

function readRounds(text: string): number {
  const rounds = Number(text);
  if (/^\d+$/.test(text) && rounds >= 1 && rounds <= 99) return rounds;
  throw new UsageError(
    `--rounds has to be a whole number from 1 to 99, not ${JSON.stringify(text)}.`,
  );
}

function readGuests(text = ''): string[] {
  const names = text.split(',').flatMap((name) => name.trim().toLowerCase() || []);
  const unknown = names.find((name) => !GUESTS.includes(name));
  if (unknown === undefined) return names;
  throw new UsageError(`--with knows ${GUESTS.join(' and ')}, not ${JSON.stringify(unknown)}.`);
}

/** Finds the servers of the lessons, the fastest first. Throws `UsageError` when there is none. */
async function findServers(side: Side): Promise<[Contestant, ...Contestant[]]> {
  const target = findTarget(`${side}/05`);
  await requireFinished(target);
  const server = contestantOf(target, 'lesson');
  const lesson = LESSONS.find(({ number }) => number === '08');
  const isThere = lesson && (await isFinished({ side, lesson }));
  return isThere ? [contestantOf({ side, lesson }, 'lesson'), server] : [server];
}

/** Finds the server that compresses. Throws `UsageError` when there is none. */
async function findCompressing(side: Side): Promise<Contestant> {
  const target = findTarget(`${side}/07`);
  await requireFinished(target);
  return contestantOf(target, 'lesson-deflate');
}

function contestantOf(target: Target, kind: Contestant['kind']): Contestant {
  const whose = target.side === 'lessons' ? 'lesson' : 'reference';
  const module = pathToFileURL(join(ROOT, fileOf(target))).href;
  return { kind, name: `${whose} ${target.lesson.number}`, module };
}

async function isFinished(target: Target): Promise<boolean> {
  requireFile(target);
  if (target.side === 'solutions') return hasSolution(target.lesson);
  const { broken, results } = await supervise(target);
  return !broken && results.every(({ failure }) => !failure);
}

/** Makes sure that there is a server to measure. Throws `UsageError` when it is not finished. */
async function requireFinished(target: Target): Promise<void> {
  if (target.side === 'solutions') requireSolution(target.lesson);
  if (await isFinished(target)) return;
  const { number } = target.lesson;
  throw new UsageError(
    `Your lesson ${number} does not pass yet: npm test lessons/${number}. Meanwhile, add --solution.`,
  );
}

/** Runs cases against a server, and tells what came out. */
import { UsageError } from '../course/lessons.ts';
import { withTimeout } from '../kit/patience.ts';
import type { Case, Category } from './case.ts';
import { CATEGORIES } from './cases/index.ts';
import type { TargetServer } from './http.ts';
import { type CaseResult, Failed, type Finding } from './model.ts';
import { Lost } from './play.ts';
import type { Patience } from './socket.ts';
import { parseTarget, untilListening } from './target.ts';
import { Trial } from './trial.ts';
import { Watch, whyNoWebSocket } from './watch.ts';

/** What to run, and how. */
export interface ConformanceOptions {
  /** Categories, families and cases, such as `5`, `6.4` and `H.3`. Absent or empty: all. */
  readonly select?: readonly string[];
  /** Called as soon as a case has run; not in the order of the cases. */
  readonly onResult?: (result: CaseResult, done: number, total: number) => void;
  /** Begin no further case when one was not OK. */
  readonly untilNotOk?: boolean;
  /** How long to wait for a server that does nothing. */
  readonly patience?: Patience;
}

/** Guards against hanging, and no bound on speed: a good server lets none of it pass. */
const PATIENCE: Patience = { answerMs: 5000, endMs: 2000, pauseMs: 1000 };
/** What the reason begins with why a case was not tried. */
export const UNTRIED = 'Not tried. ';
/** How long a whole case may take, in milliseconds: a guard for servers that never come to an end. */
const CASE_MS = 60_000;
/** How many cases run at a time. */
const AT_A_TIME = 8;
/** How often a case is played when its connection was lost. */
const ATTEMPTS = 3;

/**
 * Runs cases against the server at `url`. Returns their results in the order of the cases. When
 * it opens no WebSocket, none is tried but those of the handshake that were asked for by name;
 * when it is not there any more, no further one.
 *
 * Throws `UsageError` when the URL or a selection cannot be used, or nobody listens there.
 */
export async function runConformance(
  url: string,
  options: ConformanceOptions = {},
): Promise<CaseResult[]> {
  const { select = [], onResult = () => {}, patience = PATIENCE, untilNotOk = false } = options;
  const target = parseTarget(url);
  const categories = selectCases(select);
  await untilListening(target);
  const refusal = await whyNoWebSocket(target, patience);
  const watch = new Watch(target);

  const total = categories.reduce((sum, { cases }) => sum + cases.length, 0);
  const results = new Map<Case, CaseResult>();
  let isEnough = false;
  const run = async (testCase: Case, { patience: factor = 1 }: Category) => {
    if (isEnough) return;
    const waiting = { ...patience, answerMs: patience.answerMs * factor };
    const isAboutHandshake = select.length > 0 && testCase.id.startsWith('H.');
    const obstacle = (isAboutHandshake ? undefined : refusal) ?? (await watch.obstacle());
    const result = obstacle
      ? notTried(testCase, obstacle)
      : await runCase(target, testCase, waiting);
    results.set(testCase, result);
    watch.see(result, waiting);
    isEnough ||= untilNotOk && result.verdict !== 'OK';
    onResult(result, results.size, total);
  };
  await runAll(categories, run);
  const cases = categories.flatMap((category) => category.cases);
  return cases.flatMap((testCase) => results.get(testCase) ?? []);
}

/** Runs most cases several at a time, and then, one after the other, those that have to be alone. */
async function runAll(
  categories: readonly Category[],
  run: (testCase: Case, category: Category) => Promise<void>,
): Promise<void> {
  const casesOf = (isSerial: boolean) =>
    categories
      .filter(({ serial = false }) => serial === isSerial)
      .flatMap((category) => category.cases.map((testCase) => [testCase, category] as const));
  const queue = casesOf(false).values();
  const work = async () => {
    for (const [testCase, category] of queue) await run(testCase, category);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
  for (const [testCase, category] of casesOf(true)) await run(testCase, category);
}

/** Without a server there is nothing to judge; each case would wait in vain. */
function notTried({ id, title, section, expected }: Case, obstacle: string): CaseResult {
  const finding = { verdict: 'FAILED', ending: 'untried', happened: UNTRIED + obstacle } as const;
  return { id, title, section, expected, ...finding, timeline: [], seconds: 0 };
}

/** Runs one case. Whatever the server does, there is a result. */
export async function runCase(
  target: TargetServer,
  testCase: Case,
  patience: Patience = PATIENCE,
): Promise<CaseResult> {
  const began = performance.now();
  for (let attempt = 1; ; attempt++) {
    const trial = new Trial(target, patience);
    const found = await withTimeout(findingOf(testCase, trial), CASE_MS, neverEnded);
    trial.leave();
    if (found instanceof Lost && attempt < ATTEMPTS) continue;
    const { id, title, section, expected } = testCase;
    const seconds = (performance.now() - began) / 1000;
    const timeline = trial.timeline.entries();
    return { id, title, section, expected, ...asFinding(found), timeline, seconds };
  }
}

function asFinding(found: Finding | Failed): Finding {
  if (!(found instanceof Failed)) return found;
  if (found instanceof Lost) return found.finding;
  return { verdict: 'FAILED', ending: found.ending, happened: found.message };
}

/** Plays a case. What makes it fail is returned. */
async function findingOf(testCase: Case, trial: Trial): Promise<Finding | Failed> {
  try {
    return await testCase.run(trial);
  } catch (error) {
    if (error instanceof Failed) return error;
    throw error;
  }
}

/** Gives a case up. */
const neverEnded = () =>
  new Failed(`The case did not come to an end in ${CASE_MS / 1000} s.`, 'open');

/**
 * Chooses cases by name: a category such as `6`, a family such as `6.4`, or a case; in any case
 * of letters. No names choose everything. Throws `UsageError` for a name that nothing has.
 */
export function selectCases(names: readonly string[]): Category[] {
  const wanted = names.map((name) => name.toUpperCase().replace(/\.?\*?$/, ''));
  const fits = (name: string, { id }: Case) => id === name || id.startsWith(`${name}.`);
  for (const [i, name] of wanted.entries()) {
    if (!CATEGORIES.some(({ cases }) => cases.some((testCase) => fits(name, testCase)))) {
      throw new UsageError(unknown(names[i] ?? '', name));
    }
  }
  return CATEGORIES.map((category) => ({
    ...category,
    cases: category.cases.filter(
      (testCase) => wanted.length === 0 || wanted.some((name) => fits(name, testCase)),
    ),
  })).filter(({ cases }) => cases.length > 0);
}

function unknown(given: string, name: string): string {
  const category = CATEGORIES.find(({ id }) => id === name.split('.')[0]);
  if (!category) {
    const ids = CATEGORIES.map(({ id }) => id).join(', ');
    return `There is no category ${JSON.stringify(given)}. The categories are ${ids}.`;
  }
  const [first, last] = [category.cases[0]?.id, category.cases.at(-1)?.id];
  return `There is no case ${JSON.stringify(given)}. Category ${category.id} goes from ${first} to ${last}.`;
}

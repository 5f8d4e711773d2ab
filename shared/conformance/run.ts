/** Runs cases against a server, and tells what came out. */
import { attempt, notTried } from './attempt.ts';
import type { Case, Category } from './case.ts';
import { CATEGORIES } from './cases/index.ts';
import type { TargetServer } from './http.ts';
import type { CaseResult } from './model.ts';
import { isBad, type Subject } from './report.ts';
import { selectCases } from './select.ts';
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
  /** All messages of the cases that have very many, and what takes minutes for another reason. */
  readonly full?: boolean;
}

/** Guards against hanging, and no bound on speed: a good peer lets none of it pass. */
export const PATIENCE: Patience = { answerMs: 5000, endMs: 2000, pauseMs: 1000 };
/** How many cases run at a time. */
const AT_A_TIME = 8;
/** How often a case is played when its connection was lost. */
const ATTEMPTS = 3;

/** Describes a server for the report: by what was typed to name it, and the proxy in front of it. */
export function serverAt(url: string, proxy?: string): Subject {
  const option = proxy ? ` -- --through ${proxy}` : '';
  const wordsFor = (id: string) => `${url} ${id}${option}`;
  return { name: url, categories: CATEGORIES, wordsFor, ...(proxy && { proxy }) };
}

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
  const { select = [], onResult = () => {}, untilNotOk = false } = options;
  const { patience = PATIENCE, full = false } = options;
  const target = parseTarget(url);
  const categories = selectCases(select, CATEGORIES);
  await untilListening(target);
  const refusal = await whyNoWebSocket(target, patience);
  const watch = new Watch(target);

  const total = categories.reduce((sum, { cases }) => sum + cases.length, 0);
  const results = new Map<Case<Trial>, CaseResult>();
  let isEnough = false;
  const run = async (testCase: Case<Trial>, { patience: factor = 1 }: Category<Trial>) => {
    if (isEnough) return;
    const waiting = { ...patience, answerMs: patience.answerMs * factor };
    const isAboutHandshake = select.length > 0 && testCase.id.startsWith('H.');
    const obstacle = (isAboutHandshake ? undefined : refusal) ?? (await watch.obstacle());
    const result = obstacle
      ? notTried(testCase, obstacle)
      : await runCase(target, testCase, waiting, full);
    results.set(testCase, result);
    watch.see(result, waiting);
    isEnough ||= untilNotOk && isBad(result);
    onResult(result, results.size, total);
  };
  await runAll(categories, run);
  const cases = categories.flatMap((category) => category.cases);
  return cases.flatMap((testCase) => results.get(testCase) ?? []);
}

/** Runs most cases several at a time, and then, one after the other, those that have to be alone. */
async function runAll(
  categories: readonly Category<Trial>[],
  run: (testCase: Case<Trial>, category: Category<Trial>) => Promise<void>,
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

/** Runs one case. Whatever the server does, there is a result. */
export async function runCase(
  target: TargetServer,
  testCase: Case<Trial>,
  patience: Patience = PATIENCE,
  full = false,
): Promise<CaseResult> {
  for (let left = ATTEMPTS; ; left--) {
    const { result, isLost } = await attempt(testCase, new Trial(target, patience, full));
    if (!isLost || left === 1) return result;
  }
}

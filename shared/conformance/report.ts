/** How a run of the suite is told to the person at the terminal. */
import { count } from '../view/count.ts';
import { columns, style } from '../view/style.ts';
import { labelTable } from '../view/table.ts';
import { clip, pad } from '../view/width.ts';
import { wrap } from '../view/wrap.ts';
import { UNTRIED } from './attempt.ts';
import type { Category } from './case.ts';
import { type CaseResult, type Ending, VERDICTS, type Verdict } from './model.ts';
import { HABITS } from './proxies.ts';
import type { TimelineEntry } from './timeline.ts';

/** What was tested, as a report has to know it. */
export interface Subject {
  /** The URL of a server, or the command of a client. */
  readonly name: string;
  /** What is in front of it, such as `nginx`. */
  readonly proxy?: string;
  /** What there is to test it with. */
  readonly categories: readonly Category<never>[];
  /** The words behind `npm run conformance` that run one case. */
  readonly wordsFor: (id: string) => string;
}

/** Of how many cases that are not OK the conversation is shown. */
const MAX_TIMELINES = 3;
/** How many cases that are not OK are told; of the others there are only the ids. */
const MAX_TOLD = 40;
/** Where the text of a line begins that has a label before it. */
const INDENT = 13;

/** The verdicts that have a column. */
const COLUMNS = VERDICTS.filter((verdict) => verdict !== 'UNIMPLEMENTED');
/** How wide the columns of numbers are. */
const CELLS = [6, 12, 8, 9];

const MARKS: Record<Verdict, string> = {
  OK: style.green('✓'),
  UNIMPLEMENTED: style.dim('–'),
  'NON-STRICT': style.yellow('~'),
  FAILED: style.red('✗'),
};

/** The endings that are the peer's doing, in words. */
const ENDINGS: Partial<Record<Ending, string>> = {
  clean: 'clean',
  reset: 'reset after a Close',
  dropped: 'over without a Close',
  open: 'still open',
};

/** Counts results by their verdict; a case that was not tried has not been passed. */
export function countVerdicts(results: readonly CaseResult[]): Record<Verdict, number> {
  const count = (wanted: Verdict) => results.filter(({ verdict }) => verdict === wanted).length;
  return {
    OK: count('OK'),
    UNIMPLEMENTED: count('UNIMPLEMENTED'),
    'NON-STRICT': count('NON-STRICT'),
    FAILED: count('FAILED'),
  };
}

/**
 * Writes a table of the categories, each case that is not OK, and the sum. A case that ran alone
 * is told in full. No line is wider than `width` columns.
 */
export function renderReport(
  subject: Subject,
  results: readonly CaseResult[],
  width = columns(),
): string[] {
  const tried = results.filter((result) => !isUntried(result));
  const bad = tried
    .filter(isBad)
    .sort((a, b) => VERDICTS.indexOf(b.verdict) - VERDICTS.indexOf(a.verdict));
  const told = tried.length === 1 ? tried : bad.slice(0, MAX_TOLD);
  const way = subject.proxy ? ` through ${subject.proxy}` : '';
  return [
    '',
    ...wrap(`Conformance of ${subject.name}${way}`, width).map((line) => style.bold(line)),
    style.dim('Sections, such as §5.2, are those of RFC 6455.'),
    ...(tried.length > 0
      ? ['', ...renderTable(tried, subject, width), '', ...wrap(sayEndings(tried), width)]
      : []),
    ...sayHabits(tried, subject, width),
    ...told.flatMap((result, i) => ['', ...renderCase(result, i < MAX_TIMELINES, width)]),
    ...nameOthers(bad.slice(MAX_TOLD), width),
    ...hintAtOthers(bad, subject, width),
    ...sayUnimplemented(results, width),
    ...sayObstacles(results, width),
    '',
    summary(results),
  ];
}

/** The ids of cases that are not told, in the order of the cases. */
function nameOthers(others: readonly CaseResult[], width: number): string[] {
  if (others.length === 0) return [];
  const ids = others.map(({ id, verdict }) => (verdict === 'FAILED' ? id : `${id}~`)).join(' ');
  return [
    '',
    ...wrap(`And ${others.length} more, those that are NON-STRICT with a ~: ${ids}`, width),
  ];
}

/** Says whether a result is something to look at: an extension is nobody's duty. */
export const isBad = ({ verdict }: CaseResult) => verdict !== 'OK' && verdict !== 'UNIMPLEMENTED';

/** What the peer did not agree on: for how many cases, and why at the first of them. */
function sayUnimplemented(results: readonly CaseResult[], width: number): string[] {
  const [example, ...others] = results.filter(({ verdict }) => verdict === 'UNIMPLEMENTED');
  if (!example) return [];
  const cases = count(1 + others.length, 'case');
  const what = `${cases} UNIMPLEMENTED, beginning with ${example.id}: ${example.happened}`;
  const [first = '', ...rest] = wrap(what, width - 2);
  return ['', `${MARKS.UNIMPLEMENTED} ${first}`, ...rest.map((line) => `  ${line}`)];
}

/** Why cases were not tried: once, however many they are. */
function sayObstacles(results: readonly CaseResult[], width: number): string[] {
  const obstacles = new Set(results.filter(isUntried).map(({ happened }) => happened));
  return [...obstacles].flatMap((obstacle) => {
    const [first = '', ...rest] = wrap(obstacle.replace(UNTRIED, ''), width - 2);
    return ['', `${MARKS.FAILED} ${style.bold(first)}`, ...rest.map((line) => `  ${line}`)];
  });
}

const isUntried = ({ ending }: CaseResult) => ending === 'untried';

/** How connections ended is a verdict of its own: a peer may echo well, and never let go. */
function sayEndings(results: readonly CaseResult[]): string {
  const counts = Object.entries(ENDINGS).flatMap(([ending, words]) => {
    const count = results.filter((result) => result.ending === ending).length;
    return count > 0 ? [`${count} ${words}`] : [];
  });
  return `How TCP ended: ${counts.join(', ') || 'no case asked'}.`;
}

/** Which cases say more about the proxy than about the server. */
function sayHabits(
  results: readonly CaseResult[],
  { proxy = '' }: Subject,
  width: number,
): string[] {
  const habits = HABITS[proxy];
  if (!habits) return [];
  const among = (ids: readonly string[]) =>
    results.flatMap(({ id }) => (ids.includes(id) ? id : []));
  const [answered, repaired] = [among(habits.answered), among(habits.repaired)];
  const said = [
    ...(answered.length > 0 ? [`answer ${answered.join(' ')} without asking the server`] : []),
    ...(repaired.length > 0 ? [`repair ${repaired.join(' ')} before the server sees them`] : []),
  ];
  if (said.length === 0) return [];
  return ['', ...wrap(`${proxy} ${habits.version} is known to ${said.join(', and to ')}.`, width)];
}

function hintAtOthers(bad: readonly CaseResult[], subject: Subject, width: number): string[] {
  const next = bad[MAX_TIMELINES];
  if (!next) return [];
  const command = `npm run conformance ${subject.wordsFor(next.id)}`;
  return ['', ...wrap(`To see what was said in one of the others: ${command}`, width)];
}

/** The last line of a report: how many cases have each verdict, and how many have none. */
function summary(results: readonly CaseResult[]): string {
  const counts = countVerdicts(results.filter((result) => !isUntried(result)));
  const untried = results.filter(isUntried).length;
  const said = COLUMNS.map((verdict) => `${counts[verdict]} ${verdict}`);
  const others = [
    ...(counts.UNIMPLEMENTED > 0 ? [`${counts.UNIMPLEMENTED} UNIMPLEMENTED`] : []),
    ...(untried > 0 ? [`${untried} not tried`] : []),
  ];
  return style.bold([...said, ...others].join(', '));
}

function renderTable(
  results: readonly CaseResult[],
  { categories }: Subject,
  width: number,
): string[] {
  const rows = categories.map((category) => ({ category, part: resultsOf(category, results) }));
  const heading = tableRow('', 'Category', [...COLUMNS, 'seconds'], width);
  return [
    style.dim(heading),
    ...rows
      .filter(({ part }) => part.length > 0)
      .map(({ category, part }) => renderRow(category, part, width)),
  ];
}

function resultsOf({ id }: Category<never>, results: readonly CaseResult[]): CaseResult[] {
  return results.filter((result) => result.id.startsWith(`${id}.`));
}

function renderRow(category: Category<never>, part: readonly CaseResult[], width: number): string {
  const counts = countVerdicts(part);
  const seconds = part.reduce((sum, result) => sum + result.seconds, 0);
  const cells = COLUMNS.map((verdict) => (counts[verdict] === 0 ? '·' : `${counts[verdict]}`));
  const worst = [...VERDICTS].reverse().find((verdict) => counts[verdict] > 0) ?? 'OK';
  const row = tableRow(category.id, category.title, [...cells, seconds.toFixed(1)], width - 2);
  return `${MARKS[worst]} ${row}`;
}

function tableRow(id: string, title: string, cells: readonly string[], width: number): string {
  const numbers = cells.map((cell, i) => cell.padStart(CELLS[i] ?? 0)).join('');
  const room = width - numbers.length - 4;
  return id.padEnd(4) + pad(clip(title, room), room) + numbers;
}

/** Writes a case: what should have happened, what did, and what was said on the wire. */
function renderCase(result: CaseResult, withTimeline: boolean, width: number): string[] {
  const { id, title, section, verdict, expected, happened, timeline } = result;
  const ending = ENDINGS[result.ending];
  const facts: [string, string][] = [
    ['expected', expected],
    ['happened', happened],
    ...(ending ? ([['TCP', ending]] as [string, string][]) : []),
  ];
  const where = `${/^\d/.test(section) ? '§' : ''}${section}  ${verdict}`;
  const [first = '', ...rest] = wrap(`${id.padEnd(7)} ${title}`, width - where.length - 4);
  return [
    `${MARKS[verdict]} ${style.bold(pad(first, width - where.length - 3))} ${where}`,
    ...rest.map((line) => style.bold(' '.repeat(10) + line)),
    ...labelTable(facts, width - 2, INDENT - 2).map((line) => `  ${line}`),
    ...(withTimeline && timeline.length > 0 ? ['', ...renderTimeline(timeline, width)] : []),
  ];
}

/** Draws a conversation: the time in milliseconds, who spoke, and what. */
export function renderTimeline(entries: readonly TimelineEntry[], width: number): string[] {
  return entries.flatMap(({ ms, mark, connection, text }) => {
    const time = mark === '…' ? '' : `${ms.toFixed(1)} ms`;
    const who = connection === undefined ? '' : `#${connection} `;
    const start = `${time.padStart(INDENT)} ${mark === '…' ? ' ' : mark} ${who}`;
    return text.map((line, i) => clip((i === 0 ? start : ' '.repeat(start.length)) + line, width));
  });
}

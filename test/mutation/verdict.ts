/** Compares the mutants of a lesson with the list of those that may survive. */
import type { Lesson } from '../../shared/course/lessons.ts';
import { columns, style } from '../../shared/view/style.ts';
import { wrap } from '../../shared/view/wrap.ts';
import type { Mutant } from './stryker.ts';
import { SURVIVORS, type Survivor } from './survivors.ts';

/** How many of a hundred mutants a step has to notice. */
const LEAST_PERCENT = 98;
/**
 * Of these lessons, fewer: part of lesson 08 is there to be fast, and no step takes the time. In
 * lesson 09, much is there for people to read, and for the type checker.
 */
const LEAST_OF: Readonly<Record<string, number>> = { '08': 95, '09': 95 };

/** What came out for a lesson. */
export interface Judgement {
  readonly total: number;
  readonly found: number;
  /** Those on the list, with the reason. */
  readonly known: readonly (readonly [Mutant, Survivor])[];
  /** Those that are not on the list: a check is missing. */
  readonly unknown: readonly Mutant[];
  /** What is on the list, and was noticed or is not there any more. */
  readonly stale: readonly Survivor[];
  /** Nothing is unknown, nothing is stale, and enough was noticed. */
  readonly isGood: boolean;
}

/** Judges the mutants of a lesson, such as `02`. */
export function judge(
  lesson: string,
  mutants: readonly Mutant[],
  survivors: readonly Survivor[] = SURVIVORS,
): Judgement {
  // Code that does not even load isn't a mistake that a check could find.
  const all = mutants.filter(({ status }) => status !== 'RuntimeError');
  const surviving = all.filter(({ status }) => status === 'Survived' || status === 'NoCoverage');
  const listed = survivors.filter((it) => it.lesson === lesson);
  const entryOf = (mutant: Mutant) => listed.find((entry) => isOf(entry, mutant));

  const known = surviving.flatMap((mutant) => {
    const entry = entryOf(mutant);
    return entry ? [[mutant, entry] as const] : [];
  });
  const unknown = surviving.filter((mutant) => !entryOf(mutant));
  // One that ran into a time limit may have been slowed down by something else.
  const lives = all.filter(({ status }) => status !== 'Killed');
  const stale = listed.filter(
    (entry) => !entry.isNoticedAtTimes && !lives.some((mutant) => isOf(entry, mutant)),
  );
  const [total, found] = [all.length, all.length - surviving.length];
  const isEnough = found * 100 >= total * (LEAST_OF[lesson] ?? LEAST_PERCENT);
  const isGood = isEnough && unknown.length === 0 && stale.length === 0;
  return { total, found, known, unknown, stale, isGood };
}

function isOf(entry: Survivor, { line, from, to }: Mutant): boolean {
  return entry.line === line && entry.from === from && entry.to === to;
}

/** Tells it to a person. */
export function renderJudgement(
  { number, title }: Lesson,
  { total, found, known, unknown, stale, isGood }: Judgement,
  seconds: number,
): string[] {
  const score = `${found} of ${total} noticed, ${percent(found, total)} %`;
  const change = ({ from, to }: Pick<Mutant, 'from' | 'to'>) => `${from}  →  ${to}`;
  const item = (mark: string, head: string, ...rest: readonly string[]) =>
    [`   ${mark} ${head}`, ...rest.map((text) => `     ${text}`)].flatMap((text) =>
      wrap(text, columns(), '       '),
    );
  return [
    '',
    `${isGood ? style.green('✓') : style.red('✗')} ${style.bold(`${number} ${title}`)}: ${score} (${seconds.toFixed(0)} s)`,
    ...known.flatMap(([mutant, { why }]) =>
      item(style.dim('·'), `line ${mutant.number}: ${change(mutant)}`, style.dim(why)),
    ),
    ...unknown.flatMap((mutant) =>
      item(
        style.red('✗'),
        `line ${mutant.number}: ${change(mutant)}`,
        'No step notices it. Add a check, or say in survivors.ts why there need be none.',
      ),
    ),
    ...stale.flatMap((entry) =>
      item(style.red('✗'), change(entry), 'It is in survivors.ts, and does not survive.'),
    ),
  ];
}

/** Cut off, not rounded: what is shown as 98.0 is 98. */
function percent(part: number, whole: number): string {
  return (Math.floor((part * 1000) / whole) / 10).toFixed(1);
}

/** What came of a trial, for people. */
import { count } from '../view/count.ts';
import { labelTable } from '../view/table.ts';
import { type Faults, sum } from './proof.ts';
import type { Verdict } from './trial.ts';

/** Says whether nothing is wrong: everything that was said is everywhere, once and in order. */
export function isRight({ history, lists, closed }: Verdict): boolean {
  const { missing, twice, outOfOrder } = sum([history, ...lists]);
  return missing + twice + outOfOrder + closed === 0;
}

/** Writes the figures, and what is wrong, as lines of at most `width` columns. */
export function renderVerdict(verdict: Verdict, width: number): string[] {
  const { said, stream, shown, reconnects, gaps, closed, history, lists, untold } = verdict;
  const wrong = lists.filter(({ missing, twice, outOfOrder }) => missing + twice + outOfOrder > 0);
  const rows = [
    ['said', count(said, 'message')],
    [
      'in the history',
      stream === undefined ? 'forgotten' : `${count(stream, 'message')}; ${say(history)}`,
    ],
    ['shown', `${count(shown, 'message')} to ${count(lists.length, 'client')}`],
    ['wrong lists', `${wrong.length}; ${say(sum(lists))}`],
    ['reconnects', String(reconnects)],
    ['gaps told', `${gaps}; clients that miss something and were not told: ${untold}`],
    ['closed for good', String(closed)],
  ] as const;
  return ['', ...labelTable(rows, width), '', say(sum([history, ...lists]))];
}

function say({ missing, twice, outOfOrder }: Faults): string {
  return `missing: ${missing}, twice: ${twice}, out of order: ${outOfOrder}`;
}

import { pad, widthOf } from './width.ts';
import { wrap } from './wrap.ts';

/** A label, and what is said of it. */
export type Row = readonly [label: string, text: string];

/**
 * Writes labels with their texts beside them, all of which begin at the same column: two behind
 * the widest label, unless `column` says where. No line is wider than `width` columns.
 */
export function labelTable(
  rows: readonly Row[],
  width: number,
  column = Math.max(...rows.map(([label]) => widthOf(label))) + 2,
): string[] {
  return rows.flatMap(([label, text]) =>
    wrap(text, width - column).map((line, i) => pad(i === 0 ? label : '', column) + line),
  );
}

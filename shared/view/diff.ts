/** Two texts, line by line. */
import { structuredPatch } from 'diff';
import { style } from './style.ts';
import { wrap } from './wrap.ts';

/** Changes that stand near each other, with the lines around them. */
export interface Hunk {
  /** Where the first line stands in the first text, counted from 1. */
  readonly start: number;
  /** Says where it is in both texts, such as `@@ -3,7 +3,8 @@`. */
  readonly header: string;
  /** Each begins with ` `, or with `-` or `+` when it stands only in the first or second text. */
  readonly lines: readonly string[];
}

/**
 * Compares two texts, and shows `context` lines that are the same around those that are not.
 * Returns no hunk for texts that are the same.
 */
export function hunksOf(before: string, after: string, context = 3): Hunk[] {
  const { hunks } = structuredPatch('', '', ended(before), ended(after), '', '', { context });
  return hunks.map(({ oldStart, oldLines, newStart, newLines, lines }) => ({
    start: oldStart,
    header: `@@ -${range(oldStart, oldLines)} +${range(newStart, newLines)} @@`,
    lines,
  }));
}

/** Makes sure that the last line has an end: whether it has one is no difference. */
function ended(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}

/** A place as unified diffs have it: an empty one is named by the line before it. */
function range(start: number, count: number): string {
  return `${count === 0 ? start - 1 : start},${count}`;
}

/** Writes hunks in colour. Lines that are wider than `width` columns are broken. */
export function renderHunks(hunks: readonly Hunk[], width: number): string[] {
  return hunks.flatMap(({ header, lines }) => [
    style.cyan(header),
    ...lines.flatMap((line) => renderLine(line, width)),
  ]);
}

function renderLine(line: string, width: number): string[] {
  const [mark, text] = [line.slice(0, 1), line.slice(1)];
  const colour = mark === '-' ? style.red : mark === '+' ? style.green : String;
  const indent = ' '.repeat(text.search(/\S|$/) + 4);
  return wrap(text, width - 1, indent).map((part) => colour(mark + part));
}

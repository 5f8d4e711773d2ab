/** Two texts, line by line. */
import { diffArrays, structuredPatch } from 'diff';
import { style } from './style.ts';
import { pad } from './width.ts';
import { wrap } from './wrap.ts';

/** Changes that are near each other, with the lines around them. */
export interface Hunk {
  /** Where the first line is in the first text, counted from 1. */
  readonly start: number;
  /** Says where it is in both texts, such as `@@ -3,7 +3,8 @@`. */
  readonly header: string;
  /** Each begins with ` `, or with `-` or `+` when it's only in the first or second text. */
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

/** Makes sure that the last line has an end: whether it has one makes no difference. */
function ended(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}

/** A place as unified diffs have it: an empty one is named by the line before it. */
function range(start: number, count: number): string {
  return `${count === 0 ? start - 1 : start},${count}`;
}

/** Lines that are beside each other. `undefined`: there is none on this side. */
export interface Row {
  readonly left?: string | undefined;
  readonly right?: string | undefined;
  readonly isSame: boolean;
}

/** When fewer of the lines than that are alike, it is by chance. */
const MIN_ALIKE = 0.4;
/** From so many columns on, there is room for two texts. */
const SIDE_BY_SIDE = 130;

/** Puts the lines of two texts beside each other. How a line is laid out makes no difference. */
export function rowsOf(left: readonly string[], right: readonly string[]): Row[] {
  const changes = diffArrays([...left], [...right], { comparator: isAlike });
  const alike = changes.filter(({ added, removed }) => !added && !removed);
  const count = alike.reduce((sum, { value }) => sum + value.length, 0);
  if (count < MIN_ALIKE * Math.max(left.length, right.length)) return beside(left, right);

  const rows: Row[] = [];
  let [mine, theirs]: [string[], string[]] = [[], []];
  let at = 0;
  for (const { added, removed, value } of changes) {
    if (removed) mine.push(...value);
    else if (added) theirs.push(...value);
    else {
      rows.push(...beside(mine, theirs));
      at += mine.length;
      rows.push(...value.map((line, i) => ({ left: left[at + i], right: line, isSame: true })));
      at += value.length;
      [mine, theirs] = [[], []];
    }
  }
  return [...rows, ...beside(mine, theirs)];
}

function beside(left: readonly string[], right: readonly string[]): Row[] {
  const rows = Array.from({ length: Math.max(left.length, right.length) });
  return rows.map((_, i) => ({ left: left[i], right: right[i], isSame: false }));
}

function isAlike(left: string, right: string): boolean {
  const [one, two] = [left, right].map((line) =>
    line.trim().replace(/[;,]$/, '').replaceAll('"', "'"),
  );
  return one === two;
}

/**
 * Draws rows: side by side where there is room, and else those of the left above those of the
 * right. What is only on the left has a `-`, on the right a `+`. Long lines are broken.
 */
export function drawRows(rows: readonly Row[], width: number): string[] {
  return width >= SIDE_BY_SIDE && Number.isFinite(width)
    ? rows.flatMap((row) => drawBoth(row, Math.floor((width - 3) / 2)))
    : drawStacked(rows, width);
}

function drawBoth({ left, right, isSame }: Row, width: number): string[] {
  const [mine, theirs] = [
    drawLine(isSame ? ' ' : '-', left, width),
    drawLine(isSame ? ' ' : '+', right, width),
  ];
  const rows = Array.from({ length: Math.max(mine.length, theirs.length) });
  return rows.map((_, i) =>
    `${pad(mine[i] ?? '', width)} ${style.dim('│')} ${theirs[i] ?? ''}`.trimEnd(),
  );
}

function drawStacked(rows: readonly Row[], width: number): string[] {
  const lines: string[] = [];
  let theirs: string[] = [];
  for (const { left, right, isSame } of rows) {
    if (isSame) {
      lines.push(...theirs, ...drawLine(' ', right, width));
      theirs = [];
    } else {
      lines.push(...drawLine('-', left, width));
      theirs.push(...drawLine('+', right, width));
    }
  }
  return [...lines, ...theirs];
}

function drawLine(mark: string, text: string | undefined, width: number): string[] {
  if (text === undefined) return [];
  const colour = mark === '-' ? style.red : mark === '+' ? style.green : String;
  const indent = ' '.repeat(text.search(/\S|$/) + 4);
  return wrap(text, width - 2, indent).map((part) => colour(`${mark} ${part}`.trimEnd()));
}

/** Two texts, line by line. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileOf, type Lesson, ROOT, requireFile, type Side } from '../course/lessons.ts';
import { style } from './style.ts';
import { wrap } from './wrap.ts';

/** A line of two texts: in both, or only in one of them. */
export interface DiffLine {
  /** `-` stands only in the first text, `+` only in the second. */
  readonly mark: ' ' | '-' | '+';
  readonly text: string;
}

/** How many lines that are the same are shown around those that are not. */
const CONTEXT = 3;

/** Compares two texts: their longest common subsequence of lines, and what each has besides. */
export function diffLines(before: readonly string[], after: readonly string[]): DiffLine[] {
  // common[i * width + j]: how many lines `before` from i and `after` from j have in common.
  const width = after.length + 1;
  const common = new Uint32Array((before.length + 1) * width);
  for (let i = before.length - 1; i >= 0; i--) {
    for (let j = after.length - 1; j >= 0; j--) {
      common[i * width + j] =
        before[i] === after[j]
          ? common[(i + 1) * width + j + 1]! + 1
          : Math.max(common[(i + 1) * width + j]!, common[i * width + j + 1]!);
    }
  }

  const lines: DiffLine[] = [];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    if (i < before.length && before[i] === after[j]) {
      lines.push({ mark: ' ', text: before[i]! });
      i++;
      j++;
    } else if (
      j === after.length ||
      (i < before.length && common[(i + 1) * width + j]! >= common[i * width + j + 1]!)
    ) {
      lines.push({ mark: '-', text: before[i++]! });
    } else {
      lines.push({ mark: '+', text: after[j++]! });
    }
  }
  return lines;
}

/** Puts changes that stand near each other together: unified hunks. Empty when there are none. */
export function hunksOf(lines: readonly DiffLine[]): { header: string; lines: DiffLine[] }[] {
  const near = lines.map((_, at) =>
    lines.slice(Math.max(0, at - CONTEXT), at + CONTEXT + 1).some(({ mark }) => mark !== ' '),
  );
  const hunks: { header: string; lines: DiffLine[] }[] = [];
  let [before, after] = [1, 1];
  for (let at = 0; at < lines.length; ) {
    const end = near.indexOf(!near[at], at);
    const part = lines.slice(at, end === -1 ? lines.length : end);
    const [inBefore, inAfter] = (['+', '-'] as const).map(
      (other) => part.filter(({ mark }) => mark !== other).length,
    ) as [number, number];
    if (near[at]) {
      const header = `@@ -${range(before, inBefore)} +${range(after, inAfter)} @@`;
      hunks.push({ header, lines: part });
    }
    before += inBefore;
    after += inAfter;
    at += part.length;
  }
  return hunks;
}

/** A place as unified diffs have it: an empty one is named by the line before it. */
function range(start: number, count: number): string {
  return `${count === 0 ? start - 1 : start},${count}`;
}

/**
 * Compares the learner's file with the reference, as unified hunks. Lines wider than `width`
 * columns are broken. Throws `UsageError` when one of the files is missing.
 */
export function renderDiff(lesson: Lesson, width: number): string[] {
  const paths = {
    yours: fileOf({ side: 'lessons', lesson }),
    reference: fileOf({ side: 'solutions', lesson }),
  };
  const hunks = hunksOf(diffLines(readLines('lessons', lesson), readLines('solutions', lesson)));
  if (hunks.length === 0) {
    return wrap(`${paths.yours} is the same as the reference.`, width);
  }
  const column = Math.max(paths.yours.length, paths.reference.length) + 2;
  return [
    style.bold.red(`--- ${paths.yours.padEnd(column)}yours`),
    style.bold.green(`+++ ${paths.reference.padEnd(column)}the reference`),
    ...hunks.flatMap(({ header, lines }) => [
      style.cyan(header),
      ...lines.flatMap((line) => renderLine(line, width)),
    ]),
  ];
}

function renderLine({ mark, text }: DiffLine, width: number): string[] {
  const colours = { ' ': (line: string) => line, '-': style.red, '+': style.green };
  const indent = ' '.repeat(text.search(/\S|$/) + 4);
  return wrap(text, width - 1, indent).map((line) => colours[mark](mark + line));
}

function readLines(side: Side, lesson: Lesson): string[] {
  requireFile({ side, lesson });
  const text = readFileSync(join(ROOT, fileOf({ side, lesson })), 'utf8');
  const lines = text.split(/\r?\n/);
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
}

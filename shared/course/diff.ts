import { drawRows, rowsOf } from '../view/diff.ts';
import { style } from '../view/style.ts';
import { wrap } from '../view/wrap.ts';
import { readText, requireFile } from './files.ts';
import { fileOf, type Lesson, type Side } from './lessons.ts';
import { type Pair, pairsOf } from './pairs.ts';
import { type Part, partsOf } from './parts.ts';
import { requireSolution } from './solution.ts';

const LEGEND =
  'A line without a mark is in both. What differs only in layout, comments, types, names or the wording of errors is left out as a whole. Where there is more to see, other names are marked, too.';

/**
 * Compares the learner's file with the reference, function by function in the order of the
 * reference, and names at the end what is the same but for its style. No line is wider than
 * `width` columns. Throws `UsageError` when one of the files is missing, or no solution.
 */
export function renderDiff(lesson: Lesson, width: number): string[] {
  requireSolution(lesson);
  const [yours, reference] = readBoth(lesson);
  const pairs = pairsOf(yours, reference);
  const same = pairs.filter(({ isSame }) => isSame);
  const others = pairs.filter(({ isSame }) => !isSame);
  const file = fileOf({ side: 'lessons', lesson });
  if (others.length === 0) {
    return wrap(`${file} does what the reference does, and differs in style at most.`, width);
  }
  const says = same.length > 0 ? `The same but for style: ${same.map(nameBoth).join(', ')}.` : '';
  return [
    style.red(`- yours          ${file}`),
    style.green(`+ the reference  ${fileOf({ side: 'solutions', lesson })}`),
    '',
    ...wrap(LEGEND, width).map((line) => style.dim(line)),
    ...others.flatMap((pair) => ['', ...renderPair(pair, width)]),
    ...(says ? ['', ...wrap(says, width)] : []),
  ];
}

/** The name of a part in the reference, and its other name in yours. */
function nameBoth({ yours, reference }: Pair): string {
  if (!yours || !reference) return (yours ?? reference)?.name ?? '';
  return reference.name === yours.name ? yours.name : `${reference.name} (yours: ${yours.name})`;
}

function renderPair(pair: Pair, width: number): string[] {
  const { yours, reference } = pair;
  const isOpen = yours?.lines.some((line) => line.includes('throw new Todo('));
  const mine = isOpen ? 'not written yet' : yours && `yours: line ${yours.line}`;
  const theirs = reference && `the reference: line ${reference.line}`;
  const places = mine && theirs ? `${mine}, ${theirs}` : `only in ${mine ?? theirs}`;
  return [
    ...wrap(`${style.bold(nameBoth(pair))}  ${style.dim(places)}`, width, '  '),
    ...drawRows(rowsOf(isOpen ? [] : (yours?.lines ?? []), reference?.lines ?? []), width),
  ];
}

/** Takes both files apart; as a whole, when one of them does not parse. */
function readBoth(lesson: Lesson): readonly [yours: Part[], reference: Part[]] {
  const [yours, reference] = [readSource('lessons', lesson), readSource('solutions', lesson)];
  try {
    return [partsOf(yours), partsOf(reference)];
  } catch {
    return [[wholeOf(yours, lesson)], [wholeOf(reference, lesson)]];
  }
}

/** Reads a file. Which line ends it has makes no difference. */
function readSource(side: Side, lesson: Lesson): string {
  requireFile({ side, lesson });
  return readText(fileOf({ side, lesson })).replaceAll('\r\n', '\n').trimEnd();
}

function wholeOf(source: string, { file }: Lesson): Part {
  return { name: file, lines: source.split('\n'), line: 1, meaning: source };
}

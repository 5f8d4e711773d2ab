import { drawRows, rowsOf } from '../view/diff.ts';
import { style } from '../view/style.ts';
import { wrap } from '../view/wrap.ts';
import { readText, requireFile } from './files.ts';
import { fileOf, type Lesson, type Side } from './lessons.ts';
import { type Part, partsOf } from './parts.ts';

const LEGEND =
  'A line without a mark is in both. Left out is what differs only in layout, comments, types, names of variables, or the wording of errors.';

/**
 * Compares the learner's file with the reference, function by function in the order of the
 * reference, and names at the end what is the same but for its style. No line is wider than
 * `width` columns. Throws `UsageError` when one of the files is missing.
 */
export function renderDiff(lesson: Lesson, width: number): string[] {
  const [yours, reference] = readBoth(lesson);
  const names = [...new Set([...reference, ...yours].map(({ name }) => name))];
  const pairs = names.map((name) => {
    const find = (parts: readonly Part[]) => parts.find((part) => part.name === name);
    return { name, yours: find(yours), reference: find(reference) };
  });
  const same = pairs.filter(({ yours, reference }) => yours?.meaning === reference?.meaning);
  const others = pairs.filter((pair) => !same.includes(pair));
  const file = fileOf({ side: 'lessons', lesson });
  if (others.length === 0) {
    return wrap(`${file} does what the reference does, and differs in style at most.`, width);
  }
  const says =
    same.length > 0 ? `The same but for style: ${same.map(({ name }) => name).join(', ')}.` : '';
  return [
    style.red(`- yours          ${file}`),
    style.green(`+ the reference  ${fileOf({ side: 'solutions', lesson })}`),
    '',
    ...wrap(LEGEND, width).map((line) => style.dim(line)),
    ...others.flatMap((pair) => ['', ...renderPair(pair, width)]),
    ...(says ? ['', ...wrap(says, width)] : []),
  ];
}

/** A part as it is on both sides. `undefined`: it is on one of them only. */
interface Pair {
  readonly name: string;
  readonly yours: Part | undefined;
  readonly reference: Part | undefined;
}

function renderPair({ name, yours, reference }: Pair, width: number): string[] {
  const isOpen = yours?.lines.some((line) => line.includes('throw new Todo('));
  const mine = isOpen ? 'not written yet' : yours && `yours: line ${yours.line}`;
  const theirs = reference && `reference: line ${reference.line}`;
  const places = mine && theirs ? `${mine}, ${theirs}` : `only in ${mine ?? theirs}`;
  return [
    ...wrap(`${style.bold(name)}  ${style.dim(places)}`, width, '  '),
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

/** Reads a file. Which line ends it has is no difference. */
function readSource(side: Side, lesson: Lesson): string {
  requireFile({ side, lesson });
  return readText(fileOf({ side, lesson })).replaceAll('\r\n', '\n').trimEnd();
}

function wholeOf(source: string, { file }: Lesson): Part {
  return { name: file, lines: source.split('\n'), line: 1, meaning: source };
}

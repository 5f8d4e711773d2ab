import { columns, style } from '../view/style.ts';
import { clip, pad, widthOf } from '../view/width.ts';
import { wrap } from '../view/wrap.ts';
import { type LessonResult, type StudentResult, sum } from './result.ts';

/** How much of a line a name may take, and what remarks need, in columns. */
const MAX_NAME = 24;
const MIN_REMARKS = 20;

/**
 * Writes a row for each student: the steps of each lesson, the points, and what is to be seen to, in
 * lines of at most `width` columns.
 */
export function renderTable(students: readonly StudentResult[], width = columns()): string[] {
  const lessons = students[0]?.lessons.map(({ lesson }) => lesson) ?? [];
  const head = ['student', ...lessons, 'points'];
  const rows = students.map((student) => [
    clip(student.name, MAX_NAME),
    ...student.lessons.map(cell),
    `${student.points}/${student.max}`,
  ]);
  const widths = head.map((_, i) =>
    Math.max(...[head, ...rows].map((row) => widthOf(row[i] ?? ''))),
  );
  const line = (row: readonly string[]) =>
    row.map((text, i) => pad(text, widths[i] ?? 0)).join('  ');
  // Beside the row, or below it where that would be a narrow column.
  const beside = widthOf(line(head)) + 2;
  const start = width - beside < MIN_REMARKS ? 2 : beside;
  const lines = rows.flatMap((row, i) => {
    const said = wrap(remarks(students[i]!).join('; '), width - start);
    const below = start < beside ? said.filter((it) => it !== '') : said.slice(1);
    const first = start < beside ? '' : (said[0] ?? '');
    return [`${line(row)}  ${first}`.trimEnd(), ...below.map((it) => ' '.repeat(start) + it)];
  });
  return [style.bold(line(head).trimEnd()), ...lines, '', ...summary(students)];
}

/** The steps that pass, of how many; or why there are none. */
function cell({ state, steps }: LessonResult): string {
  if (steps.length === 0) return state === 'missing' ? '–' : state;
  return `${steps.filter(({ passes }) => passes).length}/${steps.length}`;
}

/** What an instructor ought to know of one student, beyond the points. */
export function remarks({ lessons, problems }: StudentResult): string[] {
  return [
    ...lessons.flatMap(({ lesson, refused, broken, steps, typeErrors, reference }) => [
      ...(refused.length > 0
        ? [`${lesson} refers to ${[...new Set(refused.map(({ name }) => name))].join(', ')}`]
        : []),
      ...(broken ? [`${lesson}: ${broken.what}`] : []),
      ...steps
        .filter(({ failure }) => /did not come to an end/.test(failure?.what ?? ''))
        .map(({ number }) => `${lesson}: step ${number} did not come to an end`),
      ...(typeErrors.length > 0 ? [`${lesson} has type errors: ${typeErrors.length}`] : []),
      ...(reference.length > 0 ? [`${lesson} on the reference of ${reference.join(', ')}`] : []),
    ]),
    ...problems,
  ];
}

function summary(students: readonly StudentResult[]): string[] {
  if (students.length < 2) return [];
  const points = sum(students.map(({ points }) => points));
  const mean = Math.round((10 * points) / students.length) / 10;
  return [`${students.length} students, ${mean} of ${students[0]?.max} points on average.`];
}

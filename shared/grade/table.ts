import { style } from '../view/style.ts';
import { pad, widthOf } from '../view/width.ts';
import { type LessonResult, type StudentResult, sum } from './result.ts';

/** Writes a row for each student: the steps of each lesson, the points, and what is to be seen to. */
export function renderTable(students: readonly StudentResult[]): string[] {
  const lessons = students[0]?.lessons.map(({ lesson }) => lesson) ?? [];
  const head = ['student', ...lessons, 'points', ''];
  const rows = students.map((student) => [
    student.name,
    ...student.lessons.map(cell),
    `${student.points}/${student.max}`,
    remarks(student).join('; '),
  ]);
  const widths = head.map((_, i) =>
    Math.max(...[head, ...rows].map((row) => widthOf(row[i] ?? ''))),
  );
  const line = (row: readonly string[]) =>
    row
      .map((text, i) => pad(text, widths[i] ?? 0))
      .join('  ')
      .trimEnd();
  return [style.bold(line(head)), ...rows.map(line), '', ...summary(students)];
}

/** The steps that pass, of how many; or why there are none. */
function cell({ state, steps }: LessonResult): string {
  if (steps.length === 0) return state === 'missing' ? '–' : state;
  return `${steps.filter(({ passes }) => passes).length}/${steps.length}`;
}

/** What an instructor ought to know of one student, beyond the points. */
export function remarks({ lessons, problems }: StudentResult): string[] {
  return [
    ...lessons.flatMap(({ lesson, refused, broken, typeErrors, reference }) => [
      ...(refused.length > 0
        ? [`${lesson} refers to ${[...new Set(refused.map(({ name }) => name))].join(', ')}`]
        : []),
      ...(broken ? [`${lesson}: ${broken.what}`] : []),
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

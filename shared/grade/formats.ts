/** Results for the programs that others have: spreadsheets, JUnit, GitHub, and Markdown. */
import type { LessonResult, StepOutcome, StudentResult } from './result.ts';
import { sayForeign } from './result.ts';
import { remarks } from './table.ts';

/** Writes CSV as RFC 4180 has it: a row for each student, with the points for each step. */
export function toCsv(students: readonly StudentResult[]): string {
  const lessons = students[0]?.lessons ?? [];
  // Somebody who has handed in nothing has no steps.
  const steps = lessons.map(({ lesson }, i) => ({
    lesson,
    count: Math.max(...students.map((student) => student.lessons[i]?.steps.length ?? 0)),
  }));
  const head = steps.flatMap(({ lesson, count }) => [
    lesson,
    ...Array.from({ length: count }, (_, step) => `${lesson}.${step + 1}`),
  ]);
  const rows = students.map((student) => [
    student.name,
    `${student.points}`,
    `${student.max}`,
    ...student.lessons.flatMap(({ points, steps: own }, i) => [
      `${points}`,
      ...Array.from({ length: steps[i]?.count ?? 0 }, (_, step) => `${own[step]?.points ?? 0}`),
    ]),
    remarks(student).join('; '),
  ]);
  const table = [['student', 'points', 'max', ...head, 'remarks'], ...rows];
  return table.map((row) => `${row.map(csvCell).join(',')}\r\n`).join('');
}

/** What begins like a formula is one for a spreadsheet, whoever has called themselves that. */
function csvCell(text: string): string {
  const plain = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}

/** Writes JUnit's XML: a suite for each lesson of each student, and a case for each step. */
export function toJunit(students: readonly StudentResult[]): string {
  const suites = students.flatMap(({ name, lessons }) =>
    lessons.map((result) => suiteOf(name, result)),
  );
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${suites.join('')}</testsuites>\n`;
}

function suiteOf(name: string, result: LessonResult): string {
  const { lesson, title, steps, seconds } = result;
  const cases = steps.map((step) => caseOf(name, lesson, step));
  const fault = faultOf(result);
  if (fault !== undefined) cases.push(xmlCase(name, `${lesson} ${title}`, fault));
  const failures = steps.filter(({ passes }) => !passes).length + (fault === undefined ? 0 : 1);
  const about = `name="${xml(`${name} ${lesson}`)}" tests="${cases.length}" failures="${failures}" time="${seconds}"`;
  return `  <testsuite ${about}>\n${cases.join('')}  </testsuite>\n`;
}

/** What is wrong with a lesson beside its steps. */
function faultOf({ state, broken, refused, typeErrors }: LessonResult): string | undefined {
  if (state === 'missing') return 'Nothing was handed in.';
  if (broken) return broken.what;
  if (refused.length > 0) return refused.map(sayForeign).join('\n');
  if (typeErrors.length === 0) return undefined;
  return typeErrors.map(({ place, text }) => `${place} ${text}`).join('\n');
}

function caseOf(student: string, lesson: string, { number, title, failure }: StepOutcome): string {
  return xmlCase(student, `${lesson}.${number} ${title}`, failure && sayFailure(failure));
}

function xmlCase(student: string, name: string, failure: string | undefined): string {
  const start = `    <testcase classname="${xml(student)}" name="${xml(name)}"`;
  if (failure === undefined) return `${start}/>\n`;
  const [message = ''] = failure.split('\n');
  return `${start}>\n      <failure message="${xml(message)}">${xml(failure)}</failure>\n    </testcase>\n`;
}

function sayFailure({ what, scenario, facts, cause }: NonNullable<StepOutcome['failure']>): string {
  const said = scenario && scenario !== what ? [what, scenario] : [what];
  const lines = facts.map(({ label, value }) => `${label}: ${value}`);
  return [...said, ...lines, ...(cause ? [cause] : [])].join('\n');
}

/** XML has no way at all to write most control characters. */
function xml(text: string): string {
  return (
    text
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out.
      .replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, '')
      .toWellFormed()
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;')
      .replaceAll('\n', '&#10;')
  );
}

/** Writes a report for one student, with everything as they would have seen it. */
export function toMarkdown(student: StudentResult): string {
  const parts = student.lessons.map(({ lesson, title, points, max, text, state, reference }) => {
    const said = state === 'missing' ? 'Nothing was handed in.' : fenced(text);
    const stood =
      reference.length > 0 ? `The reference stood in for ${reference.join(', ')}.\n\n` : '';
    return `## ${lesson} ${title}: ${points} of ${max}\n\n${stood}${said}\n`;
  });
  const problems = student.problems.map((problem) => `${plain(problem)}\n\n`).join('');
  const heading = `# ${plain(student.name)}: ${student.points} of ${student.max}`;
  return `${heading}\n\n${problems}${parts.join('\n')}`;
}

/** A text as it is, whatever backticks are in it. */
function fenced(text: string): string {
  const longest = Math.max(2, ...Array.from(text.matchAll(/`+/g), ([ticks]) => ticks.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}text\n${text}\n${fence}`;
}

/** Takes a text for what it is, and not for Markdown. */
function plain(text: string): string {
  return text.replace(/[\\`*_[\]<>#|]/g, '\\$&').replace(/\s+/g, ' ');
}

/** Writes a table in Markdown, for the summary of a job. */
export function toSummary(students: readonly StudentResult[]): string {
  const lessons = students[0]?.lessons ?? [];
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`;
  const head = ['student', ...lessons.map(({ lesson }) => lesson), 'points', ''];
  const rows = students.map((student) => [
    plain(student.name),
    ...student.lessons.map(({ points, max }) => `${points}/${max}`),
    `${student.points}/${student.max}`,
    plain(remarks(student).join('; ')),
  ]);
  return [row(head), row(head.map(() => '---')), ...rows.map(row)].join('');
}

/** Writes what GitHub shows beside the lines of a file: what fails, but for what is not written yet. */
export function toAnnotations(students: readonly StudentResult[]): string[] {
  return students.flatMap(({ lessons }) =>
    lessons.flatMap(({ lesson, file = '', steps, typeErrors, refused, broken }) => [
      ...refused.map((it) => annotation(file, it.line, `Lesson ${lesson}`, sayForeign(it))),
      ...(broken ? [annotation(file, 1, `Lesson ${lesson}`, broken.what)] : []),
      ...steps.flatMap(({ number, failure }) =>
        failure && failure.kind !== 'todo'
          ? [
              annotation(
                file,
                lineIn(failure),
                `Lesson ${lesson}, step ${number}`,
                sayFailure(failure),
              ),
            ]
          : [],
      ),
      ...typeErrors.map(({ place, text }) =>
        annotation(file, Number(place.split(':')[1]), `Lesson ${lesson}`, text),
      ),
    ]),
  );
}

/** The line in the student's file that a failure names. */
function lineIn({ facts }: NonNullable<StepOutcome['failure']>): number {
  const places = facts.map(({ value }) => /\.ts:(\d+)/.exec(value)?.[1]);
  return Number(places.find((line) => line !== undefined) ?? 1);
}

function annotation(file: string, line: number, title: string, text: string): string {
  return `::error file=${inCommand(file)},line=${line},title=${inCommand(title)}::${escaped(text)}`;
}

function escaped(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function inCommand(text: string): string {
  return escaped(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}

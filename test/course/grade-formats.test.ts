/** What results look like in other programs, whatever is in them. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LESSONS, ROOT } from '../../shared/course/lessons.ts';
import {
  toAnnotations,
  toCsv,
  toJunit,
  toMarkdown,
  toSummary,
} from '../../shared/grade/formats.ts';
import { readPoints } from '../../shared/grade/points.ts';
import type { LessonResult, StepOutcome, StudentResult } from '../../shared/grade/result.ts';
import { renderTable } from '../../shared/grade/table.ts';
import { widthOf } from '../../shared/view/width.ts';

const step = (number: number, failure?: StepOutcome['failure']): StepOutcome => ({
  number,
  title: `Step <${number}>`,
  section: '5.2',
  passes: failure === undefined,
  points: failure ? 0 : 2,
  max: 2,
  scenarios: { total: 3, passed: failure ? null : 3 },
  ...(failure && { failure }),
  output: '',
});
const RED = {
  kind: 'check',
  what: 'One,\ntwo: 100% "wrong" & \u0007.',
  facts: [{ label: 'thrown at', value: 'lessons/01-handshake/handshake.ts:12' }],
} as const;
const TODO = { kind: 'todo', what: 'Yours to write.', facts: [] } as const;
const lesson = (changes: Partial<LessonResult>): LessonResult => ({
  lesson: '01',
  title: 'Handshake',
  state: 'partly',
  points: 0,
  max: 4,
  steps: [],
  typeErrors: [],
  refused: [],
  reference: [],
  text: '',
  seconds: 1.5,
  key: '',
  ...changes,
});
const student = (name: string, result: LessonResult): StudentResult => ({
  name,
  points: result.points,
  max: result.max,
  lessons: [result],
  problems: [],
});

const half = lesson({ steps: [step(1), step(2, RED)], points: 2, file: 'ada/a,b.ts', text: '```' });
const ADA = student('=ada, "A"', half);
const FOREIGN = { name: 'eval', file: 'lessons/01-handshake/handshake.ts', line: 7 };
const BOB = student('bob|<b>', lesson({ state: 'refused', refused: [FOREIGN], file: 'bob.ts' }));
const CYD = student('cyd', lesson({ state: 'missing' }));
const DAN = student('dan', lesson({ steps: [step(1, TODO)], file: 'dan.ts' }));
const CLASS = [ADA, BOB, CYD];

test('CSV has a row for each, in the columns of all, and no formula', () => {
  expect(toCsv(CLASS).split('\r\n')).toEqual([
    'student,points,max,01,01.1,01.2,remarks',
    '"\'=ada, ""A""",2,4,2,2,0,',
    'bob|<b>,0,4,0,0,0,01 refers to eval',
    'cyd,0,4,0,0,0,',
    '',
  ]);
});

test('JUnit has a case for each step, and one for a lesson that did not run', () => {
  const xml = toJunit(CLASS);
  expect(xml).toContain('<testsuite name="=ada, &quot;A&quot; 01" tests="2" failures="1"');
  expect(xml).toContain('name="01.1 Step &lt;1&gt;"/>');
  expect(xml).toContain(
    '<failure message="One,">One,&#10;two: 100% &quot;wrong&quot; &amp; .&#10;',
  );
  expect(xml).toContain('<failure message="lessons/01-handshake/handshake.ts:7 refers to eval.');
  expect(xml).toContain('<failure message="Nothing was handed in."');
  expect(xml.match(/<testcase /g)).toHaveLength(4);
});

test('GitHub shows what fails where it is, but not what is still to be written', () => {
  expect(toAnnotations([...CLASS, DAN])).toEqual([
    '::error file=ada/a%2Cb.ts,line=12,title=Lesson 01%2C step 2::One,%0Atwo: 100%25 "wrong" & \u0007.%0Athrown at: lessons/01-handshake/handshake.ts:12',
    '::error file=bob.ts,line=7,title=Lesson 01::lessons/01-handshake/handshake.ts:7 refers to eval. To run it all the same: --allow eval',
  ]);
  expect(toSummary(CLASS).split('\n').slice(2, 4)).toEqual([
    '| =ada, "A" | 2/4 | 2/4 |  |',
    '| bob\\|\\<b\\> | 0/4 | 0/4 | 01 refers to eval |',
  ]);
});

test('a report has what the student would have seen, whatever backticks are in it', () => {
  expect(toMarkdown(ADA)).toBe(
    '# =ada, "A": 2 of 4\n\n## 01 Handshake: 2 of 4\n\n````text\n```\n````\n',
  );
  expect(toMarkdown(CYD)).toContain('Nothing was handed in.');
});

test('the table says what there is to see to', () => {
  expect(renderTable(CLASS)).toEqual([
    'student    01       points',
    '=ada, "A"  1/2      2/4',
    'bob|<b>    refused  0/4     01 refers to eval',
    'cyd        –        0/4',
    '',
    '3 students, 0.7 of 4 points on average.',
  ]);
});

test('a row is not wider than the terminal, and says what has no end', () => {
  const what = 'Step 1, “Step 1”, did not come to an end within 20 seconds.';
  const endless = lesson({ steps: [step(1, { ...RED, what }), step(2, RED)] });
  const names = ['x'.repeat(90), '陈'.repeat(30)];
  const problems = ['One of the files is a link, or larger than a lesson can be: it is not read.'];
  const lines = renderTable(
    names.map((name) => ({ ...student(name, endless), problems })),
    80,
  );
  expect(lines.slice(0, 4)).toEqual([
    'student                   01   points',
    `${'x'.repeat(23)}…  0/2  0/4     01: step 1 did not come to an end; One of`,
    `${' '.repeat(39)}the files is a link, or larger than a`,
    `${' '.repeat(39)}lesson can be: it is not read.`,
  ]);
  expect(Math.max(...lines.map(widthOf))).toBeLessThanOrEqual(80);
  expect(renderTable([{ ...student('ada', endless), problems }], 40).slice(1, -1)).toEqual([
    'ada      0/2  0/4',
    '  01: step 1 did not come to an end; One',
    '  of the files is a link, or larger than',
    '  a lesson can be: it is not read.',
  ]);
  expect(renderTable([student('ada', endless)], 40)).toHaveLength(4);
  const dear = { ...student('ada', lesson({})), max: 100_000 };
  expect(renderTable([dear], 20)).toEqual([
    'student  01      points',
    'ada      partly  0/100000',
    '',
  ]);
});

test('what steps are worth is a list for each lesson', () => {
  const folder = mkdtempSync(join(tmpdir(), 'websocket-101-points-'));
  const file = join(folder, 'points.json');
  const points = JSON.parse(readFileSync(join(ROOT, 'points.json'), 'utf8'));
  try {
    writeFileSync(file, JSON.stringify({ ...points, '01': [1, 2, 0.5, 0, 1, 1] }));
    expect(readPoints(file, LESSONS).get(LESSONS[0]!)).toEqual([1, 2, 0.5, 0, 1, 1]);
    for (const list of [[1, 2], [1, 1, 1, 1, 1, -1], [1, 1, 1, 1, 1, '1'], null]) {
      writeFileSync(file, JSON.stringify({ ...points, '01': list }));
      expect(() => readPoints(file, LESSONS)).toThrow('"01" has to be a list of 6 numbers');
    }
    writeFileSync(file, '{');
    expect(() => readPoints(file, LESSONS)).toThrow('cannot be read');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

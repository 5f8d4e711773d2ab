/** What is told at the end of a run: the verdict, the types, and numbers in words. */
import { expect, test } from 'vitest';
import { findTarget } from '../../shared/course/lessons.ts';
import { type Complaint, readComplaints } from '../../shared/course/typecheck.ts';
import type { Failure, StepResult } from '../../shared/harness/facts.ts';
import { explanation, renderRun } from '../../shared/harness/report.ts';
import { utf8 } from '../../shared/kit/frames.ts';
import { count } from '../../shared/view/count.ts';
import { renderHead } from '../../shared/view/wire.ts';

const target = findTarget('03');
const result = { title: 'Numbers', section: '5.2', scenarios: 1, output: '' };
const passed: readonly StepResult[] = [
  { ...result, number: 1 },
  { ...result, number: 2 },
];
const FILE = 'lessons/03-sending-frames/sending.ts';
const complaint: Complaint = { place: `${FILE}:12:14`, text: 'Not a number. (TS2322)' };

/** What is said below the steps. */
function below(results: readonly StepResult[], complaints?: readonly Complaint[]): string {
  return renderRun(target, results, complaints, 80).slice(5).join('\n');
}

test('a lesson is done when its types are right, too', () => {
  expect(below(passed, [])).toMatch(/^All 2 steps pass: lesson 03 is done\./);
  expect(below(passed, [])).toContain(
    '\nCompare  npm run diff 03\nNext     lessons/04-closing/README.md',
  );
  expect(below(passed)).toBe('All 2 steps pass. The types are still being checked.');
  const red = below(passed, [complaint]);
  expect(red).toMatch(/^All 2 steps pass, but the types do not yet\.\n/);
  expect(red).not.toContain('done');
  expect(red).toContain(`One type error in ${FILE}:`);
});

test('a type error has its place, which editors open, and a text of whole words', () => {
  const text = `${'Argument of type string is not assignable. '.repeat(4)}(TS2345)`;
  const lines = below(passed, [complaint, { place: `${FILE}:30:1`, text }]).split('\n');
  expect(lines).toContain(`  ${FILE}:12:14`);
  expect(lines).toContain('    Not a number. (TS2322)');
  expect(lines.filter((line) => line.length > 80)).toEqual([]);
  expect(lines.join(' ').replaceAll(/ +/g, ' ')).toContain(text);
});

test('of many type errors, the first ones are shown', () => {
  const many = Array.from({ length: 30 }, (_, i) => ({
    ...complaint,
    place: `${FILE}:${i + 1}:1`,
  }));
  const said = below(passed, many);
  expect(said).toContain(`30 type errors in ${FILE}:`);
  expect(said).toContain(`${FILE}:1:1`);
  expect(said).not.toContain(`${FILE}:30:1`);
  expect(said).toMatch(/… and \d+ more$/);
});

test('what the compiler writes is read', () => {
  const output = [
    `${FILE}(12,14): error TS2322: Type 'string' is not assignable to type 'number'.`,
    "  Type 'a' is not 'b'.",
    'lessons/01-handshake/handshake.ts(1,1): error TS2322: Elsewhere.',
  ].join('\r\n');
  expect(readComplaints(output, 'lessons/03-sending-frames')).toEqual([
    { place: `${FILE}:12:14`, text: "Type 'string' is not assignable to type 'number'. (TS2322)" },
  ]);
});

test.each([
  [0, 'byte', '0 bytes'],
  [1, 'byte', '1 byte'],
  [1024, 'byte', '1024 bytes'],
  [65536, 'byte', '65,536 bytes'],
  [3_742_000, 'byte', '3,742,000 bytes'],
])('%s of a %s is %s', (number, what, text) => {
  expect(count(number, what)).toBe(text);
});

test('what steps print is shown up to the first that does not pass', () => {
  const failure: Failure = { kind: 'check', what: 'No.', facts: [] };
  const printing = (number: number, failure?: Failure) => {
    return { ...result, number, output: `printed ${number}`, ...(failure && { failure }) };
  };
  const steps = [printing(1), printing(2, failure), printing(3), printing(4, failure)];
  const printed = renderRun(target, steps, [], 80).filter((line) => line.includes('│'));
  expect(printed.map((line) => line.trim())).toEqual(['│ printed 1', '│ printed 2']);
});

test('whoever begins in the middle is told of the step that is begun, and its hints', () => {
  const todo: Failure = { kind: 'todo', what: 'Yours to write.', facts: [['code', 'here']] };
  const step = (number: number, failure: Failure) => ({ ...result, number, failure });
  const told = (kind: Failure['kind']) => {
    const open = [step(3, todo), step(4, { ...todo, kind, what: 'No.' }), step(5, todo)];
    const [rows, few] = [99, 3].map((rows) =>
      renderRun(target, [...passed, ...open], [], 80, rows).join('\n'),
    );
    expect(few).toContain(kind === 'todo' ? 'steps 4–5 to come' : 'steps 1–3, of which 2 pass');
    return /hint 03\.(\d)/.exec(rows!)?.[1];
  };
  expect(told('check')).toBe('4');
  expect(told('crash')).toBe('4');
  expect(told('todo')).toBe('3');
});

test('one is not several', () => {
  const failure: Failure = { kind: 'todo', what: 'Not yet.', facts: [['code', 'here']] };
  const open = { ...result, number: 2, failure };
  const steps = (rows: number, ...results: readonly StepResult[]) =>
    renderRun(target, results, [], 80, rows).join('\n');
  expect(steps(99, ...passed.slice(1), open)).toContain('1 of 2 steps passes.');
  expect(steps(99, ...passed, open)).toContain('2 of 3 steps pass.');
  expect(steps(3, open, passed[1]!, { ...open, number: 3 })).toContain(
    'steps 2–3, of which 1 passes',
  );
  expect(renderHead(utf8('GET / HTTP/1.1\r\n\r\nx')).at(-1)).toBe('(1 byte after the head: "x")');

  const red: Failure = { kind: 'check', what: 'No.', facts: [], scenario: 'three' };
  const five = { ...result, number: 1, scenarios: 5, failure: red };
  const first = (passed: number) => explanation({ ...five, passed }, target, 76)[0];
  expect(first(1)).toBe('1 of 5 scenarios passes. The first that fails: three');
  expect(first(0)).toBe('0 of 5 scenarios pass. The first that fails: three');
});

test.each([
  ['Refuse it.', 'Refuse it.', ['Refuse it.']],
  ['Refuse it: half a code.', 'Refuse it.', ['Refuse it: half a code.']],
  ['Refuse it.', 'Refuse it, and say why.', ['Refuse it, and say why.']],
  ['Refuse it.', 'Say why.', ['Refuse it.', 'Say why.']],
])('%s %s is told once', (scenario, what, told) => {
  const failure: Failure = { kind: 'check', what, facts: [], scenario };
  const lines = explanation({ ...result, number: 1, scenarios: 5, failure }, target, 76);
  const sentences = lines.slice(0, 2).join('\n').replace('The first that fails:', '').trim();
  expect(sentences.split(/\s*\n/)).toEqual(told);
});

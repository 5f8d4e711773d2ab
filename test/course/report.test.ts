/** What is told at the end of a run: the verdict, the types, and numbers in words. */
import { expect, test } from 'vitest';
import { findTarget } from '../../shared/course/lessons.ts';
import { type Complaint, readComplaints } from '../../shared/course/typecheck.ts';
import type { StepResult } from '../../shared/harness/facts.ts';
import { renderRun } from '../../shared/harness/report.ts';

const target = findTarget('03');
const result = { title: 'Numbers', section: '5.2', scenarios: 1, output: '' };
const held: readonly StepResult[] = [
  { ...result, number: 1 },
  { ...result, number: 2 },
];
const FILE = 'lessons/03-sending-frames/sending.ts';
const complaint: Complaint = { place: `${FILE}:12:14`, text: 'Not a number. (TS2322)' };

/** What is said below the steps. */
function below(results: readonly StepResult[], complaints?: readonly Complaint[]): string {
  return renderRun(target, results, complaints, 80).slice(5).join('\n');
}

test('a lesson is done when its types hold, too', () => {
  expect(below(held, [])).toMatch(/^All 2 steps hold: lesson 03 is done\./);
  expect(below(held)).toBe('All 2 steps hold. The types are still being checked.');
  const red = below(held, [complaint]);
  expect(red).toMatch(/^All 2 steps hold, but the types do not yet\.\n/);
  expect(red).not.toContain('done');
  expect(red).toContain(`One type error in ${FILE}:`);
});

test('a type error has its place, which editors open, and a text of whole words', () => {
  const text = `${'Argument of type string is not assignable. '.repeat(4)}(TS2345)`;
  const lines = below(held, [complaint, { place: `${FILE}:30:1`, text }]).split('\n');
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
  const said = below(held, many);
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

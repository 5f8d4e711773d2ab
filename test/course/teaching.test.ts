/** TEACHING.md says what is so: hours, points, and what the checks say of a trap. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { LESSONS, ROOT } from '../../shared/course/lessons.ts';
import { blocksOf } from '../../shared/course/readme.ts';
import { loadSpec } from '../../shared/harness/spec.ts';
import { TRAPS } from '../traps/traps.ts';

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const text = read('TEACHING.md');

/** The cells of each row of the tables, without what is around them. */
const rows = [...text.matchAll(/^\|(.*)\|$/gm)].map(([, row = '']) =>
  row.split('|').map((cell) => cell.trim()),
);

/** Reads hours such as `3¾ h`. */
function hoursIn(cell: string): number {
  const [, whole, part = ''] = /^(\d+)([¼½¾]?) h$/.exec(cell) ?? [];
  return Number(whole) + ({ '¼': 0.25, '½': 0.5, '¾': 0.75 }[part] ?? 0);
}

/** The hours of each lesson, as the README has them. */
const hours = new Map(
  [...read('README.md').matchAll(/^\| (\d\d) .*\| ([^|]*?) +\|$/gm)].map(
    ([, number = '', time = '']) => [number, hoursIn(time)],
  ),
);

test('each lesson takes as long as it says', () => {
  expect([...hours.keys()]).toEqual(LESSONS.map(({ number }) => number));
  for (const { number, name } of LESSONS) {
    const row = rows.find(([first]) => first?.includes(`lessons/${name}/README.md`));
    expect(hoursIn(row?.at(-1) ?? ''), name).toBe(hours.get(number));
  }
});

test('the hours of a plan are those of its lessons', () => {
  const planned = rows.filter(([, lessons, time]) =>
    /^lessons? \d\d.* \d+[¼½¾]? h$/.test(`${lessons} ${time}`),
  );
  expect(planned).toHaveLength(4 + 2 + 1);
  for (const [, lessons = '', time = ''] of planned) {
    const each = (lessons.match(/\d\d/g) ?? []).map((number) => hours.get(number) ?? Number.NaN);
    expect(hoursIn(time), lessons).toBe(each.reduce((sum, it) => sum + it));
  }
});

test('the rubric has points for each step, and the sums are right', async () => {
  let total = 0;
  const [json] = blocksOf(text).filter(({ language }) => language === 'json');
  const file = JSON.parse(json?.code ?? '{}');
  for (const { number, name } of LESSONS) {
    const [, points = '', sum] =
      rows.find(([first, second]) => first === number && /^[\d ]+$/.test(second ?? '')) ?? [];
    const each = points.split(' ').map(Number);
    const { steps } = await loadSpec(name);
    expect(file[number], 'The file for npm run grade has the same').toEqual(each);
    expect(each, `the steps of lesson ${number}`).toHaveLength(steps.length);
    const found = each.reduce((a, b) => a + b);
    expect(sum).toBe(String(found));
    total += found;
  }
  expect(total, 'eighty for the core course, twenty each for those after it').toBe(80 + 4 * 20);
});

/** The traps that are worked out: a heading with a link and a step, and what follows it. */
const worked = [
  ...text.matchAll(
    /^### .*\]\((test\/traps\/.*)\.md#(.*)\), step (\d\d)\.(\d+)\n([\s\S]*?)(?=^##)/gm,
  ),
].map(([, path = '', id = '', number = '', step, section = '']) => {
  return { path, id, number, step: Number(step), section };
});

test('three traps are worked out', () => {
  expect(worked).toHaveLength(3);
});

describe.each(worked)('the trap $id', ({ path, id, number, step, section }) => {
  test('is caught by the step that is named', () => {
    expect(TRAPS[number]?.find((trap) => trap.id === id)?.step).toBe(step);
  });

  test('makes the check say what is quoted', () => {
    const [, said = ''] =
      new RegExp(`^### ${id}\\n([\\s\\S]*?)(?=^##)`, 'm').exec(read(`${path}.md`)) ?? [];
    const quoted = blocksOf(section).filter(({ language }) => language === 'text');
    expect(quoted).toHaveLength(1);
    for (const { code } of quoted) expect(said).toContain(`> ${code}`);
    expect(section).toContain(`npm test solutions/${number}\n`);
  });
});

test('ten questions of students have an answer, and twelve for an exam', () => {
  const [, asked = ''] = /^## What students ask\n([\s\S]*?)(?=^##)/m.exec(text) ?? [];
  expect(asked.match(/^\*\*.*[?.]\*\* /gm)).toHaveLength(10);
  const [, exam = ''] = /^## Exam questions\n([\s\S]*?)(?=^## )/m.exec(text) ?? [];
  const numbers = [...exam.matchAll(/<summary>(\d+)\. /g)].map(([, number]) => Number(number));
  expect(numbers).toEqual(Array.from({ length: 12 }, (_, i) => i + 1));
});

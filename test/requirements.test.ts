import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { LESSONS, ROOT } from '../shared/lessons.ts';
import { loadSpec } from './harness/spec.ts';
import { REQUIREMENTS } from './requirements.ts';

const sections = readFileSync(join(ROOT, 'test/rfc6455-sections.txt'), 'utf8');

test('every rule has a number of its own, and a section that exists', () => {
  const numbers = REQUIREMENTS.map(({ number }) => number);
  expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
  for (const { section } of REQUIREMENTS) expect(sections).toContain(`\n${section} `);
});

describe.each(LESSONS)('lesson $number', (lesson) => {
  test('claims each of its rules, and no other', async () => {
    const spec = await loadSpec(lesson.name);
    const claimed = new Set(spec.steps.flatMap(({ rules }) => rules));
    const own = REQUIREMENTS.filter(({ lessons }) => lessons.includes(lesson.number));
    expect([...claimed].sort((a, b) => a - b)).toEqual(own.map(({ number }) => number));
  });

  test('names sections that exist', async () => {
    const spec = await loadSpec(lesson.name);
    for (const { section } of spec.steps) expect(sections).toContain(`\n${section} `);
  });
});

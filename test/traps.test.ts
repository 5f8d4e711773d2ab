/** What holds for all traps. Each lesson's are made in `test/traps/`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LESSONS, ROOT } from '../shared/lessons.ts';
import { addressOf } from './harness/traps.ts';
import { TRAPS } from './traps.ts';

test('every trap has an id of its own, in words with hyphens', () => {
  const ids = TRAPS.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.filter((id) => !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(id))).toEqual([]);
});

test('every trap belongs to a lesson', () => {
  const numbers = LESSONS.map(({ number }) => number);
  expect(TRAPS.filter(({ lesson }) => !numbers.includes(lesson))).toEqual([]);
});

test('every trap has a story, and a source that exists', () => {
  const sections = readFileSync(join(ROOT, 'test/rfc6455-sections.txt'), 'utf8');
  for (const { id, story, source } of TRAPS) {
    expect(story, id).toMatch(/^\S.*[.]$/);
    const section = /^RFC 6455 §([\d.]+)$/.exec(source)?.[1];
    if (section) expect(sections, id).toContain(`\n${section} `);
    else expect(addressOf(source), `${id}: ${source}`).toMatch(/^https:/);
  }
});

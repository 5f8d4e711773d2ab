/** What is true for all traps. Each lesson's are made in `test/traps/`. */
import { expect, test } from 'vitest';
import { LESSONS } from '../../shared/course/lessons.ts';
import { SECTIONS, sectionsIn } from '../../shared/course/sections.ts';
import { addressOf } from './render.ts';
import { TRAPS } from './traps.ts';

const traps = Object.values(TRAPS).flat();

test('every trap has an id of its own, in words with hyphens', () => {
  const ids = traps.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.filter((id) => !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(id))).toEqual([]);
});

test('every lesson has traps', () => {
  expect(Object.keys(TRAPS).sort()).toEqual(LESSONS.map(({ number }) => number));
});

test('every trap has a story, and a source that exists', () => {
  for (const { id, story, source } of traps) {
    expect(story, id).toMatch(/^\S.*[.]$/);
    if (source.startsWith('RFC')) expect(SECTIONS, id).toContain(sectionsIn(source)[0]);
    else expect(addressOf(source), `${id}: ${source}`).toMatch(/^https:/);
  }
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LESSONS, ROOT } from '../../shared/course/lessons.ts';
import { readSeal } from '../../shared/course/seal.ts';
import { reachableFrom, readImports } from './imports.ts';

/** Where a verdict is made: `npm test`, `npm start`, the process that checks, types, and specs. */
const DECIDING = [
  'shared/globals.d.ts',
  'shared/commands/test.ts',
  'shared/commands/start.ts',
  'shared/commands/grade.ts',
  'shared/harness/child.ts',
  'shared/harness/vitest.ts',
  ...LESSONS.map(({ name }) => `test/specs/${name}.ts`),
];
const sealed = Object.keys(readSeal());

test('the checks are the ones that are written down', () => {
  const written = JSON.parse(readFileSync(join(ROOT, 'shared/course/seal.json'), 'utf8'));
  expect(readSeal(), 'Write them down: npm run seal').toEqual(written);
});

test('everything that decides a verdict is sealed', () => {
  const deciding = [...reachableFrom(DECIDING, readImports())];
  const open = deciding.filter((path) => !path.startsWith('solutions/') && !sealed.includes(path));
  expect(open).toEqual([]);
  expect(sealed).toContain('shared/course/rfc6455-sections.txt');
});

test('a room that decides nothing is not sealed', () => {
  const deciding = reachableFrom(DECIDING, readImports());
  const rooms = new Set(sealed.map((path) => path.split('/').slice(0, 2).join('/')));
  for (const room of rooms) {
    expect(
      [...deciding].filter((path) => path.startsWith(room)),
      room,
    ).not.toEqual([]);
  }
  expect(
    sealed.filter((path) => /^shared\/(serve|bench)|^test\/(?!specs|vectors)/.test(path)),
  ).toEqual([]);
});

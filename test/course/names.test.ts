/** What the sources name has to exist: sections of the standard, and commands. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../../shared/course/lessons.ts';
import { SECTIONS, sectionsIn } from '../../shared/course/sections.ts';

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

/** Every file of the course that is text, but for the READMEs, which have a test of their own. */
const SOURCES = ['shared', 'solutions', 'test', '.ci', '.github'].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/^rfc\d+-sections\.txt$/.test(entry.name))
    .map(({ parentPath, name }) => relative(ROOT, join(parentPath, name)).replaceAll('\\', '/')),
);

const { scripts } = JSON.parse(read('package.json')) as { scripts: object };

/** Finds in all sources what a pattern captures, with the place where it is. */
function findAll(pattern: RegExp): { readonly found: string; readonly place: string }[] {
  return SOURCES.flatMap((path) => {
    const text = read(path);
    return [...text.matchAll(pattern)].map(({ 1: found = '', index }) => ({
      found,
      place: `${path}:${text.slice(0, index).split('\n').length}: ${found}`,
    }));
  });
}

test.each([
  ['in a comment or message', /(.*§\d.*)/g],
  [
    'as the section of an error',
    /\b(?:Protocol|Handshake|Opening)Error\(\s*(?:[\w.]+,\s*)?'((?:RFC )?\d[^'\n]*)'/g,
  ],
  ['as a field', /\bsection: '(\d[\d.]*)'/g],
])('a section that is named %s exists', (_, pattern) => {
  const named = findAll(pattern);
  expect(named.length).toBeGreaterThan(5);
  const unknown = named.filter(({ found }) =>
    (found.includes('§') ? sectionsIn(found) : [found]).some(isUnknown),
  );
  expect(
    unknown.map(({ place }) => place),
    'There is no such section: shared/course/rfc*-sections.txt',
  ).toEqual([]);
});

/** Is it none of the standards that the lessons teach? Of others, nothing is known. */
const isUnknown = (section: string) => !SECTIONS.has(section) && !/^RFC (?!7692)/.test(section);

test('a command that is named exists', () => {
  const named = findAll(/\bnpm run (?:-s )?([a-z][\w:-]*)/g);
  expect(named.length).toBeGreaterThan(5);
  const unknown = named.filter(({ found }) => !(found in scripts)).map(({ place }) => place);
  expect(unknown, 'package.json has no such script').toEqual([]);
});

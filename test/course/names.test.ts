/** What the sources name has to exist: sections of the standard, and commands. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../../shared/course/lessons.ts';

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

/** Every file of the course that is text, but for the READMEs, which have a test of their own. */
const SOURCES = ['shared', 'solutions', 'test', '.ci', '.github'].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== 'rfc6455-sections.txt')
    .map(({ parentPath, name }) => relative(ROOT, join(parentPath, name)).replaceAll('\\', '/')),
);

const sections = new Set(read('shared/harness/rfc6455-sections.txt').match(/^[\d.]+/gm));
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
  ['in a comment or message', /(?<!RFC (?!6455)\d+ )§(\d+(?:\.\d+)*)/g],
  ['as the section of an error', /\b(?:Protocol|Handshake)Error\(\s*[\w.]+,\s*'([\d.]*)'/g],
  ['as a field', /\bsection: '(\d[\d.]*)'/g],
])('a section that is named %s exists', (_, pattern) => {
  const named = findAll(pattern);
  expect(named.length).toBeGreaterThan(5);
  const unknown = named.filter(({ found }) => !sections.has(found)).map(({ place }) => place);
  expect(unknown, 'RFC 6455 has no such section: shared/harness/rfc6455-sections.txt').toEqual([]);
});

test('a command that is named exists', () => {
  const named = findAll(/\bnpm run (?:-s )?([a-z][\w:-]*)/g);
  expect(named.length).toBeGreaterThan(5);
  const unknown = named.filter(({ found }) => !(found in scripts)).map(({ place }) => place);
  expect(unknown, 'package.json has no such script').toEqual([]);
});

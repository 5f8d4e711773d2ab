/** The house has one direction: which room imports from which, and no circle anywhere. CONTRIBUTING.md draws it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../../shared/course/lessons.ts';
import { findCircle, type Imports, readImports } from './imports.ts';

const IN_SHARED = [
  'view',
  'process',
  'course',
  'harness',
  'kit',
  'conformance',
  'bench',
  'serve',
  'drive',
  'cluster',
  'session',
  'grade',
  'handout',
];
const ENGINE = ['shared', ...IN_SHARED.map((room) => `shared/${room}`), 'shared/commands'];

/** What each room may import from. Each uses only rooms that are further up in this list. */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  shared: [],
  solutions: ['shared'],
  'shared/view': ['shared'],
  'shared/process': [],
  'shared/course': ['shared', 'shared/view', 'shared/process'],
  'shared/harness': ['shared', 'shared/view', 'shared/process', 'shared/course'],
  'tests of solutions': ['solutions', 'shared/harness'],
  'shared/kit': ['shared', 'shared/view', 'shared/harness'],
  'shared/conformance': [
    'shared',
    'solutions',
    'shared/view',
    'shared/process',
    'shared/course',
    'shared/kit',
  ],
  'shared/bench': [
    'shared',
    'solutions',
    'shared/view',
    'shared/process',
    'shared/course',
    'shared/kit',
  ],
  'shared/serve': [
    'shared',
    'solutions',
    'shared/view',
    'shared/process',
    'shared/course',
    'shared/harness',
    'shared/kit',
  ],
  'shared/drive': [
    'shared',
    'solutions',
    'shared/view',
    'shared/process',
    'shared/course',
    'shared/kit',
    'shared/serve',
  ],
  'shared/cluster': [
    'solutions',
    'shared/view',
    'shared/process',
    'shared/course',
    'shared/kit',
    'shared/serve',
  ],
  'shared/session': ['shared', 'shared/view', 'shared/process', 'shared/course', 'shared/harness'],
  'shared/grade': ['shared', 'shared/view', 'shared/process', 'shared/course', 'shared/harness'],
  'shared/handout': ['shared/course'],
  'shared/commands': ENGINE,
  'test/vectors': ['shared', 'shared/view', 'shared/course', 'shared/kit'],
  'test/rules': [],
  'test/specs': [...ENGINE, 'solutions', 'test/vectors'],
  'test/traps': [...ENGINE, 'test/rules'],
  'test/alternatives': [...ENGINE, 'solutions', 'test/traps'],
  'test/coverage': [...ENGINE, 'test/rules', 'test/traps'],
  'test/mutation': ENGINE,
  'test/course': [...ENGINE, 'solutions', 'test/vectors', 'test/specs', 'test/rules', 'test/traps'],
};

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

/** The room that a file is in. */
function roomOf(path: string): string {
  const [top = '', folder = '', ...below] = path.split('/');
  if (top !== 'shared' && top !== 'test') {
    return path.endsWith('.test.ts') ? 'tests of solutions' : top;
  }
  return below.length > 0 ? `${top}/${folder}` : top;
}

/** Lists what is imported and may not be, as `file → file`. */
function wrongWays(imports: Imports): string[] {
  return [...imports].flatMap(([path, imported]) => {
    const allowed = [roomOf(path), ...(ROOMS[roomOf(path)] ?? [])];
    return imported
      .filter((other) => !allowed.includes(roomOf(other)))
      .map((other) => `${path} → ${other}`);
  });
}

const imports = readImports();
const withImport = (from: string, to: string) =>
  new Map([...imports, [from, [...(imports.get(from) ?? []), to]]]);

test('each room imports only what it may', () => {
  expect(wrongWays(imports), 'Which rooms may import which: ROOMS').toEqual([]);
});

test('each room stands only on rooms above it in the list', () => {
  const names = Object.keys(ROOMS);
  for (const [i, room] of names.entries()) {
    const lower = (ROOMS[room] ?? []).filter((other) => names.indexOf(other) > i);
    expect(lower, room).toEqual([]);
  }
});

test('no file imports itself, over whatever way', () => {
  expect(findCircle(imports)).toBeUndefined();
});

test('shared has one door to test: specs, by name', () => {
  const doors = [...imports.keys()].filter(
    (path) => path.startsWith('shared/') && /import\([^)]*\btest\//.test(read(path)),
  );
  expect(doors).toEqual(['shared/harness/spec.ts']);
});

test('CONTRIBUTING shows every room', () => {
  const shown = read('CONTRIBUTING.md');
  const hidden = Object.keys(ROOMS).filter((room) => room.includes('/') && !shown.includes(room));
  expect(hidden).toEqual([]);
});

test('nothing is missed: every import is of a file that is there', () => {
  const missing = [...imports].flatMap(([path, imported]) =>
    imported
      .filter((other) => /\.[jt]s$/.test(other) && !imports.has(other))
      .map((other) => [path, other]),
  );
  expect(missing).toEqual([]);
  expect([...imports.values()].flat().length).toBeGreaterThan(500);
});

test('a wrong way and a circle would be seen', () => {
  const wrong = withImport('shared/harness/run.ts', 'test/vectors/accept.ts');
  expect(wrongWays(wrong)).toEqual(['shared/harness/run.ts → test/vectors/accept.ts']);
  const round = withImport('shared/harness/facts.ts', 'shared/harness/show.ts');
  expect(findCircle(round)).toEqual(expect.arrayContaining(['shared/harness/facts.ts']));
});

/** Nothing is so long that it cannot be read at once. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAst } from 'rolldown/parseAst';
import { expect, test } from 'vitest';
import { ROOT } from '../../shared/course/lessons.ts';
import { listSources } from './imports.ts';

/** The longest function, in lines. A `describe` is a list of tests, and not one. */
const MAX_LINES = 50;
/** The longest file, in lines. */
const MAX_FILE_LINES = 700;
const MAX_LESSON_LINES = 1800;
/** A lesson is one file, and these have layers: a core, a socket, many connections or the class. */
const LONG_LESSON =
  /^(solutions|test\/alternatives)\/(05-server|06-client|07-compression|08-speed|09-production)\//;
/** What grows with the course and is looked things up in, entry by entry. */
const DATA = /^test\/(traps\/\d\d-[\w-]+|rules\/requirements|mutation\/survivors)\.ts$/;
/** Where a function stands for a class, with functions for its methods. */
const MAKERS = /^test\/alternatives\/09-production\/closures(\/|\.ts$)/;

const sources = listSources('solutions', 'shared', 'test').map(
  (path) => [path, readFileSync(join(ROOT, path), 'utf8')] as const,
);

test('no function is longer than it has to be', () => {
  const long = sources.flatMap(([path, source]) =>
    longFunctions(source).map((place) => `${path}: ${place}`),
  );
  expect(long.filter((place) => !MAKERS.test(place.split(':')[0]!))).toEqual([]);
});

test('no file is longer than it has to be, but data', () => {
  const long = sources.filter(
    ([path, source]) =>
      linesOf(source) > (LONG_LESSON.test(path) ? MAX_LESSON_LINES : MAX_FILE_LINES),
  );
  expect(long.map(([path]) => path).filter((path) => !DATA.test(path))).toEqual([]);
});

test('a long function is found wherever it is', () => {
  const lines = (count: number) => '\n'.repeat(count - 1);
  const long = lines(MAX_LINES + 1);
  expect(longFunctions(`function short() {${lines(MAX_LINES)}}`)).toEqual([]);
  expect(longFunctions(`\nfunction long() {${long}}`)).toEqual(['line 2 has 51 lines']);
  expect(longFunctions(`const list = [{ check: () => {${long}} }];`)).toHaveLength(1);
  expect(longFunctions(`class Peer { hear() {${long}} }`)).toHaveLength(1);
  expect(longFunctions(`test('a test', () => {${long}});`)).toHaveLength(1);
  expect(longFunctions(`describe('tests', () => {${long}});`)).toEqual([]);
  expect(longFunctions(`describe.skipIf(true)('tests', () => {${long}});`)).toEqual([]);
  expect(longFunctions(`const list = [${long}];`)).toEqual([]);
});

function linesOf(text: string): number {
  return text.split('\n').length;
}

/** Finds the functions that are longer than `MAX_LINES`: where each begins, and how long it is. */
function longFunctions(source: string): string[] {
  return functionsIn(parseAst(source, { lang: 'ts' })).flatMap(({ start, end }) => {
    const length = linesOf(source.slice(start, end));
    return length > MAX_LINES
      ? [`line ${linesOf(source.slice(0, start))} has ${length} lines`]
      : [];
  });
}

/** A part of a syntax tree. */
interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
}

function functionsIn(value: unknown): Node[] {
  if (value === null || typeof value !== 'object') return [];
  const node = value as Partial<Node> & { callee?: object; arguments?: readonly object[] };
  if (node.type === 'CallExpression' && isDescribe(node.callee)) {
    return (node.arguments ?? []).flatMap((argument) =>
      Object.values(argument).flatMap(functionsIn),
    );
  }
  const inner = Object.values(value).flatMap(functionsIn);
  return /^(Function|ArrowFunction)/.test(node.type ?? '') ? [node as Node, ...inner] : inner;
}

/** Whether what is called is `describe`, or `describe.each(…)` and the like. */
function isDescribe(callee: object | undefined): boolean {
  if (callee === undefined) return false;
  const { name, object, callee: called } = callee as Record<string, unknown>;
  if (typeof name === 'string') return name === 'describe' || name === 'withBrowser';
  return isDescribe((object ?? called) as object | undefined);
}

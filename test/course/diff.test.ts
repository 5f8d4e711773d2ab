import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { confirm } from '../../shared/commands/ask.ts';
import { renderDiff } from '../../shared/course/diff.ts';
import { fileOf, LESSONS, ROOT } from '../../shared/course/lessons.ts';
import { pairsOf } from '../../shared/course/pairs.ts';
import { partsOf } from '../../shared/course/parts.ts';
import { drawRows, hunksOf, rowsOf } from '../../shared/view/diff.ts';

/** Makes a text out of letters, one on each line. */
const lettersOf = (letters: string) => [...letters].map((letter) => `${letter}\n`).join('');

describe('the lines of a diff', () => {
  const diff = (before: string, after: string) =>
    hunksOf(lettersOf(before), lettersOf(after)).flatMap(({ lines }) => lines);

  test.each([
    ['abc', 'axc', [' a', '-b', '+x', ' c']],
    ['', 'ab', ['+a', '+b']],
    ['ab', '', ['-a', '-b']],
    ['abcd', 'bcde', ['-a', ' b', ' c', ' d', '+e']],
    ['aab', 'ab', [' a', '-a', ' b']],
    ['', '', []],
  ])('%j against %j', (before, after, expected) => {
    const lines = diff(before, after);
    expect(lines.toSorted()).toEqual(expected.toSorted());
    const side = (mark: string) =>
      lines.filter((line) => line[0] === ' ' || line[0] === mark).map((line) => line[1]);
    expect(side('-').join('')).toBe(before);
    expect(side('+').join('')).toBe(after);
  });

  test('near changes share a hunk, with three lines around, and far ones do not', () => {
    const headers = (before: string, after: string) =>
      hunksOf(lettersOf(before), lettersOf(after)).map(({ header }) => header);
    expect(headers('abcdefghijklmnop', 'abcdeXghijklmnop')).toEqual(['@@ -3,7 +3,7 @@']);
    expect(headers('abcdefghijklmnop', 'aXcdefghYjklmnop')).toEqual(['@@ -1,12 +1,12 @@']);
    expect(headers('abcdefghijklmnop', 'aXcdefghijkYmnop')).toEqual([
      '@@ -1,5 +1,5 @@',
      '@@ -9,7 +9,7 @@',
    ]);
    expect(headers('abcdefgh', 'abcdefghij')).toEqual(['@@ -6,3 +6,5 @@']);
    expect(headers('', 'ab')).toEqual(['@@ -0,0 +1,2 @@']);
    expect(headers('abc', 'abc')).toEqual([]);
  });

  test('the end of the last line is no difference', () => {
    expect(hunksOf('a\nb', 'a\nb\n')).toEqual([]);
    expect(hunksOf('a\nb', 'a').flatMap(({ lines }) => lines)).toEqual([' a', '-b']);
  });
});

describe('the parts of a source', () => {
  const SOURCE = `import { a } from './a.ts';
/** Twice. */
export function twice(number: number): number {
  // So it is.
  return number * 2;
}
type Pair = [number, number];
const LIMIT = 5;
export class Queue {
  readonly #items: number[] = [];
  #taken = 0;
  /** The next. */
  next(): number | undefined {
    return this.#items[this.#taken++];
  }
  get size() {
    return this.#items.length;
  }
  readonly clear = () => this.#items.splice(0);
}
`;

  test('are functions, values, methods and fields, with their lines', () => {
    const parts = partsOf(SOURCE);
    expect(parts.map(({ name, line }) => [name, line])).toEqual([
      ['twice', 3],
      ['LIMIT', 8],
      ['Queue', 10],
      ['Queue.next', 13],
      ['get Queue.size', 16],
      ['Queue.clear', 19],
    ]);
    expect(parts[2]?.lines).toEqual(['readonly #items: number[] = [];', '#taken = 0;']);
    expect(parts[3]?.lines).toEqual([
      'next(): number | undefined {',
      '  return this.#items[this.#taken++];',
      '}',
    ]);
  });

  test('a source that does not parse has none', () => {
    expect(() => partsOf('export function (\n')).toThrow();
  });

  const meaningOf = (source: string) => partsOf(source).map(({ meaning }) => meaning);

  test.each([
    [
      'layout and comments',
      'function f() { return 1; }',
      'function f() {\n  // One.\n  return 1\n}',
    ],
    ['quotes', "const s = 'a';", 'const s = `a`;'],
    [
      'names of parameters and variables',
      'function f(a) { const b = a; return b; }',
      'function f(x) { let y = x; return y; }',
    ],
    ['names taken apart', 'function f({ a }) { return a; }', 'function f({ a: x }) { return x; }'],
    [
      'types',
      'function f(a) { return a; }',
      'export function f(a: number): number { return a! as number; }',
    ],
    ['an arrow', 'function f(a) { return a; }', 'const f = (a) => a;'],
    [
      'braces',
      'function f() { if (a) return 1; return 2; }',
      'function f() { if (a) { return 1; } return 2; }',
    ],
    ['numbers', 'const n = 128;', 'const n = 0x80;'],
    [
      'the wording of an error',
      "function f() { throw new MyError(1002, '5.2', 'Bad bits.'); }",
      'function f() { throw new MyError(1002, "5.2", `Wrong.`); }',
    ],
  ])('mean the same but for %s', (_, one, other) => {
    expect(meaningOf(one)).toEqual(meaningOf(other));
  });

  test.each([
    ['an operator', 'function f(a) { return a < 1; }', 'function f(a) { return a <= 1; }'],
    [
      'the order of parameters',
      'function f(a, b) { return a - b; }',
      'function f(a, b) { return b - a; }',
    ],
    ['a field', 'class A { f() { return this.#a; } }', 'class A { f() { return this.#b; } }'],
    [
      'a private field',
      'class A { get a() { return this.#a; } }',
      'class A { get a() { return this.a; } }',
    ],
    ['a property', 'function f(a) { return a.b; }', 'function f(a) { return a.c; }'],
    ['a key', 'function f({ a }) { return a; }', 'function f({ b }) { return b; }'],
    ['what is called', 'function f(a) { return g(a); }', 'function f(a) { return h(a); }'],
    ['an optional call', 'function f(a) { return a?.b; }', 'function f(a) { return a.b; }'],
    [
      'a section',
      "function f() { throw new AnError(1002, '5.2'); }",
      "function f() { throw new AnError(1002, '5.1'); }",
    ],
    ['a bigint', 'const n = 1n;', 'const n = 2n;'],
    ['a pattern', 'const p = /a/;', 'const p = /a/i;'],
    ['async', 'async function f() {}', 'function f() {}'],
    ['static or not', 'class A { static x = 1; }', 'class A { x = 1; }'],
  ])('do not for %s', (_, one, other) => {
    expect(meaningOf(one)).not.toEqual(meaningOf(other));
  });

  test.each(LESSONS)(
    'the solution of $number is the same as itself, and all of it is there',
    (lesson) => {
      const source = readFileSync(join(ROOT, fileOf({ side: 'solutions', lesson })), 'utf8');
      const parts = partsOf(source);
      expect(new Set(parts.map(({ name }) => name)).size).toBe(parts.length);
      const functions = [...source.matchAll(/^(?:export )?function (\w+)/gm)].map(
        ([, name]) => name,
      );
      expect(parts.map(({ name }) => name)).toEqual(expect.arrayContaining(functions));
    },
  );
});

describe('the parts of two sources', () => {
  /** Pairs them. Returns the names on both sides, and whether they mean the same. */
  const pair = (yours: string, reference: string) =>
    pairsOf(partsOf(yours), partsOf(reference)).map((both) => [
      both.yours?.name,
      both.reference?.name,
      both.isSame,
    ]);

  test.each([
    [
      'a table and its use',
      'const A = { b: 1 }; f = () => A.b;',
      'const T = { b: 1 }; f = () => T.b;',
    ],
    [
      'a function that calls another',
      'function f() { return g(1); } function g(a) { return h(a); } function h(a) { return a; }',
      'function f() { return i(1); } function i(a) { return j(a); } function j(b) { return b; }',
    ],
    [
      'private members',
      'export class A { #b = 1; #c() { return this.#b; } d() { return this.#c(); } }',
      'export class A { #x = 1; #y() { return this.#x; } d() { return this.#y(); } }',
    ],
    [
      'how a member is private',
      'export class A { private b = 1; private c() { return this.b; } d() { return this.c(); } }',
      'export class A { #x = 1; #y() { return this.#x; } d() { return this.#y(); } }',
    ],
    [
      'a class with its members',
      'class A { #b = 1; get c() { return this.#b; } } export const f = () => new A().c;',
      'class X { #y = 1; get c() { return this.#y; } } export const f = () => new X().c;',
    ],
    [
      'the order of fields',
      'class A { #b = 1; #c; d() { return this.#b; } }',
      'class A { #c; #b = 1; d() { return this.#b; } }',
    ],
  ])('are the same when only names differ: %s', (_, yours, reference) => {
    for (const [mine, theirs, isSame] of pair(yours, reference)) {
      expect([mine, theirs, isSame]).toEqual([expect.any(String), expect.any(String), true]);
    }
  });

  test('are paired when other names are used alike, and still compared', () => {
    expect(
      pair('const A = 1; function f() { return A; }', 'const B = 2; function f() { return B; }'),
    ).toEqual([
      ['A', 'B', false],
      ['f', 'f', true],
    ]);
  });

  test('are not the same when one name is two in the other', () => {
    const [one, two] = ['function f() { return A - A; }', 'function f() { return B - C; }'];
    expect(pair(`const A = 1; ${one}`, `const B = 1; const C = 1; ${two}`)).toContainEqual([
      'f',
      'f',
      false,
    ]);
    expect(pair(`const B = 1; const C = 1; ${two}`, `const A = 1; ${one}`)).toContainEqual([
      'f',
      'f',
      false,
    ]);
  });

  test('are not the same when a name has another use', () => {
    const using = (name: string, value: string) =>
      `const A = ${value}; const B = ${value}; function f() { return ${name}; }`;
    const same = pair(using('A', '1'), using('B', '[1]'));
    expect(same.map(([, , isSame]) => isSame)).toEqual([false, false, false]);
  });

  test('are the same by the first other name that is found, not by a second', () => {
    const using = (one: string, two: string) =>
      `function f() { return ${one}; } function g() { return -${two}; }`;
    const same = pair(
      `const A = 1; ${using('A', 'A')}`,
      `const B = 1; const C = 1; ${using('B', 'C')}`,
    );
    expect(same.slice(2).map(([, , isSame]) => isSame)).toEqual([true, false]);
  });

  test('are left alone where the other file has nothing like them', () => {
    expect(pair('const A = 1; class B { c() {} }', 'const D = "d"; class B { e() {} }')).toEqual([
      [undefined, 'D', false],
      [undefined, 'B.e', false],
      ['A', undefined, false],
      ['B.c', undefined, false],
    ]);
  });
});

describe('two parts beside each other', () => {
  const mine = ['function f() {', '  let a = "x"', '  return a', '}'];
  const theirs = ['function f() {', "  let a = 'x';", '  g();', '  return a;', '}'];

  test('are one text with marks, where they are alike', () => {
    expect(drawRows(rowsOf(mine, theirs), 80)).toEqual([
      '  function f() {',
      "    let a = 'x';",
      '+   g();',
      '    return a;',
      '  }',
    ]);
  });

  test('are one above the other, where they are not', () => {
    expect(drawRows(rowsOf(['a', '}'], ['b', 'c', 'd', 'e', 'f', '}']), 80)).toEqual([
      '- a',
      '- }',
      ...['b', 'c', 'd', 'e', 'f', '}'].map((line) => `+ ${line}`),
    ]);
  });

  test('are side by side where there is room, and no line is too wide', () => {
    const lines = drawRows(rowsOf(mine, [...theirs, `// ${'word '.repeat(30)}`]), 140);
    expect(lines[0]).toBe(`${'  function f() {'.padEnd(68)} │   function f() {`);
    expect(lines[2]).toBe(`${' '.repeat(68)} │ +   g();`);
    for (const width of [50, 80, 129, 130, 200]) {
      const drawn = drawRows(rowsOf(mine, [...theirs, `// ${'word '.repeat(50)}`]), width);
      for (const line of drawn) expect(line.length).toBeLessThanOrEqual(width);
    }
    expect(drawRows(rowsOf(['x'.repeat(300)], []), Number.POSITIVE_INFINITY)).toEqual([
      `- ${'x'.repeat(300)}`,
    ]);
  });
});

test.each([60, 80, 150])('no line of a lesson is wider than %i columns', (width) => {
  for (const lesson of LESSONS) {
    for (const line of renderDiff(lesson, width))
      expect(line.length, line).toBeLessThanOrEqual(width);
  }
});

describe('a question', () => {
  test.each([
    ['y\n', true],
    ['Yes\r\n', true],
    ['\n', false],
    ['n\n', false],
    ['yesterday\n', false],
    ['', false],
  ])('%j is %j', async (typed, expected) => {
    const [input, output] = [new PassThrough(), new PassThrough()];
    const answer = confirm('Really?', input, output);
    input.end(typed);
    expect(await answer).toBe(expected);
    // At the end of the input, readline ends the line in some versions of Node, in others not.
    const asked = String(output.read());
    expect(typed === '' ? asked.trimEnd() : asked).toBe(
      typed === '' ? 'Really? [y/N]' : 'Really? [y/N] ',
    );
  });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { confirm } from '../../shared/commands/ask.ts';
import { renderDiff } from '../../shared/course/diff.ts';
import { fileOf, LESSONS, ROOT } from '../../shared/course/lessons.ts';
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

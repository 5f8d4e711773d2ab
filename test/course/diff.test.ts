import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { confirm } from '../../shared/commands/ask.ts';
import { hunksOf } from '../../shared/view/diff.ts';

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

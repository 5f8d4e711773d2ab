/** Text in a terminal takes columns, and those are not the units of a JavaScript string. */
import { stripVTControlCharacters } from 'node:util';
import { Chalk } from 'chalk';
import { describe, expect, test } from 'vitest';
import { labelTable } from '../../shared/view/table.ts';
import { clip, pad, widthOf } from '../../shared/view/width.ts';
import { wrap } from '../../shared/view/wrap.ts';

const { red, bold } = new Chalk({ level: 1 });
const WORLD = '你好，世界';

test.each([
  ['plain ASCII', 11],
  ['Größe …', 7],
  [WORLD, 10],
  ['👩‍🚀 é', 4],
  [red('red'), 3],
  [`${red('你')}${bold('好')}`, 4],
])('%j is %i columns wide', (text, width) => {
  expect(widthOf(text)).toBe(width);
});

test('a text is filled up to the same column, whatever it consists of', () => {
  for (const text of ['abcd', '你好', red('abcd'), 'ab…d']) {
    expect(pad(text, 6)).toBe(`${text}  `);
    expect(pad(text, 3)).toBe(text);
  }
});

test('a text is cut between characters, and keeps its colour', () => {
  expect(clip('abcdef', 6)).toBe('abcdef');
  expect(clip('abcdefg', 6)).toBe('abcde…');
  expect(clip(WORLD, 10)).toBe(WORLD);
  expect(clip(WORLD, 9)).toBe('你好，世…');
  expect(clip(WORLD, 8)).toBe('你好，…');
  expect(clip(red('abc'), 3)).toBe(red('abc'));
  expect(stripVTControlCharacters(clip(red('abcd'), 3))).toBe('ab…');
});

describe('lines are broken', () => {
  test('in words that are too long for a line', () => {
    expect(wrap('abcdefgh ij', 5)).toEqual(['abcde', 'fgh', 'ij']);
    expect(wrap('    abcdefgh', 6, '      ')).toEqual(['    ab', '   cde', '   fgh']);
    expect(wrap('a b\n\nc', 3)).toEqual(['a b', '', 'c']);
  });

  test('between the folders of a path, and not in a name', () => {
    const path = 'lessons/03-sending-frames/helpers.ts';
    for (const width of [26, 30, 35]) {
      expect(wrap(`see ${path}`, width)).toEqual([
        'see',
        'lessons/03-sending-frames/',
        'helpers.ts',
      ]);
    }
    expect(wrap(path, 36)).toEqual([path]);
    expect(wrap('/abcdefgh', 5)).toEqual(['/', 'abcde', 'fgh']);
  });

  test('before a command, and not in one that fits into a line', () => {
    const text = 'Or take the reference, and keep yours: npm run reset 01 -- --solution.';
    for (const width of [32, 45, 60, 69]) {
      const lines = wrap(text, width);
      expect(lines.at(-1)).toMatch(/^(and keep yours: )?npm run reset 01 -- --solution\.$/);
      expect(lines.join(' ')).toBe(text);
    }
    expect(wrap(text, 20).slice(-2)).toEqual(['npm run reset 01 --', '--solution.']);
    for (const command of ['npm test lessons/02', 'git checkout -- test/a.ts', 'npm run diff 02']) {
      const lines = wrap(`You can also say ${command} here`, 26);
      expect(lines[1]).toMatch(new RegExp(`^${command}( here)?$`));
    }
    // What follows isn't part of it.
    const lines = ['Type npm test lessons/02 and', 'wait'];
    expect(wrap(lines.join(' '), 28)).toEqual(lines);
  });

  test('where the terminal is full, not where the string is long', () => {
    expect(wrap(WORLD, 10)).toEqual([WORLD]);
    expect(wrap(WORLD, 9)).toEqual(['你好，世', '界']);
    expect(wrap(`send ${WORLD} now`, 12, '  ')).toEqual(['send', `  ${WORLD}`, '  now']);
    expect(wrap('👩‍🚀👩‍🚀👩‍🚀', 5)).toEqual(['👩‍🚀👩‍🚀', '👩‍🚀']);
    expect(wrap('你好', 1)).toEqual(['你', '好']);
  });

  test.each([4, 7, 11, 30])(
    'at the same places with colours as without, at %i columns',
    (width) => {
      const text = (colour: (part: string) => string) =>
        `${colour('✗')} lesson ${colour('02')} does ${colour('not')} pass`;
      const lines = wrap(text(red), width, ' ').map(stripVTControlCharacters);
      expect(lines).toEqual(wrap(text(String), width, ' '));
    },
  );
});

test('a table has its texts at the same column', () => {
  const rows = [
    ['wanted', 'one two'],
    [WORLD, 'three'],
    [red('got'), '四五六'],
  ] as const;
  expect(labelTable(rows, 18)).toEqual([
    'wanted      one',
    '            two',
    `${WORLD}  three`,
    `${red('got')}         四五六`,
  ]);
  expect(labelTable([['a', 'b c']], 8, 4)).toEqual(['a   b c']);
});

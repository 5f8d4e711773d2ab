/** What a terminal sends, and the keys that it means. */
import { expect, test } from 'vitest';
import { CTRL_C, DOWN, END, HOME, Keyboard, UP } from '../../shared/session/keys.ts';

/** What the keyboard makes of reads, one after the other. */
function keysOf(...reads: readonly string[]): string[] {
  const keyboard = new Keyboard();
  return reads.flatMap((text) => keyboard.read(text));
}

test('a key is a character, or the characters that a terminal sends for it', () => {
  expect(keysOf('h', UP, DOWN, CTRL_C)).toEqual(['h', UP, DOWN, CTRL_C]);
  expect(keysOf(`${UP}${UP}${DOWN}`)).toEqual([UP, UP, DOWN]);
  expect(keysOf('jjj')).toEqual(['j', 'j', 'j']);
});

test('Home, End and the arrows are the same on every terminal', () => {
  expect(keysOf('\u001b[H', '\u001bOH', '\u001b[1~', '\u001b[7~')).toEqual(Array(4).fill(HOME));
  expect(keysOf('\u001b[F', '\u001bOF', '\u001b[4~', '\u001b[8~')).toEqual(Array(4).fill(END));
  expect(keysOf('\u001bOA', '\u001bOB')).toEqual([UP, DOWN]);
});

test('a paste is no keys, however it is cut', () => {
  const paste = '\u001b[200~fairy tale\nyes\u001b[201~';
  expect(keysOf('h', paste, 'q')).toEqual(['h', 'q']);
  for (let cut = '\u001b[200~'.length; cut < paste.length; cut++) {
    expect(keysOf(paste.slice(0, cut), paste.slice(cut), 'q'), `cut at ${cut}`).toEqual(['q']);
  }
  expect(keysOf(...[paste.slice(0, 6), ...paste.slice(6)], 'q')).toEqual(['q']);
  expect(keysOf(paste + paste, 'q')).toEqual(['q']);
});

test('nor is one that the terminal does not mark', () => {
  expect(keysOf('fairy tale')).toEqual([]);
  expect(keysOf('y\r')).toEqual([]);
  expect(keysOf('你好')).toEqual([]);
});

test('Ctrl-C is always a key', () => {
  expect(keysOf(`ry${CTRL_C}`)).toEqual([CTRL_C]);
  expect(keysOf('\u001b[200~never ends', CTRL_C)).toEqual([CTRL_C]);
});

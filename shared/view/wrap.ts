import { stripVTControlCharacters } from 'node:util';
import { fitting } from './width.ts';

/**
 * Breaks text into lines of at most `width` columns: at spaces, or behind a slash where there
 * are none. Lines that go on with a broken one start with `indent`.
 */
export function wrap(text: string, width: number, indent = ''): string[] {
  return text.split('\n').flatMap((line) => wrapLine(line, width, indent.slice(0, width >> 1)));
}

function wrapLine(line: string, width: number, indent: string): string[] {
  const lines: string[] = [];
  let [start, rest] = ['', line];
  let fits = fitting(rest, width);
  while (fits < rest.length) {
    const space = rest.lastIndexOf(' ', fits);
    const hasWord = stripVTControlCharacters(rest.slice(0, space + 1)).trim() !== '';
    // A word that is too long is broken, a path between its folders.
    const cut = hasWord ? space : rest.lastIndexOf('/', fits - 1) + 1 || fits;
    lines.push(start + rest.slice(0, cut).trimEnd());
    start = indent;
    rest = rest.slice(cut).trimStart();
    fits = fitting(rest, width - start.length);
  }
  return [...lines, start + rest];
}

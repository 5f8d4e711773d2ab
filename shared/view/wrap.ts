import { stripVTControlCharacters } from 'node:util';
import { fitting } from './width.ts';

/** A command in a text, with what is typed behind it: somebody will copy it as a whole. */
const COMMAND =
  /\b(?:npm (?:test|start|ci|run (?:-s )?[\w-]+)|git checkout)(?: (?:-[\w-]+|--|[\w./-]*[\d/][\w./-]*))*/g;
/** Stands for a space inside of a command. No text has it. */
const GLUE = '\ue000';

/**
 * Breaks text into lines of at most `width` columns: at spaces, but not in a command that fits
 * into a line, or behind a slash where there are none. Lines that go on with a broken one start
 * with `indent`.
 */
export function wrap(text: string, width: number, indent = ''): string[] {
  const glued = text.replace(COMMAND, (command) => command.replaceAll(' ', GLUE));
  return glued
    .split('\n')
    .flatMap((line) => wrapLine(line, width, indent.slice(0, width >> 1)))
    .map((line) => line.replaceAll(GLUE, ' '));
}

function wrapLine(line: string, width: number, indent: string): string[] {
  const lines: string[] = [];
  let [start, rest] = ['', line];
  let fits = fitting(rest, width);
  while (fits < rest.length) {
    const cut = findBreak(rest, fits);
    lines.push(start + rest.slice(0, cut).trimEnd());
    start = indent;
    rest = rest.slice(cut).replace(/^[\s\ue000]+/, '');
    fits = fitting(rest, width - start.length);
  }
  return [...lines, start + rest];
}

/** Finds where to break a line of which only so much fits. */
function findBreak(line: string, fits: number): number {
  for (const gap of [' ', GLUE]) {
    const at = line.lastIndexOf(gap, fits);
    if (stripVTControlCharacters(line.slice(0, at + 1)).trim() !== '') return at;
  }
  // A word that is too long is broken, a path between its folders.
  return line.lastIndexOf('/', fits - 1) + 1 || fits;
}

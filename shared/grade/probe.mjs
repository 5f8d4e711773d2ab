// @ts-check
/**
 * Reads sources before anybody else does: one that is nested without end takes the process of its
 * parser with it. Gets them as JSON on standard input, and writes a `y` or `n` for each.
 */
import { readFileSync, writeSync } from 'node:fs';
import { parseSync } from 'rolldown/utils';
import { toJavaScript } from '../process/translate.mjs';

/** How deep the syntax tree of a source may be. That of a lesson is less than a tenth of it. */
const MAX_LEVELS = 1000;

for (const source of JSON.parse(readFileSync(0, 'utf8'))) {
  writeSync(1, isReadable(source) ? 'y' : 'n');
}

/** @param {string} source */
function isReadable(source) {
  if (levelsOf(parseSync('lesson.ts', source).program) > MAX_LEVELS) return false;
  try {
    toJavaScript('lesson.ts', source, true);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return true;
}

/** @param {object} tree */
function levelsOf(tree) {
  let levels = 0;
  for (let level = [tree]; level.length > 0; levels++) {
    level = level.flatMap((node) =>
      Object.values(node).filter((it) => typeof it === 'object' && it !== null),
    );
  }
  return levels;
}

/**
 * The first thing that `npm start` does, long before TypeScript can be loaded: it says what is
 * being checked, and keeps the keys that are pressed meanwhile from being echoed. So it is
 * JavaScript, and imports nothing of ours.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

const LESSONS = join(import.meta.dirname, '..', '..', 'lessons');
const names = readdirSync(LESSONS)
  .filter((name) => /^\d\d-/.test(name))
  .sort();

/**
 * Finds the lesson to go on with: of those whose step 1 is written, the one that was saved last,
 * and the first of all where nothing is written yet.
 *
 * @returns {string} the name of its folder, such as `02-reading-frames`
 */
export function lastSaved() {
  return names.reduce((last, name) => (savedMs(name) > savedMs(last) ? name : last));
}

/** When a lesson was saved, in milliseconds. 0: it is not begun, or cannot be read. */
function savedMs(name) {
  const file = join(LESSONS, fileOf(name));
  try {
    const isBegun = !readFileSync(file, 'utf8').includes(`new Todo('${numberOf(name)}.1')`);
    return isBegun ? statSync(file).mtimeMs : 0;
  } catch {
    return 0;
  }
}

function numberOf(name) {
  return name.slice(0, 2);
}

/** The file of a lesson is called as its test is. */
function fileOf(name) {
  const test = readdirSync(join(LESSONS, name)).find((file) => file.endsWith('.test.ts'));
  return `${name}/${test?.replace('.test', '')}`;
}

const { argv, stdin, stdout } = process;
const named = argv[2];
const lesson =
  named === undefined
    ? lastSaved()
    : names.find((name) => Number(numberOf(name)) === Number(named));
if (lesson && stdin.isTTY && stdout.isTTY) {
  stdin.setRawMode(true);
  stdout.write(`Checking lessons/${fileOf(lesson)} …\n`);
}

/**
 * The first thing that `npm start` does, long before TypeScript can be loaded: it says what is
 * being checked, and keeps the keys that are pressed meanwhile from being echoed. So it is
 * JavaScript, and imports nothing of ours.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

const LESSONS = join(import.meta.dirname, '..', '..', 'lessons');

/**
 * Finds the lesson to go on with: of those whose step 1 is written, the one that was saved last,
 * and the first of all where nothing is written yet.
 *
 * @returns {string} the name of its folder, such as `02-reading-frames`
 */
export function lastSaved() {
  const [first = '', ...others] = readdirSync(LESSONS)
    .filter((name) => /^\d\d-/.test(name))
    .sort();
  const savedMs = (name) => {
    const file = join(LESSONS, fileOf(name));
    if (!existsSync(file)) return 0;
    const isBegun = !readFileSync(file, 'utf8').includes(`new Todo('${name.slice(0, 2)}.1')`);
    return isBegun ? statSync(file).mtimeMs : 0;
  };
  return others.reduce((last, name) => (savedMs(name) > savedMs(last) ? name : last), first);
}

/** The file of a lesson is called as its test is. */
function fileOf(name) {
  const test = readdirSync(join(LESSONS, name)).find((file) => file.endsWith('.test.ts'));
  return join(name, (test ?? '').replace('.test', ''));
}

const { argv, stdin, stdout } = process;
if (argv[2] === undefined && stdin.isTTY && stdout.isTTY) {
  stdin.setRawMode(true);
  stdout.write(`Checking lessons/${fileOf(lastSaved()).replaceAll('\\', '/')} …\n`);
}

import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { variants } from './test/traps/variants.ts';

/** What starts processes of its own, or a browser, or waits for long. The longest come first. */
const THOROUGH = [
  'misbehaviour',
  'commands',
  'session',
  'page',
  'conformance',
  'tools',
  'serve-command',
  'stress',
  'upkeep',
].map((name) => `test/course/${name}.test.ts`);

const LONG = ['05-server', '02-reading-frames']
  .map((name) => `test/traps/${name}.test.ts`)
  .concat(THOROUGH);

/** Starts the longest files first, so that no other waits for them in the end. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const at = LONG.findIndex((path) => moduleId.endsWith(path));
      return at === -1 ? files.length : at;
    };
    return files.toSorted((a, b) => rank(a) - rank(b));
  }
}

/** A guard against hanging, not a bound on speed. */
const testTimeout = 180_000;

export default defineConfig({
  test: {
    // Left to itself, Vitest keeps a core for what watches: of two, that is half.
    maxWorkers: availableParallelism(),
    sequence: { sequencer: LongestFirst },
    // What `npm test` proves: the solutions, and the course itself. With `--quick`, the first part.
    projects: [
      {
        plugins: [variants],
        test: {
          name: 'everyday',
          include: ['solutions/**/*.test.ts', 'test/**/*.test.ts'],
          exclude: THOROUGH,
          testTimeout,
          // The traps have their garbage collected again and again: one thread does it for less.
          execArgv: ['--single-threaded-gc'],
        },
      },
      // Each of these tests starts processes: two at once keep a core busy.
      { test: { name: 'thorough', include: THOROUGH, testTimeout, maxConcurrency: 2 } },
      // The learner's own files. Red until they are done.
      { test: { name: 'lessons', include: ['lessons/**/*.test.ts'] } },
    ],
  },
});

import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** What starts processes of its own, or a browser, or waits for long. The longest come first. */
const WAITING = [
  'misbehaviour',
  'commands',
  'grade',
  'session',
  'signals',
  'page',
  'page-wire',
  'conformance',
  'client-conformance',
  'deflate-peers',
  'deflate-conformance',
  'tools',
  'serve-command',
  'drive-command',
  'cluster',
  'through',
  'inspector',
  'stress',
  'hostile-clients',
  'upkeep',
  'bench-command',
  'handout',
  'pictures',
  'stream-bus',
].map((name) => `test/course/${name}.test.ts`);

/** What proves the checks of the lessons: each is a whole lesson, wrong or right. Half of the work. */
const TRAPS = ['test/alternatives/*.test.ts', 'test/traps/*.test.ts'];

const LONG = [
  'test/alternatives/alternatives.test.ts',
  'test/traps/06-client.test.ts',
  'test/traps/09-production.test.ts',
  'test/traps/07-compression.test.ts',
  'test/traps/08-speed.test.ts',
  'test/course/stubs.test.ts',
  'test/traps/05-server.test.ts',
  'test/traps/02-reading-frames.test.ts',
  ...WAITING,
];

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

/** What proves the course. */
const proof = {
  /** Guards against hanging, not bounds on speed, in milliseconds. */
  testTimeout: 600_000,
  hookTimeout: 600_000,
  /** Each file leaves nothing behind: a process of its own would be more work than most are. */
  isolate: false,
  // Garbage is collected again and again: one thread does it for less.
  execArgv: ['--single-threaded-gc'],
};

export default defineConfig({
  test: {
    // One more than cores: there is always a test that waits.
    maxWorkers: availableParallelism() + 1,
    sequence: { sequencer: LongestFirst },
    // What `npm test` proves: the solutions, and the course itself. With `--quick`, the first part,
    // and with `--skip-traps` the first two.
    projects: [
      {
        test: {
          name: 'everyday',
          include: ['solutions/**/*.test.ts', 'test/**/*.test.ts'],
          exclude: [...WAITING, ...TRAPS],
          ...proof,
        },
      },
      {
        test: {
          name: 'thorough',
          include: WAITING,
          ...proof,
          globalSetup: 'test/course/sandboxes.ts',
          // Each of these tests starts processes: two at once keep a core busy.
          maxConcurrency: 2,
        },
      },
      { test: { name: 'traps', include: TRAPS, ...proof } },
      // The learner's own files. Red until they are done.
      { test: { name: 'lessons', include: ['lessons/**/*.test.ts'], testTimeout: 60_000 } },
    ],
  },
});

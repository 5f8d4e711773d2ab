import { defineConfig } from 'vitest/config';
import { variants } from './test/harness/variants.ts';

export default defineConfig({
  test: {
    projects: [
      // What `npm test` proves: the solutions, and the course itself.
      {
        plugins: [variants],
        test: {
          name: 'course',
          include: ['solutions/**/*.test.ts', 'test/**/*.test.ts'],
          // A guard against hanging, not a bound on speed.
          testTimeout: 60_000,
          // Each of these starts processes of its own.
          maxConcurrency: 3,
        },
      },
      // The learner's own files. Red until they are done.
      { test: { name: 'lessons', include: ['lessons/**/*.test.ts'] } },
    ],
  },
});

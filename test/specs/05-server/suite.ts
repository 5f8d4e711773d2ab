/** Step 12: the cases of the conformance suite. */
import { runConformance } from '../../../shared/conformance/run.ts';
import { fail } from '../../../shared/harness/check.ts';
import type { Lesson, Scenarios } from './core.ts';
import { withServer } from './sockets.ts';

/** The categories of the suite that take no second, and need no code but the lesson's. */
const CATEGORIES = ['1', '2', '3', '4', '5', '6', '7', 'H', 'F', 'S', 'C'];

export const SUITE: Scenarios = [
  {
    what: 'Every case of the conformance suite is OK.',
    rules: [127, 154],
    isSuite: true,
    check: (lesson) => runSuite(lesson, CATEGORIES),
  },
];

/** Runs these categories of the suite against a server of the lesson, up to a case that isn't OK. */
export function runSuite(lesson: Lesson, select: readonly string[]): Promise<void> {
  return withServer(lesson, async ({ port }, server) => {
    // Without the steps before it, it would fail in the middle of something.
    server.broadcast('Is anybody there?');
    const results = await runConformance(`ws://127.0.0.1:${port}/`, {
      select,
      untilNotOk: true,
      patience: { answerMs: 1500, endMs: 1500, pauseMs: 0 },
    });
    const first = results.find(({ verdict }) => verdict !== 'OK');
    if (!first) return server.shutdown();
    const { id, title, expected, happened } = first;
    fail(
      `Case ${id} of the conformance suite: ${title}.`,
      [
        ['expected', expected],
        ['happened', happened],
      ],
      `See every byte: start your server as the step says, and at another terminal \`npm run conformance ws://127.0.0.1:8081/ ${id}\`.`,
    );
  });
}

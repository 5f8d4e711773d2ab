import { runCommand } from '../../shared/commands/run-command.ts';
import { runVitest } from '../../shared/commands/vitest.ts';
import { findTarget } from '../../shared/course/lessons.ts';

await runCommand({
  name: 'npm run traps',
  summary:
    'Makes every trap, a real mistake in a solution, and shows at which step it is caught. Fails when one is not caught where it has to be.',
  positionals: { '[LESSON…]': 'Such as 02. By default, all of them.' },
  examples: [
    ['npm run traps', 'The traps of all lessons.'],
    ['npm run traps 02', 'Those of lesson 02.'],
  ],
  run(_, names) {
    const files = names.map((name) => `test/traps/${findTarget(name).lesson.name}.test.ts`);
    const reporter = '--reporter=./test/traps/render.ts';
    return runVitest(...(files.length === 0 ? ['test/traps/'] : files), reporter);
  },
});

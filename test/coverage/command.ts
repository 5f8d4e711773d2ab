import { runCommand } from '../../shared/commands/run-command.ts';
import { columns } from '../../shared/view/style.ts';
import { readCoverage, renderCoverage, unclaimed } from './coverage.ts';

await runCommand({
  name: 'npm run coverage',
  summary:
    'Shows which step checks which rule of the standard, and which trap proves it. Fails when a rule that a lesson teaches is claimed by none of its steps.',
  examples: [
    ['npm run coverage', 'Every rule.'],
    ['npm run -s coverage > coverage.txt', 'The same, in a file.'],
  ],
  async run() {
    const coverage = await readCoverage();
    console.log(renderCoverage(coverage, columns()).join('\n'));
    return unclaimed(coverage).length === 0 ? 0 : 1;
  },
});

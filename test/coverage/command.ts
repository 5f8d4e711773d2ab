/**
 * `npm run coverage` shows which step checks which rule of the standard, and which trap proves it.
 * It fails when a rule that a lesson teaches is claimed by none of its steps.
 */

import { runCommand } from '../../shared/commands/run-command.ts';
import { UsageError } from '../../shared/course/lessons.ts';
import { columns } from '../../shared/view/style.ts';
import { readCoverage, renderCoverage, unclaimed } from './coverage.ts';

await runCommand(async (args) => {
  if (args.length > 0) throw new UsageError('Say it alone, it shows all rules: npm run coverage');
  const coverage = await readCoverage();
  console.log(renderCoverage(coverage, columns()).join('\n'));
  return unclaimed(coverage).length === 0 ? 0 : 1;
});

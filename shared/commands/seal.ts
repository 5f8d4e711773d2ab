/** `npm run seal` is for those who change the checks: it writes down what they are now. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../course/lessons.ts';
import { readSeal } from '../course/seal.ts';
import { runCommand } from './run-command.ts';

await runCommand(async () => {
  writeFileSync(join(ROOT, 'shared/course/seal.json'), `${JSON.stringify(readSeal(), null, 2)}\n`);
  return 0;
});

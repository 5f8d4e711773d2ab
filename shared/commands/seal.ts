/** `npm run seal` is for those who change the checks: it writes down what they are now. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../lessons.ts';
import { readSeal } from '../seal.ts';
import { runCommand } from './run-command.ts';

await runCommand(async () => {
  writeFileSync(join(ROOT, 'test/seal.json'), `${JSON.stringify(readSeal(), null, 2)}\n`);
  return 0;
});

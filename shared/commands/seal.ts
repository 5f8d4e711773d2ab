import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../course/lessons.ts';
import { readSeal } from '../course/seal.ts';
import { runCommand } from './run-command.ts';

await runCommand({
  name: 'npm run seal',
  summary: 'For those who change the checks: writes down what they are now.',
  examples: [
    ['npm run seal', 'Seals the checks as they are.'],
    ['npm run seal && git diff shared/course/seal.json', 'Shows as well which files have changed.'],
  ],
  async run() {
    const seal = `${JSON.stringify(readSeal(), null, 2)}\n`;
    writeFileSync(join(ROOT, 'shared/course/seal.json'), seal);
    return 0;
  },
});

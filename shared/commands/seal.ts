import { writeSeal } from '../course/seal.ts';
import { runCommand } from './run-command.ts';

await runCommand({
  name: 'npm run seal',
  summary: 'For those who change the checks: writes down what they are now.',
  examples: [
    ['npm run seal', 'Seals the checks as they are.'],
    ['npm run seal && git diff shared/course/seal.json', 'Shows as well which files have changed.'],
  ],
  async run() {
    writeSeal();
    return 0;
  },
});

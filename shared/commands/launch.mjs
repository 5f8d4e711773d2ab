/**
 * Starts a command of the course, such as `node shared/commands/launch.mjs shared/commands/test.ts`.
 * Before that, nothing but this and `node.mjs` has been loaded, so what is missing can be said.
 */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { sayUnfit } from './node.mjs';

const unfit = sayUnfit();
if (unfit) {
  console.error(`✗ ${unfit}`);
  process.exitCode = 2;
} else {
  // From here on, it is as if the command had been called itself.
  process.argv.splice(1, 1);
  // What is JavaScript need not wait for the rest: the first screen of `npm start`.
  const [first] = process.argv[1]?.endsWith('.js') ? process.argv.splice(1, 1) : [];
  if (first) await import(pathToFileURL(resolve(first)).href);
  await import('../process/typescript.mjs');
  try {
    await import(pathToFileURL(resolve(process.argv[1] || '')).href);
  } catch (error) {
    const { refuse } = await import('./run-command.ts');
    refuse(error);
  }
}

import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { ROOT } from '../course/lessons.ts';
import { spawnChild } from '../process/children.ts';

const SHOW_CURSOR = '\u001b[?25h';

/** Runs Vitest once with these arguments, at this terminal. Returns its exit code. */
export function runVitest(...args: readonly string[]): Promise<number> {
  const folder = dirname(createRequire(import.meta.url).resolve('vitest/package.json'));
  const output = ['--import', new URL('output.mjs', import.meta.url).href];
  const run = spawnChild(
    process.execPath,
    [...output, join(folder, 'vitest.mjs'), 'run', ...args],
    {
      cwd: ROOT,
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  // It hides the cursor, and cannot show it again when it is ended.
  process.once('exit', () => process.stdout.isTTY && process.stdout.write(SHOW_CURSOR));
  return new Promise((resolve, reject) => {
    run.on('error', reject);
    run.on('close', (code) => resolve(code ?? 1));
  });
}

import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { ROOT } from './lessons.ts';

/**
 * Starts the type checker over the whole project, and returns its complaints about the files
 * whose paths start with `prefix`, such as `lessons/02-reading-frames/`: one line each, with the
 * file and the place.
 */
export function typeErrors(prefix: string): Promise<string[]> {
  const typescript = dirname(createRequire(import.meta.url).resolve('typescript/package.json'));
  const tsc = spawn(process.execPath, [join(typescript, 'bin', 'tsc'), '--pretty', 'false'], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  tsc.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  return new Promise((resolve, reject) => {
    tsc.on('error', reject);
    tsc.on('close', () => {
      resolve(output.split(/\r?\n/).filter((line) => line.startsWith(prefix)));
    });
  });
}

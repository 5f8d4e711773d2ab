/**
 * `npm test` proves the course. `npm test lessons/02` checks your lesson 02, and
 * `npm test solutions/02` the reference.
 */
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { renderBroken, renderRun, renderTypeErrors } from '../../test/harness/report.ts';
import { supervise } from '../../test/harness/supervise.ts';
import { findTarget, LESSONS, ROOT, requireFile, type Side, type Target } from '../lessons.ts';
import { requireSeal } from '../seal.ts';
import { typeErrors } from '../typecheck.ts';
import { runCommand } from './run-command.ts';

await runCommand(async (args) => {
  if (args.length === 0) return proveCourse();
  const targets = args.flatMap((argument) => {
    const side = /^(lessons|solutions)[\\/]?$/.exec(argument)?.[1] as Side | undefined;
    return side ? LESSONS.map((lesson): Target => ({ side, lesson })) : findTarget(argument);
  });
  let allHold = true;
  for (const target of targets) allHold = (await check(target)) && allHold;
  return allHold ? 0 : 1;
});

/** Checks one file. Returns whether all its steps hold and its types do. */
async function check(target: Target): Promise<boolean> {
  requireFile(target);
  if (target.side === 'lessons') requireSeal();
  const types = typeErrors(target);
  const { broken, results } = await supervise(target);
  const print = (lines: readonly string[]) => console.log(lines.join('\n'));
  if (broken) {
    print(renderBroken(target, broken));
    return false;
  }
  print(['', ...renderRun(target, results)]);
  const complaints = await types;
  print([...renderTypeErrors(target, complaints), '']);
  return results.every(({ failure }) => !failure) && complaints.length === 0;
}

/** Runs the tests of the course itself: solutions, stubs, READMEs, harness. */
function proveCourse(): Promise<number> {
  const vitest = dirname(createRequire(import.meta.url).resolve('vitest/package.json'));
  const args = [join(vitest, 'vitest.mjs'), 'run', '--project', 'course'];
  const run = spawn(process.execPath, args, { cwd: ROOT, stdio: 'inherit' });
  return new Promise((resolve, reject) => {
    run.on('error', reject);
    run.on('close', (code) => resolve(code ?? 1));
  });
}

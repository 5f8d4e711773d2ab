/**
 * `npm test` proves the course, and `-- --quick` runs the everyday part of the proof: what needs no
 * process of its own, no browser and no long wait. `npm test lessons/02` checks your lesson 02, and
 * `npm test solutions/02` the reference.
 */
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import {
  findTarget,
  LESSONS,
  ROOT,
  requireFile,
  type Side,
  type Target,
  UsageError,
} from '../course/lessons.ts';
import { requireSeal } from '../course/seal.ts';
import { typeErrors } from '../course/typecheck.ts';
import { renderBroken, renderRun, renderTypeErrors } from '../harness/report.ts';
import { supervise } from '../harness/supervise.ts';
import { parseOptions, runCommand } from './run-command.ts';

await runCommand(async (args) => {
  const { quick, targets } = parse(args);
  if (targets.length === 0) return proveCourse(quick);
  let allHold = true;
  for (const target of targets) allHold = (await check(target)) && allHold;
  return allHold ? 0 : 1;
});

/** Reads the arguments. Throws `UsageError` for those that it does not know. */
function parse(args: readonly string[]): { quick: boolean; targets: Target[] } {
  const options = { quick: { type: 'boolean' } } as const;
  const { values, positionals } = parseOptions(
    { args: [...args], allowPositionals: true, options },
    'The only option is --quick.',
  );
  // Without a `--` before it npm keeps the option to itself, and tells what it was.
  const { quick = process.env.npm_config_quick === 'true' } = values;
  const targets = positionals.flatMap((argument) => {
    const side = /^(lessons|solutions)[\\/]?$/.exec(argument)?.[1] as Side | undefined;
    return side ? LESSONS.map((lesson): Target => ({ side, lesson })) : findTarget(argument);
  });
  if (quick && targets.length > 0) {
    throw new UsageError(
      '--quick is for the proof of the whole course, not for a lesson: npm test -- --quick',
    );
  }
  return { quick, targets };
}

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
function proveCourse(quick: boolean): Promise<number> {
  const vitest = dirname(createRequire(import.meta.url).resolve('vitest/package.json'));
  const args = [join(vitest, 'vitest.mjs'), 'run', '--project', quick ? 'everyday' : '!lessons'];
  const run = spawn(process.execPath, args, { cwd: ROOT, stdio: 'inherit' });
  return new Promise((resolve, reject) => {
    run.on('error', reject);
    run.on('close', (code) => resolve(code ?? 1));
  });
}

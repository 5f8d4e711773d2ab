import { requireFile } from '../course/files.ts';
import { findSide, findTarget, LESSONS, type Target, UsageError } from '../course/lessons.ts';
import { requireSeal } from '../course/seal.ts';
import { typeErrors } from '../course/typecheck.ts';
import { renderBroken, renderRun } from '../harness/report.ts';
import { supervise } from '../harness/supervise.ts';
import { runCommand } from './run-command.ts';
import { runVitest } from './vitest.ts';

await runCommand({
  name: 'npm test',
  summary:
    'Checks lessons. Without a name, proves the course itself: solutions, stubs, traps, texts, and the checks.',
  positionals: {
    '[LESSON…]':
      'Yours, such as 02, or the reference, such as solutions/02. For all of them: lessons or solutions.',
  },
  options: {
    quick: {
      type: 'boolean',
      help: 'Only the everyday part of the proof: what needs no process of its own, no browser and no long wait.',
    },
  },
  examples: [
    ['npm test lessons/02', 'Checks your lesson 02.'],
    ['npm test solutions/02', 'The same checks over the reference.'],
    ['npm test -- --quick', 'The everyday part of the proof of the course.'],
  ],
  async run({ quick = false }, names) {
    const targets = names.flatMap(targetsOf);
    if (targets.length === 0) return runVitest('--project', quick ? 'everyday' : '!lessons');
    if (quick) {
      throw new UsageError(
        '--quick is for the proof of the whole course, not for a lesson: npm test -- --quick',
      );
    }
    let allHold = true;
    for (const target of targets) allHold = (await check(target)) && allHold;
    return allHold ? 0 : 1;
  },
});

/** Finds what a name means. Throws `UsageError` when that is no lesson, or more than one. */
function targetsOf(name: string): Target[] {
  const side = findSide(name);
  return side ? LESSONS.map((lesson) => ({ side, lesson })) : [findTarget(name)];
}

/** Checks one file. Returns whether all its steps pass and its types do. */
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
  const complaints = await types;
  print(['', ...renderRun(target, results, complaints), '']);
  return results.every(({ failure }) => !failure) && complaints.length === 0;
}

import { join } from 'node:path';
import { requireFile } from '../course/files.ts';
import {
  fileOf,
  findSide,
  findTarget,
  LESSONS,
  ROOT,
  type Target,
  UsageError,
} from '../course/lessons.ts';
import { fingerprint, requireSeal } from '../course/seal.ts';
import { hasSolution, requireSolution } from '../course/solution.ts';
import { typeErrors } from '../course/typecheck.ts';
import { readPoints } from '../grade/points.ts';
import { type Checked, stateOf, toResult, toResults, toStudent } from '../grade/result.ts';
import { renderBroken, renderRun } from '../harness/report.ts';
import { supervise } from '../harness/supervise.ts';
import { runCommand } from './run-command.ts';
import { runVitest } from './vitest.ts';

/** The projects of `vitest.config.ts` that a part of the proof is. */
const PROJECTS = {
  '--quick': ['everyday'],
  '--skip-traps': ['everyday', 'thorough'],
  all: ['!lessons'],
};

await runCommand({
  name: 'npm test',
  summary:
    'Checks lessons. Without a name, proves the course itself: solutions, stubs, traps, texts, and the checks. In a handout, checks all lessons.',
  positionals: {
    '[LESSON…]':
      'Yours, such as 02, or the reference, such as solutions/02. For all of them: lessons or solutions.',
  },
  options: {
    quick: {
      type: 'boolean',
      help: 'Only the everyday part of the proof: what needs no process of its own, no browser and no long wait.',
    },
    'skip-traps': {
      type: 'boolean',
      help: 'All of the proof but the traps and the alternatives, which take half of the time.',
    },
    json: { type: 'boolean', help: 'Print the results of lessons as JSON, as npm run grade does.' },
  },
  examples: [
    ['npm test lessons/02', 'Checks your lesson 02.'],
    ['npm test solutions/02', 'The same checks over the reference.'],
    ['npm test -- --quick', 'The everyday part of the proof of the course.'],
  ],
  async run({ quick = false, 'skip-traps': skipsTraps = false, json = false }, names) {
    const isProof = names.length === 0 && LESSONS.some(hasSolution);
    if (isProof && json) {
      throw new UsageError('--json is for lessons: npm test lessons/02 -- --json');
    }
    const part = quick ? '--quick' : skipsTraps ? '--skip-traps' : undefined;
    if (isProof) return runVitest(...PROJECTS[part ?? 'all'].map((name) => `--project=${name}`));
    if (part) {
      throw new UsageError(
        `${part} is for the proof of the whole course, not for a lesson: npm test -- ${part}`,
      );
    }
    const targets = names.length === 0 ? targetsOf('lessons') : names.flatMap(targetsOf);
    const checks: Checked[] = [];
    for (const target of targets) {
      const checked = await check(target);
      checks.push(checked);
      if (!json) tell(target, checked);
    }
    if (json) console.log(toJson(targets, checks));
    return checks.every((checked) => stateOf(checked) === 'passes') ? 0 : 1;
  },
});

/** Finds what a name means. Throws `UsageError` when that is no lesson, or more than one. */
function targetsOf(name: string): Target[] {
  const side = findSide(name);
  return side ? LESSONS.map((lesson) => ({ side, lesson })) : [findTarget(name)];
}

/** Checks one file. */
async function check(target: Target): Promise<Checked> {
  const started = performance.now();
  requireFile(target);
  if (target.side === 'lessons') requireSeal();
  else requireSolution(target.lesson);
  const types = typeErrors(target);
  const { broken, results } = await supervise(target);
  // Of what cannot run, nobody wants to hear of the types.
  const complaints = broken ? [] : await types;
  const seconds = Math.round(performance.now() - started) / 1000;
  return { foreign: [], broken, results, complaints, seconds };
}

function tell(target: Target, { broken, results, complaints }: Checked): void {
  const lines = broken
    ? renderBroken(target, broken)
    : ['', ...renderRun(target, results, complaints), ''];
  console.log(lines.join('\n'));
}

/** Writes what `npm run grade` would write, of one student for each side. */
function toJson(targets: readonly Target[], checks: readonly Checked[]): string {
  const lessons = targets.map(({ lesson }) => lesson);
  const points = readPoints(join(ROOT, 'points.json'), lessons);
  const students = [...new Set(targets.map(({ side }) => side))].map((name) => {
    const lessons = targets.flatMap((target, i) => {
      const [checked, worth = []] = [checks[i], points.get(target.lesson)];
      return checked && target.side === name
        ? [toResult(target.lesson, fileOf(target), checked, worth)]
        : [];
    });
    return toStudent(name, lessons);
  });
  return JSON.stringify(toResults(students, fingerprint()), null, 2);
}

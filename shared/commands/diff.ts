import { renderDiff } from '../course/diff.ts';
import { requireFile } from '../course/files.ts';
import { findTarget, type Lesson, UsageError } from '../course/lessons.ts';
import { requireSolution } from '../course/solution.ts';
import type { Run } from '../harness/record.ts';
import { supervise } from '../harness/supervise.ts';
import { style } from '../view/style.ts';
import { wrap } from '../view/wrap.ts';
import { confirm } from './ask.ts';
import { runCommand } from './run-command.ts';

await runCommand({
  name: 'npm run diff',
  summary:
    'Shows where your file does something else than the reference, and then their code beside each other, function by function. Asks first when the lesson is not finished.',
  positionals: { LESSON: 'Such as 02.' },
  options: { yes: { type: 'boolean', help: 'Do not ask.' } },
  examples: [
    ['npm run diff 02', 'Your lesson 02 and the reference.'],
    ['npm run diff 02 -- --yes', 'The same, whether you are done or not.'],
  ],
  async run({ yes }, [name, ...more]) {
    if (name === undefined || more.length > 0) {
      throw new UsageError('Say which lesson to compare: npm run diff 02');
    }
    const { lesson } = findTarget(name);
    requireFile({ side: 'lessons', lesson });
    requireSolution(lesson);
    const run = await supervise({ side: 'lessons', lesson });
    if (yes || (await mayShow(lesson, run))) {
      // What is not for a terminal keeps its lines as they are.
      const width = process.stdout.columns || Number.POSITIVE_INFINITY;
      const lines = [...renderBehaviour(lesson, run, width), '', ...renderDiff(lesson, width)];
      console.log(['', ...lines, ''].join('\n'));
    }
    return 0;
  },
});

/** Writes in which scenarios the two behave differently, as far as the checks know. */
function renderBehaviour(lesson: Lesson, run: Run, width: number): string[] {
  const title = style.bold(`${lesson.number} ${lesson.title}, yours and the reference`);
  return [
    title,
    ...sayBehaviour(lesson, run).flatMap((text) => ['', ...wrap(text, width, '          ')]),
  ];
}

function sayBehaviour({ number }: Lesson, { broken, results }: Run): string[] {
  if (broken) return [`Yours cannot be checked: ${broken.what}`];
  const says: string[] = [];
  const red = results.filter(({ failure }) => failure && failure.kind !== 'todo');
  if (red.length > 0) {
    const scenarios = red.map((step) => {
      const { kind, what = '', scenario = what } = step.failure ?? {};
      return `  step ${step.number}  ${scenario}${kind === 'crash' ? ` ${what}` : ''}`;
    });
    const heading = `They behave differently in these scenarios. The first of them in full: npm test ${number}`;
    says.push([heading, ...scenarios].join('\n'));
  }
  const open = results.filter(({ failure }) => failure?.kind === 'todo').map((step) => step.number);
  if (open.length > 0) says.push(`Steps that are not written yet: ${open.join(', ')}.`);
  if (says.length > 0) return says;
  return [
    `Both pass all ${results.length} steps. As far as the checks can tell, what differs below is a choice and not a mistake.`,
  ];
}

/** Says whether the reference spoils nothing any more, or the learner wants to see it anyway. */
async function mayShow(lesson: Lesson, { broken, results }: Run): Promise<boolean> {
  const open = results.find(({ failure }) => failure);
  if (!broken && !open) return true;
  if (!process.stdin.isTTY) {
    throw new UsageError(
      `Lesson ${lesson.number} is not finished. To see the reference anyway: npm run diff ${lesson.number} -- --yes`,
    );
  }
  const agreed = await confirm(
    `Lesson ${lesson.number} is not finished. Show the reference anyway?`,
  );
  if (!agreed) {
    console.log(`Not shown. A hint may do: npm run hint ${lesson.number}.${open?.number ?? 1}`);
  }
  return agreed;
}

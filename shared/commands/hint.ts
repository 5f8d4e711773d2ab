import { countHints, readSteps, renderHint } from '../course/hints.ts';
import { findTarget, type Lesson, UsageError } from '../course/lessons.ts';
import { hasSolution } from '../course/solution.ts';
import { columns } from '../view/style.ts';
import { runCommand } from './run-command.ts';

await runCommand({
  name: 'npm run hint',
  summary:
    'Shows a hint for a step of a lesson. Each step has three, and the first gives least away.',
  positionals: {
    'LESSON.STEP[.HINT]': 'Such as 02.4, or 02.4.2 for the second hint.',
  },
  examples: [
    ['npm run hint 02.4', 'The first hint for step 4 of lesson 02.'],
    ['npm run hint 02.4.3', 'The third, which nearly gives it away.'],
  ],
  async run(_, words) {
    const { lesson, step, number } = parse(words.join(' ').trim());
    const lines = renderHint(lesson, step, number, columns());
    console.log(['', ...lines, '', whatNext(lesson, step, number), ''].join('\n'));
    return 0;
  },
});

/** Reads `02.4`, `02.4.2`, `02 4`, `lessons/02.4` or `reading 4 2`. */
function parse(argument: string): { lesson: Lesson; step: number; number: number } {
  if (argument === '') {
    throw new UsageError('Say which step you want a hint for: npm run hint 02.4');
  }
  const [, word = argument, step, number = '1'] =
    /^(.*?)[\s.]+(\d+)(?:[\s.]+(\d+))?$/.exec(argument) ?? [];
  const { lesson } = findTarget(word);
  if (step === undefined) {
    const steps = readSteps(lesson).length;
    throw new UsageError(
      `Say which of the steps 1 to ${steps} you want a hint for: npm run hint ${lesson.number}.1`,
    );
  }
  return { lesson, step: Number(step), number: Number(number) };
}

function whatNext(lesson: Lesson, step: number, number: number): string {
  return number < countHints(lesson, step)
    ? `The next hint: npm run hint ${lesson.number}.${step}.${number + 1}`
    : `That was the last.${hasSolution(lesson) ? ` To see the reference: npm run diff ${lesson.number}` : ''}`;
}

import { renderDiff } from '../course/diff.ts';
import { requireFile } from '../course/files.ts';
import { findTarget, type Lesson, UsageError } from '../course/lessons.ts';
import { supervise } from '../harness/supervise.ts';
import { confirm } from './ask.ts';
import { runCommand } from './run-command.ts';

await runCommand({
  name: 'npm run diff',
  summary:
    'Shows your file beside the reference, line by line. Asks first when the lesson is not finished.',
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
    if (yes || (await mayShow(lesson))) {
      // What is not for a terminal keeps its lines as they are: it may be a patch.
      const width = process.stdout.columns || Number.POSITIVE_INFINITY;
      console.log(renderDiff(lesson, width).join('\n'));
    }
    return 0;
  },
});

/** Says whether the reference spoils nothing any more, or the learner wants to see it anyway. */
async function mayShow(lesson: Lesson): Promise<boolean> {
  const target = { side: 'lessons', lesson } as const;
  requireFile(target);
  const { broken, results } = await supervise(target);
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

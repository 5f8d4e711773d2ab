import { findTarget, LESSONS, type Lesson, UsageError } from '../course/lessons.ts';
import { requireSeal } from '../course/seal.ts';
import { currentLesson, type Progress, readProgress, renderMap } from '../session/progress.ts';
import { Session } from '../session/session.ts';
import { RealTerminal } from '../session/terminal.ts';
import { columns } from '../view/style.ts';
import { runCommand } from './run-command.ts';

await runCommand({
  name: 'npm start',
  summary:
    'The course: the current lesson, checked on every save. Without a terminal: the map of the course and what comes next, once.',
  positionals: {
    '[LESSON]': 'Where to begin, such as 02. By default, the first that is not finished.',
  },
  examples: [
    ['npm start', 'Goes on where you are.'],
    ['npm start 03', 'Goes to lesson 03.'],
  ],
  async run(_, [name, ...more]) {
    if (more.length > 0) throw new UsageError('One lesson at a time: npm start 03');
    const chosen = name === undefined ? undefined : lessonOf(name);
    requireSeal();
    const progress = await readProgress();
    const lesson = chosen ?? currentLesson(progress)?.lesson ?? (LESSONS.at(-1) as Lesson);
    if (process.stdin.isTTY && process.stdout.isTTY) {
      await new Session(new RealTerminal(), progress, lesson).run();
    } else {
      console.log(
        [...renderMap(progress, lesson, columns()), '', ...nextStep(progress, lesson)].join('\n'),
      );
    }
    return 0;
  },
});

function lessonOf(name: string): Lesson {
  const { side, lesson } = findTarget(name);
  if (side === 'lessons') return lesson;
  throw new UsageError(`Your lessons are watched, not the solutions: npm start ${lesson.number}`);
}

function nextStep(progress: readonly Progress[], here: Lesson): string[] {
  const next = progress.find(({ lesson }) => lesson === here)?.next;
  if (!next) return ['Every step of the course holds.'];
  return [
    `Next      lesson ${here.number}, step ${next.number}: ${next.title}`,
    `Read      lessons/${here.name}/README.md`,
    `Code      lessons/${here.name}/${here.file}`,
    `Check     npm test lessons/${here.number}`,
  ];
}

import { findTarget, LESSONS, type Lesson, UsageError } from '../course/lessons.ts';
import { requireSeal } from '../course/seal.ts';
import { lastSaved } from '../session/first-screen.js';
import { type Course, readCourse, renderMap } from '../session/progress.ts';
import { Session } from '../session/session.ts';
import { RealTerminal } from '../session/terminal.ts';
import { columns } from '../view/style.ts';
import { runCommand } from './run-command.ts';

await runCommand({
  name: 'npm start',
  summary:
    'The course: the current lesson, checked on every save. Without a terminal: the map of the course and what comes next, once.',
  positionals: {
    '[LESSON]': 'Where to begin, such as 02. By default, the one whose file you saved last.',
  },
  examples: [
    ['npm start', 'Goes on where you are.'],
    ['npm start 03', 'Goes to lesson 03.'],
  ],
  async run(_, [name, ...more]) {
    if (more.length > 0) throw new UsageError('One lesson at a time: npm start 03');
    const lesson = lessonOf(name ?? lastSaved());
    requireSeal();
    if (process.stdin.isTTY && process.stdout.isTTY) {
      await new Session(new RealTerminal(), lesson).run();
    } else {
      const course = await readCourse();
      const here = name === undefined ? unfinished(course, lesson) : lesson;
      const map = renderMap(course, here, columns());
      console.log([...map, '', ...nextStep(course, here)].join('\n'));
    }
    return 0;
  },
});

function lessonOf(name: string): Lesson {
  const { side, lesson } = findTarget(name);
  if (side === 'lessons') return lesson;
  throw new UsageError(`Your lessons are watched, not the solutions: npm start ${lesson.number}`);
}

/** The lesson itself, unless it is finished: then the first that is not. */
function unfinished(course: Course, lesson: Lesson): Lesson {
  const isOpen = (it: Lesson) => course.get(it)?.next !== undefined;
  return [lesson, ...LESSONS].find(isOpen) ?? lesson;
}

function nextStep(course: Course, here: Lesson): string[] {
  const next = course.get(here)?.next;
  if (!next) return ['Every step of the course passes.'];
  return [
    `Next      lesson ${here.number}, step ${next.number}: ${next.title}`,
    `Read      lessons/${here.name}/README.md`,
    `Code      lessons/${here.name}/${here.file}`,
    `Check     npm test lessons/${here.number}`,
  ];
}

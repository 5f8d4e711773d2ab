import { isAbsolute, relative, resolve } from 'node:path';
import {
  findLessons,
  LESSONS,
  type Lesson,
  ROOT,
  STARTED_IN,
  UsageError,
} from '../course/lessons.ts';
import { makeHandout } from '../handout/make.ts';
import { runCommand } from './run-command.ts';

await runCommand({
  name: 'npm run handout',
  summary:
    'Makes a project for students: some lessons and their checks, without the solutions, the traps and their pages, and with a workflow that checks every push.',
  options: {
    lessons: {
      type: 'string',
      value: 'LIST',
      help: 'Which lessons, such as 02, 01-04, or 01,03-04. By default, all of them.',
    },
    out: { type: 'string', value: 'DIR', help: 'Where to, a folder that is new or empty.' },
  },
  examples: [
    ['npm run handout -- --out ../class', 'All lessons.'],
    ['npm run handout -- --lessons 01-04 --out ../class', 'The four that stand alone.'],
  ],
  async run({ lessons: list, out }) {
    if (out === undefined) {
      throw new UsageError('Say where to make it: npm run handout -- --out ../class');
    }
    const lessons = list === undefined ? LESSONS : findLessons(list);
    const folder = resolve(STARTED_IN, out);
    requireOutside(folder);
    makeHandout(lessons, folder);
    console.log(sayNext(lessons, folder).join('\n'));
    return 0;
  },
});

/** In the course itself, a handout would become a part of it. */
function requireOutside(folder: string): void {
  const path = relative(ROOT, folder);
  if (/^\.\.([\\/]|$)/.test(path) || isAbsolute(path)) return;
  throw new UsageError(
    `${folder} is in the course itself. Take a folder beside it: --out ../class`,
  );
}

function sayNext(lessons: readonly Lesson[], folder: string): string[] {
  const names = lessons.map(({ number, title }) => `${number} ${title}`).join(', ');
  return [
    `${folder} is a project with ${names}.`,
    'It has no solutions, no traps and no history. To hand it out, make it a repository:',
    '',
    `  cd "${folder}"`,
    '  git init',
    '  git add .',
    '  git commit -m "The lessons"',
    '',
  ];
}

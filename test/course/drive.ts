/** A session at a terminal that is not there: keys come in and screens go out as messages. */
import { LESSONS, type Lesson } from '../../shared/course/lessons.ts';
import { loadSpec } from '../../shared/harness/spec.ts';
import type { Progress } from '../../shared/session/progress.ts';
import { Session } from '../../shared/session/session.ts';

const send = process.send?.bind(process) ?? (() => {});
const lesson = LESSONS.find(({ number }) => number === process.argv[2]) as Lesson;

let isOver = false;

/**
 * How far somebody is who has written nothing. To find out would be to check every lesson. When
 * nobody is there to see it, it is a fault.
 */
async function nothingWritten(lesson: Lesson): Promise<Progress> {
  if (isOver) process.exitCode = 1;
  const { steps } = await loadSpec(lesson.name);
  return { done: 0, total: steps.length, next: { number: 1, title: steps[0]?.title ?? '' } };
}

const session = new Session(
  {
    rows: Number(process.argv[3]),
    open: (press) => process.on('message', (key: string) => press(key)),
    draw: (lines) => send(lines.join('\n')),
    close: () => send('closed'),
  },
  lesson,
  nothingWritten,
);
await session.run();
isOver = true;
process.disconnect();

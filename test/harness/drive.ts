/** A session at a terminal that is not there: keys come in and screens go out as messages. */
import { LESSONS, type Lesson } from '../../shared/lessons.ts';
import { readProgress } from '../../shared/progress.ts';
import { Session } from '../../shared/session.ts';

const send = process.send?.bind(process) ?? (() => {});
const lesson = LESSONS.find(({ number }) => number === process.argv[2]) as Lesson;

const session = new Session(
  {
    rows: Number(process.argv[3] ?? 40),
    open: (press) => process.on('message', (key: string) => press(key)),
    draw: (lines) => send(lines.join('\n')),
    close: () => send('closed'),
  },
  await readProgress(),
  lesson,
);
await session.run();
process.disconnect();

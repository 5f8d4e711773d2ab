/** Step 1: what happens at a read. */
import { fail } from '../../../shared/harness/check.ts';
import { fromClient } from '../../../shared/kit/frames.ts';
import { Text } from '../05-server/core.ts';
import { countCalls, turns } from '../05-server/sockets.ts';
import { attached } from './attaching.ts';
import type { Scenarios } from './tools.ts';

export const TURNS: Scenarios = [
  {
    what: 'A read does not resume a socket that was never paused.',
    rules: [],
    async check(lesson) {
      const { line } = attached(lesson);
      await turns(1);
      const resumes = countCalls(line, 'resume');
      for (let i = 0; i < 10; i++) line.emit('data', fromClient(Text, `message ${i}`));
      await turns(1);
      line.destroy();
      if (resumes() === 0) return;
      fail(
        'A read does not resume a socket that was never paused.',
        [['in 10 reads', `${resumes()} calls of \`resume\``]],
        'Keep in a field whether you have paused it, and call `resume` only then.',
      );
    },
  },
];

/**
 * The process that serves, with the learner's code in it. Called with the numbers of the lessons
 * that are the learner's, such as `01 03`; listens when told to, and stops when nobody is there to
 * tell it more.
 */
import { url as inspector } from 'node:inspector';
import { style } from '../view/style.ts';
import { explain } from './explain.ts';
import type { FromServer, ToServer } from './messages.ts';
import { loadCompression, loadServer } from './mix.ts';
import { hasReference } from './parts.ts';
import { type Serving, serve } from './server.ts';
import { watchForEndlessLoops } from './watchdog.ts';

const send = process.send?.bind(process);
if (!send) throw new Error('This is not a program of its own: `npm run serve` starts it.');
const post = (message: FromServer) => send(message, () => {});
const report = (error: unknown) => console.error(`${style.red('✗')} ${explain(error)}`);

// It says goodbye to its pages when its parent lets it go, and not at a signal to both.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
// The pages go on, although a terminal is gone.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
// Whatever the lesson throws, and wherever: the server lives on, once there is one.
let serving: Serving | undefined;
for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(event, (error: unknown) => {
    report(error);
    if (!serving) process.exit(1);
  });
}
// With a debugger, a program is allowed to pause.
if (inspector() === undefined) watchForEndlessLoops();
process.on('disconnect', stop);

const yours = process.argv.slice(2);
const lesson = await loadServer(yours);
const compression = await loadCompression(yours);
process.on('message', (message: ToServer) => {
  if (message.type === 'listen') void listen(message);
  else serving?.tell(message.parts);
});
post({ type: 'loaded' });

async function listen({ port, parts }: Extract<ToServer, { type: 'listen' }>): Promise<void> {
  try {
    const own = { ...(compression && { compression }), ...(!hasReference && { wire: lesson }) };
    serving = await serve({ lesson, ...own, parts, port, report });
    post({ type: 'listening', port: serving.port });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    post({ type: 'refused', code: String(error.code), message: error.message });
  }
}

async function stop(): Promise<void> {
  if (serving && !(await serving.stop())) {
    report(new Error('shutdown() has not come to its end. Lesson 05, step 11 is about it.'));
  }
  process.exit();
}

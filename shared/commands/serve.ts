import { url as inspector } from 'node:inspector';
import { requireFile } from '../course/files.ts';
import { fileOf, findTarget, importTarget, type Side, UsageError } from '../course/lessons.ts';
import { explain } from '../serve/explain.ts';
import { type Lesson05, type Serving, serve } from '../serve/server.ts';
import { watchForEndlessLoops } from '../serve/watchdog.ts';
import { style } from '../view/style.ts';
import { runCommand } from './run-command.ts';

/** How long we wait for what the lesson has left behind, such as a timer, before we just go. */
const LEFTOVERS_MS = 500;

const NOT_YET = 'Check it: npm test lessons/05. Until then: npm run serve -- --solution';

await runCommand({
  name: 'npm run serve',
  summary: 'Puts your lesson 05 to work, with a page that talks to it. Ctrl-C stops it.',
  options: {
    solution: { type: 'boolean', help: 'The reference in place of your lesson.' },
    port: { type: 'string', value: 'PORT', help: 'Where to listen. By default, any free port.' },
  },
  examples: [
    ['npm run serve', 'Your server, at a free port.'],
    ['npm run serve -- --solution --port 8080', 'The reference, at port 8080.'],
  ],
  run: ({ solution, port = '0' }) => run(solution ? 'solutions' : 'lessons', portOf(port)),
});

/** Reads a port. Throws `UsageError` when it is none. */
function portOf(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) {
    throw new UsageError(`${JSON.stringify(text)} is no port. Give a number from 0 to 65535.`);
  }
  return Number(text);
}

/** Serves until somebody stops it. Returns the exit code. */
async function run(side: Side, port: number): Promise<number> {
  const target = findTarget(`${side}/05`);
  requireFile(target);
  const file = fileOf(target);

  const report = (error: unknown) => console.error(`${style.red('✗')} ${explain(error)}`);
  // Whatever the lesson throws, and wherever: the server lives on, once it is one.
  let serving: Serving | undefined;
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (error: unknown) => {
      report(error);
      if (!serving) process.exit(1);
    });
  }

  // With a debugger, standing still is what one wants.
  if (inspector() === undefined) watchForEndlessLoops();
  serving = await start();
  if (!serving) return 1;
  // Listen first: whoever reads that Ctrl-C stops it may be faster than the next line.
  const interruption = interrupted();
  console.log(welcome(serving.url, file).join('\n'));
  await interruption;
  console.log('\nGoing away: 1001 to every page.');
  if (!(await serving.stop())) {
    report(new Error('shutdown() has not come to its end. Lesson 05, step 9 is about it.'));
  }
  setTimeout(() => process.exit(), LEFTOVERS_MS).unref();
  return 0;

  /** Starts the lesson. Returns `undefined` when it cannot be, and says why. */
  async function start(): Promise<Serving | undefined> {
    try {
      const lesson = (await importTarget(target)) as Lesson05;
      if (typeof lesson.WebSocketServer !== 'function') {
        throw new TypeError(`${file} has no WebSocketServer. Lesson 05, step 7 is about it.`);
      }
      return await serve({ lesson, file, port, report });
    } catch (error) {
      refuseBusyPort(error, port);
      report(error);
      if (side === 'lessons') console.error(`  ${NOT_YET}`);
      return undefined;
    }
  }
}

/** Throws `UsageError` when the system will not let us have the port. */
function refuseBusyPort(error: unknown, port: number): void {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE') {
    throw new UsageError(`Port ${port} is in use. Without --port, the system finds a free one.`);
  }
  if (code === 'EACCES') {
    throw new UsageError(`Port ${port} is not for everybody. Take one above 1023.`);
  }
}

function welcome(url: string, file: string): string[] {
  return [
    '',
    `  ${style.bold(url)}`,
    '',
    `  ${file} is at work. Open the page in a browser, and try:`,
    '',
    '  Connect, send 你好，世界, and see every byte that crosses the wire',
    '  Open a second tab, and chat from one to the other',
    '  Close with a code and a reason, or stop this server while a page is open',
    '',
    '  Ctrl-C stops it.',
    '',
  ];
}

/** Resolves with the first Ctrl-C. The second one does not wait for anybody. */
function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        process.once(signal, () => process.exit(130));
        resolve();
      });
    }
  });
}

import { join } from 'node:path';
import { fileOf, ROOT, UsageError } from '../course/lessons.ts';
import { Changes } from '../serve/changes.ts';
import { Keeper } from '../serve/keeper.ts';
import {
  CHECKED,
  checkShown,
  hasReference,
  type Part,
  renderPart,
  SERVED,
  SHOWN_REFERENCE,
  UNCHECKED,
} from '../serve/parts.ts';
import { PortError } from '../serve/server-process.ts';
import { watchFile } from '../session/watcher.ts';
import { style } from '../view/style.ts';
import { runCommand } from './run-command.ts';

/** Where to listen when nobody says so. */
const PORT = 8080;

await runCommand({
  name: 'npm run serve',
  summary:
    'A page that talks to your lessons. The reference is used for each one that does not pass its checks yet. Ctrl-C stops it.',
  options: {
    solution: { type: 'boolean', help: 'The reference in place of all your lessons.' },
    port: {
      type: 'string',
      value: 'PORT',
      help: `Where to listen. By default, ${PORT}, or any free port when that is in use.`,
    },
  },
  examples: [
    ['npm run serve', 'Your lessons, as far as they pass.'],
    ['npm run serve -- --solution --port 9000', 'The reference, at port 9000.'],
  ],
  run: ({ solution = false, port }) => run(solution, port),
});

/** Reads a port. Throws `UsageError` when it's none. */
function portOf(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) {
    throw new UsageError(`${JSON.stringify(text)} is not a port. Give a number from 0 to 65535.`);
  }
  return Number(text);
}

/** Throws `UsageError` where nothing can be served, since a handout has no solutions. */
function requireServer(isReference: boolean): void {
  if (hasReference) return;
  if (isReference) {
    throw new UsageError('The solutions are not in this handout. Ask your instructor for them.');
  }
  if (SERVED.some(({ number }) => number === '05')) return;
  throw new UsageError('Lesson 05 is not in this handout, and it is the one that serves.');
}

/** Serves until somebody stops it. Returns the exit code. */
async function run(isReference: boolean, portText: string | undefined): Promise<number> {
  const port = portText === undefined ? PORT : portOf(portText);
  requireServer(isReference);
  const changes = new Changes();
  const keeper = new Keeper(port, portText === undefined, changes.report);
  const interruption = interrupted();
  const stopWatching = isReference ? () => {} : watchLessons(changes.report);
  try {
    await Promise.race([interruption, serveParts(keeper, changes, isReference)]);
  } catch (error) {
    throw error instanceof PortError ? refusal(error, port) : error;
  } finally {
    stopWatching();
  }
  // This is how it ends, whether somebody reads of it or not.
  process.exitCode = 0;
  console.log('\nGoing away: 1001 to every page.');
  await keeper.stop();
  // A check that's still on ends with this process.
  process.exit(0);
}

/** Calls back after each save of a lesson. Returns what ends that. */
function watchLessons(changed: () => void): () => void {
  const stops = CHECKED.map((lesson) =>
    watchFile(join(ROOT, fileOf({ side: 'lessons', lesson })), changed),
  );
  return () => {
    for (const stop of stops) stop();
  };
}

/** Whether every part is the learner's. */
function isComplete(parts: readonly Part[]): boolean {
  return parts.every(({ isYours }) => isYours);
}

/** Checks the lessons. Throws `UsageError` for one that does not pass and has no reference. */
async function requireParts(): Promise<readonly Part[]> {
  console.log('Checking your lessons …');
  const parts = await checkShown();
  if (isComplete(parts)) return parts;
  const { number } = parts.find(({ isYours }) => !isYours)!;
  throw new UsageError(
    `There is no reference in this handout, so all your lessons have to pass first. See: npm test lessons/${number}`,
  );
}

/**
 * Serves what passes, and looks again after each change. Never resolves. Rejects with `PortError`,
 * and with `UsageError` when not even the reference can be served.
 */
async function serveParts(keeper: Keeper, changes: Changes, isReference: boolean): Promise<never> {
  // The reference is there at once: a page need not wait for the checks.
  let shown = isReference ? SHOWN_REFERENCE : hasReference ? UNCHECKED : await requireParts();
  if ((await keeper.use(shown)) === 'failed') {
    throw new UsageError('The reference cannot be loaded. Get it back: git checkout solutions');
  }
  console.log(welcome(keeper.url, shown).join('\n'));
  for (;;) {
    const parts = isReference ? SHOWN_REFERENCE : await checkShown();
    // Without a reference, what has passed is served until everything passes again.
    const change = hasReference || isComplete(parts) ? await keeper.use(parts) : 'none';
    if (change !== 'failed') {
      const lines = newLines(shown, parts);
      if (lines.length === 0 && change === 'replaced') lines.push('  Your new code is at work.');
      if (lines.length > 0) console.log(lines.join('\n'));
      shown = parts;
    }
    await changes.next();
  }
}

function refusal({ code, message }: PortError, port: number): Error {
  if (code === 'EADDRINUSE') {
    return new UsageError(`Port ${port} is in use. Without --port, the system finds a free one.`);
  }
  if (code === 'EACCES') {
    return new UsageError(`Port ${port} is not for everybody. Take one above 1023.`);
  }
  return new UsageError(message);
}

function welcome(url: string, parts: readonly Part[]): string[] {
  return [
    '',
    `  ${style.bold(url)}`,
    '',
    '  Open the page in a browser, and try:',
    '',
    '  Connect, send 你好，世界, and see every byte that crosses the wire',
    '  Open a second tab, and chat from one to the other',
    '  Close with a code and a reason, or stop this server while a page is open',
    '',
    '  Ctrl-C stops it.',
    '',
    `  ${sayWhose(parts)}`,
  ];
}

function sayWhose(parts: readonly Part[]): string {
  if (isComplete(parts)) return 'Your lessons are at work.';
  return `The reference is at work${parts === UNCHECKED ? ', until your lessons are checked' : ''}.`;
}

/** A line for each part that is another than before. */
function newLines(before: readonly Part[], now: readonly Part[]): string[] {
  return now
    .filter((part) => {
      const last = before.find(({ number }) => number === part.number);
      return part.isYours !== last?.isYours || part.until !== last?.until;
    })
    .map(renderPart);
}

/** Resolves with the first signal to end. At the second one, nobody gets time to say goodbye. */
function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.once(signal, () => {
        process.once(signal, () => process.exit(130));
        resolve();
      });
    }
  });
}

/** Whatever ends a command, and whenever: no process goes on, not even one in an endless loop. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { ROOT } from '../../shared/course/lessons.ts';
import { familyOf } from './family.ts';
import { listSources } from './imports.ts';
import { ENV, LAUNCH, type Sandbox, STANDSTILL, scriptOf, withSandbox } from './sandbox.ts';

/** How long anything may take before we say that it hangs, in milliseconds. */
const PATIENCE = { timeout: 60_000, interval: 50 };
const FOLDER = 'lessons/03-sending-frames';

/** A command, and how it is ended while the learner's code does not come back. */
const ENDINGS: readonly (readonly [command: string, signal: NodeJS.Signals])[] = [
  ['test 03', 'SIGINT'],
  ['test 03', 'SIGTERM'],
  ['test 03', 'SIGHUP'],
  // It starts no type checker, and nothing in that would see that its parent was killed.
  ['diff 03', 'SIGKILL'],
  ['start', 'SIGTERM'],
];

/**
 * Makes a lesson whose code says that it runs, and never comes back. The type checker does not
 * come back either: nobody writes into the pipe that it reads.
 */
function makeEndless(sandbox: Sandbox): { readonly isRunning: () => boolean } {
  const sign = join(sandbox.folder, 'running');
  const pipe = join(sandbox.folder, FOLDER, 'never.ts');
  rmSync(sign, { force: true });
  execFileSync('mkfifo', [pipe]);
  sandbox.write(
    `${FOLDER}/sending.ts`,
    `import { writeFileSync } from 'node:fs'; import type {} from './never.ts';
writeFileSync(${JSON.stringify(sign)}, '');
${STANDSTILL}
`,
  );
  return { isRunning: () => existsSync(sign) };
}

/** Ends a command in the middle, and waits until nothing of it is left. */
function expectEnd(
  start: (words: readonly string[], sandbox: Sandbox) => ChildProcess,
  command: string,
  signal: NodeJS.Signals,
): Promise<void> {
  return withSandbox(async (sandbox) => {
    const { isRunning } = makeEndless(sandbox);
    const [name = '', ...args] = command.split(' ');
    const child = start([LAUNCH, scriptOf(name), ...args], sandbox);
    await vi.waitFor(() => expect(isRunning()).toBe(true), PATIENCE);

    const family = familyOf(child.pid as number);
    expect(family.length).toBeGreaterThan(1);
    const left = () => family.flatMap(familyOf);
    child.kill(signal);
    try {
      await vi.waitFor(() => expect(left()).toEqual([]), PATIENCE);
    } finally {
      for (const pid of left()) process.kill(pid, 'SIGKILL');
    }
  });
}

describe.skipIf(process.platform === 'win32').concurrent('no process is left', () => {
  const options = (sandbox: Sandbox) =>
    ({ cwd: sandbox.folder, env: ENV, stdio: 'ignore' }) as const;

  test.each(ENDINGS)('of npm run %s by %s', (command, signal) =>
    expectEnd(
      (words, sandbox) => spawn(process.execPath, words, options(sandbox)),
      command,
      signal,
    ),
  );

  test('when the shell of npm is killed, which tells nobody', () =>
    expectEnd(
      (words, sandbox) => {
        const typed = `"${process.execPath}" ${words.join(' ')}; exit`;
        return spawn('sh', ['-c', typed], options(sandbox));
      },
      'test 03',
      'SIGKILL',
    ));
});

test('processes are started in one place', () => {
  const starters = [...listSources('shared'), ...listSources('test/mutation')].filter((path) =>
    /^import \{[^}]*\} from 'node:child_process'/m.test(readFileSync(join(ROOT, path), 'utf8')),
  );
  expect(starters).toEqual(['shared/process/children.ts']);
});

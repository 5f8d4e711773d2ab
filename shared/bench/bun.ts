/** Bun, fetched for one run. */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UsageError } from '../course/lessons.ts';
import { spawnChild } from '../process/children.ts';

const VERSION = '1.4.5';

/** What the contestant is called. */
export const BUN_NAME = `bun ${VERSION}`;

/**
 * Installs Bun in a temporary folder that is gone when this process is, with npm and nothing else:
 * its packages have the program in them, so no script of theirs is run. Returns the path of the
 * program. Throws `UsageError` when npm cannot fetch it, and when there is none for this machine.
 */
export async function fetchBun(): Promise<string> {
  const npm = process.env.npm_execpath;
  if (npm === undefined) throw new UsageError('Bun is fetched by npm. Start with npm run bench.');
  const folder = mkdtempSync(join(tmpdir(), 'websocket-101-bun-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const options = ['--no-save', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'];
  const { code, output } = await run(process.execPath, [
    npm,
    'install',
    ...options,
    '--prefix',
    folder,
    `bun@${VERSION}`,
  ]);
  if (code !== 0)
    throw new UsageError(`npm could not fetch Bun ${VERSION}. It says:\n${output.trim()}`);
  for (const program of programsIn(join(folder, 'node_modules/@oven'))) {
    const { code } = await run(program, ['--version']);
    if (code === 0) return program;
  }
  throw new UsageError(`There is no Bun ${VERSION} for this machine.`);
}

/** Lists the programs that came: some machines get several, for older processors. */
function programsIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).toSorted();
  return names
    .flatMap((name) => ['bun', 'bun.exe'].map((program) => join(folder, name, 'bin', program)))
    .filter((path) => existsSync(path));
}

async function run(
  program: string,
  args: readonly string[],
): Promise<{ code: number | null; output: string }> {
  const child = spawnChild(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const code = await new Promise<number | null>((resolve) => {
    child.once('error', () => resolve(null));
    child.once('close', resolve);
  });
  return { code, output };
}

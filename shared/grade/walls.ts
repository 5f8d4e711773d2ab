/** What a process with code that nobody trusts is surrounded by. */
import type { ChildProcess, StdioOptions } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../course/lessons.ts';
import { spawnChild } from '../process/children.ts';
import { type Limits, withLimits } from '../process/limits.ts';

/** How much memory the code may take for its objects, in MiB. */
const MAX_HEAP_MIB = 512;

/** Whether this Node has an option. */
const has = (option: string) => process.allowedNodeEnvironmentFlags.has(option);

/** The name of Node's permission model. */
const PERMISSION = has('--permission') ? '--permission' : '--experimental-permission';

/** How a process is walled in. */
export interface Walls {
  readonly network: boolean;
  readonly limits: Limits;
  /** A module of the folder that is loaded before JavaScript is frozen. Absent: there is none. */
  readonly first?: string | undefined;
}

/** Starts a module of a folder, which can read that folder, and next to nothing else. */
export function startWalled(
  folder: string,
  module: string,
  args: readonly string[],
  { network, limits, first }: Walls,
): ChildProcess {
  const node = [
    PERMISSION,
    `--allow-fs-read=${folder}`,
    `--allow-fs-read=${realpathSync(join(ROOT, 'node_modules'))}`,
    ...(network && has('--allow-net') ? ['--allow-net'] : []),
    '--frozen-intrinsics',
    '--disallow-code-generation-from-strings',
    '--enable-source-maps',
    // What a buffer was before stays unknown: it may have been a message of the check.
    '--zero-fill-buffers',
    '--no-warnings',
    `--max-old-space-size=${MAX_HEAP_MIB}`,
    ...(first ? ['--require', first] : []),
    module,
    ...args,
  ];
  const stdio: StdioOptions = ['pipe', 'ignore', 'pipe', 'pipe'];
  const env = { TMPDIR: folder, NO_COLOR: '1', ...seed() };
  const options = { cwd: folder, env, stdio };
  return spawnChild(...withLimits(process.execPath, node, limits), options);
}

/** The seed of the checks is the only thing of our environment that they need. */
function seed(): { readonly SEED?: string } {
  return process.env.SEED === undefined ? {} : { SEED: process.env.SEED };
}

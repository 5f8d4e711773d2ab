/** What a process with code that nobody trusts is surrounded by. */
import type { ChildProcess, StdioOptions } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../course/lessons.ts';
import { spawnChild } from '../process/children.ts';

/** How much memory the code may take for its objects, in MiB. */
const MAX_HEAP_MIB = 512;
/** How much for everything, buffers as well, in MiB, where the system keeps such a limit. */
const MAX_DATA_MIB = 1536;

/** Whether this Node has an option. */
const has = (option: string) => process.allowedNodeEnvironmentFlags.has(option);

/** The name of Node's permission model. */
const PERMISSION = has('--permission') ? '--permission' : '--experimental-permission';

/** The limits of the system: processor time in seconds, no files, no dump of the memory. */
const limits = (cpuSeconds: number) =>
  `ulimit -t ${cpuSeconds}; ulimit -f 0; ulimit -c 0; ulimit -d ${MAX_DATA_MIB * 1024}; exec "$0" "$@"`;

/** Starts a module of a folder, which can read that folder, and next to nothing else. */
export function startWalled(
  folder: string,
  module: string,
  args: readonly string[],
  { network, cpuSeconds }: { readonly network: boolean; readonly cpuSeconds: number },
): ChildProcess {
  const node = [
    PERMISSION,
    `--allow-fs-read=${folder}`,
    `--allow-fs-read=${realpathSync(join(ROOT, 'node_modules'))}`,
    ...(network && has('--allow-net') ? ['--allow-net'] : []),
    '--frozen-intrinsics',
    '--disallow-code-generation-from-strings',
    '--enable-source-maps',
    '--no-warnings',
    `--max-old-space-size=${MAX_HEAP_MIB}`,
    module,
    ...args,
  ];
  const stdio: StdioOptions = ['pipe', 'ignore', 'pipe', 'pipe'];
  const env = { TMPDIR: folder, NO_COLOR: '1', ...seed() };
  const options = { cwd: folder, env, stdio };
  return process.platform === 'win32'
    ? spawnChild(process.execPath, node, options)
    : spawnChild('/bin/sh', ['-c', limits(cpuSeconds), process.execPath, ...node], options);
}

/** The seed of the checks is the only thing of our environment that they need. */
function seed(): { readonly SEED?: string } {
  return process.env.SEED === undefined ? {} : { SEED: process.env.SEED };
}

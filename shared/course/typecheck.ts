import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { spawnChild } from '../process/children.ts';
import { type Limits, withLimits } from '../process/limits.ts';
import { fileOf, ROOT, type Target } from './lessons.ts';

/** What the type checker does not like. */
export interface Complaint {
  /** Such as `lessons/02-reading-frames/reading.ts:12:5`, which a terminal can open. */
  readonly place: string;
  /** What it says, with its number behind it. */
  readonly text: string;
}

/** Where to check, and what that may use at most; otherwise, the project, and what it needs. */
interface Bounds {
  readonly root?: string;
  readonly limits?: Limits | undefined;
}

/** For one file, threads cost more than they save. */
const FLAGS = ['--ignoreConfig', '--singleThreaded', '--pretty', 'false'];

/**
 * Starts the type checker over the file of a lesson, with the options of the project, and returns
 * its complaints about what is in that folder. `root` is where a copy of the project is.
 *
 * What the file does not import is left out: the whole project would take three times as long.
 */
export function typeErrors(target: Target, root = ROOT, limits?: Limits): Promise<Complaint[]> {
  const file = fileOf(target);
  return complaintsOf([file], dirname(file), {}, { root, limits });
}

/**
 * Starts the type checker over these files, and returns its complaints about what is in `folder`.
 * Paths are those from the root of the project, or of a copy. `changes` are options that differ from its own.
 */
export function complaintsOf(
  files: readonly string[],
  folder: string,
  changes: Readonly<Record<string, boolean>> = {},
  { root = ROOT, limits }: Bounds = {},
): Promise<Complaint[]> {
  const { compilerOptions } = JSON.parse(readFileSync(join(ROOT, 'tsconfig.json'), 'utf8'));
  const options = Object.entries({ ...compilerOptions, ...changes }).flatMap(([name, value]) => [
    `--${name}`,
    String(value),
  ]);
  const words = [...FLAGS, ...options, ...files];
  const compiler = findCompiler();
  const [program, args] = limits ? withLimits(compiler, words, limits) : [compiler, words];
  const tsc = spawnChild(program, args, {
    cwd: root,
    stdio: ['ignore', 'pipe', limits ? 'ignore' : 'inherit'],
  });
  let output = '';
  tsc.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  return new Promise((resolve, reject) => {
    tsc.on('error', reject);
    tsc.on('close', (code) => {
      const hasEnded = code === 0 || /\berror TS\d/.test(output);
      const broken = { place: files[0] ?? folder, text: 'The type checker came to no end.' };
      resolve(hasEnded ? readComplaints(output, folder) : [broken]);
    });
  });
}

/** Reads what the compiler has written about the files of a folder: a line each. */
export function readComplaints(output: string, folder: string): Complaint[] {
  const lines = output.matchAll(/^(\S.*)\((\d+),(\d+)\): error (TS\d+): (.*?)\r?$/gm);
  return [...lines]
    .filter(([line]) => line.startsWith(`${folder}/`))
    .map(([, file, line, column, code, text]) => {
      return { place: `${file}:${line}:${column}`, text: `${text} (${code})` };
    });
}

/** Finds the compiler itself: the script in front of it would be one more process, for nothing. */
function findCompiler(): string {
  const typescript = createRequire(import.meta.url).resolve('typescript/package.json');
  const platform = `@typescript/typescript-${process.platform}-${process.arch}`;
  const folder = dirname(createRequire(typescript).resolve(`${platform}/package.json`));
  return join(folder, 'lib', process.platform === 'win32' ? 'tsc.exe' : 'tsc');
}

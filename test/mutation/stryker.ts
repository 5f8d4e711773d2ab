/** Changes the solutions, one small thing at a time, and sees whether the specs notice. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileOf, type Lesson, ROOT, UsageError } from '../../shared/course/lessons.ts';
import { spawnChild } from '../../shared/process/children.ts';
import { statusLine } from '../../shared/view/status-line.ts';

/** One change of a solution. */
export interface Mutant {
  /** The line that it is in, counted from 1, and its text without indentation. */
  readonly number: number;
  readonly line: string;
  /** What is changed, up to the end of its line, and into what. */
  readonly from: string;
  readonly to: string;
  /** `Survived` and `NoCoverage`: no step goes red. `Timeout`: it would never have ended. */
  readonly status: 'Killed' | 'Timeout' | 'Survived' | 'NoCoverage' | 'RuntimeError';
}

/** Fetched for the run: no learner needs it. Its newest version does not run on Node 20. */
const VERSION = Number(process.versions.node.split('.')[0]) >= 22 ? '10.1.1' : '9.6.1';

/**
 * By its number, the lesson whose steps also come through a lesson's hooks. In lesson 06, they are
 * nobody's: whoever finished it before they were there has nothing to add, up to lesson 07. The same
 * goes for the hook in lesson 05 that lesson 08 uses.
 */
const USED_IN: Readonly<Record<string, string>> = { '05': '08', '06': '07' };

/** The form in which Stryker reports; its lines and columns count from 1. */
interface Report {
  readonly files: Readonly<
    Record<
      string,
      {
        readonly source: string;
        readonly mutants: readonly {
          readonly status: Mutant['status'];
          readonly replacement: string;
          readonly location: Readonly<Record<'start' | 'end', { line: number; column: number }>>;
        }[];
      }
    >
  >;
}

/** A copy of the project that has Stryker, in a temporary folder that is gone when this process is. */
export class Laboratory {
  readonly #folder = mkdtempSync(join(tmpdir(), 'websocket-101-mutants-'));

  constructor() {
    process.once('exit', () => {
      // Thousands of files: on a busy machine, that takes seconds.
      statusLine('Removing the temporary folder.');
      rmSync(this.#folder, { recursive: true, force: true });
      statusLine('');
    });
    for (const name of ['solutions', 'shared', 'test', 'package.json', 'package-lock.json']) {
      cpSync(join(ROOT, name), join(this.#folder, name), { recursive: true });
    }
  }

  /** Installs what is needed. Throws `UsageError` with what npm says when that fails. */
  async install(): Promise<void> {
    const packages = ['core', 'vitest-runner'].map((it) => `@stryker-mutator/${it}@${VERSION}`);
    const npm = process.env.npm_execpath;
    if (npm === undefined) throw new UsageError('Start it with npm: npm run mutate');
    const options = ['--no-save', '--no-audit', '--no-fund', '--loglevel=error'];
    const { code, output } = await this.#run(npm, 'install', ...options, ...packages);
    if (code !== 0) {
      throw new UsageError(`npm could not fetch StrykerJS ${VERSION}. It says:\n${output.trim()}`);
    }
  }

  /**
   * Makes every mutant of a solution, and runs the steps of its lesson over each. Throws
   * `UsageError` when that cannot begin, as with a solution that is red as it is.
   */
  async mutate(lesson: Lesson): Promise<Mutant[]> {
    const file = fileOf({ side: 'solutions', lesson });
    const report = join(this.#folder, 'report.json');
    const numbers = [lesson.number, USED_IN[lesson.number]].filter((it) => it !== undefined);
    const include = numbers.map((number) => `solutions/${number}-*/*.test.ts`);
    this.#write(
      'vitest.mutants.config.js',
      // Stryker ends what goes on for ever, by a limit that it takes from a run without mutants.
      `export default { test: { include: ${JSON.stringify(include)}, bail: 1, testTimeout: 120_000 } };`,
    );
    this.#write(
      'stryker.config.json',
      JSON.stringify({
        testRunner: 'vitest',
        vitest: { configFile: 'vitest.mutants.config.js', related: false },
        plugins: ['@stryker-mutator/vitest-runner'],
        mutate: [file],
        // Only the steps that come through a mutant can notice it.
        coverageAnalysis: 'perTest',
        // A server spends most of its time waiting.
        concurrency: availableParallelism() + (lesson.needs ? 2 : 0),
        timeoutMS: 5000,
        allowConsoleColors: false,
        reporters: ['json'],
        jsonReporter: { fileName: report },
        // It would read it with an API that TypeScript 7 does not have.
        tsconfigFile: 'none',
      }),
    );
    const stryker = join(this.#folder, 'node_modules/@stryker-mutator/core/bin/stryker.js');
    const { code, output } = await this.#run(stryker, 'run');
    if (code !== 0) {
      const problems = output.split('\n').filter((line) => line.includes(' ERROR '));
      throw new UsageError(
        `StrykerJS could not do its work. Is ${file} green? npm test solutions/${lesson.number}\n${problems.join('\n') || output}`,
      );
    }
    return mutantsOf(JSON.parse(readFileSync(report, 'utf8')) as Report, basename(file));
  }

  #write(name: string, text: string): void {
    writeFileSync(join(this.#folder, name), text);
  }

  /** Runs a program of Node in the folder. Returns its exit code, and what it said. */
  #run(program: string, ...args: readonly string[]): Promise<{ code: number; output: string }> {
    const child = spawnChild(process.execPath, [program, ...args], {
      cwd: this.#folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code) => resolve({ code: code ?? 1, output }));
    });
  }
}

function mutantsOf({ files }: Report, name: string): Mutant[] {
  const [, found] = Object.entries(files).find(([path]) => basename(path) === name) ?? [];
  if (!found) throw new Error(`Stryker did not report on ${name}.`);
  const lines = found.source.split('\n');
  return found.mutants.map(({ status, replacement, location: { start, end } }) => {
    const line = lines[start.line - 1] ?? '';
    const to = end.line === start.line ? end.column - 1 : undefined;
    return {
      number: start.line,
      line: line.trim(),
      from: line.slice(start.column - 1, to),
      to: replacement,
      status,
    };
  });
}

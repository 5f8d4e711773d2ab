/** Checks one file behind walls: a copy of the course, of which it can read that and change nothing. */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileOf, type Lesson, ROOT, type Target } from '../course/lessons.ts';
import { typeErrors } from '../course/typecheck.ts';
import { pipesOf } from '../harness/channel.ts';
import type { Failure } from '../harness/facts.ts';
import { toLoadFailure } from '../harness/load-failure.ts';
import type { Run } from '../harness/record.ts';
import { follow } from '../harness/supervise.ts';
import { CHILD, nameOf, translate, writeCourse } from './course.ts';
import type { Checked } from './result.ts';
import { foreignIn } from './rules.ts';
import { startWalled } from './walls.ts';

/**
 * How long nothing may be heard of a step, in milliseconds: nobody sits and waits, and others are
 * checked at the same time.
 */
const PATIENCE_MS = 20_000;
/** How much memory a check may take for everything, buffers as well, in MiB. */
const MAX_DATA_MIB = 1536;

/** What counts the work of code, where the checks of a lesson do that. */
const COUNTING = 'shared/kit/work.ts';

/** Files of a lesson, by their paths in the course, such as `lessons/02-reading-frames/reading.ts`. */
export type Files = ReadonlyMap<string, Uint8Array>;

/** How to check. */
export interface Conditions {
  /** What code may refer to, although it is on no list. */
  readonly allowed: readonly string[];
  /** How long a check may take as a whole, in seconds. */
  readonly limitSeconds: number;
}

/** Makes copies of the course, checks files in them, and removes them. */
export class Checker {
  readonly #folder = realpathSync(mkdtempSync(join(tmpdir(), 'websocket-101-grade-')));
  readonly #courses = new Map<Lesson, string>();
  readonly #conditions: Conditions;
  #count = 0;

  constructor(conditions: Conditions) {
    this.#conditions = conditions;
  }

  /** Removes everything that is left. */
  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /**
   * Checks a lesson: `own` are the files that were handed in for it, and `base` those of the lessons
   * it is made of. Never throws for what they do.
   */
  async check(lesson: Lesson, own: Files, base: Files): Promise<Checked> {
    const started = performance.now();
    const { allowed } = this.#conditions;
    const folder = join(this.#folder, `${++this.#count}`);
    const done = (result: Partial<Checked>): Checked => ({
      foreign: [],
      broken: undefined,
      results: [],
      complaints: [],
      ...result,
      seconds: Math.round(performance.now() - started) / 1000,
    });
    try {
      const types = join(folder, 'types');
      writeTypes(types, [...own, ...base]);
      const files = [...own, ...base].map(([path, bytes]) => [path, textOf(bytes)] as const);
      const course = join(folder, 'run');
      const modules = files.map(([path, text]) => {
        return [nameOf(course, path), translate(types, path, text)] as const;
      });
      const foreign = files
        .filter(([path]) => own.has(path))
        .flatMap(([path, text]) => foreignIn(path, text, lesson, allowed));
      if (foreign.length > 0) return done({ foreign });
      cpSync(this.#courseOf(lesson), course, { recursive: true, verbatimSymlinks: true });
      for (const [path, code] of modules) write(path, code);
      return done(await this.#run({ side: 'lessons', lesson }, course, types));
    } catch (error) {
      const file = fileOf({ side: 'lessons', lesson });
      const isTheirs = error instanceof SyntaxError;
      const broken = isTheirs ? toLoadFailure(error, file, join(folder, 'types')) : ourFault(error);
      return done({ broken });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  async #run(target: Target, folder: string, types: string): Promise<Partial<Checked>> {
    const { lesson } = target;
    const { limitSeconds, allowed } = this.#conditions;
    const limits = { cpuSeconds: limitSeconds, dataMib: MAX_DATA_MIB };
    const words = [`lessons/${lesson.number}`, 'walled', ...allowed];
    const counting = nameOf(folder, COUNTING);
    const child = startWalled(folder, nameOf(folder, CHILD), words, {
      network: lesson.needs !== undefined,
      limits,
      first: existsSync(counting) ? counting : undefined,
    });
    const waits = { limitMs: limitSeconds * 1000, patienceMs: PATIENCE_MS };
    const { broken, results }: Run = await follow(child, pipesOf(child), target, waits);
    // One after the other: there are others to check meanwhile, and of what is broken nobody asks.
    return {
      broken,
      results,
      complaints: broken ? [] : await typeErrors(target, types, limits),
    };
  }

  /** The checks of a lesson, translated once. */
  #courseOf(lesson: Lesson): string {
    const known = this.#courses.get(lesson);
    if (known) return known;
    const folder = join(this.#folder, `course-${lesson.number}`);
    const more = this.#conditions.allowed.filter((name) =>
      /^(shared|solutions)\/.*\.ts$/.test(name),
    );
    writeCourse(lesson, folder, more);
    this.#courses.set(lesson, folder);
    return folder;
  }
}

/** Says why there was no check. The others go on. */
function ourFault(error: unknown): Failure {
  const facts = [['it says', String(error)]] as const;
  return { kind: 'crash', what: 'The check itself could not start.', facts };
}

/** The files as they were handed in, and what their types are checked with. */
function writeTypes(folder: string, files: Iterable<readonly [string, Uint8Array]>): void {
  for (const [path, bytes] of files) write(join(folder, path), bytes);
  write(join(folder, 'package.json'), '{ "type": "module" }\n');
  for (const name of ['shared', 'node_modules']) {
    symlinkSync(realpathSync(join(ROOT, name)), join(folder, name), 'junction');
  }
}

function write(path: string, content: string | Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}

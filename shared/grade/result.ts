/** What comes out of a check, for machines: plain data, as `schema.json` describes it. */
import { stripVTControlCharacters } from 'node:util';
import type { Lesson, Target } from '../course/lessons.ts';
import type { Complaint } from '../course/typecheck.ts';
import type { Failure, StepResult } from '../harness/facts.ts';
import { renderBroken, renderRun } from '../harness/report.ts';
import { toHex } from '../view/hex.ts';
import type { Foreign } from './rules.ts';

/** The version of all that is in this file. A field that is new does not change it. */
export const SCHEMA = 1;

/** How wide texts are, in columns. */
const WIDTH = 80;

/** All results of a run. */
export interface Results {
  readonly schema: typeof SCHEMA;
  /** SHA-256 over all files of the checks: the same checks have the same. */
  readonly course: string;
  /** The version of Node. */
  readonly node: string;
  readonly students: readonly StudentResult[];
}

export interface StudentResult {
  readonly name: string;
  readonly points: number;
  readonly max: number;
  readonly lessons: readonly LessonResult[];
  /** What was wrong with what was handed in, in sentences. */
  readonly problems: readonly string[];
}

/**
 * `passes`: all steps, and the types. `partly`: some do not. `broken`: no step could run. `refused`:
 * nothing was run, since the code refers to what it may not. `missing`: nothing was handed in.
 */
export type State = 'passes' | 'partly' | 'broken' | 'refused' | 'missing';

export interface LessonResult {
  /** Such as `02`. */
  readonly lesson: string;
  readonly title: string;
  readonly state: State;
  /** Where its file was found, if there was one. */
  readonly file?: string;
  readonly points: number;
  readonly max: number;
  readonly steps: readonly StepOutcome[];
  /** Why no step could run. */
  readonly broken?: FailureResult;
  /** What the type checker says. */
  readonly typeErrors: readonly { readonly place: string; readonly text: string }[];
  /** What the code refers to and may not: `name` is what `--allow` takes. */
  readonly refused: readonly {
    readonly name: string;
    readonly file: string;
    readonly line: number;
  }[];
  /** The lessons that the reference stood in for. */
  readonly reference: readonly string[];
  /** All of it as `npm test` tells it, in 80 columns. */
  readonly text: string;
  /** How long it took. */
  readonly seconds: number;
  /** The same files, checks and options have the same. Empty: nobody will look for it. */
  readonly key: string;
}

export interface StepOutcome {
  /** From 1. */
  readonly number: number;
  readonly title: string;
  readonly section: string;
  readonly passes: boolean;
  readonly points: number;
  readonly max: number;
  readonly scenarios: {
    readonly total: number;
    /** Counted where the step passes, and at the first that does not; `null` elsewhere. */
    readonly passed: number | null;
  };
  readonly failure?: FailureResult;
  /** What the code printed. */
  readonly output: string;
}

export interface FailureResult {
  readonly kind: Failure['kind'];
  readonly what: string;
  readonly scenario?: string;
  readonly facts: readonly { readonly label: string; readonly value: string }[];
  readonly cause?: string;
  readonly section?: string;
}

/** What came of a check. */
export interface Checked {
  /** What was named, so that nothing has run. */
  readonly foreign: readonly Foreign[];
  /** Why no step could run. */
  readonly broken: Failure | undefined;
  readonly results: readonly StepResult[];
  readonly complaints: readonly Complaint[];
  readonly seconds: number;
}

/** All results, with what they depend on. */
export function toResults(students: readonly StudentResult[], course: string): Results {
  return { schema: SCHEMA, course, node: process.version, students };
}

/** All of one student's lessons together. */
export function toStudent(
  name: string,
  lessons: readonly LessonResult[],
  problems: readonly string[] = [],
): StudentResult {
  const points = sum(lessons.map(({ points }) => points));
  return { name, points, max: sum(lessons.map(({ max }) => max)), lessons, problems };
}

/** Makes a lesson's result of its check. `points` is what each step is worth. */
export function toResult(
  lesson: Lesson,
  file: string,
  checked: Checked,
  points: readonly number[],
  {
    reference = [],
    key = '',
  }: { readonly reference?: readonly string[]; readonly key?: string } = {},
): LessonResult {
  const { broken, complaints, foreign, seconds } = checked;
  const steps = broken ? [] : checked.results.map((step, i) => stepOf(step, points[i] ?? 0));
  return {
    lesson: lesson.number,
    title: lesson.title,
    state: stateOf(checked),
    file,
    points: sum(steps.map(({ points }) => points)),
    max: sum(points),
    steps,
    ...(broken && { broken: failureOf(broken) }),
    typeErrors: complaints,
    refused: foreign,
    reference,
    text: textOf(lesson, checked),
    seconds,
    key,
  };
}

/** The result of a lesson that was not handed in. */
export function missing({ number, title }: Lesson, points: readonly number[]): LessonResult {
  return {
    lesson: number,
    title,
    state: 'missing',
    points: 0,
    max: sum(points),
    steps: [],
    typeErrors: [],
    refused: [],
    reference: [],
    text: '',
    seconds: 0,
    key: '',
  };
}

/** The same result where the steps are worth something else. */
export function withPoints(result: LessonResult, points: readonly number[]): LessonResult {
  const steps = result.steps.map((step, i) => {
    const max = points[i] ?? 0;
    return { ...step, points: step.passes ? max : 0, max };
  });
  return { ...result, steps, points: sum(steps.map(({ points }) => points)), max: sum(points) };
}

/** What a check has to say, as the student would have seen it. */
function textOf(lesson: Lesson, { foreign, broken, results, complaints }: Checked): string {
  const target: Target = { side: 'lessons', lesson };
  if (foreign.length > 0) return foreign.map(sayForeign).join('\n');
  const lines = broken
    ? renderBroken(target, broken, WIDTH)
    : renderRun(target, results, complaints, WIDTH);
  return stripVTControlCharacters(lines.join('\n'));
}

/** Says what a file refers to, and how to allow it. */
export function sayForeign({ file, line, name }: LessonResult['refused'][number]): string {
  return `${file}:${line} refers to ${name}. To run it all the same: --allow ${name}`;
}

/** Adds up, so that tenths do not become `0.30000000000000004`. */
export function sum(numbers: readonly number[]): number {
  return Math.round(numbers.reduce((all, one) => all + one, 0) * 1e6) / 1e6;
}

/** Tells what came of a check as a whole. */
export function stateOf({ broken, foreign, results, complaints }: Checked): State {
  if (foreign.length > 0) return 'refused';
  if (broken || results.length === 0) return 'broken';
  const isDone = results.every(({ failure }) => !failure) && complaints.length === 0;
  return isDone ? 'passes' : 'partly';
}

function stepOf(step: StepResult, max: number): StepOutcome {
  const { number, title, section, scenarios, passed, failure, output } = step;
  return {
    number,
    title,
    section,
    passes: failure === undefined,
    points: failure ? 0 : max,
    max,
    scenarios: { total: scenarios, passed: failure ? (passed ?? null) : scenarios },
    ...(failure && { failure: failureOf(failure) }),
    output,
  };
}

function failureOf({ kind, what, scenario, facts, cause, section }: Failure): FailureResult {
  return {
    kind,
    what,
    ...(scenario && { scenario }),
    facts: facts.map(([label, value]) => {
      return { label, value: typeof value === 'string' ? value : toHex(value.bytes) };
    }),
    ...(cause && { cause }),
    ...(section && { section }),
  };
}

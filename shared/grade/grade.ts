/** Grades what a class has handed in: several at a time, none of which can stop the others. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileOf, type Lesson, neededBy, ROOT } from '../course/lessons.ts';
import { hasSolution } from '../course/solution.ts';
import type { Checker, Conditions, Files } from './check.ts';
import type { Points } from './points.ts';
import {
  type LessonResult,
  missing,
  SCHEMA,
  type StudentResult,
  toResult,
  toStudent,
  withPoints,
} from './result.ts';
import type { Submission } from './submissions.ts';

/** What to grade, and how. */
export interface Order extends Conditions {
  readonly lessons: readonly Lesson[];
  readonly points: Points;
  /** How many students at a time. */
  readonly atOnce: number;
  /** What stands for the checks: other checks have another. */
  readonly course: string;
  /** What is known from before, by its key. */
  readonly known: ReadonlyMap<string, LessonResult>;
}

/** Grades all, in any order, and tells of each when it is done. Returns them in their order. */
export async function gradeAll(
  submissions: readonly Submission[],
  order: Order,
  checker: Checker,
  tell: (result: StudentResult, at: number) => void,
): Promise<StudentResult[]> {
  const results: StudentResult[] = [];
  let next = 0;
  const work = async () => {
    for (let at = next++; at < submissions.length; at = next++) {
      const result = await new Grader(submissions[at]!, order, checker).grade();
      results[at] = result;
      tell(result, at);
    }
  };
  await Promise.all(Array.from({ length: order.atOnce }, work));
  return results;
}

/** Grades one student. */
class Grader {
  readonly #submission: Submission;
  readonly #order: Order;
  readonly #checker: Checker;
  readonly #results = new Map<Lesson, LessonResult>();

  constructor(submission: Submission, order: Order, checker: Checker) {
    this.#submission = submission;
    this.#order = order;
    this.#checker = checker;
  }

  async grade(): Promise<StudentResult> {
    const { name, problems } = this.#submission;
    const lessons: LessonResult[] = [];
    for (const lesson of this.#order.lessons) lessons.push(await this.#resultOf(lesson));
    return toStudent(name, lessons, problems);
  }

  async #resultOf(lesson: Lesson): Promise<LessonResult> {
    const result = this.#results.get(lesson) ?? (await this.#check(lesson));
    this.#results.set(lesson, result);
    return result;
  }

  async #check(lesson: Lesson): Promise<LessonResult> {
    const points = this.#order.points.get(lesson) ?? [];
    const work = this.#workFor(lesson);
    if (!work) return missing(lesson, points);
    const base = new Map<string, Uint8Array>();
    const reference: string[] = [];
    for (const needed of neededBy(lesson)) {
      const { files, isReference } = await this.#standIn(needed);
      for (const [path, bytes] of files) base.set(path, bytes);
      if (isReference) reference.push(needed.number);
    }
    const key = this.#keyOf(lesson, [...work.files, ...base]);
    const known = this.#order.known.get(key);
    // The same bytes may have come from elsewhere.
    if (known) return { ...withPoints(known, points), file: work.path, reference };
    const checked = await this.#checker.check(lesson, work.files, base);
    return toResult(lesson, work.path, checked, points, { reference, key });
  }

  #workFor(lesson: Lesson) {
    return this.#submission.works.find((work) => work.lesson === lesson);
  }

  /** What a later lesson is made of: the student's own when its steps pass, or else the reference. */
  async #standIn(lesson: Lesson): Promise<{ files: Files; isReference: boolean }> {
    const path = fileOf({ side: 'lessons', lesson });
    const reference = join(ROOT, fileOf({ side: 'solutions', lesson }));
    const own = this.#workFor(lesson)?.files;
    // What students get has no reference. What may not run there alone may not run here either.
    const hasReference = hasSolution(lesson);
    const { steps, state } = await this.#resultOf(lesson);
    const passes = steps.length > 0 && steps.every(({ passes }) => passes);
    const isOnly = !hasReference && state !== 'refused';
    if (own && (passes || isOnly)) return { files: own, isReference: false };
    if (!hasReference) return { files: new Map(), isReference: false };
    return { files: new Map([[path, readFileSync(reference)]]), isReference: true };
  }

  #keyOf({ number }: Lesson, files: readonly (readonly [string, Uint8Array])[]): string {
    const { course, allowed, limitSeconds } = this.#order;
    const seed = process.env.SEED ?? '';
    const hash = createHash('sha256');
    hash.update(JSON.stringify([SCHEMA, course, number, allowed, limitSeconds, seed]));
    for (const [path, bytes] of files) hash.update(`${path}\n${bytes.length}\n`).update(bytes);
    return hash.digest('hex');
  }
}

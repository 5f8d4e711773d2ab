import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fileOf, LESSONS, type Lesson, ROOT, type Side } from '../../shared/course/lessons.ts';
import { makePartial, makeStub } from '../../shared/course/stub.ts';
import type { Failure } from '../../shared/harness/facts.ts';
import { firstFailure, runStep } from '../../shared/harness/run.ts';
import { loadSpec } from '../../shared/harness/spec.ts';
import { loadVariant } from '../traps/load-variant.ts';

function read(side: Side, lesson: Lesson): string {
  return readFileSync(join(ROOT, fileOf({ side, lesson })), 'utf8');
}

/** Says whether a lesson's file has work in it. An old stub has none: it has to be made again. */
function isWork(file: string, stub: string): boolean {
  const withoutSteps = (source: string) => source.replace(/new Todo\('[\d.]*'\)/g, 'new Todo()');
  const linesOf = (source: string) => source.replace(/^import [^;]*;\n/gm, '').split('\n');
  try {
    if (withoutSteps(makeStub(file, '')) !== withoutSteps(file)) return true;
    // No code yet, but perhaps an import or a constant: all of the stub is there, and more.
    const lines = linesOf(file);
    return file !== stub && linesOf(stub).every((line) => lines.includes(line));
  } catch {
    return true; // It does not parse.
  }
}

/** A folder whose lessons are what a test puts there, and not the learner's. */
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'websocket-101-stubs-'));
  symlinkSync(join(ROOT, 'shared'), join(folder, 'shared'), 'junction');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Puts a file of a lesson into the folder `place` of that folder, and returns where it is. */
function put(place: string, lesson: Lesson, source: string): string {
  const file = join(folder, place, lesson.name, lesson.file);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, source);
  return file;
}

function load(file: string): Promise<object> {
  return import(/* @vite-ignore */ pathToFileURL(file).href);
}

/** What a step fails with that is yours to write. */
function todo(lesson: Lesson, step: number): Partial<Failure> {
  return { kind: 'todo', what: `Lesson ${lesson.number}, step ${step} is yours to write.` };
}

describe.each(LESSONS)('lesson $number', (lesson) => {
  const stub = makeStub(read('solutions', lesson), lesson.number);

  test('a stub of a stub is that stub', () => {
    expect(makeStub(stub, lesson.number)).toBe(stub);
  });

  test('the file in lessons is the stub of the solution', ({ skip }) => {
    const path = join(ROOT, fileOf({ side: 'lessons', lesson }));
    const file = existsSync(path) ? readFileSync(path, 'utf8') : '';
    if (!process.env.UNTOUCHED) skip(file === '' || isWork(file, stub), 'there is work in it');
    expect(file, `Make it again: npm run reset ${lesson.number}`).toBe(stub);
  });

  test('its tests are those of the solution, over the file beside them', () => {
    const tests = lesson.file.replace('.ts', '.test.ts');
    const [own, solution] = (['lessons', 'solutions'] as const).map((side) =>
      readFileSync(join(ROOT, side, lesson.name, tests), 'utf8'),
    );
    expect(own).toBe(solution?.replace('solutions/', 'lessons/'));
    expect(own).toContain(`testLesson('lessons/${lesson.number}'`);
    expect(own).toContain(`import('./${lesson.file}')`);
  });

  test('a stub fails at its first step with the Todo of that step, and nowhere with anything else', async () => {
    const spec = await loadSpec(lesson.name);
    for (const other of LESSONS) {
      put('stubs', other, makeStub(read('solutions', other), other.number));
    }
    const module = await load(put('stubs', lesson, stub));
    expect(await runStep(spec, 1, module)).toMatchObject(todo(lesson, 1));
    for (let step = 2; step <= spec.steps.length; step++) {
      expect(await runStep(spec, step, module), `step ${step}`).toMatchObject({ kind: 'todo' });
    }
  });

  test('who has done the first steps sees exactly these pass, and the Todo of the next', async () => {
    const spec = await loadSpec(lesson.name);
    const own = [...stub.matchAll(/new Todo\('\d+\.(\d+)'\)/g)].map(([, step]) => Number(step));
    // What is written over several steps is there as a whole: no step inside is the last one done.
    const spans = [
      ...stub.matchAll(/\* Steps (\d+)(?: and |–)(\d+) ·/g),
      // A class may have a part for each step in a longer list. A function is one part.
      ...stub.matchAll(/\* Steps (\d+)[^·]*?(\d+) ·(?:(?!\*\/)[\s\S])*\*\/\nexport function/g),
    ];
    const splits = (done: number) =>
      spans.some(([, a, b]) => Number(a) <= done && done < Number(b));
    for (const next of new Set(own)) {
      const done = next - 1;
      if (splits(done)) continue;
      const module = await loadVariant(lesson, (source) =>
        makePartial(source, lesson.number, done),
      );
      const passed: number[] = [];
      for (let step = 1; step <= spec.steps.length; step++) {
        const failure = await runStep(spec, step, module);
        if (!failure) passed.push(step);
        if (step === next) expect(failure).toMatchObject(todo(lesson, next));
      }
      expect(passed).toEqual(Array.from({ length: done }, (_, i) => i + 1));
    }
  });
});

test('work in a lesson is told from a stub that is out of date', () => {
  const [lesson] = LESSONS;
  if (!lesson) throw new Error('There is no lesson.');
  const solution = read('solutions', lesson);
  const stub = makeStub(solution, lesson.number);
  const works = [
    solution,
    makePartial(solution, lesson.number, 1),
    `import { connect } from 'node:net';\n${stub}`,
    stub.replace('import { createHash }', 'import { createHash, randomBytes }'),
    `${stub}export const LIMIT = 5;\n`,
    `${stub}function help(`,
  ];
  expect(works.map((file) => isWork(file, stub))).toEqual(works.map(() => true));
  const old = [stub, stub.replace(' * ', ' * It '), stub.replaceAll("'01.2'", "'01.3'")];
  expect(new Set([...works, ...old]).size).toBe(works.length + old.length);
  expect(old.map((file) => isWork(file, stub))).toEqual([false, false, false]);
});

test('with the solutions 01 to N in their places, lesson N passes, and needs none after it', async () => {
  for (const lesson of LESSONS)
    put('lessons', lesson, makeStub(read('solutions', lesson), lesson.number));
  for (const lesson of LESSONS) {
    // The lessons before it passed when this one was a stub, so they pass now.
    const module = await load(put('lessons', lesson, read('solutions', lesson)));
    const failure = await firstFailure(await loadSpec(lesson.name), module);
    expect(failure, `lesson ${lesson.number}`).toBeUndefined();
  }
});

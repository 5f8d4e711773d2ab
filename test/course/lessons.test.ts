import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  fileOf,
  findLessons,
  findSide,
  findTarget,
  LESSONS,
  type Lesson,
  ROOT,
  type Side,
  UsageError,
} from '../../shared/course/lessons.ts';
import { loadSpec } from '../../shared/harness/spec.ts';

const twelve: Lesson[] = [1, 2, 10, 12].map((n) => {
  const number = String(n).padStart(2, '0');
  return { number, name: `${number}-lesson-of-${n}`, title: '', file: 'x.ts', gain: '' };
});

describe('findTarget', () => {
  test.each([
    '02',
    '2',
    'lessons/02',
    'lessons/2',
    'lessons\\02',
    './lessons/02/',
    'lessons/02-reading-frames',
    'lessons/02-reading-frames/reading.ts',
    '02-reading-frames',
    'reading',
    'Reading',
    'READING frames',
    'reading.ts',
    join(ROOT, 'lessons/02-reading-frames'),
    join(ROOT, 'lessons/02-reading-frames/reading.ts'),
  ])('%s is lesson 02', (argument) => {
    expect(findTarget(argument)).toEqual({ side: 'lessons', lesson: LESSONS[1] });
  });

  test.each([
    ['.', '02', 'lessons'],
    ['./', '02', 'lessons'],
    ['./reading.ts', '02', 'lessons'],
    ['../03-sending-frames', '03', 'lessons'],
    ['..\\03-sending-frames\\sending.ts', '03', 'lessons'],
    ['../../solutions/04-closing', '04', 'solutions'],
    ['lessons/04', '04', 'lessons'],
    ['5', '05', 'lessons'],
    ['the server', '05', 'lessons'],
  ])('%j from the folder of lesson 02 is %s of the %s', (argument, number, side) => {
    const folder = join(ROOT, 'lessons/02-reading-frames');
    const target = findTarget(argument, LESSONS, folder);
    expect([target.lesson.number, target.side]).toEqual([number, side]);
  });

  test('solutions/2 is the reference', () => {
    expect(findTarget('solutions/2')).toEqual({ side: 'solutions', lesson: LESSONS[1] });
  });

  test('a number is exact: 1 is not 10 nor 12', () => {
    expect(findTarget('lessons/1', twelve).lesson.number).toBe('01');
    expect(findTarget('10', twelve).lesson.number).toBe('10');
    expect(() => findTarget('0', twelve)).toThrow(UsageError);
  });

  test.each([
    ...['', ' ', 'lessons', 'lessons/', '10', 'frames', 'lessons/02/a/b', '.', '..', '*', '/'],
    // No word of a name, only a part of one.
    ...['x', '-h', 'h', 'read', 'ing', '-', '1-h'],
  ])('%j is refused', (argument) => {
    expect(() => findTarget(argument, LESSONS, ROOT)).toThrow(UsageError);
  });

  test('all lessons have a name of their own', () => {
    for (const name of ['lessons', 'lessons/', './lessons', join(ROOT, 'lessons')]) {
      expect(findSide(name, ROOT), name).toBe('lessons');
    }
    expect(findSide('..', join(ROOT, 'solutions/04-closing'))).toBe('solutions');
    for (const name of ['.', '', '02', 'lessons/02']) expect(findSide(name, ROOT)).toBeUndefined();
  });
});

describe('findLessons', () => {
  test.each([
    ['02', '02'],
    ['1-3', '01 02 03'],
    ['01,03-04', '01 03 04'],
    ['04 , 01 - 02,1', '01 02 04'],
    ['03-03,reading', '02 03'],
    ['01-handshake', '01'],
  ])('%j is %s', (list, numbers) => {
    expect(findLessons(list).map(({ number }) => number)).toEqual(numbers.split(' '));
  });

  test.each(['', '01,', '01-99', '04-02', '01--02', '-3', '3-'])('%j is refused', (list) => {
    expect(() => findLessons(list)).toThrow(UsageError);
  });
});

describe('the list of lessons', () => {
  test('has every folder, in order', () => {
    const folders = (side: Side) =>
      readdirSync(join(ROOT, side)).filter((name) => /^\d/.test(name));
    const names = LESSONS.map(({ name }) => name);
    expect(names, 'LESSONS of shared/course/lessons.ts').toEqual(folders('solutions').sort());
    // A learner may have copies beside them.
    expect(folders('lessons')).toEqual(expect.arrayContaining(names));
    expect(LESSONS.map(({ number }) => number)).toEqual(names.map((name) => name.slice(0, 2)));
  });

  test.each(LESSONS)('names what $number is made of, and nothing after it', (lesson) => {
    const source = readFileSync(join(ROOT, fileOf({ side: 'solutions', lesson })), 'utf8');
    const imports = [...source.matchAll(/ from '(.+)';$/gm)].map(([, path = '']) => path);
    const allowed = /^(node:[\w/]+|\.\.\/\.\.\/shared\/\w+\.ts|\.\.\/\d\d-[\w-]+\/\w+\.ts)$/;
    const others = imports.filter((path) => !allowed.test(path));
    expect(others, 'A learner’s file in its place would not have these').toEqual([]);
    const numbers = imports.flatMap((path) => /^\.\.\/(\d\d)/.exec(path)?.[1] ?? []);
    const lessons = [...new Set(numbers)].sort();
    expect(lessons, '`needs` in shared/course/lessons.ts').toEqual(lesson.needs ?? []);
    expect(lessons.filter((number) => number >= lesson.number)).toEqual([]);
  });

  test.each(LESSONS)('leads to the spec of $number', async ({ name }) => {
    expect((await loadSpec(name)).lesson).toBe(name);
  });
});

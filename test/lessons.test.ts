import { describe, expect, test } from 'vitest';
import { findTarget, LESSONS, type Lesson, UsageError } from '../shared/lessons.ts';

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
  ])('%s is lesson 02', (argument) => {
    expect(findTarget(argument)).toEqual({ side: 'lessons', lesson: LESSONS[1] });
  });

  test('solutions/2 is the reference', () => {
    expect(findTarget('solutions/2')).toEqual({ side: 'solutions', lesson: LESSONS[1] });
  });

  test('a number is exact: 1 is not 10 nor 12', () => {
    expect(findTarget('lessons/1', twelve).lesson.number).toBe('01');
    expect(findTarget('10', twelve).lesson.number).toBe('10');
    expect(() => findTarget('0', twelve)).toThrow(UsageError);
  });

  test.each(['', 'lessons', 'lessons/', '9', 'x', 'frames', 'lessons/02/a/b', '..', '*'])(
    '%j is refused',
    (argument) => {
      expect(() => findTarget(argument)).toThrow(UsageError);
    },
  );
});

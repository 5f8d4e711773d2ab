import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fileOf, LESSONS, ROOT } from '../../shared/course/lessons.ts';
import type { Mutant } from './stryker.ts';
import { SURVIVORS } from './survivors.ts';
import { judge, renderJudgement } from './verdict.ts';

describe('the mutants that may survive', () => {
  test.each(LESSONS)('stand in solution $number', (lesson) => {
    const source = readFileSync(join(ROOT, fileOf({ side: 'solutions', lesson })), 'utf8');
    const lines = source.split('\n').map((line) => line.trim());
    const listed = SURVIVORS.filter((it) => it.lesson === lesson.number);
    expect(listed.length).toBeGreaterThan(0);
    for (const { line, from } of listed) {
      expect(lines, 'The solution has changed: run npm run mutate.').toContain(line);
      expect(line).toContain(from);
    }
  });

  test('are listed once, each with its reason', () => {
    const names = SURVIVORS.map(({ lesson, line, from, to }) => [lesson, line, from, to].join());
    expect(new Set(names).size).toBe(names.length);
    for (const { why } of SURVIVORS) expect(why).toMatch(/\w+ .*\.$/);
  });
});

describe('a verdict', () => {
  const survivor = { lesson: '02', line: 'a < b', from: '<', to: '<=', why: 'It is the same.' };
  const mutant = (status: Mutant['status'], to = '>'): Mutant => {
    return { number: 1, line: 'a < b', from: '<', to, status };
  };
  const killed = Array.from({ length: 98 }, () => mutant('Killed'));

  test('is good when all survivors are on the list', () => {
    const mutants = [...killed, mutant('Survived', '<='), mutant('RuntimeError', '!')];
    const judgement = judge('02', mutants, [survivor]);
    expect(judgement).toMatchObject({ isGood: true, total: 99, found: 98, stale: [] });
    expect(judgement.known).toEqual([[mutants[98], survivor]]);
  });

  test.each(['Survived', 'NoCoverage'] as const)(
    'is bad with an unknown survivor: %s',
    (status) => {
      const judgement = judge('02', [...killed, mutant(status, '==')], []);
      expect(judgement).toMatchObject({ isGood: false, unknown: [mutant(status, '==')] });
      const text = renderJudgement(LESSONS[1]!, judgement, 1).join('\n');
      expect(text).toContain('98 of 99 noticed, 98.9 %');
      expect(text).toContain('<  →  ==');
      expect(text).toContain('No step notices it.');
    },
  );

  test('is bad when the list is out of date', () => {
    expect(judge('02', [...killed, mutant('Killed', '<=')], [survivor])).toMatchObject({
      isGood: false,
      stale: [survivor],
    });
    expect(judge('03', [...killed, mutant('Killed', '<=')], [survivor]).isGood).toBe(true);
  });

  test('does not take a slow machine for a change', () => {
    expect(judge('02', [...killed, mutant('Timeout', '<=')], [survivor]).isGood).toBe(true);
  });

  test('is bad below 98 of a hundred', () => {
    const known = Array.from({ length: 2 }, () => mutant('Survived', '<='));
    expect(judge('02', [...killed, ...known], [survivor]).isGood).toBe(true);
    expect(judge('02', [...killed.slice(1), ...known], [survivor]).isGood).toBe(false);
  });

  test('is good from 95 of a hundred on in lesson 08, which is there to be fast', () => {
    const slower = { ...survivor, lesson: '08' };
    const known = Array.from({ length: 5 }, () => mutant('Survived', '<='));
    expect(judge('08', [...killed.slice(3), ...known], [slower]).isGood).toBe(true);
    expect(judge('08', [...killed.slice(4), ...known], [slower]).isGood).toBe(false);
  });
});

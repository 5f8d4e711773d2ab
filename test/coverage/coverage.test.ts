import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { LESSONS } from '../../shared/course/lessons.ts';
import { SECTIONS } from '../../shared/course/sections.ts';
import { loadSpec, rulesOf } from '../../shared/harness/spec.ts';
import { style } from '../../shared/view/style.ts';
import { REQUIREMENTS, UNPROVEN } from '../rules/requirements.ts';
import { readCoverage, renderCoverage, unclaimed } from './coverage.ts';

const coverage = await readCoverage();

test('every rule from 1 to 201 is there once, with a place that has it', () => {
  const numbers = REQUIREMENTS.map(({ number }) => number);
  expect(numbers).toEqual(Array.from({ length: 201 }, (_, i) => i + 1));
  for (const { number, section } of REQUIREMENTS) {
    if (!/^(RFC 7692|RFC 8441|WHATWG|Our own)$/.test(section)) {
      expect(SECTIONS, `rule ${number}`).toContain(section);
    }
  }
});

test('every rule belongs to a lesson, or says why not', () => {
  for (const { number, lessons, open } of REQUIREMENTS) {
    expect(lessons.length > 0, `rule ${number}`).toBe(open === undefined);
  }
});

describe.each(LESSONS)('lesson $number', (lesson) => {
  test('claims each of its rules, and no other', async () => {
    const spec = await loadSpec(lesson.name);
    const claimed = new Set(spec.steps.flatMap(rulesOf));
    const own = REQUIREMENTS.filter(({ lessons }) => lessons.includes(lesson.number));
    const numbers = [...claimed].sort((a, b) => a - b);
    const message = `The steps of test/specs/${lesson.name}.ts claim other rules than test/rules/requirements.ts has for lesson ${lesson.number}`;
    expect(numbers, message).toEqual(own.map(({ number }) => number));
  });

  test('names sections that exist', async () => {
    const spec = await loadSpec(lesson.name);
    for (const { section } of spec.steps) expect(SECTIONS).toContain(section);
  });
});

test('every claim is proven by a trap, or says why not', () => {
  const nameOf = (lesson: string, number: number) => `${lesson}: rule ${number}`;
  const unproven = coverage.flatMap(({ lesson, claims }) =>
    claims
      .filter(({ traps }) => traps.length === 0)
      .map(({ rule }) => nameOf(lesson.number, rule.number)),
  );
  const listed = UNPROVEN.map(({ lesson, number }) => nameOf(lesson, number));
  const message = 'Write a trap that breaks the rule, or say in UNPROVEN why there is none';
  expect(unproven, message).toEqual(listed);
});

describe('npm run coverage', () => {
  style.level = 0;
  const plain = renderCoverage(coverage, 80);

  test('shows every rule, who claims it, and what proves it', () => {
    const shown = plain.flatMap(
      (line) => /^[✓· ] {1,3}(\d{1,3}) (?:§|RFC|WHATWG|Our own)/.exec(line)?.[1] ?? [],
    );
    expect([...new Set(shown.map(Number))].sort((a, b) => a - b)).toEqual(
      REQUIREMENTS.map(({ number }) => number),
    );
    const at = plain.findIndex((line) => line.startsWith('✓  57 §4.2.2    MUST   Sec-WebSocket'));
    expect(plain[at + 2]).toMatch(/^ {23}01\.1 01\.5 {2}guid-typo, /);
  });

  test.each([40, 60, 80])('fits into %i columns, with colour and without', (width) => {
    const lines = renderCoverage(coverage, width);
    expect(lines.filter((line) => line.length > width)).toEqual([]);
    style.level = 1;
    const coloured = renderCoverage(coverage, width);
    style.level = 0;
    expect(coloured.map(stripVTControlCharacters)).toEqual(lines);
  });

  test('has nothing to complain about', () => {
    expect(unclaimed(coverage)).toEqual([]);
    expect(plain.filter((line) => line.startsWith('✗'))).toEqual([]);
  });

  test('says so when no step claims a rule', () => {
    const [first, ...others] = coverage;
    const [claim, ...claims] = first?.claims ?? [];
    if (!first || !claim) throw new Error('There is no claim.');
    const forgotten = { ...claim, steps: [], traps: [] };
    const lacking = [{ ...first, claims: [forgotten, ...claims] }, ...others];
    expect(unclaimed(lacking)).toEqual([forgotten]);
    const lines = renderCoverage(lacking, 80);
    const at = lines.findIndex((line) => line.startsWith(`✗  ${claim.rule.number} §`));
    expect(lines.slice(at)).toContain('                       No step claims it.');
    const count = first.claims.length;
    const figures = new RegExp(`^01 Handshake +${count} +${count - 1} +\\d+$`);
    expect(lines).toContainEqual(expect.stringMatching(figures));
  });
});

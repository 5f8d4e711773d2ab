/** The form of the specs: scenarios that a learner is told by name. */
import { describe, expect, test } from 'vitest';
import { LESSONS } from '../../shared/course/lessons.ts';
import { loadSpec } from '../../shared/harness/spec.ts';
import { REQUIREMENTS } from '../rules/requirements.ts';

/** The longest name of a scenario, in characters: two lines of a terminal at most. */
const MAX_NAME = 100;

const numbers = REQUIREMENTS.map(({ number }) => number);

describe.each(LESSONS)('lesson $number', async ({ number, name }) => {
  const { steps } = await loadSpec(name);

  const scenarios = steps.flatMap((step) => step.scenarios);

  test('has scenarios in each step, and no two of a step with one name', () => {
    for (const [i, step] of steps.entries()) {
      const names = step.scenarios.map(({ what }) => what);
      const twice = names.filter((what, at) => names.indexOf(what) !== at);
      expect(names, `step ${number}.${i + 1}`).not.toEqual([]);
      expect(twice, `step ${number}.${i + 1}`).toEqual([]);
    }
  });

  test('names each scenario in a short sentence', () => {
    const names = scenarios.map(({ what }) => what);
    expect(names.filter((what) => !isSentence(what))).toEqual([]);
    expect(names.filter((what) => what.length > MAX_NAME)).toEqual([]);
  });

  test('says which rules a scenario checks, in order', () => {
    for (const { what, rules } of scenarios) {
      expect(rules, what).toEqual(numbers.filter((rule) => rules.includes(rule)));
    }
  });
});

/** Whether this is one line that begins with no small letter, and ends with one full stop. */
function isSentence(text: string): boolean {
  return /^[^\s\p{Ll}].*[^\s.]\.$/u.test(text);
}

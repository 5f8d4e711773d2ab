/** Scenarios: how they run, what is recorded of them, and how they are told. */
import { expect, test } from 'vitest';
import { findTarget } from '../../shared/course/lessons.ts';
import { fail } from '../../shared/harness/check.ts';
import type { Failure } from '../../shared/harness/facts.ts';
import { RunRecord } from '../../shared/harness/record.ts';
import { explanation } from '../../shared/harness/report.ts';
import { countPassed, firstFailure, runStep, withoutSuites } from '../../shared/harness/run.ts';
import type { AnySpec } from '../../shared/harness/spec.ts';
import { patienceFor } from '../../shared/harness/supervise.ts';

const holds = () => {};
const fails = () => fail('Three is three.');
const scenario = (what: string, check: () => void | Promise<void>) => ({ what, rules: [], check });

const spec: AnySpec = {
  lesson: '02-reading-frames',
  steps: [
    {
      title: 'Numbers',
      section: '5.2',
      scenarios: [
        scenario('one', holds),
        scenario('two', async () => {}),
        scenario('three', fails),
        scenario('four', holds),
        scenario('five', async () => fails()),
      ],
    },
  ],
};
const { title, section } = spec.steps[0]!;
const heading = { title, section, scenarios: 5 };
const failure: Failure = { kind: 'check', what: 'Three is three.', facts: [], scenario: 'three' };

test('a step runs its scenarios up to the first that does not pass, and names it', async () => {
  const begun: string[] = [];
  const found = await runStep(spec, 1, {}, (what, run) => {
    begun.push(what);
    return run();
  });
  expect(found).toEqual(failure);
  expect(begun).toEqual(['one', 'two', 'three']);
});

test('the scenarios after a red one count, and the red one never does', async () => {
  expect(await countPassed(spec, 1, {}, 'three')).toBe(3);
  expect(await countPassed(spec, 1, {}, 'two')).toBe(2);
});

test('scenarios that are counted leave others a turn in between', async () => {
  const order: string[] = [];
  const noted = (what: string) =>
    scenario(what, () => {
      order.push(what);
      setImmediate(() => order.push(`after ${what}`));
    });
  const steps = [{ ...spec.steps[0]!, scenarios: [noted('one'), noted('two')] }];
  expect(await countPassed({ ...spec, steps }, 1, {}, undefined)).toBe(2);
  expect(order).toEqual(['one', 'after one', 'two', 'after two']);
});

test('what looks for one mistake leaves out what is a suite', async () => {
  const suite = { ...scenario('a suite', fails), isSuite: true as const };
  const steps = [{ ...spec.steps[0]!, scenarios: [scenario('one', holds), suite] }];
  const whole = { ...spec, steps };
  expect(await firstFailure(whole, {})).toMatchObject({ failure: { scenario: 'a suite' } });
  expect(await firstFailure(withoutSuites(whole), {})).toBeUndefined();
});

test('a red names its scenario, and says how many pass', () => {
  const result = { ...heading, number: 1, failure, output: '' };
  const lines = (passed?: number) =>
    explanation({ ...result, ...(passed !== undefined && { passed }) }, findTarget('02'), 76);
  expect(lines(3)[0]).toBe('3 of 5 scenarios pass. The first that fails: three');
  expect(lines()[0]).toBe('The first that fails: three');
  expect(explanation({ ...result, scenarios: 1 }, findTarget('02'), 76)[0]).toBe('Three is three.');
});

test('a red whose scenario says the same, and whose check it is, says it once', () => {
  const told = { ...failure, scenario: '02.4: Three is three.' };
  const result = { ...heading, number: 1, failure: told, passed: 3, output: '' };
  expect(explanation(result, findTarget('02'), 76).slice(0, 2)).toEqual([
    '3 of 5 scenarios pass. The first that fails:',
    '02.4: Three is three.',
  ]);
});

test('a run that breaks off is told of the scenario that was on', () => {
  const record = new RunRecord('lessons/02');
  record.take({ type: 'ready', steps: [heading, heading], startMs: 400 });
  expect(record.activity).toBe('Loading lessons/02');
  record.take({ type: 'started', number: 1, scenario: 'two' });
  expect(record.activity).toBe('Step 1');
  record.breakOff('Step 1 did not come to an end.', 'A loop.');
  const { broken, results } = record.result();
  expect(broken).toBeUndefined();
  expect(results.map(({ failure }) => failure)).toMatchObject([
    { kind: 'crash', what: 'Step 1 did not come to an end.', cause: 'A loop.', scenario: 'two' },
    { kind: 'todo', what: 'This step was not reached.' },
  ]);
});

test('what goes wrong while the others are counted does not hide the first failure', () => {
  const record = new RunRecord('lessons/02');
  record.take({ type: 'ready', steps: [heading], startMs: 400 });
  record.take({ type: 'started', number: 1, scenario: 'three' });
  record.take({ type: 'failed', number: 1, failure });
  record.breakOff('Step 1 did not come to an end.', 'A loop.');
  expect(record.result().results[0]).toEqual({ ...heading, number: 1, failure, output: '' });
});

test('what a step printed and how many of it pass stay when something fails late', () => {
  const record = new RunRecord('lessons/02');
  record.take({ type: 'ready', steps: [heading], startMs: 400 });
  record.take({ type: 'finished', number: 1, passed: 3, output: 'hello' });
  record.take({ type: 'failed', number: 1, failure });
  expect(record.isDone).toBe(false);
  record.take({ type: 'done' });
  expect(record.isDone).toBe(true);
  expect(record.result().results[0]).toMatchObject({ passed: 3, output: 'hello', failure });
});

test('a failure before the first step leaves no step to tell of', () => {
  const record = new RunRecord('lessons/02');
  record.breakOff('Loading lessons/02 did not come to an end.', 'A loop.');
  record.take({ type: 'failed', number: 0, failure });
  expect(record.result()).toMatchObject({ broken: { cause: 'A loop.' }, results: [] });
});

test('a machine that is slow to start a process has more patience with it', () => {
  expect([0, 400, 2000].map((ms) => patienceFor(ms))).toEqual([5000, 5000, 16_000]);
});

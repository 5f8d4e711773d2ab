/** What counts of what is heard from the process that checks. */
import { expect, test } from 'vitest';
import type { FromChecker } from '../../shared/harness/messages.ts';
import { RunRecord } from '../../shared/harness/record.ts';

const FILE = 'lessons/01-handshake/handshake.ts';
const steps = [1, 2].map((scenarios) => ({ title: `${scenarios}`, section: '5.2', scenarios }));
const READY: FromChecker = { type: 'ready', steps, startMs: 1 };
const started = (number: number): FromChecker => ({ type: 'started', number, scenario: 'It is.' });
const finished = (number: number): FromChecker => ({ type: 'finished', number, output: '' });
const WHOLE = [READY, started(1), finished(1), started(2), started(2), finished(2)];

/** Says of each step whether it passes. */
function passes(...messages: readonly FromChecker[]): boolean[] {
  const record = new RunRecord(FILE);
  for (const message of messages) record.take(message);
  return record.result().results.map(({ failure }) => failure === undefined);
}

test('a step passes when it is finished, and all of its scenarios have run', () => {
  expect(passes(...WHOLE, { type: 'done' })).toEqual([true, true]);
});

test.each<[string, readonly FromChecker[], readonly boolean[]]>([
  ['was not reached', WHOLE.slice(0, 3), [true, false]],
  ['has not finished', WHOLE.slice(0, 5), [true, false]],
  ['lacks a scenario', [...WHOLE.slice(0, 4), finished(2)], [true, false]],
  ['has one too many', [...WHOLE.slice(0, 5), started(2), finished(2)], [true, false]],
  ['has none', [READY, finished(1), finished(2)], [false, false]],
  ['runs twice', [...WHOLE, started(1), finished(1)], [false, true]],
])('a step that %s does not pass', (_, messages, expected) => {
  expect(passes(...messages, { type: 'done' })).toEqual(expected);
});

test('what the steps are is said once', () => {
  expect(passes(READY, { ...READY, steps: [] }, { type: 'done' })).toEqual([false, false]);
});

test('a check without steps has not started', () => {
  const record = new RunRecord(FILE);
  record.take({ ...READY, steps: [] });
  expect(record.isReady).toBe(false);
});

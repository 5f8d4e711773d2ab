import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { withTimeout } from '../../shared/kit/patience.ts';

const never = new Promise<never>(() => {});
const late = () => 'late';

test('withTimeout returns what the promise does', async () => {
  expect(await withTimeout(pause(1, 'in time'), 5000, late)).toBe('in time');
  await expect(withTimeout(Promise.reject(new Error('no')), 5000, late)).rejects.toThrow('no');
});

test('withTimeout lets the callback decide when time is over', async () => {
  expect(await withTimeout(never, 40, late)).toBe('late');
  const complain = () => {
    throw new Error('It hangs.');
  };
  await expect(withTimeout(never, 40, complain)).rejects.toThrow('It hangs.');
});

test('withTimeout calls back only when time is over', async () => {
  let calls = 0;
  await withTimeout(Promise.resolve(), 20, () => calls++);
  await pause(100);
  expect(calls).toBe(0);
});

test('withTimeout lets a promise reject that nobody waits for any more', async () => {
  let reject = (_: Error) => {};
  const rejection = new Promise<never>((_, r) => {
    reject = r;
  });
  expect(await withTimeout(rejection, 20, late)).toBe('late');
  reject(new Error('unheard'));
  // An unhandled rejection is told, and fails the run, before the next turn.
  await pause(1);
});

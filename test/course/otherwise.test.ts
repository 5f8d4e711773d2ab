/** What a lesson leaves open, its checks leave open, too. */
import { expect, test } from 'vitest';
import { firstFailure } from '../../shared/harness/run.ts';
import { loadSpec } from '../../shared/harness/spec.ts';
import * as handshake from './handshake-otherwise.ts';

test('lesson 01 holds when it is written otherwise', async () => {
  expect(await firstFailure(await loadSpec('01-handshake'), handshake)).toBeUndefined();
});

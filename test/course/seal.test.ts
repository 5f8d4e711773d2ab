import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../../shared/course/lessons.ts';
import { readSeal } from '../../shared/course/seal.ts';

test('the checks are the ones that are written down', () => {
  const sealed = JSON.parse(readFileSync(join(ROOT, 'shared/course/seal.json'), 'utf8'));
  expect(readSeal(), 'Write them down: npm run seal').toEqual(sealed);
});

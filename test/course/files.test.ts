/** What is said when a file of the course is not there, or when the system says no. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { howToRestore, readText, toUsageError } from '../../shared/course/files.ts';
import { ROOT, UsageError } from '../../shared/course/lessons.ts';

const RESTORE = howToRestore('README.md');
/** An error as Node throws it. */
const fault = (code: string, more = {}) => Object.assign(new Error(code), { code, ...more });

test('a file comes back from git, or from another copy', () => {
  const isClone = existsSync(join(ROOT, '.git'));
  if (isClone) expect(RESTORE).toBe('Get it back: git checkout -- README.md');
  else expect(RESTORE).toMatch(/^Get it back: git|fresh copy of the course\.$/);
});

test('a text that is missing, or a folder, is named', () => {
  expect(() => readText('READ.md')).toThrow(
    new UsageError(`READ.md is missing. ${howToRestore('READ.md')}`),
  );
  expect(() => readText('test')).toThrow(
    new UsageError(`test is a folder. ${howToRestore('test')}`),
  );
});

describe('what was thrown', () => {
  test.each([
    [
      'a module of the course',
      fault('ERR_MODULE_NOT_FOUND', { url: pathToFileURL(join(ROOT, 'README.md')).href }),
      `README.md is missing. ${RESTORE}`,
    ],
    [
      'a file of the course',
      fault('ENOENT', { path: join(ROOT, 'README.md') }),
      `README.md is missing. ${RESTORE}`,
    ],
    [
      'no permission',
      fault('EACCES', { path: join(ROOT, 'README.md') }),
      'README.md: permission denied.',
    ],
    ['a full disk', fault('ENOSPC'), 'A file cannot be written: the disk is full.'],
    ['what is said already', new UsageError('No.'), 'No.'],
  ])('is told in a line: %s', (_, error, message) => {
    expect(toUsageError(error)).toEqual(new UsageError(message));
  });

  test.each([
    fault('ENOENT'),
    fault('ENOENT', { path: join(ROOT, '../elsewhere') }),
    fault('ERR_MODULE_NOT_FOUND'),
    fault('EBADF'),
    new TypeError('x is not a function'),
    'a text',
    undefined,
  ])('is our own fault: %s', (error) => {
    expect(toUsageError(error)).toBeUndefined();
  });
});

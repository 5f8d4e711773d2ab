import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, UsageError } from '../course/lessons.ts';

/**
 * Throws `UsageError` when a version of Node, such as `22.12.0`, is none that `package.json` wants:
 * on another one, right code may get a wrong verdict.
 */
export function requireNode(version: string): void {
  const { engines } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const ranges: string[] = engines.node.split(' || ');
  if (ranges.some((range) => isWithin(version, range))) return;
  throw new UsageError(`This is Node ${version}, and the course needs ${engines.node}.`);
}

/** Whether a version is in a range such as `^22.12.0`, of one major version, or `>=24.0.0`. */
function isWithin(version: string, range: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [, sign, least, from] = /^(\^|>=)(\d+)\.(\d+)/.exec(range) ?? [];
  if (sign === '>=' && major > Number(least)) return true;
  return major === Number(least) && minor >= Number(from);
}

// @ts-check
/**
 * What has to be there before anything else can run. Plain JavaScript, and plain enough for the
 * versions of Node that it refuses.
 */
import { existsSync, readFileSync } from 'node:fs';

const ROOT = new URL('../../', import.meta.url);
const { engines, devDependencies } = JSON.parse(
  readFileSync(new URL('package.json', ROOT), 'utf8'),
);

/**
 * Says why nothing can run here, and what to do about it. On a version of Node that `package.json`
 * does not want, right code may get a wrong verdict. `undefined`: all is well.
 *
 * @param {string} version of Node, such as `22.12.0`
 * @param {URL} packages the folder they are in
 * @returns {string | undefined}
 */
export function sayUnfit(
  version = process.versions.node,
  packages = new URL('node_modules/', ROOT),
) {
  /** @type {string[]} */
  const ranges = engines.node.split(' || ');
  if (!ranges.some((range) => isWithin(version, range))) {
    return `This is Node ${version}, and the course needs ${engines.node}. Get one: https://nodejs.org/`;
  }
  const isComplete = Object.keys(devDependencies).every((name) =>
    existsSync(new URL(name, packages)),
  );
  return isComplete
    ? undefined
    : 'The packages of the course are not installed. Install them: npm ci';
}

/**
 * Whether a version is in a range such as `^22.12.0`, of one major version, or `>=24.0.0`.
 *
 * @param {string} version
 * @param {string} range
 */
function isWithin(version, range) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [, sign, least, from] = /^(\^|>=)(\d+)\.(\d+)/.exec(range) || [];
  if (sign === '>=' && major > Number(least)) return true;
  return major === Number(least) && minor >= Number(from);
}

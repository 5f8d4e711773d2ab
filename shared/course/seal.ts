/** Makes sure that the checks are those of the course. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { howToRestore, readText } from './files.ts';
import { ROOT, UsageError } from './lessons.ts';

const SEAL = 'shared/course/seal.json';
/** The rooms that decide between green and red, with all that is in them. */
const ROOMS = [
  'shared/commands',
  'shared/conformance',
  'shared/course',
  'shared/grade',
  'shared/harness',
  'shared/kit',
  'shared/process',
  'shared/session',
  'shared/view',
  'test/specs',
  'test/vectors',
];

/** Returns each file of the checks with its SHA-256, in order, as they are in this project. */
export function readSeal(root = ROOT): Record<string, string> {
  // A handout may lack one.
  const rooms = ROOMS.filter((room) => existsSync(join(root, room)));
  const paths = [
    ...filesIn(root, 'shared', false),
    ...rooms.flatMap((room) => filesIn(root, room, true)),
  ];
  const hashes = paths.sort().map((path) => [path, hash(readFileSync(join(root, path)))]);
  return Object.fromEntries(hashes);
}

/** Lists code and data of a folder, but no tests, with `/` on every system. */
function filesIn(root: string, folder: string, recursive: boolean): string[] {
  return readdirSync(join(root, folder), { recursive, encoding: 'utf8' })
    .filter((name) => /\.(m?js|ts|txt)$/.test(name) && !name.endsWith('.test.ts'))
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`);
}

function hash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Writes down what the checks of a project are. */
export function writeSeal(root = ROOT): void {
  writeFileSync(join(root, SEAL), `${JSON.stringify(readSeal(root), null, 2)}\n`);
}

/**
 * Throws `UsageError` when a file of the checks is not as it came: a green tick from a check that
 * was changed says nothing.
 */
export function requireSeal(): void {
  const sealed = readWritten();
  const found = readSeal();
  const changed = [...new Set([...Object.keys(sealed), ...Object.keys(found)])].find(
    (path) => sealed[path] !== found[path],
  );
  if (changed === undefined) return;
  if (changed in sealed) throw changedError(changed);
  throw new UsageError(
    `${changed} did not come with the course, and lies among its checks. Take it away.`,
  );
}

/** Returns one hash over all files of the checks: that of other checks is another. */
export function fingerprint(): string {
  return hash(Buffer.from(JSON.stringify(readSeal())));
}

/** Reads the seal that came with the course. */
function readWritten(): Record<string, string> {
  const text = readText(SEAL);
  try {
    return JSON.parse(text);
  } catch {
    throw changedError(SEAL);
  }
}

function changedError(path: string): UsageError {
  return new UsageError(
    `${path} is not as it came, and a check that was changed proves nothing. ${howToRestore(path)}`,
  );
}

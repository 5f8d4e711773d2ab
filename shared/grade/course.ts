/** What the checks of a lesson are made of, as plain JavaScript: for a process without a loader. */
import {
  copyFileSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { type Lesson, ROOT } from '../course/lessons.ts';
import { toJavaScript } from '../process/translate.mjs';
import { readSource } from './source.ts';

/** Where the process of a check begins. */
export const CHILD = 'shared/harness/child.ts';
/** What every lesson may import. */
export const FOR_LESSONS = ['shared/protocol.ts', 'shared/todo.ts'];
/** What is read, and not imported. */
const TEXTS = ['6455', '7692'].map((rfc) => `shared/course/rfc${rfc}-sections.txt`);

/**
 * Writes the checks of a lesson to a folder: what their process loads, translated. `more` are paths
 * of what a lesson is allowed to import besides.
 */
export function writeCourse({ name }: Lesson, folder: string, more: readonly string[]): void {
  const pending = [CHILD, `test/specs/${name}.ts`, ...FOR_LESSONS, ...more];
  const written = new Set<string>();
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    if (written.has(path)) continue;
    written.add(path);
    const source = readFileSync(join(ROOT, path), 'utf8');
    const place = dirname(path);
    for (const { name } of readSource(source).imports) {
      if (name.startsWith('.')) pending.push(posix.join(place, name));
    }
    writeModule(folder, path, source);
  }
  for (const path of TEXTS) copyFileSync(join(ROOT, path), join(folder, path));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n');
  symlinkSync(realpathSync(join(ROOT, 'node_modules')), join(folder, 'node_modules'), 'junction');
}

/** Our own modules keep `process` when the global is gone. */
const KEEP_PROCESS = "import process from 'node:process'; ";

function writeModule(folder: string, path: string, source: string): void {
  const code = translate(folder, path, source);
  mkdirSync(join(folder, dirname(path)), { recursive: true });
  writeFileSync(nameOf(folder, path), /\bprocess\./.test(code) ? KEEP_PROCESS + code : code);
}

/** Translates a module for such a folder. Throws `SyntaxError` when it does not parse. */
export function translate(folder: string, path: string, source: string): string {
  return toJavaScript(join(folder, path), source, true, true);
}

/** Where a module is in such a folder. */
export function nameOf(folder: string, path: string): string {
  return join(folder, path.replace(/ts$/, 'js'));
}

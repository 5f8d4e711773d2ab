/** A class that exists nowhere: what its students hand in for lesson 01, honest or not. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileOf, LESSONS, type Lesson, ROOT } from '../../shared/course/lessons.ts';
import { makeStub } from '../../shared/course/stub.ts';

const [first] = LESSONS as [Lesson];
export const solution = readFileSync(
  join(ROOT, fileOf({ side: 'solutions', lesson: first })),
  'utf8',
);
export const stub = makeStub(solution, first.number);

/** A submission that wants points for what it has not done. */
export interface Cheat {
  readonly cheat: string;
  /** What is put before a stub. */
  readonly code: string;
  /** What it is named by, with the line, unless that is the first. */
  readonly named: string | readonly [name: string, line: number];
}

const STEPS = `for (let number = 1; number < 9; number++)
  process._send({ type: 'finished', number, output: '' });
process._send({ type: 'done' });`;

/** Those that the list of imports and globals sees. */
export const NAMED: readonly Cheat[] = [
  {
    cheat: 're-export',
    code: "export * from '../../solutions/01-handshake/handshake.ts';",
    named: 'solutions/01-handshake/handshake.ts',
  },
  {
    cheat: 'computed import',
    code: "const mine = await import(['..', '..', 'solutions', '01-handshake', 'handshake.ts'].join('/'));",
    named: 'import()',
  },
  {
    cheat: 'data import',
    code: "import 'data:text/javascript,1';",
    named: 'data:text/javascript,1',
  },
  {
    cheat: 'reading the text',
    code: "import { readFileSync } from 'node:fs';",
    named: 'node:fs',
  },
  {
    cheat: 'without node:',
    code: "\nimport { readFileSync } from 'fs';",
    named: ['fs', 2],
  },
  {
    cheat: 'createRequire',
    code: "import { createRequire } from 'node:module';",
    named: 'node:module',
  },
  { cheat: 'eval', code: "eval('1');", named: 'eval' },
  { cheat: 'Function', code: "new Function('return 1')();", named: 'Function' },
  { cheat: 'process._send', code: STEPS, named: ['process', 2] },
  {
    cheat: 'process by its global',
    code: 'globalThis.process.memoryUsage();',
    named: 'process',
  },
  {
    cheat: 'process by a computed name',
    code: "globalThis['pro' + 'cess'].memoryUsage();",
    named: 'globalThis',
  },
  {
    cheat: 'AsyncLocalStorage',
    code: "import { AsyncLocalStorage } from 'node:async_hooks';\nAsyncLocalStorage.prototype.run = () => undefined as never;",
    named: 'node:async_hooks',
  },
  {
    cheat: 'replaced checks',
    code: "import { spec } from '../../test/specs/01-handshake.ts';\nfor (const { scenarios } of spec.steps) for (const it of scenarios) it.check = () => {};",
    named: 'test/specs/01-handshake.ts',
  },
  {
    cheat: 'a detached process',
    code: "import { spawn } from 'node:child_process';\nspawn('sleep', ['33'], { detached: true });",
    named: 'node:child_process',
  },
  { cheat: 'a package', code: "import 'rolldown';", named: 'rolldown' },
  { cheat: 'the network', code: "await fetch('http://127.0.0.1:9');", named: 'fetch' },
  { cheat: 'no types', code: '// @ts-nocheck', named: '@ts-nocheck' },
];

/** What hides the use of a global from the list: somewhere, the name means something else. */
const HIDE = '{ const process = 0, globalThis = 0; void process, globalThis; }';

/** Those that get past the list, or were allowed to: the walls have to stop them. */
export const HIDDEN: readonly (Omit<Cheat, 'named'> & { readonly says: string | RegExp })[] = [
  {
    cheat: 'process hidden',
    code: `${HIDE}\nprocess.memoryUsage();`,
    says: 'process is not defined',
  },
  {
    cheat: 'code of a constructor',
    code: "(() => {}).constructor('return process')();",
    says: 'Code generation from strings disallowed',
  },
  {
    cheat: 'Object.is, and what compares bytes',
    code: 'Object.is = () => true;',
    says: 'Cannot assign to read only property',
  },
  { cheat: 'Buffer.compare', code: 'Buffer.compare = () => 0;', says: 'compare' },
  { cheat: 'another Math', code: 'Math = { ...Math, max: () => 0 };', says: 'Math' },
  {
    cheat: 'a class of errors',
    code: "import * as all from '../../shared/protocol.ts';\nObject.defineProperty(all.HandshakeError, Symbol.hasInstance, { value: () => true });",
    says: 'Cannot define property Symbol(Symbol.hasInstance)',
  },
  {
    cheat: 'other constants',
    code: "import { CloseCode } from '../../shared/protocol.ts';\n(CloseCode as any).MessageTooBig = 1002;",
    says: 'Cannot assign to read only property',
  },
  {
    cheat: 'AsyncLocalStorage allowed',
    code: "import { AsyncLocalStorage } from 'node:async_hooks';\nAsyncLocalStorage.prototype.run = () => undefined as never;",
    says: 'run',
  },
  {
    cheat: 'checks allowed',
    code: "import { spec } from '../../test/specs/01-handshake.ts';\nfor (const { scenarios } of spec.steps) for (const it of scenarios) (it as any).check = () => {};",
    says: 'Cannot assign to read only property',
  },
  {
    cheat: 'reads outside',
    code: `import { readdirSync } from 'node:fs';\nreaddirSync('${ROOT}');`,
    says: 'Access to this API has been restricted',
  },
  {
    cheat: 'writes',
    code: "import { writeFileSync } from 'node:fs';\nwriteFileSync(new URL('../../test/specs/01-handshake.js', import.meta.url), '');",
    says: 'Access to this API has been restricted',
  },
  {
    cheat: 'a process',
    code: "import { spawn } from 'node:child_process';\nspawn('sleep', ['33'], { detached: true });",
    says: 'Access to this API has been restricted',
  },
  {
    cheat: 'a thread',
    code: "import { Worker } from 'node:worker_threads';\nnew Worker('', { eval: true });",
    says: 'Access to this API has been restricted',
  },
  {
    cheat: 'the inspector',
    code: "import { open } from 'node:inspector';\nopen(0);",
    says: 'Access to this API has been restricted',
  },
  {
    cheat: 'the channel',
    code: `import { writeSync } from 'node:fs';
import { serialize } from 'node:v8';
const body = serialize({ type: 'finished', number: 1, output: '' });
writeSync(3, Buffer.concat([Uint8Array.of(0, 0, 0, body.length), body]));`,
    says: 'has written to the channel',
  },
  {
    cheat: 'what is in a memory that is shared',
    code: "throw new Error('Shared are ' + (Buffer.from('x').buffer.byteLength - 1) + ' bytes.');",
    says: 'Shared are 0 bytes',
  },
  {
    cheat: 'what was in a memory before',
    code: `let left = 0;
for (let n = 0; n < 9999; n++) left += Buffer.allocUnsafeSlow(256).filter(Boolean).length;
throw new Error(\`Left are \${left} bytes.\`);`,
    says: 'Left are 0 bytes',
  },
  {
    cheat: 'garbage for the channel',
    code: "import { writeSync } from 'node:fs';\nwriteSync(3, Uint8Array.of(0, 0, 0, 5, 9, 9, 9, 9, 9));",
    says: 'has written to the channel',
  },
];

/** Writes files to a folder, by their paths. */
export function writeFiles(
  folder: string,
  files: Readonly<Record<string, string | Uint8Array>>,
): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
}

/** A name that a file can have. */
export const nameOf = (cheat: string) => cheat.replace(/\W+/g, '-');

/** What a source refers to: nothing is missed, and nothing that only has such a name is taken for it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fileOf, LESSONS, type Lesson, ROOT } from '../../shared/course/lessons.ts';
import { foreignIn } from '../../shared/grade/rules.ts';
import { readSource } from '../../shared/grade/source.ts';
import { listSources } from './imports.ts';

const [first] = LESSONS as [Lesson];
const file = fileOf({ side: 'lessons', lesson: first });
const named = (text: string, allowed: readonly string[] = [], lesson = first) =>
  foreignIn(fileOf({ side: 'lessons', lesson }), text, lesson, allowed).map(({ name }) => name);

test.each([
  ["import 'node:fs';", 'node:fs'],
  ["export * from 'node:fs';", 'node:fs'],
  ["export { readFile } from 'fs/promises';", 'fs/promises'],
  ["import { type Stats } from 'node:fs';", 'node:fs'],
  ["const a = import('node:fs');", 'node:fs'],
  ['const a = import(`node:fs`);', 'import()'],
  ["import '../../shared/harness/check.ts';", 'shared/harness/check.ts'],
  ["import '../02-reading-frames/reading.ts';", 'lessons/02-reading-frames/reading.ts'],
  [
    "import './%2e%2e/%2e%2e/test/specs/01-handshake.ts';",
    'lessons/01-handshake/%2e%2e/%2e%2e/test/specs/01-handshake.ts',
  ],
  ["import './.\\t./x.ts';", String.raw`lessons/01-handshake/.\u0009./x.ts`],
  ["import './..\\\\x.ts';", 'lessons/01-handshake/..\\x.ts'],
  ["import './help.cjs';", 'lessons/01-handshake/help.cjs'],
  ["import 'file:///etc/passwd';", 'file:///etc/passwd'],
  ["import '/etc/passwd';", '/etc/passwd'],
  ['eval("1");', 'eval'],
  ['const e = eval;', 'eval'],
  ['const all = { eval };', 'eval'],
  ['new Function("1");', 'Function'],
  ['const { env } = process;', 'process'],
  ['globalThis.process.exit();', 'process'],
  ["globalThis['process'];", 'globalThis'],
  ['const all = globalThis;', 'globalThis'],
  ['class A { static b = process; }', 'process'],
  ['/* @ts-nocheck */', '@ts-nocheck'],
])('%s is named', (text, name) => {
  expect(named(text)).toEqual([name]);
  expect(named(text, [name])).toEqual([]);
});

test.each([
  "import type { Stats } from 'node:fs';",
  "export type { Stats } from 'node:fs';",
  "import { createHash } from 'crypto';",
  "import { GUID } from '../../shared/protocol.ts';",
  "import './help.ts';",
  'function process(head: Function) { return head.process({ process: 1, eval() {} }); }',
  'const read = (process: Uint8Array) => process.length;',
  'for (const fetch of []) fetch;',
  'let a: typeof process; type B = typeof globalThis; interface C { eval: Function }',
  'class A { process = 1; static Function() {} get eval() { return 1; } }',
  'process: for (;;) break process;',
  'globalThis.crypto.getRandomValues(new Uint8Array(1));',
  'const text = "// @ts-nocheck eval(1)";',
  '// Without @ts-nocheck, it is checked.',
])('%s is not', (text) => {
  expect(named(text)).toEqual([]);
});

test('a line is that of what is named', () => {
  const text = "import 'node:net';\n\n\nprocess.exit();\n";
  expect(foreignIn(file, text, first, [])).toEqual([
    { file, line: 1, name: 'node:net' },
    { file, line: 4, name: 'process' },
  ]);
});

test('lesson 05 may use the others, and sockets', () => {
  const server = LESSONS.at(-1) as Lesson;
  const text = "import 'node:net';\nimport '../01-handshake/handshake.ts';\nimport 'node:fs';\n";
  expect(named(text, [], server)).toEqual(['node:fs']);
});

test('no solution, and no other right one, is taken for a cheat', () => {
  for (const lesson of LESSONS) {
    const folder = `test/alternatives/${lesson.name}/`;
    const others = listSources('test/alternatives').filter((path) => path.startsWith(folder));
    for (const path of [fileOf({ side: 'solutions', lesson }), ...others]) {
      // As it would be in the place of a lesson, and in one file.
      const text = readFileSync(join(ROOT, path), 'utf8').replace(
        /^import [^;]* from '\.\/[^;]*;$/gm,
        '',
      );
      const moved = text
        .replace(/(\.\.\/)+solutions\//g, '../')
        .replace(/(\.\.\/)+shared\//g, '../../shared/');
      expect(named(moved, [], lesson), path).toEqual([]);
    }
  }
});

test('what is exported, in whatever way', () => {
  const text = 'export const a = 1, b = 2;\nexport class C {}\nconst d = 1;\nexport { d as e };';
  expect(readSource(text).exports).toEqual(['a', 'b', 'C', 'e']);
});

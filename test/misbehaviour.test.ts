/**
 * Wrong code is normal. Each kind of it gets one clear message, an exit code that is not 0, and
 * an end within seconds; nothing it started goes on.
 */
import { execFileSync } from 'node:child_process';
import { afterAll, describe, expect, test } from 'vitest';
import { fileOf, LESSONS, type Lesson } from '../shared/lessons.ts';
import { Sandbox } from './harness/sandbox.ts';

/** Every wait is far below this, in milliseconds: a guard, on a busy machine too. */
const MOST_MS = 30_000;

interface Kind {
  readonly kind: string;
  /** `02` for the reading of frames, which has eight steps, unless another one is better. */
  readonly lesson?: '03' | '04' | '05';
  /** Makes the learner's file out of the solution. */
  readonly make: (solution: string) => string;
  /** What has to be in the output. */
  readonly says: readonly (string | RegExp)[];
  /** The marks of the steps. */
  readonly marks?: string;
}

/** Puts statements at the start of a function's or method's body. */
const inside = (signature: string, statements: string) => (solution: string) => {
  const at = solution.indexOf(signature);
  if (at === -1) throw new Error(`Not in the solution: ${signature}`);
  const body = solution.indexOf('{\n', at) + 1;
  return `${solution.slice(0, body)}\n${statements}\n${solution.slice(body)}`;
};
const atTop = (statements: string) => (solution: string) => `${statements}\n${solution}`;
const instead = (found: string, replacement: string) => (solution: string) => {
  if (!solution.includes(found)) throw new Error(`Not in the solution: ${found}`);
  return solution.replace(found, replacement);
};

const UNMASK = 'export function unmask(';
const PUSH = '  push(chunk: Uint8Array): void {\n    this.#received';
const FIRST = 'export function decodeFirstBytes(';
const MASKED = 'export function encodeMaskedFrame(';
/** In lesson 03, called by step 4 alone. */
const PONG = 'export function pongFor(';

const KINDS: readonly Kind[] = [
  {
    kind: 'an endless loop in a step',
    make: inside(PUSH, 'for (;;);'),
    says: ['Step 4 did not come to an end within 5 seconds.', 'condition never becomes false'],
    marks: '✓✓✓✗····',
  },
  {
    kind: 'an endless loop while loading',
    make: atTop('for (;;);'),
    says: [/Loading lessons\/02-reading-frames\/reading.ts did not come to an end/],
  },
  {
    kind: 'an endless chain of promises',
    make: inside(
      UNMASK,
      'const spin = (): Promise<void> => Promise.resolve().then(spin); void spin();',
    ),
    says: ['Step 3 did not come to an end'],
    marks: '✓✓✗·····',
  },
  {
    kind: 'an await at the top that never settles',
    make: atTop('await new Promise(() => {});'),
    says: ['The code waits for something that never comes.', 'nobody resolves'],
  },
  {
    kind: 'a wait in a step that never ends',
    lesson: '05',
    make: (solution) =>
      atTop(
        "import { Server } from 'node:net';\nServer.prototype.listen = function () { setInterval(() => {}, 50); return this; };",
      )(solution),
    says: ['The code waits for something that never comes.', '8 seconds', 'nobody emits'],
  },
  {
    kind: 'an async function',
    make: instead('export function unmask(', 'export async function unmask('),
    says: [/✗ 3|TS1064/],
  },
  {
    kind: 'a promise for a result',
    make: instead(
      '  return {\n    fin: (first',
      '  return Promise.resolve({}) as never; return {\n    fin: (first',
    ),
    says: ['a Promise', 'async, or returns a promise'],
    marks: '✗✗✓✗✗✗✗✗',
  },
  {
    kind: 'a throw of a string',
    make: inside(FIRST, "throw 'oops';"),
    says: ['you threw  "oops"'],
  },
  {
    kind: 'a throw of null',
    make: inside(FIRST, 'throw null;'),
    says: ['you threw  null'],
  },
  {
    kind: 'a throw of an object that cannot be looked at',
    make: inside(FIRST, 'throw new Proxy({}, { get() { throw 1; }, ownKeys() { throw 2; } });'),
    says: ['✗ 1'],
  },
  {
    kind: 'a throw in a timer after the last check',
    lesson: '03',
    make: inside(PONG, "setTimeout(() => { throw new Error('too late'); }, 50);"),
    says: ['The code threw after its step had ended.', 'too late', 'sending.ts:'],
    marks: '✓✓✓✗✓✓✓',
  },
  {
    kind: 'a rejected promise that nobody handles',
    lesson: '03',
    make: inside(PONG, "void Promise.reject(new Error('not handled'));"),
    says: ['The code threw after its step had ended.', 'not handled'],
    marks: '✓✓✓✗✓✓✓',
  },
  {
    kind: 'process.exit in a step',
    lesson: '03',
    make: inside(PONG, 'process.exit(0);'),
    says: ['The code called process.exit(0).'],
  },
  {
    kind: 'process.exit while loading',
    make: atTop('process.exit(0);'),
    says: ['The code called process.exit(0).', 'npm run reset 02'],
  },
  {
    kind: 'process.exit in a timer',
    lesson: '03',
    make: inside(PONG, 'setTimeout(() => process.exit(0), 20);'),
    says: ['The code called process.exit(0).'],
    marks: '✓✓✓✗✓✓✓',
  },
  {
    kind: 'process.abort',
    lesson: '03',
    make: inside(PONG, 'process.abort();'),
    says: ['The process of the check was ended from within'],
    marks: '✓✓✓✗···',
  },
  {
    kind: 'a throw while loading',
    make: atTop("throw new Error('not today');"),
    says: ['reading.ts threw while it was loaded.', 'not today', 'npm run reset 02'],
  },
  {
    kind: 'an import that is not there',
    make: atTop("import './helpers.ts';"),
    says: ['threw while it was loaded', 'helpers.ts'],
  },
  {
    kind: 'a syntax error',
    make: atTop('function ( {'),
    says: ['does not parse. Line 1:', 'npm run reset 02'],
  },
  {
    kind: 'an empty file',
    make: () => '',
    says: ['The file exports no `decodeFirstBytes`.', 'npm run reset'],
  },
  {
    kind: 'a renamed export',
    make: instead('export function unmask(', 'export function unMask('),
    says: ['The file exports no `unmask`.', 'unMask'],
  },
  {
    kind: 'an export of another kind',
    make: (solution) =>
      solution
        .replace('export class FrameReader', 'class FrameReader')
        .concat('\nexport { number as FrameReader };\nconst number = 42;\n'),
    says: [/✗ 4/, 'FrameReader'],
  },
  {
    kind: 'a type error',
    make: (solution) => `${solution}\nexport const wrong: number = 'text';\n`,
    says: ['One type error in lessons/02-reading-frames/reading.ts', 'TS2322'],
    marks: '✓✓✓✓✓✓✓✓',
  },
  {
    kind: 'a flood of output',
    lesson: '03',
    make: inside(PONG, "for (let n = 0; n < 20; n++) console.log('flood', n, '\\x1b[2J');"),
    says: ['│ flood 0', '… and more'],
    marks: '✓✓✓✓✓✓✓',
  },
  {
    kind: 'a flood past the console',
    make: (solution) =>
      inside(
        UNMASK,
        "writeSync(1, 'x'.repeat(10_000));",
      )(`import { writeSync } from 'node:fs';\n${solution}`),
    says: ['All 8 steps hold'],
    marks: '✓✓✓✓✓✓✓✓',
  },
  {
    kind: 'a changed input',
    make: instead(
      'push(chunk: Uint8Array): void {\n    this.#received.push(chunk);',
      'push(chunk: Uint8Array): void {\n    this.#received.push(chunk);\n    chunk.fill(0);',
    ),
    says: ['The bytes that are pushed belong to the caller: do not change them.'],
  },
  {
    kind: 'a changed payload of the caller',
    lesson: '03',
    make: inside(MASKED, 'if (frame.payload.length) frame.payload[0]! ^= 1;'),
    says: ['The payload belongs to the caller: do not change it.', 'Work on a copy'],
  },
  {
    kind: 'a view of the memory of the check',
    make: instead(
      'if (this.#written.length + chunk.length > this.#memory.length) this.#grow(chunk.length);',
      'if (this.length === 0) {\n      this.#memory = this.#written = chunk as never;\n      return;\n    }\n    if (this.#written.length + chunk.length > this.#memory.length) this.#grow(chunk.length);',
    ),
    says: [/belong to the caller|Copy what you keep/],
  },
  {
    kind: 'a timer that is left',
    lesson: '03',
    make: inside(PONG, 'setInterval(() => {}, 100);'),
    says: ['Something still goes on after the last check.', 'Timeout', 'never ended'],
  },
  {
    kind: 'a server that is left',
    lesson: '03',
    make: (solution) =>
      inside(
        PONG,
        "createServer().listen(0, '127.0.0.1');",
      )(`import { createServer } from 'node:net';\n${solution}`),
    says: ['Something still goes on after the last check.', 'TCPServerWrap'],
  },
  {
    kind: 'a process that is left',
    make: (solution) =>
      atTop(
        "import { spawn } from 'node:child_process';\nspawn(process.execPath, ['-e', 'setInterval(() => {}, 1e9) // left-by-a-lesson']);",
      )(solution),
    says: ['Something still goes on after the last check.', 'ProcessWrap'],
  },
  {
    kind: 'a recursion without end',
    make: inside(UNMASK, 'unmask(bytes, maskingKey, position);'),
    says: ['Maximum call stack', 'calls itself again and again'],
  },
  {
    kind: 'an allocation that is too large',
    make: inside(FIRST, 'new Uint8Array(2 ** 52);'),
    says: [/Invalid|allocation|length/, 'more memory than there is'],
  },
  {
    kind: 'a list that grows without end',
    make: inside(UNMASK, 'const all: unknown[] = []; for (;;) all.push([1, 2, 3, 4, 5, 6, 7, 8]);'),
    says: [/used up its memory|did not come to an end/],
    marks: '✓✓✗·····',
  },
  {
    kind: 'the wrong error class',
    lesson: '04',
    make: (solution) =>
      solution.replaceAll(
        "new ProtocolError(1002, '5.5.1', 'A Close with half a code.')",
        "new Error('half')",
      ),
    says: ['you threw  Error: half', 'expected   a thrown ProtocolError 1002'],
  },
  {
    kind: 'nothing returned',
    lesson: '04',
    make: instead('  if (body.length === 0) return undefined;', '  return;'),
    says: ['you returned  undefined'],
  },
];

const left: string[] = [];
afterAll(() => {
  // One line a kind, for whoever wants to see them all: SHOW_KINDS=1 npx vitest …
  if (process.env.SHOW_KINDS) console.log(left.join('\n'));
});

describe.concurrent('wrong code', () => {
  test.each(KINDS)('$kind', async ({ kind, lesson = '02', make, says, marks }) => {
    const sandbox = new Sandbox();
    const target = LESSONS.find(({ number }) => number === lesson) as Lesson;
    const file = fileOf({ side: 'lessons', lesson: target });
    for (const needed of target.needs ?? []) sandbox.solve(needed);
    sandbox.write(file, make(sandbox.solution(target)));

    const started = performance.now();
    const { code, output } = await sandbox.run('test', lesson);
    const ms = performance.now() - started;
    sandbox.remove();

    const told = output.split('\n').find((line) => /^ {4}\S|^✗/.test(line)) ?? '';
    left.push(`${kind} | ${told.trim()} | ${(ms / 1000).toFixed(1)} s | ${code}`);
    for (const text of says) expect(output).toMatch(text);
    if (marks) {
      const found = [...output.matchAll(/^ ([✓✗·]) \d/gm)].map(([, mark]) => mark).join('');
      expect(found).toBe(marks);
    }
    expect(output).not.toMatch(/\n\s+at .*(harness|node:internal|node_modules)/);
    expect(output).not.toContain('\x1b[2J');
    // Printing is no mistake; everything else here is.
    expect(code).toBe(kind.startsWith('a flood') ? 0 : 1);
    expect(ms).toBeLessThan(MOST_MS);
  });
});

test.skipIf(process.platform === 'win32')('no process is left', () => {
  const running = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' });
  expect(running).not.toMatch(/left-by-a-lesson(?!.*ps -eo)/);
});

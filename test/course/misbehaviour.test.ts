/**
 * Wrong code is normal. Each kind of it gets one clear message, an exit code that is not 0, and
 * an end within seconds; nothing it started goes on.
 */
import { execFileSync } from 'node:child_process';
import { afterAll, describe, expect, test } from 'vitest';
import { fileOf, findTarget, type Target } from '../../shared/course/lessons.ts';
import { renderRun } from '../../shared/harness/report.ts';
import { firstFailure } from '../../shared/harness/run.ts';
import { loadSpec } from '../../shared/harness/spec.ts';
import { loadVariant } from '../traps/load-variant.ts';
import { PAUSE, STANDSTILL, withSandbox } from './sandbox.ts';

/** Every wait is far below this, in milliseconds: a guard, on a busy machine too. */
const MOST_MS = 120_000;

interface Kind {
  readonly kind: string;
  /** `03` for the sending of frames, whose steps take no time, unless another one is better. */
  readonly lesson?: '02' | '03' | '04' | '05';
  /** Makes the learner's file out of the solution. */
  readonly make: (solution: string) => string | Uint8Array;
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

const MASKED = 'export function encodeMaskedFrame(';
/** In lesson 03, called by step 4 alone. */
const PONG = 'export function pongFor(';

/**
 * What has to be ended, breaks off, or leaves something behind. Those that are waited for come
 * first, so that the others run meanwhile; but the patience with an endless loop is that of a
 * machine where starting takes long, and in a new sandbox it does.
 */
const UNRULY: readonly Kind[] = [
  {
    kind: 'a wait in a step that never ends',
    lesson: '05',
    make: atTop(
      "import { Server } from 'node:net';\nServer.prototype.listen = function () { setInterval(() => {}, 50); return this; };",
    ),
    says: ['The code waits for something that never comes.', '8 seconds', 'nobody emits'],
  },
  {
    kind: 'a list that grows without end',
    make: inside(
      PONG,
      'const all: unknown[] = [], part = new Array(1_000_000).fill(0.5); for (;;) all.push(part.slice());',
    ),
    says: ['The code used up its memory, 512 MiB.'],
    marks: '✓✓✓✗···',
  },
  {
    kind: 'a statement that never ends, while loading',
    make: atTop(STANDSTILL),
    says: [/Loading lessons\/03-sending-frames\/sending.ts did not come to an end/],
  },
  {
    kind: 'an endless loop in a step',
    make: inside(PONG, STANDSTILL),
    says: [
      'The first that fails: Answer an empty Ping with its payload.',
      /Step 4 did not come to an end within \d+ seconds\./,
      /Either a loop never ends, or each round does all the work again/,
    ],
    marks: '✓✓✓✗···',
  },
  {
    kind: 'an endless chain of promises',
    make: inside(
      PONG,
      `const spin = (): void => {\n${PAUSE}\nvoid Promise.resolve().then(spin);\n};\nspin();`,
    ),
    says: ['Step 4 did not come to an end'],
    marks: '✓✓✓✗···',
  },
  {
    kind: 'an await at the top that never settles',
    make: atTop('await new Promise(() => {});'),
    says: ['The code waits for something that never comes.', 'nobody resolves'],
  },
  {
    kind: 'process.abort',
    make: inside(PONG, 'process.abort();'),
    says: ['The process of the check was ended from within'],
    marks: '✓✓✓✗···',
  },
  {
    kind: 'a timer, a server, a process left',
    make: (solution) =>
      inside(
        PONG,
        "setInterval(() => {}, 100);\ncreateServer().listen(0, '127.0.0.1');",
      )(
        `import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e9) // left-by-a-lesson']);
${solution}`,
      ),
    says: [
      'Something still goes on after the last check.',
      /still open +\d+ timers? \(Timeout\)\s+seen since +step 4: /,
      /still open +\d+ servers? \(TCPServerWrap\)\s+seen since +step [45]: /,
      /still open +1 process \(ProcessWrap\)\s+seen since +the file was loaded/,
      'never ended',
    ],
  },
];

/** What comes to its end by itself, and is seen in what its process does, or in its types. */
const TAME: readonly Kind[] = [
  {
    kind: 'a changed payload of the caller',
    make: inside(MASKED, 'if (frame.payload.length) frame.payload[0]! ^= 1;'),
    // Told by how the check is written, as the loader of a learner's run leaves it.
    says: ['The payload belongs to the caller: do not change it.', /afterwards +49/],
  },
  {
    kind: 'a throw in a callback of a socket',
    lesson: '05',
    make: inside(
      '#read(chunk: Uint8Array)',
      "const all = globalThis as { thrown?: true };\nif (!all.thrown) {\nall.thrown = true;\nthrow new Error('oops');\n}",
    ),
    says: [
      'The first that fails: ',
      'The code threw in a callback, where nobody catches it.',
      'thrown at  solutions/05-server/server.ts:',
    ],
  },
  {
    kind: 'an async function',
    make: instead('export function pongFor(', 'export async function pongFor('),
    says: [/✗ 4/, 'TS1064'],
  },
  {
    kind: 'a throw of an object that cannot be looked at',
    make: inside(PONG, 'throw new Proxy({}, { get() { throw 1; }, ownKeys() { throw 2; } });'),
    says: ['✗ 4'],
  },
  {
    kind: 'a throw while loading',
    make: atTop("throw new Error('not today');"),
    says: ['sending.ts threw while it was loaded.', 'not today', 'npm run reset 03'],
  },
  {
    kind: 'an import that is not there',
    make: atTop("import './helpers.ts';"),
    says: [
      'sending.ts cannot be loaded.',
      /it says +Error: Cannot find module\s+'lessons\/03-sending-frames\/helpers\.ts'/,
      /imported\s+from\s+lessons\/03-sending-frames\/sending\.ts/,
    ],
  },
  {
    kind: 'a type imported as a value',
    make: atTop("import { Role } from '../../shared/protocol.ts';\nexport type Mine = Role;"),
    says: [/does\s+not\s+provide\s+an\s+export\s+named\s+'Role'/, 'import type { Role }'],
  },
  {
    kind: 'a file in UTF-16',
    make: (solution) => Buffer.from(`\ufeff${solution}`, 'utf16le'),
    says: ['lessons/03-sending-frames/sending.ts is not UTF-8.', 'Save it as UTF-8'],
  },
  {
    kind: 'a syntax error',
    make: atTop('function ( {'),
    says: ['lessons/03-sending-frames/sending.ts does not parse. Line 1:', 'npm run reset 03'],
  },
  {
    kind: 'a type error',
    make: (solution) => `${solution}\nexport const wrong: number = 'text';\n`,
    says: [
      /All 7 steps pass, but the types[\s\S]+One type error in lessons\/03-sending-frames\/sending\.ts/,
      /lessons\/03-sending-frames\/sending\.ts:\d+:14\n +Type 'string' .+ \(TS2322\)/,
    ],
    marks: '✓✓✓✓✓✓✓',
  },
  {
    kind: 'a flood of output',
    make: (solution) =>
      inside(
        PONG,
        "for (let n = 0; n < 20; n++) console.log('flood', n, '\\x1b[2J');",
      )(`console.log('here I am');\n${solution}`),
    says: ['│ here I am', '│ flood 0', '… and more'],
    marks: '✓✓✓✓✓✓✓',
  },
  {
    kind: 'a throw in a timer after the last check',
    make: inside(PONG, "setTimeout(() => { throw new Error('too late'); }, 50);"),
    says: ['The code threw after its step had ended.', 'too late', 'sending.ts:'],
    marks: '✓✓✓✗✓✓✓',
  },
  {
    kind: 'a rejected promise that nobody handles',
    make: inside(PONG, "void Promise.reject(new Error('not handled'));"),
    says: ['The code threw after its step had ended.', 'not handled'],
    marks: '✓✓✓✗✓✓✓',
  },
  {
    kind: 'process.exit in a step',
    make: inside(PONG, 'process.exit(0);'),
    says: ['The code called process.exit(0).'],
  },
  {
    kind: 'process.exit while loading',
    make: atTop('process.exit(0);'),
    says: [/^✗ The code called process\.exit\(0\)\./m, 'npm run reset 03'],
  },
  {
    kind: 'process.exit in a timer',
    make: inside(PONG, 'setTimeout(() => process.exit(0), 20);'),
    says: ['The code called process.exit(0).'],
    marks: '✓✓✓✗✓✓✓',
  },
  {
    kind: 'a flood past the console',
    make: (solution) =>
      inside(
        PONG,
        "writeSync(1, 'x'.repeat(10_000));",
      )(`import { writeSync } from 'node:fs';\n${solution}`),
    says: ['All 7 steps pass'],
    marks: '✓✓✓✓✓✓✓',
  },
];

/** What throws or returns something wrong, and does nothing that would need a process of its own. */
const PLAIN: readonly Kind[] = [
  {
    kind: 'a promise for a result',
    make: inside(PONG, 'return Promise.resolve({}) as never;'),
    says: ['a Promise', 'async, or returns a promise'],
  },
  {
    kind: 'a throw of a string',
    make: inside(PONG, "throw 'oops';"),
    says: [/you threw +"oops"/],
  },
  {
    kind: 'a throw of null',
    make: inside(PONG, 'throw null;'),
    says: [/you threw +null/],
  },
  {
    kind: 'an empty file',
    make: () => '',
    says: ['The file exports no `encodeFrame`.', 'npm run reset'],
  },
  {
    kind: 'a renamed export',
    make: instead('export function pongFor(', 'export function answer('),
    says: ['The file exports no `pongFor`.', 'answer'],
  },
  {
    kind: 'an export of another kind',
    make: (solution) =>
      solution
        .replace('export class SendQueue', 'class SendQueue')
        .concat('\nexport { number as SendQueue };\nconst number = 42;\n'),
    says: [/✗ 7/, 'SendQueue'],
  },
  {
    kind: 'a changed input',
    lesson: '02',
    make: instead(
      'push(chunk: Uint8Array): void {\n    this.#received.push(chunk);',
      'push(chunk: Uint8Array): void {\n    this.#received.push(chunk);\n    chunk.fill(0);',
    ),
    says: ['The bytes that are pushed belong to the caller: do not change them.'],
  },
  {
    kind: 'a view of the memory of the check',
    lesson: '02',
    make: instead(
      'if (this.#written.length + chunk.length > this.#memory.length) this.#grow(chunk.length);',
      'if (this.length === 0) {\n      this.#memory = this.#written = chunk as never;\n      return;\n    }\n    if (this.#written.length + chunk.length > this.#memory.length) this.#grow(chunk.length);',
    ),
    says: [/belong to the caller|Copy what you keep/],
  },
  {
    kind: 'a recursion without end',
    make: inside(PONG, 'pongFor(ping);'),
    says: ['Maximum call stack', 'calls itself again and again'],
  },
  {
    kind: 'an allocation that is too large',
    make: inside(PONG, 'new Uint8Array(2 ** 52);'),
    says: [/Invalid|allocation|length/, 'more memory than there is'],
  },
  {
    kind: 'the wrong error class',
    lesson: '04',
    make: instead(
      "new ProtocolError(CloseCode.ProtocolError, '5.5.1', 'A Close with half a code.')",
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
  // One line a kind, for those who want to see them all: SHOW_KINDS=1 npx vitest …
  if (process.env.SHOW_KINDS) console.log(left.join('\n'));
});

/** Checks what is said to a learner with this kind of code. */
function check(command: 'run' | 'call', { kind, lesson = '03', make, says, marks }: Kind) {
  return withSandbox(async (sandbox) => {
    const found = findTarget(lesson).lesson;
    // In the place of the reference, one that is made of others is checked alone.
    const target: Target = { side: found.needs ? 'solutions' : 'lessons', lesson: found };
    sandbox.write(fileOf(target), make(sandbox.solution(found)));

    const started = performance.now();
    const { code, output } = await sandbox[command]('test', `${target.side}/${lesson}`);
    const ms = performance.now() - started;

    const told = output.split('\n').find((line) => /^ {4}\S|^✗/.test(line)) ?? '';
    left.push(`${kind} | ${told.trim()} | ${(ms / 1000).toFixed(1)} s | ${code}`);
    for (const text of says) expect(output).toMatch(text);
    if (marks) {
      const found = [...output.matchAll(/^ ([✓✗·]) \d/gm)].map(([, mark]) => mark).join('');
      expect(found).toBe(marks);
    }
    expect(output).not.toMatch(
      /\n\s+at |node:internal|node_modules|CheckFailure|Proxy|<anonymous>/,
    );
    expect(output).not.toContain(sandbox.folder);
    expect(output).not.toContain('\x1b[2J');
    // Printing isn't a mistake; everything else here is.
    expect(code).toBe(kind.startsWith('a flood') ? 0 : 1);
    expect(ms).toBeLessThan(MOST_MS);
  });
}

/** Checks what a learner with this kind of code is told of it, without a process. */
async function checkHere({ lesson: number = '03', make, says }: Kind): Promise<void> {
  const target = findTarget(number);
  const spec = await loadSpec(target.lesson.name);
  const red = await firstFailure(
    spec,
    await loadVariant(target.lesson, (source) => String(make(source))),
  );
  // As it comes from the process of the check.
  const results = structuredClone(red ? [red] : []);
  const output = renderRun(target, results, []).join('\n');
  for (const text of says) expect(output).toMatch(text);
  expect(output).not.toMatch(/\n\s+at |node:internal|node_modules/);
}

describe.concurrent('wrong code', () => {
  // Whether the command itself comes to its end is seen in a process of its own.
  test.each(UNRULY)('$kind', (kind) => check('run', kind));
  test.each(TAME)('$kind', (kind) => check('call', kind));
  test.each(PLAIN)('$kind', checkHere);
});

test('a check that cannot start does not blame the code', () =>
  withSandbox(async (sandbox) => {
    sandbox.write('test/specs/03-sending-frames.ts', "throw new Error('no spec today');\n");
    const { code, output } = await sandbox.run('test', 'solutions/03');
    expect(code).toBe(1);
    expect(output).toMatch(
      /^✗ The check itself could not start\.\n\n {2}it says {2}Error: no spec today\n/,
    );
    expect(output).toContain('npm ci');
    expect(output).not.toMatch(/process\.kill|npm run reset/);
  }));

test.skipIf(process.platform === 'win32')('no process is left', () => {
  const running = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' });
  expect(running).not.toMatch(/left-by-a-lesson(?!.*ps -eo)/);
});

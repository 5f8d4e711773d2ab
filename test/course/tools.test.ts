/** What only shows something: the help, `npm run hint`, `npm run diff`, `npm run inspect`. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fileOf, LESSONS, type Lesson, ROOT } from '../../shared/course/lessons.ts';
import { utf8 } from '../../shared/kit/frames.ts';
import { fromHex } from '../../shared/view/hex.ts';
import { renderBytes } from '../../shared/view/inspect.ts';
import {
  ENV,
  LAUNCH,
  type Outcome,
  outcomeOf,
  type Sandbox,
  scriptOf,
  withSandbox,
} from './sandbox.ts';

const [, reading, , closing] = LESSONS as [Lesson, Lesson, Lesson, Lesson];
const yours = fileOf({ side: 'lessons', lesson: closing });
const HELLO = '81 85 37 fa 21 3d 7f 9f 4d 51 58';
const words = (text: string) => text.replace(/\s+/g, ' ').trim();

/** Arguments, and what they are refused with. */
type Refusals = readonly (readonly [args: readonly string[], message: string | RegExp])[];

/** Checks that each is refused with exit code 2 and one line. */
async function expectRefusals(
  sandbox: Sandbox,
  command: string,
  refusals: Refusals,
): Promise<void> {
  for (const [args, message] of refusals) {
    const { code, output } = await sandbox.call(command, ...args);
    expect(code, output).toBe(2);
    const [line = '', ...more] = output.trim().split('\n');
    expect(more).toEqual([]);
    if (typeof message === 'string') expect(line).toBe(`✗ ${message}`);
    else expect(line).toMatch(message);
  }
}

/** Runs a command in a process of its own, and gives it input. */
function pipe(
  { folder }: Sandbox,
  [command, ...args]: readonly [string, ...string[]],
  input: string | Uint8Array | undefined,
  isTerminal = false,
): Promise<Outcome> {
  const pretend = 'data:text/javascript,process.stdin.isTTY=true';
  const options = isTerminal ? ['--import', pretend] : [];
  const typed = [...options, LAUNCH, scriptOf(command), ...args];
  const child = spawn(process.execPath, typed, { cwd: folder, env: ENV });
  // At a terminal there is no end of the input, unless somebody types it.
  if (input !== undefined) child.stdin.end(input);
  return outcomeOf(child);
}

const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  scripts: Readonly<Record<string, string>>;
};
/** The commands that are programs of the course, and not of somebody else. */
const OURS = Object.keys(scripts).filter((name) => /^node /.test(scripts[name] ?? ''));

test('where nothing can run, one line says so before anything is loaded', () =>
  withSandbox(async ({ folder }) => {
    const pretend =
      'data:text/javascript,Object.defineProperty(process.versions,"node",{value:"18.20.8"})';
    const words = ['--import', pretend, LAUNCH, 'there-is-no-such-program.ts'];
    const { code, output } = await outcomeOf(spawn(process.execPath, words, { cwd: folder }));
    expect(output).toMatch(/^✗ This is Node 18\.20\.8, .*\n$/);
    expect(code).toBe(2);
  }));

test('a part of the course that is missing is named before anything is loaded that needs it', () =>
  withSandbox(async (sandbox) => {
    const path = 'shared/view/hex.ts';
    const source = sandbox.read(path);
    sandbox.erase(path);
    const run = await sandbox.run('inspect', '81', '00');
    sandbox.write(path, source);
    expect(run).toEqual({
      code: 2,
      output: `✗ ${path} is missing. Get it back from a fresh copy of the course.\n`,
    });
  }));

describe('the help', () => {
  test('is there for every command', () => {
    expect(Object.keys(scripts).filter((name) => !OURS.includes(name))).toEqual([
      'typecheck',
      'lint',
      'format',
    ]);
  });

  test.each(OURS)('of %s has its usage, its options, and examples', (name) =>
    withSandbox(async (sandbox) => {
      const { code, output } = await sandbox.call(name, '--help');
      expect(code, output).toBe(0);
      expect(await sandbox.call(name, '-h', 'whatever')).toEqual({ code, output });

      const called = ['test', 'start'].includes(name) ? `npm ${name}` : `npm run ${name}`;
      const lines = output.split('\n');
      expect(lines[0]).toMatch(new RegExp(`^Usage: ${called} .*\\[-- OPTIONS\\]$`));
      expect(lines.filter((line) => line.length > 80)).toEqual([]);
      const examples = lines.slice(lines.indexOf('Examples:') + 1);
      const typed = examples.filter((line) => /^ {2}npm /.test(line));
      expect(typed.length).toBeGreaterThanOrEqual(2);
      const run = called.replace('run', 'run( -s)?');
      for (const line of typed) expect(line).toMatch(new RegExp(`^ {2}${run}( |$)`));

      const source = sandbox.read(scriptOf(name));
      const options = [...source.matchAll(/([\w-]+)'?: \{\s*type: '/g)].map(
        ([, option]) => `--${option}`,
      );
      const named = [...output.matchAll(/^ {2}(?:-\w, )?(--[\w-]+)/gm)].map(([, option]) => option);
      expect(named).toEqual([...options, '--help']);
    }),
  );

  test.each(OURS)('is what %s names when it does not know an option', (name) =>
    withSandbox(async (sandbox) => {
      await expectRefusals(sandbox, name, [
        [['--bogus'], /^✗ Unknown option '--bogus'\. See npm .* -- --help$/],
      ]);
    }),
  );
});

describe('npm run hint', () => {
  test('leads from the first hint of a step to the third, and from there to the reference', () =>
    withSandbox(async (sandbox) => {
      const { code, output } = await sandbox.run('hint', '02.4');
      expect(code).toBe(0);
      const [heading, number, , ...rest] = output.trim().split('\n');
      expect(heading).toBe('02 Reading frames, step 4: A stream has no frames');
      expect(number).toBe('Hint 1 of 3');
      expect(words(rest.join('\n'))).toMatch(
        /^One thing has to survive between the calls: the bytes that wait\./,
      );
      expect(rest.at(-1)).toBe('The next hint: npm run hint 02.4.2');

      const second = await sandbox.call('hint', '02.4.2');
      expect(second.output).toContain('Hint 2 of 3');
      expect(second.output.trim()).toMatch(/\nThe next hint: npm run hint 02\.4\.3$/);
      const third = await sandbox.call('hint', '02.4.3');
      expect(third.output).toContain('\n      function join(waiting: Uint8Array');
      expect(third.output).not.toContain('```');
      expect(third.output.trim()).toMatch(
        /\nThat was the last\. To see the reference: npm run diff 02$/,
      );

      for (const same of [['2.4.2'], ['02', '4', '2'], ['lessons/02.4.2'], ['reading', '4.2']]) {
        expect(await sandbox.call('hint', ...same)).toEqual(second);
      }
    }));

  test('what it cannot show is one clear message', () =>
    withSandbox((sandbox) =>
      expectRefusals(sandbox, 'hint', [
        [[], 'Say which step you want a hint for: npm run hint 02.4'],
        [['02'], 'Say which of the steps 1 to 9 you want a hint for: npm run hint 02.1'],
        [['02.10'], 'Lesson 02 has no step 10, only 1 to 9: npm run hint 02.1'],
        [['02.4.4'], 'Step 4 has no hint 4, only 1 to 3: npm run hint 02.4.1'],
        [['02.4.0'], 'Step 4 has no hint 0, only 1 to 3: npm run hint 02.4.1'],
        [['10.1'], /^✗ There is no lesson "10"; name one of 01-handshake/],
        [['02.x'], /^✗ There is no lesson "02\.x"; name one of 01-handshake/],
        [['frames.1'], /^✗ "frames" fits more than one lesson; name one of 02-.*, 03-/],
      ]),
    ));

  test('a README with the line ends of Windows is read, and a missing one is named', () =>
    withSandbox(async (sandbox) => {
      const path = `lessons/${reading.name}/README.md`;
      const before = await sandbox.call('hint', '02.4');
      sandbox.write(path, sandbox.read(path).replaceAll('\n', '\r\n'));
      expect(await sandbox.call('hint', '02.4')).toEqual(before);
      sandbox.erase(path);
      expect(await sandbox.call('hint', '02.4')).toEqual({
        code: 2,
        output: `✗ ${path} is missing. Get it back from a fresh copy of the course.\n`,
      });
    }));
});

describe('npm run diff', () => {
  test('shows nothing of the reference while the lesson is open, but with --yes', () =>
    withSandbox(async (sandbox) => {
      expect(await sandbox.run('diff', '04')).toEqual({
        code: 2,
        output:
          '✗ Lesson 04 is not finished. To see the reference anyway: npm run diff 04 -- --yes\n',
      });

      const { code, output } = await sandbox.call('diff', '04', '--yes');
      expect(code).toBe(0);
      const lines = output.split('\n');
      expect(lines).toContain('Steps that are not written yet: 1, 2, 3, 4, 5, 6, 7.');
      expect(lines).toContain(`- yours          ${yours}`);
      expect(lines).toContain('+ the reference  solutions/04-closing/closing.ts');
      expect(output).toMatch(/^isWireCode {2}not written yet, the reference: line \d+$/m);
      expect(lines).toContain('+   if (code >= 3000 && code <= 4999) return true;');
      expect(output).not.toContain('throw new Todo');
    }));

  test('asks a person, and takes no for an answer', () =>
    withSandbox(async (sandbox) => {
      const answer = (typed: string) => pipe(sandbox, ['diff', '04'], typed, true);
      const question = 'Lesson 04 is not finished. Show the reference anyway? [y/N] ';
      const yes = await answer('y\n');
      expect(yes.output).toContain(question);
      expect(yes.output).toContain('+ the reference  solutions/04-closing/closing.ts');
      const no = await answer('\n');
      expect(no.code).toBe(0);
      expect(no.output).toContain(question);
      expect(no.output).toContain('Not shown. A hint may do: npm run hint 04.1');
      expect(no.output).not.toContain('the reference  solutions');
    }));

  test('does not ask when the lesson is done, whatever the line ends', () =>
    withSandbox(async (sandbox) => {
      const solution = sandbox.solution(closing);
      const limit = 'code >= 3000 && code <= 4999';
      sandbox.write(yours, solution.replace(limit, 'code > 2999 && code < 5000'));
      const { code, output } = await sandbox.call('diff', '04');
      expect(code).toBe(0);
      expect(output).toContain(
        'Both pass all 7 steps. As far as the checks can tell, what differs',
      );
      expect(output.match(/^[-+] {2}.*$/gm)).toEqual([
        '-   if (code > 2999 && code < 5000) return true;',
        '+   if (code >= 3000 && code <= 4999) return true;',
      ]);
      expect(output).toMatch(/\nThe same but for style: .*, closeCodeFor, /);

      sandbox.write(yours, solution.replace(limit, 'code >= 3000'));
      const red = await sandbox.call('diff', '04', '--yes');
      expect(red.output).toContain('The first of them in full: npm test 04\n');
      expect(red.output).toMatch(/^ {2}step 2 {2}[A-Z].*\.$/m);
      expect(red.output).not.toMatch(/^ {2}step 3/m);

      sandbox.write(yours, `// Mine.\r\n${solution.replaceAll('\n', '\r\n').replaceAll("'", '"')}`);
      expect((await sandbox.call('diff', '04')).output).toContain(
        `\n${yours} does what the reference does, and differs in style at most.\n`,
      );
    }));

  test('a file that does not load is not finished, and one that is not there is missing', () =>
    withSandbox(async (sandbox) => {
      sandbox.write(yours, 'export function (\n');
      const run = await sandbox.call('diff', '04');
      expect(run).toMatchObject({ code: 2 });
      expect(run.output).toContain('Lesson 04 is not finished.');
      expect((await sandbox.call('diff', '04', '--yes')).output).toContain(
        '\n- export function (\n',
      );
      sandbox.erase(yours);
      const missing = `${yours} is missing. Get a fresh one: npm run reset 04`;
      await expectRefusals(sandbox, 'diff', [
        [['04'], missing],
        [['04', '--yes'], missing],
        [[], 'Say which lesson to compare: npm run diff 02'],
        [['--yes'], 'Say which lesson to compare: npm run diff 02'],
        [['01', '02'], 'Say which lesson to compare: npm run diff 02'],
        [['10'], /^✗ There is no lesson "10"; name one of 01-handshake/],
      ]);
    }));
});

describe('npm run inspect', () => {
  const drawn = { code: 0, output: `\n${renderBytes(fromHex(HELLO), 80).join('\n')}\n\n` };
  const nothing = /^✗ Give the bytes to look at, in hex: npm run inspect 81/;

  test('joins its arguments', () =>
    withSandbox(async (sandbox) => {
      expect(await sandbox.run('inspect', ...HELLO.split(' '))).toEqual(drawn);
      await expectRefusals(sandbox, 'inspect', [
        [['81', '8g'], /^✗ Cannot read "8g" at character 4: /],
        [[''], nothing],
      ]);
    }));

  test('takes hex, or the bytes themselves, from another program', () =>
    withSandbox(async (sandbox) => {
      for (const input of [utf8(`${HELLO}\n`), fromHex(HELLO)]) {
        expect(await pipe(sandbox, ['inspect'], input)).toEqual(drawn);
      }
    }));

  test('without any bytes says how to give some, also at a terminal', () =>
    withSandbox(async (sandbox) => {
      const runs = [
        await pipe(sandbox, ['inspect'], ''),
        await pipe(sandbox, ['inspect'], undefined, true),
      ];
      for (const { code, output } of runs) {
        expect(code).toBe(2);
        expect(output).toMatch(nothing);
        expect(output.trim().split('\n')).toHaveLength(1);
      }
    }));
});

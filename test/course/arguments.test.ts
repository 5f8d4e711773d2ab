/** The options of a command, as they are typed, and as npm hands them over. */
import { describe, expect, test } from 'vitest';
import { readArguments } from '../../shared/commands/arguments.ts';
import type { Command } from '../../shared/commands/command.ts';
import { renderHelp } from '../../shared/commands/help.ts';
import { UsageError } from '../../shared/course/lessons.ts';

const OPTIONS = {
  quick: { type: 'boolean', help: 'Hurries.' },
  yes: { type: 'boolean', help: 'Does not ask.' },
  port: { type: 'string', value: 'PORT', help: 'Where to listen.' },
  case: { type: 'string', multiple: true, value: 'ID', help: 'What to run.' },
} as const;

const COMMAND: Command<typeof OPTIONS> = {
  name: 'npm run serve',
  summary: 'Does what it is told.',
  positionals: { '[WORD…]': 'Any word.' },
  options: OPTIONS,
  examples: [['npm run serve', 'Does it.']],
  run: async () => 0,
};

/** What npm puts into the environment, without the start of its names. */
type Kept = Readonly<Record<string, string>>;

function read(typed: string, kept: Kept = {}, command = COMMAND) {
  const environment = Object.entries(kept).map(([name, value]) => [`npm_config_${name}`, value]);
  const words = typed.split(' ').filter((word) => word !== '');
  return readArguments(command, words, Object.fromEntries(environment));
}

describe('what is typed', () => {
  test.each([
    ['', {}, []],
    ['02 --quick 03', { quick: true }, ['02', '03']],
    ['--port 80', { port: '80' }, []],
    ['--port=80 --case 1 --case=2', { port: '80', case: ['1', '2'] }, []],
    ['-- --quick', {}, ['--quick']],
  ])('%j is read', (typed, values, positionals) => {
    expect(read(typed)).toEqual({ values, positionals, wantsHelp: false });
  });

  test.each(['--help', '-h', '02 -h --quick'])('%j asks for help', (typed) => {
    expect(read(typed).wantsHelp).toBe(true);
  });

  test.each([
    ['--quik', "Unknown option '--quik'."],
    ['-q', "Unknown option '-q'."],
    ['--quick=now', "Option '--quick' does not take an argument."],
    ['--port', "Option '--port <value>' argument missing."],
    ['--port --quick', "Option '--port' argument is ambiguous."],
  ])('%j is refused, and the help is named', (typed, message) => {
    expect(() => read(typed)).toThrow(new UsageError(`${message} See npm run serve -- --help`));
  });

  test('a word is refused where none belongs', () => {
    const { positionals, ...wordless } = COMMAND;
    const message = "Unexpected argument '02'. See npm run serve -- --help";
    expect(() => read('02', {}, wordless)).toThrow(new UsageError(message));
    expect(read('02 --help', {}, wordless).wantsHelp).toBe(true);
  });
});

// As seen with npm 10.9 and 11.19.
describe('what npm has kept to itself', () => {
  test.each<[string, string, Kept, object, string[]]>([
    ['02 --quick', '02', { quick: 'true' }, { quick: true }, ['02']],
    ['--no-quick', '', { quick: '' }, {}, []],
    ['--port=80', '', { port: '80' }, { port: '80' }, []],
    ['--port 80', '80', { port: 'true' }, { port: '80' }, []],
    ['02 --case 1', '02 1', { case: 'true' }, { case: ['1'] }, ['02']],
    ['--case=1 --case=2', '', { case: '1\n\n2' }, { case: ['1', '2'] }, []],
    ['--port=80 -- --port 81', '--port 81', { port: '80' }, { port: '81' }, []],
    ['--port 80 -- --quick', '80 --quick', { port: 'true' }, { port: '80', quick: true }, []],
  ])('%s counts', (_, typed, kept, values, positionals) => {
    expect(read(typed, kept)).toEqual({ values, positionals, wantsHelp: false });
  });

  test('--yes does not, since it may be a setting of npm', () => {
    expect(read('02', { yes: 'true' }).values).toEqual({});
    expect(read('02 --yes', { yes: '' }).values).toEqual({ yes: true });
  });

  test('what belongs to which option is never guessed', () => {
    const kept = { port: 'true', case: 'true' };
    expect(() => read('80 1', kept)).toThrow('--port and --case from their values: put -- before');
    expect(() => read('1 2', { case: 'true\n\ntrue' })).toThrow('--case and --case');
    expect(() => read('', { port: 'true' })).toThrow("Option '--port' needs a value.");
  });
});

test('the help names all that is read, in the width there is', () => {
  const lines = renderHelp(COMMAND, 50);
  expect(lines).toEqual([
    'Usage: npm run serve [WORD…] [-- OPTIONS]',
    '',
    'Does what it is told.',
    '',
    '  [WORD…]      Any word.',
    '  --quick      Hurries.',
    '  --yes        Does not ask.',
    '  --port PORT  Where to listen.',
    '  --case ID    What to run.',
    '  -h, --help   Show this text.',
    '',
    'Examples:',
    '  npm run serve',
    '      Does it.',
  ]);
});

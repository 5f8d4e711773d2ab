import { style } from '../view/style.ts';
import { labelTable } from '../view/table.ts';
import { wrap } from '../view/wrap.ts';
import { type Command, HELP, type Option, type Options } from './command.ts';

/** Writes how a command is used: what it takes, and examples. No line is wider than `width`. */
export function renderHelp<O extends Options>(command: Command<O>, width: number): string[] {
  const { name, summary, positionals = {}, options = {}, examples } = command;
  const usage = ['Usage:', name, ...Object.keys(positionals), '[-- OPTIONS]'].join(' ');
  const rows = [
    ...Object.entries(positionals),
    ...Object.entries({ ...options, help: HELP }).map(
      ([name, option]) => [labelOf(name, option), option.help] as const,
    ),
  ];
  return [
    ...wrap(usage, width, '  '),
    '',
    ...wrap(summary, width),
    '',
    ...labelTable(rows, width - 2).map((line) => `  ${line}`),
    '',
    'Examples:',
    ...examples.flatMap(([typed, effect]) => [
      ...wrap(`  ${typed}`, width, '    '),
      ...wrap(`      ${effect}`, width, '      ').map((line) => style.dim(line)),
    ]),
  ];
}

/** An option as it is typed, such as `--port PORT` or `-h, --help`. */
function labelOf(name: string, { short, value }: Option): string {
  return `${short ? `-${short}, ` : ''}--${name}${value ? ` ${value}` : ''}`;
}

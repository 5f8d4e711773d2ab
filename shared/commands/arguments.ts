/** What was typed behind the name of a command. */
import { parseArgs } from 'node:util';
import { UsageError } from '../course/lessons.ts';
import { type Command, HELP, type Options, type Values } from './command.ts';

/** The options and the other words that a command was given. */
export interface Arguments<O extends Options> {
  readonly values: Values<O>;
  readonly positionals: readonly string[];
  /** Somebody wants to read the help, whatever else they typed. */
  readonly wantsHelp: boolean;
}

/**
 * Options that npm has as well. Its own settings may have put them into the environment, so they
 * count only behind a `--`.
 */
const ALSO_OF_NPM = ['yes'];

/**
 * Reads what was typed. Without a `--` before them, npm keeps the options to itself and puts them
 * into the environment: they count as well.
 *
 * Throws `UsageError` for an option or a word that the command does not have, and for an option
 * that lacks its value or has one too many.
 */
export function readArguments<O extends Options>(
  command: Command<O>,
  typed: readonly string[],
  environment: NodeJS.ProcessEnv = process.env,
): Arguments<O> {
  try {
    const options = { ...command.options, help: HELP };
    const kept = keptByNpm(command.options ?? {}, environment);
    const { values, positionals } = parse(options, [...kept.args, ...typed]);
    if (kept.withoutValue !== undefined) {
      // Of `--port 8080`, npm has kept the first word and passed on the second, as the last one.
      values[kept.withoutValue] = valueFor(kept.withoutValue, options, positionals.pop());
    }
    const { help: wantsHelp = false, ...others } = values;
    if (!command.positionals && positionals.length > 0 && !wantsHelp) {
      throw new UsageError(`Unexpected argument '${positionals[0]}'.`);
    }
    return { values: others as Values<O>, positionals, wantsHelp: wantsHelp === true };
  } catch (error) {
    if (error instanceof UsageError) error.message += ` See ${command.name} -- --help`;
    throw error;
  }
}

function parse(options: Options, args: string[]) {
  try {
    return parseArgs({ options, args, allowPositionals: true });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new UsageError(`${error.message.split(/\.\s/)[0]}.`);
  }
}

function valueFor(name: string, options: Options, value: string | undefined): string | string[] {
  if (value === undefined) throw new UsageError(`Option '--${name}' needs a value.`);
  return options[name]?.multiple ? [value] : value;
}

/**
 * Finds the options that npm has kept: as arguments, and the name of the one that it has separated
 * from its value. Throws `UsageError` when those are several, since which value is whose is lost.
 */
function keptByNpm(options: Options, environment: NodeJS.ProcessEnv) {
  const args: string[] = [];
  const separated: string[] = [];
  for (const [name, { type }] of Object.entries(options)) {
    if (ALSO_OF_NPM.includes(name)) continue;
    // The values of an option that was given more than once are two line breaks apart.
    for (const value of environment[`npm_config_${name}`]?.split('\n\n') ?? []) {
      if (value === 'true' && type === 'string') separated.push(name);
      else if (value === 'true') args.push(`--${name}`);
      else if (value !== '' && type === 'string') args.push(`--${name}=${value}`);
    }
  }
  if (separated.length > 1) {
    const names = separated.map((name) => `--${name}`).join(' and ');
    throw new UsageError(`npm has separated ${names} from their values: put -- before them.`);
  }
  return { args, withoutValue: separated[0] };
}

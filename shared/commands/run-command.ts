import { type ParseArgsConfig, parseArgs } from 'node:util';
import { UsageError } from '../course/lessons.ts';
import { style } from '../view/style.ts';

/**
 * Runs a command of the course and sets the exit code to what it returns. A `UsageError` becomes
 * one line for the person at the terminal and exit code 2; what is our own fault stays a trace.
 */
export async function runCommand(command: (args: string[]) => Promise<number>): Promise<void> {
  try {
    process.exitCode = await command(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`${style.red('✗')} ${error.message}`);
    process.exitCode = 2;
  }
}

/**
 * Reads arguments with `parseArgs`. Throws `UsageError` for what it does not accept: what that is,
 * and then `help`.
 */
export function parseOptions<T extends ParseArgsConfig>(config: T, help: string) {
  try {
    return parseArgs(config);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new UsageError(`${error.message.split('. ')[0]}. ${help}`);
  }
}

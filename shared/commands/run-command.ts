import './output.mjs';
import { toUsageError } from '../course/files.ts';
import { UsageError } from '../course/lessons.ts';
import { SEED } from '../kit/seed.ts';
import { exitOnSignals } from '../process/children.ts';
import { exitWithParent } from '../process/parent.ts';
import { columns, style } from '../view/style.ts';
import { readArguments } from './arguments.ts';
import type { Command, Options } from './command.ts';
import { renderHelp } from './help.ts';

// Whatever ends a command, nothing that it has started goes on.
exitOnSignals();
exitWithParent();

/**
 * Runs a command of the course, or shows its help, and sets the exit code. A `UsageError` becomes
 * one line for the person at the terminal and exit code 2; what is our own fault stays a trace.
 */
export async function runCommand<const O extends Options>(command: Command<O>): Promise<void> {
  try {
    // A verdict that nobody waits for is none: until there is one, the program has failed.
    process.exitCode = 1;
    const { values, positionals, wantsHelp } = readArguments(command, process.argv.slice(2));
    if (wantsHelp) console.log(renderHelp(command, columns()).join('\n'));
    else requireSeed();
    process.exitCode = wantsHelp ? 0 : await command.run(values, positionals);
  } catch (error) {
    refuse(error);
  }
}

/** Throws `UsageError` for a `SEED` that is none. It is for all commands: most run the checks. */
function requireSeed(): void {
  if (!Number.isNaN(SEED)) return;
  const asked = JSON.stringify(process.env.SEED);
  throw new UsageError(
    `SEED has to be a whole number of at most nine digits, such as SEED=7, not ${asked}.`,
  );
}

/**
 * Says in one line for the person at the terminal why a command cannot do its work, and sets exit
 * code 2. Throws again what is our own fault.
 */
export function refuse(error: unknown): void {
  const refusal = toUsageError(error);
  if (!refusal) throw error;
  console.error(`${style.red('✗')} ${refusal.message}`);
  process.exitCode = 2;
}

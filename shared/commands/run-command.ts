import { UsageError } from '../course/lessons.ts';
import { exitOnSignals } from '../process/children.ts';
import { exitWithParent } from '../process/parent.ts';
import { columns, style } from '../view/style.ts';
import { readArguments } from './arguments.ts';
import type { Command, Options } from './command.ts';
import { renderHelp } from './help.ts';

// Nobody reads on: `head` has read enough, or the terminal is gone. To complain would fail as well.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit();
    throw error;
  });
}

// Whatever ends a command, nothing that it has started goes on.
exitOnSignals();
exitWithParent();

/**
 * Runs a command of the course, or shows its help, and sets the exit code. A `UsageError` becomes
 * one line for the person at the terminal and exit code 2; what is our own fault stays a trace.
 */
export async function runCommand<const O extends Options>(command: Command<O>): Promise<void> {
  try {
    const { values, positionals, wantsHelp } = readArguments(command, process.argv.slice(2));
    if (wantsHelp) console.log(renderHelp(command, columns()).join('\n'));
    process.exitCode = wantsHelp ? 0 : await command.run(values, positionals);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`${style.red('✗')} ${error.message}`);
    process.exitCode = 2;
  }
}

import { createInterface } from 'node:readline';

/**
 * Asks a question that `y` or `yes` says yes to. Everything else is a no, and so is the end of
 * the input or Ctrl-C. The question goes to stderr, so that it is seen when stdout is a pipe.
 */
export function confirm(
  question: string,
  input: NodeJS.ReadableStream = process.stdin,
  output: NodeJS.WritableStream = process.stderr,
): Promise<boolean> {
  const terminal = createInterface({ input, output });
  return new Promise((resolve) => {
    const unanswered = () => {
      output.write('\n');
      resolve(false);
    };
    terminal.on('close', unanswered);
    terminal.question(`${question} [y/N] `, (answer) => {
      resolve(/^\s*y(es)?\s*$/i.test(answer));
      terminal.off('close', unanswered).close();
    });
  });
}

/** Runs commands of the course one after the other, each as if in a process of its own. */
import type { Outcome } from './sandbox.ts';

let output = '';
for (const stream of [process.stdout, process.stderr]) {
  stream.write = ((text: string) => {
    output += text;
    return true;
  }) as typeof stream.write;
}

let count = 0;
process.on('message', async ({ command, args }: { command: string; args: string[] }) => {
  output = '';
  process.argv.splice(2, process.argv.length, ...args);
  process.exitCode = undefined;
  try {
    // With a number of its own, it is run each time.
    await import(`../../shared/commands/${command}.ts?${++count}`);
  } catch (error) {
    console.error(error);
    process.exitCode = 1;
  }
  process.send?.({ code: Number(process.exitCode ?? 0), output } satisfies Outcome);
});

/** Runs commands of the course one after the other, each as if in a process of its own. */
import { pathToFileURL } from 'node:url';
import type { Outcome } from './sandbox.ts';

let output = '';
for (const stream of [process.stdout, process.stderr]) {
  stream.write = ((text: string) => {
    output += text;
    return true;
  }) as typeof stream.write;
}

let count = 0;
process.on('message', async ({ script, args }: { script: string; args: string[] }) => {
  output = '';
  process.argv.splice(2, process.argv.length, ...args);
  process.exitCode = undefined;
  try {
    // With a number of its own, it is run each time.
    await import(`${pathToFileURL(script)}?${++count}`);
  } catch (error) {
    console.error(error);
    process.exitCode = 1;
  }
  process.send?.({ code: Number(process.exitCode ?? 0), output } satisfies Outcome);
});

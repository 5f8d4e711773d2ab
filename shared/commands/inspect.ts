/**
 * `npm run inspect 81 85 37 …` names what any bytes say: frames field by field, handshakes line by
 * line. Without arguments it takes them from stdin, as hex or as they are.
 */
import { UsageError } from '../course/lessons.ts';
import { parseBytes, takeBytes } from '../view/bytes.ts';
import { renderBytes } from '../view/inspect.ts';
import { columns } from '../view/style.ts';
import { runCommand } from './run-command.ts';

await runCommand(async (args) => {
  const bytes = await readBytes(args);
  console.log(['', ...renderBytes(bytes, columns()), ''].join('\n'));
  return 0;
});

/** Reads the arguments or stdin. Throws `UsageError` for text that is not bytes. */
async function readBytes(args: readonly string[]): Promise<Uint8Array> {
  const isPiped = args.length === 0 && !process.stdin.isTTY;
  try {
    return isPiped ? takeBytes(await readStdin()) : parseBytes(args.join(' '));
  } catch (error) {
    throw error instanceof SyntaxError ? new UsageError(error.message) : error;
  }
}

async function readStdin(): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

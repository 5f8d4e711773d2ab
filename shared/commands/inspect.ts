import { UsageError } from '../course/lessons.ts';
import { parseBytes, takeBytes } from '../view/bytes.ts';
import { renderBytes } from '../view/inspect.ts';
import { columns } from '../view/style.ts';
import { runCommand } from './run-command.ts';

await runCommand({
  name: 'npm run inspect',
  summary:
    'Names what any bytes say: frames field by field, handshakes line by line. Without arguments it takes them from stdin, as hex or as they are.',
  positionals: { '[BYTES…]': 'In hex, with or without spaces, or a dump with offsets.' },
  examples: [
    ['npm run inspect 81 85 37 fa 21 3d 7f 9f 4d 51 58', 'A masked text frame.'],
    ['npm run inspect < capture.bin', 'What you have recorded.'],
  ],
  async run(_, words) {
    const bytes = await readBytes(words);
    console.log(['', ...renderBytes(bytes, columns()), ''].join('\n'));
    return 0;
  },
});

/** Reads the arguments or stdin. Throws `UsageError` for text that is not bytes. */
async function readBytes(words: readonly string[]): Promise<Uint8Array> {
  const isPiped = words.length === 0 && !process.stdin.isTTY;
  try {
    return isPiped ? takeBytes(await readStdin()) : parseBytes(words.join(' '));
  } catch (error) {
    throw error instanceof SyntaxError ? new UsageError(error.message) : error;
  }
}

async function readStdin(): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

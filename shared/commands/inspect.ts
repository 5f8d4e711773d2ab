import { UsageError } from '../course/lessons.ts';
import { type Given, parseBase64, parseBytes, takeBytes } from '../view/bytes.ts';
import { count } from '../view/count.ts';
import { renderBytes } from '../view/inspect.ts';
import { columns } from '../view/style.ts';
import { runCommand } from './run-command.ts';

await runCommand({
  name: 'npm run inspect',
  summary:
    'Names what any bytes say: frames field by field, compressed messages unpacked, handshakes line by line. Without arguments it takes them from stdin, written down or as they are.',
  positionals: {
    '[BYTES…]':
      'In hex, with or without spaces. Or as console.log prints them, as numbers in brackets, with \\x81, or as a dump of xxd, od, hexdump -C or Wireshark.',
  },
  options: { base64: { type: 'boolean', help: 'They are written in base64.' } },
  examples: [
    ['npm run inspect 81 85 37 fa 21 3d 7f 9f 4d 51 58', 'A masked text frame.'],
    ['npm run inspect c107f248cdc9c90700 c105f200110000', 'Hello twice, compressed.'],
    ["npm run inspect '<Buffer 81 05 48 65 6c 6c 6f>'", 'What your program has printed.'],
    ['npm run inspect < capture.bin', 'What you have recorded.'],
  ],
  async run({ base64 = false }, words) {
    const { bytes, leftOut } = await readBytes(words, base64);
    const lines = renderBytes(bytes, columns());
    if (leftOut > 0) {
      lines.push(`console.log has left out the rest: ${count(leftOut, 'more byte')}.`);
    }
    console.log(['', ...lines, ''].join('\n'));
    return 0;
  },
});

/** Reads the arguments or stdin. Throws `UsageError` for text that is not bytes. */
async function readBytes(words: readonly string[], isBase64: boolean): Promise<Given> {
  const isPiped = words.length === 0 && !process.stdin.isTTY;
  try {
    if (isBase64) return parseBase64(isPiped ? `${await readStdin()}` : words.join(''));
    return isPiped ? takeBytes(await readStdin()) : parseBytes(words.join(' '));
  } catch (error) {
    throw error instanceof SyntaxError ? new UsageError(error.message) : error;
  }
}

async function readStdin(): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

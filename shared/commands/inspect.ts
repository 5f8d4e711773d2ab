/**
 * `npm run inspect 81 85 37 …` names what any bytes say: frames field by field, handshakes line by
 * line. Without arguments it takes them from stdin, as hex or as they are.
 */
import { parseBytes, takeBytes } from '../view/bytes.ts';
import { renderBytes } from '../view/inspect.ts';
import { columns } from '../view/style.ts';
import { runCommand } from './run-command.ts';

await runCommand(async (args) => {
  const isPiped = args.length === 0 && !process.stdin.isTTY;
  const bytes = isPiped ? takeBytes(await readStdin()) : parseBytes(args.join(' '));
  console.log(['', ...renderBytes(bytes, columns()), ''].join('\n'));
  return 0;
});

async function readStdin(): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

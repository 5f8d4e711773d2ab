// @ts-check
/**
 * Runs another program, such as `node keeper.mjs chromium --headless`, and ends it with all that it
 * has started when nobody is at the other end of the standard input: a process that is killed can end
 * nobody itself.
 */
import { spawn } from 'node:child_process';

const [program = '', ...args] = process.argv.slice(2);
const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'] });
child.on('error', ({ message }) => {
  console.error(message);
  process.exit(1);
});
child.on('exit', (code) => process.exit(code ?? 1));
process.stdin.resume();
process.stdin.on('close', () => {
  // We lead a group: what the child has started is in it.
  if (process.platform !== 'win32') process.kill(-process.pid, 'SIGKILL');
  child.kill('SIGKILL');
});

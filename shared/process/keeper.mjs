// @ts-check
/**
 * Runs another program, such as `node keeper.mjs chromium --headless`, and ends it with all that it
 * has started when nobody is at the other end of the standard input: a process that is killed can end
 * nobody itself.
 */
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';

const [program = '', ...args] = process.argv.slice(2);
const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'] });
child.on('error', ({ message }) => {
  console.error(message);
  process.exit(1);
});
const exit = (/** @type {number | null} */ code) => process.exit(code ?? 1);
child.on('exit', exit);
process.stdin.resume();
process.stdin.on('close', () => {
  const folder = process.env.KEPT_FOLDER;
  if (folder) {
    // What it has written goes as well, once nobody writes any more.
    child.off('exit', exit).on('exit', () => {
      rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
      end();
    });
    child.kill('SIGKILL');
  } else end();
});

function end() {
  // We lead a group: what the child has started is in it.
  if (process.platform !== 'win32') process.kill(-process.pid, 'SIGKILL');
  child.kill('SIGKILL');
}

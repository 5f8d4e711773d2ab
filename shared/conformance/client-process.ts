/** Clients and servers to test that are processes. */
import type { ChildProcess } from 'node:child_process';
import { stripVTControlCharacters } from 'node:util';
import { UsageError } from '../course/lessons.ts';
import { endChild, forkChild, spawnChild } from '../process/children.ts';
import type { StartedClient } from './client-run.ts';

/** How much is kept of the last words of a client, in characters. */
const LAST_WORDS = 600;
const OUTPUT = ['ignore', 'pipe', 'pipe'] as const;

/** Starts a command line, in which `{url}` stands for the URL to connect to. */
export function startCommand(command: string, url: string): StartedClient {
  const words = command.replaceAll('{url}', url);
  return follow(spawnChild(words, [], { shell: true, stdio: [...OUTPUT] }));
}

/** Starts the echo client on a lesson 06 or 07, such as `lessons/06`. */
export function startLesson(lesson: string, url: string): StartedClient {
  const program = new URL('echo-client.ts', import.meta.url);
  return follow(forkChild(program, [lesson, url], [], { stdio: [...OUTPUT, 'ipc'] }));
}

/**
 * Starts the echo server on a lesson 05, 07 or 08, such as `lessons/07`. With `extension`, which is a
 * lesson 07, the server of 05 or 08 compresses. Returns its URL, and what ends it. Throws `UsageError`
 * when it ends before it listens.
 */
export async function serveLesson(
  lesson: string,
  ...extension: readonly string[]
): Promise<{ url: string; stop: () => void }> {
  const program = new URL('echo-server.ts', import.meta.url);
  const child = forkChild(program, [lesson, ...extension], [], { stdio: [...OUTPUT, 'ipc'] });
  const server = follow(child);
  const port = new Promise<number>((resolve) => child.once('message', resolve));
  const listening = await Promise.race([port, server.ended]);
  if (typeof listening === 'number')
    return { url: `ws://127.0.0.1:${listening}/`, stop: server.stop };
  throw new UsageError(`The server of ${lesson} ended ${listening}: ${server.lastWords}`);
}

function follow(child: ChildProcess): StartedClient {
  let words = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      words = (words + text).slice(-LAST_WORDS);
    });
  }
  const ended = new Promise<string>((resolve) => {
    child.once('error', ({ message }) => resolve(`at its start: ${message}`));
    child.once('close', (code, signal) => {
      resolve(signal ? `by ${signal}` : `with code ${code}`);
    });
  });
  return {
    ended,
    get lastWords() {
      return stripVTControlCharacters(words).trim();
    },
    stop: () => endChild(child),
  };
}

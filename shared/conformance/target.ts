/** Where the server is that is tested, and whether it is there. */
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { UsageError } from '../course/lessons.ts';
import type { TargetServer } from './http.ts';

/** How long a server may take until it listens, in milliseconds. */
const LISTEN_MS = 3000;

/** Reads a URL. Throws `UsageError` when it is none, or not one of a WebSocket without TLS. */
export function parseTarget(url: string): TargetServer {
  const { protocol, hostname, port, host, pathname, search } = parseUrl(url);
  if (protocol === 'wss:') {
    throw new UsageError(
      'The suite speaks ws:// only, without TLS. Test what is behind the wss://.',
    );
  }
  if (protocol !== 'ws:') {
    throw new UsageError(`${url} is not the URL of a WebSocket: it starts with ws://`);
  }
  return {
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: Number(port || 80),
    path: pathname + search,
    authority: host,
  };
}

function parseUrl(url: string): URL {
  try {
    return new URL(url);
  } catch {
    throw new UsageError(
      `Cannot read ${JSON.stringify(url)} as a URL, such as ws://127.0.0.1:9001/`,
    );
  }
}

/** Waits until somebody listens. Throws `UsageError` when nobody does. */
export async function untilListening(target: TargetServer): Promise<void> {
  const until = performance.now() + LISTEN_MS;
  for (;;) {
    const problem = await knock(target);
    if (problem === undefined) return;
    if (problem !== 'ECONNREFUSED' || performance.now() > until) {
      throw new UsageError(
        `Nobody listens at ${target.authority} (${problem}). Start your server first.`,
      );
    }
    await pause(50);
  }
}

/** Connects and closes the connection. Returns why that was not possible, if it was not. */
function knock({ host, port }: TargetServer): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.setTimeout(LISTEN_MS, () => socket.destroy(new Error('no answer')));
    socket.once('connect', () => {
      socket.destroy();
      resolve(undefined);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

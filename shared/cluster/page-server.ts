/** The page of a cluster: its files, how the processes are, and what one may do to them. */
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { ROOT } from '../course/lessons.ts';
import { isOurHost } from '../serve/files.ts';

/** What a page needs to know, as JSON at `/state`. */
export interface ClusterState {
  /** Where its WebSocket goes, such as `ws://127.0.0.1:8081`. Absent: nowhere yet. */
  readonly url?: string;
  /** What is in front of the processes, and what carries the messages. */
  readonly proxy: string;
  readonly bus: string;
  readonly whose: string;
  readonly room: string;
  readonly members: readonly {
    readonly name: string;
    readonly pid?: number;
    readonly state: string;
  }[];
}

/** What is behind the page. */
export interface PageOptions {
  /** The client's side of lesson 09, as JavaScript. */
  readonly session: string;
  readonly state: () => ClusterState;
  /** What `POST /restart` and the like do: what takes its time is not waited for. */
  readonly acts: Readonly<Record<string, () => void>>;
}

const SCRIPT = 'text/javascript; charset=utf-8';
const CSS = 'text/css; charset=utf-8';

/** What is served from folders. No path of a request touches the disk. */
const FILES: Readonly<Record<string, readonly [file: string, type: string]>> = {
  '/': ['shared/cluster/page/index.html', 'text/html; charset=utf-8'],
  '/cluster.js': ['shared/cluster/page/cluster.js', SCRIPT],
  '/cluster.css': ['shared/cluster/page/cluster.css', CSS],
  '/dom.js': ['shared/serve/page/dom.js', SCRIPT],
  '/page.css': ['shared/serve/page/page.css', CSS],
  '/icon.svg': ['shared/serve/page/icon.svg', 'image/svg+xml'],
};

/** The page may load its own files and open sockets to this machine, and nothing else at all. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self' ws://127.0.0.1:*",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

/** A page that is served. */
export interface ServedPage {
  /** Such as `http://127.0.0.1:8080`. */
  readonly url: string;
  stop(): void;
}

/** Serves the page on 127.0.0.1; port 0 is any free one. Rejects with the system's error. */
export async function servePage(port: number, options: PageOptions): Promise<ServedPage> {
  const server = createServer((request, response) => answer(request, response, options));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve);
  });
  const { port: bound } = server.address() as AddressInfo;
  const stop = () => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${bound}`, stop };
}

function answer(
  { url = '', method, headers, socket }: IncomingMessage,
  response: ServerResponse,
  { session, state, acts }: PageOptions,
): void {
  const send = (status: number, type: string, body: string) =>
    response
      .writeHead(status, {
        'Content-Type': type,
        'Content-Security-Policy': POLICY,
        'X-Content-Type-Options': 'nosniff',
        'Cache-Control': 'no-store',
      })
      .end(body);
  if (!isOurHost(headers.host, socket.localPort)) {
    send(421, 'text/plain', 'This server answers to 127.0.0.1 and localhost only.\n');
  } else if (method === 'POST' && Object.hasOwn(acts, url)) {
    // Somebody else's page could ask for it as well; a browser says whose page it is.
    const isOurs = headers.origin === `http://${headers.host}`;
    if (isOurs) acts[url]!();
    send(isOurs ? 202 : 403, 'text/plain', '');
  } else if (method !== 'GET') {
    send(405, 'text/plain', 'Only GET, and POST for what one may do.\n');
  } else if (Object.hasOwn(FILES, url)) {
    const [file, type] = FILES[url]!;
    send(200, type, readFileSync(join(ROOT, file), 'utf8'));
  } else if (url === '/session.js') {
    send(200, SCRIPT, session);
  } else if (url === '/state') {
    send(200, 'application/json', JSON.stringify(state()));
  } else {
    send(404, 'text/plain', 'There is nothing here. The page is at /\n');
  }
}

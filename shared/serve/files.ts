/** What a browser gets over plain HTTP: the page, and the steps of the lessons as text. */
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { LESSONS, type Lesson, ROOT } from '../course/lessons.ts';

const HTML = 'text/html; charset=utf-8';
const CSS = 'text/css; charset=utf-8';
const SCRIPT = 'text/javascript; charset=utf-8';
const TEXT = 'text/plain; charset=utf-8';

/** Everything that is served from the folder of the page. No path of a request touches the disk. */
const PAGE_FILES: Record<string, readonly [file: string, type: string]> = {
  '/': ['index.html', HTML],
  '/page.css': ['page.css', CSS],
  '/page.js': ['page.js', SCRIPT],
  '/dom.js': ['dom.js', SCRIPT],
  '/log.js': ['log.js', SCRIPT],
  '/wire.js': ['wire.js', SCRIPT],
  '/icon.svg': ['icon.svg', 'image/svg+xml'],
};

/** A response with a file, or with a line of text. */
interface FileResponse {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Answers requests for files; `served` is the file that the learner sees at work, such as
 * `lessons/05-server/server.ts`.
 */
export function serveFiles(served: string) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    const { status, type, body, headers } = responseTo(request, served);
    const bytes = Buffer.from(body);
    response.writeHead(status, {
      ...securityHeaders(request.headers.host ?? ''),
      ...headers,
      'Content-Type': type,
      'Content-Length': bytes.length,
    });
    response.end(request.method === 'HEAD' ? undefined : bytes);
  };
}

function responseTo(
  { method = '', url = '', headers, socket }: IncomingMessage,
  served: string,
): FileResponse {
  if (!isOurHost(headers.host, socket.localPort)) {
    return textResponse(421, 'This server answers to 127.0.0.1 and localhost only.');
  }
  const [path = ''] = url.split('?');
  const found = findFile(path, served);
  if (!found) return textResponse(404, 'There is nothing here. The page is at /');
  if (method === 'GET' || method === 'HEAD') return found;
  return textResponse(405, 'Only GET and HEAD.', { Allow: 'GET, HEAD' });
}

function findFile(path: string, served: string): FileResponse | undefined {
  if (Object.hasOwn(PAGE_FILES, path)) {
    const [file, type] = PAGE_FILES[path]!;
    return { status: 200, type, body: readFileSync(join(ROOT, 'shared/serve/page', file), 'utf8') };
  }
  if (path === '/served.txt') return textResponse(200, served);
  const [, number, step] = /^\/lessons\/(\d\d)\.(\d+)$/.exec(path) ?? [];
  const lesson = LESSONS.find((candidate) => candidate.number === number);
  const text = lesson && stepText(lesson, Number(step));
  return text === undefined ? undefined : textResponse(200, text);
}

function textResponse(
  status: number,
  text: string,
  headers?: FileResponse['headers'],
): FileResponse {
  return { status, type: TEXT, body: `${text}\n`, ...(headers && { headers }) };
}

/** Returns a step as its lesson has it, without the hints. `undefined`: there is no such step. */
export function stepText(lesson: Lesson, step: number): string | undefined {
  const folder = `lessons/${lesson.name}`;
  const readme = readFileSync(join(ROOT, folder, 'README.md'), 'utf8');
  const section = readme.split(/^(?=## )/m).find((part) => part.startsWith(`## Step ${step} ·`));
  if (section === undefined) return undefined;
  return [
    `Lesson ${lesson.number} · ${lesson.title}`,
    '',
    section.replace(/^<details>[\s\S]*?^<\/details>\n/gm, '').trim(),
    '',
    `The whole lesson   ${folder}/README.md`,
    `Your code          ${folder}/${lesson.file}`,
    `A hint             npm run hint ${lesson.number}.${step}`,
  ].join('\n');
}

/**
 * Says whether a request names this server. Somebody else's page can make its own name point to
 * 127.0.0.1, and would then be of the same origin as we are: the name gives it away.
 */
export function isOurHost(host: string | undefined, port: number | undefined): boolean {
  return host === `127.0.0.1:${port}` || host === `localhost:${port}`;
}

/** The page may load its own files and open its own sockets, and nothing else at all. */
function securityHeaders(host: string): Record<string, string> {
  const sockets = /^[\w.]+:\d+$/.test(host) ? ` ws://${host}` : '';
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    `connect-src 'self'${sockets}`,
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "form-action 'none'",
  ];
  return {
    'Content-Security-Policy': policy.join('; '),
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Cache-Control': 'no-store',
  };
}

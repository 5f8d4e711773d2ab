/** What a browser gets over plain HTTP: the page, and the lessons with their pictures. */
import { readdirSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { LESSONS, type Lesson, ROOT } from '../course/lessons.ts';
import { stepsOf } from '../course/readme.ts';
import { lessonPage } from './lesson-page.ts';

const HTML = 'text/html; charset=utf-8';
const CSS = 'text/css; charset=utf-8';
const SCRIPT = 'text/javascript; charset=utf-8';
const TEXT = 'text/plain; charset=utf-8';
const SVG = 'image/svg+xml';

/** Everything that is served from the folder of the page. No path of a request touches the disk. */
const PAGE_FILES: Record<string, readonly [file: string, type: string]> = {
  '/': ['index.html', HTML],
  '/page.css': ['page.css', CSS],
  '/text.css': ['text.css', CSS],
  '/page.js': ['page.js', SCRIPT],
  '/dom.js': ['dom.js', SCRIPT],
  '/lessons.js': ['lessons.js', SCRIPT],
  '/link.js': ['link.js', SCRIPT],
  '/log.js': ['log.js', SCRIPT],
  '/strip.js': ['strip.js', SCRIPT],
  '/why.js': ['why.js', SCRIPT],
  '/wire.js': ['wire.js', SCRIPT],
  '/icon.svg': ['icon.svg', SVG],
};

/** A response with a file, with a line of text, or with the address of something else. */
interface FileResponse {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Answers requests for files. */
export function serveFiles(request: IncomingMessage, response: ServerResponse): void {
  const { status, type, body, headers } = responseTo(request);
  const bytes = Buffer.from(body);
  response.writeHead(status, {
    ...securityHeaders(request.headers.host ?? ''),
    ...headers,
    'Content-Type': type,
    'Content-Length': bytes.length,
  });
  response.end(request.method === 'HEAD' ? undefined : bytes);
}

function responseTo({ method = '', url = '', headers, socket }: IncomingMessage): FileResponse {
  if (!isOurHost(headers.host, socket.localPort)) {
    return textResponse(421, 'This server answers to 127.0.0.1 and localhost only.');
  }
  const [path = ''] = url.split('?');
  const found = findFile(path);
  if (!found) return textResponse(404, 'There is nothing here. The page is at /');
  if (method === 'GET' || method === 'HEAD') return found;
  return textResponse(405, 'Only GET and HEAD.', { Allow: 'GET, HEAD' });
}

function findFile(path: string): FileResponse | undefined {
  if (Object.hasOwn(PAGE_FILES, path)) {
    const [file, type] = PAGE_FILES[path]!;
    return { status: 200, type, body: readFileSync(join(ROOT, 'shared/serve/page', file), 'utf8') };
  }
  const [, name, file = ''] = /^\/lessons\/([^/]+)\/([^/]+)$/.exec(path) ?? [];
  const lesson = LESSONS.find((candidate) => candidate.name === name);
  return lesson ? lessonFile(lesson, file) : stepRedirect(path);
}

/** Finds a file of a lesson: its text, the learner's code, or a picture. */
function lessonFile(lesson: Lesson, file: string): FileResponse | undefined {
  if (file === 'README.md') return { status: 200, type: HTML, body: lessonPage(lesson) };
  const folder = join(ROOT, 'lessons', lesson.name);
  const isPicture = file.endsWith('.svg') && readdirSync(folder).includes(file);
  if (!isPicture && file !== lesson.file) return undefined;
  const body = readFileSync(join(folder, file), 'utf8');
  return { status: 200, type: isPicture ? SVG : TEXT, body };
}

/** Leads from `/lessons/02.3` to that step, and from `/lessons/02` to the lesson. */
function stepRedirect(path: string): FileResponse | undefined {
  const [, number, step] = /^\/lessons\/(\d\d)(?:\.(\d+))?$/.exec(path) ?? [];
  const lesson = LESSONS.find((candidate) => candidate.number === number);
  if (!lesson) return undefined;
  const page = `/lessons/${lesson.name}/README.md`;
  if (step === undefined) return textResponse(302, page, { Location: page });
  if (!hasStep(lesson, Number(step))) return undefined;
  return textResponse(302, page, { Location: `${page}#step-${step}` });
}

/** Says whether a lesson has a step with this number. */
export function hasStep(lesson: Lesson, step: number): boolean {
  const readme = readFileSync(join(ROOT, 'lessons', lesson.name, 'README.md'), 'utf8');
  return stepsOf(readme).some(({ number }) => number === step);
}

function textResponse(
  status: number,
  text: string,
  headers?: FileResponse['headers'],
): FileResponse {
  return { status, type: TEXT, body: `${text}\n`, ...(headers && { headers }) };
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

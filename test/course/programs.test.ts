/** The programs in the texts that aren't in any source: they are run. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { format } from 'node:util';
import { parseAst } from 'rolldown/parseAst';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { LESSONS, ROOT } from '../../shared/course/lessons.ts';
import { blocksOf } from '../../shared/course/readme.ts';
import { toJavaScript } from '../../shared/process/translate.mjs';
import {
  type ConnectionEvent,
  type Handler,
  WebSocketServer,
} from '../../solutions/05-server/server.ts';
import { deflateMessage, guessSecret } from '../../solutions/07-compression/compression.ts';

const TEXTS = [
  'README.md',
  'CONTRIBUTING.md',
  'TEACHING.md',
  ...LESSONS.map(({ name }) => `lessons/${name}/README.md`),
];

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

/** The blocks without a language, or of text, that are a program all the same. */
const programs = TEXTS.flatMap((path) => blocksOf(read(path)))
  .filter(({ language, code }) => /^(text)?$/.test(language) && isProgram(code))
  .map(({ code }) => code);

function isProgram(code: string): boolean {
  try {
    parseAst(code);
    return true;
  } catch {
    return false;
  }
}

/** Runs a program in which these names have a meaning. */
function run(program: string, names: Record<string, unknown>): void {
  new Function(...Object.keys(names), program)(...Object.values(names));
}

test('there are two, for a server and for the console of a browser', () => {
  const starts = programs.map((program) => program.split('\n')[0]);
  expect(starts, 'What is new needs a test here, or a source that it is quoted from').toEqual([
    'const server = new WebSocketServer(handle);',
    "const ws = new WebSocket(location.origin.replace('http', 'ws') + '/echo');",
  ]);
});

test('the one for a console talks to the one for a server', async () => {
  const [forServer = '', forConsole = ''] = programs;
  const events: ConnectionEvent[] = [];
  const handle: Handler = (connection, event) => {
    events.push(event);
    if (event.type === 'text') connection.send(event.data);
  };
  const server = createServer();
  run(forServer, {
    WebSocketServer,
    handle,
    // Somebody else may have the port that the text names.
    createServer: (accept: (socket: Socket) => void) => {
      server.on('connection', accept);
      return { listen: () => server.listen(0, '127.0.0.1') };
    },
  });
  await once(server, 'listening');

  /** Does each thing when the one before it is done, as if somebody typed the lines. */
  class Typed extends WebSocket {
    override send = (data: string) => void this.once('open', () => super.send(data));
    override close = (code: number, reason: string) =>
      void this.once('message', () => super.close(code, reason));
  }
  const heard: unknown[] = [];
  run(forConsole, {
    WebSocket: Typed,
    location: { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` },
    console: { log: (data: unknown) => heard.push(data) },
  });
  await expect
    .poll(() => events.at(-1), { timeout: 30_000 })
    .toMatchObject({ type: 'close', code: 4000, reason: 'bye' });
  server.close();
  expect(events.map(({ type }) => type)).toEqual(['open', 'text', 'close']);
  expect(events[0]).toMatchObject({ upgrade: { resource: '/echo' } });
  expect(heard).toEqual(['你好，世界']);
});

test('the theft of lesson 07 prints what the text says', () => {
  const blocks = blocksOf(read('lessons/07-compression/README.md'));
  const at = blocks.findIndex(({ code }) => /^import .*guessSecret/.test(code));
  const program = toJavaScript('steal.ts', (blocks[at]?.code ?? '').replace(/^import .*\n/, ''));
  const printed: string[] = [];
  run(program, {
    deflateMessage,
    guessSecret,
    console: { log: (...words: unknown[]) => printed.push(format(...words)) },
  });
  expect(blocks[at + 1]).toEqual({ language: 'text', code: `${printed.join('\n')}\n` });
});

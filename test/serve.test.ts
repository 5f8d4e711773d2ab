/** `npm run serve` without a browser: the command, what it serves, and what its wire shows. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { fileOf, findTarget, LESSONS, ROOT } from '../shared/lessons.ts';
import { type CutFrame, FrameCutter, KEPT_BYTES } from '../shared/serve/cutter.ts';
import { explain } from '../shared/serve/explain.ts';
import { stepText } from '../shared/serve/files.ts';
import { Observers } from '../shared/serve/observers.ts';
import { type Serving, serve } from '../shared/serve/server.ts';
import { type Direction, frameStep, headStep } from '../shared/serve/steps.ts';
import { frameEvent, type WireEvent } from '../shared/serve/wire-event.ts';
import { makePartial } from '../shared/stub.ts';
import { Todo } from '../shared/todo.ts';
import * as lesson from '../solutions/05-server/server.ts';
import { join as joinBytes, utf8, wire } from './harness/frames.ts';
import { Sandbox } from './harness/sandbox.ts';

const TAP = '0b8ee2ae-7ee5-4a43-9c2c-2ac6a3d3a5a1';

/** What has been started, so that a test that fails half-way leaves nothing behind. */
const started = new Set<ChildProcess>();
afterAll(() => {
  for (const child of started) child.kill('SIGKILL');
});

/** The command at work. */
class Command {
  readonly #child: ChildProcess;
  output = '';

  constructor(folder: string, ...args: string[]) {
    const script = join(folder, 'shared/commands/serve.ts');
    this.#child = spawn(process.execPath, ['--import', 'tsx', script, ...args], {
      cwd: folder,
      env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    started.add(this.#child);
    this.#child.once('close', () => started.delete(this.#child));
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
        this.#child.emit('said');
      });
    }
  }

  /** Waits until it has printed something like this, and returns what. */
  async says(pattern: RegExp): Promise<string> {
    for (;;) {
      const [found] = pattern.exec(this.output) ?? [];
      if (found !== undefined) return found;
      await once(this.#child, 'said');
    }
  }

  /** Waits for its end, after a signal if there is one, and returns the exit code. */
  async end(signal?: NodeJS.Signals): Promise<number | null> {
    const closed = once(this.#child, 'close');
    if (signal) this.#child.kill(signal);
    const [code] = (await closed) as [number | null];
    return code;
  }
}

/** The URL that the command prints. */
const URL_LINE = /http:\/\/127\.0\.0\.1:\d+/;

/** Opens a WebSocket as `ws` does, with the `Origin` of a page if there is one. */
async function open(url: string, origin?: string): Promise<WebSocket> {
  const socket = new WebSocket(url.replace('http', 'ws'), origin ? { origin } : {});
  await once(socket, 'open');
  return socket;
}

/** The status of the answer to a request to switch. */
async function statusOf(url: string, headers: Record<string, string> = {}): Promise<number> {
  const socket = new WebSocket(url.replace('http', 'ws'), { headers });
  socket.on('error', () => {});
  const answer = await Promise.race([
    once(socket, 'unexpected-response').then(([, { statusCode }]) => statusCode as number),
    once(socket, 'open').then(() => 101),
  ]);
  socket.terminate();
  return answer;
}

/** Asks for a file, as no browser would. */
async function ask(url: string, method = 'GET', headers = {}): Promise<[IncomingMessage, string]> {
  const sent = request(url, { method, headers, agent: false }).end();
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of answer.setEncoding('utf8')) text += chunk;
  return [answer, text];
}

describe.concurrent('the command', () => {
  test.skipIf(process.platform === 'win32')(
    'starts, prints its URL, serves, and says 1001 on Ctrl-C',
    async () => {
      const command = new Command(ROOT, '--solution');
      const url = await command.says(URL_LINE);
      expect(await command.says(/Ctrl-C/)).toBeTruthy();
      expect(command.output).toContain('solutions/05-server/server.ts is at work.');
      const [page, text] = await ask(url);
      expect([page.statusCode, text]).toEqual([
        200,
        expect.stringContaining('<title>WebSocket 101'),
      ]);
      const socket = await open(`${url}/echo`);
      socket.send('你好，世界');
      expect(String((await once(socket, 'message'))[0])).toBe('你好，世界');
      const closed = once(socket, 'close');
      expect(await command.end('SIGINT')).toBe(0);
      expect((await closed)[0]).toBe(1001);
    },
  );

  test('takes the port it is told, and says so when that is in use', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const command = new Command(ROOT, '--solution', '--port', String(port));
    expect(await command.end()).toBe(2);
    expect(command.output).toBe(
      `✗ Port ${port} is in use. Without --port, the system finds a free one.\n`,
    );
    taken.close();
  });

  test.each([
    ['an unknown flag', ['--solutoin'], /Unknown option '--solutoin'/],
    ['a word too many', ['solution'], /Unexpected argument 'solution'/],
    ['a port that is none', ['--port', 'http'], /"http" is no port/],
    ['a port too high', ['--port', '65536'], /"65536" is no port/],
    ['no port at all', ['--port'], /'--port <value>' argument missing/],
  ])('refuses %s in one line', async (_, args, message) => {
    const command = new Command(ROOT, ...args);
    expect(await command.end()).toBe(2);
    expect(command.output).toMatch(message);
    expect(command.output.trim().split('\n')).toHaveLength(1);
  });
});

describe.concurrent("a learner's server", () => {
  const { lesson: fifth } = findTarget('05');
  const file = fileOf({ side: 'lessons', lesson: fifth });
  let sandbox: Sandbox;
  beforeAll(() => {
    sandbox = new Sandbox();
  });
  afterAll(() => sandbox.remove());

  test('that is still a stub names the step', async () => {
    const command = new Command(sandbox.folder);
    expect(await command.end()).toBe(1);
    expect(command.output).toMatch(/^✗ Lesson 05, step 7 is yours to write\.\n.*npm test/);
  });

  test.each([
    ['does not parse', 'export class {\n', /^✗ .*lessons\/05-server\/server\.ts/],
    [
      'throws at once',
      `throw new TypeError('Oh.');\n`,
      /^✗ TypeError: Oh\. \(lessons\/05-server\/server\.ts:1:7\)\n/,
    ],
    ['exports something else', 'export class Server {}\n', /has no WebSocketServer/],
    [
      'throws a bit later',
      `setTimeout(() => { throw 'tantrum' });\nawait new Promise(() => {});\n`,
      /^✗ Your code threw tantrum/,
    ],
  ])('that %s is explained without a stack', async (_, source, message) => {
    const own = new Sandbox();
    own.write(file, source);
    const command = new Command(own.folder);
    expect(await command.end()).toBe(1);
    own.remove();
    expect(command.output).toMatch(message);
    expect(command.output).not.toMatch(/^ +at /m);
  });

  test('that does not come back is ended, since it hears no Ctrl-C', async () => {
    const own = new Sandbox();
    const endless = own
      .solution(fifth)
      .replace(
        'upgrade(request: IncomingMessage',
        'upgrade(_: unknown) { for (;;); }\n  old(request: IncomingMessage',
      );
    own.write(file, endless);
    const command = new Command(own.folder);
    const url = await command.says(URL_LINE);
    const socket = new WebSocket(`${url.replace('http', 'ws')}/echo`);
    socket.on('error', () => {});
    expect(await command.end()).not.toBe(0);
    own.remove();
    expect(command.output).toContain('has not come back for 5 seconds. Is there an endless loop?');
  });

  test('that is missing can be had again', async () => {
    const own = new Sandbox();
    rmSync(join(own.folder, file));
    const command = new Command(own.folder);
    expect(await command.end()).toBe(2);
    expect(command.output).toBe(`✗ ${file} is missing. Get a fresh one: npm run reset 05\n`);
    own.remove();
  });

  test.skipIf(process.platform === 'win32')(
    'that is half done answers 501, names the step, and lives on',
    async () => {
      const own = new Sandbox();
      own.write(file, makePartial(own.solution(fifth), '05', 10));
      const command = new Command(own.folder);
      const url = await command.says(URL_LINE);
      for (let i = 0; i < 2; i++) expect(await statusOf(`${url}/echo`)).toBe(501);
      await command.says(/✗ Lesson 05, step 11 is yours to write\.\n/);
      expect((await ask(url))[0].statusCode).toBe(200);
      expect(await command.end('SIGINT')).toBe(0);
      own.remove();
      expect(command.output).not.toMatch(/^ +at /m);
    },
  );

  test.skipIf(process.platform === 'win32')(
    'on an unfinished lesson names that one, and throws long after the handshake',
    async () => {
      const own = new Sandbox();
      own.solve('05');
      const command = new Command(own.folder);
      const url = await command.says(URL_LINE);
      expect(await statusOf(`${url}/echo`)).toBe(501);
      await command.says(/✗ Lesson 01, step \d is yours to write\./);
      for (const number of ['01', '03', '04']) own.solve(number);
      expect(await command.end('SIGINT')).toBe(0);

      const reader = new Command(own.folder);
      const socket = await open(`${await reader.says(URL_LINE)}/echo`).catch(() => undefined);
      socket?.send('Hello');
      await reader.says(/✗ Lesson 02, step \d is yours to write\./);
      expect(await reader.end('SIGINT')).toBe(0);
      own.remove();
      expect(reader.output).not.toMatch(/^ +at /m);
    },
  );
});

describe('what is served', () => {
  const reports: unknown[] = [];
  let serving: Serving;
  beforeAll(async () => {
    const report = (error: unknown) => reports.push(error);
    serving = await serve({ lesson, file: 'server.ts', port: 0, report });
  });
  afterAll(async () => {
    expect(await serving.stop()).toBe(true);
    expect(reports).toEqual([]);
  });

  test.each([
    '/',
    '/page.js',
    '/page.css',
    '/icon.svg',
    '/served.txt',
    '/lessons/02.3',
    '/nothing',
  ])('the headers of %s keep everything else out', async (path) => {
    const [{ headers }] = await ask(serving.url + path);
    expect(headers['content-security-policy']).toBe(
      `default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' ws://127.0.0.1:${serving.port}; frame-ancestors 'none'; base-uri 'none'; form-action 'none'`,
    );
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
    });
  });

  test.each([
    '/nothing',
    '/index.html',
    '/../package.json',
    '/%2e%2e/package.json',
    '/lessons/09.1',
    '/lessons/02.99',
    '/constructor',
    '/echo',
    '//',
  ])('%s is not there', async (path) => {
    const { hostname, port } = new URL(serving.url);
    const sent = request({ hostname, port, path, agent: false }).end();
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    answer.resume();
    expect(answer.statusCode).toBe(404);
  });

  test('only GET and HEAD', async () => {
    const [head, nothing] = await ask(serving.url, 'HEAD');
    expect([head.statusCode, nothing]).toEqual([200, '']);
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      const [answer] = await ask(serving.url, method);
      expect([answer.statusCode, answer.headers.allow]).toEqual([405, 'GET, HEAD']);
    }
  });

  test('under no other name, or a page elsewhere could call itself one of ours', async () => {
    const host = (name: string) => ({ host: `${name}:${serving.port}` });
    expect((await ask(serving.url, 'GET', host('localhost')))[0].statusCode).toBe(200);
    expect((await ask(serving.url, 'GET', host('evil.example')))[0].statusCode).toBe(421);
    expect((await ask(serving.url, 'GET', { host: '127.0.0.1' }))[0].statusCode).toBe(421);
    expect(await statusOf(`${serving.url}/echo`, host('evil.example'))).toBe(421);
    expect(await statusOf(`${serving.url}/echo`, host('localhost'))).toBe(101);
  });

  test.each(['/echo', '/chat', `/wire?tap=${TAP}`])(
    '%s is for our own pages only',
    async (path) => {
      const url = serving.url + path;
      const statuses = [
        await statusOf(url),
        await statusOf(url, { origin: serving.url }),
        await statusOf(url, { origin: `http://localhost:${serving.port}` }),
        await statusOf(url, { origin: 'http://evil.example' }),
        await statusOf(url, { origin: `https://127.0.0.1:${serving.port}` }),
        await statusOf(url, { origin: 'null' }),
      ];
      expect(statuses).toEqual([101, 101, 101, 403, 403, 403]);
    },
  );

  test('no WebSocket where there is none', async () => {
    expect(await statusOf(`${serving.url}/`)).toBe(404);
    expect(await statusOf(`${serving.url}/wired`)).toBe(404);
  });

  test('a tap shows its own connection, and nobody can take it over', async () => {
    const watch = await open(`${serving.url}/wire?tap=${TAP}`);
    const events: WireEvent[] = [];
    watch.on('message', (data) => events.push(JSON.parse(String(data)) as WireEvent));
    const thief = await open(`${serving.url}/wire?tap=${TAP}`);
    expect((await once(thief, 'close'))[0]).toBe(1008);

    const other = await open(`${serving.url}/echo`);
    const socket = await open(`${serving.url}/echo?tap=${TAP}`);
    other.send('not this');
    socket.send('this');
    await once(socket, 'message');
    socket.close();
    while (events.at(-1)?.kind !== 'end') await once(watch, 'message');
    expect(events.map(({ kind }) => kind)).toEqual([
      'head',
      'head',
      'frame',
      'frame',
      'frame',
      'frame',
      'end',
    ]);
    expect(JSON.stringify(events)).not.toContain('not this');
    for (const each of [watch, other]) each.terminate();
  });

  test('a tap shows an answer that says no, with its text', async () => {
    const watch = await open(`${serving.url}/wire?tap=${TAP}`);
    const events: WireEvent[] = [];
    watch.on('message', (data) => events.push(JSON.parse(String(data)) as WireEvent));
    expect(await statusOf(`${serving.url}/nowhere?tap=${TAP}`)).toBe(404);
    while (events.at(-1)?.kind !== 'end') await once(watch, 'message');
    expect(events[1]).toMatchObject({ kind: 'head', direction: 'out' });
    expect(events[1]).toHaveProperty('lines.0.text', expect.stringMatching(/^HTTP\/1\.1 404 /));
    watch.terminate();
  });
});

describe('frames cut out of a stream', () => {
  const frames = [
    wire({ opcode: 1, payload: 'Hello' }),
    wire({ opcode: 9, payload: '', key: null }),
    wire({ opcode: 2, payload: new Uint8Array(300) }),
    wire({ opcode: 8, payload: joinBytes(Uint8Array.of(3, 232), utf8('x'.repeat(123))) }),
    wire({ opcode: 2, payload: new Uint8Array(70_000), key: null }),
    wire({ opcode: 1, payload: 'x'.repeat(125) }),
  ];
  const stream = joinBytes(...frames);
  const expected = frames.map((frame) => ({
    arrived: frame.length,
    size: frame.length,
    bytes: frame.length > 139 ? frame.slice(0, KEPT_BYTES) : frame,
  }));

  test.each([1, 2, 3, 7, 40, 1000, stream.length])('in reads of %i bytes', (size) => {
    const cutter = new FrameCutter();
    const found: CutFrame[] = [];
    for (let at = 0; at < stream.length; at += size) {
      found.push(...cutter.push(stream.slice(at, at + size)));
    }
    expect(found).toEqual(expected);
    expect(cutter.end()).toBeUndefined();
  });

  test('one that is never completed is shown in the end, as far as it came', () => {
    const cutter = new FrameCutter();
    cutter.push(frames[0]!.subarray(0, 8));
    const cut = cutter.end()!;
    expect(cut.bytes).toEqual(frames[0]!.subarray(0, 8));
    const event = frameEvent('in', cut);
    expect(event).toHaveProperty('fields.3.meaning', 'payload "He", 3 more bytes to come');
    expect(event).toHaveProperty('summary', 'text · masked · 11 bytes · cut off after 8');
  });

  test('the payload of a shortened one has its real length, and the start of its text', () => {
    const [frame] = new FrameCutter().push(wire({ opcode: 1, payload: '世'.repeat(30_000) }));
    expect(frameEvent('in', frame!)).toMatchObject({
      summary: 'text · masked · 90,014 bytes',
      fields: { length: 5, 4: { meaning: 'payload "世世世世世世世世"… (90000 bytes)' } },
    });
  });

  test('what breaks a rule is marked', () => {
    const [frame] = new FrameCutter().push(Uint8Array.of(0xc1, 0x00));
    expect(frameEvent('out', frame!)).toHaveProperty('fields.0.problem', 'an RSV bit is set');
  });
});

test('every field and line leads to a step that exists', () => {
  const names = ['first byte', 'second byte', 'length', 'masking key', 'payload'];
  const directions: readonly Direction[] = ['in', 'out'];
  const steps = directions.flatMap((direction) => [
    ...names.flatMap((name) =>
      Array.from({ length: 32 }, (_, i) =>
        frameStep({ direction, name, opcode: i & 15, fin: i >= 16 }),
      ),
    ),
    headStep(direction, 'GET /echo HTTP/1.1', 0),
    ...['Host', 'Upgrade', 'Sec-WebSocket-Key', 'sec-websocket-accept', 'Origin'].map((name) =>
      headStep(direction, `${name}: x`, 1),
    ),
  ]);
  for (const step of new Set(steps)) {
    const [number, index] = step?.split('.') ?? [];
    const found = LESSONS.find((candidate) => candidate.number === number);
    expect(stepText(found!, Number(index)), step).toContain(`## Step ${index} · `);
  }
  expect(headStep('in', 'Cookie: x', 3)).toBeUndefined();
});

test('an observer that does not keep up hears how much it has missed', () => {
  const observers = new Observers();
  const sent: WireEvent[] = [];
  let hasRoom = true;
  const connection = {
    send: (text: string) => {
      sent.push(JSON.parse(text) as WireEvent);
      return hasRoom;
    },
  } as unknown as lesson.Connection;
  const upgrade = { key: '', resource: `/wire?tap=${TAP}`, origin: undefined, protocols: [] };
  observers.handle(connection, { type: 'open', upgrade, protocol: undefined });
  const tell = observers.find(`/echo?tap=${TAP}`)!;
  hasRoom = false;
  for (let i = 0; i < 100; i++) tell({ kind: 'end', time: i });
  expect(sent).toHaveLength(1);
  hasRoom = true;
  observers.handle(connection, { type: 'drain' });
  tell({ kind: 'end', time: 100 });
  expect(sent.slice(1)).toMatchObject([
    { kind: 'gap', count: 99 },
    { kind: 'end', time: 100 },
  ]);
  observers.handle(connection, { type: 'close', code: 1000, reason: '', wasClean: true });
  expect(observers.find(`/echo?tap=${TAP}`)).toBeUndefined();
});

test('what was thrown becomes one line', () => {
  expect(explain(new Todo('05.3'))).toBe('Lesson 05, step 3 is yours to write.');
  expect(explain('tantrum')).toBe('Your code threw tantrum, which is no Error.');
  const error = new RangeError('Too long.');
  error.stack = `RangeError: Too long.\n    at f (file://${ROOT}lessons/05-server/server.ts:12:3)`;
  expect(explain(error)).toBe('RangeError: Too long. (lessons/05-server/server.ts:12:3)');
});

/** The command `npm run serve`, with the reference and with what a learner may have. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { fileOf, findTarget, ROOT } from '../../shared/course/lessons.ts';
import { makePartial } from '../../shared/course/stub.ts';
import { ENV, STANDSTILL, scriptOf, withSandbox } from './sandbox.ts';
import { ask, open, statusOf } from './visitor.ts';

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
    this.#child = spawn(process.execPath, ['--import', 'tsx', scriptOf('serve'), ...args], {
      cwd: folder,
      env: ENV,
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

  /** Reads no more of what it says, as a terminal that is closed. */
  stopReading(): void {
    this.#child.stdout?.destroy();
    this.#child.stderr?.destroy();
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

  test.skipIf(process.platform === 'win32')('ends when nobody reads what it says', async () => {
    const command = new Command(ROOT, '--solution');
    await command.says(/Ctrl-C/);
    command.stopReading();
    expect(await command.end('SIGINT')).toBe(0);
  });

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

  test('refuses what it does not know in one line', () =>
    withSandbox(async (sandbox) => {
      for (const [args, message] of [
        [['--solutoin'], /Unknown option '--solutoin'/],
        [['solution'], /Unexpected argument 'solution'/],
        [['--port', 'http'], /"http" is no port/],
        [['--port', '65536'], /"65536" is no port/],
        [['--port'], /'--port <value>' argument missing/],
      ] as const) {
        const { code, output } = await sandbox.call('serve', ...args);
        expect(code, output).toBe(2);
        expect(output).toMatch(message);
        expect(output.trim().split('\n')).toHaveLength(1);
      }
    }));
});

describe.concurrent("a learner's server", () => {
  const { lesson: fifth } = findTarget('05');
  const file = fileOf({ side: 'lessons', lesson: fifth });

  test('that does not come back is ended, since it hears no Ctrl-C', () =>
    withSandbox(async (sandbox) => {
      const signature = 'upgrade(request: IncomingMessage';
      const stands = sandbox
        .solution(fifth)
        .replace(
          signature,
          `upgrade(_: unknown) { ${STANDSTILL} }\n  old(request: IncomingMessage`,
        );
      sandbox.write(file, stands);
      const command = new Command(sandbox.folder);
      const url = await command.says(URL_LINE);
      const socket = new WebSocket(`${url.replace('http', 'ws')}/echo`);
      socket.on('error', () => {});
      expect(await command.end()).not.toBe(0);
      expect(command.output).toContain(
        'has not come back for 5 seconds. Is there an endless loop?',
      );
    }));

  test('that is still a stub names the step, and one that is missing can be had again', () =>
    withSandbox(async (sandbox) => {
      const stub = await sandbox.run('serve');
      expect(stub.code).toBe(1);
      expect(stub.output).toMatch(/^✗ Lesson 05, step 7 is yours to write\.\n.*npm test/);
      sandbox.erase(file);
      expect(await sandbox.run('serve')).toEqual({
        code: 2,
        output: `✗ ${file} is missing. Get a fresh one: npm run reset 05\n`,
      });
    }));

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
  ])('that %s is explained without a stack', (_, source, message) =>
    withSandbox(async (sandbox) => {
      sandbox.write(file, source);
      const { code, output } = await sandbox.run('serve');
      expect(code).toBe(1);
      expect(output).toMatch(message);
      expect(output).not.toMatch(/^ +at /m);
    }),
  );

  test.skipIf(process.platform === 'win32')(
    'that is half done answers 501, names the step, and lives on',
    () =>
      withSandbox(async (sandbox) => {
        sandbox.write(file, makePartial(sandbox.solution(fifth), '05', 10));
        const command = new Command(sandbox.folder);
        const url = await command.says(URL_LINE);
        for (let i = 0; i < 2; i++) expect(await statusOf(`${url}/echo`)).toBe(501);
        await command.says(/✗ Lesson 05, step 11 is yours to write\.\n/);
        expect((await ask(url))[0].statusCode).toBe(200);
        expect(await command.end('SIGINT')).toBe(0);
        expect(command.output).not.toMatch(/^ +at /m);
      }),
  );

  test.skipIf(process.platform === 'win32')(
    'on an unfinished lesson names that one, and throws long after the handshake',
    () =>
      withSandbox(async (sandbox) => {
        sandbox.solve('05');
        const command = new Command(sandbox.folder);
        const url = await command.says(URL_LINE);
        expect(await statusOf(`${url}/echo`)).toBe(501);
        await command.says(/✗ Lesson 01, step \d is yours to write\./);
        sandbox.solve('01', '03', '04');
        expect(await command.end('SIGINT')).toBe(0);

        const reader = new Command(sandbox.folder);
        const socket = await open(`${await reader.says(URL_LINE)}/echo`).catch(() => undefined);
        socket?.send('Hello');
        await reader.says(/✗ Lesson 02, step \d is yours to write\./);
        expect(await reader.end('SIGINT')).toBe(0);
        expect(reader.output).not.toMatch(/^ +at /m);
      }),
  );
});

/** The command `npm run serve`, with the reference and with what a learner may have. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterAll, describe, expect, test } from 'vitest';
import { fileOf, findTarget, LESSONS, ROOT } from '../../shared/course/lessons.ts';
import { makeStub } from '../../shared/course/stub.ts';
import { type Sandbox, STANDSTILL, withSandbox } from './sandbox.ts';
import { endCommands, LAST_LESSON, ServeCommand, URL_LINE } from './serve-command.ts';
import { ask, open, statusOf } from './visitor.ts';

afterAll(endCommands);

/** Takes a port, unless another program has it already, and closes every connection. */
async function take(port: number): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  await once(server.listen(port, '127.0.0.1'), 'listening').catch(() => {});
  return server;
}

describe.concurrent('the command', () => {
  test.skipIf(process.platform === 'win32')(
    'starts, prints its URL, serves, and says 1001 on Ctrl-C',
    async () => {
      const command = new ServeCommand(ROOT, '--solution', '--port', '0');
      const url = await command.says(URL_LINE);
      expect(await command.says(/Ctrl-C/)).toBeTruthy();
      expect(command.output).toContain('The reference is at work.');
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
    const command = new ServeCommand(ROOT, '--solution', '--port', '0');
    await command.says(/Ctrl-C/);
    command.stopReading();
    expect(await command.end('SIGINT')).toBe(0);
  });

  test('takes the port it is told, and says so when that is in use', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const command = new ServeCommand(ROOT, '--solution', '--port', String(port));
    expect(await command.end()).toBe(2);
    expect(command.output).toBe(
      `✗ Port ${port} is in use. Without --port, the system finds a free one.\n`,
    );
    taken.close();
  });

  test('takes another port when the usual one is in use, unless it was told which', async () => {
    const taken = await take(8080);
    const command = new ServeCommand(ROOT, '--solution');
    expect(await command.says(URL_LINE)).not.toMatch(/:8080$/);
    await command.end('SIGTERM');
    taken.close();
  });

  test('leaves nobody behind when it is killed', async () => {
    const command = new ServeCommand(ROOT, '--solution', '--port', '0');
    const url = await command.says(URL_LINE);
    const socket = await open(`${url}/echo`);
    const closed = once(socket, 'close');
    await command.end('SIGKILL');
    expect((await closed)[0]).toBe(1001);
    await expect(ask(url)).rejects.toThrow('ECONNREFUSED');
  });

  test('says so when not even the reference can be loaded', () =>
    withSandbox(async (sandbox) => {
      sandbox.write('solutions/05-server/server.ts', 'export class {\n');
      const { code, output } = await sandbox.run('serve');
      expect(code).toBe(2);
      expect(output).toContain('✗ The reference cannot be loaded.');
      expect(output).not.toContain('http://127.0.0.1');
    }));

  test('says which lesson to finish where there is no reference to fill in', () =>
    withSandbox(async (sandbox) => {
      sandbox.solve('01');
      for (const lesson of LESSONS) {
        const stub = makeStub(sandbox.solution(lesson), lesson.number);
        sandbox.write(fileOf({ side: 'solutions', lesson }), stub);
      }
      const { code, output } = await sandbox.run('serve');
      expect(output).toMatch(/\n✗ There is no reference .*: npm test lessons\/02\n$/);
      expect(code).toBe(2);
    }));

  test('refuses what it does not know in one line', () =>
    withSandbox(async (sandbox) => {
      for (const [args, message] of [
        [['--solutoin'], /Unknown option '--solutoin'/],
        [['solution'], /Unexpected argument 'solution'/],
        [['--port', 'http'], /"http" is not a port/],
        [['--port', '65536'], /"65536" is not a port/],
        [['--port'], /'--port <value>' argument missing/],
      ] as const) {
        const { code, output } = await sandbox.call('serve', ...args);
        expect(code, output).toBe(2);
        expect(output).toMatch(message);
        expect(output.trim().split('\n')).toHaveLength(1);
      }
    }));
});

/** What a learner may have in a lesson: the reference, with a statement at the start of a function. */
function withStatement(sandbox: Sandbox, number: string, signature: string, statement: string) {
  const { lesson } = findTarget(number);
  const source = sandbox.solution(lesson);
  expect(source).toContain(signature);
  sandbox.write(
    fileOf({ side: 'lessons', lesson }),
    source.replace(signature, `${signature}\n  ${statement}`),
  );
}

const ACCEPT_KEY = 'export function acceptKey(key: string): string {';
const CHECK_UPGRADE = 'export function checkUpgrade(request: RequestHead): Upgrade {';
const ENCODE_TEXT = 'export function encodeText(text: string): Uint8Array {';

const TAKE_PARTS = '  takeParts(): Uint8Array[] {';

/** The lines that say whose code is at work. */
const partsIn = (output: string) => output.match(/^ {2}0\d .*$/gm)?.map((line) => line.trim());

/** Serves a lesson that does not come back from a message, and sends that message. */
async function standStill(sandbox: Sandbox) {
  withStatement(sandbox, '03', ENCODE_TEXT, `if (text === 'for ever') ${STANDSTILL}`);
  const command = new ServeCommand(sandbox.folder, '--port', '0');
  const url = await command.isChecked();
  const socket = await open(`${url}/echo`);
  socket.on('error', () => {});
  socket.send('for ever');
  return { command, url, socket };
}

describe.concurrent("a learner's lessons", () => {
  test.skipIf(process.platform === 'win32')(
    'are used as they turn green, and replaced when they turn red, at the same port',
    () =>
      withSandbox(async (sandbox) => {
        withStatement(sandbox, '01', ACCEPT_KEY, `console.log('My own key.');`);
        const command = new ServeCommand(sandbox.folder, '--port', '0');
        const url = await command.isChecked();
        expect(partsIn(command.output)).toEqual([
          '01  Handshake        yours',
          '02  Reading frames   reference until step 1 passes',
          '03  Sending frames   reference until step 1 passes',
          '04  Closing          reference until step 1 passes',
          '05  The server       reference until lessons 01 to 04 pass',
          '07  Compression      reference until lessons 01 to 06 pass',
        ]);
        const socket = await open(`${url}/echo`);
        await command.says(/My own key\./);
        socket.send('你好，世界');
        expect(String((await once(socket, 'message'))[0])).toBe('你好，世界');

        withStatement(sandbox, '03', ENCODE_TEXT, `console.log('My own text.');`);
        expect((await once(socket, 'close'))[0]).toBe(1001);
        await command.says(/03 {2}Sending frames {3}yours/);
        const other = await open(`${url}/echo`);
        other.send('Hello');
        await command.says(/My own text\./);

        command.output = '';
        sandbox.solve('02', '04', '05');
        expect(await command.says(LAST_LESSON)).toContain('yours');
        command.output = '';
        sandbox.write('lessons/03-sending-frames/sending.ts', 'export const nothing = 1;\n');
        await command.says(LAST_LESSON);
        expect(partsIn(command.output)).toEqual([
          '03  Sending frames   reference until step 1 passes',
          '05  The server       reference until lessons 01 to 04 pass',
        ]);
        expect(await statusOf(`${url}/echo`)).toBe(101);
        expect(await command.end('SIGINT')).toBe(0);
      }),
  );

  test('are served by lesson 08 when that passes, with the compression of lesson 07', () =>
    withSandbox(async (sandbox) => {
      sandbox.solve('01', '02', '03', '04', '05', '06', '07');
      withStatement(sandbox, '08', TAKE_PARTS, `console.log('My own parts.');`);
      const command = new ServeCommand(sandbox.folder, '--port', '0');
      const url = await command.says(URL_LINE);
      await command.says(/^ {2}08 {2}Speed .* yours\n/m);
      for (const compression of ['on', 'off']) {
        command.output = '';
        const socket = await open(`${url}/echo?compression=${compression}`);
        expect(socket.extensions).toBe(compression === 'on' ? 'permessage-deflate' : '');
        socket.send('你好，世界');
        expect(String((await once(socket, 'message'))[0])).toBe('你好，世界');
        await command.says(/My own parts\./);
        socket.terminate();
      }
      await command.end('SIGTERM');
    }));

  test('that never come back are ended, and the server starts again when it has its port', () =>
    withSandbox(async (sandbox) => {
      const { command, url, socket } = await standStill(sandbox);
      await once(socket, 'close');
      const other = await take(Number(new URL(url).port));
      setTimeout(() => other.close(), 1500);
      await command.says(/has not come back for 5 seconds. Is there an endless loop\?/);
      const outcome = () => statusOf(`${url}/echo`).catch(String);
      await expect.poll(outcome, { timeout: 120_000 }).toBe(101);
      await command.end('SIGTERM');
    }));

  test.skipIf(process.platform === 'win32')('that never come back end with a second Ctrl-C', () =>
    withSandbox(async (sandbox) => {
      const { command, url, socket } = await standStill(sandbox);
      command.send('SIGINT');
      await command.says(/Going away/);
      expect(await command.end('SIGINT')).toBe(130);
      expect(command.output).not.toContain('endless loop');
      // The system ends what was killed in its own time.
      const outcome = () => ask(url).then(String, (error: Error) => error.message);
      await expect.poll(outcome, { timeout: 30_000 }).toContain('ECONNREFUSED');
      socket.terminate();
    }),
  );

  test('that throw are reported in a line each, and the server lives on', () =>
    withSandbox(async (sandbox) => {
      const unlucky = `if (request.headers.has('x-unlucky')) throw new TypeError('Oh.');`;
      withStatement(sandbox, '01', CHECK_UPGRADE, unlucky);
      withStatement(sandbox, '03', ENCODE_TEXT, `if (text === 'late') throw 'tantrum';`);
      const command = new ServeCommand(sandbox.folder, '--port', '0');
      const url = await command.isChecked();
      expect(await statusOf(`${url}/echo`, { 'x-unlucky': '13' })).toBe(500);
      await command.says(/✗ TypeError: Oh\. \(lessons\/01-handshake\/handshake\.ts:\d+:\d+\)\n/);
      const socket = await open(`${url}/echo`);
      socket.send('late');
      await command.says(/✗ Your code threw tantrum, which is not an Error\.\n/);
      expect((await ask(url))[0].statusCode).toBe(200);
      expect(command.output).not.toMatch(/^ +at /m);
      await command.end('SIGTERM');
    }));

  test('that do not parse, throw or never finish loading leave the work to the reference', () =>
    withSandbox(async (sandbox) => {
      sandbox.write('lessons/02-reading-frames/reading.ts', 'export class {\n');
      sandbox.write('lessons/03-sending-frames/sending.ts', `throw new TypeError('Oh.');\n`);
      sandbox.write('lessons/04-closing/closing.ts', 'await new Promise(() => {});\n');
      const command = new ServeCommand(sandbox.folder, '--port', '0');
      const url = await command.isChecked();
      expect(partsIn(command.output)?.slice(1, 4)).toEqual([
        '02  Reading frames   reference until your file can be loaded',
        '03  Sending frames   reference until your file can be loaded',
        '04  Closing          reference until your file can be loaded',
      ]);
      expect(await statusOf(`${url}/echo`)).toBe(101);
      await command.end('SIGTERM');
    }));
});

/** The same checks of a bus over one process, over the small engine, and over a real one. */
import { type ChildProcess, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeCommand, parseReply, type Reply, RespConnection } from '../../shared/kit/resp.ts';
import { spawnChild } from '../../shared/process/children.ts';
import * as lesson from '../../solutions/09-production/production.ts';
import { BUS, Ear, says, type World } from '../specs/09-production/bus.ts';
import { inWorld } from '../specs/09-production/engine-world.ts';

const { MemoryBus, StreamBus } = lesson;

/** The first of these that is on this machine. */
const PROGRAM = ['valkey-server', 'redis-server'].find((name) => {
  try {
    execFileSync(name, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
});
if (!PROGRAM)
  console.log('Neither valkey-server nor redis-server is on PATH: its tests are skipped.');

async function waitFor(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 1000 && !holds(); i++) await pause(5);
}

describe('over one process', () => {
  test.each(BUS)('$what', async ({ check }) => {
    const bus = new MemoryBus();
    const small = new MemoryBus(Date.now, 10);
    const settles = () => pause(1);
    const which = (size?: number) => (size === undefined ? bus : small);
    await check({ bus: which, comes: settles, settles });
  });
});

describe('over the small engine', () => {
  test.each(BUS)('$what', ({ check }) => inWorld(lesson, check));
});

describe('RESP', () => {
  test('replies are read once they are complete', () => {
    const wire = '*3\r\n$7\r\nä 🎉\r\n*2\r\n:-12\r\n$-1\r\n+OK\r\n';
    const bytes = Buffer.from(`${wire}-ERR no\r\n`);
    for (let end = 0; end < Buffer.byteLength(wire); end++) {
      expect(parseReply(bytes.subarray(0, end))).toBeUndefined();
    }
    const first = parseReply(bytes);
    expect(first).toEqual({ value: ['ä 🎉', [-12, null], 'OK'], end: Buffer.byteLength(wire) });
    expect(parseReply(bytes, first?.end)?.value).toEqual(new Error('ERR no'));
    expect(parseReply(Buffer.from('*-1\r\n'))).toEqual({ value: null, end: 5 });
    expect(() => parseReply(Buffer.from('HTTP/1.1 400\r\n'))).toThrow('no reply in RESP2');
  });

  test('a command is a list of texts, with their lengths in bytes', () => {
    expect(encodeCommand(['GET', 'ä', ''])).toBe('*3\r\n$3\r\nGET\r\n$2\r\nä\r\n$0\r\n\r\n');
  });
});

describe('a connection in RESP', () => {
  test('is made again when it was lost, and rejects what has no reply', async () => {
    const sockets: Socket[] = [];
    let isSilent = false;
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => {});
      socket.on('data', () => isSilent || socket.write('+PONG\r\n'));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const connection = new RespConnection(port);
    const ping = () => connection.sendCommand(['PING']);
    expect(await ping()).toBe('PONG');
    isSilent = true;
    const lost = expect(ping()).rejects.toThrow('was lost');
    connection.cut();
    await lost;
    isSilent = false;
    expect(await ping()).toBe('PONG');
    expect(sockets).toHaveLength(2);
    // Nobody listens any more: a command waits for one attempt, and no longer.
    server.close();
    sockets[1]?.destroy();
    await once(server, 'close');
    await expect(ping()).rejects.toThrow('was lost');
    connection.close();
    await expect(ping()).rejects.toThrow('was lost');
  });
});

/** A real engine that remembers nothing when it ends. */
class RealEngine {
  #process: ChildProcess | undefined;
  #port = 0;
  readonly #connections: RespConnection[] = [];
  readonly #buses: lesson.StreamBus[] = [];

  async start(): Promise<void> {
    this.#port ||= await freePort();
    const options = [
      '--port',
      `${this.#port}`,
      '--bind',
      '127.0.0.1',
      '--save',
      '',
      '--appendonly',
      'no',
    ];
    this.#process = spawnChild(PROGRAM!, options, { stdio: 'ignore' });
    const probe = this.connect();
    for (let i = 0; i < 100; i++) {
      const reply = await probe.sendCommand(['PING']).catch(() => pause(20));
      if (reply === 'PONG') return;
    }
    throw new Error(`${PROGRAM} does not answer on port ${this.#port}.`);
  }

  async end(): Promise<void> {
    const process = this.#process!;
    const isOver = once(process, 'exit');
    process.kill('SIGKILL');
    await isOver;
  }

  async close(): Promise<void> {
    for (const bus of this.#buses) bus.stop();
    for (const connection of this.#connections) connection.close();
    await this.end();
  }

  connect(): RespConnection {
    const connection = new RespConnection(this.#port);
    this.#connections.push(connection);
    return connection;
  }

  process(size?: number) {
    const [commands, reader] = [this.connect(), this.connect()];
    const bus = new StreamBus(commands, reader, size);
    this.#buses.push(bus);
    return { bus, commands, reader };
  }

  /** A world without keys of another one. */
  async world(): Promise<World> {
    await this.connect().sendCommand(['FLUSHALL']);
    const bus = (size?: number) => this.process(size).bus;
    return { bus, comes: waitFor, settles: () => pause(30) };
  }
}

/** A port that is free now. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

describe.skipIf(!PROGRAM)(`over ${PROGRAM ?? 'a real engine'}`, () => {
  const engine = new RealEngine();
  beforeAll(() => engine.start());
  afterAll(() => engine.close());

  test.each(BUS)('$what', async ({ check }) => check(await engine.world()));

  test('the small engine answers as it does', async () => {
    const { StreamEngine } = await import('../../shared/kit/engine.ts');
    const [real, small] = [engine.connect(), new StreamEngine().connect('small')];
    await real.sendCommand(['FLUSHALL']);
    // Of an error, the first word: the others differ from one engine to the next.
    const kindOf = (error: Error) => error.message.split(' ')[0];
    const answers = (words: string[]) =>
      Promise.all([real, small].map((it) => it.sendCommand(words).catch(kindOf)));
    for (const line of COMMANDS) {
      const [one, other] = await answers(line.split(' '));
      expect(other, line).toEqual(one as Reply);
    }
    for (let i = 0; i < 1050; i++)
      await answers(['XADD', 'rough', 'MAXLEN', '~', '100', '*', 'n', '1']);
    const [one, other] = await answers(['XLEN', 'rough']);
    expect(other).toBe(one);
  });

  test('a lost reply, and the message again: it is there once', async () => {
    const world = await engine.world();
    const { bus, commands } = engine.process();
    const start = await bus.tip('tea');
    const ear = await Ear.in(world, bus, 'tea');
    const lost = bus.publish('tea', says('1')).then(String, String);
    setImmediate(() => commands.cut());
    await lost;
    const id = await bus.publish('tea', says('1')).catch(() => bus.publish('tea', says('1')));
    expect((await bus.after('tea', start, 9))?.map((entry) => entry.id)).toEqual([id]);
    await ear.hears(['1'], 'It is there once.');
  });

  test('the reader is cut, and goes on where it was', async () => {
    const world = await engine.world();
    const { bus, reader } = engine.process();
    const ear = await Ear.in(world, bus, 'tea');
    await bus.publish('tea', says('1'));
    await ear.hears(['1'], 'Before.');
    reader.cut();
    await bus.publish('tea', says('2'));
    await ear.hears(['1', '2'], 'It goes on where it was.');
    const ink = await Ear.in(world, bus, 'ink');
    const started = performance.now();
    await bus.publish('ink', says('3'));
    await waitFor(() => ink.heard.length > 0);
    // Woken, it does not wait for the end of BLOCK. With a guard for a busy machine.
    expect(performance.now() - started).toBeLessThan(lesson.BLOCK_MS * 0.9);
    await ink.hears(['3'], 'It is woken on its new connection, too.');
  });

  test('the engine is killed, and comes back with nothing: everybody is told, once', async () => {
    const world = await engine.world();
    const { bus } = engine.process();
    const ears = [await Ear.in(world, bus, 'tea'), await Ear.in(world, bus, 'tea')];
    await bus.publish('tea', says('1'));
    for (const ear of ears) await ear.hears(['1'], 'Before.');
    await engine.end();
    await engine.start();
    for (const ear of ears) await ear.hears(['1', 'some may be lost'], 'Everybody is told, once.');
    await bus.publish('tea', says('2'));
    for (const ear of ears) await ear.hears(['1', 'some may be lost', '2'], 'And it goes on.');
  });
});

/** Commands that both engines answer in the same way. */
const COMMANDS: readonly string[] = [
  'PING',
  'XADD s 5-1 n 1',
  'XADD s 5-9 n 2 m 3',
  'XADD s 5-10 n 4',
  'XADD s 5-10 n 4',
  'XADD s 5-11 n',
  'XRANGE s - +',
  'XRANGE s 5 5',
  'XRANGE s 5-9 + COUNT 1',
  'XRANGE s 5-2 +',
  'XRANGE s x +',
  'XRANGE s 18446744073709551616-0 +',
  'XRANGE s 18446744073709551615-18446744073709551615 +',
  'XRANGE nobody - +',
  'XREVRANGE s + - COUNT 1',
  'XREVRANGE s 5-9 5-1',
  'XREAD COUNT 1 STREAMS s 5-1',
  'XREAD STREAMS s t 5-10 0',
  'XREAD STREAMS s',
  'XREAD STREAMS s t 0',
  'XLEN s',
  'SET k v EX 10',
  'SET k w NX',
  'GET k',
  'GET nobody',
  'GET s',
  'XADD k 1-1 n 1',
  'EXPIRE k 20',
  'EXPIRE nobody 20',
  'EXISTS k s nobody',
  'DEL k nobody',
  'CLIENT UNBLOCK 999999',
  'CLIENT UNBLOCK x',
];

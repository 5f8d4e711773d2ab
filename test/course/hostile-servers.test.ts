/**
 * Servers that mean harm, or break: the client of lesson 06 ends by itself, says why, takes no more
 * memory than it has to, and leaves no timer. `STRESS=1` waits longer, and prints what it saw.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { join, wire } from '../../shared/kit/frames.ts';
import { Timers } from '../../shared/kit/timers.ts';
import { Opcode, OpeningError, ProtocolError } from '../../shared/protocol.ts';
import { fromHex } from '../../shared/view/hex.ts';
import { acceptResponse } from '../../solutions/01-handshake/handshake.ts';
import { type ClientEvent, connect } from '../../solutions/06-client/client.ts';

const MIB = 1024 * 1024;
/** Far above what a right client takes, garbage included, far below what a wrong one would. In MiB. */
const BOUND_MIB = 160;
/** How long a client waits for a server that does not answer. In milliseconds. */
const TIMEOUT_MS = process.env.STRESS ? 60_000 : 300;
/** How long for one that does: a guard against hanging. In milliseconds. */
const GUARD_MS = 120_000;

/** What a server does with a client: `accept` has the response that would open the WebSocket. */
type Act = (socket: Socket, accept: Uint8Array) => Promise<void> | void;

/** What became of a client. */
interface Outcome {
  readonly events: readonly ClientEvent['type'][];
  readonly error: unknown;
  readonly code: number | undefined;
  readonly grownMiB: number;
  readonly timers: number;
}

/** Writes as fast as the client reads, until it has gone or `pieces` is used up. */
async function pour(socket: Socket, piece: Uint8Array, pieces: number): Promise<void> {
  for (let i = 0; i < pieces && !socket.destroyed; i++) {
    if (!socket.write(piece)) await roomOrEnd(socket);
  }
}

function roomOrEnd(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      socket.off('drain', done).off('close', done);
      resolve();
    };
    socket.on('drain', done).on('close', done);
  });
}

/** Lets a client connect to a server that does this, and waits for its end. */
async function suffer(name: string, act: Act, openTimeoutMs = GUARD_MS): Promise<Outcome> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', (request) => {
      const key = /^Sec-WebSocket-Key: (.*)$/m.exec(request.toString('latin1'))?.[1] ?? '';
      void act(socket, acceptResponse(key.trim()));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const events: ClientEvent[] = [];
  const timers = new Timers();
  const before = memoryMiB();
  let highest = before;
  const started = performance.now();
  await timers.run(
    () =>
      new Promise<void>((resolve) => {
        const timing = { openTimeoutMs, closeTimeoutMs: 300 };
        connect(`ws://127.0.0.1:${port}/`, timing, (_, event) => {
          highest = Math.max(highest, memoryMiB());
          events.push(event);
          if (event.type === 'close') resolve();
        });
      }),
  );
  const ms = performance.now() - started;
  const left = await timers.count();
  timers.stop();
  server.close();
  const error = events.find(({ type }) => type === 'error');
  const close = events.find(({ type }) => type === 'close');
  const outcome = {
    events: events.map(({ type }) => type),
    error: error?.type === 'error' ? error.error : undefined,
    code: close?.type === 'close' ? close.code : undefined,
    grownMiB: highest - before,
    timers: left,
  };
  report(name, outcome, ms);
  return outcome;
}

function memoryMiB(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return (heapUsed + arrayBuffers) / MIB;
}

function report(name: string, { error, code, grownMiB, timers }: Outcome, ms: number): void {
  if (!process.env.STRESS) return;
  const why = error instanceof Error ? `${error.name}: ${error.message}` : 'no error';
  const figures = `${code}, ${ms.toFixed(0)} ms, ${grownMiB.toFixed(1)} MiB, ${timers} timers`;
  console.log(`${name}: ${why} ${figures}`);
}

/** A server, what it does, and the error that a client has to tell. */
type Row = readonly [name: string, error: object, act: Act];

const SLOW: readonly Row[] = [
  ['never answers', { section: '4.1', status: undefined }, () => {}],
  [
    'answers byte by byte, and never in time',
    { section: '4.1' },
    async (socket, accept) => {
      for (let at = 0; at < accept.length && !socket.destroyed; at++) {
        socket.write(accept.subarray(at, at + 1));
        await pause(TIMEOUT_MS / 50);
      }
    },
  ],
];

const REFUSED: readonly Row[] = [
  [
    'answers with a head that never ends',
    { section: '10.4' },
    (socket) => pour(socket, Buffer.from(`X-Padding: ${'x'.repeat(1000)}\r\n`), 300_000),
  ],
  [
    'refuses with a body that never ends',
    { section: '4.1', status: 403 },
    (socket) =>
      pour(socket, Buffer.from(`HTTP/1.1 403 Forbidden\r\n\r\n${'x'.repeat(65_536)}`), 10_000),
  ],
  [
    'answers with interim responses without end',
    { section: '10.4' },
    (socket) => pour(socket, Buffer.from('HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(100)), 100_000),
  ],
];

const FAILED: readonly Row[] = [
  [
    'masks its frames',
    { closeCode: 1002, section: '5.1' },
    (socket, accept) => {
      socket.write(join(accept, wire({ opcode: Opcode.Text, payload: 'Hello' })));
    },
  ],
  [
    'announces 2^62 bytes',
    { closeCode: 1009 },
    (socket, accept) => {
      socket.write(join(accept, fromHex('82 7f 40 00 00 00 00 00 00 00')));
    },
  ],
  [
    'sends a message that never ends',
    { closeCode: 1009 },
    async (socket, accept) => {
      socket.write(join(accept, wire({ opcode: Opcode.Binary, fin: false, key: null })));
      const piece = {
        opcode: Opcode.Continuation,
        fin: false,
        payload: 'x'.repeat(1e6),
        key: null,
      };
      await pour(socket, wire(piece), 500);
      socket.destroy();
    },
  ],
];

test.each([...SLOW, ...REFUSED, ...FAILED])(
  'one that %s is told, and ended',
  async (name, why, act) => {
    const isSlow = SLOW.some(([slow]) => slow === name);
    const { events, error, code, grownMiB, timers } = await suffer(
      name,
      act,
      isSlow ? TIMEOUT_MS : GUARD_MS,
    );
    expect(events.filter((type) => type !== 'open')).toEqual(['error', 'close']);
    expect(error).toBeInstanceOf('closeCode' in why ? ProtocolError : OpeningError);
    expect(error).toMatchObject(why);
    expect({ code, timers }).toEqual({ code: 1006, timers: 0 });
    expect(grownMiB).toBeLessThan(BOUND_MIB);
  },
);

test('empty fragments without end take no memory', async () => {
  const fragment = wire({ opcode: Opcode.Continuation, fin: false, key: null });
  const batch = join(...Array.from({ length: 1000 }, () => fragment));
  const { events, code, grownMiB } = await suffer('a million fragments', async (socket, accept) => {
    socket.write(join(accept, wire({ opcode: Opcode.Binary, fin: false, key: null })));
    await pour(socket, batch, process.env.STRESS ? 1000 : 100);
    const end = wire({ opcode: Opcode.Continuation, payload: 'end', key: null });
    socket.end(join(end, fromHex('88 02 03 e8')));
  });
  expect(events).toEqual(['open', 'binary', 'close']);
  expect(code).toBe(1000);
  expect(grownMiB).toBeLessThan(BOUND_MIB);
});

test('a FIN behind any byte of the response is a failure that leaves nothing', async () => {
  const { length } = acceptResponse('dGhlIHNhbXBsZSBub25jZQ==');
  for (let at = 0; at <= length; at++) {
    const { events, error, code, timers } = await suffer(
      `FIN behind byte ${at}`,
      (socket, accept) => {
        socket.end(accept.subarray(0, at));
      },
    );
    expect(events, `byte ${at}`).toEqual([...(at === length ? ['open'] : []), 'error', 'close']);
    expect(error).toBeInstanceOf(at === length ? Error : OpeningError);
    expect({ code, timers }).toEqual({ code: 1006, timers: 0 });
  }
});

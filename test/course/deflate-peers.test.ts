/**
 * Lesson 07 and peers that somebody else wrote: `ws`, the WebSocket of Node, Chromium, and `websockets`
 * of Python. The reference sends messages, and each peer sends back whatever comes.
 */
import { type ChildProcess, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { describe, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { findBrowser } from '../../shared/drive/chromium.ts';
import { Choices } from '../../shared/kit/generate.ts';
import { withTimeout } from '../../shared/kit/patience.ts';
import { Peer, request } from '../../shared/kit/peer.ts';
import { SEED } from '../../shared/kit/seed.ts';
import { endChild, spawnChild } from '../../shared/process/children.ts';
import type { Connection } from '../../solutions/05-server/server.ts';
import type { ClientConnection } from '../../solutions/06-client/client.ts';
import {
  compressingServer,
  connectCompressing,
  type DeflatePolicy,
} from '../../solutions/07-compression/compression.ts';
import { Browser } from './browser.ts';

const MESSAGES = 300;
/** How many of them are on their way at once. */
const AT_ONCE = 10;

/** How long a conversation may take before we say that it hangs. */
const HANG_MS = 30_000;

const WORDS = [
  '{"type":"chat","text":"',
  'Hello, ',
  '你好，',
  'κόσμε ',
  '😀',
  '"}',
  'the same again, ',
];

/** Draws messages: empty, small, and long ones, most of them text; noise among them. */
function messages(): (string | Uint8Array)[] {
  const choose = Choices.random(SEED);
  const words = (count: number) => Array.from({ length: count }, () => choose.pick(WORDS)).join('');
  const drawn = Array.from({ length: MESSAGES - 1 }, () => {
    if (choose.oneIn(10)) return choose.bytes(choose.below(300));
    return words(choose.below(choose.oneIn(20) ? 4000 : 40));
  });
  // Packed, it is longer than a frame: it goes in fragments.
  const noise = Buffer.from(choose.bytes(150_000)).toString('base64');
  return [...drawn.slice(0, 100), noise, ...drawn.slice(100)];
}

/** What became of a conversation. */
interface Outcome {
  readonly echoed: number;
  readonly pongs: number;
  readonly errors: readonly unknown[];
  readonly code: number;
}

const RIGHT: Outcome = { echoed: MESSAGES, pongs: MESSAGES / AT_ONCE, errors: [], code: 1000 };

/** Our end: sends everything, some at a time with a Ping behind them, and compares what comes back. */
class Talk {
  readonly #messages = messages();
  readonly #errors: unknown[] = [];
  #sent = 0;
  #echoed = 0;
  #pongs = 0;
  #resolve: (outcome: Outcome) => void = () => {};
  readonly #outcome = new Promise<Outcome>((resolve) => {
    this.#resolve = resolve;
  });

  /** Waits for the end, but not for ever: a peer that never comes would hang. */
  get outcome(): Promise<Outcome> {
    return withTimeout(this.#outcome, HANG_MS, () => {
      throw new Error(`It hangs after ${this.#echoed} of ${MESSAGES} messages.`);
    });
  }

  /** How many bytes all the messages have. */
  get plainBytes(): number {
    return this.#messages.reduce((sum, message) => sum + Buffer.byteLength(message), 0);
  }

  readonly handle = (
    connection: Connection | ClientConnection,
    event: {
      readonly type: string;
      readonly data?: unknown;
      readonly error?: unknown;
      readonly code?: unknown;
    },
  ): void => {
    if (event.type === 'open') this.#send(connection);
    if (event.type === 'text' || event.type === 'binary') this.#compare(connection, event.data);
    if (event.type === 'pong') this.#pongs++;
    if (event.type === 'error') this.#errors.push(event.error);
    if (event.type !== 'close') return;
    this.#resolve({
      echoed: this.#echoed,
      pongs: this.#pongs,
      errors: this.#errors,
      code: Number(event.code),
    });
  };

  #send(connection: Connection | ClientConnection): void {
    const next = this.#messages.slice(this.#sent, this.#sent + AT_ONCE);
    this.#sent += next.length;
    for (const message of next) connection.send(message);
    connection.ping(Uint8Array.of(this.#sent & 255));
  }

  #compare(connection: Connection | ClientConnection, data: unknown): void {
    const expected = this.#messages[this.#echoed];
    const isSame =
      typeof expected === 'string'
        ? data === expected
        : Buffer.compare(data as Uint8Array, expected!) === 0;
    if (!isSame) this.#errors.push(`Message ${this.#echoed} came back as another.`);
    this.#echoed++;
    if (this.#echoed === MESSAGES) connection.close(1000);
    else if (this.#echoed === this.#sent) this.#send(connection);
  }
}

/** Talks as a server to the client that `start` connects to a URL. */
async function asServer(policy: DeflatePolicy, start: (url: string) => unknown) {
  const talk = new Talk();
  const server = compressingServer(talk.handle, {}, policy);
  let socket: Socket | undefined;
  let answer = '';
  const listener = createServer((it) => {
    socket = it;
    const write = it.write.bind(it) as (bytes: Uint8Array) => boolean;
    it.write = (bytes: unknown) => {
      answer ||= Buffer.from(bytes as Uint8Array).toString('latin1');
      return write(bytes as Uint8Array);
    };
    server.accept(it);
  }).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  try {
    await start(`ws://127.0.0.1:${(listener.address() as AddressInfo).port}/`);
    const outcome = await talk.outcome;
    const agreed = /\r\nSec-WebSocket-Extensions: (.*)\r\n/.exec(answer)?.[1];
    const sent = (socket?.bytesWritten ?? 0) / talk.plainBytes;
    const received = (socket?.bytesRead ?? 0) / talk.plainBytes;
    return { outcome, agreed, sent, received };
  } finally {
    listener.close();
  }
}

/** Talks as a client to the server at a URL. */
function asClient(policy: DeflatePolicy, url: string): Promise<Outcome> {
  const talk = new Talk();
  connectCompressing(url, {}, talk.handle, policy);
  return talk.outcome;
}

/** What is agreed on: what we want, what `ws` wants, and what comes of it with `ws` at the other end. */
const AGREEMENTS: readonly {
  readonly name: string;
  readonly policy: DeflatePolicy;
  readonly answer: string;
}[] = [
  { name: 'defaults', policy: {}, answer: '' },
  {
    name: 'no takeover',
    policy: { serverNoContextTakeover: true, clientNoContextTakeover: true },
    answer: '; server_no_context_takeover; client_no_context_takeover',
  },
  {
    name: 'windows of 1 KiB',
    policy: { serverMaxWindowBits: 10, clientMaxWindowBits: 10 },
    answer: '; server_max_window_bits=10; client_max_window_bits=10',
  },
  {
    name: 'the smallest window, for one side',
    policy: { serverMaxWindowBits: 9, clientNoContextTakeover: true },
    answer: '; client_no_context_takeover; server_max_window_bits=9',
  },
];

/** Sends back a message in three fragments, with Pings between them. */
function echoInParts(socket: WebSocket, data: Buffer, binary: boolean): void {
  const third = Math.ceil(data.length / 3);
  for (const [i, fin] of [false, false, true].entries()) {
    socket.send(data.subarray(i * third, (i + 1) * third), { binary, fin });
    if (!fin) socket.ping();
  }
}

const echoWhole = (socket: WebSocket, data: Buffer, binary: boolean) =>
  socket.send(data, { binary });

function echoing(socket: WebSocket, echo = echoWhole): void {
  socket.on('message', (data, binary) => echo(socket, data as Buffer, binary));
}

test('"Hello" twice is 7 bytes, then 5, on the wire', async () => {
  const server = compressingServer((connection, { type }) => {
    if (type === 'text') connection.send('Hello');
  });
  const listener = createServer((it) => server.accept(it)).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const socket = connect((listener.address() as AddressInfo).port, '127.0.0.1');
  try {
    const client = new Peer(socket);
    client.write(request('/', 'Sec-WebSocket-Extensions: permessage-deflate'));
    expect(await client.head('A response.')).toMatch(/^HTTP\/1\.1 101 /);
    // A text message of no bytes, masked: whatever comes is answered.
    client.write(Uint8Array.of(0x81, 0x80, 0, 0, 0, 0, 0x81, 0x80, 0, 0, 0, 0));
    await client.receives(Buffer.from('c107f248cdc9c90700c105f200110000', 'hex'), 'Hello, twice.');
  } finally {
    socket.destroy();
    listener.close();
  }
});

describe('the client of `ws`', () => {
  test.each(AGREEMENTS)('$name', async ({ policy, answer }) => {
    const { outcome, agreed, sent, received } = await asServer(policy, (url) =>
      echoing(new WebSocket(url, { perMessageDeflate: { threshold: 0 } })),
    );
    expect(outcome).toEqual(RIGHT);
    expect(agreed).toBe(`permessage-deflate${answer}`);
    expect([sent, received].every((share) => share < 0.8)).toBe(true);
  });

  test('fragments with Pings between them', async () => {
    const { outcome } = await asServer({}, (url) =>
      echoing(new WebSocket(url, { perMessageDeflate: { threshold: 0 } }), echoInParts),
    );
    expect(outcome).toEqual(RIGHT);
  });

  test('that offers nothing gets nothing', async () => {
    const { outcome, agreed, sent } = await asServer({}, (url) =>
      echoing(new WebSocket(url, { perMessageDeflate: false })),
    );
    expect(outcome).toEqual(RIGHT);
    expect(agreed).toBeUndefined();
    expect(sent).toBeGreaterThan(1);
  });
});

describe('the server of `ws`', () => {
  /** Talks to a server of `ws` with these options. */
  async function talkTo(policy: DeflatePolicy, options: object | boolean, echo = echoWhole) {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: options });
    await once(server, 'listening');
    let agreed = '';
    server.on('connection', (socket) => {
      agreed = socket.extensions;
      echoing(socket, echo);
    });
    const { port } = server.address() as AddressInfo;
    try {
      return { outcome: await asClient(policy, `ws://127.0.0.1:${port}/`), agreed };
    } finally {
      server.close();
    }
  }

  test.each(AGREEMENTS)('$name', async ({ policy }) => {
    const { outcome, agreed } = await talkTo(policy, { threshold: 0 });
    expect(outcome).toEqual(RIGHT);
    expect(agreed).toBe('permessage-deflate');
  });

  test.each(AGREEMENTS)('$name, as the server wants', async ({ policy }) => {
    const { outcome } = await talkTo({}, { threshold: 0, ...policy });
    expect(outcome).toEqual(RIGHT);
  });

  test('fragments with Pings between them', async () => {
    expect((await talkTo({}, { threshold: 0 }, echoInParts)).outcome).toEqual(RIGHT);
  });

  test('that wants no compression', async () => {
    const { outcome, agreed } = await talkTo({}, false);
    expect({ outcome, agreed }).toEqual({ outcome: RIGHT, agreed: '' });
  });
});

const BUILT_IN = (globalThis as { WebSocket?: typeof globalThis.WebSocket }).WebSocket;

describe.skipIf(!BUILT_IN)('the WebSocket of Node, which newer versions have', () => {
  test.each(AGREEMENTS)('$name', async ({ policy, answer }) => {
    const { outcome, agreed, sent } = await asServer(policy, (url) => {
      const client = new BUILT_IN!(url);
      client.binaryType = 'arraybuffer';
      client.onmessage = ({ data }) => client.send(data);
    });
    expect(outcome).toEqual(RIGHT);
    expect(agreed).toBe(`permessage-deflate${answer}`);
    // It compresses nothing itself.
    expect(sent).toBeLessThan(0.8);
  });
});

const BROWSER = findBrowser();

describe.skipIf(BROWSER === undefined)('Chromium, where there is one', () => {
  test('all agreements', async () => {
    // What connects to this machine has to come from this machine.
    const site = createHttpServer((_, response) => response.end('a page')).listen(0, '127.0.0.1');
    await once(site, 'listening');
    const browser = await Browser.start(BROWSER!);
    try {
      const { port } = site.address() as AddressInfo;
      const page = await browser.open(`http://127.0.0.1:${port}/`);
      for (const { policy, answer } of AGREEMENTS) {
        const { outcome, agreed, sent, received } = await asServer(policy, (url) =>
          page.evaluate(`{
            const socket = new WebSocket('${url}');
            socket.binaryType = 'arraybuffer';
            socket.onmessage = ({ data }) => socket.send(data);
            0;
          }`),
        );
        expect(outcome).toEqual(RIGHT);
        expect(agreed).toBe(`permessage-deflate${answer}`);
        expect([sent, received].every((share) => share < 0.8)).toBe(true);
      }
    } finally {
      await browser.close();
      site.close();
    }
  });
});

/** A Python that has `websockets`. */
const PYTHON = ['python3', '/usr/bin/python3'].find(
  (it) => spawnSync(it, ['-c', 'import websockets']).status === 0,
);

const PYTHON_CLIENT = `
import asyncio, sys, websockets
async def main():
    async with websockets.connect(sys.argv[1], max_size=None) as socket:
        async for message in socket:
            await socket.send(message)
asyncio.run(main())
`;

const PYTHON_SERVER = `
import asyncio, websockets
async def echo(socket, path=None):
    async for message in socket:
        await socket.send(message)
async def main():
    server = await websockets.serve(echo, '127.0.0.1', 0, max_size=None)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Future()
asyncio.run(main())
`;

/** Starts a program in Python. */
const python = (program: string, ...args: readonly string[]) =>
  spawnChild(PYTHON!, ['-c', program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });

describe.skipIf(PYTHON === undefined)('`websockets` of Python, where it is installed', () => {
  test.each(AGREEMENTS)('its client: $name', async ({ policy }) => {
    const children: ChildProcess[] = [];
    const { outcome, agreed, sent, received } = await asServer(policy, (url) => {
      children.push(python(PYTHON_CLIENT, url));
    }).finally(() => children.forEach(endChild));
    expect(outcome).toEqual(RIGHT);
    expect(agreed).toMatch(/^permessage-deflate/);
    expect([sent, received].every((share) => share < 0.8)).toBe(true);
  });

  test.each(AGREEMENTS)('its server: $name', async ({ policy }) => {
    const child = python(PYTHON_SERVER);
    try {
      const [port] = await once(createInterface(child.stdout!), 'line');
      expect(await asClient(policy, `ws://127.0.0.1:${port}/`)).toEqual(RIGHT);
    } finally {
      endChild(child);
    }
  });
});

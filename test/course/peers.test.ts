/**
 * The server of lesson 05 and clients that somebody else wrote: the `ws` package, and the WebSocket
 * that newer versions of Node have built in. A browser is in `page.test.ts`. Here, too, is what the
 * tutorials that the course answers have shown.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { utf8, wire } from '../../shared/kit/frames.ts';
import { Peer, request } from '../../shared/kit/peer.ts';
import { type ConnectionEvent, WebSocketServer } from '../../solutions/05-server/server.ts';
import { ACCEPT_VECTORS } from '../vectors/accept.ts';

let listener: Server;
let server: WebSocketServer;
let url: string;
const events: ConnectionEvent[] = [];

beforeAll(async () => {
  server = new WebSocketServer(
    (connection, event) => {
      events.push(event);
      if (event.type === 'text' || event.type === 'binary') connection.send(event.data);
    },
    { protocols: ['chat.101'] },
  );
  listener = createServer((socket) => server.accept(socket)).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  url = `ws://127.0.0.1:${(listener.address() as AddressInfo).port}/`;
});
afterAll(async () => {
  listener.close();
  await server.shutdown();
});

const TEXTS = ['Hello', '你好，世界', '😀', '', 'x'.repeat(70_000)];
const BYTES = Uint8Array.from({ length: 1024 * 1024 }, (_, i) => (i * 31) & 255);

/** What both kinds of client have. */
type Client = Pick<globalThis.WebSocket, 'send' | 'close' | 'binaryType' | 'protocol'> &
  Pick<EventTarget, 'addEventListener'>;

/** Waits for an event of a client. */
function hear<T>(client: Client, type: string): Promise<T> {
  return new Promise((resolve) => {
    client.addEventListener(type, (event) => resolve(event as T), { once: true });
  });
}

async function echo(client: Client, data: string | Uint8Array): Promise<string | ArrayBuffer> {
  const message = hear<MessageEvent>(client, 'message');
  client.send(data);
  return (await message).data;
}

const BUILT_IN = (globalThis as { WebSocket?: typeof globalThis.WebSocket }).WebSocket;
const CLIENTS: [name: string, open: ((...args: [string, string?]) => Client) | undefined][] = [
  ['ws', (...args) => new WebSocket(...args) as unknown as Client],
  [`the WebSocket of Node ${process.version}`, BUILT_IN && ((...args) => new BUILT_IN(...args))],
];

describe.each(CLIENTS)('%s', (_, open) => {
  if (!open) {
    test.skip('this version of Node has none', () => {});
    return;
  }

  test('texts, bytes and 1 MiB come back as they were', async () => {
    const client = open(url);
    client.binaryType = 'arraybuffer';
    await hear(client, 'open');
    for (const text of TEXTS) expect(await echo(client, text)).toBe(text);
    const back = (await echo(client, BYTES)) as ArrayBuffer;
    expect(Buffer.compare(new Uint8Array(back), BYTES)).toBe(0);
    client.close();
    await hear(client, 'close');
  });

  test('closes with code and reason, and the server hears them', async () => {
    const client = open(url);
    await hear(client, 'open');
    client.close(4001, 'bye');
    const { code, wasClean } = await hear<Event & { code: number; wasClean: boolean }>(
      client,
      'close',
    );
    expect({ code, wasClean }).toEqual({ code: 4001, wasClean: true });
    await expect.poll(() => events.at(-1)).toMatchObject({ type: 'close', reason: 'bye' });
  });

  test('agrees on a subprotocol', async () => {
    const client = open(url, 'chat.101');
    await hear(client, 'open');
    expect(client.protocol).toBe('chat.101');
    client.close();
    await hear(client, 'close');
  });

  test('twenty at once, each with its own echo', async () => {
    await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        const client = open(url);
        await hear(client, 'open');
        for (let n = 0; n < 10; n++) expect(await echo(client, `${i}: ${n}`)).toBe(`${i}: ${n}`);
        client.close();
        await hear(client, 'close');
      }),
    );
    await expect.poll(() => server.connections.size).toBe(0);
  });
});

async function connectPeer(): Promise<Peer> {
  const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1' });
  await once(socket, 'connect');
  return new Peer(socket);
}

describe('what the tutorials show, with the server of lesson 05', () => {
  test.each(ACCEPT_VECTORS)(
    '$id: the key $key is answered with $accept',
    async ({ key, accept }) => {
      const peer = await connectPeer();
      const plain = Buffer.from(request()).toString('latin1');
      peer.write(utf8(plain.replace(/(Key: ).*/, `$1${key}`)));
      expect(await peer.head('The key is answered.')).toContain(
        `Sec-WebSocket-Accept: ${accept}\r\n`,
      );
      peer.socket.destroy();
    },
  );

  test('a handshake by hand on a raw socket, while a hundred others are connected', async () => {
    const others = await Promise.all(Array.from({ length: 100 }, connectPeer));
    await Promise.all(others.map((other) => other.open()));
    const peer = await connectPeer();
    await peer.open();
    peer.write(wire({ opcode: 1, payload: 'good' }));
    await peer.receives(wire({ opcode: 1, payload: 'good', key: null }), 'Echo.');
    for (const { socket } of [...others, peer]) socket.destroy();
    await expect.poll(() => server.connections.size).toBe(0);
  });

  test('the second client is served although the first says nothing', async () => {
    const silent = await connectPeer();
    const second = await connectPeer();
    await second.open();
    silent.socket.destroy();
    second.socket.destroy();
  });

  test('a client comes back from the same port, and is taken for a new one', async () => {
    const first = await connectPeer();
    await first.open();
    const { localPort } = first.socket;
    first.socket.resetAndDestroy();
    await once(first.socket, 'close');
    const again = connect({ port: Number(new URL(url).port), host: '127.0.0.1', localPort });
    const what = await Promise.race([once(again, 'connect'), once(again, 'error')]).catch(String);
    // Somebody else on this machine may have been quicker to take the port.
    if (again.connecting || again.destroyed) return expect(String(what)).toContain('EADDRINUSE');
    await new Peer(again).open();
    again.destroy();
  });

  test('a message longer than 125 bytes, in fragments, with a Ping between them', async () => {
    const peer = await connectPeer();
    await peer.open();
    const half = 'good '.repeat(40);
    peer.write(
      wire({ opcode: 1, payload: half, fin: false }),
      wire({ opcode: 9, payload: 'p' }),
      wire({ opcode: 0, payload: half }),
    );
    await peer.receives(wire({ opcode: 10, payload: 'p', key: null }), 'The Pong.');
    await peer.receives(wire({ opcode: 1, payload: half + half, key: null }), 'The whole.');
    peer.socket.destroy();
  });
});

/** Step 9: TLS. */
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { connect, type Socket } from 'node:net';
import { connect as connectTls, type Server, type TLSSocket, type TlsOptions } from 'node:tls';
import { attempt, equal } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { fromClient, fromServer } from '../../../shared/kit/frames.ts';
import { giveWay } from '../../../shared/kit/patience.ts';
import { Peer, until } from '../../../shared/kit/peer.ts';
import { AUTHORITY, OF_LOCALHOST } from '../../vectors/certificates.ts';
import { Text } from '../05-server/core.ts';
import { settles } from '../05-server/sockets.ts';
import { delaysOf } from './delays.ts';
import type { Lesson, Scenarios } from './tools.ts';
import { Entrance } from './visitors.ts';

const TRAP =
  'At its timeout, `node:tls` only emits `tlsClientError`. Whoever does not destroy the socket there keeps it.';

/** A listening TLS server of the lesson, and whoever connects to it. */
class Front {
  readonly server: Server;
  readonly accepted: TLSSocket[] = [];
  /** The sockets below TLS, at the server. */
  readonly below: Socket[] = [];
  readonly #clients: Socket[] = [];

  constructor(
    { createTlsServer }: Lesson,
    options: TlsOptions,
    accept: (socket: TLSSocket) => void = () => {},
  ) {
    const { cert, key } = OF_LOCALHOST;
    const take = (socket: TLSSocket) => {
      this.accepted.push(socket);
      socket.on('error', () => {});
      accept(socket);
    };
    const make = () => createTlsServer({ cert, key, ...options }, take);
    this.server = attempt(make, 'Make a TLS server.');
    this.server.on('connection', (socket: Socket) => {
      this.below.push(socket);
      socket.on('error', () => {});
    });
  }

  get #port(): number {
    return (this.server.address() as { port: number }).port;
  }

  #keep<T extends Socket>(socket: T): T {
    this.#clients.push(socket);
    socket.on('error', () => {});
    return socket;
  }

  /** Connects somebody who has not begun with TLS, and does not go when the server ends TCP. */
  async dial(): Promise<Socket> {
    const socket = this.#keep(
      connect({ port: this.#port, host: '127.0.0.1', allowHalfOpen: true }),
    );
    await Promise.all([once(socket, 'connect'), settles(() => this.below.length > 0)]);
    return socket;
  }

  /** Connects somebody who speaks TLS, and these protocols. */
  dialTls(ALPNProtocols?: string[]): TLSSocket {
    const to = { port: this.#port, host: '127.0.0.1', servername: 'localhost', ca: AUTHORITY };
    return this.#keep(connectTls({ ...to, ...(ALPNProtocols && { ALPNProtocols }) }));
  }

  /** Connects somebody who comes to the end of the handshake. */
  async secure(ALPNProtocols?: string[]): Promise<TLSSocket> {
    const client = this.dialTls(ALPNProtocols);
    let isSecure = false;
    client.once('secureConnect', () => {
      isSecure = true;
    });
    const isOver = () => isSecure || client.destroyed;
    await until(isOver, 'A client that speaks TLS comes in.');
    equal(() => isSecure, true, 'A client that speaks TLS comes in.', {
      label: 'its handshake is done',
      inWords: true,
      cause: () => '`accept` is for sockets inside TLS, those of `secureConnection`.',
    });
    return client;
  }

  /** Waits until the server has nothing left of its sockets. */
  async isFree(what: string, given: readonly Fact[], cause?: string): Promise<void> {
    const isGone = () => this.below.length > 0 && this.below.every(({ destroyed }) => destroyed);
    await until(isGone, what, () => [...given, ['its socket', 'is still there']], cause);
  }

  async end(): Promise<void> {
    for (const socket of [...this.#clients, ...this.accepted, ...this.below]) socket.destroy();
    this.server.close();
    await giveWay(0);
  }

  /** Runs a check with a server that listens, and ends everything afterwards. */
  static async run(
    lesson: Lesson,
    check: (front: Front) => Promise<void>,
    options: TlsOptions = {},
    accept?: (socket: TLSSocket) => void,
  ): Promise<void> {
    const front = new Front(lesson, options, accept);
    front.server.listen(0, '127.0.0.1');
    await once(front.server, 'listening');
    try {
      await check(front);
    } finally {
      await front.end();
    }
  }
}

/** A client that does not come to the end of its handshake. */
async function isDestroyed(lesson: Lesson, what: string, act: (socket: Socket) => unknown) {
  const given: Fact[] = [
    ['`handshakeTimeout`', '60 ms'],
    ['a client', what],
  ];
  await Front.run(
    lesson,
    async (front) => {
      const socket = await front.dial();
      const stop = act(socket);
      await front.isFree('Who does not end the handshake of TLS is destroyed.', given, TRAP);
      if (typeof stop === 'function') stop();
      equal(() => front.accepted.length, 0, 'Only a socket whose handshake is done is accepted.', {
        given,
        label: 'sockets accepted',
      });
    },
    { handshakeTimeout: 60 },
  );
}

const HELLO_BEGINS = Buffer.from('1603010200010001fc0303', 'hex');

/** The protocol that a client gets who names these. `undefined`: it is refused. */
async function protocolFor(lesson: Lesson, names: string[] | undefined, options: TlsOptions = {}) {
  let protocol: string | false | null | undefined;
  await Front.run(
    lesson,
    async (front) => {
      const client = front.dialTls(names);
      const isSecure = new Promise<boolean>((resolve) => {
        client.once('secureConnect', () => resolve(true));
        client.once('close', () => resolve(false));
      });
      if (!(await isSecure)) {
        await front.isFree('Who fails in the handshake of TLS is destroyed.', []);
        return;
      }
      protocol = client.alpnProtocol;
      await settles(() => front.accepted.length > 0);
    },
    options,
  );
  return protocol;
}

export const OVER_TLS: Scenarios = [
  {
    what: 'A socket whose handshake is done is accepted, and works with `node:http`.',
    rules: [],
    async check(lesson) {
      const entrance = new Entrance(lesson, {}, (connection, event) => {
        if (event.type === 'text') connection.send(event.data);
      });
      const http = createHttpServer((_, response) => response.end('a page'));
      http.on('upgrade', (...args) => void entrance.gate.upgrade(...args));
      const accept = (socket: TLSSocket) => http.emit('connection', socket);
      const check = async (front: Front) => {
        const client = new Peer(await front.secure(['h2', 'http/1.1']));
        await client.open('/?ticket=anna', fromClient(Text, 'Hello'));
        await client.receives(fromServer(Text, 'Hello'), 'A WebSocket works inside TLS.');
        equal(() => front.accepted.length, 1, 'Each socket is accepted once.', {
          label: 'calls of `accept`',
        });
      };
      await Front.run(lesson, check, {}, accept);
      http.close();
    },
  },
  {
    what: 'Of the protocols that a client names, HTTP/1.1 is agreed on.',
    rules: [],
    async check(lesson) {
      const what = 'Of the protocols that a client names, HTTP/1.1 is agreed on.';
      const cause = 'ALPN chooses what is spoken inside. HTTP/2 has no `Upgrade`.';
      const both = await protocolFor(lesson, ['h2', 'http/1.1']);
      const given: Fact[] = [['a client names', 'h2, http/1.1']];
      equal(() => both, 'http/1.1', what, {
        given,
        label: 'agreed on',
        inWords: true,
        cause: () => cause,
      });
      const only = await protocolFor(lesson, ['h2']);
      equal(() => only, undefined, 'A client that speaks only HTTP/2 is refused.', {
        given: [['a client names', 'h2']],
        label: 'agreed on',
        inWords: true,
        cause: () => cause,
      });
      const none = await protocolFor(lesson, undefined);
      equal(() => none, false, 'A client that names no protocol comes in.', {
        given: [['a client names', 'none']],
        label: 'agreed on',
        inWords: true,
      });
      const own = await protocolFor(lesson, ['h2', 'x'], { ALPNProtocols: ['x'] });
      equal(() => own, 'x', 'The options may say otherwise.', {
        given: [
          ['`ALPNProtocols`', 'x'],
          ['a client names', 'h2, x'],
        ],
        label: 'agreed on',
        inWords: true,
      });
    },
  },
  {
    what: 'Garbage in the place of TLS ends the connection.',
    rules: [],
    check: (lesson) =>
      isDestroyed(lesson, 'sends garbage', (socket) => socket.write('GET / HTTP/1.1\r\n\r\n')),
  },
  {
    what: 'A client that leaves in the middle of the handshake is gone.',
    rules: [],
    async check(lesson) {
      await isDestroyed(lesson, 'resets', (socket) => socket.resetAndDestroy());
      await isDestroyed(lesson, 'begins, and ends TCP', (socket) => socket.end(HELLO_BEGINS));
    },
  },
  {
    what: 'A silent client is destroyed after `handshakeTimeout`.',
    rules: [196],
    waits: true,
    check: (lesson) => isDestroyed(lesson, 'says nothing', () => {}),
  },
  {
    what: 'A client that begins the handshake, and does not end it, is destroyed.',
    rules: [],
    waits: true,
    async check(lesson) {
      await isDestroyed(lesson, 'sends a part', (socket) => socket.write(HELLO_BEGINS));
      await isDestroyed(lesson, 'sends a byte each 10 ms', (socket) => {
        socket.write(HELLO_BEGINS);
        const timer = setInterval(() => !socket.destroyed && socket.write('x'), 10);
        return () => clearInterval(timer);
      });
    },
  },
  {
    what: 'Without `handshakeTimeout`, it is `TLS_TIMEOUT_MS`.',
    rules: [],
    async check(lesson) {
      const delays = await delaysOf(() =>
        Front.run(lesson, async (front) => {
          await front.dial();
          await giveWay(2);
        }),
      );
      const what = 'Without `handshakeTimeout`, it is `TLS_TIMEOUT_MS`.';
      equal(() => delays.includes(lesson.TLS_TIMEOUT_MS), true, what, {
        given: [
          ['a client', 'connects, and says nothing'],
          [
            'timers that were set',
            `${delays.filter((ms) => ms > 1000).join(', ') || 'no long one'} ms`,
          ],
          ['expected', `one of ${lesson.TLS_TIMEOUT_MS} ms`],
        ],
        label: 'so it was',
        inWords: true,
        cause: () => 'Without that, Node waits for two minutes.',
      });
    },
  },
  {
    what: 'After its handshake, a socket has all the time.',
    rules: [],
    waits: true,
    check: (lesson) =>
      Front.run(
        lesson,
        async (front) => {
          const client = await front.secure();
          await settles(() => front.accepted.length > 0);
          await giveWay(700);
          equal(
            () => client.destroyed || front.accepted[0]?.destroyed,
            false,
            'After its handshake, a socket has all the time.',
            {
              given: [
                ['`handshakeTimeout`', '500 ms'],
                ['after the handshake', '700 ms went by'],
              ],
              label: 'the socket is destroyed',
              inWords: true,
            },
          );
        },
        { handshakeTimeout: 500 },
      ),
  },
];

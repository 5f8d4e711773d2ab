/** Step 13: a server of `node:http` hands its sockets over. */
import { createServer, type IncomingMessage } from 'node:http';
import { attempt, equal } from '../../../shared/harness/check.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import { fromClient, fromServer, join, utf8 } from '../../../shared/kit/frames.ts';
import { Listener, type Peer, request } from '../../../shared/kit/peer.ts';
import type { WebSocketServer } from '../../../solutions/05-server/server.ts';
import { Binary, Close, type Lesson, NORMAL, NOTHING, type Scenarios, Text } from './core.ts';
import { honours, OPTIONS } from './many.ts';
import {
  type Application,
  acceptLine,
  application,
  counts,
  countsLeft,
  expectListener,
  expectStatus,
  Line,
  openAll,
  PATIENT,
  settles,
  turns,
} from './sockets.ts';

const TWO_WAYS =
  'After a shutdown, `accept` responds with 503. `upgrade` is another way in, and has to look, too.';
const EVERY_LINE = '`headersDistinct` has every line of a header, `headers` only one Host.';

/** Runs a check with a web server that has one page, and hands upgrades to a server of the lesson. */
function onHttp(
  { WebSocketServer }: Lesson,
  check: (listener: Listener, server: WebSocketServer, app: Application) => Promise<void>,
): Promise<void> {
  const app = application();
  // On a machine so busy that a check takes minutes, nobody asks whether we are there.
  const options = { origins: ['http://good.example'], pingIntervalMs: 600_000 };
  const server = new WebSocketServer(app.handle, options);
  const http = createServer((_, response) => response.end('a page'));
  const upgrade = (...args: Parameters<typeof server.upgrade>) => server.upgrade(...args);
  return Listener.run(http, 'upgrade', upgrade, (listener) => check(listener, server, app));
}

/** An upgrade that is refused, because of one line that it has in addition. */
function refuses(line: string, status: string, rules: readonly number[], cause: string) {
  const scenario: Scenario<Lesson> = {
    what: `Refuse an upgrade with the line \`${line}\`.`,
    rules,
    check: (lesson) =>
      onHttp(lesson, async (listener) => {
        const guest = await listener.connect();
        guest.write(request('/', line));
        const head = await guest.head(`Refuse with ${status}.`);
        equal(() => head.slice(9, 12), status, 'The rules of the handshake apply here, too.', {
          given: [['in addition', line]],
          label: 'status',
          cause: (actual) => (actual === '101' ? cause : undefined),
        });
        await guest.sees('fin', 'After a refusal, the server ends its side.');
      }),
  };
  return scenario;
}

const HANDSHAKE = {
  host: 'server.example.com',
  upgrade: 'websocket',
  connection: 'Upgrade',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
  'sec-websocket-version': '13',
};

/** A request as `node:http` hands it out. */
function incoming(
  headers: Record<string, string>,
  url = '/',
  httpVersion = '1.1',
): IncomingMessage {
  const lines = Object.entries(headers).map(([name, value]) => [name, [value]]);
  const headersDistinct = Object.fromEntries(lines);
  const message = { method: 'GET', url, httpVersion, headers, headersDistinct };
  return message as unknown as IncomingMessage;
}

/** Lets a client come by `upgrade`, with the headers of this request, and these bytes as `head`. */
function enterByUpgrade(server: WebSocketServer, asks: Uint8Array, head: Uint8Array): Line {
  const line = new Line();
  const [, ...lines] = Buffer.from(asks).toString('latin1').trimEnd().split('\r\n');
  const headers = lines.map((text) => text.split(': ') as [string, string]);
  const named = headers.map(([name, value]) => [name.toLowerCase(), value]);
  server.upgrade(incoming(Object.fromEntries(named)), line, head);
  return line;
}

export const ON_HTTP: Scenarios = [
  {
    what: 'A page and a socket share the port.',
    rules: [],
    check: (lesson) =>
      onHttp(lesson, async (listener) => {
        const reader = await listener.connect();
        reader.write(utf8('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'));
        const page = await reader.head('A page and a socket share the port.');
        const what = 'A page and a socket share the port.';
        equal(() => page.slice(9, 12), '200', what, { label: 'status of the page' });
        await openAll(listener, 1);
      }),
  },
  {
    what: 'A frame behind the request is not lost.',
    rules: [],
    check: (lesson) =>
      onHttp(lesson, async (listener) => {
        const client = await listener.connect();
        await client.open('/chat', fromClient(Text, 'early'));
        await client.receives(
          fromServer(Text, 'early'),
          'A frame behind the request is not lost.',
          'Node has read it already: it is in `head`.',
        );
      }),
  },
  {
    what: 'The application hears what was asked for.',
    rules: [44],
    check: (lesson) =>
      onHttp(lesson, async (listener, server, app) => {
        const client = await listener.connect();
        await client.open('/chat?room=1');
        await counts(server, 1, 'The server knows its open connections.');
        const open = { type: 'open', upgrade: { resource: '/chat?room=1' } };
        equal(() => app.events[0], open, 'Open.', { label: 'the first event' });
      }),
  },
  {
    what: 'Echo 70,000 bytes.',
    rules: [],
    check: (lesson) =>
      onHttp(lesson, async (listener) => {
        const [client] = (await openAll(listener, 1)) as [Peer];
        const big = new Uint8Array(70_000).fill(1);
        client.write(fromClient(Binary, big));
        const echoed: Uint8Array[] = [];
        for (let isWhole = false; !isWhole; ) {
          const { fin, payload } = await client.frame('Echo 70,000 bytes.');
          echoed.push(payload);
          isWhole = fin;
        }
        equal(() => join(...echoed), big, 'Echo 70,000 bytes.', { label: 'came back, joined' });
      }),
  },
  {
    what: 'The server ends its side first.',
    rules: [],
    check: (lesson) =>
      onHttp(lesson, async (listener, server) => {
        const [client] = (await openAll(listener, 1)) as [Peer];
        client.write(fromClient(Close, NORMAL));
        await client.receives(fromServer(Close, NORMAL), 'A Close is answered.');
        await client.sees('fin', 'The server ends its side first.');
        client.socket.end();
        await countsLeft(server, 0);
      }),
  },
  {
    what: 'A client that ends TCP without a Close is let go.',
    rules: [],
    check: (lesson) =>
      onHttp(lesson, async (listener, server) => {
        const [leaver] = (await openAll(listener, 1)) as [Peer];
        leaver.socket.end();
        await leaver.sees(
          'fin',
          'A client that ends TCP without a Close is let go.',
          undefined,
          'A socket of `node:http` stays open when the other side ends: end it yourself, at `end`.',
        );
        await countsLeft(server, 0);
      }),
  },
  refuses('Origin: http://evil.example', '403', [44, 46], 'The policy applies here, too.'),
  refuses('Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==', '400', [44], EVERY_LINE),
  refuses('Host: another.example', '400', [44], EVERY_LINE),
  {
    // A socket of `node:http` has nobody who listens for its errors when it is handed out.
    what: 'Listen for the `error` of a socket that is refused.',
    rules: [],
    check({ WebSocketServer }) {
      const server = new WebSocketServer(() => {});
      const line = new Line();
      const upgrade = () => server.upgrade(incoming({ host: 'x' }), line, NOTHING);
      attempt(upgrade, 'Refuse a request that is not a handshake.');
      expectListener(line);
      line.destroy();
    },
  },
  {
    what: 'An upgrade of HTTP/1.0 is refused.',
    rules: [35],
    async check({ WebSocketServer }) {
      const line = new Line();
      const request = incoming(HANDSHAKE, '/', '1.0');
      new WebSocketServer(() => {}).upgrade(request, line, NOTHING);
      const what = 'An upgrade of HTTP/1.0 is refused.';
      const call = 'upgrade(request, socket, head) with `httpVersion` 1.0';
      const cause = 'The version that came is in `request.httpVersion`.';
      await expectStatus(line, '400', what, call, cause);
      line.destroy();
    },
  },
  {
    what: 'An upgrade after a shutdown is refused.',
    rules: [],
    async check({ WebSocketServer }) {
      const server = new WebSocketServer(() => {});
      await server.shutdown();
      const line = new Line();
      server.upgrade(incoming(HANDSHAKE), line, NOTHING);
      const what = 'An upgrade after a shutdown is refused.';
      await expectStatus(line, '503', what, 'shutdown(), upgrade(request, socket, head)', TWO_WAYS);
      line.destroy();
    },
  },
  {
    what: 'An upgrade during a shutdown is refused.',
    rules: [],
    async check({ WebSocketServer }) {
      const server = new WebSocketServer(() => {});
      const first = acceptLine(server, request());
      void server.shutdown();
      const line = new Line();
      server.upgrade(incoming(HANDSHAKE), line, NOTHING);
      const what = 'An upgrade during a shutdown is refused.';
      await expectStatus(line, '503', what, 'shutdown(), upgrade(request, socket, head)', TWO_WAYS);
      for (const each of [first, line]) each.destroy();
    },
  },
  {
    what: 'A socket that is gone before `upgrade` is kept nowhere.',
    rules: [],
    async check({ WebSocketServer }) {
      const app = application();
      const server = new WebSocketServer(app.handle, PATIENT);
      const line = new Line();
      line.destroy();
      await turns(2);
      const what = 'A socket that is gone before `upgrade` is kept nowhere.';
      attempt(() => server.upgrade(incoming(HANDSHAKE), line, NOTHING), what);
      await settles(() => server.connections.size === 0);
      equal(() => server.connections.size, 0, what, {
        given: [
          ['the calls', 'upgrade(request, socket, head), with a socket that has emitted `close`'],
          ['the events', app.types().join(', ') || 'none'],
        ],
        label: 'connections',
        cause: () =>
          'A client can leave while somebody looks up who it is. Its socket emits nothing more: look at `destroyed`.',
      });
    },
  },
  {
    what: 'A target that is not a URL does not end the server.',
    rules: [],
    check({ WebSocketServer }) {
      const what = 'A target that is not a URL does not end the server.';
      const line = new Line();
      const upgrade = () =>
        new WebSocketServer(() => {}).upgrade(incoming(HANDSHAKE, '//['), line, NOTHING);
      attempt(upgrade, what, [['the request', 'GET //[ HTTP/1.1']]);
      line.destroy();
    },
  },
  ...OPTIONS.map((honoured) => honours(honoured, ' by `upgrade`', enterByUpgrade)),
  {
    what: 'A client whose upgrade is refused is read on, until it ends TCP.',
    rules: [],
    async check({ WebSocketServer }) {
      const line = new Line();
      new WebSocketServer(() => {}, PATIENT).upgrade(incoming({ host: 'x' }), line, NOTHING);
      line.push(utf8('there is more to say'));
      line.push(null);
      await settles(() => line.destroyed);
      const what = 'A client whose upgrade is refused is read on, until it ends TCP.';
      equal(() => line.destroyed, true, what, {
        given: [['bytes that nobody has read', `${line.readableLength}`]],
        label: 'the socket is gone',
        cause: () => (line.readableLength > 0 ? '`resume` reads on, and drops it.' : undefined),
      });
      line.destroy();
    },
  },
  {
    what: 'All of `head` is handed on.',
    rules: [],
    async check({ WebSocketServer }) {
      const heard: number[] = [];
      const server = new WebSocketServer((_, event) => {
        if (event.type === 'binary') heard.push(event.data.length);
      });
      const line = new Line();
      const head = fromClient(Binary, new Uint8Array(5000));
      server.upgrade(incoming(HANDSHAKE), line, head);
      await settles(() => heard.length > 0);
      equal(() => heard, [5000], 'All of `head` is handed on.', {
        given: [['`head` has', `${head.length} bytes: a message of 5000`]],
        label: 'bytes of the messages',
      });
      line.destroy();
    },
  },
];

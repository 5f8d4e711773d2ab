/** Step 9: a proxy that says who it is for. */
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { equal, fail } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { fromClient, fromServer, join, utf8 } from '../../../shared/kit/frames.ts';
import { type Choices, generatedLater } from '../../../shared/kit/generate.ts';
import { giveWay } from '../../../shared/kit/patience.ts';
import { Listener, request, until } from '../../../shared/kit/peer.ts';
import { Timers } from '../../../shared/kit/timers.ts';
import { withUncaught } from '../../../shared/kit/uncaught.ts';
import { Text } from '../05-server/core.ts';
import { Line, settles, turns } from '../05-server/sockets.ts';
import type { Lesson, Scenarios } from './tools.ts';
import { Entrance } from './visitors.ts';

const V1 = utf8('PROXY TCP4 198.51.100.7 127.0.0.1 41162 8203\r\n');
const V2_START = Uint8Array.from(Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1'));

/** A header of version 2 with this family and addresses, and with more of the proxy's behind them. */
function v2(command: number, family: number, ...addresses: readonly Uint8Array[]): Uint8Array {
  const body = join(...addresses);
  const length = Uint8Array.of(body.length >> 8, body.length & 255);
  return join(V2_START, Uint8Array.of(command, family), length, body);
}

const PORTS = Uint8Array.of(0xa0, 0xca, 0x20, 0x0b);
const V4 = v2(0x21, 0x11, Uint8Array.of(198, 51, 100, 7, 127, 0, 0, 1), PORTS);
const V6_ADDRESS = Uint8Array.of(0x20, 1, 0x0d, 0xb8, ...new Array<number>(11).fill(0), 9);
const V6 = v2(0x21, 0x21, V6_ADDRESS, V6_ADDRESS, PORTS, new Uint8Array(300));

const trusting = () => true;

/** More than any header and what follows it here, even if all of it is put back at each byte. */
const [MOST_RETURNS, MOST_RETURNED_BYTES] = [100, 64 * 1024];

/**
 * Destroys a socket when what is put back into it comes out, and is put back, again and again: that
 * would fill the memory and never end. Returns what was put back.
 */
function breaksLoops(socket: Duplex): { readonly bytes: number; readonly isLoop: boolean } {
  const returned = { bytes: 0, isLoop: false };
  let count = 0;
  socket.unshift = (chunk: Uint8Array, ...rest) => {
    count++;
    returned.bytes += chunk.length;
    returned.isLoop ||= count > MOST_RETURNS || returned.bytes > MOST_RETURNED_BYTES;
    if (returned.isLoop) socket.destroy();
    else Duplex.prototype.unshift.call(socket, chunk, ...rest);
  };
  return returned;
}

/** A socket from a proxy, whose other end is the scenario. */
class Proxied {
  readonly line: Line & { remoteAddress?: string };
  readonly accepted: Socket[] = [];
  /** Was somebody listening for `data` before it was accepted? */
  #hasFlowed = false;
  /** Did it flow when it was accepted? */
  #isFlowing = false;
  /** Has it been let flow while nobody listened for `data`? */
  #isResumed = false;
  #arrivedBytes = 0;
  /** How much had arrived when it was accepted, in bytes. */
  #acceptedBytes = 0;
  /** What has been put back into it. */
  readonly #returned: ReturnType<typeof breaksLoops>;
  /** What is read from the socket once it is accepted. */
  readonly received: Buffer[] = [];
  /** Is it to be read at once? */
  readonly #reads: boolean;

  constructor(
    { acceptProxied }: Lesson,
    {
      peer = '10.0.0.1',
      trusts = (address: string): boolean => address === '10.0.0.1',
      timeoutMs = 600_000,
      reads = true,
    } = {},
  ) {
    this.#reads = reads;
    // On a socket of Node, the address is a getter of its class.
    this.line = new (class extends Line {
      get remoteAddress() {
        return peer || undefined;
      }
    })();
    this.#returned = breaksLoops(this.line);
    this.line.on('newListener', (name) => {
      if (name === 'data' && this.accepted.length === 0) this.#hasFlowed = true;
    });
    this.line.resume = () => {
      if (this.line.listenerCount('data') === 0) this.#isResumed = true;
      Duplex.prototype.resume.call(this.line);
      return this.line;
    };
    const accept = (socket: Socket) => {
      this.accepted.push(socket);
      this.#isFlowing = this.line.readableFlowing === true;
      this.#acceptedBytes = this.#arrivedBytes;
      if (this.#reads) this.read();
    };
    acceptProxied(this.line as unknown as Socket, trusts, accept, timeoutMs);
  }

  /** Reads what is there, and what comes. */
  read(): void {
    this.line.on('data', (chunk: Buffer) => this.received.push(chunk));
  }

  get text(): string {
    return Buffer.concat(this.received).toString('latin1');
  }

  /** Lets bytes arrive, each of the pieces alone. */
  async arrives(...pieces: readonly Uint8Array[]): Promise<void> {
    for (const piece of pieces) {
      this.pushes(piece);
      await turns(1);
    }
    await turns(2);
    this.expectNoLoop();
  }

  /** Lets bytes arrive, and does not wait. */
  pushes(bytes: Uint8Array): void {
    this.#arrivedBytes += bytes.length;
    this.line.push(bytes);
  }

  /** Checks that what was put back has not come to whoever has put it back. */
  expectNoLoop(): void {
    if (!this.#returned.isLoop) return;
    fail(
      'What is put back into a socket is for whoever reads it next.',
      [
        ['arrived', `${this.#arrivedBytes} bytes`],
        ['`unshift`', 'was called again and again, until the check has destroyed the socket'],
      ],
      'What you put back with `unshift` came to your own listener again. Take it off first.',
    );
  }

  /** What was wrong with how the header was read, when this should be there behind it. */
  causeOfLoss(rest: string): string {
    const headerBytes = this.#arrivedBytes - rest.length;
    const cameTogether = this.#acceptedBytes > headerBytes;
    const unshift =
      'What is behind the header is the client’s: `unshift` gives it back to the socket.';
    if (cameTogether && this.#returned.bytes === 0) return unshift;
    if (this.#isResumed)
      return 'Something lets the socket flow, such as `resume`: what arrives before somebody listens is lost.';
    if (this.#isFlowing)
      return 'With `data`, a socket flows on, and what arrives before somebody listens is lost. Listen for `readable`, and fetch what there is with `read`.';
    if (this.#hasFlowed)
      return 'After `pause`, a socket does not flow when somebody listens for `data`: they hear nothing. Listen for `readable` in place of `data`, and nothing has to be paused.';
    return unshift;
  }
}

/** Checks that a socket was accepted once, with this address and these bytes behind it. */
function expectAccepted(proxied: Proxied, address: string, rest: string, given: readonly Fact[]) {
  proxied.expectNoLoop();
  const what = 'With its header, a socket is accepted once.';
  equal(() => proxied.accepted.length, 1, what, { given, label: 'calls of `accept`' });
  const accepted = proxied.accepted[0];
  equal(() => (accepted as unknown) === proxied.line, true, 'It is the same socket.', {
    given,
    label: 'it is',
    inWords: true,
  });
  equal(() => accepted?.remoteAddress, address, 'Its `remoteAddress` is the client’s.', {
    given,
    label: 'remoteAddress',
  });
  equal(() => proxied.text, rest, 'What the client has sent is still to be read, and no more.', {
    given,
    label: 'read',
    cause: () => proxied.causeOfLoss(rest),
  });
}

/** Checks that a socket is destroyed, and not accepted. */
async function expectDestroyed(
  proxied: Proxied,
  what: string,
  given: readonly Fact[],
  cause?: string,
) {
  await until(
    () => proxied.line.destroyed || proxied.accepted.length > 0,
    what,
    () => [...given, ['the socket', 'is still there']],
    cause,
  );
  equal(() => proxied.accepted.length, 0, what, {
    given,
    label: 'calls of `accept`',
    cause: () => cause,
  });
}

const BYTES = (bytes: Uint8Array) => [...bytes].map((byte) => Uint8Array.of(byte));

/** Any header, with what follows it, and who it is for. `undefined`: the proxy itself. */
function drawHeader(choose: Choices): { header: Uint8Array; address: string | undefined } {
  const v4 = Uint8Array.from({ length: 8 }, () => choose.below(256));
  const source = v4.subarray(0, 4).join('.');
  switch (choose.below(6)) {
    case 0:
      return {
        header: utf8(`PROXY TCP4 ${source} ${v4.subarray(4).join('.')} 1 65535\r\n`),
        address: source,
      };
    case 1:
      return { header: v2(0x21, 0x11, v4, PORTS, choose.bytes(choose.below(9))), address: source };
    case 2: {
      const last = 1 + choose.below(255);
      const address = Uint8Array.from(V6_ADDRESS).fill(last, 15);
      return {
        header: v2(0x21, 0x21, address, V6_ADDRESS, PORTS),
        address: `2001:db8::${last.toString(16)}`,
      };
    }
    case 3:
      return { header: utf8('PROXY UNKNOWN\r\n'), address: undefined };
    case 4:
      return { header: v2(0x20, 0), address: undefined };
    default:
      return { header: v2(0x20, 0x11, v4, PORTS), address: undefined };
  }
}

async function playsHeader(lesson: Lesson, choose: Choices): Promise<void> {
  const { header, address } = drawHeader(choose);
  const rest = choose.pick(['', 'G', 'GET / HTTP/1.1\r\n\r\n', 'PROXY UNKNOWN\r\n']);
  const bytes = join(header, utf8(rest));
  const places = [0, ...choose.cuts(bytes.length, 20), bytes.length];
  const pieces = places.slice(1).map((end, i) => bytes.subarray(places[i], end));
  const proxied = new Proxied(lesson, { reads: choose.below(2) === 0 });
  await proxied.arrives(...pieces);
  if (proxied.received.length === 0) proxied.read();
  await turns(3);
  expectAccepted(proxied, address ?? '10.0.0.1', rest, [
    [
      'the header',
      Buffer.from(header)
        .toString('latin1')
        .replace(/[^ -~]/g, '.'),
    ],
    ['it came', `in pieces of ${pieces.map(({ length }) => length).join(', ')} bytes`],
    ['behind it', JSON.stringify(rest)],
  ]);
  proxied.line.destroy();
  await turns(1);
}

const HEADERS = [
  ['version 1', V1, '198.51.100.7'],
  ['version 2, IPv4', V4, '198.51.100.7'],
  ['version 2, IPv6, with more behind the addresses', V6, '2001:db8::9'],
  ['version 1, UNKNOWN', utf8('PROXY UNKNOWN\r\n'), '10.0.0.1'],
  ['version 2, a check by the proxy itself', v2(0x20, 0), '10.0.0.1'],
] as const;

/** On a real network, where a proxy is whoever connects. */
async function onHttp(
  lesson: Lesson,
  check: (listener: Listener, entrance: Entrance) => Promise<void>,
): Promise<void> {
  const entrance = new Entrance(lesson, {}, (connection, event) => {
    if (event.type === 'text') connection.send(event.data);
  });
  const http = createHttpServer((asked, response) => response.end(asked.socket.remoteAddress));
  http.on('upgrade', (...args) => void entrance.gate.upgrade(...args));
  const take = (socket: Socket) => {
    breaksLoops(socket);
    lesson.acceptProxied(socket, trusting, (accepted) => http.emit('connection', accepted));
  };
  await Listener.run(createServer(), 'connection', take, (listener) => check(listener, entrance));
  http.close();
}

export const PROXIED: Scenarios = [
  {
    what: 'A socket with its header is accepted, and is the client’s.',
    rules: [],
    async check(lesson) {
      for (const [name, header, address] of HEADERS) {
        const proxied = new Proxied(lesson);
        await proxied.arrives(header);
        expectAccepted(proxied, address, '', [['arrived', `a header: ${name}`]]);
        await proxied.arrives(utf8('GET'));
        expectAccepted(proxied, address, 'GET', [['arrived', `${name}, and then GET`]]);
        proxied.line.destroy();
      }
    },
  },
  {
    what: 'Header and request can come together.',
    rules: [],
    async check(lesson) {
      for (const [name, header, address] of HEADERS) {
        const proxied = new Proxied(lesson);
        await proxied.arrives(join(header, utf8('GET / HTTP/1.1\r\n')));
        const given: Fact[] = [['arrived together', `${name}, and GET / HTTP/1.1`]];
        expectAccepted(proxied, address, 'GET / HTTP/1.1\r\n', given);
        proxied.line.destroy();
      }
    },
  },
  {
    what: 'The header can come byte by byte.',
    rules: [],
    async check(lesson) {
      for (const [name, header, address] of HEADERS.slice(0, 2)) {
        const proxied = new Proxied(lesson);
        const given: Fact[] = [['arrived', `byte by byte: ${name}, and G`]];
        await proxied.arrives(...BYTES(header).slice(0, -1));
        equal(
          () => proxied.accepted.length,
          0,
          'Before its header is whole, nothing is accepted.',
          {
            given,
            label: 'calls of `accept`',
          },
        );
        await proxied.arrives(header.subarray(-1), utf8('G'));
        expectAccepted(proxied, address, 'G', given);
        proxied.line.destroy();
      }
    },
  },
  {
    what: 'What the client has sent waits until somebody reads it.',
    rules: [],
    async check(lesson) {
      const proxied = new Proxied(lesson, { reads: false });
      await proxied.arrives(join(V1, utf8('one ')), utf8('two '));
      await proxied.arrives(utf8('three'));
      proxied.read();
      await turns(3);
      const given: Fact[] = [['arrived', 'a header with "one ", then "two ", then "three"']];
      given.push(['`accept`', 'reads only after that']);
      expectAccepted(proxied, '198.51.100.7', 'one two three', given);
      proxied.line.destroy();
    },
  },
  {
    what: 'Somebody who is no proxy of ours is destroyed.',
    rules: [184],
    async check(lesson) {
      for (const peer of ['192.0.2.1', '::ffff:192.0.2.1', '10.0.0.11']) {
        const proxied = new Proxied(lesson, { peer });
        const given: Fact[] = [
          ['the peer', peer],
          ['trusted', '10.0.0.1'],
        ];
        const cause = 'Anybody can send such a header. Ask `trusts` first.';
        if (!proxied.line.destroyed) proxied.line.push(V1);
        await expectDestroyed(
          proxied,
          'Somebody who is no proxy of ours is destroyed.',
          given,
          cause,
        );
      }
    },
  },
  {
    what: 'A socket that is gone already is nobody’s, and is destroyed.',
    rules: [],
    async check(lesson) {
      const what = 'A socket that is gone already is nobody’s, and is destroyed.';
      const asked: unknown[] = [];
      const trusts = (address: string) => asked.push(address) > 0;
      const given: Fact[] = [['`remoteAddress`', 'undefined']];
      await expectDestroyed(new Proxied(lesson, { peer: '', trusts }), what, given);
      equal(() => asked.length, 0, what, { given, label: 'calls of `trusts`' });
    },
  },
  {
    what: 'A proxy of ours is known by its address, however that is written.',
    rules: [],
    async check(lesson) {
      const asked: string[] = [];
      const trusts = (address: string) => {
        asked.push(address);
        return address === '10.0.0.1';
      };
      const proxied = new Proxied(lesson, { peer: '::ffff:10.0.0.1', trusts });
      await proxied.arrives(V1);
      expectAccepted(proxied, '198.51.100.7', '', [
        ['the peer', '::ffff:10.0.0.1'],
        ['`trusts` was asked for', asked.join(', ') || 'nobody'],
        ['trusted', '10.0.0.1, as `parseAddress` returns it'],
      ]);
      proxied.line.destroy();
    },
  },
  {
    what: 'Something else than a header ends the connection.',
    rules: [],
    async check(lesson) {
      for (const bytes of [request(), utf8('PROXY TCP4 nobody\r\n'), v2(0x33, 0x11)]) {
        const proxied = new Proxied(lesson);
        await proxied.arrives(bytes);
        const given: Fact[] = [['arrived', Buffer.from(bytes).toString('latin1').slice(0, 30)]];
        const cause = '`parseProxyHeader` throws, and nobody else hears of it.';
        await expectDestroyed(
          proxied,
          'Something else than a header ends the connection.',
          given,
          cause,
        );
      }
    },
  },
  {
    what: 'Without a header in time, the connection ends.',
    rules: [],
    waits: true,
    async check(lesson) {
      const what = 'Without a header in time, the connection ends.';
      const silent = new Proxied(lesson, { timeoutMs: 40 });
      await expectDestroyed(silent, what, [
        ['timeoutMs', '40'],
        ['arrived', 'nothing'],
      ]);
      const slow = new Proxied(lesson, { timeoutMs: 40 });
      const timer = setInterval(() => !slow.line.destroyed && slow.line.push('P'), 5);
      slow.line.push(V1.subarray(0, 20));
      const drip = new Proxied(lesson, { timeoutMs: 60 });
      const bytes = BYTES(v2(0x21, 0x11, new Uint8Array(4000)));
      const dripping = setInterval(() => !drip.line.destroyed && drip.line.push(bytes.shift()), 5);
      await expectDestroyed(slow, what, [['arrived', 'a part, and more each 5 ms']]);
      const cause = 'The time starts once, and not again with each byte.';
      await expectDestroyed(drip, what, [['arrived', 'a byte each 5 ms']], cause);
      clearInterval(timer);
      clearInterval(dripping);
    },
  },
  {
    what: 'After its header, a connection has all the time, and no timer is left.',
    rules: [],
    waits: true,
    async check(lesson) {
      const timers = new Timers();
      const proxied = timers.run(() => new Proxied(lesson, { timeoutMs: 600_000 }));
      const gone = timers.run(() => new Proxied(lesson, { timeoutMs: 600_000 }));
      const patient = new Proxied(lesson, { timeoutMs: 40 });
      await Promise.all([proxied.arrives(V1), patient.arrives(V1)]);
      gone.line.destroy();
      await giveWay(80);
      const what = 'After its header, a connection has all the time, and no timer is left.';
      equal(() => patient.line.destroyed, false, what, {
        given: [
          ['timeoutMs', '40'],
          ['since the header', '80 ms'],
        ],
        label: 'the socket is destroyed',
        inWords: true,
      });
      const left = await timers.describe();
      timers.stop();
      for (const { line } of [proxied, patient]) line.destroy();
      equal(() => left, 'none', what, {
        given: [
          ['timeoutMs', '600000'],
          ['two sockets', 'one was accepted, and one went before its header'],
        ],
        label: 'timers left',
        inWords: true,
      });
    },
  },
  {
    what: 'A reset before the header does no harm.',
    rules: [],
    async check(lesson) {
      for (const peer of ['10.0.0.1', '192.0.2.1']) {
        const proxied = new Proxied(lesson, { peer });
        if (proxied.line.listenerCount('error') === 0)
          fail('Listen for the `error` of a socket from the start.', [['the peer', peer]]);
        proxied.line.destroy(new Error('read ECONNRESET'));
        await settles(() => proxied.line.closed);
        equal(() => proxied.accepted.length, 0, 'What is gone is not accepted.', {
          label: 'calls of `accept`',
        });
      }
    },
  },
  {
    what: 'A client that ends TCP behind its request is still heard.',
    rules: [],
    async check(lesson) {
      const proxied = new Proxied(lesson);
      proxied.pushes(join(V1, utf8('GET')));
      proxied.line.push(null);
      await turns(5);
      expectAccepted(proxied, '198.51.100.7', 'GET', [
        ['arrived', 'a header and GET, and the end of TCP'],
      ]);
      proxied.line.destroy();
    },
  },
  {
    what: 'An error of `accept` is not taken for a bad header.',
    rules: [],
    check(lesson) {
      const bug = new Error('a bug in `accept`');
      return withUncaught([bug], async (isThrown) => {
        const line = Object.assign(new Line(), { remoteAddress: '10.0.0.1' });
        const accept = () => {
          throw bug;
        };
        lesson.acceptProxied(line as unknown as Socket, trusting, accept, 600_000);
        line.push(V1);
        await settles(() => isThrown(bug));
        line.destroy();
        equal(() => isThrown(bug), true, 'An error of `accept` is not taken for a bad header.', {
          given: [['`accept`', 'throws']],
          label: 'somebody hears of it',
          inWords: true,
          cause: () => 'Catch what `parseProxyHeader` throws, and nothing else.',
        });
      });
    },
  },
  {
    what: 'On a server of `node:http`, a proxied socket is like any other.',
    rules: [],
    check: (lesson) =>
      onHttp(lesson, async (listener, entrance) => {
        for (const pieces of [[V1], [V4.subarray(0, 5), V4.subarray(5)]]) {
          const client = await listener.connect();
          for (const piece of pieces.slice(0, -1)) {
            client.write(piece);
            await giveWay(2);
          }
          client.write(pieces.at(-1)!, request('/?ticket=anna'), fromClient(Text, 'early'));
          const head = await client.head('Header, request and frame can come in one read.');
          equal(() => head.slice(9, 12), '101', 'Header, request and frame can come in one read.', {
            label: 'status',
            inWords: true,
          });
          await client.receives(
            fromServer(Text, 'early'),
            'A frame behind the request is not lost.',
          );
          client.write(fromClient(Text, 'late'));
          await client.receives(fromServer(Text, 'late'), 'What comes later is heard, too.');
        }
        const page = await listener.connect();
        page.write(V1);
        await giveWay(2);
        page.write(utf8('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'));
        await page.head('A page is served behind a proxy, too.');
        await page.receives(utf8('198.51.100.7'), 'The request comes from the client’s address.');
        equal(() => entrance.events('open').length, 2, 'Two have come in.', {
          label: '`open` events',
        });
      }),
  },
  {
    what: 'Any header, in any pieces.',
    rules: [],
    check: (lesson) => generatedLater(60, (choose) => playsHeader(lesson, choose), 60),
  },
];

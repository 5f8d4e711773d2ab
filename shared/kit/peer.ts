/** Clients on real sockets that do what a check tells them to, legal or not. */
import { once } from 'node:events';
import { connect, type Server, type Socket } from 'node:net';
import { CheckFailure, fail } from '../harness/check.ts';
import type { Fact } from '../harness/facts.ts';
import { compareBytes } from '../harness/show.ts';
import type { Frame } from '../protocol.ts';
import { count } from '../view/count.ts';
import { quote } from '../view/hex.ts';
import { splitFrames } from './frames.ts';
import { giveWay } from './patience.ts';

/** How long to wait for what a right server does at once, in milliseconds. */
const PATIENCE_MS = 3000;
/** How often it is looked meanwhile, in milliseconds. */
const TURN_MS = 2;

/** Writes the request of a client, with these lines in addition. */
export function request(target = '/', ...lines: readonly string[]): Uint8Array {
  return Buffer.from(
    [
      `GET ${target} HTTP/1.1`,
      'Host: server.example.com',
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      'Sec-WebSocket-Version: 13',
      ...lines,
      '\r\n',
    ].join('\r\n'),
  );
}

/** A likely cause, or what finds one when something has not arrived. */
export type Cause = string | (() => string | undefined);

const causeOf = (cause: Cause | undefined) => (typeof cause === 'function' ? cause() : cause);

/** Waits until a condition is true; fails with `what` when it does not come to that. */
export async function until(
  holds: () => boolean,
  what: string,
  facts: () => readonly Fact[] = () => [],
  cause?: Cause,
  patienceMs = PATIENCE_MS,
): Promise<void> {
  // Turns are counted, and not the time: on a busy machine one may take long, for the server too.
  for (let turns = 0; !holds(); turns++) {
    if (turns * TURN_MS > patienceMs) {
      fail(what, [...facts(), ['waited', count(patienceMs / 1000, 'second')]], causeOf(cause));
    }
    await giveWay(TURN_MS);
  }
}

/** A TCP connection to the server under test. Its own side stays open until it is told to end. */
export class Peer {
  readonly socket: Socket;
  /** What has come and not been taken, as it came. */
  #chunks: Uint8Array[] = [];
  /** How TCP ended. `undefined`: it is still there. */
  ended: 'fin' | 'reset' | undefined;

  readonly #patienceMs: number;

  /** Follows a socket that is connected. `patienceMs` is how long it waits for anything. */
  constructor(socket: Socket, patienceMs = PATIENCE_MS) {
    this.socket = socket;
    this.#patienceMs = patienceMs;
    socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
    });
    socket.on('end', () => {
      this.ended ??= 'fin';
    });
    socket.on('error', () => {
      this.ended = 'reset';
    });
  }

  /** Writes these bytes together. */
  write(...parts: readonly Uint8Array[]): void {
    const [only] = parts;
    this.socket.write(only && parts.length === 1 ? only : Buffer.concat(parts));
  }

  get #received(): Buffer {
    const [only] = this.#chunks;
    if (only && this.#chunks.length === 1) return only as Buffer;
    const joined = Buffer.concat(this.#chunks);
    this.#chunks = [joined];
    return joined;
  }

  #drop(count: number): void {
    this.#chunks = [this.#received.subarray(count)];
  }

  /** Waits for an HTTP response, and takes its head out. `what` is what should have come. */
  async head(what: string, cause?: Cause, expected = 'a response'): Promise<string> {
    const end = () => this.#received.indexOf('\r\n\r\n');
    const facts = (): Fact[] => [...this.#facts(), ['expected', expected]];
    const isOver = () => end() !== -1 || this.ended !== undefined;
    await until(isOver, what, facts, cause, this.#patienceMs);
    if (end() === -1) fail(what, facts());
    const head = this.#received.subarray(0, end() + 4).toString('latin1');
    this.#drop(end() + 4);
    return head;
  }

  /** Opens a WebSocket, with frames behind the request if there are any. */
  async open(target = '/', ...frames: readonly Uint8Array[]): Promise<void> {
    this.write(request(target), ...frames);
    const what = 'A WebSocket request gets a response of 101.';
    const [status = ''] = (await this.head(what)).split('\r\n');
    if (status.startsWith('HTTP/1.1 101 ')) return;
    const body = this.#received.toString('latin1');
    fail(what, [['the response', `${status}${body && `, ${quote(body)}`}`]]);
  }

  /**
   * Waits for these bytes, and takes them out. Fails when others come, or too few. `cause` is why
   * nothing may have come.
   */
  async receives(expected: Uint8Array, what: string, cause?: Cause): Promise<void> {
    const enough = () => this.#received.length >= expected.length || this.ended !== undefined;
    // When they do not come, the difference says more than that time is over.
    await until(enough, what, () => [], cause, this.#patienceMs).catch(() => {});
    this.#expectNoResponse(what);
    const actual = this.#received.subarray(0, expected.length);
    if (Buffer.compare(actual, expected) !== 0) {
      const label = 'came back';
      throw new CheckFailure(
        what,
        [...compareBytes(actual, expected, { frames: true, label }), ...this.#facts().slice(1)],
        actual.length === 0 ? causeOf(cause) : undefined,
      );
    }
    this.#drop(expected.length);
  }

  /** Where frames are due, a response can only be a second one: told as text, not as bytes. */
  #expectNoResponse(what: string): void {
    const text = this.#received.toString('latin1');
    if (!text.startsWith('HTTP/1.1 ')) return;
    const [status = ''] = text.split('\r\n');
    fail(
      what,
      [
        ['came back', `a second response, ${quote(status)}`],
        ['expected', 'frames'],
      ],
      'Who still reads the request? Once it has its response, take that listener off the socket.',
    );
  }

  /** Waits for a frame, as a server sends it, and takes it out. */
  async frame(what: string, cause?: Cause): Promise<Frame> {
    const first = () => splitFrames(this.#received).frames[0];
    const isOver = () => first() !== undefined || this.ended !== undefined;
    await until(isOver, what, () => this.#facts(), cause, this.#patienceMs);
    const frame = first();
    if (!frame) throw new CheckFailure(what, this.#facts(), causeOf(cause));
    const { length } = frame.payload;
    this.#drop((length > 65_535 ? 10 : length > 125 ? 4 : 2) + length);
    return frame;
  }

  /**
   * Waits until the server has ended its side of TCP: `fin` cleanly, `end` in any way. `whyReset`
   * and `whyOpen` are why it may not be so.
   */
  async sees(
    ending: 'fin' | 'end',
    what: string,
    whyReset?: string,
    whyOpen?: Cause,
  ): Promise<void> {
    await until(
      () => this.ended !== undefined,
      what,
      () => this.#facts(),
      whyOpen,
      this.#patienceMs,
    );
    if (ending === 'fin' && this.ended !== 'fin') fail(what, this.#facts(), whyReset);
  }

  #facts(): Fact[] {
    const bytes = this.#received.length === 0 ? 'nothing' : count(this.#received.length, 'byte');
    const tcp = { fin: 'ended by the server', reset: 'reset' };
    return [
      ['came back', bytes],
      ['TCP', this.ended ? tcp[this.ended] : 'open'],
    ];
  }
}

/** A listening socket for one check, and whatever connects to it. */
export class Listener {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket: Socket) => this.#keep(socket));
  }

  /**
   * Runs a check with a listening server of `node:net` or `node:http`, and ends everything
   * afterwards. What the code under test throws when a client comes, `event` says which, fails
   * the check.
   */
  static async run(
    server: Server,
    event: 'connection' | 'upgrade',
    // biome-ignore lint/suspicious/noExplicitAny: each event has arguments of its own.
    take: (...args: any[]) => void,
    check: (listener: Listener) => Promise<void>,
  ): Promise<void> {
    const listener = new Listener(server);
    const broken = new Promise<never>((_, reject) => {
      server.on(event, (...args) => {
        try {
          take(...args);
        } catch (error) {
          reject(error);
        }
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      await Promise.race([check(listener), broken]);
    } finally {
      server.close();
      for (const socket of listener.#sockets) socket.destroy();
    }
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
  }

  /** The port that the server listens on. */
  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  /** Connects a client. */
  async connect(): Promise<Peer> {
    const socket = connect({
      port: this.port,
      host: '127.0.0.1',
      allowHalfOpen: true,
      noDelay: true,
    });
    this.#keep(socket);
    await once(socket, 'connect');
    return new Peer(socket);
  }

  /** Makes a connected pair: the server's socket, and the client on the other end. */
  async pair(): Promise<[server: Socket, client: Peer]> {
    const accepted = once(this.#server, 'connection') as Promise<[Socket]>;
    const client = await this.connect();
    const [socket] = await accepted;
    return [socket, client];
  }
}

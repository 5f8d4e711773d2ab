/** Servers on real sockets that do what a check tells them to, legal or not. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket, type TlsOptions } from 'node:tls';
import { fail } from '../harness/check.ts';
import type { Fact } from '../harness/facts.ts';
import { type Frame, GUID } from '../protocol.ts';
import { count } from '../view/count.ts';
import { masked } from './frames.ts';
import { type Cause, until } from './peer.ts';

/** Encodes the response to a request, with these lines in addition. */
export function agreement(request: string, ...lines: readonly string[]): Uint8Array {
  const key = /^sec-websocket-key:[ \t]*(\S*)/im.exec(request)?.[1] ?? '';
  const accept = createHash('sha1').update(key + GUID);
  return Buffer.from(
    [
      'HTTP/1.1 101 Switching Protocols',
      'Upgrade: websocket',
      'Connection: Upgrade',
      `Sec-WebSocket-Accept: ${accept.digest('base64')}`,
      ...lines,
      '\r\n',
    ].join('\r\n'),
  );
}

/** Where the payload of the first frame begins and ends. `undefined`: not all of it is there. */
function payloadOf(bytes: Buffer): { readonly at: number; readonly end: number } | undefined {
  const length = bytes.length > 1 ? (bytes[1] ?? 0) & 127 : 0;
  const at = (length === 127 ? 10 : length === 126 ? 4 : 2) + 4;
  if (bytes.length < at) return undefined;
  const size =
    length === 127 ? bytes.readUInt32BE(6) : length === 126 ? bytes.readUInt16BE(2) : length;
  return bytes.length < at + size ? undefined : { at, end: at + size };
}

/** The server's end of a TCP connection. It stays open until it is told to end. */
export class Guest {
  readonly socket: Socket;
  #chunks: Buffer[] = [];
  /** Has anything been taken? */
  #hasTaken = false;
  /** The request. Empty: it has not come. */
  request = '';
  /** How TCP ended. `undefined`: it is still there. */
  ended: 'fin' | 'reset' | undefined;

  /** Follows a socket that is connected. */
  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => this.#chunks.push(chunk));
    socket.on('end', () => {
      this.ended ??= 'fin';
    });
    socket.on('error', () => {
      this.ended ??= 'reset';
    });
    socket.on('close', () => {
      this.ended ??= 'reset';
    });
  }

  /** What has come and not been taken. */
  get received(): Buffer {
    const [only] = this.#chunks;
    if (only && this.#chunks.length === 1) return only;
    const joined = Buffer.concat(this.#chunks);
    this.#chunks = [joined];
    return joined;
  }

  #drop(count: number): void {
    this.#hasTaken = true;
    this.#chunks = [this.received.subarray(count)];
  }

  /** Writes these bytes together. */
  write(...parts: readonly Uint8Array[]): void {
    this.socket.write(Buffer.concat(parts));
  }

  /** Waits for the request. */
  async asked(what: string, cause?: Cause): Promise<string> {
    const end = () => this.received.indexOf('\r\n\r\n');
    const facts = (): Fact[] => [...this.#facts(), ['expected', 'a request']];
    await until(() => end() !== -1 || this.ended !== undefined, what, facts, cause);
    if (end() === -1) fail(what, facts());
    this.request = this.received.subarray(0, end() + 4).toString('latin1');
    this.#drop(end() + 4);
    return this.request;
  }

  /** Agrees to the request, when it is there, with these lines in the response. */
  async agree(...lines: readonly string[]): Promise<void> {
    const what = 'Once connected, the client sends its request.';
    this.write(agreement(this.request || (await this.asked(what)), ...lines));
  }

  /** Waits for a masked frame, and takes it out. */
  async frame(what: string, cause?: Cause): Promise<Frame> {
    const isOver = () => payloadOf(this.received) !== undefined || this.ended !== undefined;
    await until(isOver, what, () => this.#facts(), cause);
    const bytes = this.received;
    const { at, end } = payloadOf(bytes) ?? fail(what, this.#facts());
    const [first = 0, second = 0] = bytes;
    if (second < 128) fail(what, [['the client sent', 'a frame that is not masked']]);
    this.#drop(end);
    const payload = masked(bytes.subarray(at, end), bytes.subarray(at - 4, at));
    return { fin: first > 127, rsv1: (first & 0x40) !== 0, opcode: first & 15, payload };
  }

  /** Waits until the client has ended its side of TCP, in any way. */
  async sees(what: string, cause?: Cause): Promise<void> {
    await until(
      () => this.ended !== undefined,
      what,
      () => this.#facts(),
      cause,
    );
  }

  #facts(): Fact[] {
    const tcp = { fin: 'ended by the client', reset: 'reset' };
    const { length } = this.received;
    return [
      [
        this.#hasTaken ? 'the client then sent' : 'the client sent',
        length === 0 ? 'nothing' : count(length, 'byte'),
      ],
      ['TCP', this.ended ? tcp[this.ended] : 'open'],
    ];
  }
}

/** How a host is reached, where that matters. */
export interface Hosting {
  /** The address that it listens on. */
  readonly address?: '127.0.0.1' | '::1';
  /** Its certificate and key. Without them, it does without TLS. */
  readonly tls?: TlsOptions;
}

/**
 * How long a host keeps its port when its check is over, in milliseconds. A client that was just about
 * to connect, or waited in line, would otherwise be the first guest of whichever host got that port.
 */
const PARTING_MS = 1000;

/** A server for one check, and whatever connects to it. */
export class Host {
  readonly #server: Server;
  readonly #hosting: Hosting;
  readonly #sockets = new Set<Socket>();
  /** Who has come, with TLS if there is any. */
  readonly guests: Guest[] = [];
  /** How many of them the check has asked for. */
  taken = 0;
  #isOver = false;

  private constructor(hosting: Hosting) {
    this.#hosting = hosting;
    const { tls } = hosting;
    const hold = (socket: Socket) => {
      // The sockets below TLS are ended, too.
      this.#sockets.add(socket);
      socket.on('error', () => {});
      if (this.#isOver) socket.destroy();
    };
    const welcome = (socket: Socket) => this.guests.push(new Guest(socket));
    const options = { allowHalfOpen: true, noDelay: true };
    if (tls) {
      this.#server = createTlsServer({ ...tls, ...options }, welcome);
      this.#server.on('connection', hold);
      // A client that does not like the certificate ends in the middle of the handshake.
      this.#server.on('tlsClientError', () => {});
    } else {
      this.#server = createServer(options, welcome).on('connection', hold);
    }
  }

  /** Runs a check with a server that listens, and ends everything afterwards. */
  static async run(check: (host: Host) => Promise<void>, hosting: Hosting = {}): Promise<void> {
    const host = new Host(hosting);
    host.#server.listen(0, hosting.address ?? '127.0.0.1');
    await once(host.#server, 'listening');
    try {
      await check(host);
    } finally {
      host.#end();
    }
  }

  /** Ends all connections, and those that come late. Nobody waits for the port to be free. */
  #end(): void {
    this.#isOver = true;
    for (const socket of this.#sockets) socket.destroy();
    this.#server.unref();
    setTimeout(() => this.#server.close(), PARTING_MS).unref();
  }

  /** The port that the server listens on. */
  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  /** How many connections there have been. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** The URL of a resource, by the address of the server or by another name for it. */
  url(resource = '/', name = this.#hosting.address === '::1' ? '[::1]' : '127.0.0.1'): string {
    return `${this.#hosting.tls ? 'wss' : 'ws'}://${name}:${this.port}${resource}`;
  }

  /** Waits for the next client, and for TLS if there is any. */
  async guest(what = 'Connect to the server.', cause?: Cause): Promise<Guest> {
    const facts = (): Fact[] => [['connections', `${this.connections}`]];
    await until(() => this.guests.length > this.taken, what, facts, cause);
    return this.guests[this.taken++] as Guest;
  }

  /** Waits for the next client, and agrees to its request, with frames behind the response. */
  async open(...frames: readonly Uint8Array[]): Promise<Guest> {
    const guest = await this.guest();
    guest.write(
      agreement(await guest.asked('Once connected, the client sends its request.')),
      ...frames,
    );
    return guest;
  }
}

/** Says whether this machine has an address. */
export async function hasAddress(address: '::1'): Promise<boolean> {
  const server = createServer();
  server.listen(0, address);
  try {
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}

/** The name that a client has told TLS. `undefined`: none. */
export function nameToldBy({ socket }: Guest): string | undefined {
  return (socket as TLSSocket).servername || undefined;
}

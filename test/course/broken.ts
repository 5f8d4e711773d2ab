/** A small echo server that holds every rule, and breaks one when told to: what a suite is for. */
import { createServer, type Socket } from 'node:net';
import { resetNow } from '../../shared/conformance/connection.ts';
import { acceptFor, headEnd } from '../../shared/conformance/http.ts';
import { masked, wire } from '../../shared/kit/frames.ts';
import { CloseCode, isControl, Opcode } from '../../shared/protocol.ts';

/** A mistake that servers make. */
export type Fault =
  /** The accept value is that of another key. */
  | 'wrong-accept'
  /** Bytes behind the request are thrown away. */
  | 'drops-glued'
  /** A read is taken for a frame: its rest is thrown away, whole or not. */
  | 'read-is-frame'
  | 'accepts-unmasked'
  | 'ignores-reserved-bits'
  /** Text that is not UTF-8 is mended, not refused. */
  | 'mends-utf8'
  /** The answer to a Close overtakes the echoes of messages before it. */
  | 'close-overtakes'
  | 'never-answers-close'
  /** After the closing handshake TCP stays open. */
  | 'never-ends-tcp'
  /** After the closing handshake TCP is reset. */
  | 'resets-tcp'
  /** Where the connection has to fail, TCP ends without a Close. */
  | 'drops-on-error'
  /** Whatever length is announced, the payload is waited for. */
  | 'no-limit'
  | 'masks-its-frames'
  /** A reset takes everybody else down, too. */
  | 'dies-of-reset';

/** A server that listens. */
export interface Running {
  readonly url: string;
  /** Ends it, and all of its connections. */
  stop(): Promise<void>;
}

const MAX_HEAD_BYTES = 16_384;
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

/** Starts an echo server at a free port of 127.0.0.1. Without a fault it is right in every case. */
export function startServer(fault?: Fault): Promise<Running> {
  const sockets = new Set<Socket>();
  const hangUp = () => {
    for (const socket of sockets) socket.destroy();
  };
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {
      if (fault !== 'dies-of-reset') return;
      server.close();
      hangUp();
    });
    socket.on('end', () => socket.end());
    greet(socket, fault);
  });
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      hangUp();
    });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' ? address?.port : undefined;
      resolve({ url: `ws://127.0.0.1:${port}/`, stop });
    });
  });
}

/** Takes the request, and then hands the socket to a `Peer`. */
function greet(socket: Socket, fault: Fault | undefined): void {
  let head = Buffer.alloc(0);
  const onData = (chunk: Buffer) => {
    head = Buffer.concat([head, chunk]);
    const end = headEnd(head);
    if (end === undefined && head.length <= MAX_HEAD_BYTES) return;
    socket.off('data', onData);
    const answer = end === undefined ? refusal(431) : respond(head.subarray(0, end), fault);
    if (!answer.startsWith('HTTP/1.1 101')) {
      // What else comes is read and forgotten: closing with unread bytes would be a reset.
      socket.resume().end(answer);
      return;
    }
    socket.write(answer);
    const peer = new Peer(socket, fault);
    socket.on('data', (bytes) => peer.push(bytes));
    if (fault !== 'drops-glued' && head.length > end!) peer.push(head.subarray(end));
  };
  socket.on('data', onData);
}

function refusal(status: number, header = ''): string {
  return `HTTP/1.1 ${status} Refused\r\n${header}Connection: close\r\nContent-Length: 0\r\n\r\n`;
}

function respond(head: Buffer, fault: Fault | undefined): string {
  const [line = '', ...fields] = head.toString('latin1').slice(0, -4).split('\r\n');
  const headers = new Map<string, string[]>();
  for (const field of fields) {
    const [, name, value] =
      /^([\w!#$%&'*+.^`|~-]+):[\t ]*([\t -~\x80-\xff]*?)[\t ]*$/.exec(field) ?? [];
    if (name === undefined || value === undefined) return refusal(400);
    headers.set(name.toLowerCase(), [...(headers.get(name.toLowerCase()) ?? []), value]);
  }
  const has = (name: string, token: string) =>
    (headers.get(name) ?? []).some((value) =>
      value.split(',').some((part) => part.trim().toLowerCase() === token),
    );
  const [key = '', ...otherKeys] = headers.get('sec-websocket-key') ?? [];
  if (!/^GET \S+ HTTP\/1\.1$/.test(line) || !headers.has('host')) return refusal(400);
  if (!has('upgrade', 'websocket') || !has('connection', 'upgrade')) return refusal(400);
  if (!/^[A-Za-z0-9+/]{22}==$/.test(key) || otherKeys.length > 0) return refusal(400);
  if (headers.get('sec-websocket-version')?.join() !== '13') {
    return refusal(426, 'Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n');
  }
  const accept = acceptFor(fault === 'wrong-accept' ? key.toLowerCase() : key);
  return [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${accept}`,
    '\r\n',
  ].join('\r\n');
}

interface Header {
  readonly fin: boolean;
  readonly opcode: number;
  readonly key: Uint8Array | undefined;
  readonly length: number;
}

/** The connection has to fail with this code. */
class Violation extends Error {
  readonly code: number;
  constructor(code: number) {
    super(`Close ${code}`);
    this.code = code;
  }
}

/** One client, after its handshake. */
class Peer {
  readonly #socket: Socket;
  readonly #fault: Fault | undefined;
  #pending: Buffer = Buffer.alloc(0);
  #header: Header | undefined;
  /** The payload of the frame that is being read, unmasked. */
  #payload: Uint8Array[] = [];
  #received = 0;
  /** The message whose last fragment has not come. */
  #message: { readonly opcode: number; readonly payloads: Uint8Array[] } | undefined;
  #messageBytes = 0;
  #utf8 = newDecoder();
  #isClosed = false;

  constructor(socket: Socket, fault: Fault | undefined) {
    this.#socket = socket;
    this.#fault = fault;
  }

  push(chunk: Buffer): void {
    if (this.#isClosed) return;
    this.#pending = Buffer.concat([this.#pending, chunk]);
    try {
      while (!this.#isClosed && this.#step()) if (this.#fault === 'read-is-frame') break;
      if (this.#fault === 'read-is-frame') this.#forget();
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      if (this.#fault === 'drops-on-error') this.#hangUp();
      else this.#close(error.code);
    }
  }

  #forget(): void {
    this.#pending = Buffer.alloc(0);
    this.#header = undefined;
    this.#payload = [];
    this.#received = 0;
  }

  /** Reads what there is of a frame. Returns whether that is all of it. */
  #step(): boolean {
    this.#header ??= this.#readHeader();
    const header = this.#header;
    if (!header) return false;
    const part = this.#pending.subarray(0, header.length - this.#received);
    this.#pending = this.#pending.subarray(part.length);
    const plain = header.key ? masked(part, header.key, this.#received) : part;
    this.#received += part.length;
    this.#payload.push(plain);
    const isWhole = this.#received === header.length;
    if (!isControl(header.opcode)) this.#checkText(plain, header.fin && isWhole);
    if (!isWhole) return false;
    const payload = Buffer.concat(this.#payload);
    this.#header = undefined;
    this.#payload = [];
    this.#received = 0;
    this.#handle(header, payload);
    return true;
  }

  #readHeader(): Header | undefined {
    const [first, second] = this.#pending;
    if (first === undefined || second === undefined) return undefined;
    const sizeBytes = second % 128 === 127 ? 8 : second % 128 === 126 ? 2 : 0;
    const keyAt = 2 + sizeBytes;
    const end = keyAt + (second >= 128 ? 4 : 0);
    const opcode = first % 16;
    this.#require(second >= 128 || this.#fault === 'accepts-unmasked');
    this.#require((first >> 4) % 8 === 0 || this.#fault === 'ignores-reserved-bits');
    this.#require((Object.values(Opcode) as number[]).includes(opcode));
    this.#require(!isControl(opcode) || (first >= 128 && sizeBytes === 0));
    this.#require(isControl(opcode) || (opcode === Opcode.Continuation) === Boolean(this.#message));
    if (this.#pending.length < end) return undefined;

    const long = sizeBytes === 8 ? this.#pending.readBigUInt64BE(2) : 0n;
    this.#require(long < 2n ** 63n);
    const length =
      sizeBytes === 8
        ? Number(long)
        : sizeBytes === 2
          ? this.#pending.readUInt16BE(2)
          : second % 128;
    this.#require(sizeBytes === (length > 65_535 ? 8 : length > 125 ? 2 : 0));
    if (this.#messageBytes + length > MAX_MESSAGE_BYTES && this.#fault !== 'no-limit') {
      throw new Violation(CloseCode.MessageTooBig);
    }
    if (!isControl(opcode) && opcode !== Opcode.Continuation) {
      this.#message = { opcode, payloads: [] };
    }
    const key = second >= 128 ? Uint8Array.from(this.#pending.subarray(keyAt, end)) : undefined;
    this.#pending = this.#pending.subarray(end);
    return { fin: first >= 128, opcode, key, length };
  }

  #require(holds: boolean): void {
    if (!holds) throw new Violation(CloseCode.ProtocolError);
  }

  #checkText(part: Uint8Array, isLast: boolean): void {
    if (this.#message?.opcode !== Opcode.Text || this.#fault === 'mends-utf8') return;
    try {
      this.#utf8.decode(part, { stream: !isLast });
    } catch {
      throw new Violation(CloseCode.InvalidPayload);
    }
  }

  #handle({ fin, opcode }: Header, payload: Uint8Array): void {
    if (opcode === Opcode.Ping) this.#send(Opcode.Pong, payload);
    if (opcode === Opcode.Close) this.#answerClose(payload);
    if (!isControl(opcode)) this.#collect(payload, fin);
  }

  #collect(payload: Uint8Array, isLast: boolean): void {
    if (!this.#message) return;
    this.#message.payloads.push(payload);
    this.#messageBytes += payload.length;
    if (!isLast) return;
    const { opcode: type, payloads } = this.#message;
    this.#message = undefined;
    this.#messageBytes = 0;
    this.#utf8 = newDecoder();
    const echo = () => this.#send(type, this.#mend(type, Buffer.concat(payloads)));
    if (this.#fault === 'close-overtakes') setImmediate(echo);
    else echo();
  }

  #mend(type: number, payload: Buffer): Uint8Array {
    if (this.#fault !== 'mends-utf8' || type !== Opcode.Text) return payload;
    return Buffer.from(payload.toString('utf8'));
  }

  #answerClose(payload: Uint8Array): void {
    if (this.#fault === 'never-answers-close') return;
    if (payload.length === 0) {
      this.#close();
      return;
    }
    this.#require(payload.length >= 2);
    const code = payload[0]! * 256 + payload[1]!;
    const isRegistered = code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code);
    this.#require(isRegistered || (code >= 3000 && code <= 4999));
    try {
      newDecoder().decode(payload.subarray(2));
    } catch {
      throw new Violation(CloseCode.InvalidPayload);
    }
    this.#close(code);
  }

  /** Says Close, and ends TCP. */
  #close(code?: number): void {
    this.#send(
      Opcode.Close,
      code === undefined ? new Uint8Array(0) : Uint8Array.of(code >> 8, code & 255),
    );
    this.#hangUp();
  }

  #hangUp(): void {
    this.#isClosed = true;
    if (this.#fault === 'resets-tcp') setImmediate(() => resetNow(this.#socket));
    else if (this.#fault !== 'never-ends-tcp') this.#socket.end();
  }

  #send(opcode: number, payload: Uint8Array): void {
    if (this.#isClosed) return;
    const key = this.#fault === 'masks-its-frames' ? Uint8Array.of(1, 2, 3, 4) : null;
    this.#socket.write(wire({ opcode, payload, key }));
  }
}

function newDecoder() {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
}

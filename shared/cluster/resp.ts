/** A connection to an engine such as Redis or Valkey, in version 2 of its protocol, RESP. */
import { createConnection, type Socket } from 'node:net';
import type { Engine } from '../../solutions/09-production/production.ts';

/** How long to wait before connecting again, in milliseconds. */
const RETRY_MS = 50;

const CRLF = '\r\n';

/** Somebody who waits for a reply. */
interface Pending {
  readonly resolve: (reply: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** A connection that connects again by itself. */
export class RespConnection implements Engine {
  readonly #port: number;
  #socket: Socket;
  #received = Buffer.alloc(0);
  #pending: Pending[] = [];
  #isEnded = false;

  /** Connects to a port of this machine. */
  constructor(port: number) {
    this.#port = port;
    this.#socket = this.#connect();
  }

  /** Sends a command, and resolves with its reply. Rejects when the connection was lost. */
  sendCommand(words: readonly string[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed) {
        reject(new Error('The engine is out of reach.'));
        return;
      }
      this.#pending.push({ resolve, reject });
      const bulks = words.map((word) => `$${Buffer.byteLength(word)}${CRLF}${word}${CRLF}`);
      this.#socket.write(`*${words.length}${CRLF}${bulks.join('')}`);
    });
  }

  /** Ends the connection, and connects no more. */
  end(): void {
    this.#isEnded = true;
    this.#socket.destroy();
  }

  #connect(): Socket {
    return createConnection(this.#port, '127.0.0.1')
      .setNoDelay()
      .on('data', (chunk) => this.#receive(chunk))
      .on('error', () => {})
      .on('close', () => this.#lost());
  }

  #lost(): void {
    for (const { reject } of this.#pending) reject(new Error('The connection was lost.'));
    this.#pending = [];
    this.#received = Buffer.alloc(0);
    if (this.#isEnded) return;
    setTimeout(() => {
      if (!this.#isEnded) this.#socket = this.#connect();
    }, RETRY_MS);
  }

  #receive(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk]);
    for (let reply = readReply(this.#received, 0); reply; reply = readReply(this.#received, 0)) {
      this.#received = this.#received.subarray(reply.end);
      const { resolve, reject } = this.#pending.shift()!;
      if (reply.value instanceof Error) reject(reply.value);
      else resolve(reply.value);
    }
  }
}

/** Reads the reply that begins at `start`. `undefined`: more bytes are needed. */
function readReply(bytes: Buffer, start: number): { value: unknown; end: number } | undefined {
  const lineEnd = bytes.indexOf(CRLF, start);
  if (lineEnd < 0) return undefined;
  const line = bytes.toString('utf8', start + 1, lineEnd);
  const end = lineEnd + 2;
  const size = Number(line);
  switch (String.fromCharCode(bytes[start]!)) {
    case '+':
      return { value: line, end };
    case '-':
      return { value: new Error(line), end };
    case ':':
      return { value: size, end };
    case '$':
      if (size < 0) return { value: null, end };
      if (bytes.length < end + size + 2) return undefined;
      return { value: bytes.toString('utf8', end, end + size), end: end + size + 2 };
    default:
      return size < 0 ? { value: null, end } : readArray(bytes, end, size);
  }
}

function readArray(bytes: Buffer, start: number, size: number): ReturnType<typeof readReply> {
  const value: unknown[] = [];
  let end = start;
  while (value.length < size) {
    const reply = readReply(bytes, end);
    if (!reply) return undefined;
    value.push(reply.value);
    end = reply.end;
  }
  return { value, end };
}

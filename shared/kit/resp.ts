/** A connection to a real engine such as Redis or Valkey, in RESP2. */
import { connect, type Socket } from 'node:net';

/** How long to wait until the next attempt to connect, in milliseconds. */
const RETRY_MS = 50;

const LOST = 'The connection to the engine was lost.';

/** A reply as RESP2 has it. `null`: there is nothing. */
export type Reply = string | number | null | Reply[];

/** A reply at the start of some bytes, and where the next one begins. */
interface Parsed {
  /** Of an error, the error. */
  readonly value: Reply | Error;
  readonly end: number;
}

/**
 * Reads a reply. `undefined`: more bytes are needed. Throws `Error` for what is no reply. What is in
 * a list is read again with each chunk: that is for checks, and not for long lists in small pieces.
 */
export function parseReply(bytes: Buffer, at = 0): Parsed | undefined {
  const lineEnd = bytes.indexOf('\r\n', at);
  if (lineEnd < 0) return undefined;
  const [type, text] = [
    bytes.toString('latin1', at, at + 1),
    bytes.toString('utf8', at + 1, lineEnd),
  ];
  const end = lineEnd + 2;
  switch (type) {
    case '+':
      return { value: text, end };
    case '-':
      return { value: new Error(text), end };
    case ':':
      return { value: Number(text), end };
    case '$':
      return parseText(bytes, end, Number(text));
    case '*':
      return parseList(bytes, end, Number(text));
    default:
      throw new Error(`That is no reply in RESP2: ${JSON.stringify(type + text.slice(0, 40))}`);
  }
}

function parseText(bytes: Buffer, at: number, length: number): Parsed | undefined {
  if (length < 0) return { value: null, end: at };
  const end = at + length;
  return bytes.length < end + 2
    ? undefined
    : { value: bytes.toString('utf8', at, end), end: end + 2 };
}

function parseList(bytes: Buffer, at: number, length: number): Parsed | undefined {
  if (length < 0) return { value: null, end: at };
  const list: Reply[] = [];
  for (let i = 0; i < length; i++) {
    const item = parseReply(bytes, at);
    if (!item) return undefined;
    list.push(item.value instanceof Error ? item.value.message : item.value);
    at = item.end;
  }
  return { value: list, end: at };
}

/** Writes a command. */
export function encodeCommand(words: readonly string[]): string {
  const bulk = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
  return `*${words.length}\r\n${bulk.join('')}`;
}

interface Waiting {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
}

/**
 * A connection that connects by itself, and again when it was lost. What was sent and has no reply
 * then is rejected; so is what waits for an attempt that fails.
 */
export class RespConnection {
  readonly #port: number;
  readonly #host: string;
  #socket: Socket | undefined;
  #received = Buffer.alloc(0);
  #waiting: Waiting[] = [];
  /** What is sent as soon as there is a connection. */
  #unsent = '';
  #retry: NodeJS.Timeout | undefined;
  #isClosed = false;

  /** Connects to an engine. */
  constructor(port: number, host = '127.0.0.1') {
    this.#port = port;
    this.#host = host;
    this.#connect();
  }

  /** Sends a command, and resolves with its reply. Rejects when the connection was lost. */
  sendCommand(words: readonly string[]): Promise<Reply> {
    if (this.#isClosed) return Promise.reject(new Error(LOST));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      const command = encodeCommand(words);
      if (this.#socket?.readyState === 'open') this.#socket.write(command);
      else this.#unsent += command;
    });
  }

  /** Loses the connection, as if something on the way had gone. */
  cut(): void {
    this.#socket?.destroy();
  }

  /** Ends the connection for good. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    this.#socket?.destroy();
    this.#lose();
  }

  #connect(): void {
    const socket = connect({ port: this.#port, host: this.#host, noDelay: true });
    this.#socket = socket;
    socket.on('connect', () => {
      socket.write(this.#unsent);
      this.#unsent = '';
    });
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', () => {}); // `close` follows.
    socket.on('close', () => {
      this.#lose();
      if (!this.#isClosed) this.#retry = setTimeout(() => this.#connect(), RETRY_MS);
    });
  }

  #receive(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk]);
    try {
      for (let reply = parseReply(this.#received); reply; reply = parseReply(this.#received)) {
        this.#received = this.#received.subarray(reply.end);
        const waiting = this.#waiting.shift();
        if (reply.value instanceof Error) waiting?.reject(reply.value);
        else waiting?.resolve(reply.value);
      }
    } catch {
      this.cut();
    }
  }

  #lose(): void {
    const waiting = this.#waiting;
    this.#socket = undefined;
    this.#received = Buffer.alloc(0);
    this.#waiting = [];
    this.#unsent = '';
    for (const { reject } of waiting) reject(new Error(LOST));
  }
}

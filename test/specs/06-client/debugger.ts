/** A debugger for one check, which says what the check tells it to, legal or not. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { fail } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import { join, utf8, wire } from '../../../shared/kit/frames.ts';
import { giveWay, withTimeout } from '../../../shared/kit/patience.ts';
import { until } from '../../../shared/kit/peer.ts';
import { GUID, Opcode } from '../../../shared/protocol.ts';
import { type DecodedFrame, decodeFrame } from '../../../shared/view/frame.ts';
import { sayPayload } from '../../../shared/view/say.ts';
import type { DevTools } from '../../../solutions/06-client/client.ts';
import type { Lesson } from './tools.ts';

/** How long a promise may take that has to settle at once, in milliseconds. */
const PATIENCE_MS = 3000;
/** How long the end of a connection may take to be heard, in milliseconds. */
const PARTING_MS = 100;

/** A request as a debugger reads it. */
export interface DebuggerRequest {
  readonly id?: unknown;
  readonly method?: unknown;
  readonly params?: unknown;
}

/** The debugger's end of a connection. */
export class FakeDebugger {
  readonly #socket: Socket;
  #received: Uint8Array = new Uint8Array(0);
  /** The response has been sent: what comes now is frames. */
  #isOpen = false;
  /** The client has ended its side. */
  hasEnded = false;
  /** The head of the request, when it has been answered. */
  head = '';
  /** What has come before our response, besides the request. */
  early: Uint8Array = new Uint8Array(0);
  readonly frames: DecodedFrame[] = [];
  readonly #requests: DebuggerRequest[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('error', () => {});
    socket.on('data', (chunk: Uint8Array) => {
      this.#received = join(this.#received, chunk);
      if (this.#isOpen) this.#takeFrames();
    });
    socket.on('end', () => {
      this.hasEnded = true;
    });
  }

  #takeFrames(): void {
    while (this.#received.length >= 2) {
      const frame = decodeFrame(this.#received);
      if (frame.missing > 0n) return;
      this.frames.push(frame);
      this.#received = this.#received.subarray(frame.end);
    }
  }

  /**
   * Runs a check with a client that has asked for a connection: `opens` is the answer. Ends
   * everything afterwards.
   */
  static async run(
    lesson: Lesson,
    check: (peer: FakeDebugger, devtools: DevTools, events: Heard[]) => Promise<void>,
  ): Promise<void> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const connected = once(server, 'connection') as Promise<[Socket]>;
    const events: Heard[] = [];
    let socket: Socket | undefined;
    let devtools: DevTools | undefined;
    try {
      devtools = new lesson.DevTools(`ws://127.0.0.1:${port}/6f1d`, (method, params) => {
        events.push({ method, params });
      });
      const late = () => fail('`new DevTools(url)` connects.', [['TCP', 'no connection']]);
      [socket] = await withTimeout(connected, PATIENCE_MS, late);
      await check(new FakeDebugger(socket), devtools, events);
    } finally {
      server.close();
      socket?.destroy();
      // What it still hears of its end is over before the next check begins, if it tells of an end.
      const ended = async () => devtools?.ended;
      await withTimeout(
        ended().catch(() => {}),
        PARTING_MS,
        () => {},
      );
    }
  }

  /** Answers the request for a WebSocket, with frames behind the answer if there are any. */
  async opens(...frames: readonly Uint8Array[]): Promise<void> {
    const end = () => Buffer.from(this.#received).indexOf('\r\n\r\n');
    await until(() => end() !== -1, 'A request for a WebSocket comes.');
    this.head = Buffer.from(this.#received.subarray(0, end())).toString('latin1');
    this.early = this.#received.subarray(end() + 4);
    this.#received = this.early;
    const [, key = ''] = /^sec-websocket-key:[ \t]*(\S+)/im.exec(this.head) ?? [];
    const accept = createHash('sha1').update(`${key}${GUID}`).digest('base64');
    const lines = [
      'HTTP/1.1 101 Switching Protocols',
      'Upgrade: websocket',
      'Connection: Upgrade',
      `Sec-WebSocket-Accept: ${accept}`,
      '\r\n',
    ];
    this.#isOpen = true;
    this.sends(utf8(lines.join('\r\n')), ...frames);
  }

  /** Sends bytes together. */
  sends(...parts: readonly Uint8Array[]): void {
    this.#socket.write(join(...parts));
  }

  /** Says something, in one text frame. */
  says(...messages: readonly unknown[]): void {
    this.sends(...messages.map(spoken));
  }

  /** Ends the connection, with a Close if there is a code. */
  ends(...frames: readonly Uint8Array[]): void {
    this.#socket.end(join(...frames));
  }

  /** The requests that have come. Fails when one is no text frame of JSON. */
  get requests(): readonly DebuggerRequest[] {
    const frames = this.frames.filter(({ opcode }) => opcode !== Opcode.Close);
    // Each is parsed once: they can be long, and are asked for again and again.
    for (const frame of frames.slice(this.#requests.length))
      this.#requests.push(readRequest(frame));
    return [...this.#requests];
  }

  /** Waits for so many requests in all, and returns them. */
  async hears(wanted: number, what: string): Promise<readonly DebuggerRequest[]> {
    const facts = (): Fact[] => [
      ['requests that came', `${this.requests.length}`],
      ['expected', `${wanted}`],
      ['TCP', this.hasEnded ? 'ended by the client' : 'open'],
    ];
    await until(
      () => this.requests.length >= wanted || this.hasEnded,
      what,
      facts,
      undefined,
      PATIENCE_MS,
    );
    // A turn more, so that one too many is seen as well.
    await giveWay(2);
    if (this.requests.length !== wanted) fail(what, facts());
    return this.requests;
  }

  /** Waits for the client's Close. */
  async hearsClose(what: string): Promise<DecodedFrame> {
    const find = () => this.frames.find(({ opcode }) => opcode === Opcode.Close);
    await until(() => find() !== undefined || this.hasEnded, what);
    return find() ?? fail(what, [['TCP', 'ended by the client, without a Close']]);
  }
}

/** A port at which nobody listens: it has never been given to a service, and needs privileges. */
export const EMPTY_PORT = 4;

/** An event that was told to `onEvent`. */
export interface Heard {
  readonly method: unknown;
  readonly params: unknown;
}

/** A text frame, as a debugger sends it. */
export function spoken(message: unknown): Uint8Array {
  const payload = typeof message === 'string' ? message : JSON.stringify(message);
  return wire({ opcode: Opcode.Text, payload, key: null });
}

function readRequest(frame: DecodedFrame): DebuggerRequest {
  const { opcode, fin, payload = new Uint8Array(0) } = frame;
  const isText = opcode === Opcode.Text && fin;
  const request = isText ? parse(Buffer.from(payload).toString()) : undefined;
  if (request !== null && typeof request === 'object') return request;
  const says = payload.length > 0 ? `, ${sayPayload(frame)}` : '';
  return fail('A request is one text frame of JSON.', [
    ['came', `opcode ${opcode}, FIN=${fin ? 1 : 0}${says}`],
    ['expected', 'opcode 1, FIN=1, and an object in JSON'],
  ]);
}

function parse(text: string): DebuggerRequest | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What became of a promise. */
export type Settled =
  | { readonly state: 'resolved'; readonly value: unknown }
  | { readonly state: 'rejected'; readonly error: unknown }
  | { readonly state: 'pending' };

/** Follows a promise of the learner's, so that its rejection is never unheard. */
export async function settled(promise: unknown): Promise<Settled> {
  const followed = Promise.resolve(promise).then(
    (value) => ({ state: 'resolved', value }) as const,
    (error) => ({ state: 'rejected', error }) as const,
  );
  return withTimeout(followed, PATIENCE_MS, () => ({ state: 'pending' }) as const);
}

/** Says what became of a promise. */
export function saySettled(outcome: Settled): string {
  if (outcome.state === 'resolved') return `resolves with ${show(outcome.value)}`;
  return outcome.state === 'rejected' ? `rejects with ${show(outcome.error)}` : 'is pending';
}

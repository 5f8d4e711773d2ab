/** A client without a page: the session of lesson 09 on a WebSocket of `ws`. */
import { WebSocket } from 'ws';
import type * as Production from '../../solutions/09-production/production.ts';

/** The part of lesson 09 that is a client's. */
export type ClientSide = Pick<typeof Production, 'ClientSession'>;

/** How to reach a server. */
export interface Address {
  /** Such as `ws://127.0.0.1:8080`. */
  readonly url: string;
  readonly room: string;
  /** What a page would send. Absent: nothing. */
  readonly origin?: string;
}

/** Somebody in a room, who comes back after each loss. */
export class Client {
  readonly #session: Production.ClientSession;
  readonly #address: Address;
  readonly #name: string;
  #socket: WebSocket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isEnded = false;

  /** Every message it was shown, in order. */
  readonly shown: Production.Entry[] = [];
  /** How often it came back, and how often it was told that something may be missing. */
  reconnects = 0;
  gaps = 0;
  /** The code that it was closed with for good. `undefined`: it goes on. */
  finalCode: number | undefined;

  /** Connects, and is called so by everybody. */
  constructor({ ClientSession }: ClientSide, address: Address, name: string) {
    this.#session = new ClientSession(address.room, name);
    this.#address = address;
    this.#name = name;
    this.#connect();
  }

  /** How many of its messages are not in the history yet, as far as it knows. */
  get unacked(): number {
    return this.#session.unacked.length;
  }

  /** Has it ever been welcome? */
  get isThere(): boolean {
    return this.#session.last !== undefined;
  }

  /** Says something. */
  say(text: string): void {
    this.#session.say(text);
    this.#flush();
  }

  /** Goes, and does not come back. */
  end(): void {
    this.#isEnded = true;
    clearTimeout(this.#timer);
    this.#socket?.terminate();
  }

  #connect(): void {
    const { url, origin } = this.#address;
    const socket = new WebSocket(`${url}/?ticket=${this.#name}`, {
      ...(origin !== undefined && { origin }),
      perMessageDeflate: false,
      handshakeTimeout: 10_000,
    });
    this.#socket = socket;
    socket.on('open', () => {
      this.#session.opened();
      this.#flush();
    });
    socket.on('message', (data) => {
      this.#session.receive(String(data));
      this.#hear();
      this.#flush();
    });
    socket.on('error', () => {}); // `close` follows.
    socket.on('close', (code) => this.#closed(code));
  }

  #hear(): void {
    for (let event = this.#session.next(); event; event = this.#session.next()) {
      if (event.type === 'message') this.shown.push(event.entry);
      if (event.type === 'gap') this.gaps++;
    }
  }

  #flush(): void {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    for (const text of this.#session.takeOutput()) this.#socket.send(text);
  }

  #closed(code: number): void {
    const delayMs = this.#session.closed(code);
    if (this.#isEnded) return;
    if (delayMs === undefined) {
      this.finalCode = code;
      return;
    }
    this.reconnects++;
    this.#timer = setTimeout(() => this.#connect(), delayMs);
  }
}

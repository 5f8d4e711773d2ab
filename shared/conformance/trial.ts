/** One attempt at a case for servers. */
import { randomBytes } from 'node:crypto';
import type { RawEndpoint } from './endpoint.ts';
import { encodeHead, type TargetServer, upgradeRequest } from './http.ts';
import { HttpClient } from './http-client.ts';
import { Failed } from './model.ts';
import { type Patience, RawSocket } from './socket.ts';
import type { Stage } from './stage.ts';
import { Timeline } from './timeline.ts';

/** How to open a WebSocket, where it matters. */
export interface OpenOptions {
  /** The port to connect from; a free one unless told otherwise. */
  readonly localPort?: number;
  /** Sec-WebSocket-Key; a random one unless told otherwise. */
  readonly key?: string;
}

/** What a case works with: a server, connections to it, and the record of what is said. */
export class Trial implements Stage {
  readonly timeline = new Timeline();
  readonly target: TargetServer;
  readonly patience: Patience;
  readonly #sockets: RawSocket[] = [];

  constructor(target: TargetServer, patience: Patience) {
    this.target = target;
    this.patience = patience;
  }

  /** Opens a TCP connection and says nothing. Throws `Failed` when nobody answers. */
  async connect(localPort?: number): Promise<HttpClient> {
    const { target, timeline, patience } = this;
    const socket = await RawSocket.open(target, timeline, patience.answerMs, localPort);
    this.#sockets.push(socket);
    return new HttpClient(socket, patience);
  }

  /**
   * Opens a WebSocket. The status is all that counts: the other rules of the handshake have a
   * category of their own. Throws `Failed` when it is not 101.
   */
  async open(options: OpenOptions = {}): Promise<RawEndpoint> {
    const { key = randomKey(), localPort } = options;
    const client = await this.connect(localPort);
    const { line } = await client.upgrade(encodeHead(upgradeRequest(this.target, key)));
    if (client.webSocket) return client.webSocket;
    throw new Failed(`The response to the handshake was ${line}.`, 'refused');
  }

  /** Closes the connection, politely, whatever the case has left open. */
  leave(): void {
    for (const socket of this.#sockets) socket.leave();
  }
}

/** Makes a key as RFC 6455 §4.1 wants it: 16 random bytes in base64. */
export function randomKey(): string {
  return randomBytes(16).toString('base64');
}

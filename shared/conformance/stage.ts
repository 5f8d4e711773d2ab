/** What a case works with. */
import { randomBytes } from 'node:crypto';
import { Connection, type Patience, type Sendable } from './connection.ts';
import { encodeRequest, type Target, upgradeRequest } from './http.ts';
import { Failed } from './model.ts';
import { Timeline } from './timeline.ts';

/** How to open a WebSocket, where it matters. */
export interface OpenOptions {
  /** Our own port. */
  readonly localPort?: number;
  /** Sec-WebSocket-Key; a random one unless told otherwise. */
  readonly key?: string;
  /** Frames to write together with the request. */
  readonly glued?: readonly Sendable[];
}

/** A server, the connections that a case has to it, and the record of what was said. */
export class Stage {
  readonly timeline = new Timeline();
  readonly target: Target;
  readonly patience: Patience;
  readonly #connections: Connection[] = [];

  constructor(target: Target, patience: Patience) {
    this.target = target;
    this.patience = patience;
  }

  /** Opens a TCP connection and says nothing. Throws `Failed` when nobody answers. */
  async connect(localPort?: number): Promise<Connection> {
    const connection = await Connection.open(this.target, this.timeline, this.patience, localPort);
    this.#connections.push(connection);
    return connection;
  }

  /**
   * Opens a WebSocket. The status is all that counts: the other rules of the handshake have a
   * category of their own. Throws `Failed` when it is not 101.
   */
  async open(options: OpenOptions = {}): Promise<Connection> {
    const { key = randomKey(), localPort, glued = [] } = options;
    const connection = await this.connect(localPort);
    const request = encodeRequest(upgradeRequest(this.target, key));
    connection.handshake(request, glued);
    const { status, line } = await connection.response();
    if (status !== 101) throw new Failed(`The handshake was answered with ${line}.`, 'refused');
    return connection;
  }

  /** Hangs up, politely, whatever the case has left open. */
  clear(): void {
    for (const connection of this.#connections) connection.leave();
  }
}

/** Makes a key as RFC 6455 §4.1 wants it: 16 random bytes in base64. */
export function randomKey(): string {
  return randomBytes(16).toString('base64');
}

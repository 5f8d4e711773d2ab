/** One attempt at a case for servers. */
import { randomBytes } from 'node:crypto';
import type { Agreed } from './deflate.ts';
import type { RawEndpoint } from './endpoint.ts';
import { agreedOn, EXTENSIONS, readAnswer, readOffers } from './extensions.ts';
import {
  encodeHead,
  type HttpResponse,
  type TargetServer,
  upgradeRequest,
  valuesOf,
} from './http.ts';
import { HttpClient } from './http-client.ts';
import { Failed, Unimplemented } from './model.ts';
import { type Patience, RawSocket } from './socket.ts';
import { requireTakeover, type Stage, type Terms } from './stage.ts';
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
  readonly full: boolean;
  readonly #clients: HttpClient[] = [];

  constructor(target: TargetServer, patience: Patience, full = false) {
    this.target = target;
    this.patience = patience;
    this.full = full;
  }

  /** Opens a TCP connection and says nothing. Throws `Failed` when nobody answers. */
  async connect(localPort?: number): Promise<HttpClient> {
    const { target, timeline, patience } = this;
    const socket = await RawSocket.open(target, timeline, patience.answerMs, localPort);
    const client = new HttpClient(socket, patience);
    this.#clients.push(client);
    return client;
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

  async openDeflate(terms: Terms): Promise<RawEndpoint> {
    const { offer } = terms;
    const { line, webSocket } = await this.offer([offer]);
    if (!webSocket) throw new Failed(`The response to the handshake was ${line}.`, 'refused');
    if (!webSocket.agreed) throw new Unimplemented(`The server does not agree on ${offer}.`);
    requireTakeover(terms, webSocket);
    return webSocket;
  }

  /**
   * Asks for a WebSocket, with a line of Sec-WebSocket-Extensions for each of these values. Throws
   * `Failed` when the response agrees on what none of them offers. RFC 7692 §5
   */
  async offer(
    values: readonly string[],
  ): Promise<{ readonly line: string; readonly webSocket: RawEndpoint | undefined }> {
    const client = await this.connect();
    const { line, headers } = upgradeRequest(this.target, randomKey());
    const lines = values.map((value) => [EXTENSIONS, value] as const);
    const request = encodeHead({ line, headers: [...headers, ...lines] });
    const agree = (response: HttpResponse) => agreedBy(response, values);
    const response = await client.upgrade(request, [], agree);
    return { line: response.line, webSocket: client.webSocket };
  }

  leave(): void {
    for (const { socket, webSocket } of this.#clients) {
      webSocket?.forget();
      socket.leave();
    }
  }
}

/** Says what a response agrees on. `undefined`: nothing. Throws `Failed` for what nobody offered. */
function agreedBy(
  { status, headers }: HttpResponse,
  offered: readonly string[],
): Agreed | undefined {
  const values = valuesOf(headers, EXTENSIONS);
  if (status !== 101 || values.length === 0) return undefined;
  const offers = readOffers(offered);
  const answer = readAnswer(values, offers);
  if (typeof answer === 'string') {
    const said = values.map((value) => JSON.stringify(value)).join(' and ');
    throw new Failed(`In the 101, ${EXTENSIONS} is ${said}: ${answer}.`);
  }
  const { client, server } = agreedOn(answer, offers);
  return { ours: client, theirs: server };
}

/** Makes a key as RFC 6455 §4.1 wants it: 16 random bytes in base64. */
export function randomKey(): string {
  return randomBytes(16).toString('base64');
}

/** One connection of a client that is tested: its request, and what we answer. RFC 6455 §4 */
import type { Socket } from 'node:net';
import { join } from '../kit/frames.ts';
import { giveWay } from '../kit/patience.ts';
import type { Agreed } from './deflate.ts';
import { encode, RawEndpoint, type Sendable } from './endpoint.ts';
import { agreedOn, answerTo, EXTENSIONS, readAnswer, readOffers } from './extensions.ts';
import {
  encodeHead,
  type HttpHeaders,
  headEnd,
  parseHeaders,
  splitHead,
  upgradeResponse,
  valuesOf,
} from './http.ts';
import { Failed, Unimplemented } from './model.ts';
import { type Patience, RawSocket } from './socket.ts';
import { requireTakeover, type Stage, type Terms } from './stage.ts';
import { Timeline } from './timeline.ts';

/** The longest head of a request that we read, in bytes. */
const MAX_HEAD_BYTES = 65_536;
/** Long enough for a client in another process to read the 101, in milliseconds. */
const MOMENT_MS = 3;

/** What all connections of a run have shown so far: some rules are about more than one. */
export class History {
  /** How many connections there have been. */
  connections = 0;
  /** How many of them have not been answered, and are still there. */
  opening = 0;
  /** The Sec-WebSocket-Key of each request, in order. */
  readonly requestKeys: string[] = [];
  /** The masking key of the first frame of each connection that has ended, in hex. */
  readonly firstMasks: string[] = [];
  /** How many masked frames those connections have had, and how many keys of the same connection. */
  readonly masked = { frames: 0, repeated: 0 };
}

/** A client that has connected. */
export class Visit implements Stage {
  readonly timeline = new Timeline();
  readonly history: History;
  /** The connection below, for those who end it out of turn. */
  readonly socket: RawSocket;
  /** That of the case, as soon as it is known. */
  patience: Patience;
  readonly full: boolean;
  #received: Uint8Array[] = [];
  #head = new Uint8Array(0);
  #isNoted = false;
  #isOpening = true;
  #endpoint: RawEndpoint | undefined;

  /** Goes on with a connection on which nothing has been said. */
  constructor(socket: Socket, patience: Patience, history: History, full = false) {
    this.full = full;
    this.socket = RawSocket.accepted(socket, this.timeline);
    this.patience = patience;
    this.history = history;
    history.connections++;
    history.opening++;
    this.socket.read((chunk) => this.#received.push(chunk) > 0);
  }

  /**
   * Waits for the head of the request. Returns what it asks for, such as `/runCase?case=1`; of a
   * line that isn't one, that is empty. `undefined`: there was no head.
   */
  async arrive(): Promise<string | undefined> {
    for (;;) {
      const received = Buffer.concat(this.#received);
      const end = headEnd(received);
      if (end !== undefined) {
        this.#head = Uint8Array.from(received.subarray(0, end));
        this.#received = [received.subarray(end)];
        this.history.requestKeys.push(valuesOf(this.headers, 'Sec-WebSocket-Key').join());
        return this.line.split(' ')[1] ?? '';
      }
      if (this.socket.ended || received.length > MAX_HEAD_BYTES) return undefined;
      if (!(await this.socket.activity(this.patience.answerMs))) return undefined;
    }
  }

  /** The request line. */
  get line(): string {
    return splitHead(this.#head).line;
  }

  /** The headers of the request, apart from lines that aren't HTTP. */
  get headers(): HttpHeaders {
    return this.#fields.flatMap((field) => (typeof field === 'string' ? [] : field));
  }

  /** The rule of HTTP that a header line breaks, if one does. */
  get problem(): string | undefined {
    return this.#fields.find((field) => typeof field === 'string');
  }

  /** Each line, read by itself: one that is wrong does not hide the others. */
  get #fields(): (HttpHeaders | string)[] {
    return splitHead(this.#head).fields.map((field) => parseHeaders([field]));
  }

  /** The key of the request. Throws `Failed` when there is none. */
  get key(): string {
    const [key] = valuesOf(this.headers, 'Sec-WebSocket-Key');
    if (key !== undefined) return key;
    throw new Failed('The request has no Sec-WebSocket-Key.');
  }

  /** What has come behind the request, and was not awaited: we have not answered. */
  get early(): Uint8Array {
    return Buffer.concat(this.#received);
  }

  /** Puts the request into the record: as a whole, or in a line where it matters little. */
  noteRequest(isWhole: boolean): void {
    if (this.#isNoted) return;
    this.#isNoted = true;
    const { record } = this.socket;
    if (isWhole) record.received('head', this.#head);
    else record.receivedLine(`${this.line}, and the rest of the opening handshake`);
  }

  /**
   * Opens a WebSocket, with frames in the same write as the 101. Without any, the client gets a
   * moment: what comes in the same read as the 101 is for cases of their own.
   */
  async open(glued: readonly Sendable[] = []): Promise<RawEndpoint> {
    const response = upgradeResponse(this.key);
    this.noteRequest(false);
    this.socket.record.sentLine(`${response.line}, and the rest of it`);
    const frames = glued.map((frame) => encode(frame, 'server'));
    for (const frame of frames) this.socket.record.sent('frame', frame);
    const sent = join(...frames);
    this.socket.write(join(encodeHead(response), sent));
    if (glued.length === 0) await giveWay(MOMENT_MS);
    return this.speak(sent);
  }

  /** The values of the client's Sec-WebSocket-Extensions. */
  get offered(): string[] {
    return valuesOf(this.headers, EXTENSIONS);
  }

  async openDeflate(terms: Terms): Promise<RawEndpoint> {
    const { answers } = terms;
    const { offered } = this;
    const offers = readOffers(offered);
    const candidates = answers.flatMap((wanted) => offers.map((offer) => answerTo(offer, wanted)));
    const answer = candidates.find((it) => typeof readAnswer([it], offers) !== 'string');
    if (answer !== undefined) {
      const endpoint = await this.openWith([answer]);
      requireTakeover(terms, endpoint);
      return endpoint;
    }
    const offer = offered.length > 0 ? `only ${offered.join(', ')}` : 'no extension';
    this.noteRequest(false);
    throw new Unimplemented(`The client offers ${offer}.`);
  }

  /** Opens a WebSocket with this answer to the offer, each part in a header line of its own. */
  async openWith(answer: readonly string[]): Promise<RawEndpoint> {
    const { line, headers } = upgradeResponse(this.key);
    const { record } = this.socket;
    this.noteRequest(false);
    for (const value of this.offered) record.receivedLine(`${EXTENSIONS}: ${value}`);
    record.sentLine(`${line}, and the rest of it`);
    const lines = answer.map((value) => [EXTENSIONS, value] as const);
    for (const [name, value] of lines) record.sentLine(`${name}: ${value}`);
    this.socket.write(encodeHead({ line, headers: [...headers, ...lines] }));
    await giveWay(MOMENT_MS);
    const offers = readOffers(this.offered);
    const params = readAnswer(answer, offers);
    if (typeof params === 'string') return this.speak();
    const { client, server } = agreedOn(params, offers);
    return this.speak(undefined, { ours: server, theirs: client });
  }

  /**
   * Goes on with frames, of which `sent` have left in the same write as our answer. `agreed`: there is
   * compression.
   */
  speak(sent = new Uint8Array(0), agreed?: Agreed): RawEndpoint {
    this.#settle();
    const { socket, patience, early } = this;
    this.#endpoint = new RawEndpoint(socket, 'server', patience, early, sent, agreed);
    return this.#endpoint;
  }

  leave(): void {
    this.#settle();
    const keys = (this.#endpoint?.keys ?? []).map((key) => Buffer.from(key).toString('hex'));
    this.history.firstMasks.push(...keys.slice(0, 1));
    this.history.masked.frames += keys.length;
    this.history.masked.repeated += keys.length - new Set(keys).size;
    this.#endpoint?.forget();
    this.socket.leave();
  }

  /** Takes note that the opening is over. */
  #settle(): void {
    if (this.#isOpening) this.history.opening--;
    this.#isOpening = false;
  }
}

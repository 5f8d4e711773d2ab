/** The beginning of a raw client: a request out, legal or not, and a response in. */
import { join } from '../kit/frames.ts';
import { preview } from '../view/say.ts';
import type { Agreed } from './deflate.ts';
import { encode, RawEndpoint, type Sendable } from './endpoint.ts';
import { EXTENSIONS } from './extensions.ts';
import { type HttpResponse, headEnd, parseResponse, splitHead, valuesOf } from './http.ts';
import { Failed } from './model.ts';
import type { Patience, RawSocket } from './socket.ts';
import type { BytesKind } from './timeline.ts';

/** What every response begins with. */
const HTTP = 'HTTP/';

/** A client before, and in, its opening handshake. */
export class HttpClient {
  /** The connection below, for those who end it out of turn. */
  readonly socket: RawSocket;
  readonly #patience: Patience;
  /** What has come, and was not in the head of a response. */
  #received: Uint8Array[] = [];
  #webSocket: RawEndpoint | undefined;

  /** Goes on with a connection on which nothing has been said. */
  constructor(socket: RawSocket, patience: Patience) {
    this.socket = socket;
    this.#patience = patience;
    socket.read((chunk) => this.#received.push(chunk) > 0);
  }

  /** What is spoken after a 101. `undefined`: there was none. */
  get webSocket(): RawEndpoint | undefined {
    return this.#webSocket;
  }

  /** Says whether anything has come, or TCP has ended. */
  get hasAnswered(): boolean {
    return this.socket.ended !== undefined || this.#received.length > 0;
  }

  /** Writes bytes of a request in one write. Does nothing when TCP has ended. */
  write(bytes: Uint8Array): void {
    this.socket.record.sent('head', bytes);
    this.socket.write(bytes);
  }

  /** Writes bytes in pieces of `size` bytes, each of which leaves before the next is written. */
  async writeInPieces(bytes: Uint8Array, size: number, kind: BytesKind = 'head'): Promise<void> {
    this.socket.record.sent(kind, bytes);
    await this.socket.writeInPieces(bytes, size, (piece) => this.socket.write(piece));
  }

  /**
   * Writes a request that matters as little as its response: the record has a line of each, and what
   * they say of extensions.
   * Frames that do not wait for the response go into the same write. `agree` says what the response
   * agrees on about compression. Throws as `response` does, and what `agree` throws.
   */
  async upgrade(
    request: Uint8Array,
    glued: readonly Sendable[] = [],
    agree: (response: HttpResponse) => Agreed | undefined = () => undefined,
  ): Promise<HttpResponse> {
    const { record } = this.socket;
    const frames = glued.map((frame) => encode(frame, 'client'));
    const early = join(...frames);
    const { line, fields } = splitHead(request);
    record.sentLine(`${line}, and the rest of the opening handshake`);
    for (const field of fields.filter(isExtensions)) record.sentLine(field);
    for (const frame of frames) record.sent('frame', frame);
    this.socket.write(join(request, early));
    const { response } = await this.#readResponse();
    record.receivedLine(response.line);
    for (const value of valuesOf(response.headers, EXTENSIONS)) {
      record.receivedLine(`${EXTENSIONS}: ${value}`);
    }
    this.#follow(response, early, agree(response));
    return response;
  }

  /**
   * Reads the head of the response. Whatever follows a 101 is frames; whatever follows another
   * status is kept for `body`. Throws `Failed` when there is no response, or it is not HTTP.
   */
  async response(): Promise<HttpResponse> {
    const { head, response } = await this.#readResponse();
    this.socket.record.received('head', head);
    this.#follow(response);
    return response;
  }

  /**
   * Reads the body of a response that isn't a 101, until `isWhole` says so or TCP ends. Returns
   * what there is; `open` says that TCP has not ended, and nothing more came.
   */
  async body(isWhole: (body: Uint8Array) => boolean): Promise<{ body: Uint8Array; open: boolean }> {
    for (;;) {
      const body = Buffer.concat(this.#received);
      if (isWhole(body) || this.socket.ended) return { body, open: !this.socket.ended };
      if (!(await this.socket.activity(this.#patience.answerMs))) return { body, open: true };
    }
  }

  async #readResponse(): Promise<{ head: Uint8Array; response: HttpResponse }> {
    const { received, end } = await this.#untilHead();
    const head = received.subarray(0, end);
    const response = parseResponse(head);
    if (typeof response === 'string') {
      this.socket.record.received('head', received);
      throw new Failed(`Of its response, ${response}.`, this.socket.ended ? 'dropped' : 'ours');
    }
    this.#received = [received.subarray(end)];
    return { head, response };
  }

  async #untilHead(): Promise<{ received: Uint8Array; end: number }> {
    for (;;) {
      const received = Buffer.concat(this.#received);
      const end = headEnd(received);
      if (end !== undefined) return { received, end };
      if (!beginsAsHttp(received)) {
        this.socket.record.received('bytes', received);
        const what = `Its response is not HTTP: it begins with ${preview(received, 24)}.`;
        throw new Failed(what, this.socket.ended ? 'dropped' : 'ours');
      }
      if (this.socket.ended) throw this.#lost(received);
      if (!(await this.socket.activity(this.#patience.answerMs))) {
        const seconds = this.#patience.answerMs / 1000;
        throw new Failed(`The server did not finish a response in ${seconds} s.`, 'open');
      }
    }
  }

  /** Says that TCP ended before the head of the response did. */
  #lost(received: Uint8Array): Failed {
    if (received.length > 0) this.socket.record.received('bytes', received);
    const place = received.length === 0 ? 'without a response' : 'inside the head of its response';
    const event = this.socket.ended === 'fin' ? 'The server ended TCP' : 'The connection was reset';
    return new Failed(`${event} ${place}.`, 'dropped');
  }

  /** After a 101 there are frames; `early` are those of ours that did not wait for it. */
  #follow({ status }: HttpResponse, early = new Uint8Array(0), agreed?: Agreed): void {
    if (status !== 101) return;
    const received = Buffer.concat(this.#received);
    const { socket } = this;
    this.#webSocket = new RawEndpoint(socket, 'client', this.#patience, received, early, agreed);
  }
}

const isExtensions = (field: string) => field.startsWith(`${EXTENSIONS}:`);

/** Says whether these may be the first bytes of a response. RFC 9112 §4 */
function beginsAsHttp(bytes: Uint8Array): boolean {
  const text = Buffer.from(bytes.subarray(0, HTTP.length)).toString('latin1');
  return HTTP.startsWith(text);
}

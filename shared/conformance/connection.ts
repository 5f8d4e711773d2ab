/** A raw WebSocket client on one TCP connection: it sends whatever it is told, legal or not. */
import { connect, type Socket } from 'node:net';
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { join, type WireFrame, wire } from '../kit/frames.ts';
import { afterPatience } from '../kit/patience.ts';
import { Opcode } from '../protocol.ts';
import { type HttpResponse, headEnd, parseResponse, type Target } from './http.ts';
import { Failed } from './model.ts';
import { type Heard, IllegalFrame, type Said, ServerFrames } from './parser.ts';
import type { Timeline } from './timeline.ts';

/**
 * How frames are cut into writes: all in one, one for each frame, or one for so many bytes.
 * Pieces of one write arrive together, as far as TCP allows; others apart.
 */
export type Writes = 'together' | 'apart' | number;

/** How long to wait, in milliseconds. A good server lets none of it pass. */
export interface Patience {
  /** For an answer. */
  readonly answerMs: number;
  /** For the end of TCP, once both have sent a Close. */
  readonly endMs: number;
}

/** How long our answer to a Close is held back for a server that ends TCP without it. */
const CLOSE_ANSWER_DELAY_MS = 250;

/** Something to send: a frame to encode, or bytes as they are. */
export type Sendable = WireFrame | Uint8Array;

const encode = (one: Sendable) => (one instanceof Uint8Array ? one : wire(one));
const isClose = (bytes: Uint8Array) => (bytes[0] ?? 0) % 16 === Opcode.Close;

/** How long a connection that we leave may go on. */
const LEAVE_MS = 1000;

/** The most bytes of one write: between writes we see whether the server still wants more. */
const ONE_WRITE_BYTES = 65_536 + 64;

/** One TCP connection to the server. */
export class Connection {
  readonly #socket: Socket;
  readonly #timeline: Timeline;
  readonly #patience: Patience;
  readonly #number: number;
  readonly #frames: ServerFrames;
  /** Bytes before the end of the handshake; afterwards they are frames. */
  #head: Uint8Array[] | undefined = [];
  readonly #heard: (Heard | { readonly type: 'illegal'; readonly problem: string })[] = [];
  #isIllegal = false;
  #ended: 'fin' | 'reset' | undefined;
  #sentClose = false;
  #heardClose: Extract<Said, { type: 'close' }> | undefined;
  #wake = () => {};

  private constructor(socket: Socket, timeline: Timeline, patience: Patience) {
    this.#socket = socket;
    this.#timeline = timeline;
    this.#patience = patience;
    this.#number = timeline.connection();
    this.#frames = new ServerFrames((frame) => this.#keep('←', 'frame', frame));
    socket.on('data', (chunk) => this.#arrive(chunk));
    socket.on('end', () => {
      // Node may take a reset for an end. But then there is no peer any more whose port to ask
      // for, as after the ends of both sides.
      if (socket.remotePort === undefined && socket.writable) this.#end('reset', 'reset');
      else this.#end('fin', 'the server ended TCP (FIN)');
    });
    socket.on('error', (error: NodeJS.ErrnoException) =>
      this.#end('reset', error.code === 'ECONNRESET' ? 'reset' : `lost: ${error.message}`),
    );
  }

  /**
   * Connects. With `localPort`, from that port of ours. Throws `Failed` when nobody answers.
   *
   * Our side stays open when the server ends its own: who ends TCP first is part of a verdict.
   */
  static open(
    { host, port }: Target,
    timeline: Timeline,
    patience: Patience,
    localPort?: number,
  ): Promise<Connection> {
    const socket = connect({ host, port, localPort, allowHalfOpen: true, noDelay: true });
    return new Promise((resolve, reject) => {
      const giveUp = () => socket.destroy(new Error('no answer'));
      const stop = afterPatience(patience.answerMs, giveUp);
      const refuse = (error: Error) => {
        stop();
        reject(new Failed(`Connecting failed: ${error.message}.`, 'refused'));
      };
      socket.once('error', refuse);
      socket.once('connect', () => {
        stop();
        socket.off('error', refuse);
        const connection = new Connection(socket, timeline, patience);
        timeline.line('·', connection.#number, 'connected');
        resolve(connection);
      });
    });
  }

  /** The server's Close. `undefined`: it has sent none. */
  get heardClose() {
    return this.#heardClose;
  }

  /** How TCP ended. `undefined`: it is still there. */
  get ended() {
    return this.#ended;
  }

  /** Says whether anything has come before the end of the handshake, or TCP has ended. */
  get hasAnswered(): boolean {
    return this.#ended !== undefined || (this.#head?.length ?? 0) > 0;
  }

  /** Our port. */
  get localPort(): number {
    return this.#socket.localPort ?? 0;
  }

  #keep(mark: '→' | '←', kind: 'frame' | 'head' | 'bytes', bytes: Uint8Array): void {
    this.#timeline.bytes(mark, this.#number, kind, bytes);
  }

  #arrive(chunk: Uint8Array): void {
    if (this.#head) this.#head.push(chunk);
    else this.#readFrames(chunk);
    this.#wake();
  }

  #readFrames(chunk: Uint8Array): void {
    if (this.#isIllegal) return;
    try {
      this.#frames.push(chunk);
      for (let said = this.#frames.read(); said; said = this.#frames.read()) this.#hear(said);
    } catch (error) {
      if (!(error instanceof IllegalFrame)) throw error;
      this.#isIllegal = true;
      this.#heard.push({ type: 'illegal', problem: error.message });
      this.#timeline.line('·', this.#number, `illegal: ${error.message}`);
    }
  }

  #hear(said: Said): void {
    if (said.type === 'close') this.#heardClose = said;
    // A server may ping whenever it likes; it gets its answer, and the case goes on.
    if (said.type !== 'ping') this.#heard.push(said);
    else if (!this.isOver) this.write(wire({ opcode: Opcode.Pong, payload: said.payload }));
  }

  #end(how: 'fin' | 'reset', text: string): void {
    if (this.#ended !== undefined) return;
    this.#ended = how;
    this.#timeline.line('·', this.#number, text);
    this.#heard.push({ type: how });
    this.#wake();
  }

  /** Says whether anything more we write would be lost: a Close was sent or came, or TCP ended. */
  get isOver(): boolean {
    return this.#sentClose || this.#heardClose !== undefined || this.#ended !== undefined;
  }

  /** Opens a WebSocket: writes the request, and frames that do not wait for the answer. */
  handshake(request: Uint8Array, glued: readonly Sendable[]): void {
    const frames = glued.map(encode);
    const [line = ''] = Buffer.from(request).toString('latin1').split('\r\n');
    this.#timeline.line('→', this.#number, `${line}, and the rest of the opening handshake`);
    for (const frame of frames) this.#keep('→', 'frame', frame);
    this.#put(join(request, ...frames));
  }

  /** Waits until something arrives. Returns `false` when nothing did. */
  #activity(patienceMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const stop = afterPatience(patienceMs, () => settle(false));
      const settle = (arrived: boolean) => {
        stop();
        this.#wake = () => {};
        resolve(arrived);
      };
      this.#wake = () => settle(true);
    });
  }

  /** Writes bytes in one write, kept in the record as `kind`. Does nothing when TCP has ended. */
  write(bytes: Uint8Array, kind: 'frame' | 'head' | 'bytes' = 'frame'): void {
    this.#keep('→', kind, bytes);
    this.#put(bytes);
  }

  #put(bytes: Uint8Array): void {
    if (this.#ended === undefined) this.#socket.write(bytes);
  }

  /**
   * Sends frames. Stops as soon as the server has said Close or ended TCP: what was written then
   * could cost us the bytes that we have not read.
   */
  async send(frames: readonly Sendable[], writes: Writes = 'together'): Promise<void> {
    const encoded = frames.map(encode);
    if (writes === 'together') {
      for (const frame of encoded) this.#keep('→', 'frame', frame);
      if (!(await this.#putInPieces(join(...encoded), ONE_WRITE_BYTES))) return;
      this.#sentClose ||= encoded.some(isClose);
      return;
    }
    for (const bytes of encoded) {
      this.#keep('→', 'frame', bytes);
      if (!(await this.#putInPieces(bytes, writes))) return;
      this.#sentClose ||= isClose(bytes);
    }
  }

  /** Writes bytes in pieces of `size` bytes, each of which arrives before the next is sent. */
  async writeInPieces(
    bytes: Uint8Array,
    size: number,
    kind: 'frame' | 'head' | 'bytes' = 'frame',
  ): Promise<void> {
    this.#keep('→', kind, bytes);
    await this.#putInPieces(bytes, size);
  }

  /** Returns `false` when it stopped before the end. */
  async #putInPieces(bytes: Uint8Array, writes: Writes): Promise<boolean> {
    const size = typeof writes === 'number' ? writes : bytes.length;
    for (let at = 0; at < bytes.length; at += size) {
      if (this.#heardClose || this.#ended !== undefined) return false;
      this.#put(bytes.subarray(at, at + size));
      await turn();
    }
    return true;
  }

  /** Sends a frame in two pieces, cut before byte `at`; the second has `next` right behind it. */
  async sendCut(frame: Sendable, at: number, next: Sendable): Promise<void> {
    const [bytes, following] = [encode(frame), encode(next)];
    this.#keep('→', 'bytes', bytes.subarray(0, at));
    this.#put(bytes.subarray(0, at));
    // Long enough for a server in another process to read the first piece.
    await pause(1);
    this.#keep('→', 'bytes', bytes.subarray(at));
    this.#keep('→', 'frame', following);
    this.#put(join(bytes.subarray(at), following));
  }

  /**
   * Reads the head of the response. Whatever follows a 101 is frames; whatever follows another
   * status is kept for `body`. Throws `Failed` when there is no response, or it is not HTTP.
   */
  async response(full = false): Promise<HttpResponse> {
    const bytes = await this.#untilHead();
    const end = headEnd(bytes) ?? bytes.length;
    const response = parseResponse(bytes.subarray(0, end));
    if (typeof response === 'string') {
      this.#keep('←', 'head', bytes);
      throw new Failed(`Of its response, ${response}.`, this.#ended ? 'dropped' : 'ours');
    }
    if (full) this.#keep('←', 'head', bytes.subarray(0, end));
    else this.#timeline.line('←', this.#number, response.line);
    this.#head = response.status === 101 ? undefined : [bytes.subarray(end)];
    if (response.status === 101) this.#readFrames(bytes.subarray(end));
    return response;
  }

  async #untilHead(): Promise<Uint8Array> {
    for (;;) {
      const bytes = Buffer.concat(this.#head ?? []);
      if (headEnd(bytes) !== undefined) return bytes;
      const so = bytes.length === 0 ? 'without a response' : 'inside the head of its response';
      if (bytes.length > 0 && this.#ended) this.#keep('←', 'bytes', bytes);
      if (this.#ended === 'fin') throw new Failed(`The server ended TCP ${so}.`, 'dropped');
      if (this.#ended) throw new Failed(`The connection was reset ${so}.`, 'dropped');
      if (!(await this.#activity(this.#patience.answerMs))) {
        const seconds = this.#patience.answerMs / 1000;
        throw new Failed(`The server did not finish a response in ${seconds} s.`, 'open');
      }
    }
  }

  /**
   * Reads the body of a response that is no 101, until `isWhole` says so or TCP ends. Returns
   * what there is; `open` says that TCP has not ended, and nothing more came.
   */
  async body(isWhole: (body: Uint8Array) => boolean): Promise<{ body: Uint8Array; open: boolean }> {
    for (;;) {
      const body = Buffer.concat(this.#head ?? []);
      if (isWhole(body) || this.#ended) return { body, open: !this.#ended };
      if (!(await this.#activity(this.#patience.answerMs))) return { body, open: true };
    }
  }

  /**
   * Waits for what the server says next. `silence`: it said nothing for `patienceMs`. After TCP
   * has ended, it goes on saying that. Throws `Failed` for what a server must not send.
   */
  async next(patienceMs = this.#patience.answerMs): Promise<Heard> {
    for (;;) {
      const [heard] = this.#heard;
      if (heard?.type === 'illegal') throw new Failed(`The server sent ${heard.problem}.`);
      if (heard && heard.type !== this.#ended) this.#heard.shift();
      if (heard) return heard;
      if (!(await this.#activity(patienceMs))) return { type: 'silence' };
    }
  }

  /**
   * Waits for TCP to end, once the server has sent its Close, and answers that Close if we owe
   * it an answer. `silence`: it did not end.
   */
  async untilEnd(): Promise<'fin' | 'reset' | 'silence'> {
    if (!this.#sentClose) {
      const early = await this.#endWithin(CLOSE_ANSWER_DELAY_MS);
      if (early !== 'silence') return early;
      const { payload = new Uint8Array(0) } = this.#heardClose ?? {};
      await this.send([{ opcode: Opcode.Close, payload: payload.subarray(0, 2) }]);
    }
    const how = await this.#endWithin(this.#patience.endMs);
    if (how === 'silence') this.#timeline.line('·', this.#number, 'TCP has not ended');
    return how;
  }

  async #endWithin(patienceMs: number): Promise<'fin' | 'reset' | 'silence'> {
    const heard = await this.next(patienceMs);
    if (heard.type === 'fin' || heard.type === 'reset' || heard.type === 'silence') {
      return heard.type;
    }
    throw new Error(`After a Close, the parser let ${heard.type} pass.`);
  }

  /** Says whether the server has begun a frame or a message, and not ended it. */
  get isInsideMessage(): boolean {
    return this.#frames.isInside;
  }

  /** Ends our side of TCP; what the server sends is still read. */
  halfClose(): void {
    this.#timeline.line('·', this.#number, 'we ended our side of TCP (FIN)');
    this.#socket.end();
  }

  /** Hangs up with a reset, as a client that crashes. */
  reset(): void {
    this.#timeline.line('·', this.#number, 'we reset the connection');
    this.#leave();
    resetNow(this.#socket);
  }

  /** Hangs up at once. If there is something unread, the server will meet a reset. */
  destroy(): void {
    this.#leave();
    this.#socket.destroy();
  }

  /** Hangs up as friends do: what still comes is read, and nobody has to wait for it. */
  leave(): void {
    if (this.#socket.destroyed) return;
    this.#leave();
    const socket = this.#socket.resume().end().unref();
    const timer = setTimeout(() => socket.destroy(), LEAVE_MS).unref();
    socket.once('end', () => socket.destroy()).once('close', () => clearTimeout(timer));
  }

  #leave(): void {
    this.#socket.removeAllListeners().on('error', () => {});
  }
}

/** Resets TCP. `resetAndDestroy` alone would end it first, with a FIN. */
export function resetNow(socket: Socket): void {
  socket.destroySoon = () => socket.destroy();
  socket.resetAndDestroy();
}

/**
 * Lets a turn of the event loop pass, with its reading of sockets. The first callback may run in
 * this turn, before it reads.
 */
async function turn(): Promise<void> {
  await nextTurn();
  await nextTurn();
}

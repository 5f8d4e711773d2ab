/** A raw end of a WebSocket: it sends whatever it is told, legal or not, and reads what comes. */
import { setTimeout as pause } from 'node:timers/promises';
import type { ZlibOptions } from 'node:zlib';
import { join, KEY, utf8, type WireFrame, wire } from '../kit/frames.ts';
import { Opcode, type Role } from '../protocol.ts';
import { type Agreed, Packer, Unpacker } from './deflate.ts';
import { Failed } from './model.ts';
import { OwnFrames } from './own-frames.ts';
import {
  IllegalFrame,
  judgeText,
  type PeerEvent,
  PeerFrames,
  type PeerMessage,
  RSV1,
} from './parser.ts';
import type { Patience, RawSocket } from './socket.ts';
import type { BytesKind } from './timeline.ts';

/** Bytes that are masked with this key, or are not: a client masks its frames, a server does not. */
export type Maskable = (key: Uint8Array | null) => Uint8Array;

/** Something to send: a frame to encode, or bytes as they are. */
export type Sendable = WireFrame | Uint8Array | Maskable;

/**
 * How frames are cut into writes: all in one, one for each frame, or one for so many bytes.
 * Pieces of one write arrive together, as far as TCP allows; others apart.
 */
export type Writes = 'together' | 'apart' | number;

/** How long our answer to a Close is held back for a peer that ends TCP without it. */
const CLOSE_ANSWER_DELAY_MS = 250;

/** The most bytes of one write: between writes we see whether the peer still wants more. */
const ONE_WRITE_BYTES = 65_536 + 64;

/** Encodes a frame, masked if that is what our side does; bytes stay as they are. */
export function encode(item: Sendable, ours: Role): Uint8Array {
  if (item instanceof Uint8Array) return item;
  const key = ours === 'client' ? KEY : null;
  return typeof item === 'function' ? item(key) : wire({ key, ...item });
}

/** The payload of a Ping or Pong, to compare. `undefined`: the frame is neither. */
function pingPongOf(item: Sendable): string | undefined {
  if (item instanceof Uint8Array || typeof item === 'function') return undefined;
  const { opcode, payload = '' } = item;
  if (opcode !== Opcode.Ping && opcode !== Opcode.Pong) return undefined;
  return keyOf(typeof payload === 'string' ? utf8(payload) : payload);
}

/** Compression, once it was agreed on. */
interface Deflate {
  readonly agreed: Agreed;
  readonly packer: Packer;
  readonly unpacker: Unpacker;
}

/** Of how many compressed messages of the peer the bytes are kept. */
const MOST_PACKED = 200;

const keyOf = (payload: Uint8Array) => Buffer.from(payload).toString('latin1');

/** Our end, after the opening handshake: that of a client, or that of a server. */
export class RawEndpoint {
  /** The connection below, for those who end it out of turn. */
  readonly socket: RawSocket;
  /** Which end is ours. The other one is tested. */
  readonly #role: Role;
  readonly #patience: Patience;
  readonly #frames: PeerFrames;
  readonly #keys: Uint8Array[] = [];
  readonly #own = new OwnFrames();
  readonly #messages: Exclude<PeerMessage, { type: 'ping' }>[] = [];
  /** The payloads of our Pings and Pongs, as far as they have left. */
  readonly #asked = new Set<string>();
  /** Pings of the peer that have no answer yet, as we are inside a frame. */
  readonly #owed: Uint8Array[] = [];
  /** What was wrong with the frame after which nothing is read any more. */
  #problem: string | undefined;
  #peerClose: Extract<PeerMessage, { type: 'close' }> | undefined;
  #unasked: Uint8Array | undefined;
  readonly #deflate: Deflate | undefined;
  readonly #packed: Uint8Array[] = [];

  /**
   * Goes on with a connection, of which `received` and `sent` have already come and left of what
   * are frames. `agreed`: there is compression.
   */
  constructor(
    socket: RawSocket,
    role: Role,
    patience: Patience,
    received: Uint8Array,
    sent: Uint8Array,
    agreed?: Agreed,
  ) {
    this.#deflate = agreed && {
      agreed,
      packer: new Packer(agreed.ours),
      unpacker: new Unpacker(agreed.theirs),
    };
    this.socket = socket;
    this.#role = role;
    this.#patience = patience;
    const note = (frame: Uint8Array, key: Uint8Array | undefined) => {
      socket.record.received(this.#kind, frame);
      if (key) this.#keys.push(Uint8Array.from(key));
    };
    const theirs = role === 'client' ? 'server' : 'client';
    this.#frames = new PeerFrames(theirs, note, agreed !== undefined);
    this.#own.push(sent);
    socket.read((chunk) => this.#readFrames(chunk));
    this.#readFrames(received);
  }

  /** What to call the peer in a sentence: `The server` or `The client`. */
  get peer(): string {
    return this.socket.peer;
  }

  /** The masking keys of the frames that have come, in order. */
  get keys(): readonly Uint8Array[] {
    return this.#keys;
  }

  /** The peer's Close. `undefined`: it has sent none. */
  get peerClose(): Extract<PeerMessage, { type: 'close' }> | undefined {
    return this.#peerClose;
  }

  /**
   * The last Pong that answers nothing of ours. A peer may send one whenever it likes, §5.5.3;
   * yet perhaps it was meant as an answer. `undefined`: there was none.
   */
  get unaskedPong(): Uint8Array | undefined {
    return this.#unasked;
  }

  /** What was agreed about compression. `undefined`: there is none. */
  get agreed(): Agreed | undefined {
    return this.#deflate?.agreed;
  }

  /** The first compressed messages that have come, as they have come. */
  get packed(): readonly Uint8Array[] {
    return this.#packed;
  }

  /** How frames are kept in the record. */
  get #kind(): BytesKind {
    return this.#deflate ? 'deflated' : 'frame';
  }

  /** Says whether anything more we write would be lost: a Close was sent or came, or TCP ended. */
  get isOver(): boolean {
    return this.#own.hasClosed || this.#isUnwanted();
  }

  /** Says whether the peer has begun a frame or a message, and not ended it. */
  get isInsideMessage(): boolean {
    return this.#frames.isInside;
  }

  /** Encodes a frame as our side does; bytes stay as they are. */
  encode(item: Sendable): Uint8Array {
    return encode(item, this.#role);
  }

  /** Writes bytes in one write, kept in the record as `kind`. Does nothing when TCP has ended. */
  write(bytes: Uint8Array, kind: BytesKind = this.#kind): void {
    this.socket.record.sent(kind, bytes);
    this.#put(bytes);
  }

  /** Writes bytes in pieces of `size` bytes, each of which leaves before the next is written. */
  async writeInPieces(bytes: Uint8Array, size: number): Promise<void> {
    this.socket.record.sent(this.#kind, bytes);
    await this.#putInPieces(bytes, size);
  }

  /**
   * Sends frames. Stops as soon as the peer has said Close or ended TCP: what was written then
   * could cost us the bytes that we have not read.
   */
  async send(frames: readonly Sendable[], writes: Writes = 'together'): Promise<void> {
    this.#note(frames);
    const encoded = frames.map((frame) => this.encode(frame));
    if (writes === 'together') {
      for (const frame of encoded) this.socket.record.sent(this.#kind, frame);
      await this.#putInPieces(join(...encoded), ONE_WRITE_BYTES);
      return;
    }
    for (const bytes of encoded) {
      this.socket.record.sent(this.#kind, bytes);
      if (!(await this.#putInPieces(bytes, writes === 'apart' ? bytes.length : writes))) return;
    }
  }

  /** Sends a frame in two pieces, cut before byte `at`; the second has `next` right behind it. */
  async sendCut(frame: Sendable, at: number, next: Sendable): Promise<void> {
    const { record } = this.socket;
    this.#note([frame, next]);
    const [bytes, following] = [this.encode(frame), this.encode(next)];
    this.write(bytes.subarray(0, at), 'bytes');
    // Long enough for a peer in another process to read the first piece.
    await pause(1);
    record.sent('bytes', bytes.subarray(at));
    record.sent(this.#kind, following);
    this.#put(join(bytes.subarray(at), following));
  }

  /**
   * Compresses a message, and cuts what comes of it into frames of `size` bytes. Where that leaves no
   * rest, a frame with nothing but FIN follows, as from a sender that learns late of the end.
   */
  async pack({ opcode, payload = '' }: WireFrame, size = 0, options: ZlibOptions = {}) {
    if (!this.#deflate) throw new Error('Compression was not agreed on.');
    const plain = typeof payload === 'string' ? utf8(payload) : payload;
    const packed = await this.#deflate.packer.pack(plain, options);
    if (size === 0) return [{ opcode, rsv: RSV1, payload: packed }];
    const starts = Array.from({ length: Math.floor(packed.length / size) + 1 }, (_, i) => i * size);
    return starts.map(
      (at, i): WireFrame => ({
        opcode: i === 0 ? opcode : Opcode.Continuation,
        rsv: i === 0 ? RSV1 : 0,
        fin: i === starts.length - 1,
        payload: packed.subarray(at, at + size),
      }),
    );
  }

  /** Frees what compression needs. */
  forget(): void {
    this.#deflate?.packer.close();
    this.#deflate?.unpacker.close();
  }

  /** Says nothing for a moment, which no peer may mind. */
  async pause(): Promise<void> {
    const { pauseMs } = this.#patience;
    if (pauseMs === 0) return;
    this.socket.record.happened(`we say nothing for ${pauseMs / 1000} s`);
    await pause(pauseMs);
  }

  /**
   * Waits for what the peer says next. `silence`: it said nothing for `patienceMs`. After TCP
   * has ended, it goes on saying that. Throws `Failed` for what a peer must not send.
   */
  async next(patienceMs = this.#patience.answerMs): Promise<PeerEvent> {
    for (;;) {
      const message = this.#messages.shift();
      if (message && 'isPacked' in message) return this.#unpack(message);
      if (message) return message;
      if (this.#problem) throw new Failed(`${this.peer} sent ${this.#problem}.`);
      if (this.socket.ended) return { type: this.socket.ended };
      if (!(await this.socket.activity(patienceMs))) return { type: 'silence' };
    }
  }

  /**
   * Waits for TCP to end, once the peer has sent its Close, and answers that Close if we owe it
   * an answer. Inside a frame of ours there is no place for one: a peer that has failed the
   * connection does not wait for it, §7.1.7. As a server, we end TCP first, §7.1.1. `silence`:
   * the peer did not end it.
   */
  async untilEnd(): Promise<'fin' | 'reset' | 'silence'> {
    if (!this.#own.hasClosed && !this.#own.isInside) {
      const early = await this.#endWithin(CLOSE_ANSWER_DELAY_MS);
      if (early !== 'silence') return early;
      const { payload = new Uint8Array(0) } = this.#peerClose ?? {};
      this.write(this.encode({ opcode: Opcode.Close, payload: payload.subarray(0, 2) }));
    }
    if (this.#role === 'server') this.socket.halfClose();
    const ending = await this.#endWithin(this.#patience.endMs);
    if (ending === 'silence') this.socket.record.happened('TCP has not ended');
    return ending;
  }

  /** Returns a compressed message as it was. Throws `Failed` when it never was one. */
  async #unpack({ type, payload }: Extract<PeerMessage, { isPacked?: boolean }>) {
    if (this.#packed.length < MOST_PACKED) this.#packed.push(payload);
    try {
      const plain = await this.#deflate!.unpacker.unpack(payload);
      return { type, payload: judgeText(type, plain) };
    } catch (error) {
      if (!(error instanceof IllegalFrame)) throw error;
      this.socket.record.happened(`illegal: ${error.message}`);
      throw new Failed(`${this.peer} sent ${error.message}.`);
    }
  }

  async #endWithin(patienceMs: number): Promise<'fin' | 'reset' | 'silence'> {
    const event = await this.next(patienceMs);
    if (event.type === 'fin' || event.type === 'reset' || event.type === 'silence') {
      return event.type;
    }
    throw new Error(`After a Close, the parser let ${event.type} pass.`);
  }

  #putInPieces(bytes: Uint8Array, size: number): Promise<boolean> {
    return this.socket.writeInPieces(
      bytes,
      size,
      (piece) => !this.#isUnwanted() && this.#put(piece),
    );
  }

  /** Writes, and then what had to wait for the end of a frame of ours. */
  #put(bytes: Uint8Array): boolean {
    if (!this.socket.write(bytes)) return false;
    this.#own.push(bytes);
    this.#answerPings();
    return true;
  }

  #answerPings(): void {
    while (this.#owed.length > 0 && !this.#own.isInside && !this.isOver) {
      this.write(this.encode({ opcode: Opcode.Pong, payload: this.#owed.shift()! }));
    }
  }

  /** Keeps what a Pong may be the answer to. */
  #note(items: readonly Sendable[]): void {
    for (const payload of items.map(pingPongOf)) {
      if (payload !== undefined) this.#asked.add(payload);
    }
  }

  /** Says whether the peer reads no more: it has said Close, or TCP has ended. */
  #isUnwanted(): boolean {
    return this.#peerClose !== undefined || this.socket.ended !== undefined;
  }

  /** Returns whether this is anything to wait for: Pings, and Pongs without one, are not. */
  #readFrames(chunk: Uint8Array): boolean {
    if (this.#problem) return true;
    try {
      this.#frames.push(chunk);
      for (let message = this.#frames.read(); message; message = this.#frames.read())
        this.#take(message);
    } catch (error) {
      if (!(error instanceof IllegalFrame)) throw error;
      this.#problem = error.message;
      this.socket.record.happened(`illegal: ${error.message}`);
    }
    return this.#messages.length > 0 || this.#problem !== undefined || this.isInsideMessage;
  }

  #take(message: PeerMessage): void {
    if (message.type === 'close') this.#peerClose = message;
    // A peer may ping whenever it likes; it gets its answer, and the case goes on.
    if (message.type === 'ping') {
      this.#owed.push(message.payload);
      this.#answerPings();
    } else if (message.type === 'pong' && !this.#asked.has(keyOf(message.payload))) {
      this.#unasked = message.payload;
      this.socket.record.happened('a Pong that nobody asked for: passed over (§5.5.3)');
    } else this.#messages.push(message);
  }
}

/**
 * Compression at our end: the streams of zlib, which keep their windows themselves. It has nothing in
 * common with a lesson but the library. RFC 7692 §7.2
 */
import {
  constants,
  createDeflateRaw,
  createInflateRaw,
  type DeflateRaw,
  type InflateRaw,
  type ZlibOptions,
} from 'node:zlib';
import { join } from '../kit/frames.ts';
import { IllegalFrame } from './parser.ts';

/** What one side does when it compresses. RFC 7692 §7.1 */
export interface Direction {
  /** Does it refer back to earlier messages? */
  readonly takeover: boolean;
  /** It looks back 2 to the power of this many bytes, at most. */
  readonly bits: number;
}

/** What was agreed on a connection. */
export interface Agreed {
  readonly ours: Direction;
  readonly theirs: Direction;
}

/** What ends every message, and is not sent. RFC 7692 §7.2.1 */
const TAIL = Uint8Array.of(0x00, 0x00, 0xff, 0xff);
const EMPTY_MESSAGE = Uint8Array.of(0x00);
const WINDOW_BYTES = 32_768;
/** The most that we unpack: no case asks for a longer echo. */
const MAX_PLAIN_BYTES = 32 * 1024 * 1024;
const TOO_MUCH = 'a compressed message of more than 32 MiB, which no case has asked for';
const NO_BYTES: Uint8Array = new Uint8Array(0);

/** Compresses what we send. */
export class Packer {
  readonly #direction: Direction;
  #stream: DeflateRaw | undefined;

  constructor(direction: Direction) {
    this.#direction = direction;
  }

  /** Compresses the next message. Not to be called again before it has resolved. */
  async pack(plain: Uint8Array, options: ZlibOptions = {}): Promise<Uint8Array> {
    if (plain.length === 0) return EMPTY_MESSAGE;
    // With 9 bits zlib looks back 250 bytes at most, which is within 8 bits as well.
    const windowBits = Math.max(this.#direction.bits, 9);
    this.#stream ??= createDeflateRaw({ ...options, windowBits });
    const stream = this.#stream;
    const chunks: Uint8Array[] = [];
    stream.on('data', (chunk: Uint8Array) => chunks.push(chunk));
    stream.write(plain);
    await new Promise<void>((resolve) => stream.flush(constants.Z_SYNC_FLUSH, resolve));
    stream.removeAllListeners('data');
    if (!this.#direction.takeover) this.close();
    return join(...chunks).subarray(0, -TAIL.length);
  }

  /** Forgets everything. */
  close(): void {
    this.#stream?.close();
    this.#stream = undefined;
  }
}

/** Decompresses what the peer sends. */
export class Unpacker {
  readonly #direction: Direction;
  #stream: InflateRaw | undefined;
  /** The end of what has come out, for the stream that follows a block with BFINAL. */
  #window = NO_BYTES;

  constructor(direction: Direction) {
    this.#direction = direction;
  }

  /**
   * Decompresses the next message. Not to be called again before it has resolved. Throws
   * `IllegalFrame` for what a peer must not send. RFC 7692 §7.2.2
   */
  async unpack(payload: Uint8Array): Promise<Uint8Array> {
    if (payload.length === 0) throw new IllegalFrame('0 bytes with RSV1 (RFC 7692 §7.2.3.6)');
    // Nothing else can end like that: the highest bits of the last byte are 0.
    if (Buffer.from(payload).subarray(-TAIL.length).equals(TAIL)) {
      throw new IllegalFrame(
        'the 00 00 ff ff at the end of a compressed message (RFC 7692 §7.2.1)',
      );
    }
    const pieces: Uint8Array[] = [];
    for (let rest: Uint8Array = join(payload, TAIL); rest.length > 0; ) {
      const { plain, read } = await this.#inflate(rest);
      if (plain.length > 0) pieces.push(plain);
      this.#window = join(this.#window, plain.subarray(-WINDOW_BYTES)).subarray(-WINDOW_BYTES);
      rest = rest.subarray(read);
    }
    if (!this.#direction.takeover) this.close();
    return join(...pieces);
  }

  /** Forgets everything. */
  close(): void {
    this.#stream?.close();
    this.#stream = undefined;
    this.#window = NO_BYTES;
  }

  /** Decompresses up to a block with BFINAL, or to the end. */
  async #inflate(bytes: Uint8Array): Promise<{ plain: Uint8Array; read: number }> {
    this.#stream ??= createInflateRaw({ dictionary: this.#window });
    const stream = this.#stream;
    const before = stream.bytesWritten;
    const chunks: Uint8Array[] = [];
    let size = 0;
    await new Promise<void>((resolve, reject) => {
      stream.on('data', (chunk: Uint8Array) => {
        chunks.push(chunk);
        size += chunk.length;
        if (size > MAX_PLAIN_BYTES) reject(new IllegalFrame(TOO_MUCH));
      });
      stream.on('error', ({ message }) => reject(new IllegalFrame(this.#complaint(message))));
      stream.on('end', resolve);
      stream.write(bytes);
      stream.flush(constants.Z_SYNC_FLUSH, resolve);
    });
    for (const event of ['data', 'error', 'end']) stream.removeAllListeners(event);
    const read = stream.bytesWritten - before;
    // After a block with BFINAL, another stream follows.
    if (read < bytes.length) {
      stream.close();
      this.#stream = undefined;
    }
    return { plain: join(...chunks), read };
  }

  #complaint(problem: string): string {
    const alone = this.#direction.takeover ? '' : ', by itself,';
    return `a compressed message that${alone} is not DEFLATE: ${problem} (RFC 7692 §7.2.1)`;
  }
}

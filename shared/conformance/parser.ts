/** Reads what a peer sends after the handshake, and lets nothing illegal pass. */
import { isUtf8 } from 'node:buffer';
import { masked } from '../kit/frames.ts';
import { isControl, MAX_CONTROL_PAYLOAD, Opcode, type Role } from '../protocol.ts';
import { preview } from '../view/say.ts';

/** What the peer said: a whole message, or a control frame. */
export type PeerMessage =
  | { readonly type: 'pong'; readonly payload: Uint8Array }
  /** `isPacked`: the payload is compressed, and so not judged. */
  | {
      readonly type: 'text' | 'binary';
      readonly payload: Uint8Array;
      readonly isPacked?: boolean;
    }
  | { readonly type: 'ping'; readonly payload: Uint8Array }
  /** `code` is `undefined` when the Close is empty. */
  | { readonly type: 'close'; readonly code: number | undefined; readonly payload: Uint8Array };

/** What comes from the peer, or that nothing does: `fin` and `reset` end TCP. */
export type PeerEvent =
  | Exclude<PeerMessage, { type: 'ping' }>
  | { readonly type: 'fin' | 'reset' | 'silence' };

/** The peer broke a rule of framing. */
export class IllegalFrame extends Error {
  override readonly name = 'IllegalFrame';
}

/** The bit of a compressed message, among the three. RFC 7692 §6 */
export const RSV1 = 4;

/** The header of a frame as it is, without the masking key, and not judged. RFC 6455 §5.2 */
export interface RawHeader {
  readonly fin: boolean;
  /** RSV1–RSV3 as a number from 0 to 7. */
  readonly rsv: number;
  readonly opcode: number;
  readonly masked: boolean;
  /** What the header takes up, in bytes, without the masking key: 2, 4 or 10. */
  readonly headerBytes: number;
  /** How long the payload is, in bytes; beyond 2^53 not exact. */
  readonly length: number;
  /** Says whether the highest bit of a length in 8 bytes is set. */
  readonly hasHighestBit: boolean;
}

/** Reads the header that `bytes` begin with. `undefined`: more bytes are needed. */
export function readHeader(bytes: Uint8Array): RawHeader | undefined {
  const [first, second] = bytes;
  if (first === undefined || second === undefined) return undefined;
  const headerBytes = second % 128 === 127 ? 10 : second % 128 === 126 ? 4 : 2;
  if (bytes.length < headerBytes) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return {
    fin: first >= 128,
    rsv: (first >> 4) % 8,
    opcode: first % 16,
    masked: second >= 128,
    headerBytes,
    length: readLength(view, headerBytes),
    hasHighestBit: headerBytes === 10 && view.getUint8(2) >= 128,
  };
}

function readLength(view: DataView, headerBytes: number): number {
  if (headerBytes === 10) return Number(view.getBigUint64(2));
  return headerBytes === 4 ? view.getUint16(2) : view.getUint8(1) % 128;
}

/**
 * Names the rule that a header breaks, on either side; whether it has to be masked depends on the
 * side. With `deflate`, the first frame of a message may have RSV1. `undefined`: it breaks none.
 * RFC 6455 §5, RFC 7692 §6.1
 */
export function headerProblem(
  header: RawHeader,
  isInsideMessage: boolean,
  deflate = false,
): string | undefined {
  const { fin, rsv, opcode, headerBytes, length, hasHighestBit } = header;
  if (deflate && rsv === RSV1) {
    if (isControl(opcode)) return 'a control frame with RSV1 (RFC 7692 §6.1)';
    if (opcode === Opcode.Continuation) return 'a continuation with RSV1 (RFC 7692 §6.1)';
  } else if (rsv !== 0) return 'a frame with an RSV bit, and no extension was agreed on (§5.2)';
  if (!(Object.values(Opcode) as number[]).includes(opcode)) return `opcode ${opcode} (§5.2)`;
  if (headerBytes > (length > 65535 ? 10 : length > 125 ? 4 : 2)) {
    return `a length of ${length} in more bytes than it needs (§5.2)`;
  }
  if (hasHighestBit) return 'a length with its highest bit set (§5.2)';
  if (isControl(opcode)) return controlProblem(fin, length);
  if (opcode === Opcode.Continuation && !isInsideMessage) return 'a fragment of no message (§5.4)';
  if (opcode !== Opcode.Continuation && isInsideMessage) {
    return 'a new message before the last fragment of another (§5.4)';
  }
  return undefined;
}

function controlProblem(fin: boolean, length: number): string | undefined {
  if (length > MAX_CONTROL_PAYLOAD) return `a control frame of ${length} bytes (§5.5)`;
  return fin ? undefined : 'a control frame without FIN (§5.5)';
}

/** The longest header there is, without a masking key. */
const MAX_HEADER_BYTES = 10;
const KEY_BYTES = 4;

/** The frames of one peer, from the end of its handshake. */
export class PeerFrames {
  readonly #isMasked: boolean;
  readonly #deflate: boolean;
  readonly #onFrame: (frame: Uint8Array, key: Uint8Array | undefined) => void;
  #chunks: Uint8Array[] = [];
  #buffered = 0;
  /** The message whose last fragment has not come. */
  #open:
    | { readonly opcode: number; readonly isPacked: boolean; readonly payloads: Uint8Array[] }
    | undefined;
  #closed = false;

  /**
   * `theirs` is the side of the peer. Calls `onFrame` with the bytes of each frame, and its key. With
   * `deflate`, messages may be compressed.
   */
  constructor(
    theirs: Role,
    onFrame: (frame: Uint8Array, key: Uint8Array | undefined) => void = () => {},
    deflate = false,
  ) {
    this.#deflate = deflate;
    this.#isMasked = theirs === 'client';
    this.#onFrame = onFrame;
  }

  /** Takes bytes as they come from the socket. */
  push(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#buffered += chunk.length;
  }

  /** Says whether a frame or a message has begun and not ended. */
  get isInside(): boolean {
    return this.#buffered > 0 || this.#open !== undefined;
  }

  /**
   * Reads the next message or control frame. `undefined`: more bytes are needed.
   *
   * Throws `IllegalFrame` for whatever a peer must not send. RFC 6455 §5
   */
  read(): PeerMessage | undefined {
    for (;;) {
      if (this.#closed && this.#buffered > 0) {
        throw new IllegalFrame(`${this.#buffered} bytes after its Close (§5.5.1)`);
      }
      const header = this.#header();
      if (!header) return undefined;
      const payloadAt = header.headerBytes + (header.masked ? KEY_BYTES : 0);
      if (this.#buffered < payloadAt + header.length) return undefined;
      const frame = this.#take(payloadAt + header.length);
      const key = header.masked ? frame.subarray(header.headerBytes, payloadAt) : undefined;
      this.#onFrame(frame, key);
      const payload = frame.subarray(payloadAt);
      const message = this.#interpret(header, key ? masked(payload, key) : payload);
      if (message) return message;
    }
  }

  /** The header of the next frame, as soon as it is there; illegal ones are found out at once. */
  #header(): RawHeader | undefined {
    const header = readHeader(this.#peek(MAX_HEADER_BYTES));
    if (!header) return undefined;
    if (header.masked !== this.#isMasked) {
      throw new IllegalFrame(`a frame ${header.masked ? 'with' : 'without'} a mask (§5.1)`);
    }
    const problem = headerProblem(header, this.#open !== undefined, this.#deflate);
    if (problem) throw new IllegalFrame(problem);
    return header;
  }

  #interpret({ fin, opcode, rsv }: RawHeader, payload: Uint8Array): PeerMessage | undefined {
    if (opcode === Opcode.Ping) return { type: 'ping', payload };
    if (opcode === Opcode.Pong) return { type: 'pong', payload };
    if (opcode === Opcode.Close) return this.#close(payload);
    const message = this.#open ?? { opcode, isPacked: rsv === RSV1, payloads: [] };
    message.payloads.push(payload);
    this.#open = fin ? undefined : message;
    return fin ? wholeMessage(message) : undefined;
  }

  #close(payload: Uint8Array): PeerMessage {
    this.#closed = true;
    if (payload.length === 0) return { type: 'close', code: undefined, payload };
    if (payload.length === 1) throw new IllegalFrame('a Close with half a code (§5.5.1)');
    const code = payload[0]! * 256 + payload[1]!;
    if (!canTravel(code)) throw new IllegalFrame(`a Close with code ${code} (§7.4)`);
    if (!isUtf8(payload.subarray(2))) {
      throw new IllegalFrame('a Close whose reason is not UTF-8 (§5.5.1)');
    }
    return { type: 'close', code, payload };
  }

  /** The first bytes that are there, at most `max`. They stay. */
  #peek(max: number): Uint8Array {
    let first = this.#chunks[0] ?? new Uint8Array(0);
    while (first.length < max && this.#chunks.length > 1) {
      first = Buffer.concat(this.#chunks.splice(0, 2));
      this.#chunks.unshift(first);
    }
    return first.subarray(0, max);
  }

  /** Takes bytes out. They are joined once, when all of them are there. */
  #take(size: number): Uint8Array {
    const first = this.#chunks[0] ?? new Uint8Array(0);
    const all = first.length >= size ? first : Buffer.concat(this.#chunks);
    const rest = all.subarray(size);
    if (all === first) this.#chunks.shift();
    else this.#chunks = [];
    if (rest.length > 0) this.#chunks.unshift(rest);
    this.#buffered -= size;
    return all.subarray(0, size);
  }
}

function wholeMessage(open: {
  readonly opcode: number;
  readonly isPacked: boolean;
  readonly payloads: readonly Uint8Array[];
}): PeerMessage {
  const { opcode, isPacked, payloads } = open;
  const [only] = payloads;
  const payload = payloads.length === 1 && only ? only : Buffer.concat(payloads);
  const type = opcode === Opcode.Binary ? 'binary' : 'text';
  return isPacked ? { type, payload, isPacked } : { type, payload: judgeText(type, payload) };
}

/** Returns the payload of a message. Throws `IllegalFrame` for a text that is not UTF-8. */
export function judgeText(type: 'text' | 'binary', payload: Uint8Array): Uint8Array {
  if (type === 'binary' || isUtf8(payload)) return payload;
  throw new IllegalFrame(`a text that is not UTF-8: ${preview(payload)} (§8.1)`);
}

/**
 * Says whether a Close frame may have this code: the registered ones, and those for libraries
 * and applications. What lies above 4999 is not defined, and so not forbidden. RFC 6455 §7.4
 */
export function canTravel(code: number): boolean {
  return code >= 3000 || (code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code));
}

/** The frames of a small echo server or client that keeps every rule, and breaks one when told to. */

import { isUtf8 } from 'node:buffer';
import { createHash, randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import {
  canTravel,
  headerProblem,
  type RawHeader,
  RSV1,
  readHeader,
} from '../../shared/conformance/parser.ts';
import { resetNow } from '../../shared/conformance/socket.ts';
import { masked, utf8, type WireFrame, wire } from '../../shared/kit/frames.ts';
import { CloseCode, isControl, Opcode, type Role } from '../../shared/protocol.ts';
import { Busy, type DeflateFault, type Deflating, Unpackable } from './deflating.ts';

/** A mistake that servers make, and most of them clients as well. */
export type Fault =
  /** The accept value is that of another key. */
  | 'wrong-accept'
  /** Bytes behind the request are thrown away. */
  | 'drops-glued'
  /** A read is taken for a frame: its rest is thrown away, whole or not. */
  | 'read-is-frame'
  /** Whether a frame has a mask is not looked at. */
  | 'accepts-any-mask'
  /** Nor is that looked at with control frames. */
  | 'masks-of-data-only'
  | 'ignores-reserved-bits'
  /** Text that is not UTF-8 is repaired, not refused. */
  | 'repairs-utf8'
  /** The answer to a Close overtakes the echoes of messages before it. */
  | 'close-overtakes'
  | 'never-answers-close'
  /** After the closing handshake TCP stays open. */
  | 'never-ends-tcp'
  /** After the closing handshake TCP is reset. */
  | 'resets-tcp'
  /** Where the connection has to fail, TCP ends without a Close. */
  | 'drops-on-error'
  /** Whatever length is announced, the payload is waited for. */
  | 'no-limit'
  /** A server masks its frames, and a client does not. */
  | 'masks-the-wrong-way'
  /** A client masks no control frames. */
  | 'bare-control'
  /** A client has one masking key for all control frames. */
  | 'one-control-mask'
  /** A client has one masking key for all payloads of 64 KiB and more. */
  | 'one-large-mask'
  /** A client has one masking key for everything. */
  | 'one-mask'
  /** The masking keys of a client count up. */
  | 'counting-masks'
  /** The masking keys of each connection are those of all others. */
  | 'seeded-masks'
  /** The highest bit of each byte of a masking key is 0. */
  | 'ascii-masks'
  /** A client ends TCP as soon as both have said Close. */
  | 'ends-tcp-first'
  /** A reset takes everybody else down, too. */
  | 'dies-of-reset'
  /** A client that writes before the 101 is refused with 400. */
  | 'refuses-early-frames'
  /** No fault: the key is taken as it is, and not decoded. */
  | 'takes-any-key'
  /** No fault: a frame without a mask is refused, but with 1003. */
  | 'says-1003'
  /** Lengths are read in any form, and the answer to a Close overtakes echoes. */
  | 'lenient-and-late'
  /** A Close with a code above 4999 is refused. */
  | 'refuses-5000'
  /** A Close with a code above 4999 is answered with an empty one. */
  | 'empties-5000'
  /** A message that stays open for a second is too slow. */
  | 'hurries'
  /** A message has at most 16384 fragments. */
  | 'few-fragments'
  /** The lengths of all messages in fragments count towards the limit of one. */
  | 'lengths-add-up'
  /** No fault: it asks whether we are there, at once and again and again. */
  | 'pings'
  /** No fault: it says that it is there, at once and again and again. */
  | 'pongs'
  /** No fault: it refuses with a Close, and ends TCP when that is answered. */
  | 'awaits-answer'
  /** It speaks first. */
  | 'greets'
  /** Whatever comes after the handshake gets no answer. */
  | 'says-nothing'
  /** It ends while it has its 20th connection. */
  | 'goes-away'
  | DeflateFault;

const ONE_MASK = randomBytes(4);
const randomStart = randomBytes(2);
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;
const MAX_FRAGMENTS = 16_384;
const LARGE_BYTES = 300_000;
const MAX_MESSAGE_MS = 1000;
/** How often a server says by itself that it is there, in milliseconds. */
const HEARTBEAT_MS = 20;

/** A frame whose payload is being read. */
interface OpenFrame {
  readonly header: RawHeader;
  readonly key: Uint8Array | undefined;
  /** What has come of the payload, unmasked. */
  readonly parts: Uint8Array[];
  receivedBytes: number;
}

/** A message whose last fragment has not come. */
interface OpenMessage {
  readonly opcode: number;
  isPacked: boolean;
  readonly payloads: Uint8Array[];
  readonly utf8: ReturnType<typeof newDecoder>;
  bytes: number;
}

/** The connection has to fail with this code. */
class Violation extends Error {
  readonly code: number;
  constructor(code: number) {
    super(`Close ${code}`);
    this.code = code;
  }
}

/** One end of a connection, after the handshake. */
export class EchoEndpoint {
  readonly #socket: Socket;
  readonly #role: Role;
  readonly #fault: Fault | undefined;
  readonly #deflating: Deflating | undefined;
  #pending: Buffer = Buffer.alloc(0);
  #frame: OpenFrame | undefined;
  #message: OpenMessage | undefined;
  #isClosed = false;
  /** The bytes of all messages in fragments so far. */
  #totalBytes = 0;
  #timer: NodeJS.Timeout | undefined;

  /** How many frames have been sent. */
  #sent = 0;

  /** `deflating`: there is compression. */
  constructor(socket: Socket, role: Role, fault: Fault | undefined, deflating?: Deflating) {
    this.#deflating = deflating;
    this.#socket = socket;
    this.#role = role;
    this.#fault = fault;
    if (fault === 'greets') this.#send(Opcode.Text, utf8('welcome'));
    if (fault === 'pings') this.#heartbeat(Opcode.Ping);
    if (fault === 'pongs') this.#heartbeat(Opcode.Pong);
    for (const event of ['end', 'close']) socket.on(event, () => clearTimeout(this.#timer));
  }

  #heartbeat(opcode: number): void {
    this.#send(opcode, new Uint8Array(0));
    this.#timer = setTimeout(() => this.#heartbeat(opcode), HEARTBEAT_MS);
  }

  /** Takes bytes as they arrive, and answers what they say. */
  push(chunk: Buffer): void {
    if (this.#isClosed && this.#fault === 'awaits-answer' && chunk[0]! % 16 === Opcode.Close) {
      this.#socket.end();
    }
    if (this.#isClosed || this.#fault === 'says-nothing') return;
    this.#pending = Buffer.concat([this.#pending, chunk]);
    try {
      while (!this.#isClosed && this.#readFrame()) if (this.#fault === 'read-is-frame') break;
      if (this.#fault === 'read-is-frame') this.#forget();
    } catch (error) {
      if (error instanceof Busy) return;
      if (!(error instanceof Violation || error instanceof Unpackable)) throw error;
      if (this.#fault === 'drops-on-error') this.#hangUp();
      else if (this.#fault === 'awaits-answer') this.#sayClose(error.code);
      else this.#close(error.code);
    }
  }

  #forget(): void {
    this.#pending = Buffer.alloc(0);
    this.#frame = undefined;
  }

  /** Reads what there is of a frame. Returns whether that is all of it. */
  #readFrame(): boolean {
    this.#frame ??= this.#openFrame();
    if (!this.#frame) return false;
    const { header, key, parts, receivedBytes } = this.#frame;
    const part = this.#pending.subarray(0, header.length - receivedBytes);
    this.#pending = this.#pending.subarray(part.length);
    const payload = key ? masked(part, key, receivedBytes) : part;
    parts.push(payload);
    this.#frame.receivedBytes += part.length;
    const isWhole = this.#frame.receivedBytes === header.length;
    if (!isControl(header.opcode)) this.#checkText(payload, header.fin && isWhole);
    if (!isWhole) return false;
    this.#frame = undefined;
    this.#handle(header, Buffer.concat(parts));
    return true;
  }

  #openFrame(): OpenFrame | undefined {
    const header = readHeader(this.#pending);
    if (!header) return undefined;
    this.#check(header);
    const { headerBytes, opcode } = header;
    const end = headerBytes + (header.masked ? 4 : 0);
    if (this.#pending.length < end) return undefined;
    const key = header.masked
      ? Uint8Array.from(this.#pending.subarray(headerBytes, end))
      : undefined;
    this.#pending = this.#pending.subarray(end);
    if (opcode === Opcode.Text || opcode === Opcode.Binary) {
      const isPacked = this.#deflating !== undefined && header.rsv === RSV1;
      this.#message = { opcode, isPacked, payloads: [], utf8: newDecoder(), bytes: 0 };
      if (this.#fault === 'hurries') {
        this.#timer = setTimeout(() => this.#close(CloseCode.PolicyViolation), MAX_MESSAGE_MS);
      }
    }
    return { header, key, parts: [], receivedBytes: 0 };
  }

  /** Throws `Violation` when the frame is not one of the other side, or its message too big. */
  #check(header: RawHeader): void {
    const seen = {
      ...header,
      ...(this.#fault === 'ignores-reserved-bits' && { rsv: 0 }),
      ...(this.#fault === 'rsv1-anywhere' && { rsv: header.rsv & ~RSV1 }),
      ...(this.#fault === 'lenient-and-late' && { headerBytes: 2 }),
    };
    const isDeflating = this.#deflating !== undefined;
    this.#require(headerProblem(seen, this.#message !== undefined, isDeflating) === undefined);
    if (!header.masked && this.#fault === 'says-1003')
      throw new Violation(CloseCode.UnsupportedData);
    this.#require(header.masked === (this.#role === 'server') || this.#overlooksMask(header));
    const earlierBytes = this.#fault === 'lengths-add-up' ? this.#totalBytes : 0;
    const messageBytes = earlierBytes + (this.#message?.bytes ?? 0) + header.length;
    if (messageBytes > MAX_MESSAGE_BYTES && this.#fault !== 'no-limit') {
      throw new Violation(CloseCode.MessageTooBig);
    }
  }

  #overlooksMask({ opcode }: RawHeader): boolean {
    if (this.#fault === 'masks-of-data-only') return isControl(opcode);
    return this.#fault === 'accepts-any-mask';
  }

  #require(holds: boolean): void {
    if (!holds) throw new Violation(CloseCode.ProtocolError);
  }

  #checkText(part: Uint8Array, isLast: boolean): void {
    if (this.#message?.opcode !== Opcode.Text || this.#fault === 'repairs-utf8') return;
    if (this.#message.isPacked && this.#fault !== 'text-before-inflate') return;
    try {
      this.#message.utf8.decode(part, { stream: !isLast });
    } catch {
      throw new Violation(CloseCode.InvalidPayload);
    }
  }

  #handle({ fin, opcode }: RawHeader, payload: Uint8Array): void {
    if (this.#fault === 'ping-ends-packed' && this.#message && isControl(opcode)) {
      this.#message.isPacked = false;
    }
    if (opcode === Opcode.Ping) this.#send(Opcode.Pong, payload);
    if (opcode === Opcode.Close) this.#answerClose(payload);
    if (!isControl(opcode)) this.#collect(payload, fin);
  }

  #collect(payload: Uint8Array, isLast: boolean): void {
    if (!this.#message) return;
    this.#message.payloads.push(payload);
    this.#message.bytes += payload.length;
    const { opcode, isPacked, payloads } = this.#message;
    if (this.#fault === 'few-fragments' && payloads.length > MAX_FRAGMENTS) {
      throw new Violation(CloseCode.PolicyViolation);
    }
    if (!isLast) return;
    if (payloads.length > 1) this.#totalBytes += this.#message.bytes;
    this.#message = undefined;
    if (this.#fault === 'hurries') clearTimeout(this.#timer);
    const packed = this.#fault === 'each-fragment' ? payloads : [Buffer.concat(payloads)];
    const plain = Buffer.concat(packed.map((part) => this.#unpack(opcode, part, isPacked)));
    const echo = () => this.#send(opcode, this.#repair(opcode, plain));
    if (this.#isLate(isPacked)) setImmediate(echo);
    else echo();
  }

  #isLate(isPacked: boolean): boolean {
    if (isPacked && this.#fault === 'close-overtakes-packed') return true;
    if (isPacked && this.#fault === 'plain-overtakes') return true;
    return this.#fault === 'close-overtakes' || this.#fault === 'lenient-and-late';
  }

  /** Returns a message as it was before it was compressed. */
  #unpack(opcode: number, payload: Uint8Array, isPacked: boolean): Uint8Array {
    const isInflated = isPacked || this.#fault === 'all-packed';
    if (!isInflated) this.#deflating?.seePlain(payload);
    if (!this.#deflating || !isInflated) return payload;
    const unpacked = this.#deflating.inflate(payload);
    const hasMark = this.#fault === 'strips-mark' && unpacked[0] === 0xef;
    const plain = hasMark ? unpacked.subarray(3) : unpacked;
    if (opcode === Opcode.Text && this.#fault !== 'no-text-check' && !isUtf8(plain)) {
      throw new Violation(CloseCode.InvalidPayload);
    }
    return plain;
  }

  #repair(type: number, payload: Uint8Array): Uint8Array {
    if (this.#fault !== 'repairs-utf8' || type !== Opcode.Text) return payload;
    return Buffer.from(Buffer.from(payload).toString('utf8'));
  }

  #answerClose(payload: Uint8Array): void {
    if (this.#fault === 'never-answers-close') return;
    if (payload.length === 0) {
      this.#agree();
      return;
    }
    this.#require(payload.length >= 2);
    const code = payload[0]! * 256 + payload[1]!;
    this.#require(canTravel(code) && (this.#fault !== 'refuses-5000' || code < 5000));
    try {
      newDecoder().decode(payload.subarray(2));
    } catch {
      throw new Violation(CloseCode.InvalidPayload);
    }
    this.#agree(this.#fault === 'empties-5000' && code >= 5000 ? undefined : code);
  }

  /** Answers a Close. Then a server ends TCP, and a client waits for that. */
  #agree(code?: number): void {
    const waits = this.#role === 'client' && this.#fault !== 'ends-tcp-first';
    if (waits) this.#sayClose(code);
    else this.#close(code);
  }

  /** Says Close, and ends TCP. */
  #close(code?: number): void {
    this.#sayClose(code);
    this.#hangUp();
  }

  #sayClose(code?: number): void {
    this.#send(
      Opcode.Close,
      code === undefined ? new Uint8Array(0) : Uint8Array.of(code >> 8, code & 255),
    );
    this.#isClosed = true;
  }

  #hangUp(): void {
    this.#isClosed = true;
    if (this.#fault === 'resets-tcp') setImmediate(() => resetNow(this.#socket));
    else if (this.#fault !== 'never-ends-tcp') this.#socket.end();
  }

  #send(opcode: number, payload: Uint8Array): void {
    if (this.#isClosed) return;
    const packed = this.#deflating?.pack(opcode, payload) ?? { rsv: 0, payload };
    const isLarge = this.#fault === 'rsv1-on-large' && payload.length > LARGE_BYTES;
    const isCut = (this.#fault === 'rsv1-on-all' || isLarge) && !isControl(opcode);
    this.#write({ opcode, ...packed, fin: !isCut });
    if (isCut) this.#write({ opcode: Opcode.Continuation, rsv: packed.rsv });
  }

  #write(frame: WireFrame & { readonly payload?: Uint8Array }): void {
    const key = this.#keyFor(frame.opcode, frame.payload?.length ?? 0);
    this.#socket.write(wire({ ...frame, key }));
  }

  #keyFor(opcode: number, size: number): Uint8Array | null {
    const count = ++this.#sent;
    const isBare = this.#fault === 'bare-control' && isControl(opcode);
    const isMasked = (this.#role === 'client') !== (this.#fault === 'masks-the-wrong-way');
    if (!isMasked || isBare) return null;
    switch (this.#fault) {
      case 'one-mask':
        return ONE_MASK;
      case 'one-control-mask':
        return isControl(opcode) ? ONE_MASK : randomBytes(4);
      case 'one-large-mask':
        return size >= 65_536 ? ONE_MASK : randomBytes(4);
      case 'counting-masks':
        return Uint8Array.of(...randomStart, count >> 8, count & 255);
      case 'seeded-masks':
        return createHash('md5').update(`${count}`).digest().subarray(0, 4);
      case 'ascii-masks':
        return randomBytes(4).map((byte) => byte & 127);
      default:
        return randomBytes(4);
    }
  }
}

function newDecoder() {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
}

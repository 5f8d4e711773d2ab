/** Frames read by generators: they run from byte to byte, and pause where bytes are missing. */
import { TextDecoder } from 'node:util';
import {
  type Frame,
  isControl,
  type Message,
  ProtocolError,
  type Role,
} from '../../../shared/protocol.ts';
import type { FirstBytes, FrameHeader } from '../../../solutions/02-reading-frames/reading.ts';

export const MAX_MESSAGE_BYTES = 2 ** 24;

/** What a parser asks for, until it gets it; in the end, it returns what it has parsed. */
type Parser<T> = Generator<undefined, T, void>;

export function decodeFirstBytes(first: number, second: number): FirstBytes {
  const [bit0, bit1, bit2, bit3] = Array.from({ length: 4 }, (_, i) => (first >> (7 - i)) & 1);
  return {
    fin: bit0 === 1,
    rsv: bit1! * 4 + bit2! * 2 + bit3!,
    opcode: first % 16,
    masked: second >= 128,
    length7: second % 128,
  };
}

export function decodeHeader(bytes: Uint8Array, offset = 0): FrameHeader | undefined {
  const start = bytes.subarray(offset, offset + 14);
  let taken = 0;
  const { done, value } = header((count) => {
    if (taken + count > start.length) return undefined;
    taken += count;
    return start.subarray(taken - count, taken);
  }).next();
  return done ? value : undefined;
}

/** Returns so many bytes, or `undefined` when there are fewer. */
type Take = (count: number) => Uint8Array | undefined;

function* exactly(take: Take, count: number): Parser<Uint8Array> {
  for (;;) {
    const bytes = take(count);
    if (bytes) return bytes;
    yield;
  }
}

function* header(take: Take): Parser<FrameHeader> {
  const [first, second] = yield* exactly(take, 2);
  const { fin, rsv, opcode, masked, length7 } = decodeFirstBytes(first!, second!);
  const sizes: Record<number, number> = { 126: 2, 127: 8 };
  const size = sizes[length7] ?? 0;
  // The whole header has to be there before its length is judged.
  const more = yield* exactly(take, size + (masked ? 4 : 0));
  const digits = more.subarray(0, size);
  const payloadLength = size === 0 ? length7 : digits.reduce((sum, byte) => sum * 256 + byte, 0);
  if (size === 2 && payloadLength < 126) throw new ProtocolError(1002, '5.2', 'Not 16 bits.');
  if (size === 8 && payloadLength < 2 ** 16) throw new ProtocolError(1002, '5.2', 'Not 64 bits.');
  if (size === 8 && digits[0]! > 127) throw new ProtocolError(1002, '5.2', 'Only 63 bits.');
  const maskingKey = masked ? Uint8Array.from(more.subarray(size)) : undefined;
  return { fin, rsv, opcode, maskingKey, payloadLength, headerLength: 2 + more.length };
}

function* keyBytes(key: Uint8Array, position: number): Generator<number, never> {
  for (let i = position; ; i++) yield key[i % 4]!;
}

export function unmask(bytes: Uint8Array, maskingKey: Uint8Array, position = 0): void {
  const key = keyBytes(maskingKey, position);
  const [a, b, c, d] = [key.next(), key.next(), key.next(), key.next()].map(({ value }) => value);
  for (let i = 0; i < bytes.length; i += 4) {
    // Beyond the end of an array, nothing is written.
    bytes[i]! ^= a!;
    bytes[i + 1]! ^= b!;
    bytes[i + 2]! ^= c!;
    bytes[i + 3]! ^= d!;
  }
}

export class FrameReader {
  readonly #check: (header: FrameHeader) => void;
  #frame = this.#parse();
  #buffer = new Uint8Array(0);
  #start = 0;
  #end = 0;
  /** The frame whose payload is still arriving. */
  #arriving: FrameHeader | undefined;

  constructor(check: (header: FrameHeader) => void = checkHeader) {
    this.#check = check;
  }

  push(chunk: Uint8Array): void {
    const size = this.#end - this.#start + chunk.length;
    if (this.#end + chunk.length > this.#buffer.length) {
      const room = new Uint8Array(Math.max(size, 2 * (this.#end - this.#start)));
      room.set(this.#buffer.subarray(this.#start, this.#end));
      this.#buffer = room;
      this.#start = 0;
      this.#end = size - chunk.length;
    }
    this.#buffer.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  read(): Frame | undefined {
    const { value: frame } = this.#frame.next();
    // A parser of its own for each, so that none keeps what another has read.
    if (frame) this.#frame = this.#parse();
    return frame;
  }

  peek(from = 0): Uint8Array {
    if (this.#arriving === undefined) return new Uint8Array(0);
    const { payloadLength, maskingKey } = this.#arriving;
    const arrived = this.#buffer.subarray(this.#start, this.#end).subarray(0, payloadLength);
    const copy = Uint8Array.from(arrived.subarray(from));
    if (maskingKey) unmask(copy, maskingKey, from);
    return copy;
  }

  *#parse(): Parser<Frame> {
    const take = (count: number) => this.#take(count);
    const next = yield* header(take);
    this.#check(next);
    this.#arriving = next;
    const payload = Uint8Array.from(yield* exactly(take, next.payloadLength));
    this.#arriving = undefined;
    if (next.maskingKey) unmask(payload, next.maskingKey);
    return { fin: next.fin, opcode: next.opcode, payload };
  }

  #take(count: number): Uint8Array | undefined {
    if (this.#end - this.#start < count) {
      if (this.#start === this.#end) {
        this.#buffer = new Uint8Array(0);
        this.#start = 0;
        this.#end = 0;
      }
      return undefined;
    }
    this.#start += count;
    return this.#buffer.subarray(this.#start - count, this.#start);
  }
}

/** What is wrong with a header, rule by rule. */
function* faults(header: FrameHeader, role: Role): Generator<[section: string, fault: string]> {
  const { fin, rsv, opcode, maskingKey, payloadLength } = header;
  if (rsv !== 0) yield ['5.2', 'There is no extension.'];
  if (![0, 1, 2, 8, 9, 10].includes(opcode)) yield ['5.2', 'The opcode is reserved.'];
  if (role === 'server' && !maskingKey) yield ['5.1', 'A client masks.'];
  if (role === 'client' && maskingKey) yield ['5.1', 'A server does not mask.'];
  if (isControl(opcode) && !fin) yield ['5.5', 'A control frame is whole.'];
  if (isControl(opcode) && payloadLength > 125) yield ['5.5', 'A control frame is short.'];
}

export function checkHeader(header: FrameHeader, role: Role = 'server'): void {
  for (const [section, fault] of faults(header, role)) {
    throw new ProtocolError(1002, section, fault);
  }
}

/** Puts bytes together that come in pieces of any size. */
class Bytes {
  #room = new Uint8Array(0);
  #length = 0;

  add(bytes: Uint8Array): void {
    const size = this.#length + bytes.length;
    if (size > this.#room.length) {
      const larger = new Uint8Array(Math.max(size, 2 * this.#room.length));
      larger.set(this.#room);
      this.#room = larger;
    }
    this.#room.set(bytes, this.#length);
    this.#length = size;
  }

  all(): Uint8Array {
    return this.#room.subarray(0, this.#length);
  }
}

type FrameSource = Pick<FrameReader, 'push' | 'read' | 'peek'>;

export class MessageReader {
  readonly #frames: FrameSource;
  readonly #maxMessageBytes: number;
  #message = this.#parse();
  #open: { readonly isText: boolean; bytes: number } | undefined;
  #arriving: FrameHeader | undefined;

  constructor(
    role: Role = 'server',
    maxMessageBytes = MAX_MESSAGE_BYTES,
    makeFrames = (check: (header: FrameHeader) => void): FrameSource => new FrameReader(check),
  ) {
    this.#maxMessageBytes = maxMessageBytes;
    this.#frames = makeFrames((header) => {
      checkHeader(header, role);
      this.#arriving = header;
      if (!isControl(header.opcode)) this.#checkData(header);
    });
  }

  push(chunk: Uint8Array): void {
    this.#frames.push(chunk);
  }

  read(): Message | undefined {
    const { done, value } = this.#message.next();
    if (done && value) this.#message = this.#parse();
    return value;
  }

  #checkData({ opcode, payloadLength }: FrameHeader): void {
    const continues = opcode === 0;
    if (continues && !this.#open) throw new ProtocolError(1002, '5.4', 'What does it continue?');
    if (!continues && this.#open) throw new ProtocolError(1002, '5.4', 'Finish the other first.');
    this.#open ??= { isText: opcode === 1, bytes: 0 };
    this.#open.bytes += payloadLength;
    if (this.#open.bytes > this.#maxMessageBytes) {
      throw new ProtocolError(1009, '10.4', 'Too large.');
    }
  }

  /** Reads a message of text or bytes, and yields the control frames in it. */
  *#parse(): Generator<Message | undefined, Message, void> {
    const bytes = new Bytes();
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    for (let fin = false; !fin; ) {
      const frame = yield* this.#nextData(decoder);
      bytes.add(frame.payload);
      fin = frame.fin;
    }
    const isText = this.#open?.isText;
    this.#open = undefined;
    const data = bytes.all();
    if (!isText) return { type: 'binary', data };
    return { type: 'text', data: Buffer.from(data.buffer, 0, data.length).toString() };
  }

  *#nextData(decoder: TextDecoder): Generator<Message | undefined, Frame, void> {
    let decoded = 0;
    for (;;) {
      const frame = this.#frames.read();
      if (frame && isControl(frame.opcode)) {
        yield controlMessage(frame);
        continue;
      }
      if (this.#open?.isText && !isControl(this.#arriving?.opcode ?? 0)) {
        const more = frame ? frame.payload.subarray(decoded) : this.#frames.peek(decoded);
        decode(decoder, more, frame?.fin === true);
        decoded += more.length;
      }
      if (frame) return frame;
      yield;
    }
  }
}

function controlMessage({ opcode, payload }: Frame): Message {
  return { type: opcode === 8 ? 'close' : opcode === 9 ? 'ping' : 'pong', payload };
}

function decode(decoder: TextDecoder, bytes: Uint8Array, end: boolean): void {
  try {
    decoder.decode(bytes, { stream: !end });
  } catch {
    throw new ProtocolError(1007, '5.6', 'The text is broken.');
  }
}

/** Frames read out of a list of chunks that is never joined, and UTF-8 that is checked by hand. */
import {
  CloseCode,
  type Frame,
  isControl,
  type Message,
  Opcode,
  ProtocolError,
  type Role,
} from '../../../shared/protocol.ts';
import type { FirstBytes, FrameHeader } from '../../../solutions/02-reading-frames/reading.ts';

export const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;
const MAX_CHUNK_BYTES = 64 * 1024;
const MAX_HEADER_BYTES = 14;

export function decodeFirstBytes(first: number, second: number): FirstBytes {
  return {
    fin: first >>> 7 === 1,
    rsv: (first >>> 4) & 7,
    opcode: first & 15,
    masked: second >>> 7 === 1,
    length7: second & 127,
  };
}

export function decodeHeader(bytes: Uint8Array, offset = 0): FrameHeader | undefined {
  let at = offset;
  const byte = () => bytes[at++] ?? Number.NaN;
  const number = (size: number) => {
    let value = 0;
    for (let i = 0; i < size; i++) value = value * 256 + byte();
    return value;
  };
  const { masked, length7, ...flags } = decodeFirstBytes(byte(), byte());
  const payloadLength = length7 < 126 ? length7 : number(length7 === 126 ? 2 : 8);
  const maskingKey = masked ? Uint8Array.of(byte(), byte(), byte(), byte()) : undefined;
  if (at > bytes.length) return undefined;
  const least = [126, 65536][length7 - 126] ?? 0;
  if (payloadLength < least) throw broken('5.2', `${payloadLength} fits into less.`);
  if (length7 === 127 && bytes[offset + 2]! >= 0x80)
    throw broken('5.2', 'The first bit of a length is 0.');
  return { ...flags, payloadLength, maskingKey, headerLength: at - offset };
}

function broken(section: string, message: string): ProtocolError {
  return new ProtocolError(CloseCode.ProtocolError, section, message);
}

export function unmask(bytes: Uint8Array, maskingKey: Uint8Array, position = 0): void {
  // Key byte after key byte: each has every fourth byte of the payload.
  for (let k = 0; k < 4; k++) {
    const keyByte = maskingKey[k]!;
    const first = (((k - position) % 4) + 4) % 4;
    for (let i = first; i < bytes.length; i += 4) bytes[i] = bytes[i]! ^ keyByte;
  }
}

/** Bytes in a list of chunks. Small ones share a chunk, so that a byte costs a byte. */
class ChunkList {
  readonly #chunks: Uint8Array[] = [];
  /** How many bytes of the first chunk have been taken. */
  #taken = 0;
  /** How many bytes of the last chunk are free. */
  #free = 0;
  length = 0;

  push(bytes: Uint8Array): void {
    const fitting = bytes.subarray(0, this.#free);
    this.#chunks.at(-1)?.set(fitting, this.#chunks.at(-1)!.length - this.#free);
    this.#free -= fitting.length;
    const rest = bytes.subarray(fitting.length);
    if (rest.length > 0) {
      const chunk = new Uint8Array(Math.max(rest.length, Math.min(this.length, MAX_CHUNK_BYTES)));
      chunk.set(rest);
      this.#chunks.push(chunk);
      this.#free = chunk.length - rest.length;
    }
    this.length += bytes.length;
  }

  /** Copies bytes from place `start` up to `end`. Finds them from the end. */
  copy(start: number, end: number): Uint8Array {
    const copy = new Uint8Array(end - start);
    let chunkEnd = this.length + this.#free;
    for (let i = this.#chunks.length - 1; i >= 0 && chunkEnd > start; i--) {
      const chunk = this.#chunks[i]!;
      const chunkStart = chunkEnd - chunk.length;
      const from = Math.max(start, chunkStart);
      const to = Math.min(end, chunkEnd);
      if (from < to) copy.set(chunk.subarray(from - chunkStart, to - chunkStart), from - start);
      chunkEnd = chunkStart;
    }
    return copy;
  }

  /** Lets go of the first bytes, and of the chunks that they leave empty. */
  drop(count: number): void {
    this.length -= count;
    this.#taken += count;
    if (this.length === 0) this.#free = 0;
    while (this.#chunks[0] && (this.length === 0 || this.#taken >= this.#chunks[0].length)) {
      this.#taken -= this.#chunks.shift()!.length;
    }
    if (this.length === 0) this.#taken = 0;
  }
}

export class FrameReader {
  readonly #check: (header: FrameHeader) => void;
  readonly #received = new ChunkList();
  #header: FrameHeader | undefined;

  constructor(check: (header: FrameHeader) => void = checkHeader) {
    this.#check = check;
  }

  push(chunk: Uint8Array): void {
    this.#received.push(chunk);
  }

  read(): Frame | undefined {
    if (!this.#header && !this.#readHeader()) return undefined;
    const { fin, opcode, payloadLength } = this.#header!;
    if (this.#received.length < payloadLength) return undefined;
    const payload = this.peek();
    this.#received.drop(payloadLength);
    this.#header = undefined;
    return { fin, opcode, payload };
  }

  #readHeader(): boolean {
    const received = this.#received;
    const header = decodeHeader(received.copy(0, Math.min(received.length, MAX_HEADER_BYTES)));
    if (header === undefined) return false;
    this.#check(header);
    this.#received.drop(header.headerLength);
    this.#header = header;
    return true;
  }

  peek(from = 0): Uint8Array {
    if (!this.#header) return new Uint8Array();
    const { payloadLength, maskingKey } = this.#header;
    const end = Math.min(payloadLength, this.#received.length);
    const bytes = this.#received.copy(Math.min(from, end), end);
    if (maskingKey) unmask(bytes, maskingKey, from);
    return bytes;
  }
}

const OPCODES = [Opcode.Continuation, Opcode.Text, Opcode.Binary];
const CONTROL_OPCODES = [Opcode.Close, Opcode.Ping, Opcode.Pong];

export function checkHeader(header: FrameHeader, role: Role = 'server'): void {
  const { fin, opcode, payloadLength } = header;
  const known: readonly number[] = isControl(opcode) ? CONTROL_OPCODES : OPCODES;
  if (header.rsv !== 0) throw broken('5.2', 'A reserved bit is set.');
  if (!known.includes(opcode)) throw broken('5.2', 'A reserved opcode.');
  if (!header.maskingKey && role !== 'client') throw broken('5.1', 'There is no mask.');
  if (header.maskingKey && role === 'client') throw broken('5.1', 'There is a mask.');
  if (!isControl(opcode)) return;
  if (!fin) throw broken('5.5', 'Control frames come in one piece.');
  if (payloadLength > 125) throw broken('5.5', 'Control frames are small.');
}

/** Whether bytes are UTF-8, also when they come in pieces. The table is that of RFC 3629 §4. */
class Utf8Check {
  /** How many more bytes the character needs. */
  #missing = 0;
  /** Between what the next of them has to be. */
  #low = 0x80;
  #high = 0xbf;

  /** Says whether what has come so far can be UTF-8. */
  add(bytes: Uint8Array): boolean {
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i]!;
      if (this.#missing === 0) {
        if (byte > 0x7f && !this.#begin(byte)) return false;
        continue;
      }
      if (byte < this.#low || byte > this.#high) return false;
      this.#missing--;
      this.#low = 0x80;
      this.#high = 0xbf;
    }
    return true;
  }

  #begin(byte: number): boolean {
    if (byte < 0xc2 || byte > 0xf4) return false;
    this.#missing = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    // No longer forms than needed, no surrogates, nothing beyond U+10FFFF.
    if (byte === 0xe0) this.#low = 0xa0;
    if (byte === 0xed) this.#high = 0x9f;
    if (byte === 0xf0) this.#low = 0x90;
    if (byte === 0xf4) this.#high = 0x8f;
    return true;
  }

  get isComplete(): boolean {
    return this.#missing === 0;
  }
}

/** A message of which something is missing. */
interface Draft {
  readonly body: ChunkList;
  /** `undefined`: it is binary. */
  readonly utf8: Utf8Check | undefined;
}

type FrameSource = Pick<FrameReader, 'push' | 'read' | 'peek'>;

export class MessageReader {
  readonly #frames: FrameSource;
  readonly #role: Role;
  readonly #limit: number;
  #draft: Draft | undefined;
  /** How many bytes of the data frame that is arriving have been checked. `undefined`: none is. */
  #checked: number | undefined;

  constructor(
    role: Role = 'server',
    maxMessageBytes = MAX_MESSAGE_BYTES,
    makeFrames = (check: (header: FrameHeader) => void): FrameSource => new FrameReader(check),
  ) {
    this.#role = role;
    this.#limit = maxMessageBytes;
    this.#frames = makeFrames((header) => this.#check(header));
  }

  #check(header: FrameHeader): void {
    checkHeader(header, this.#role);
    if (isControl(header.opcode)) return;
    if (header.opcode !== Opcode.Continuation && this.#draft) {
      throw broken('5.4', 'The message before this one has no end.');
    }
    if (header.opcode === Opcode.Continuation && !this.#draft) {
      throw broken('5.4', 'There is no message to go on with.');
    }
    const room = this.#limit - (this.#draft?.body.length ?? 0);
    if (header.payloadLength > room) {
      throw new ProtocolError(CloseCode.MessageTooBig, '10.4', `There is room for ${room} bytes.`);
    }
    const utf8 = header.opcode === Opcode.Text ? new Utf8Check() : undefined;
    this.#draft ??= { body: new ChunkList(), utf8 };
    this.#checked = 0;
  }

  push(chunk: Uint8Array): void {
    this.#frames.push(chunk);
  }

  read(): Message | undefined {
    for (;;) {
      const frame = this.#frames.read();
      if (frame === undefined) break;
      const message = isControl(frame.opcode) ? controlMessage(frame) : this.#add(frame);
      if (message) return message;
    }
    if (this.#checked !== undefined) this.#checkText(this.#frames.peek(this.#checked));
    return undefined;
  }

  #checkText(bytes: Uint8Array): void {
    this.#checked! += bytes.length;
    if (this.#draft?.utf8?.add(bytes) !== false) return;
    throw new ProtocolError(CloseCode.InvalidPayload, '8.1', 'A byte that is not UTF-8.');
  }

  #add({ fin, payload }: Frame): Message | undefined {
    const { body, utf8 } = this.#draft!;
    this.#checkText(payload.subarray(this.#checked));
    this.#checked = undefined;
    body.push(payload);
    if (!fin) return undefined;
    this.#draft = undefined;
    const data = body.copy(0, body.length);
    if (!utf8) return { type: 'binary', data };
    if (utf8.isComplete) return { type: 'text', data: Buffer.from(data.buffer).toString('utf8') };
    throw new ProtocolError(CloseCode.InvalidPayload, '8.1', 'The last character is cut off.');
  }
}

function controlMessage({ opcode, payload }: Frame): Message {
  if (opcode === Opcode.Close) return { type: 'close', payload };
  return opcode === Opcode.Ping ? { type: 'ping', payload } : { type: 'pong', payload };
}

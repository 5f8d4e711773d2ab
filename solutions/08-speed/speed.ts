import { isUtf8 } from 'node:buffer';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import {
  CloseCode,
  type Extension,
  type Frame,
  isControl,
  type Message,
  Opcode,
  ProtocolError,
  type Role,
  type SendOptions,
} from '../../shared/protocol.ts';
import * as reading from '../02-reading-frames/reading.ts';
import { checkHeader, decodeHeader, MAX_MESSAGE_BYTES } from '../02-reading-frames/reading.ts';
import * as sending from '../03-sending-frames/sending.ts';
import { fragment } from '../03-sending-frames/sending.ts';
import * as server from '../05-server/server.ts';
import {
  type Accepted,
  type ConnectionEvent,
  type Handler,
  LIMITS,
  type Limits,
  MAX_FRAGMENT_BYTES,
  type Options,
  Connection as ReadableConnection,
  WebSocketServer as ReadableServer,
} from '../05-server/server.ts';

/** The lessons whose exports this one replaces: the last step runs their checks again. */
export const EARLIER = { reading, sending, server } as const;

/** From this length on, a payload is not copied to be sent, in bytes. */
export const LONG_BYTES = 16 * 1024;

/** How much memory is taken at once for what is sent, in bytes. */
export const OUTPUT_MEMORY_BYTES = 64 * 1024;

/** How many times the bytes that have arrived we reserve for what a frame has announced. */
const TRUST = 32;

const NO_BYTES: Buffer = Buffer.alloc(0);

/**
 * Step 2 · Words, not bytes.
 *
 * Unmasks bytes in place: byte i of a payload is XORed with byte i mod 4 of the key. `position`
 * is the place of `bytes[0]` in its payload. Whatever memory the bytes begin at, most of them are
 * changed eight at a time. RFC 6455 §5.3
 */
export function unmask(bytes: Uint8Array, maskingKey: Uint8Array, position = 0): void {
  unmaskPart(bytes, wordsOf(bytes), 0, bytes.length, keyOf(maskingKey, 0), position);
}

/** Reads a masking key as a number: byte i of it is in bits 8i to 8i + 7. */
function keyOf(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

/** Turns a key so that the byte for `position` comes first in it. */
function turn(key: number, position: number): number {
  const bits = (position & 3) * 8;
  return (key >>> bits) | (key << (32 - bits));
}

const NO_WORDS: BigUint64Array = new BigUint64Array(0);

/** From this length on, it pays to make words, in bytes. */
const WORDS_PAY_BYTES = 128;

/** The same memory as whole words, which begin at multiples of eight. Few bytes have none. */
function wordsOf({ buffer, byteOffset, length }: Uint8Array): BigUint64Array {
  if (length < WORDS_PAY_BYTES) return NO_WORDS;
  const first = -byteOffset & 7;
  return new BigUint64Array(buffer, byteOffset + first, (length - first) >> 3);
}

/**
 * Unmasks the bytes from `start` up to `end`, most of them as `words` of the same memory.
 * `position` is that of the first byte in its payload.
 */
function unmaskPart(
  bytes: Uint8Array,
  words: BigUint64Array,
  start: number,
  end: number,
  key: number,
  position: number,
): void {
  const offset = words.byteOffset - bytes.byteOffset;
  const from = (start - offset + 7) >>> 3;
  const to = Math.min((end - offset) >>> 3, words.length);
  if (from >= to) {
    unmaskBytes(bytes, start, end, turn(key, position));
    return;
  }
  const first = offset + from * 8;
  const last = offset + to * 8;
  unmaskBytes(bytes, start, first, turn(key, position));
  unmaskWords(words, from, to, turn(key, position + first - start));
  unmaskBytes(bytes, last, end, turn(key, position + last - start));
}

/** Unmasks bytes one by one: `key` has been turned, its first byte is for the first of them. */
function unmaskBytes(bytes: Uint8Array, start: number, end: number, key: number): void {
  let i = start;
  // Four in one turn of the loop: the loop itself costs as much as a byte.
  for (; i + 3 < end; i += 4) {
    bytes[i]! ^= key;
    bytes[i + 1]! ^= key >> 8;
    bytes[i + 2]! ^= key >> 16;
    bytes[i + 3]! ^= key >> 24;
  }
  for (let shift = 0; i < end; i++, shift += 8) bytes[i]! ^= key >> shift;
}

/** Memory for a masking key, twice: as eight bytes, and as one word. */
const KEY_BYTES = new Uint8Array(8);
const KEY_WORD = new BigUint64Array(KEY_BYTES.buffer);

/** Unmasks whole words: `key` has been turned, its first byte is for the first of the first word. */
function unmaskWords(words: BigUint64Array, from: number, to: number, key: number): void {
  for (let i = 0; i < 8; i++) KEY_BYTES[i] = key >> ((i & 3) * 8);
  const word = KEY_WORD[0]!;
  let i = from;
  for (; i + 3 < to; i += 4) {
    words[i]! ^= word;
    words[i + 1]! ^= word;
    words[i + 2]! ^= word;
    words[i + 3]! ^= word;
  }
  for (; i < to; i++) words[i]! ^= word;
}

/**
 * The bytes of something that arrives in pieces. Each is copied to its place once, and again only
 * when more arrives than memory was reserved for.
 */
class Gathering {
  #memory: Uint8Array = NO_BYTES;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /**
   * Adds `bytes`. `announced` is how many bytes there will be in all, as the peer says: memory for
   * them is reserved, but for `TRUST` times what has arrived at most.
   */
  add(bytes: Uint8Array, announced: number): void {
    const length = this.#length + bytes.length;
    if (length > this.#memory.length) {
      const trusted = Math.min(announced, length * TRUST);
      this.#grow(Math.max(length, trusted, this.#memory.length * 2));
    }
    this.#memory.set(bytes, this.#length);
    this.#length = length;
  }

  #grow(size: number): void {
    const { buffer, byteOffset } = Buffer.allocUnsafe(size);
    const memory = new Uint8Array(buffer, byteOffset, size);
    memory.set(this.since(0));
    this.#memory = memory;
  }

  /** The bytes from `start` on, up to `end`. A view: it is right until they are taken. */
  since(start: number, end = this.#length): Uint8Array {
    return this.#memory.subarray(start, end);
  }

  unmask(start: number, key: number, position: number): void {
    const memory = this.#memory;
    unmaskPart(memory, wordsOf(memory), start, this.#length, key, position);
  }

  /** Takes all the bytes out. They are the caller's. */
  take(): Uint8Array {
    const bytes = this.since(0);
    this.#memory = NO_BYTES;
    this.#length = 0;
    return bytes;
  }
}

/** The first bytes that a frame may have: FIN or not, no RSV bit, and a known opcode. */
const LEGAL_FIRST_BYTES = new Set([0x00, 0x01, 0x02, 0x80, 0x81, 0x82, 0x88, 0x89, 0x8a]);

/** The longest header there is, in bytes. */
const MAX_HEADER_BYTES = 14;

/**
 * Steps 3, 4 and 7 · Messages where they are.
 *
 * Puts messages together as the reader of lesson 02 does, and copies no more than it has to: a
 * message that has arrived in one read is a view of that read. RFC 6455 §5.2–§5.6, §8.1, §10.4
 */
export class MessageReader {
  readonly #role: Role;
  readonly #maxMessageBytes: number;
  /** The read that is being taken apart, the same as words, and how far it is. */
  #chunk = NO_BYTES;
  #words = NO_WORDS;
  #at = 0;
  /** The reads that came after it. `#next` is the first that has not been begun. */
  #waiting: Buffer[] = [];
  #next = 0;
  /** The bytes of a header that goes on in the next read. */
  #cutHeader: Uint8Array = NO_BYTES;
  /** The frame whose payload is arriving. `#missing`: how many bytes of it; −1: there is none. */
  #fin = false;
  #opcode = 0;
  #key = 0;
  #missing = -1;
  /** Where in its payload the next byte is. */
  #position = 0;
  /** Text or Binary while a fragmented message is open, `undefined` between messages. */
  #openOpcode: number | undefined;
  /** A message that has arrived in pieces, and a control frame that has. `undefined`: there is none. */
  #message: Gathering | undefined;
  #control: Gathering | undefined;
  /** How many bytes of the message have been found to be UTF-8. */
  #checked = 0;

  /** Makes a reader for our `role` that accepts messages of up to `maxMessageBytes`. */
  constructor(role: Role = 'server', maxMessageBytes = MAX_MESSAGE_BYTES) {
    this.#role = role;
    this.#maxMessageBytes = maxMessageBytes;
  }

  /**
   * Step 3 · Stores the bytes of one read. The chunk stays the caller's: it is copied, not
   * changed, and the caller may use its memory again when `push` has returned.
   */
  push(chunk: Uint8Array): void {
    this.own(Buffer.from(chunk));
  }

  /**
   * Step 3 · Takes over the bytes of one read, and their memory: nobody else may look at it or
   * change it from now on. It is unmasked in place, and messages are views of it.
   */
  own(chunk: Uint8Array): void {
    const bytes = Buffer.isBuffer(chunk) ? chunk : asBuffer(chunk);
    const isIdle = this.#at === this.#chunk.length && this.#next === this.#waiting.length;
    if (isIdle) this.#begin(bytes);
    else this.#waiting.push(bytes);
  }

  #begin(chunk: Buffer): void {
    this.#chunk = chunk;
    // Once for all the payloads in it: a view costs more than to unmask a short one.
    this.#words = wordsOf(chunk);
    this.#at = 0;
  }

  /**
   * Steps 3, 4 and 7 · Returns the next message or control frame, or `undefined` when more bytes
   * are needed. The bytes are the caller's, but a binary message may share its `buffer` with
   * others of the same read. A text in pieces is checked as it arrives, and decoded once.
   *
   * Throws `ProtocolError` as the reader of lesson 02 does, and is of no more use then: 1002 and
   * 1009 at the header, 1007 as soon as a text has a byte that is not UTF-8.
   */
  read(): Message | undefined {
    while (this.#hasBytes() || this.#missing === 0) {
      if (this.#missing < 0) {
        this.#readHeader();
      } else {
        const message = this.#readPayload();
        if (message) return message;
      }
    }
    return undefined;
  }

  /** Is there a byte to read? Goes on to the next read when one is used up. */
  #hasBytes(): boolean {
    while (this.#at === this.#chunk.length && this.#next < this.#waiting.length) {
      this.#begin(this.#waiting[this.#next]!);
      this.#waiting[this.#next++] = NO_BYTES;
    }
    if (this.#at < this.#chunk.length) return true;
    // An idle connection keeps no memory.
    this.#begin(NO_BYTES);
    if (this.#next > 0) this.#waiting = [];
    this.#next = 0;
    return false;
  }

  /** Reads a header, or the part of it that is here. */
  #readHeader(): void {
    if (this.#cutHeader.length > 0) {
      this.#readCutHeader();
      return;
    }
    const size = this.#decodeHeader(this.#chunk, this.#at);
    if (size === 0) this.#cutHeader = new Uint8Array(this.#chunk.subarray(this.#at));
    this.#at = size === 0 ? this.#chunk.length : this.#at + size;
  }

  #readCutHeader(): void {
    const before = this.#cutHeader;
    const more = this.#chunk.subarray(this.#at, this.#at + MAX_HEADER_BYTES - before.length);
    const header = Buffer.concat([before, more]);
    const size = this.#decodeHeader(header, 0);
    this.#cutHeader = size === 0 ? header : NO_BYTES;
    this.#at += (size || header.length) - before.length;
  }

  /**
   * Decodes a header into fields of the reader, and makes no object. Returns its size, or 0 while
   * bytes of it are missing. What is not ordinary is decoded and checked as in lesson 02.
   */
  #decodeHeader(bytes: Uint8Array, at: number): number {
    const available = bytes.length - at;
    if (available < 2) return 0;
    const first = bytes[at]!;
    const masked = bytes[at + 1]! >= 0x80;
    const length7 = bytes[at + 1]! & 0x7f;
    const keyAt = 2 + (length7 === 127 ? 8 : length7 === 126 ? 2 : 0);
    const size = keyAt + (masked ? 4 : 0);
    if (available < size) return 0;

    let length = length7 === 126 ? bytes[at + 2]! * 256 + bytes[at + 3]! : length7;
    const isOrdinary =
      LEGAL_FIRST_BYTES.has(first) &&
      masked === (this.#role === 'server') &&
      (length7 < 126 || (length7 === 126 && length >= 126 && first < 0x88));
    if (!isOrdinary) {
      const header = decodeHeader(bytes, at)!;
      checkHeader(header, this.#role);
      length = header.payloadLength;
    }
    if (!isControl(first & 0x0f)) this.#checkMessage(first & 0x0f, length);
    this.#fin = first >= 0x80;
    this.#opcode = first & 0x0f;
    this.#key = masked ? keyOf(bytes, at + keyAt) : 0;
    this.#missing = length;
    this.#position = 0;
    return size;
  }

  /** Checks the header of a data frame against the message it belongs to. */
  #checkMessage(opcode: number, length: number): void {
    const continues = opcode === Opcode.Continuation;
    if (continues !== (this.#openOpcode !== undefined)) {
      const message = continues
        ? 'A continuation frame with nothing to continue.'
        : 'A new message before the open one has ended.';
      throw new ProtocolError(CloseCode.ProtocolError, '5.4', message);
    }
    if ((this.#message?.length ?? 0) + length > this.#maxMessageBytes) {
      const message = `A message of more than ${this.#maxMessageBytes} bytes.`;
      throw new ProtocolError(CloseCode.MessageTooBig, '10.4', message);
    }
  }

  /** Reads as much of a payload as there is. Returns the message when that was the last of it. */
  #readPayload(): Message | undefined {
    const start = this.#at;
    const end = Math.min(start + this.#missing, this.#chunk.length);
    const isWhole = this.#position === 0 && end - start === this.#missing;
    this.#at = end;
    this.#missing -= end - start;
    if (isControl(this.#opcode)) return this.#readControl(start, end, isWhole);
    if (isWhole && this.#fin && this.#openOpcode === undefined) {
      this.#missing = -1;
      this.#unmask(start, end);
      return this.#opcode === Opcode.Text
        ? { type: 'text', data: decodeText(this.#chunk, start, end) }
        : { type: 'binary', data: viewOf(this.#chunk, start, end) };
    }
    this.#message ??= new Gathering();
    this.#gather(this.#message, start, end);
    return this.#messageSoFar(this.#message);
  }

  #readControl(start: number, end: number, isWhole: boolean): Message | undefined {
    if (isWhole) {
      this.#unmask(start, end);
    } else {
      this.#control ??= new Gathering();
      this.#gather(this.#control, start, end);
      if (this.#missing > 0) return undefined;
    }
    this.#missing = -1;
    const payload = this.#control?.take() ?? viewOf(this.#chunk, start, end);
    this.#control = undefined;
    if (this.#opcode === Opcode.Close) return { type: 'close', payload };
    return { type: this.#opcode === Opcode.Ping ? 'ping' : 'pong', payload };
  }

  /** Unmasks a whole payload where it is. */
  #unmask(start: number, end: number): void {
    if (this.#key !== 0) unmaskPart(this.#chunk, this.#words, start, end, this.#key, 0);
  }

  /** Copies a piece of a payload to its place, and unmasks it there. */
  #gather(gathering: Gathering, start: number, end: number): void {
    const before = gathering.length;
    gathering.add(this.#chunk.subarray(start, end), before + (end - start) + this.#missing);
    if (this.#key !== 0) gathering.unmask(before, this.#key, this.#position);
    this.#position += end - start;
  }

  /** Returns the message in pieces when it is complete, and checks a text as far as it goes. */
  #messageSoFar(message: Gathering): Message | undefined {
    const isComplete = this.#missing === 0 && this.#fin;
    this.#openOpcode ??= this.#opcode;
    const isText = this.#openOpcode === Opcode.Text;
    if (isText) this.#checked = checkText(message, this.#checked, isComplete);
    if (this.#missing === 0) this.#missing = -1;
    if (!isComplete) return undefined;
    this.#openOpcode = undefined;
    this.#message = undefined;
    this.#checked = 0;
    const data = message.take();
    return isText ? { type: 'text', data: asBuffer(data).toString() } : { type: 'binary', data };
  }
}

/** A part of a read, without a copy. */
function viewOf({ buffer, byteOffset }: Uint8Array, start: number, end: number): Uint8Array {
  return new Uint8Array(buffer, byteOffset + start, end - start);
}

/** The same bytes as a `Buffer`, without a copy. */
function asBuffer({ buffer, byteOffset, length }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, length);
}

/**
 * Decodes a whole text from a read. Throws `ProtocolError` 1007 when it is not UTF-8: `toString`
 * makes U+FFFD of what is not, and only where there is one, the bytes are looked at. RFC 6455 §8.1
 */
function decodeText(bytes: Buffer, start: number, end: number): string {
  const text = bytes.toString('utf8', start, end);
  if (text.includes('\uFFFD') && !isUtf8(viewOf(bytes, start, end))) throw invalidText();
  return text;
}

function invalidText(): ProtocolError {
  return new ProtocolError(CloseCode.InvalidPayload, '8.1', 'A text that is not valid UTF-8.');
}

/**
 * Checks what has arrived of a text, from byte `checked` on. Returns up to where it is known to be
 * UTF-8: a character may be cut. Throws `ProtocolError` 1007 as soon as no text can go on like it.
 */
function checkText(text: Gathering, checked: number, isComplete: boolean): number {
  const end = isComplete ? text.length : text.length - cutCharacter(text.since(checked));
  const begun = text.since(end);
  if (!isUtf8(text.since(checked, end)) || !canGoOn(begun)) throw invalidText();
  return end;
}

/** How many bytes at the end are the beginning of a character that goes on. */
function cutCharacter(bytes: Uint8Array): number {
  for (let size = 1; size <= Math.min(3, bytes.length); size++) {
    const byte = bytes[bytes.length - size]!;
    const isFirst = byte >= 0xc0;
    if (isFirst) return size < characterSize(byte) ? size : 0;
    if (byte < 0x80) return 0;
  }
  return 0;
}

function characterSize(first: number): number {
  return first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
}

/**
 * Says whether a character can begin with these bytes. What follows a first byte is a range that
 * always has one of its ends at 80 or BF: so one of the two makes a character, or none does.
 */
function canGoOn(begun: Uint8Array): boolean {
  if (begun.length === 0) return true;
  const size = characterSize(begun[0]!);
  return [0x80, 0xbf].some((last) => {
    const character = new Uint8Array(size).fill(last);
    character.set(begun);
    return isUtf8(character);
  });
}

/** Memory for short texts, and how much of it has been used. No byte of it is used twice. */
let textMemory = Buffer.alloc(0);
let textsEnd = 0;

/**
 * Step 7 · Text without a detour.
 *
 * Encodes text as UTF-8, as lesson 03 does, but takes no memory for each text: short ones share
 * pieces of `OUTPUT_MEMORY_BYTES`. What has been returned never changes. Throws `TypeError` for
 * half of a surrogate pair. RFC 6455 §5.6
 */
export function encodeText(text: string): Uint8Array {
  if (!text.isWellFormed()) throw new TypeError('The text has half of a surrogate pair in it.');
  const most = text.length * 3; // No character takes more for each of its units.
  if (most > LONG_BYTES) return Buffer.from(text);
  if (textsEnd + most > textMemory.length) {
    textMemory = Buffer.allocUnsafeSlow(OUTPUT_MEMORY_BYTES);
    textsEnd = 0;
  }
  const start = textsEnd;
  textsEnd += textMemory.write(text, start);
  return textMemory.subarray(start, textsEnd);
}

/** The longest header of a frame that is not masked, in bytes. */
const MAX_PLAIN_HEADER_BYTES = 10;

/**
 * Steps 5 and 6 · One memory for all answers.
 *
 * Writes frames one behind the other into memory that is taken in large pieces, for all the
 * connections there are. No byte of it is used twice: what has been taken out never changes.
 * RFC 6455 §5.2
 */
export class Output {
  #memory = Buffer.alloc(0);
  /** Where in it the part begins that has not been taken out, and where it ends. */
  #start = 0;
  #end = 0;
  #parts: Uint8Array[] = [];

  /**
   * Step 5 · Adds a frame as a server sends it, unmasked. From `LONG_BYTES` on, the payload is not
   * copied: it becomes a part by itself, and has to stay as it is until it is written.
   */
  add(frame: Frame): void {
    const { length } = frame.payload;
    const isLong = length >= LONG_BYTES;
    this.#reserve(MAX_PLAIN_HEADER_BYTES + (isLong ? 0 : length));
    this.#writeHeader(frame, length);
    if (isLong) {
      this.#endPart();
      this.#parts.push(frame.payload);
    } else {
      this.#memory.set(frame.payload, this.#end);
      this.#end += length;
    }
  }

  /** Step 5 · Takes out what was added, as parts that follow one another. None: nothing was. */
  take(): Uint8Array[] {
    this.#endPart();
    const parts = this.#parts;
    this.#parts = [];
    return parts;
  }

  #reserve(size: number): void {
    if (this.#end + size <= this.#memory.length) return;
    this.#endPart();
    this.#memory = Buffer.allocUnsafeSlow(OUTPUT_MEMORY_BYTES);
    this.#start = this.#end = 0;
  }

  #endPart(): void {
    if (this.#end > this.#start) this.#parts.push(this.#memory.subarray(this.#start, this.#end));
    this.#start = this.#end;
  }

  #writeHeader({ fin, rsv1, opcode }: Frame, length: number): void {
    const memory = this.#memory;
    memory[this.#end++] = (fin ? 0x80 : 0) | (rsv1 ? 0x40 : 0) | opcode;
    if (length <= 125) {
      memory[this.#end++] = length;
    } else if (length <= 65535) {
      memory[this.#end++] = 126;
      memory[this.#end++] = length >> 8;
      memory[this.#end++] = length;
    } else {
      memory[this.#end++] = 127;
      this.#end = memory.writeBigUInt64BE(BigInt(length), this.#end);
    }
  }
}

/** What all connections write into: each takes its bytes out before the next one begins. */
const OUTPUT = new Output();

/** A reader that takes over whatever it is given. */
class OwningReader extends MessageReader {
  override push(chunk: Uint8Array): void {
    this.own(chunk);
  }
}

/** Where nothing was agreed on with the client, we are an extension that changes nothing. */
const OURS: Extension = {
  readerFor: (maxMessageBytes) => new OwningReader('server', maxMessageBytes),
  framesFor: fragment,
};

/**
 * Steps 3 and 5–8 · A connection without a socket.
 *
 * The one of lesson 05 with the reader and the output of this lesson.
 */
export class Connection extends ReadableConnection {
  /** Was an extension agreed on with the client? It makes its own frames of each message. */
  readonly isExtended: boolean;
  /** Does the socket take nothing at the moment? */
  #isHeld = false;

  /** Starts after the opening handshake, as in lesson 05. */
  constructor(limits: Limits, now: () => number, wake: () => void, extension?: Extension) {
    super(limits, now, wake, extension ?? OURS);
    this.isExtended = extension !== undefined;
  }

  /** Receives the bytes of one read. They stay the caller's: what is kept of them is copied. */
  override receive(chunk: Uint8Array): void {
    super.receive(this.isExtended ? chunk : new Uint8Array(chunk));
  }

  /**
   * Step 3 · Receives the bytes of one read, and takes over their memory: nobody else may look at
   * it or change it from now on.
   */
  receiveOwn(chunk: Uint8Array): void {
    super.receive(chunk);
  }

  /** Step 7 · Sends a message, as in lesson 05. */
  override send(data: string | Uint8Array, options?: SendOptions): boolean {
    return this.isExtended ? super.send(data, options) : this.sendFrames(framesOf(data));
  }

  /** Step 3 · Sends a message that is cut into frames already, as in lesson 05. */
  override sendFrames(frames: readonly Frame[]): boolean {
    return super.sendFrames(this.#isHeld ? frames.map(withoutRead) : frames);
  }

  /**
   * Step 3 · Is told whether the socket takes nothing at the moment. What is sent then may wait for
   * long, and is copied if it is short: a few bytes that are a view keep all of their read.
   */
  hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
  }

  /**
   * Steps 5 and 6 · Returns the bytes to write next as parts that follow one another,
   * `MAX_OUTPUT_BYTES` or a little more in all. None: nothing waits.
   */
  takeParts(): Uint8Array[] {
    OUTPUT.take(); // An error may have left something there, of another connection.
    for (const frame of this.takeFrames()) OUTPUT.add(frame);
    return OUTPUT.take();
  }

  /** Returns the bytes to write next, in one piece. Empty: nothing waits. */
  override takeOutput(): Uint8Array {
    return Buffer.concat(this.takeParts());
  }
}

function framesOf(data: string | Uint8Array): Frame[] {
  return typeof data === 'string'
    ? fragment(Opcode.Text, encodeText(data), MAX_FRAGMENT_BYTES)
    : fragment(Opcode.Binary, data, MAX_FRAGMENT_BYTES);
}

/** Replaces a short payload by a copy: it may be a view of a read. */
function withoutRead(frame: Frame): Frame {
  if (frame.payload.length >= LONG_BYTES) return frame;
  return { ...frame, payload: new Uint8Array(frame.payload) };
}

/**
 * Steps 1, 3 and 6 · On a socket.
 *
 * Puts an accepted connection on its socket, as in lesson 05. A read is one turn: it goes to the
 * core, its events to `handle`, and what `handle` sends leaves in one write. Takes over the memory
 * of the reads of a `net.Socket`, unless somebody else reads it as well; copies the others.
 *
 * An error that `handle` throws fails the connection with 1011. When it has failed or closed
 * already, as at an `error` or `close` event, nobody would hear of the error: it is thrown on, and
 * Node reports it as uncaught.
 */
export function attach(
  socket: Duplex,
  opening: Accepted,
  handle: Handler,
  limits: Limits = LIMITS,
): Connection {
  return new Attachment(socket, opening, handle, limits).connection;
}

/** A connection and its socket. Methods instead of closures: there may be many thousands of it. */
class Attachment {
  readonly connection: Connection;
  readonly #socket: Duplex;
  readonly #handle: Handler;
  /** How many turns are on, or scheduled. What is sent now leaves with them. */
  #turnsAhead = 0;
  /** Does the peer read more slowly than we write? */
  #isHeld = false;
  #timer: NodeJS.Timeout | undefined;
  /** When the timer fires. */
  #timerAt = NEVER;

  constructor(socket: Duplex, opening: Accepted, handle: Handler, limits: Limits) {
    const { answer, upgrade, protocol, extension, rest } = opening;
    this.#socket = socket;
    this.#handle = handle;
    this.connection = new Connection(limits, now, () => this.#wake(), extension);
    socket.on('data', (chunk: Uint8Array) => this.#read(chunk));
    socket.on('drain', () => {
      this.connection.heard();
      this.#turn();
    });
    socket.on('end', () => socket.end());
    socket.on('error', ignore);
    socket.on('close', () => this.#close());

    socket.write(answer);
    socket.resume(); // Somebody may have paused it until now.
    this.connection.receive(rest);
    this.#turn({ type: 'open', upgrade, protocol });
  }

  #read(chunk: Uint8Array): void {
    if (isOurs(this.#socket)) this.connection.receiveOwn(chunk);
    else this.connection.receive(chunk);
    this.#turn();
  }

  #close(): void {
    clearTimeout(this.#timer);
    this.connection.disconnect();
    this.#turn();
  }

  /** Sees to it that there is a turn. */
  #wake(): void {
    if (this.#turnsAhead === 0) this.#scheduleTurn();
  }

  /** Begins a turn once the present code has ended, so that what it sends leaves in one write. */
  #scheduleTurn(): void {
    this.#turnsAhead++;
    queueMicrotask(() => {
      this.#turnsAhead--;
      this.#turn();
    });
  }

  /** Handles what there is, sends what that makes, and sets the clock, whatever `handle` throws. */
  #turn(first?: ConnectionEvent): void {
    const { connection } = this;
    this.#turnsAhead++;
    try {
      for (let event = first ?? connection.next(); event; event = connection.next()) {
        this.#emit(event);
      }
    } finally {
      this.#turnsAhead--;
      this.#flush();
      this.#setTimer();
    }
  }

  /** Lets the application have an event. */
  #emit(event: ConnectionEvent): void {
    try {
      this.#handle(this.connection, event);
    } catch (error) {
      if (event.type === 'close' || this.connection.ending) {
        this.#scheduleTurn(); // This one ends here, and there may be more events.
        throw error;
      }
      this.connection.fail(error);
    }
  }

  #flush(): void {
    const { connection } = this;
    const socket = this.#socket;
    if (connection.ending === 'destroy') socket.destroy();
    if (!socket.writable) return;
    while (!isBehind(socket)) {
      const parts = connection.takeParts();
      if (parts.length === 0) break;
      write(socket, parts);
    }
    this.#hold(isBehind(socket));
    if (this.#isHeld) return;
    if (connection.ending === 'hangUp') socket.end();
    // In a turn of its own: an application that sends more at each `drain` would starve the others.
    if (connection.owesDrain) setImmediate(() => this.#drain());
  }

  /** Reading on would make answers that nobody takes: they would pile up here. */
  #hold(isHeld: boolean): void {
    if (isHeld === this.#isHeld) return;
    this.#isHeld = isHeld;
    this.connection.hold(isHeld);
    if (isHeld) this.#socket.pause();
    else this.#socket.resume();
  }

  #drain(): void {
    this.connection.drained();
    this.#turn();
  }

  #setTimer(): void {
    const { deadline = NEVER } = this.connection;
    // A timer that fires too early only sets itself again: cheaper than to move it at each read.
    if (deadline >= this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = deadline;
    this.#timer = setTimeout(() => this.#onTimer(), Math.max(0, deadline - now()));
  }

  #onTimer(): void {
    this.#timerAt = NEVER;
    this.connection.checkTime();
    this.#turn();
  }
}

/**
 * Is it we alone who have what is read? Each read of a `net.Socket` has memory of its own; what other
 * streams hand out may be in use. A loop over a socket listens to `readable`.
 */
function isOurs(socket: Duplex): boolean {
  if (!(socket instanceof Socket)) return false;
  return socket.listenerCount('data') === 1 && socket.listenerCount('readable') === 0;
}

/** Does the peer read more slowly than we write? A corked write may leave only the first one set. */
function isBehind(socket: Duplex): boolean {
  return socket.writableNeedDrain && socket.writableLength > 0;
}

/**
 * Writes parts that follow one another. A `net.Socket` that is corked writes them in one call of the
 * system; others need not, and get them in one piece.
 */
function write(socket: Duplex, parts: readonly Uint8Array[]): void {
  if (parts.length === 1 || !(socket instanceof Socket)) {
    socket.write(parts.length === 1 ? parts[0] : Buffer.concat(parts));
    return;
  }
  socket.cork();
  for (const part of parts) socket.write(part);
  socket.uncork();
}

const now = () => performance.now();
const NEVER = Number.POSITIVE_INFINITY;

/** For the `error` of a socket, most of the time a reset: `close` follows, and that is handled. */
const ignore = () => {};

/**
 * Step 8 · Once for everybody.
 *
 * The server of lesson 05 on the connections of this one. RFC 6455 §4.2
 */
export class WebSocketServer extends ReadableServer {
  /** Makes a server that tells `handle` what happens on each of its connections. */
  constructor(handle: Handler, options: Options = {}) {
    super(handle, { ...options, attach });
  }

  /** Step 8 · Sends a message to every open connection but `except`. It is encoded once. */
  override broadcast(data: string | Uint8Array, except?: ReadableConnection): void {
    const frames = framesOf(data);
    for (const connection of this.connections) {
      if (connection === except) continue;
      // An extension makes its own frames for each connection.
      const isExtended = connection instanceof Connection && connection.isExtended;
      if (isExtended) connection.send(data);
      else connection.sendFrames(frames);
    }
  }
}

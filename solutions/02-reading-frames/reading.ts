import {
  CloseCode,
  type Frame,
  isControl,
  MAX_CONTROL_PAYLOAD,
  type Message,
  Opcode,
  ProtocolError,
  type Role,
} from '../../shared/protocol.ts';

/** The first two bytes of a frame, taken apart. */
export interface FirstBytes {
  /** Is this the last frame of its message? */
  readonly fin: boolean;
  /** RSV1, RSV2 and RSV3 as a number from 0 to 7. */
  readonly rsv: number;
  /** 0 to 15. */
  readonly opcode: number;
  readonly masked: boolean;
  /** 0 to 127; 126 and 127 say that the real length follows. */
  readonly length7: number;
}

/** Everything in a frame before its payload. */
export interface FrameHeader {
  readonly fin: boolean;
  readonly rsv: number;
  readonly opcode: number;
  /** Four bytes. `undefined`: the frame is not masked. */
  readonly maskingKey: Uint8Array | undefined;
  /** In bytes. Above 2^53, it may be rounded. */
  readonly payloadLength: number;
  /** Size of the header itself, in bytes: 2 to 14. */
  readonly headerLength: number;
}

/** The largest message we accept unless told otherwise: 16 MiB. */
export const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

/**
 * Step 1 · The first two bytes.
 *
 * Takes the first two bytes of a frame apart: FIN, RSV, opcode; MASK, length. RFC 6455 §5.2
 */
export function decodeFirstBytes(first: number, second: number): FirstBytes {
  return {
    fin: (first & 0x80) !== 0,
    rsv: (first >> 4) & 0x07,
    opcode: first & 0x0f,
    masked: (second & 0x80) !== 0,
    length7: second & 0x7f,
  };
}

/**
 * Step 2 · Lengths beyond 125.
 *
 * Decodes the frame header that starts at `offset`. Returns `undefined` while bytes of it are
 * missing, and consumes nothing: call it again with more.
 *
 * Throws `ProtocolError` 1002 when the length is not in its shortest form, or its most
 * significant bit is set. RFC 6455 §5.2
 */
export function decodeHeader(bytes: Uint8Array, offset = 0): FrameHeader | undefined {
  const available = bytes.length - offset;
  if (available < 2) return undefined;
  const { fin, rsv, opcode, masked, length7 } = decodeFirstBytes(
    bytes[offset]!,
    bytes[offset + 1]!,
  );

  const lengthBytes = length7 === 127 ? 8 : length7 === 126 ? 2 : 0;
  const headerLength = 2 + lengthBytes + (masked ? 4 : 0);
  if (available < headerLength) return undefined;

  const payloadLength = lengthBytes === 0 ? length7 : decodeLength(bytes, offset + 2, lengthBytes);
  const keyAt = offset + 2 + lengthBytes;
  const maskingKey = masked ? fourBytes(bytes, keyAt) : undefined;
  return { fin, rsv, opcode, maskingKey, payloadLength, headerLength };
}

/** Copies four bytes. For so few, this is quicker than a copy of a part. */
function fourBytes(bytes: Uint8Array, at: number): Uint8Array {
  return Uint8Array.of(bytes[at]!, bytes[at + 1]!, bytes[at + 2]!, bytes[at + 3]!);
}

function decodeLength(bytes: Uint8Array, offset: number, size: 2 | 8): number {
  if (size === 8 && bytes[offset]! >= 0x80) {
    throw new ProtocolError(
      CloseCode.ProtocolError,
      '5.2',
      'The most significant bit of a 64-bit length is set.',
    );
  }
  // Exact to 2^53; what is rounded above that is far beyond every limit.
  let length = 0;
  for (let i = 0; i < size; i++) length = length * 256 + bytes[offset + i]!;
  if (length < (size === 2 ? 126 : 65536)) {
    throw new ProtocolError(
      CloseCode.ProtocolError,
      '5.2',
      `The length ${length} is not in its shortest form.`,
    );
  }
  return length;
}

/**
 * Step 3 · Unmasking.
 *
 * Unmasks bytes in place: byte i of a payload is XORed with byte i mod 4 of the key. `position`
 * is the place of `bytes[0]` in its payload, for a payload that arrives in pieces. RFC 6455 §5.3
 */
export function unmask(bytes: Uint8Array, maskingKey: Uint8Array, position = 0): void {
  // Whole words are quicker. Too few bytes are not worth preparing them.
  const start = bytes.length < 48 ? 0 : unmaskWords(bytes, maskingKey, position);
  unmaskBytes(bytes, maskingKey, position, start, bytes.length);
}

/** Unmasks the bytes from `start` up to `end`, one at a time. */
function unmaskBytes(
  bytes: Uint8Array,
  maskingKey: Uint8Array,
  position: number,
  start: number,
  end: number,
): void {
  for (let i = start; i < end; i++) bytes[i]! ^= maskingKey[(position + i) & 3]!;
}

/** Memory for a masking key: as four bytes, and as one word. */
const KEY_BYTES = new Uint8Array(4);
const KEY_WORD = new Uint32Array(KEY_BYTES.buffer);

/** Unmasks all but the last few bytes, a word of four at a time. Returns where it has stopped. */
function unmaskWords(bytes: Uint8Array, maskingKey: Uint8Array, position: number): number {
  // Words begin at multiples of four of the memory, wherever the bytes begin.
  const start = -bytes.byteOffset & 3;
  unmaskBytes(bytes, maskingKey, position, 0, start);
  // The first word begins `at` bytes into the payload: byte `at` mod 4 of the key comes first in it.
  const at = position + start;
  for (let i = 0; i < 4; i++) KEY_BYTES[(i - at) & 3] = maskingKey[i]!;
  const key = KEY_WORD[0]!;
  const words = new Uint32Array(
    bytes.buffer,
    bytes.byteOffset + start,
    (bytes.length - start) >> 2,
  );
  for (let i = 0; i < words.length; i++) words[i]! ^= key;
  return start + words.length * 4;
}

const NO_BYTES = new Uint8Array(0);

/**
 * Bytes that wait. Each is copied in once, and again only when the memory grows, to twice what
 * waits at least: so adding n bytes costs n, however they arrive. No memory is used twice: what
 * has been taken out stays as it is.
 */
class ByteQueue {
  #memory = NO_BYTES;
  /** As much of the memory as has been written. */
  #written = NO_BYTES;
  /** Where in it the waiting bytes start. What is before has been taken, and is not ours. */
  #start = 0;

  get length(): number {
    return this.#written.length - this.#start;
  }

  /** The bytes in the queue. A view: it is right until they are taken. */
  peek(): Uint8Array {
    return this.#written.subarray(this.#start);
  }

  /** Decodes the frame header at the front. `undefined`: bytes of it are missing. */
  decodeHeader(): FrameHeader | undefined {
    return decodeHeader(this.#written, this.#start);
  }

  push(chunk: Uint8Array): void {
    if (this.#written.length + chunk.length > this.#memory.length) this.#grow(chunk.length);
    const end = this.#written.length;
    this.#memory.set(chunk, end);
    this.#written = this.#memory.subarray(0, end + chunk.length);
  }

  #grow(by: number): void {
    const waiting = this.peek();
    const size = Math.max(waiting.length + by, waiting.length * 2);
    // Not set to zero first, which would take longer than the rest.
    const { buffer, byteOffset } = Buffer.allocUnsafe(size);
    this.#memory = new Uint8Array(buffer, byteOffset, size);
    this.#memory.set(waiting);
    this.#written = this.#memory.subarray(0, waiting.length);
    this.#start = 0;
  }

  /** Takes the first `count` bytes out. They are the caller's: the queue never touches them again. */
  take(count: number): Uint8Array {
    const taken = this.#written.subarray(this.#start, this.#start + count);
    this.skip(count);
    return taken;
  }

  skip(count: number): void {
    this.#start += count;
    if (this.#start < this.#written.length) return;
    this.#memory = this.#written = NO_BYTES; // An idle connection keeps no memory.
    this.#start = 0;
  }
}

/**
 * Steps 4 and 5 · A stream of frames.
 *
 * Puts frames together from reads of any size: `push` what arrives, then `read` until it
 * returns `undefined`. RFC 6455 §5.2, §6.2
 */
export class FrameReader {
  readonly #check: (header: FrameHeader) => void;
  readonly #received = new ByteQueue();
  /** The header of the frame whose payload is still arriving. */
  #header: FrameHeader | undefined;

  /**
   * Makes a reader that calls `check` once with each header, as soon as that is complete and the
   * frames before it have been returned, before its payload is waited for. A `check` that throws
   * refuses the frame.
   */
  constructor(check: (header: FrameHeader) => void = checkHeader) {
    this.#check = check;
  }

  /**
   * Stores the bytes of one read. The chunk stays the caller's: it is copied, not changed, and
   * the caller may use its memory again when `push` has returned.
   */
  push(chunk: Uint8Array): void {
    this.#received.push(chunk);
  }

  /**
   * Returns the next whole frame, unmasked, or `undefined` when more bytes are needed. The
   * payload is the caller's: the reader does not touch it again. Throws what `check` and
   * `decodeHeader` throw, after all the frames before the bad one have been returned. Of that one,
   * nothing is ever returned, not by a later call either.
   */
  read(): Frame | undefined {
    this.#header ??= this.#readHeader();
    if (this.#header === undefined) return undefined;
    const { fin, opcode, maskingKey, payloadLength } = this.#header;
    if (this.#received.length < payloadLength) return undefined;

    const payload = this.#received.take(payloadLength);
    if (maskingKey) unmask(payload, maskingKey);
    this.#header = undefined;
    return { fin, opcode, payload };
  }

  /**
   * Step 8 · A payload that is still arriving.
   *
   * Returns what has arrived of the payload that `read` waits for, from byte `from` on, unmasked,
   * as a copy. Empty while it waits for a header.
   */
  peek(from = 0): Uint8Array {
    if (this.#header === undefined) return NO_BYTES;
    const payload = this.#received.peek().slice(from);
    if (this.#header.maskingKey) unmask(payload, this.#header.maskingKey, from);
    return payload;
  }

  #readHeader(): FrameHeader | undefined {
    const header = this.#received.decodeHeader();
    if (header === undefined) return undefined;
    this.#check(header);
    this.#received.skip(header.headerLength);
    return header;
  }
}

const KNOWN_OPCODES: ReadonlySet<number> = new Set(Object.values(Opcode));

/**
 * Step 6 · Illegal frames.
 *
 * Checks a header against the rules that need nothing but the header. `role` is our own: a
 * server wants masked frames, a client unmasked ones.
 *
 * Throws `ProtocolError` 1002 for RSV bits, a reserved opcode, the wrong masking, and a control
 * frame that is fragmented or longer than 125 bytes. RFC 6455 §5.1, §5.2, §5.5
 */
export function checkHeader(header: FrameHeader, role: Role = 'server'): void {
  if (header.rsv !== 0) {
    throw new ProtocolError(
      CloseCode.ProtocolError,
      '5.2',
      'An RSV bit is set, and no extension defines it.',
    );
  }
  if (!KNOWN_OPCODES.has(header.opcode)) {
    throw new ProtocolError(CloseCode.ProtocolError, '5.2', `Opcode ${header.opcode} is reserved.`);
  }
  if (role === 'server' && !header.maskingKey) {
    throw new ProtocolError(CloseCode.ProtocolError, '5.1', 'A client has to mask its frames.');
  }
  if (role === 'client' && header.maskingKey) {
    throw new ProtocolError(CloseCode.ProtocolError, '5.1', 'A server may not mask its frames.');
  }
  if (isControl(header.opcode) && !header.fin) {
    throw new ProtocolError(
      CloseCode.ProtocolError,
      '5.5',
      'A control frame may not be fragmented.',
    );
  }
  if (isControl(header.opcode) && header.payloadLength > MAX_CONTROL_PAYLOAD) {
    throw new ProtocolError(
      CloseCode.ProtocolError,
      '5.5',
      'A control frame carries at most 125 bytes.',
    );
  }
}

/**
 * How many pieces of a text are joined at once. A string that grows by `+=` keeps each piece as
 * an object of its own, which takes many times the memory when a peer sends a byte at a time.
 */
const MAX_PIECES = 1000;

/** Where messages get their frames from: a `FrameReader`, or what an extension has in its place. */
export type FrameSource = Pick<FrameReader, 'push' | 'read' | 'peek'>;

/** A text on its way: decodes the bytes as they arrive, each once. RFC 6455 §5.6, §8.1 */
class TextAssembler {
  /** Decodes one text after the other. `undefined`: there was none so far. */
  #utf8: TextDecoder | undefined;
  /** As much of the text as has been decoded, up to the last pieces. */
  #text = '';
  /** What was decoded after that. */
  readonly #pieces: string[] = [];
  /** How many bytes of the frame that is still arriving have been decoded. */
  #seen = 0;

  /** Adds what is new of the frame that is still arriving in `frames`. */
  addArrived(frames: FrameSource): void {
    const arrived = frames.peek(this.#seen);
    this.#decode(arrived, false);
    this.#seen += arrived.length;
  }

  /** Adds the rest of a frame that is complete. `isLast`: the text ends with it. */
  add(payload: Uint8Array, isLast: boolean): void {
    this.#decode(payload.subarray(this.#seen), isLast);
    this.#seen = 0;
  }

  /** Takes out the text that has ended. */
  take(): string {
    const text = this.#text;
    this.#text = '';
    return text;
  }

  /** Throws `ProtocolError` 1007 as soon as there is a byte that is not UTF-8. */
  #decode(bytes: Uint8Array, isLast: boolean): void {
    // Fatal: throw at what is not UTF-8. Ignore the BOM: keep a leading U+FEFF as the text it is.
    this.#utf8 ??= new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    let piece: string;
    try {
      piece = this.#utf8.decode(bytes, { stream: !isLast });
    } catch {
      throw new ProtocolError(CloseCode.InvalidPayload, '8.1', 'A text that is not valid UTF-8.');
    }
    if (!isLast && this.#pieces.push(piece) !== MAX_PIECES) return;
    this.#text += this.#pieces.splice(0).join('');
    if (isLast) this.#text += piece;
  }
}

/**
 * Steps 7–9 · Messages.
 *
 * Puts messages together from frames: `push` what arrives, then `read` until it returns
 * `undefined`. Control frames are returned as they arrive, also between the fragments of a
 * message. RFC 6455 §5.4–§5.6, §8.1, §10.4
 */
export class MessageReader {
  readonly #role: Role;
  readonly #maxMessageBytes: number;
  readonly #frames: FrameSource;
  /** The header of the frame whose payload is arriving. `undefined`: none is. */
  #header: FrameHeader | undefined;
  /** Text or Binary while a fragmented message is open, `undefined` between messages. */
  #opcode: number | undefined;
  /** How many bytes the complete fragments of the open message have. */
  #messageBytes = 0;
  /** The payload of a binary message's complete fragments. */
  readonly #fragments = new ByteQueue();
  readonly #text = new TextAssembler();

  /**
   * Makes a reader for our `role` that accepts messages of up to `maxMessageBytes`. Its frames come
   * from what `makeFrames` makes, which calls `check` as a `FrameReader` does: an extension has
   * frames of its own.
   */
  constructor(
    role: Role = 'server',
    maxMessageBytes = MAX_MESSAGE_BYTES,
    makeFrames: (check: (header: FrameHeader) => void) => FrameSource = (check) =>
      new FrameReader(check),
  ) {
    this.#role = role;
    this.#maxMessageBytes = maxMessageBytes;
    this.#frames = makeFrames((header) => {
      this.#check(header);
      this.#header = header;
    });
  }

  /**
   * Stores the bytes of one read. The chunk stays the caller's: it is copied, not changed, and
   * the caller may use its memory again when `push` has returned.
   */
  push(chunk: Uint8Array): void {
    this.#frames.push(chunk);
  }

  /**
   * Returns the next message or control frame, or `undefined` when more bytes are needed.
   *
   * Throws `ProtocolError`, and is of no more use then. At the header, so that nothing of the frame
   * is ever returned: 1002 for what `checkHeader` refuses, a continuation of nothing, and a new
   * message inside an open one; 1009 when it announces more than `maxMessageBytes`. And 1007 as
   * soon as a text has a byte that is not UTF-8.
   */
  read(): Message | undefined {
    for (let frame = this.#frames.read(); frame; frame = this.#frames.read()) {
      this.#header = undefined;
      const message = isControl(frame.opcode) ? controlMessage(frame) : this.#assemble(frame);
      if (message) return message;
    }
    if (this.#header && this.#isText(this.#header)) this.#text.addArrived(this.#frames);
    return undefined;
  }

  #check(header: FrameHeader): void {
    checkHeader(header, this.#role);
    if (isControl(header.opcode)) return;
    this.#checkOrder(header);
    this.#checkSize(header);
  }

  #checkOrder(header: FrameHeader): void {
    const continues = header.opcode === Opcode.Continuation;
    if (continues && this.#opcode === undefined) {
      throw new ProtocolError(
        CloseCode.ProtocolError,
        '5.4',
        'A continuation frame with nothing to continue.',
      );
    }
    if (!continues && this.#opcode !== undefined) {
      throw new ProtocolError(
        CloseCode.ProtocolError,
        '5.4',
        'A new message before the open one has ended.',
      );
    }
  }

  #checkSize(header: FrameHeader): void {
    if (this.#messageBytes + header.payloadLength > this.#maxMessageBytes) {
      throw new ProtocolError(
        CloseCode.MessageTooBig,
        '10.4',
        `A message of more than ${this.#maxMessageBytes} bytes.`,
      );
    }
  }

  /** Says whether a frame is part of a text: of one that it begins, or of the open one. */
  #isText({ opcode }: Pick<Frame, 'opcode'>): boolean {
    return (this.#opcode ?? opcode) === Opcode.Text && !isControl(opcode);
  }

  /** Adds a data frame to its message. Returns the message when that was the last one. */
  #assemble(frame: Frame): Message | undefined {
    const { fin, opcode, payload } = frame;
    const isText = this.#isText(frame);
    // A binary message in one frame needs no joining: its payload is the message.
    const isWhole = fin && this.#opcode === undefined;
    if (isText) this.#text.add(payload, fin);
    else if (!isWhole) this.#fragments.push(payload);
    if (!fin) {
      this.#opcode ??= opcode;
      this.#messageBytes += payload.length;
      return undefined;
    }
    this.#opcode = undefined;
    this.#messageBytes = 0;
    if (isText) return { type: 'text', data: this.#text.take() };
    const data = isWhole ? payload : this.#fragments.take(this.#fragments.length);
    return { type: 'binary', data };
  }
}

function controlMessage({ opcode, payload }: Frame): Message {
  if (opcode === Opcode.Close) return { type: 'close', payload };
  return { type: opcode === Opcode.Ping ? 'ping' : 'pong', payload };
}

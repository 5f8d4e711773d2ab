/** Frames read with `DataView` and `BigInt`, out of one buffer that is moved up and grows. */
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

export const MAX_MESSAGE_BYTES = 2 ** 24;

const NOTHING = new Uint8Array(0);
const TOP_BIT = 1n << 63n;
const KNOWN = new Set<number>(Object.values(Opcode));

function viewOf(bytes: Uint8Array, offset = 0): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset + offset, bytes.length - offset);
}

export function decodeFirstBytes(first: number, second: number): FirstBytes {
  const bits = (first << 8) | second;
  return {
    fin: bits >= 0x8000,
    rsv: (bits & 0x7000) >> 12,
    opcode: (bits & 0x0f00) >> 8,
    masked: (bits & 0x0080) !== 0,
    length7: bits & 0x007f,
  };
}

export function decodeHeader(bytes: Uint8Array, offset = 0): FrameHeader | undefined {
  if (offset + 2 > bytes.length) return undefined;
  const view = viewOf(bytes, offset);
  const { fin, rsv, opcode, masked, length7 } = decodeFirstBytes(
    view.getUint8(0),
    view.getUint8(1),
  );
  const keyAt = length7 === 127 ? 10 : length7 === 126 ? 4 : 2;
  const headerLength = masked ? keyAt + 4 : keyAt;
  if (view.byteLength < headerLength) return undefined;
  const payloadLength = Number(decodeLength(view, length7));
  const maskingKey = masked
    ? new Uint8Array([0, 1, 2, 3].map((i) => view.getUint8(keyAt + i)))
    : undefined;
  return { fin, rsv, opcode, maskingKey, payloadLength, headerLength };
}

function decodeLength(view: DataView, length7: number): bigint {
  if (length7 < 126) return BigInt(length7);
  const length = length7 === 126 ? BigInt(view.getUint16(2)) : view.getBigUint64(2);
  if (length & TOP_BIT) throw new ProtocolError(1002, '5.2', 'The length has its top bit set.');
  if (length < (length7 === 126 ? 126n : 65536n)) {
    throw new ProtocolError(1002, '5.2', `The length ${length} has a shorter form.`);
  }
  return length;
}

export function unmask(bytes: Uint8Array, maskingKey: Uint8Array, position = 0): void {
  const turned = new Uint8Array(4);
  for (let i = 0; i < 4; i++) turned[i] = maskingKey[(position + i) % 4]!;
  const key = viewOf(turned).getUint32(0);
  const view = viewOf(bytes);
  const whole = bytes.length - (bytes.length % 4);
  for (let i = 0; i < whole; i += 4) view.setUint32(i, view.getUint32(i) ^ key);
  for (let i = whole; i < bytes.length; i++) view.setUint8(i, view.getUint8(i) ^ turned[i % 4]!);
}

export class FrameReader {
  readonly #check: (header: FrameHeader) => void;
  #buffer = NOTHING;
  #length = 0;
  #header: FrameHeader | undefined;
  /** Where the first byte is that has not been read. */
  #start = 0;

  constructor(check: (header: FrameHeader) => void = checkHeader) {
    this.#check = check;
  }

  push(chunk: Uint8Array): void {
    if (this.#length + chunk.length > this.#buffer.length) this.#makeRoom(chunk.length);
    this.#buffer.set(chunk, this.#length);
    this.#length += chunk.length;
  }

  /** Moves what waits to the front, of a larger buffer when less than half would be free. */
  #makeRoom(bytes: number): void {
    const waiting = this.#buffer.subarray(this.#start, this.#length);
    const isSmall = (waiting.length + bytes) * 2 > this.#buffer.length;
    if (isSmall) this.#buffer = new Uint8Array((waiting.length + bytes) * 2);
    this.#buffer.set(waiting);
    this.#length = waiting.length;
    this.#start = 0;
  }

  read(): Frame | undefined {
    const waiting = this.#buffer.subarray(this.#start, this.#length);
    if (this.#header === undefined) {
      const header = decodeHeader(waiting);
      if (header === undefined) return this.#pause();
      this.#check(header);
      this.#header = header;
      this.#start += header.headerLength;
    }
    const { fin, opcode, payloadLength } = this.#header;
    if (this.#length - this.#start < payloadLength) return this.#pause();
    const payload = this.peek();
    this.#start += payloadLength;
    this.#header = undefined;
    return { fin, opcode, payload };
  }

  /** Keeps no memory when nothing waits in it. */
  #pause(): undefined {
    if (this.#start < this.#length) return;
    this.#buffer = NOTHING;
    this.#start = 0;
    this.#length = 0;
  }

  peek(from = 0): Uint8Array {
    if (this.#header === undefined) return NOTHING;
    const { maskingKey, payloadLength } = this.#header;
    const end = Math.min(this.#start + payloadLength, this.#length);
    const copy = this.#buffer.slice(Math.min(this.#start + from, end), end);
    if (maskingKey) unmask(copy, maskingKey, from);
    return copy;
  }
}

export function checkHeader(header: FrameHeader, role: Role = 'server'): void {
  const { fin, rsv, opcode, maskingKey, payloadLength } = header;
  const refuse = (section: string, message: string) => {
    throw new ProtocolError(CloseCode.ProtocolError, section, message);
  };
  if (rsv > 0) refuse('5.2', 'Nobody has agreed on what this bit means.');
  if (!KNOWN.has(opcode)) refuse('5.2', `Nobody knows the opcode ${opcode}.`);
  if ((maskingKey === undefined) === (role === 'server')) refuse('5.1', 'Masked the wrong way.');
  if (isControl(opcode) && !fin) refuse('5.4', 'A control frame in pieces.');
  if (isControl(opcode) && payloadLength > 125) refuse('5.5', 'A control frame too long.');
}

/** The message that is open. */
class OpenMessage {
  readonly isText: boolean;
  bytes = 0;
  #text = '';
  readonly #pieces: string[] = [];
  readonly #chunks: Uint8Array[] = [];
  readonly #thousands: Uint8Array[] = [];
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

  constructor(opcode: number) {
    this.isText = opcode === Opcode.Text;
  }

  add(bytes: Uint8Array, end: boolean): void {
    if (!this.isText) {
      if (bytes.length > 0) this.#chunks.push(bytes);
      if (this.#chunks.length === 1000) this.#thousands.push(Buffer.concat(this.#chunks.splice(0)));
      return;
    }
    try {
      this.#pieces.push(this.#decoder.decode(bytes, { stream: !end }));
    } catch {
      throw new ProtocolError(CloseCode.InvalidPayload, '8.1', 'This text is not UTF-8.');
    }
    if (this.#pieces.length === 1000) this.#text += this.#pieces.splice(0).join('');
  }

  finish(): Message {
    if (this.isText) return { type: 'text', data: this.#text + this.#pieces.join('') };
    return { type: 'binary', data: Buffer.concat([...this.#thousands, ...this.#chunks]) };
  }
}

type FrameSource = Pick<FrameReader, 'push' | 'read' | 'peek'>;

export class MessageReader {
  readonly #frames: FrameSource;
  readonly #maxMessageBytes: number;
  #message: OpenMessage | undefined;
  /** Whether the frame that is arriving belongs to the open text. */
  #isText = false;
  /** How many bytes of that frame have been decoded. */
  #decoded = 0;

  constructor(
    role: Role = 'server',
    maxMessageBytes = MAX_MESSAGE_BYTES,
    makeFrames = (check: (header: FrameHeader) => void): FrameSource => new FrameReader(check),
  ) {
    this.#maxMessageBytes = maxMessageBytes;
    this.#frames = makeFrames((header) => {
      checkHeader(header, role);
      this.#isText = false;
      if (!isControl(header.opcode)) this.#checkOrder(header);
    });
  }

  #checkOrder({ opcode, payloadLength }: FrameHeader): void {
    if ((opcode === Opcode.Continuation) !== (this.#message !== undefined)) {
      throw new ProtocolError(CloseCode.ProtocolError, '5.4', 'This frame is out of order.');
    }
    if ((this.#message?.bytes ?? 0) + payloadLength > this.#maxMessageBytes) {
      throw new ProtocolError(CloseCode.MessageTooBig, '7.4.1', 'The message is too large.');
    }
    this.#message ??= new OpenMessage(opcode);
    this.#message.bytes += payloadLength;
    this.#isText = this.#message.isText;
    this.#decoded = 0;
  }

  push(chunk: Uint8Array): void {
    this.#frames.push(chunk);
  }

  read(): Message | undefined {
    for (let frame = this.#frames.read(); frame; frame = this.#frames.read()) {
      const { fin, opcode, payload } = frame;
      if (opcode === Opcode.Close) return { type: 'close', payload };
      if (opcode === Opcode.Ping) return { type: 'ping', payload };
      if (opcode === Opcode.Pong) return { type: 'pong', payload };
      this.#message?.add(payload.subarray(this.#decoded), fin);
      if (!fin) continue;
      const message = this.#message?.finish();
      this.#message = undefined;
      return message;
    }
    if (this.#isText) {
      const arrived = this.#frames.peek(this.#decoded);
      this.#message?.add(arrived, false);
      this.#decoded += arrived.length;
    }
    return undefined;
  }
}

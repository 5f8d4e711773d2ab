/** The slow, obvious way to do what the lessons teach: the oracle that they are compared with. */
import type { Frame } from '../protocol.ts';

/** A frame to put on the wire, legal or not. */
export interface WireFrame {
  readonly fin?: boolean;
  /** RSV1–RSV3 as a number from 0 to 7. */
  readonly rsv?: number;
  readonly opcode: number;
  readonly payload?: Uint8Array | string;
  /** Four bytes; `null` sends the frame unmasked. */
  readonly key?: Uint8Array | null;
  /** How many bytes the length has behind the second byte. Absent: as few as it needs. */
  readonly lengthBytes?: 0 | 2 | 8;
}

/** The masking key of the examples in RFC 6455 §5.7. */
export const KEY = Uint8Array.of(0x37, 0xfa, 0x21, 0x3d);

/** Encodes text as UTF-8. */
export function utf8(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** Joins byte arrays into one. */
export function join(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.concat(parts));
}

/** XORs byte i of a payload with byte i mod 4 of the key, into a copy. */
export function masked(
  payload: Uint8Array,
  key: Uint8Array,
  position = 0,
): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(payload);
  if (key.every((byte) => byte === 0)) return copy;
  for (let i = 0; i < copy.length; i++) copy[i]! ^= key[(position + i) % 4]!;
  return copy;
}

/** Encodes a frame byte by byte; masked with `KEY` unless told otherwise. */
export function wire(frame: WireFrame): Uint8Array<ArrayBuffer> {
  const { fin = true, rsv = 0, opcode, payload = '', key = KEY } = frame;
  const bytes = typeof payload === 'string' ? utf8(payload) : payload;
  const { length } = bytes;
  const { lengthBytes = length <= 125 ? 0 : length <= 65535 ? 2 : 8 } = frame;
  const maskBit = key ? 128 : 0;
  const head = [(fin ? 128 : 0) + rsv * 16 + opcode];
  if (lengthBytes === 0) head.push(maskBit + length);
  else if (lengthBytes === 2) head.push(maskBit + 126, length >> 8, length & 255);
  else {
    head.push(maskBit + 127, 0, 0, 0, 0);
    for (const shift of [24, 16, 8, 0]) head.push((length >> shift) & 255);
  }
  const body = key ? masked(bytes, key) : bytes;
  const whole = new Uint8Array(head.length + (key?.length ?? 0) + length);
  whole.set(head);
  whole.set(key ?? [], head.length);
  whole.set(body, head.length + (key?.length ?? 0));
  return whole;
}

/** Encodes a frame as a client sends it. */
export function fromClient(opcode: number, payload: string | Uint8Array = '', fin = true) {
  return wire({ opcode, payload, fin });
}

/** Encodes a frame as a server sends it. */
export function fromServer(opcode: number, payload: string | Uint8Array = '', fin = true) {
  return wire({ opcode, payload, fin, key: null });
}

/** Encodes the payload of a Close frame. */
export function closeBody(code: number, reason = ''): Uint8Array {
  return join(Uint8Array.of(code >> 8, code & 255), utf8(reason));
}

/** Makes a frame as the lessons have it. */
export function frame(opcode: number, payload: Uint8Array | string = '', fin = true): Frame {
  return {
    fin,
    opcode,
    payload: typeof payload === 'string' ? utf8(payload) : payload,
  };
}

/** Splits what a server sends into its frames. `rest`: what isn't a whole frame, or is masked. */
export function splitFrames(bytes: Uint8Array): {
  readonly frames: readonly Frame[];
  readonly rest: Uint8Array;
} {
  const frames: Frame[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  while (at + 2 <= bytes.length) {
    const [first, second] = [view.getUint8(at), view.getUint8(at + 1)];
    const head = second === 126 ? 4 : second === 127 ? 10 : 2;
    if (second > 127 || at + head > bytes.length) break;
    const length =
      head === 4 ? view.getUint16(at + 2) : head === 10 ? view.getUint32(at + 6) : second;
    if (at + head + length > bytes.length) break;
    const payload = bytes.subarray(at + head, at + head + length);
    const rsv1 = (first & 64) !== 0 ? { rsv1: true } : {};
    frames.push({ fin: first > 127, ...rsv1, opcode: first & 15, payload });
    at += head + length;
  }
  return { frames, rest: bytes.subarray(at) };
}

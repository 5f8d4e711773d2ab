/**
 * The decoder of the wire viewer: bytes → frames as data. It takes whatever it is given, legal or
 * not, whole or cut off. It shares no code with the lessons, so that it can be trusted where they
 * are wrong.
 */
import { isControl, MAX_CONTROL_PAYLOAD, Opcode } from '../protocol.ts';

/** RSV1 among the reserved bits of a header. */
export const RSV1 = 0b100;

/** What the header of a frame says, as far as it has arrived. RFC 6455 §5.2 */
export interface Header {
  readonly fin: boolean;
  /** RSV1–RSV3 as a number from 0 to 7. */
  readonly rsv: number;
  readonly opcode: number;
  /** `undefined`: the second byte has not arrived. */
  readonly masked: boolean | undefined;
  /** The seven bits of the second byte. `undefined`: it has not arrived. */
  readonly length7: number | undefined;
  /** The length of the payload, in bytes: more than a number can hold. `undefined`: not arrived. */
  readonly length: bigint | undefined;
  /** The size of the header with its masking key, in bytes; 2 until the second byte has arrived. */
  readonly headerBytes: number;
}

/** The fields of a frame, in their order. */
export type FieldName = 'first byte' | 'second byte' | 'length' | 'masking key' | 'payload';

/** Where a field lies, and what is wrong with it. */
export interface DecodedField {
  readonly name: FieldName;
  /** Where it starts, in bytes from the start of what was decoded. */
  readonly start: number;
  /** Where it ends, or where the bytes do; this byte is not part of it. */
  readonly end: number;
  /** How many bytes of it have not arrived. */
  readonly missing: bigint;
  /** The rule that it breaks, no matter who sent it. */
  readonly problem: string | undefined;
}

/** A frame, or as much of it as there is. */
export interface DecodedFrame extends Header {
  /** Where it starts, in bytes from the start of what was decoded. */
  readonly start: number;
  /** Where it ends, or where the bytes do; this byte is not part of it. */
  readonly end: number;
  /** Its fields, up to the first that is not whole. */
  readonly fields: readonly DecodedField[];
  /** `undefined`: the frame is not masked, or bytes of its key are missing. */
  readonly key: Uint8Array | undefined;
  /** What there is of the payload, unmasked. `undefined`: it is empty, or the header is cut. */
  readonly payload: Uint8Array | undefined;
  /** Does a compressed message begin with it? Only where both ends have agreed on that. */
  readonly isCompressed: boolean;
  /** How many bytes of the frame have not arrived. Without a `length`, at least so many. */
  readonly missing: bigint;
  /** The first rule that it breaks, no matter who sent it. */
  readonly problem: string | undefined;
}

/** Decodes a stream of frames, with `deflate` if compression is agreed on. The last may be cut. */
export function decodeFrames(bytes: Uint8Array, deflate = false): DecodedFrame[] {
  const frames: DecodedFrame[] = [];
  for (let at = 0; at < bytes.length; at = frames.at(-1)!.end) {
    frames.push(decodeFrame(bytes, at, deflate));
  }
  return frames;
}

/** A stream of frames as a whole: of a long one, only what is shown is taken apart. */
export interface Survey {
  /** The first frames. */
  readonly first: readonly DecodedFrame[];
  /** The last one, which may be cut. `undefined`: there is none. */
  readonly last: DecodedFrame | undefined;
  /** How many frames there are. */
  readonly count: number;
  /** The numbers, from 1, of those that break a rule. */
  readonly illegal: readonly number[];
}

/** Looks over a stream of frames, and takes apart the first ones, `most` of them. */
export function surveyFrames(bytes: Uint8Array, most: number, deflate = false): Survey {
  const first: DecodedFrame[] = [];
  const illegal: number[] = [];
  let [count, start, end] = [0, 0, 0];
  while (end < bytes.length) {
    start = end;
    count++;
    const header = decodeHeader(bytes, start);
    if (count <= most) first.push(decodeFrame(bytes, start, deflate));
    if (judgeHeader(header, deflate)) illegal.push(count);
    end = Math.min(bytes.length, start + header.headerBytes + Number(header.length ?? 0));
  }
  return {
    first,
    last: count > 0 ? decodeFrame(bytes, start, deflate) : undefined,
    count,
    illegal,
  };
}

/** Decodes the frame that starts at a place. With `deflate`, RSV1 begins a compressed message. */
export function decodeFrame(bytes: Uint8Array, start = 0, deflate = false): DecodedFrame {
  const header = decodeHeader(bytes, start);
  const fields = placeFields(header, start, bytes.length, deflate);
  const bytesOf = (wanted: FieldName) => {
    const field = fields.find(({ name }) => name === wanted);
    return field && bytes.subarray(field.start, field.end);
  };
  const key = bytesOf('masking key');
  const end = fields.at(-1)!.end;
  return {
    ...header,
    start,
    end,
    fields,
    key: key?.length === 4 ? key : undefined,
    payload: bytesOf('payload')?.map((byte, i) => byte ^ (key?.[i & 3] ?? 0)),
    isCompressed: deflate && canBeCompressed(header) && (header.rsv & RSV1) !== 0,
    missing: BigInt(header.headerBytes) + (header.length ?? 0n) - BigInt(end - start),
    problem: judgeHeader(header, deflate),
  };
}

/** Decodes the header that starts at a place. */
export function decodeHeader(bytes: Uint8Array, start = 0): Header {
  const first = bytes[start] ?? 0;
  const second = bytes[start + 1];
  const masked = second === undefined ? undefined : second >= 0x80;
  const length7 = second === undefined ? undefined : second & 0x7f;
  return {
    fin: first >= 0x80,
    rsv: (first >> 4) & 7,
    opcode: first & 15,
    masked,
    length7,
    length: length7 === undefined ? undefined : decodeLength(bytes, start + 2, length7),
    headerBytes: 2 + lengthBytes(length7) + (masked ? 4 : 0),
  };
}

function decodeLength(bytes: Uint8Array, at: number, length7: number): bigint | undefined {
  const size = lengthBytes(length7);
  if (size === 0) return BigInt(length7);
  if (bytes.length < at + size) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, size);
  return size === 2 ? BigInt(view.getUint16(0)) : view.getBigUint64(0);
}

/** How many bytes follow the second one to hold the length. */
function lengthBytes(length7 = 0): 0 | 2 | 8 {
  if (length7 === 127) return 8;
  return length7 === 126 ? 2 : 0;
}

/** Places the fields behind each other, up to the first that does not end within the bytes. */
function placeFields(
  header: Header,
  start: number,
  bytesEnd: number,
  deflate: boolean,
): DecodedField[] {
  const fields: DecodedField[] = [];
  let at = start;
  for (const [name, size] of fieldSizes(header)) {
    const end = Math.min(at + Number(size), bytesEnd);
    const missing = size - BigInt(end - at);
    fields.push({ name, start: at, end, missing, problem: judge(name, header, deflate) });
    if (missing > 0n) break;
    at = end;
  }
  return fields;
}

function fieldSizes({ masked, length7, length }: Header): [FieldName, bigint][] {
  const sizes: [FieldName, bigint][] = [
    ['first byte', 1n],
    ['second byte', length7 === undefined ? 0n : 1n],
    ['length', BigInt(lengthBytes(length7))],
    ['masking key', masked ? 4n : 0n],
    ['payload', length ?? 0n],
  ];
  return sizes.filter(([, size]) => size > 0n);
}

/** Names the first rule that a frame breaks, no matter who sent it. `undefined`: none. */
function judgeHeader(header: Header, deflate: boolean): string | undefined {
  return judgeFirstByte(header, deflate) ?? judgeSecondByte(header) ?? judgeLength(header);
}

/** Names the rule that a field breaks. `undefined`: none. */
function judge(name: FieldName, header: Header, deflate: boolean): string | undefined {
  switch (name) {
    case 'first byte':
      return judgeFirstByte(header, deflate);
    case 'second byte':
      return judgeSecondByte(header);
    case 'length':
      return judgeLength(header);
    default:
      return undefined;
  }
}

function judgeFirstByte(header: Header, deflate: boolean): string | undefined {
  const { fin, rsv, opcode } = header;
  const allowed = deflate && canBeCompressed(header) ? RSV1 : 0;
  if (deflate && rsv === RSV1 && allowed === 0) {
    return `RSV1 on a ${isControl(opcode) ? 'control frame' : 'continuation'}`;
  }
  if ((rsv & ~allowed) !== 0) return 'an RSV bit is set';
  if (!(Object.values(Opcode) as number[]).includes(opcode)) return 'a reserved opcode';
  if (isControl(opcode) && !fin) return 'a fragmented control frame';
  return undefined;
}

/** Is it the first frame of a message? RSV1 has a meaning on no other. RFC 7692 §6.1 */
function canBeCompressed({ opcode }: Header): boolean {
  return opcode === Opcode.Text || opcode === Opcode.Binary;
}

function judgeSecondByte({ opcode, length7 = 0 }: Header): string | undefined {
  const isTooLong = isControl(opcode) && length7 > MAX_CONTROL_PAYLOAD;
  return isTooLong ? 'a control frame of more than 125 bytes' : undefined;
}

function judgeLength({ length7, length }: Header): string | undefined {
  if (length === undefined || lengthBytes(length7) === 0) return undefined;
  if (length < (length7 === 126 ? 126n : 65536n)) return 'not the shortest form';
  if (length >= 2n ** 63n) return 'the most significant bit is set';
  return undefined;
}

/** Frames in words. */
import { Opcode } from '../protocol.ts';
import { count } from './count.ts';
import { type DecodedField, type DecodedFrame, decodeFrames, type FieldName } from './frame.ts';
import { quote, toHex } from './hex.ts';

/** How much is shown of a payload, in bytes. */
const MAX_SHOWN_BYTES = 24;

/** A field of a frame, in words. */
export interface Field extends Pick<DecodedField, 'name' | 'start' | 'end'> {
  /** What it says. */
  readonly meaning: string;
  /** The rule that it breaks, no matter who sent it. */
  readonly problem?: string;
}

/** Says what each field of a stream of frames means, the last of which may be cut. RFC 6455 §5.2 */
export function frameFields(bytes: Uint8Array): Field[] {
  return decodeFrames(bytes).flatMap(sayFields);
}

/** Says what each field of a frame means. */
export function sayFields(frame: DecodedFrame): Field[] {
  return frame.fields.map(({ name, start, end, missing, problem }) => {
    const meaning = sayField(name, frame) + sayCut(missing);
    return { start, end, name, meaning, ...(problem && { problem }) };
  });
}

function sayField(name: FieldName, frame: DecodedFrame): string {
  const { fin, rsv, opcode, masked, length7 = 0, length } = frame;
  switch (name) {
    case 'first byte':
      return `FIN=${Number(fin)} RSV=${sayRsv(rsv)} opcode=${opcode} (${opcodeName(opcode)})${frame.isCompressed ? ', compressed' : ''}`;
    case 'second byte':
      return `MASK=${Number(masked)} length=${length7}${length7 > 125 ? ', see the next field' : ''}`;
    case 'length':
      return length === undefined ? 'length' : `length ${length}`;
    case 'masking key':
      return 'masking key';
    case 'payload':
      return `payload ${describePayload(frame, preview)}`;
  }
}

/** Names an opcode, such as `text`; a reserved one is `reserved`. */
export function opcodeName(opcode: number): string {
  const entry = Object.entries(Opcode).find(([, value]) => value === opcode);
  return entry ? entry[0].toLowerCase() : 'reserved';
}

/** Writes the RSV bits one by one, such as `010`. */
export function sayRsv(rsv: number): string {
  return rsv.toString(2).padStart(3, '0');
}

/** Says what a payload is, and how much of it is still to come. Empty if there is none. */
export function sayPayload(frame: DecodedFrame): string {
  const cut = frame.payload ? sayCut(frame.missing) : '';
  return describePayload(frame, preview) + cut;
}

/** Says how a payload begins, whatever its length. Empty if there is none. */
export function sayBeginning(frame: DecodedFrame): string {
  return describePayload(frame, beginning);
}

/** Says what a payload is without leaving anything out. Empty if there is none. */
export function sayWhole(frame: DecodedFrame): string {
  return describePayload(frame, (bytes) => preview(bytes, bytes.length));
}

/** Shows a payload as text or hex, and that of a Close as its code and its reason. */
function describePayload(
  { opcode, payload, isCompressed }: DecodedFrame,
  show: typeof preview,
): string {
  if (payload === undefined) return '';
  if (isCompressed) return toHex(payload, MAX_SHOWN_BYTES);
  if (opcode !== Opcode.Close || payload.length === 0) return show(payload);
  if (payload.length === 1) return `${toHex(payload)}, half a code`;
  const code = new DataView(payload.buffer, payload.byteOffset).getUint16(0);
  const reason = payload.subarray(2);
  return `code ${code}${reason.length > 0 ? ` reason ${show(reason)}` : ''}`;
}

/** Says how much of a frame is missing, such as `7 more bytes to come`. `undefined`: it is whole. */
export function sayMissing({ missing, length }: DecodedFrame): string | undefined {
  if (missing === 0n) return undefined;
  return length === undefined ? `at least ${moreToCome(missing)}` : moreToCome(missing);
}

function sayCut(missing: bigint): string {
  return missing > 0n ? `, ${moreToCome(missing)}` : '';
}

function moreToCome(missing: bigint): string {
  return `${missing} more ${missing === 1n ? 'byte' : 'bytes'} to come`;
}

/**
 * Shows bytes as quoted text if they are UTF-8, and as hex if not. Of more than `max` bytes, it
 * shows the beginning, and says how many there are.
 */
export function preview(bytes: Uint8Array, max = MAX_SHOWN_BYTES): string {
  return beginning(bytes, max) + (bytes.length > max ? ` (${count(bytes.length, 'byte')})` : '');
}

/** Shows bytes as `preview` does, without their number. */
function beginning(bytes: Uint8Array, max = MAX_SHOWN_BYTES): string {
  const isLong = bytes.length > max;
  for (const cut of isLong ? [0, 1, 2, 3] : [0]) {
    try {
      const shown = bytes.subarray(0, Math.min(max, bytes.length) - cut);
      const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
      return `${quote(utf8.decode(shown))}${isLong ? '…' : ''}`;
    } catch {
      // Not UTF-8, or cut inside a character: try a little less.
    }
  }
  return toHex(bytes, max);
}

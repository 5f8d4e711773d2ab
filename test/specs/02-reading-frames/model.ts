/** What has to become of frames, slowly and obviously: what the generated scenarios compare with. */
import { join, masked } from '../../../shared/kit/frames.ts';
import {
  CloseCode,
  type Frame,
  type Message,
  Opcode,
  type Role,
} from '../../../shared/protocol.ts';
import { binary, text } from './readers.ts';
import { decodeUtf8 } from './utf8.ts';

/** A frame that a peer sends, or the beginning of one. */
export interface SentFrame {
  readonly fin: boolean;
  readonly rsv: number;
  readonly opcode: number;
  /** `undefined`: it is not masked. */
  readonly key: Uint8Array | undefined;
  /** The length that the header announces. */
  readonly length: bigint;
  /** How many bytes that length has behind the second byte. */
  readonly lengthBytes: 0 | 2 | 8;
  /** As much of the payload as is sent, before it is masked. */
  readonly payload: Uint8Array;
}

/** What has to come out of bytes. */
export interface Script<T> {
  readonly bytes: Uint8Array;
  /** In order. Each is there as soon as the byte before `end` is. */
  readonly results: readonly { readonly value: T; readonly end: number }[];
  /** How it ends, if it ends badly. */
  readonly refusal: Refusal | undefined;
}

/** That a reader throws. */
export interface Refusal {
  readonly code: CloseCode;
  /** What the peer has done, in a few words. */
  readonly why: string;
  /** With so many bytes, it may throw. */
  readonly from: number;
  /** With so many bytes, it has to. */
  readonly at: number;
}

/** What a message reader is told. */
export interface Terms {
  readonly role: Role;
  readonly maxMessageBytes: number;
}

/** Returns how many bytes the length of a frame has to have behind the second byte. */
export function lengthBytesFor(length: bigint): 0 | 2 | 8 {
  return length <= 125n ? 0 : length <= 65535n ? 2 : 8;
}

/** Writes the header of a frame, from its digits. */
export function headBytes(sent: SentFrame): Uint8Array<ArrayBuffer> {
  const { fin, rsv, opcode, key, length, lengthBytes } = sent;
  const bits = (value: number, count: number) => value.toString(2).padStart(count, '0');
  const length7 = { 0: Number(length & 127n), 2: 126, 8: 127 }[lengthBytes];
  const first = `${fin ? 1 : 0}${bits(rsv, 3)}${bits(opcode, 4)}`;
  const second = `${key ? 1 : 0}${bits(length7, 7)}`;
  const hex = lengthBytes === 0 ? '' : length.toString(16).padStart(lengthBytes * 2, '0');
  const two = Uint8Array.of(Number.parseInt(first, 2), Number.parseInt(second, 2));
  return join(two, Buffer.from(hex, 'hex'), key ?? new Uint8Array(0));
}

/** Writes a frame, or as much of it as is sent. */
export function frameBytes(sent: SentFrame): Uint8Array<ArrayBuffer> {
  const { key, payload } = sent;
  return join(headBytes(sent), key ? masked(payload, key) : payload);
}

/** Says what is wrong with how a length is written. `undefined`: nothing. RFC 6455 §5.2 */
export function lengthMistake({ length, lengthBytes }: SentFrame): string | undefined {
  if (length >= 2n ** 63n) return 'the top bit of its length is set';
  if (lengthBytes !== lengthBytesFor(length)) return 'its length is not in its shortest form';
  return undefined;
}

/** Says what is wrong with a header alone. `undefined`: nothing. RFC 6455 §5.1, §5.2, §5.5 */
export function headerMistake(sent: SentFrame, role: Role): string | undefined {
  const { fin, rsv, opcode, key, length } = sent;
  const known: readonly number[] = [0, 1, 2, 8, 9, 10];
  if (rsv !== 0) return 'an RSV bit is set';
  if (!known.includes(opcode)) return `opcode ${opcode} is reserved`;
  if (role === 'server' && key === undefined) return 'a client masks its frames';
  if (role === 'client' && key !== undefined) return 'a server does not mask its frames';
  if (opcode >= 8 && !fin) return 'a control frame has FIN';
  if (opcode >= 8 && length > 125n) return 'a control frame has at most 125 bytes';
  return undefined;
}

/** Says what is wrong with the order of frames. `undefined`: nothing. RFC 6455 §5.4 */
function orderMistake({ opcode }: SentFrame, isOpen: boolean): string | undefined {
  if (opcode === Opcode.Continuation && !isOpen) return 'there is nothing to continue';
  if ((opcode === Opcode.Text || opcode === Opcode.Binary) && isOpen) {
    return 'the message before it has not ended';
  }
  return undefined;
}

/** Where the parts of a frame are, in bytes from the start of the stream. */
interface Place {
  readonly sent: SentFrame;
  readonly start: number;
  readonly payloadAt: number;
  readonly end: number;
  /** Whether all of its payload is sent. */
  readonly isWhole: boolean;
}

function placesOf(frames: readonly SentFrame[]): Place[] {
  const places: Place[] = [];
  for (const sent of frames) {
    const start = places.at(-1)?.end ?? 0;
    const payloadAt = start + headBytes(sent).length;
    const { length } = sent.payload;
    const isWhole = BigInt(length) === sent.length;
    places.push({ sent, start, payloadAt, end: payloadAt + length, isWhole });
  }
  return places;
}

function atHeader({ start, payloadAt }: Place, why: string, code: CloseCode): Refusal {
  return { code, why, from: start + 1, at: payloadAt };
}

/** Tells what a frame reader makes of frames. Its `check` refuses the opcode `refused` with 1008. */
export function frameScript(frames: readonly SentFrame[], refused?: number): Script<Frame> {
  const results: { value: Frame; end: number }[] = [];
  for (const [i, place] of placesOf(frames).entries()) {
    const { sent, end, payloadAt, isWhole } = place;
    const bytes = () => join(...frames.slice(0, i + 1).map(frameBytes));
    const why = lengthMistake(sent);
    if (why) return { bytes: bytes(), results, refusal: atHeader(place, why, 1002) };
    if (sent.opcode === refused) {
      const by = `the \`check\` of this reader refuses opcode ${refused}, with 1008`;
      const refusal = { code: CloseCode.PolicyViolation, why: by, from: payloadAt, at: payloadAt };
      return { bytes: bytes(), results, refusal };
    }
    const { fin, opcode, payload } = sent;
    if (isWhole) results.push({ value: { fin, opcode, payload }, end });
  }
  return { bytes: join(...frames.map(frameBytes)), results, refusal: undefined };
}

/** A message on its way: its bytes, and for each of them where it is in the stream. */
interface Draft {
  readonly opcode: number;
  readonly bytes: number[];
  readonly places: number[];
}

/** Tells what a message reader makes of frames. RFC 6455 §5.4–§5.6, §8.1, §10.4 */
export function messageScript(frames: readonly SentFrame[], terms: Terms): Script<Message> {
  const results: { value: Message; end: number }[] = [];
  let open: Draft | undefined;
  for (const [i, place] of placesOf(frames).entries()) {
    const { sent, end, payloadAt, isWhole } = place;
    const ends = (refusal: Refusal): Script<Message> => {
      return { bytes: join(...frames.slice(0, i + 1).map(frameBytes)), results, refusal };
    };
    const wrong =
      lengthMistake(sent) ??
      headerMistake(sent, terms.role) ??
      orderMistake(sent, open !== undefined);
    if (wrong) return ends(atHeader(place, wrong, CloseCode.ProtocolError));
    if (sent.opcode >= 8) {
      if (isWhole) results.push({ value: controlMessage(sent), end });
      continue;
    }
    const draft: Draft = open ?? { opcode: sent.opcode, bytes: [], places: [] };
    const size = BigInt(draft.bytes.length) + sent.length;
    if (size > terms.maxMessageBytes) {
      const why = `its message would have ${size} bytes`;
      return ends(atHeader(place, why, CloseCode.MessageTooBig));
    }
    for (const [n, byte] of sent.payload.entries()) {
      draft.bytes.push(byte);
      draft.places.push(payloadAt + n);
    }
    const isLast = sent.fin && isWhole;
    const refusal = draft.opcode === Opcode.Text ? utf8Refusal(draft, isLast, end) : undefined;
    if (refusal) return ends(refusal);
    if (isLast) results.push({ value: messageOf(draft), end });
    open = isLast ? undefined : draft;
  }
  return { bytes: join(...frames.map(frameBytes)), results, refusal: undefined };
}

function utf8Refusal({ bytes, places }: Draft, isLast: boolean, end: number): Refusal | undefined {
  const { wrongAt, isCut } = decodeUtf8(bytes);
  const code = CloseCode.InvalidPayload;
  if (wrongAt !== undefined) {
    const at = places[wrongAt]! + 1;
    return { code, why: `no text has byte ${wrongAt} of this message there`, from: at, at };
  }
  if (isLast && isCut) return { code, why: 'the text ends inside a character', from: end, at: end };
  return undefined;
}

function messageOf({ opcode, bytes }: Draft): Message {
  return opcode === Opcode.Text ? text(decodeUtf8(bytes).text) : binary(Uint8Array.from(bytes));
}

function controlMessage({ opcode, payload }: SentFrame): Message {
  const type = opcode === Opcode.Close ? 'close' : opcode === Opcode.Ping ? 'ping' : 'pong';
  return { type, payload };
}

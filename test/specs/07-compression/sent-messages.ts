/** What the frames of a message have to be, and what has to come out of them. */
import { equal, fail } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import { join, utf8 } from '../../../shared/kit/frames.ts';
import { type Frame, Opcode, type SendOptions } from '../../../shared/protocol.ts';
import { noise, unpacked } from './zlib.ts';

/** A text that gets shorter, and is in no other. */
export const CHAT = utf8(
  '{"type":"chat","from":"Ada","text":"Hello, hello, hello","room":"hello"}',
);
/** 800 bytes that get shorter, and are nowhere else. */
export const FILLER = Buffer.from(noise(400)).toString('hex');

/** A window that the peer does not have, and what is wrong where a message needs it. */
export interface Lure {
  readonly window: Uint8Array;
  readonly cause: () => string;
}

/** A message that was handed over to be sent. */
export interface Sent {
  readonly opcode: number;
  readonly data: Uint8Array;
  readonly maxPayload: number;
  /** What the peer still has of the messages before. */
  readonly window?: Uint8Array;
  readonly lure?: Lure;
}

/** A call that makes frames of a message. */
export interface Call extends Pick<Sent, 'opcode' | 'data' | 'maxPayload'> {
  /** The function or method, up to the opcode, such as `framesFor(`. */
  readonly of: string;
  readonly options?: SendOptions | undefined;
  /** What has become of it, where that is not frames. */
  readonly end?: string;
}

/** Tells calls one below the other, and what their data is below them. */
export function tellCalls(calls: readonly Call[]): Fact[] {
  const all: Uint8Array[] = [];
  const numberOf = (data: Uint8Array) => {
    const known = all.findIndex((one) => Buffer.compare(one, data) === 0);
    return known >= 0 ? known + 1 : all.push(data);
  };
  const numbers = calls.map(({ data }) => numberOf(data));
  const nameOf = (number: number) => (all.length === 1 ? 'data' : `data ${number}`);
  const lines = calls.map(({ of, opcode, maxPayload, options, end = '' }, i): Fact => {
    const args = [opcode, nameOf(numbers[i]!), maxPayload, ...(options ? [show(options)] : [])];
    return [calls.length === 1 ? 'call' : `call ${i + 1}`, `${of}${args.join(', ')})${end}`];
  });
  return [...lines, ...all.map((data, i): Fact => [nameOf(i + 1), show(data)])];
}

const ONE_BY_ONE =
  'Each fragment has been compressed by itself. Compress the message as a whole, and cut what comes out.';
const NOT_PACKED = 'RSV1 is there, but the bytes are as they were.';
const NOT_MARKED = 'The bytes are compressed, and without RSV1 nobody knows.';
const TOO_FAR = 'It refers back to bytes that the peer does not have.';
const EVERYWHERE =
  'RSV1 says that a compressed message begins here: it is on its first frame, and on no other.';

/** Checks that frames are a compressed message, cut where it has to be. */
export function isCompressed(
  frames: readonly Frame[],
  sent: Sent,
  what: string,
  given: readonly Fact[],
): void {
  const payload = payloadOf(frames, sent, true, what, given);
  const seen: Fact[] = [...given, ['the payloads', show(payload)]];
  const causeOf = (error?: unknown) => {
    const { lure, data } = sent;
    if (lure && isUnpacked(payload, data, lure.window)) return lure.cause();
    if (Buffer.compare(payload, sent.data) === 0) return NOT_PACKED;
    if (frames.length > 1 && isEachAlone(frames, sent.data)) return ONE_BY_ONE;
    return /too far back/.test(String(error)) ? TOO_FAR : undefined;
  };
  let plain: Uint8Array;
  try {
    plain = unpacked(payload, sent.window);
  } catch (error) {
    fail(
      what,
      [...seen, ['the peer', `cannot unpack that: ${(error as Error).message}`]],
      causeOf(error),
    );
  }
  const cause = () => causeOf();
  equal(() => plain, sent.data, what, { given: seen, label: 'unpacked, that is', cause });
  fit(frames, sent, given);
}

/** Checks that frames are a message as it was handed over, cut where it has to be. */
export function isPlain(
  frames: readonly Frame[],
  sent: Sent,
  what: string,
  given: readonly Fact[],
): void {
  const payload = payloadOf(frames, sent, false, what, given);
  equal(() => payload, sent.data, what, { given, label: 'the payloads' });
  fit(frames, sent, given);
}

/** Checks that no frame is too large. */
function fit(frames: readonly Frame[], { maxPayload }: Sent, given: readonly Fact[]): void {
  const sizes = frames.map(({ payload }) => payload.length);
  if (sizes.every((size) => size <= maxPayload)) return;
  fail(`A frame has ${maxPayload} bytes at most.`, [...given, ['their bytes', show(sizes)]]);
}

/** Checks the headers of a message’s frames. Returns its payload. */
function payloadOf(
  frames: readonly Frame[],
  { opcode, data, window }: Sent,
  isPacked: boolean,
  what: string,
  given: readonly Fact[],
): Uint8Array {
  const shapes = frames.map(({ fin, rsv1 = false, opcode }) => ({ fin, rsv1, opcode }));
  const right = (shapes.length > 0 ? shapes : [undefined]).map((_, i, { length }) => {
    const isFirst = i === 0;
    return {
      fin: i === length - 1,
      rsv1: isPacked && isFirst,
      opcode: isFirst ? opcode : Opcode.Continuation,
    };
  });
  const payload = join(...frames.map(({ payload }) => payload));
  const cause = () => {
    const marked = frames.filter(({ rsv1 }) => rsv1).length;
    if (!isPacked)
      return Buffer.compare(payload, data) === 0 && marked > 0 ? NOT_PACKED : undefined;
    if (marked > 1 && marked === frames.length) return EVERYWHERE;
    return marked === 0 && isUnpacked(payload, data, window) ? NOT_MARKED : undefined;
  };
  equal(() => shapes, right, what, { given, label: 'the frames', cause });
  return payload;
}

/** Does the message come out of these bytes, with this window? */
export function isUnpacked(payload: Uint8Array, data: Uint8Array, window?: Uint8Array): boolean {
  try {
    return Buffer.compare(unpacked(payload, window), data) === 0;
  } catch {
    return false;
  }
}

/** Does each frame unpack by itself to a piece of the message? */
function isEachAlone(frames: readonly Frame[], data: Uint8Array): boolean {
  try {
    return Buffer.compare(join(...frames.map(({ payload }) => unpacked(payload))), data) === 0;
  } catch {
    return false;
  }
}

/** What zlib makes of a message, for the scenarios to compare with. */
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import { join } from '../../../shared/kit/frames.ts';

/** What is cut from the end of each message. RFC 7692 §7.2.1 */
export const TAIL = Uint8Array.of(0x00, 0x00, 0xff, 0xff);
const finishFlush = constants.Z_SYNC_FLUSH;

/** Compresses a message, with references back to `window`, and none over more than 2^`bits` bytes. */
export function packed(
  plain: Uint8Array,
  window: Uint8Array = new Uint8Array(0),
  bits = 15,
): Uint8Array<ArrayBuffer> {
  // With 9, no reference is over more than 250 bytes: that does for 8, too.
  const options = { finishFlush, dictionary: window, windowBits: Math.max(bits, 9) };
  return new Uint8Array(deflateRawSync(plain, options).subarray(0, -TAIL.length));
}

/** Decompresses a message that may refer back to `window`. Throws what zlib throws. */
export function unpacked(
  payload: Uint8Array,
  window: Uint8Array = new Uint8Array(0),
): Uint8Array<ArrayBuffer> {
  const bytes = join(payload, TAIL);
  return new Uint8Array(inflateRawSync(bytes, { finishFlush, dictionary: window }));
}

/** The same, or what zlib throws. */
export function unpackedOrError(payload: Uint8Array, window?: Uint8Array): Uint8Array | Error {
  try {
    return unpacked(payload, window);
  } catch (error) {
    return error as Error;
  }
}

/** Makes bytes that have nothing to refer back to. The same numbers make the same bytes. */
export function noise(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let state = seed * 0x9e3779b1;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

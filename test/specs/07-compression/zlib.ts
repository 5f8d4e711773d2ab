/** What zlib makes of a message, for the scenarios to compare with. */
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import { join } from '../../../shared/kit/frames.ts';

const TAIL = Uint8Array.of(0x00, 0x00, 0xff, 0xff);
const finishFlush = constants.Z_SYNC_FLUSH;

/** Compresses a message that may refer back to `window`. */
export function packed(plain: Uint8Array, window = new Uint8Array(0)): Uint8Array<ArrayBuffer> {
  return new Uint8Array(
    deflateRawSync(plain, { finishFlush, dictionary: window }).subarray(0, -TAIL.length),
  );
}

/** Decompresses a message that may refer back to `window`. Throws what zlib throws. */
export function unpacked(
  payload: Uint8Array,
  window: Uint8Array = new Uint8Array(0),
): Uint8Array<ArrayBuffer> {
  const bytes = join(payload, TAIL);
  return new Uint8Array(inflateRawSync(bytes, { finishFlush, dictionary: window }));
}

/** Bytes that do not get shorter: `count` of them, always the same. */
export function noise(count: number, seed = 1): Uint8Array<ArrayBuffer> {
  let state = seed;
  return Uint8Array.from({ length: count }, () => {
    state = Math.imul(state, 1_664_525) + 1_013_904_223;
    return state >>> 24;
  });
}

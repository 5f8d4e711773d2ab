/** The ways in which bytes can arrive. */

/** One way in which bytes arrive. */
export interface Delivery {
  readonly how: string;
  readonly reads: readonly Uint8Array[];
  /** Where one read ended and the next began, to be drawn. Empty where that would be everywhere. */
  readonly cuts: readonly number[];
}

/** Delivers bytes in reads that end at these places. */
export function deliver(bytes: Uint8Array, cuts: readonly number[]): Delivery {
  const reads = [...cuts, bytes.length].map((end, i) => bytes.subarray(cuts[i - 1] ?? 0, end));
  if (cuts.length === 0) return { how: 'in one read', reads, cuts };
  const where = cuts.length === 1 ? `byte ${cuts[0]}` : `bytes ${cuts.join(', ')}`;
  const how = `in ${cuts.length + 1} reads, cut after ${where} of ${bytes.length}`;
  return { how, reads, cuts };
}

/** Places to cut a long row of bytes: inside the header of its first frame, and at the end. */
const PLACES = [1, 2, 3, 6, 9, 10, 13, 14, 20];

/**
 * Lists the ways to deliver bytes: whole, in two reads, cut at every place, and byte by byte.
 * Of more than 400 bytes, a few places stand for all.
 */
export function* deliveries(bytes: Uint8Array): Generator<Delivery> {
  yield deliver(bytes, []);
  if (bytes.length > 400) {
    for (const at of [...PLACES, bytes.length - 1]) yield deliver(bytes, [at]);
    return;
  }
  for (let at = 1; at < bytes.length; at++) yield deliver(bytes, [at]);
  const reads = Array.from(bytes, (byte) => Uint8Array.of(byte));
  yield { how: 'byte by byte', reads, cuts: [] };
}

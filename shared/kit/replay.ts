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

/** Numbers that look random and are the same for the same seed: mulberry32. */
export class Random {
  #state: number;

  /** Starts from a whole number. */
  constructor(seed: number) {
    this.#state = seed;
  }

  /** Returns a whole number from 0 up to, not including, `limit`. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * limit) | 0;
  }

  /** Returns `length` bytes. */
  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.below(256));
  }
}

/**
 * The seed of the random checks. The same for everybody and every run, so that the same code gets
 * the same verdict; `SEED=7 npm test …` tries another.
 */
export const SEED = Number(process.env.SEED ?? 6455);

/** Runs `check` with `runs` different sources of random numbers, and names the seed of a failure. */
export function randomly(runs: number, check: (random: Random, seed: number) => void): void {
  for (let seed = SEED; seed < SEED + runs; seed++) check(new Random(seed), seed);
}

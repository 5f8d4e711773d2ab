/** The ways in which bytes can arrive. */

/** One way: its name, and the reads. */
export interface Delivery {
  readonly how: string;
  readonly reads: readonly Uint8Array[];
}

/**
 * Lists the ways to deliver bytes: whole, byte by byte, and in two reads, cut at every place.
 * Of more than 400 bytes, the first 20 and the last 20 places stand for all.
 */
export function* deliveries(bytes: Uint8Array): Generator<Delivery> {
  yield { how: 'in one read', reads: [bytes] };
  for (let at = 1; at < bytes.length; at++) {
    if (bytes.length > 400 && at > 20 && at < bytes.length - 20) continue;
    const how = `in two reads, cut after byte ${at} of ${bytes.length}`;
    yield { how, reads: [bytes.subarray(0, at), bytes.subarray(at)] };
  }
  yield {
    how: 'byte by byte',
    reads: Array.from(bytes, (byte) => Uint8Array.of(byte)),
  };
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

  /** Returns one of the items. */
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }

  /** Returns `length` bytes. */
  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.below(256));
  }

  /** Cuts bytes into reads of 1 to `maxRead` bytes. */
  cut(bytes: Uint8Array, maxRead: number): Uint8Array[] {
    const reads: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; ) {
      const size = 1 + this.below(maxRead);
      reads.push(bytes.subarray(at, at + size));
      at += size;
    }
    return reads;
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

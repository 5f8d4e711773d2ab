/** What many measurements of the same thing say together. */

/** Finds the value that a share of all values is below, such as 0.5 for the median. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const [below, above] = [sorted[Math.floor(at)] ?? 0, sorted[Math.ceil(at)] ?? 0];
  return below + (above - below) * (at % 1);
}

/** Finds the value in the middle. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Says how wide the middle half of the values is, as a share of the median. */
export function spread(values: readonly number[]): number {
  return (quantile(values, 0.75) - quantile(values, 0.25)) / median(values);
}

/**
 * Divides what one did by what another did in the same round: whatever slowed the machine down
 * meanwhile has slowed down both.
 */
export function ratios(mine: readonly number[], others: readonly number[]): number[] {
  return mine.map((value, round) => value / (others[round] ?? Number.NaN));
}

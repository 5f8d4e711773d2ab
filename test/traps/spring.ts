import type { Edit } from './trap.ts';

/** Applies a trap's edits to source. Throws `Error` when a text to replace is not there once. */
export function spring(source: string, edits: readonly Edit[]): string {
  return edits.reduce((text, [find, replacement]) => {
    const pieces = text.split(find);
    if (pieces.length !== 2) {
      throw new Error(`Found ${pieces.length - 1} times, not once: ${find}`);
    }
    return pieces.join(replacement);
  }, source);
}

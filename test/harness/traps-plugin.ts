/** Lets a test import a solution with a mistake in it: `reading.ts?trap=R22`. */
import { type Edit, TRAPS } from '../traps.ts';

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

/** The Vite plugin that does it. */
export const traps = {
  name: 'traps',
  enforce: 'pre' as const,
  transform(code: string, id: string): string | undefined {
    const name = /\?trap=([\w-]+)/.exec(id)?.[1];
    if (name === undefined) return undefined;
    const trap = TRAPS.find((candidate) => candidate.id === name);
    if (!trap) throw new Error(`There is no trap ${name}.`);
    return spring(code, trap.edits);
  },
};

/**
 * Lets a test import a solution that is not what it was: with a mistake in it,
 * `reading.ts?trap=key-restarts`, or finished only up to a step, `reading.ts?done=3`.
 */
import { makePartial } from '../../shared/course/stub.ts';
import type { Edit } from './trap.ts';
import { TRAPS } from './traps.ts';

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

/** The Vite plugin that makes the variants. */
export const variants = {
  name: 'variants',
  enforce: 'pre' as const,
  transform(code: string, id: string): string | undefined {
    const trap = /\?trap=([\w-]+)/.exec(id)?.[1];
    if (trap !== undefined) {
      const found = Object.values(TRAPS)
        .flat()
        .find((candidate) => candidate.id === trap);
      if (!found) throw new Error(`There is no trap ${trap}.`);
      return spring(code, found.edits);
    }
    const [, lesson = '', step] = /solutions\/(\d+)[^?]*\?done=(\d+)/.exec(id) ?? [];
    return step === undefined ? undefined : makePartial(code, lesson, Number(step));
  },
};

/** What a lesson needs of an earlier one, which an older stub of that did not have. */
import { fail } from '../harness/check.ts';
import type { Fact } from '../harness/facts.ts';

/** Something that an earlier lesson has to have by now. */
export interface Hook {
  readonly what: string;
  /** Where it is missing, from the folder of the lessons. */
  readonly file: string;
  /** What to do there. */
  readonly todo: string;
  /** Two lines of code. */
  readonly lines: readonly [string, string];
}

/** Fails: the hook is not there, as the facts say that were `seen`. */
export function missing({ what, file, todo, lines }: Hook, seen: readonly Fact[]): never {
  const facts: Fact[] = [
    ...seen,
    ['the file', `lessons/${file}`],
    ['what to do', todo],
    ['in code', lines[0]],
    ['', lines[1]],
  ];
  fail(what, facts, 'An older stub of that lesson did not ask for this.');
}

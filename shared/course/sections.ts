/** Where a rule is written: sections of the standards that the lessons teach. */
import { readFileSync } from 'node:fs';

const numbersOf = (rfc: string) =>
  readFileSync(new URL(`rfc${rfc}-sections.txt`, import.meta.url), 'utf8').match(/^[\d.]+/gm) ?? [];

/** Every section as the course names it: `5.2` is one of RFC 6455, others have it, as `RFC 7692 §6.1`. */
export const SECTIONS: ReadonlySet<string> = new Set([
  ...numbersOf('6455'),
  ...numbersOf('7692').map((number) => `RFC 7692 §${number}`),
]);

/**
 * Finds the sections that a text names, such as `5.2` or `RFC 7692 §6.1`. One without a standard
 * belongs to the last one on its line before it, and to RFC 6455 when there is none.
 */
export function sectionsIn(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    let standard = 'RFC 6455';
    return [...line.matchAll(/(RFC \d+)|§(\d+(?:\.\d+)*)/g)].flatMap(([, rfc, number]) => {
      if (rfc !== undefined) standard = rfc;
      if (number === undefined) return [];
      return [standard === 'RFC 6455' ? number : `${standard} §${number}`];
    });
  });
}

/** Names a section with its standard. */
export function cite(section: string): string {
  return section.startsWith('RFC') ? section : `RFC 6455 §${section}`;
}

/** Where a rule is written: sections of the standards that the lessons teach. */
import { readFileSync } from 'node:fs';

const numbersOf = (rfc: string) =>
  readFileSync(new URL(`rfc${rfc}-sections.txt`, import.meta.url), 'utf8').match(/^[\d.]+/gm) ?? [];

/** Every section as the course names it: `5.2` is one of RFC 6455, others have it, as `RFC 7692 §6.1`. */
export const SECTIONS: ReadonlySet<string> = new Set([
  ...numbersOf('6455'),
  ...numbersOf('7692').map((number) => `RFC 7692 §${number}`),
]);

/** Names a section with its standard. */
export function cite(section: string): string {
  return section.startsWith('RFC') ? section : `RFC 6455 §${section}`;
}

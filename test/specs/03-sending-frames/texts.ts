/** Lesson 03, step 6: texts, and UTF-8 the slow and obvious way. */
import type { Fact } from '../../../shared/harness/facts.ts';

/** UTF-8 as RFC 3629 draws it: the bits of a code point, six to a byte behind the first. */
function encodePoint(point: number): number[] {
  if (point < 0x80) return [point];
  const last = (shift: number) => 0x80 | ((point >> shift) & 0x3f);
  if (point < 0x800) return [0xc0 | (point >> 6), last(0)];
  if (point < 0x10000) return [0xe0 | (point >> 12), last(6), last(0)];
  return [0xf0 | (point >> 18), last(12), last(6), last(0)];
}

/** The code points of a text. A half of a pair is one of its own. */
export function pointsOf(text: string): number[] {
  return Array.from(text, (character) => character.codePointAt(0)!);
}

/** Tells of a text: with what is not ASCII as code points. */
export function tellText(text: string): Fact {
  const points = pointsOf(text).map((point) =>
    point > 0x20 && point < 0x7f
      ? String.fromCodePoint(point)
      : `U+${point.toString(16).toUpperCase().padStart(4, '0')}`,
  );
  return ['text', `${points.join(' ') || 'empty'}; ${text.length} in \`length\``];
}

/** Encodes text as UTF-8. */
export const bytesOf = (text: string) => Uint8Array.from(pointsOf(text).flatMap(encodePoint));

/** What has been done to a text before it was encoded. */
const CHANGES: readonly (readonly [change: (text: string) => string, cause: string])[] = [
  ...(['NFC', 'NFD', 'NFKC', 'NFKD'] as const).map(
    (form) =>
      [
        (text: string) => text.normalize(form),
        'This is the text after `normalize`: it may look the same, but it is another one.',
      ] as const,
  ),
  [(text) => text.trim(), 'This is the text after `trim`. White space is text like any other.'],
  [
    (text) => text.replaceAll('\ufeff', ''),
    'U+FEFF is a character like any other here, also at the start.',
  ],
  [
    (text) => text.replaceAll('\ufffd', ''),
    'U+FFFD is missing. It is a character like any other: this text really has it.',
  ],
];

/** What has been done to a text, where that explains all that is wrong. */
export function textMistake(actual: unknown, text: string): string | undefined {
  if (actual instanceof TypeError && text.includes('\ufffd')) {
    return 'This text really has a U+FFFD. That is a character, and not half of a pair.';
  }
  if (actual instanceof TypeError && text.startsWith('\ufeff')) {
    return 'No half of a pair is in this text. Is it compared with what its bytes decode to? A decoder leaves out a U+FEFF at the start, unless it has `ignoreBOM`.';
  }
  if (!(actual instanceof Uint8Array)) return undefined;
  const is = (bytes: Uint8Array) => Buffer.compare(actual, bytes) === 0;
  const [, cause] = CHANGES.find(([change]) => is(bytesOf(change(text)))) ?? [];
  if (cause !== undefined) return cause;
  if (text !== '' && is(bytesOf(text).subarray(0, text.length))) {
    return `It was cut after byte ${text.length}: \`length\` of a string counts units of 16 bits, not bytes.`;
  }
  if (is(Buffer.from(text, 'latin1'))) {
    return 'There is one byte for each unit of the string. Beyond U+007F, UTF-8 takes two to four.';
  }
  return undefined;
}

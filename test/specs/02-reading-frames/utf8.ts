/** UTF-8, byte by byte, after the grammar of RFC 3629 §4. */

/** From and to, both allowed. */
type Range = readonly [from: number, to: number];

const TAIL: Range = [0x80, 0xbf];

/** What a character may be made of: a range for each of its bytes. */
export const CHARACTERS: readonly (readonly Range[])[] = [
  [[0x00, 0x7f]],
  [[0xc2, 0xdf], TAIL],
  [[0xe0, 0xe0], [0xa0, 0xbf], TAIL],
  [[0xe1, 0xec], TAIL, TAIL],
  [[0xed, 0xed], [0x80, 0x9f], TAIL],
  [[0xee, 0xef], TAIL, TAIL],
  [[0xf0, 0xf0], [0x90, 0xbf], TAIL, TAIL],
  [[0xf1, 0xf3], TAIL, TAIL, TAIL],
  [[0xf4, 0xf4], [0x80, 0x8f], TAIL, TAIL],
];

/** What bytes are as UTF-8. */
export interface Utf8 {
  /** The characters that are whole. */
  readonly text: string;
  /** Which byte is the first that no text has there. `undefined`: none. */
  readonly wrongAt: number | undefined;
  /** Whether they end inside a character. */
  readonly isCut: boolean;
}

/** Decodes bytes, as far as they are UTF-8. */
export function decodeUtf8(bytes: readonly number[]): Utf8 {
  const isIn = (byte: number, [from, to]: Range) => byte >= from && byte <= to;
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const ranges = CHARACTERS.find(([first]) => isIn(bytes[at]!, first!));
    if (ranges === undefined) return { text, wrongAt: at, isCut: false };
    for (const [i, range] of ranges.entries()) {
      if (at + i === bytes.length) return { text, wrongAt: undefined, isCut: true };
      if (!isIn(bytes[at + i]!, range)) return { text, wrongAt: at + i, isCut: false };
    }
    text += characterOf(bytes.slice(at, at + ranges.length));
    at += ranges.length;
  }
  return { text, wrongAt: undefined, isCut: false };
}

/** Puts the bits of a character together. */
function characterOf(bytes: readonly number[]): string {
  const [first = 0, ...tails] = bytes;
  if (tails.length === 0) return String.fromCodePoint(first);
  // The first byte has a 1 for each byte, and a 0; each other one begins with 10.
  const bits = first.toString(2).slice(bytes.length + 1);
  const rest = tails.map((byte) => byte.toString(2).slice(2));
  return String.fromCodePoint(Number.parseInt(bits + rest.join(''), 2));
}

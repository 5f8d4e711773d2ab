/** Bytes written for people: hex in, hex out. */

/**
 * Reads bytes written as annotated hex: pairs of hex digits, `"quoted text"` for its UTF-8, and
 * `#` comments to the end of the line. White space, commas and a `0x` before a pair are skipped.
 *
 * Throws `SyntaxError` that quotes what it could not read.
 */
export function fromHex(annotated: string): Uint8Array<ArrayBuffer> {
  const parts: number[] = [];
  const pattern = /#[^\n]*|[\s,]+|"([^"]*)"|(?:0x)?([0-9a-f]{2})|(.{1,10})/giy;
  for (const [, text, pair, wrong] of annotated.matchAll(pattern)) {
    if (wrong !== undefined) throw new SyntaxError(`Not pairs of hex digits: ${wrong}`);
    if (text !== undefined) parts.push(...new TextEncoder().encode(text));
    if (pair !== undefined) parts.push(Number.parseInt(pair, 16));
  }
  return Uint8Array.from(parts);
}

/** Writes bytes as pairs of hex digits. Beyond `max` bytes, an ellipsis stands for the rest. */
export function toHex(bytes: Uint8Array, max = Number.POSITIVE_INFINITY): string {
  const shown = bytes.length > max ? bytes.subarray(0, max) : bytes;
  const hex = Array.from(shown, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
  return bytes.length > max ? `${hex} …` : hex;
}

/** Writes text in double quotes with every invisible character visible, such as `\r\n`. */
export function quote(text: string): string {
  return `"${escapeText(text)}"`;
}

/** Writes text with every invisible character visible, such as `\r\n`, and no quotes around it. */
export function escapeText(text: string): string {
  return JSON.stringify(text)
    .slice(1, -1)
    .replace(
      /[\u007f-\u00a0\u1680\u2000-\u200f\u2028-\u202f\u205f\u3000\ufeff]/g,
      (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
}

/** Writes bytes, given as one character each, as `escapeText` does; those beyond ASCII as `\xc3`. */
export function escapeBytes(text: string): string {
  return text.replace(/[\x7f-\xff]|[^\x7f-\xff]+/g, (part) =>
    part >= '\x7f' ? `\\x${part.charCodeAt(0).toString(16)}` : escapeText(part),
  );
}

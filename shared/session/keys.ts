/** The keys of a terminal, as it sends them. */

export const CTRL_C = '\u0003';
export const ENTER = '\r';
export const UP = '\u001b[A';
export const DOWN = '\u001b[B';
export const PAGE_UP = '\u001b[5~';
export const PAGE_DOWN = '\u001b[6~';

/** Takes apart what was typed: an arrow is three characters and one key. */
export function keysOf(text: string): string[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: keys are control characters.
  return text.match(/\u001b\[[0-9;]*[A-Za-z~]|[\s\S]/g) ?? [];
}

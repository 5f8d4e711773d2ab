/** Writes what a terminal would obey, such as an escape or a change of direction, as an escape of JavaScript. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\u2028-\u202e\u2066-\u2069]/gu, (it) => {
    return `\\u${(it.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`;
  });
}

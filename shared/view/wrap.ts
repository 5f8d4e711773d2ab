/**
 * Breaks text into lines of at most `width` columns, at spaces where there are any. Lines that go
 * on with a broken one start with `indent`.
 */
export function wrap(text: string, width: number, indent = ''): string[] {
  return text.split('\n').flatMap((line) => {
    const lines: string[] = [];
    let rest = line;
    while (rest.length > width) {
      const space = rest.lastIndexOf(' ', width);
      const cut = rest.slice(0, space + 1).trim() ? space : characterBorder(rest, width);
      lines.push(rest.slice(0, cut).trimEnd());
      rest = indent.slice(0, width >> 1) + rest.slice(cut).trimStart();
    }
    return [...lines, rest];
  });
}

/** Cuts a line that is longer than `width` columns, with an ellipsis in its last one. */
export function clip(line: string, width: number): string {
  return line.length > width ? `${line.slice(0, width - 1)}…` : line;
}

/** The last place up to `at` that is not inside a character of two UTF-16 units. */
function characterBorder(text: string, at: number): number {
  return /[\ud800-\udbff]/.test(text[at - 1] ?? '') ? at - 1 : at;
}

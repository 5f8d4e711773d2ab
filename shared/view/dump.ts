/** Dumps with offsets, such as those of Wireshark, tcpdump, xxd, hexdump and od. */

/**
 * Reads a dump of single bytes, each line with its offset. `undefined`: the text is none. Throws
 * `SyntaxError` that names the first line which does not fit to those before it.
 */
export function parseDump(text: string): Uint8Array | undefined {
  // With one space behind the offset, a last line that has nothing else tells it from pairs.
  const isDump = /^\s*(0x)?0{4,8}(:\s|\s\s)|^0{6,7} [\s\S]*\n[\da-f]{6,7}\s*$/i.test(text);
  if (!isDump) return undefined;
  // Only od writes seven digits, in octal unless it is told otherwise.
  const bases = /^\s*0{7}\b/.test(text) ? [8, 10, 16] : [16, 8, 10];
  let furthest = 0;
  for (const base of bases) {
    const rows = readRows(text, base);
    if (rows.bytes) return rows.bytes;
    furthest = Math.max(furthest, rows.wrong);
  }
  throw new SyntaxError(
    `Cannot read line ${furthest} of the dump: take one of single bytes, as xxd or hexdump -C writes it.`,
  );
}

/** Reads the lines of a dump, whose offsets are of a base. Returns the number of a wrong one. */
function readRows(text: string, base: number): { bytes?: Uint8Array; wrong: number } {
  const bytes: number[] = [];
  let row: readonly number[] = [];
  let isRepeated = false;
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '') continue;
    if (line.trim() === '*') {
      isRepeated = true;
      continue;
    }
    const [, digits = '', rest = ''] = /^\s*(?:0x)?([\da-f]{4,8})(:?(?:\s.*|))$/i.exec(line) ?? [];
    const offset = Number.parseInt(digits, base);
    // A star stands for as many rows like the last as fit in between.
    while (isRepeated && bytes.length < offset && row.length > 0) bytes.push(...row);
    isRepeated = false;
    const found = rest === '' ? [] : readRow(rest);
    if (offset !== bytes.length || !found) return { wrong: i + 1 };
    row = found;
    bytes.push(...row);
  }
  return { bytes: Uint8Array.from(bytes), wrong: 0 };
}

/**
 * Reads what follows the offset: pairs of hex digits, and often the same bytes as characters.
 * Those may look like hex digits, too. So the bytes are the pairs that the characters fit.
 */
function readRow(rest: string): number[] | undefined {
  const text = rest.replace(/^:/, '');
  // Words without a colon are written by what swaps their bytes, where the machine does.
  if (rest === text && /^(\s+[\da-f]{4})+\s*$/i.test(rest)) return undefined;
  const pairs = [...text.matchAll(/\s*([0-9a-f]{2})/giy)];
  const bytes = pairs.map(([, pair = '']) => Number.parseInt(pair, 16));
  for (let count = pairs.length; count > 0; count--) {
    const { 0: token, index } = pairs[count - 1]!;
    const characters = text.slice(index + token.length).replaceAll('·', '.');
    const expected = String.fromCharCode(
      ...bytes.slice(0, count).map((byte) => (byte >= 0x20 && byte < 0x7f ? byte : 0x2e)),
    );
    const shown = [expected, `|${expected}|`, `>${expected}<`].map((form) => form.trim());
    if (/^\s\s/.test(characters) && shown.includes(characters.trim())) return bytes.slice(0, count);
  }
  const last = pairs.at(-1);
  return text.slice(last ? last.index + last[0].length : 0).trim() === '' ? bytes : undefined;
}

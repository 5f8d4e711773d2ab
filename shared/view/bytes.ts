/** Bytes as people type them, or copy them out of other tools. */

import { fromHex } from './hex.ts';

const EXAMPLE = 'npm run inspect 81 85 37 fa 21 3d 7f 9f 4d 51 58';

/**
 * Reads bytes written as hex: annotated as `fromHex` has it, with colons between the pairs, or as
 * a dump with offsets, such as those of Wireshark, tcpdump, xxd and hexdump.
 *
 * Throws `SyntaxError` that says where it could not go on, or that there are no bytes.
 */
export function parseBytes(text: string): Uint8Array {
  const bytes = /^\s*(0x)?0{4,8}(:\s|\s{2})/.test(text) ? parseDump(text) : parsePairs(text);
  if (bytes.length === 0) throw new SyntaxError(`Give the bytes to look at, in hex: ${EXAMPLE}`);
  return bytes;
}

/**
 * Takes bytes from another program: text is read as hex if it is hex, and everything else is
 * taken as it is: frames, or a handshake. Throws `SyntaxError` for text that is neither.
 */
export function takeBytes(input: Uint8Array): Uint8Array {
  try {
    return parseBytes(new TextDecoder('utf-8', { fatal: true }).decode(input));
  } catch (error) {
    // A frame cannot consist of printable characters: three bits of its first byte would be wrong.
    const isText = /^[\t\n\r -~]*$/.test(Buffer.from(input).toString('latin1'));
    if (isText && !isHead(input)) throw error;
    return input;
  }
}

/** Says whether bytes start like an HTTP request or response, as no frame does. */
export function isHead(bytes: Uint8Array): boolean {
  const start = String.fromCharCode(...bytes.subarray(0, 20));
  return /^(HTTP\/\d|[a-z]{3,} (\/|\*|https?:))/i.test(start);
}

function parsePairs(text: string): Uint8Array {
  let annotated = '';
  const tokens = text.matchAll(/#[^\n]*|[\s,:]+|"[^"]*"|(?:0x)?[0-9a-f]{2}|(\S{1,10})/giy);
  for (const { 0: token, 1: wrong, index } of tokens) {
    if (wrong !== undefined) {
      throw new SyntaxError(
        `Cannot read ${JSON.stringify(wrong)} at ${place(text, index)}: write bytes as pairs of hex digits, such as 81 05.`,
      );
    }
    annotated += /^[\s,:]/.test(token) ? '\n' : token;
  }
  return fromHex(annotated);
}

/** Names a place for a person: the character, and the line if there are several. */
function place(text: string, index: number): string {
  const lines = text.slice(0, index).split('\n');
  const character = `character ${lines.at(-1)!.length + 1}`;
  return text.trimEnd().includes('\n') ? `line ${lines.length}, ${character}` : character;
}

function parseDump(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '') continue;
    const [, offset = '', rest = ''] =
      /^\s*(?:0x)?([0-9a-f]{4,8})(?::|\s|$)(.*)$/i.exec(line) ?? [];
    const row = dumpedBytes(rest);
    if (Number.parseInt(offset, 16) !== bytes.length || row === undefined) {
      throw new SyntaxError(
        `Cannot read line ${i + 1} of the hex dump: give the bytes alone, such as 81 05.`,
      );
    }
    bytes.push(...row);
  }
  return Uint8Array.from(bytes);
}

/**
 * Reads what follows the offset: pairs of hex digits, and often the same bytes as characters.
 * Those may look like hex digits, too. So the bytes are the pairs that the characters fit.
 */
function dumpedBytes(text: string): number[] | undefined {
  const pairs = [...text.matchAll(/\s*([0-9a-f]{2})/giy)];
  const bytes = pairs.map(([, pair = '']) => Number.parseInt(pair, 16));
  for (let count = pairs.length; count > 0; count--) {
    const { 0: token, index } = pairs[count - 1]!;
    const characters = text.slice(index + token.length).replaceAll('·', '.');
    const expected = String.fromCharCode(
      ...bytes.slice(0, count).map((byte) => (byte >= 0x20 && byte < 0x7f ? byte : 0x2e)),
    );
    const shown = [expected, `|${expected}|`].map((form) => form.trim());
    if (/^\s\s/.test(characters) && shown.includes(characters.trim())) return bytes.slice(0, count);
  }
  const last = pairs.at(-1);
  return text.slice(last ? last.index + last[0].length : 0).trim() === '' ? bytes : undefined;
}

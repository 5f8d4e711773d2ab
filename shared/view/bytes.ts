/** Bytes as people type them, or copy them out of other tools. */

import { parseDump } from './dump.ts';
import { fromHex } from './hex.ts';

const EXAMPLE = 'npm run inspect 81 85 37 fa 21 3d 7f 9f 4d 51 58';

/** Bytes that somebody wants to see. */
export interface Given {
  readonly bytes: Uint8Array;
  /** How many more there were, which `console.log` has left out. */
  readonly leftOut: number;
}

/** The ways in which bytes are written. Each returns `undefined` for what is written otherwise. */
const NOTATIONS = [parseBuffers, parseNumbers, parseEscapes, parseDump, parsePlainHex, parsePairs];

/**
 * Reads bytes in whatever way they are written: as `console.log` prints them, as a list of numbers,
 * with escapes such as `\x81`, as a dump with offsets, or as hex: annotated as `fromHex` has it,
 * with colons between the pairs.
 *
 * Throws `SyntaxError` that says where it could not go on, or that there are no bytes.
 */
export function parseBytes(text: string): Given {
  for (const parse of NOTATIONS) {
    const bytes = parse(text);
    if (bytes === undefined) continue;
    if (bytes.length === 0) break;
    return { bytes: new Uint8Array(bytes), leftOut: Number(LEFT_OUT.exec(text)?.[1] ?? 0) };
  }
  throw new SyntaxError(`Give the bytes to look at, in hex: ${EXAMPLE}`);
}

/**
 * Takes bytes from another program: text is read if bytes are written in it, and everything else
 * is taken as it is: frames, or a handshake. Throws `SyntaxError` for text that is neither.
 */
export function takeBytes(input: Uint8Array): Given {
  // A frame cannot consist of printable characters: three bits of its first byte would be wrong.
  const isText = /^[\t\n\r -~]*$/.test(Buffer.from(input).toString('latin1'));
  try {
    return parseBytes(new TextDecoder('utf-8', { fatal: true }).decode(input));
  } catch (error) {
    if (isText && !isHead(input)) throw error;
    return { bytes: input, leftOut: 0 };
  }
}

/** Says whether bytes start like an HTTP request or response, as no frame does. */
export function isHead(bytes: Uint8Array): boolean {
  const start = String.fromCharCode(...bytes.subarray(0, 20));
  return /^(HTTP\/\d|[a-z]{3,} (\/|\*|https?:))/i.test(start);
}

/** Reads base64, with the alphabet of URLs as well. Throws `SyntaxError` for what is none. */
export function parseBase64(text: string): Given {
  const digits = text.replace(/\s+/g, '');
  const wrong = /[^\w+/=-]|=(?!=?$)/.exec(digits);
  if (wrong || digits === '' || digits.replace(/=+$/, '').length % 4 === 1) {
    const at = wrong ? ` at ${place(digits, wrong.index)}` : '';
    throw new SyntaxError(`That is not base64${at}: give it such as gQVIZWxsbw==`);
  }
  return { bytes: Buffer.from(digits, 'base64'), leftOut: 0 };
}

/** What `console.log` writes for what it leaves out. */
const LEFT_OUT = /\.\.\. (\d+) more (?:byte|item)s?/;

/** Reads what `console.log` prints: `<Buffer 81 05>`, or several; those of an `ArrayBuffer`. */
function parseBuffers(text: string): Uint8Array | undefined {
  const [printed = ''] = text.split(LEFT_OUT, 1);
  const buffers = [...printed.matchAll(/(?:<Buffer|\[Uint8Contents\]: <)([\da-f\s]*)/gi)];
  return buffers.length > 0
    ? Buffer.from(buffers.map(([, pairs = '']) => pairs.replace(/\s+/g, '')).join(''), 'hex')
    : undefined;
}

/** Reads a list of numbers in brackets: `[0x81, 5]`, `Uint8Array(2) [ 129, 5 ]`, or one in C. */
function parseNumbers(text: string): Uint8Array | undefined {
  const list = /^(?:[^"#]*?|\s*\{"type":"Buffer","data":)[[{]\s*(?=\d)([^\]}]*)/.exec(text)?.[1];
  if (list === undefined) return undefined;
  const [numbers = ''] = list.split(LEFT_OUT, 1);
  const words = numbers.split(/[\s,]+/).filter((word) => word !== '');
  return Uint8Array.from(words, (word) => {
    if (/^(0x[\da-f]{1,2}|\d{1,3})$/i.test(word) && Number(word) < 256) return Number(word);
    const shown = JSON.stringify(word.slice(0, 10));
    throw new SyntaxError(
      `Cannot read ${shown}: in brackets, a byte is written as 129 or as 0x81.`,
    );
  });
}

/** The escapes of one character, but for those that mean themselves. */
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '0': '\0' };

/** Reads text with escapes, such as `\x81\x05Hello`, also in the quotes of a language. */
function parseEscapes(text: string): Uint8Array | undefined {
  const [, , quoted, bare] = /^\s*(?:b?(["'`])(.*)\1|(\\x.*?))\s*$/s.exec(text) ?? [];
  const escaped = quoted ?? bare;
  if (!escaped?.includes('\\x')) return undefined;
  // With nothing but space between them, they are a list.
  if (/^(\\x[\da-f]{2}[\s,]*)+$/i.test(escaped)) {
    return Buffer.from(escaped.replace(/\\x|[\s,]+/gi, ''), 'hex');
  }
  const tokens = [...escaped.matchAll(/\\x([\da-f]{2})|\\(.)|[^\\]+/gis)];
  return Buffer.concat(
    tokens.map(([token, byte, letter]) =>
      byte ? Buffer.from(byte, 'hex') : Buffer.from(letter ? (ESCAPES[letter] ?? letter) : token),
    ),
  );
}

/** Reads pairs of hex digits and nothing else: a megabyte at once, and not pair by pair. */
function parsePlainHex(text: string): Uint8Array | undefined {
  const separated = text.replace(/0x(?=[\da-f]{2})/gi, '');
  const hasHalf = /(?<![\da-f])(?:[\da-f]{2})*[\da-f](?![\da-f])/i.test(separated);
  const digits = separated.replace(/[\s,:]+/g, '');
  return /^[\da-f]+$/i.test(digits) && !hasHalf ? Buffer.from(digits, 'hex') : undefined;
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

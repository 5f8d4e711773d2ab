/** The slow, obvious way to read the head of a request: one character after the other. */
import type { RequestHead } from '../../../solutions/01-handshake/handshake.ts';

/** Every byte, as the character with the same number: latin1. */
export const CHARACTERS = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte));

const DIGITS = '0123456789';
const LETTERS = 'abcdefghijklmnopqrstuvwxyz';
export const BASE64_DIGITS = new Set(`${LETTERS.toUpperCase()}${LETTERS}${DIGITS}+/`);
const VISIBLE = new Set(CHARACTERS.slice(0x21, 0x7f));
const NO_CONTROLS = new Set(['\t', ' ', ...VISIBLE, ...CHARACTERS.slice(0x80)]);
const TOKEN_CHARACTERS = new Set(`!#$%&'*+-.^_\`|~${DIGITS}${LETTERS}${LETTERS.toUpperCase()}`);

/** Whether there is something in a text, and each character of it is one of these. */
export function consistsOf(text: string, characters: ReadonlySet<string>): boolean {
  for (const character of text) if (!characters.has(character)) return false;
  return text !== '';
}

/** Whether a text is a token: the method, the name of a header, the name of a subprotocol. */
export function isToken(text: string): boolean {
  return consistsOf(text, TOKEN_CHARACTERS);
}

/** Writes text as bytes, one for each character. */
export function latin1(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(text, 'latin1'));
}

/** What is to be made of bytes. Neither a head nor a problem: the blank line has not come. */
export interface Reading {
  readonly head?: RequestHead;
  /** Why it isn't HTTP. */
  readonly problem?: string;
}

/** The lines of a head, and how long it is with its blank line. */
export interface SplitHead {
  readonly lines: readonly string[];
  readonly length: number;
}

/** Reads the head of a request. */
export function readHead(bytes: Uint8Array): Reading {
  const split = splitHead(bytes);
  return split ? readLines(split) : {};
}

/** Splits the head of a request or response into lines. `undefined`: its blank line has not come. */
export function splitHead(bytes: Uint8Array): SplitHead | undefined {
  const lines: string[] = [];
  let line = '';
  for (let at = 0; at < bytes.length; at++) {
    const character = CHARACTERS[bytes[at]!]!;
    line += character;
    if (character !== '\n' || !line.endsWith('\r\n')) continue;
    if (line === '\r\n' && lines.length > 0) return { lines, length: at + 1 };
    lines.push(line.slice(0, -2));
    line = '';
  }
  return undefined;
}

function readLines({ lines: [first = '', ...lines], length }: SplitHead): Reading {
  const words = first.split(' ');
  const [method = '', target = '', version = ''] = words;
  const problem = problemOfRequestLine(words);
  if (problem) return { problem };
  const headers = readHeaders(lines);
  return typeof headers === 'string'
    ? { problem: headers }
    : { head: { method, target, version, headers, length } };
}

/** Reads the header lines of a head: lower-case name → its values. Text: why they are not HTTP. */
export function readHeaders(lines: readonly string[]): Map<string, readonly string[]> | string {
  const headers = new Map<string, readonly string[]>();
  for (const line of lines) {
    const name = line.split(':', 1).join();
    const value = trimmed(line.slice(name.length + 1));
    const wrong = problemOfHeader(line, name, value);
    if (wrong) return wrong;
    headers.set(name.toLowerCase(), [...(headers.get(name.toLowerCase()) ?? []), value]);
  }
  return headers;
}

function problemOfRequestLine(words: readonly string[]): string | undefined {
  const [method = '', target = '', version = ''] = words;
  if (words.length !== 3) return 'The request line has not three words, with one space between.';
  if (!isToken(method)) return 'The method is not a token.';
  if (!consistsOf(target, VISIBLE)) return 'The target is not visible ASCII.';
  const [major = '', minor = '', ...more] = version.slice('HTTP/'.length).split('.');
  const numbers = [major, minor].filter((part) => part.length === 1 && DIGITS.includes(part));
  if (!version.startsWith('HTTP/') || numbers.length !== 2 || more.length > 0) {
    return 'The version is not `HTTP/`, a digit, a dot and a digit.';
  }
  return undefined;
}

function problemOfHeader(line: string, name: string, value: string): string | undefined {
  if (!line.includes(':')) return 'A header line has no colon.';
  if (!isToken(name)) return 'The name of a header is not a token.';
  const isGood = value === '' || consistsOf(value, NO_CONTROLS);
  return isGood ? undefined : 'A control character is in a value.';
}

/** Takes spaces and tabs from both ends. */
export function trimmed(text: string): string {
  let [from, to] = [0, text.length];
  while (from < to && ' \t'.includes(text.charAt(from))) from++;
  while (to > from && ' \t'.includes(text.charAt(to - 1))) to--;
  return text.slice(from, to);
}

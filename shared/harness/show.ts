/** Values, written so that a person reads them. */

import { pathToFileURL } from 'node:url';
import { isTypedArray } from 'node:util/types';
import { ROOT } from '../course/lessons.ts';
import { HandshakeError, OpeningError, ProtocolError } from '../protocol.ts';
import { count } from '../view/count.ts';
import { quote, toHex } from '../view/hex.ts';
import { frameFields, preview } from '../view/say.ts';
import type { About, Fact } from './facts.ts';

const MAX_BYTES = 20;
const MAX_ITEMS = 8;
/** How much is shown of a text, and of one among other values, in characters. */
const MAX_TEXT = 600;
const MAX_INNER_TEXT = 80;
/** A longer list of objects has a line for each, in characters. */
const MAX_LINE = 60;

/**
 * Writes any value on one line, or a long list on one for each item: bytes as hex with their text,
 * strings with `\r\n` visible. Never throws, whatever the value does when it is looked at.
 */
export function show(value: unknown): string {
  try {
    return write(value, 0);
  } catch {
    return 'a value that cannot be shown';
  }
}

/** Writes what a check has put into words: text as it is, a list with commas, yes or no. */
export function inWords(value: unknown): string {
  if (value === undefined || value === '') return 'nothing';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (!Array.isArray(value)) return typeof value === 'string' ? value : show(value);
  const items = value.slice(0, 2 * MAX_ITEMS).map(inWords);
  if (items.length < value.length) items.push(`… ${value.length} in all`);
  return items.join(', ') || 'nothing';
}

function write(value: unknown, depth: number): string {
  if (typeof value === 'string') {
    return clip(quote(value), value.length, depth === 0 ? MAX_TEXT : MAX_INNER_TEXT);
  }
  if (typeof value === 'function') return `the function ${value.name || 'without a name'}`;
  if (typeof value === 'bigint') return `${value}n`;
  if (Object.is(value, -0)) return '-0';
  if (value === null || typeof value !== 'object') return String(value);
  if (value instanceof Uint8Array) return showBytes(value);
  if (value instanceof Error) return showError(value);
  if (value instanceof Promise) return 'a Promise';
  if (depth > 3) return '…';
  if (Array.isArray(value)) {
    const items = value.slice(0, MAX_ITEMS).map((item) => write(item, depth + 1));
    if (value.length > MAX_ITEMS) items.push(`… ${value.length} in all`);
    const line = `[${items.join(', ')}]`;
    const isLong = depth === 0 && line.length > MAX_LINE && items.some((item) => /[{[]/.test(item));
    return isLong ? `[${items.join(',\n ')}]` : line;
  }
  if (value instanceof Map) return `Map ${write(Object.fromEntries(value), depth)}`;
  const kind = kindOf(value);
  if (value instanceof Set || isTypedArray(value)) return `${kind}${write([...value], depth)}`;
  const fields = Object.entries(value)
    .slice(0, MAX_ITEMS * 2)
    .map(([key, field]) => `${key}: ${write(field, depth + 1)}`);
  return kind + (fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`);
}

/** The name of an object's class, with a space behind it. Empty for a plain object. */
function kindOf(value: object): string {
  // What a generator returns has no class with a name, but a tag.
  const name = value.constructor?.name || Object.prototype.toString.call(value).slice(8, -1);
  return name === 'Object' ? '' : `${name} `;
}

function showBytes(bytes: Uint8Array): string {
  if (bytes.length === 0) return 'no bytes';
  const hex = toHex(bytes, MAX_BYTES);
  const size = bytes.length > MAX_BYTES ? ` (${count(bytes.length, 'byte')})` : '';
  const text = preview(bytes.subarray(0, MAX_BYTES));
  return text.startsWith('"') && !text.includes('\\u') ? `${hex}${size}  ${text}` : hex + size;
}

function showError(error: Error): string {
  const message = error.message ? `: ${withoutRoot(error.message)}` : ' without a message';
  return clip(nameOf(error) + message);
}

/** The name of an error, with the code or status that goes with it. */
function nameOf(error: Error): string {
  // A `SyntaxError` of its kind is another class than that of JavaScript.
  if (error instanceof DOMException) return `DOMException ${error.name}`;
  if (error instanceof ProtocolError) return `${error.name} ${error.closeCode}`;
  if (error instanceof HandshakeError || error instanceof OpeningError) {
    return error.status === undefined ? error.name : `${error.name} ${error.status}`;
  }
  return error.name;
}

/** Shortens paths into the project, so that they fit on a line. */
function withoutRoot(text: string): string {
  return text.replaceAll(pathToFileURL(ROOT).href, '').replaceAll(ROOT, '');
}

/** Shortens text that stands for so many characters. */
function clip(text: string, length = text.length, max = MAX_TEXT): string {
  return text.length > max ? `${text.slice(0, max)}… (${count(length, 'character')})` : text;
}

/** How many bytes are beside each other when two rows are compared. */
const ROW = 12;

/**
 * Compares two rows of bytes: what was returned, what was expected, and a mark under the first
 * byte that differs. Of frames, the field that is wrong is named, and its bits are shown.
 */
export function compareBytes(
  actual: Uint8Array,
  expected: Uint8Array,
  { frames = false, label = 'you returned' }: About = {},
): Fact[] {
  const at = firstDifference(actual, expected);
  // Long rows are shown from a little before the difference.
  const from = Math.max(actual.length, expected.length) > ROW ? Math.max(0, at - 4) : 0;
  const indent = from > 0 ? '… ' : '';
  const row = (bytes: Uint8Array) => {
    if (bytes.length === 0) return 'no bytes';
    const size = bytes.length > ROW ? ` (${count(bytes.length, 'byte')})` : '';
    return `${indent}${toHex(bytes.subarray(from), ROW)}${size}`;
  };
  const caret = `${' '.repeat(indent.length + (at - from) * 3)}^^ `;
  const facts: Fact[] = [
    [label, row(actual)],
    ['expected', row(expected)],
    ['', caret + byteDifference(actual, expected)],
  ];
  const field = frames && frameFields(expected).find(({ end }) => at < end);
  if (field) {
    const should = field.meaning === field.name ? '' : `: should say ${field.meaning}`;
    facts.push(['field', `${field.name}${should}`]);
  }
  if (field && at < Math.min(2, actual.length, expected.length))
    facts.push(...compareBits(actual[at] ?? 0, expected[at] ?? 0, at));
  return facts;
}

/** Finds the first byte in which two rows differ. */
function firstDifference(actual: Uint8Array, expected: Uint8Array): number {
  const shared = Math.min(actual.length, expected.length);
  let at = 0;
  while (at < shared && actual[at] === expected[at]) at++;
  return at;
}

/** Says in which byte two rows differ first, or how much longer one of them is. */
export function byteDifference(actual: Uint8Array, expected: Uint8Array): string {
  const at = firstDifference(actual, expected);
  if (at === expected.length) return `${count(actual.length - at, 'byte')} too many`;
  if (at === actual.length) return `${count(expected.length - at, 'byte')} missing`;
  const [mine, right] = [actual, expected].map((row) => toHex(row.subarray(at, at + 1)));
  return `byte ${at} is ${mine}, not ${right}`;
}

const BIT_NAMES = [
  ['FIN', 'RSV1', 'RSV2', 'RSV3', 'opcode', 'opcode', 'opcode', 'opcode'],
  ['MASK', 'length', 'length', 'length', 'length', 'length', 'length', 'length'],
];

/** The bits of a header byte, with a mark under the first that differs. */
function compareBits(actual: number, expected: number, byte: number): Fact[] {
  const [mine, right] = [actual, expected].map((value) => value.toString(2).padStart(8, '0'));
  const at = Math.clz32(actual ^ expected) - 24;
  const name = BIT_NAMES[byte]?.[at] ?? '';
  return [
    ['in bits', `${mine}, not ${right}`],
    ['', `${' '.repeat(at)}^ ${name}`],
  ];
}

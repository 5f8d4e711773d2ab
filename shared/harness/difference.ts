/** Whether two values are the same, and where they are not. */
import { quote } from '../view/hex.ts';
import type { Fact } from './facts.ts';
import { byteDifference, show } from './show.ts';

/** The most characters that are shown in hex. */
const MAX_CHARACTERS = 12;

/**
 * Whether a value is as expected: bytes by their content, objects and maps by what `expected` has,
 * whatever else they have.
 */
export function same(actual: unknown, expected: unknown): boolean {
  if (expected instanceof Uint8Array) {
    return actual instanceof Uint8Array && Buffer.compare(actual, expected) === 0;
  }
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual) || actual.length !== expected.length) return false;
    return expected.every((item, i) => same(actual[i], item));
  }
  if (expected instanceof Map) {
    return actual instanceof Map && [...expected].every(([key, v]) => same(actual.get(key), v));
  }
  if (expected !== null && typeof expected === 'object') {
    if (actual === null || typeof actual !== 'object') return false;
    const fields = actual as Record<string, unknown>;
    return Object.entries(expected).every(([key, value]) => same(fields[key], value));
  }
  return Object.is(actual, expected);
}

/** Tells what cannot be seen when two values are side by side. Empty: it can all be seen. */
export function unseen(actual: unknown, expected: unknown): Fact[] {
  const { path, mine, right } = firstDifference(actual, expected, '');
  if (typeof mine === 'string' && typeof right === 'string') {
    const { parts } = compareText(mine, right);
    if (parts.some((part) => part.some((character) => !/[ -~]/.test(character)))) {
      return [['in hex', sayCodes(parts.map(codesOf))]];
    }
  }
  if (show(actual) !== show(expected)) return [];
  return [[path ? `at ${path}` : 'they differ', sayDifference(mine, right)]];
}

/** Says that the first difference is one of kind. `undefined`: it is not, or it is plain to see. */
export function wrongKind(actual: unknown, expected: unknown): string | undefined {
  const { mine, right } = firstDifference(actual, expected, '');
  const [one, other] = [kindOf(mine), kindOf(right)];
  if (!one || !other || one === other) return undefined;
  const remedy = typeof mine === 'bigint' ? ' `Number(value)` makes a number of it.' : '';
  return `What should be ${other} is ${one}.${remedy}`;
}

function kindOf(value: unknown): string | undefined {
  // That it is one is the cause, whatever it should have been.
  if (value instanceof Promise) return undefined;
  if (value instanceof Uint8Array) return 'bytes';
  if (Array.isArray(value)) return 'a list';
  if (value instanceof Map) return 'a Map';
  if (value instanceof Set) return 'a Set';
  if (isPlain(value)) return 'an object';
  return { string: 'text', number: 'a number', bigint: 'a bigint' }[typeof value as string];
}

interface Difference {
  /** How to get there, such as `[0].data`. */
  readonly path: string;
  readonly mine: unknown;
  readonly right: unknown;
}

/** Goes into two values that differ as far as there is one place where they do. */
function firstDifference(mine: unknown, right: unknown, path: string): Difference {
  const differs = partsOf(mine, right).find(([, one, other]) => !same(one, other));
  if (!differs) return { path, mine, right };
  const [step, one, other] = differs;
  return firstDifference(one, other, path + step);
}

/** What is at the same place in two values, with its place. */
function partsOf(mine: unknown, right: unknown): [step: string, mine: unknown, right: unknown][] {
  if (Array.isArray(mine) && Array.isArray(right)) {
    return mine.length === right.length ? right.map((item, i) => [`[${i}]`, mine[i], item]) : [];
  }
  if (mine instanceof Map && right instanceof Map) {
    return [...right].map(([key, value]) => [`[${show(key)}]`, mine.get(key), value]);
  }
  if (!isPlain(mine) || !isPlain(right) || kindOf(mine) !== kindOf(right)) return [];
  return Object.keys(right).map((key) => [`.${key}`, mine[key], right[key]]);
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !ArrayBuffer.isView(value);
}

/** Finds the characters that differ, between those that are the same. */
function compareText(mine: string, right: string) {
  const [one, other] = [[...mine], [...right]];
  const shortest = Math.min(one.length, other.length);
  let start = 0;
  while (start < shortest && one[start] === other[start]) start++;
  let end = 0;
  while (end < shortest - start && one.at(-1 - end) === other.at(-1 - end)) end++;
  return { start, parts: [one, other].map((text) => text.slice(start, text.length - end)) };
}

/** The numbers of characters in Unicode, which for those of a head are its bytes. */
function codesOf(characters: readonly string[]): string {
  const codes = characters
    .slice(0, MAX_CHARACTERS)
    .map((character) => character.codePointAt(0)?.toString(16).padStart(2, '0'));
  if (characters.length > MAX_CHARACTERS) codes.push('…');
  return codes.join(' ');
}

/** Says which characters are there in place of which, too many, or missing. */
function sayCodes([mine = '', right = '']: readonly string[]): string {
  if (mine === '') return `${right} is missing`;
  return right === '' ? `${mine} is too much` : `${mine}, not ${right}`;
}

function sayDifference(mine: unknown, right: unknown): string {
  if (mine instanceof Uint8Array && right instanceof Uint8Array) return byteDifference(mine, right);
  if (typeof mine !== 'string' || typeof right !== 'string')
    return `${show(mine)}, not ${show(right)}`;
  const { start, parts } = compareText(mine, right);
  const [one, other] = parts.map((part) => quote(part.slice(0, MAX_CHARACTERS).join('')));
  return `${one}, not ${other} from character ${start}`;
}

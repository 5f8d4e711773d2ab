/**
 * A compressed message as a strip of characters: what it refers back to, and what it says. For a
 * page and for a terminal, which draw the references in it.
 */
import type { DeflateSymbol } from './deflate.ts';
import { escapeText } from './hex.ts';
import type { Unpacked } from './unpack.ts';
import { widthOf } from './width.ts';

/** Places on the strip, in columns. The last is not part of it. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** What is seen in the columns from a place on. */
export interface Cell extends Span {
  readonly text: string;
  /** Is it of the messages before? */
  readonly isBefore: boolean;
}

/** A reference back, on the strip. */
export interface StripReference {
  /** The bytes that it stands for. */
  readonly copy: Span;
  /** Where they are taken from. */
  readonly source: Span;
  /** How many bytes, and how far back. */
  readonly length: number;
  readonly distance: number;
}

/** A message, and what it refers to of those before. */
export interface Strip {
  readonly cells: readonly Cell[];
  readonly references: readonly StripReference[];
  /** How many columns it has. */
  readonly width: number;
}

/** How many bytes are shown beside those that a reference is about. */
const CONTEXT_BYTES = 3;

/** The most bytes that a column can stand for: a character of three bytes has two. */
const MAX_COLUMN_BYTES = 2;

/** Makes the strip of a message. `undefined`: it is too long to be seen at a glance. */
export function stripOf(
  { walk, window }: Pick<Unpacked, 'walk' | 'window'>,
  { maxColumns = 64, maxReferences = 8 } = {},
): Strip | undefined {
  if (walk === undefined || walk.plainLength > maxColumns * MAX_COLUMN_BYTES) return undefined;
  const symbols = walk.blocks.flatMap((block) => block.symbols);
  const found = symbols.filter((symbol) => 'distance' in symbol);
  if (found.length > maxReferences) return undefined;
  const row = new Row(window, plainOf(symbols, window));
  // A reference can go on into what it has just written.
  const sources = found.map(({ at, distance, length }) => {
    return { start: at - distance, end: Math.min(at - distance + length, at) };
  });
  row.addBefore(sources);
  row.add({ start: 0, end: walk.plainLength });
  if (row.width > maxColumns) return undefined;
  const references = found.map(({ at, length, distance }, i) => {
    const copy = row.spanOf({ start: at, end: at + length });
    return { copy, source: row.spanOf(sources[i]!), length, distance };
  });
  return { cells: row.cells, references, width: row.width };
}

/** A byte. `undefined`: it refers to what is not there. */
type Known = number | undefined;

/** What symbols say, byte by byte. */
function plainOf(symbols: readonly DeflateSymbol[], window: Uint8Array): Known[] {
  const plain: Known[] = [];
  for (const symbol of symbols) {
    if ('literal' in symbol) plain.push(symbol.literal);
    else {
      for (let i = 0; i < symbol.length; i++) {
        const from = plain.length - symbol.distance;
        plain.push(from < 0 ? window[window.length + from] : plain[from]);
      }
    }
  }
  return plain;
}

/** Cells that are put beside each other. Bytes before the message have a place below 0. */
class Row {
  readonly cells: Cell[] = [];
  width = 0;
  readonly #window: Uint8Array;
  readonly #plain: readonly Known[];
  /** The cell of each byte. */
  readonly #cellOf = new Map<number, Cell>();

  constructor(window: Uint8Array, plain: readonly Known[]) {
    this.#window = window;
    this.#plain = plain;
  }

  /** Adds what is referred to before the message, with a little beside it. */
  addBefore(sources: readonly Span[]): void {
    let end = -this.#window.length;
    const spans = joined(sources.filter(({ start }) => start < 0).map((span) => this.#widen(span)));
    for (const span of spans) {
      if (span.start > end) this.#put('…', true);
      this.add(span);
      end = span.end;
    }
    if (spans.length > 0 && end < 0) this.#put('…', true);
    if (spans.length > 0) this.#put('│', true);
  }

  /** Adds some bytes as characters. */
  add({ start, end }: Span): void {
    for (let at = start; at < end; ) {
      const [text, size] = this.#characterAt(at, end);
      const cell = this.#put(text, at < 0);
      for (let i = 0; i < size; i++) this.#cellOf.set(at + i, cell);
      at += size;
    }
  }

  /** Where some bytes are seen. */
  spanOf({ start, end }: Span): Span {
    return { start: this.#cellOf.get(start)!.start, end: this.#cellOf.get(end - 1)!.end };
  }

  /** Adds what is beside some bytes of the window, up to whole characters. */
  #widen({ start, end }: Span): Span {
    const isInside = (at: number) => ((this.#byteAt(at) ?? 0) & 0xc0) === 0x80;
    let from = Math.min(start, Math.max(start - CONTEXT_BYTES, -this.#window.length));
    while (isInside(from)) from--;
    let to = Math.min(end + CONTEXT_BYTES, 0);
    while (to < 0 && isInside(to)) to++;
    return { start: from, end: to };
  }

  #byteAt(at: number): Known {
    return at < 0 ? this.#window[this.#window.length + at] : this.#plain[at];
  }

  #put(text: string, isBefore: boolean): Cell {
    const cell = { text, isBefore, start: this.width, end: this.width + widthOf(text) };
    this.cells.push(cell);
    this.width = cell.end;
    return cell;
  }

  /** The character that begins at a place, and its size in bytes. What is not there is a `?`. */
  #characterAt(at: number, end: number): [text: string, size: number] {
    const first = this.#byteAt(at);
    if (first === undefined) return ['?', 1];
    const size = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    const bytes = Array.from({ length: size }, (_, i) => this.#byteAt(at + i));
    const text = at + size > end ? undefined : characterOf(bytes);
    return text === undefined ? ['·', 1] : [text, size];
  }
}

/** Reads a character of UTF-8. `undefined`: it is none, or none that is seen. */
function characterOf(bytes: readonly Known[]): string | undefined {
  const known = bytes.filter((byte) => byte !== undefined);
  if (known.length < bytes.length) return undefined;
  try {
    const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    const text = utf8.decode(Uint8Array.from(known));
    const isEscaped = escapeText(text) !== text && !/["\\]/.test(text);
    return isEscaped || widthOf(text) === 0 ? undefined : text;
  } catch {
    return undefined;
  }
}

/** Joins those that overlap or touch, in their order. */
function joined(spans: readonly Span[]): Span[] {
  const all: Span[] = [];
  for (const span of spans.toSorted((a, b) => a.start - b.start)) {
    const last = all.at(-1);
    if (last === undefined || span.start > last.end) all.push(span);
    else all[all.length - 1] = { start: last.start, end: Math.max(last.end, span.end) };
  }
  return all;
}

/** A compressed message in words, and drawn. */
import { count } from './count.ts';
import type { Block, Walk } from './deflate.ts';
import { toHex } from './hex.ts';
import { preview } from './say.ts';
import { type Span, type Strip, type StripReference, stripOf } from './strip.ts';
import { labelTable, type Row } from './table.ts';
import type { Unpacked } from './unpack.ts';

/** How much is shown of a message, in bytes. */
const MAX_SHOWN_BYTES = 64;

/** How many blocks are described. */
const MAX_BLOCKS = 8;

const KINDS = { stored: 'stored', fixed: 'fixed codes', dynamic: 'codes of its own' };

/** Says how long a message is, such as `7 bytes packed, 5 plain`. */
export function saySizes({ packed, plain }: Unpacked): string {
  const sizes = `${count(packed.length, 'byte')} packed`;
  return plain ? `${sizes}, ${count(plain.length, 'byte')} plain` : sizes;
}

/** Says what a message is when it's unpacked. Empty if it could not be. */
export function sayPlain({ plain }: Unpacked): string {
  return plain ? preview(plain, MAX_SHOWN_BYTES) : '';
}

/** Says what each block of a message is. RFC 1951 §3.2.3 */
export function sayBlocks(walk: Walk): string[] {
  const { blocks, end } = walk;
  const lines = blocks.slice(0, MAX_BLOCKS).map((block, i) => {
    const isLast = i === blocks.length - 1;
    return sayBlock(block, isLast && end === 'flushed');
  });
  return blocks.length > MAX_BLOCKS ? [...lines, `… ${blocks.length} blocks in all`] : lines;
}

function sayBlock({ type, final, bits, symbols }: Block, isFlush: boolean): string {
  const start = `${final ? 'BFINAL=1, ' : ''}${KINDS[type]}`;
  if (isFlush) return `${start}, empty: the four bytes 00 00 ff ff that end it are never sent`;
  const references = symbols.filter((symbol) => 'distance' in symbol).length;
  const literals = symbols.length - references;
  const parts = [
    count(literals, 'literal'),
    ...(references > 0 ? [count(references, 'reference')] : []),
  ];
  const content = symbols.length > 0 ? parts.join(' and ') : 'empty';
  return `${start}, ${count(bits, 'bit')}: ${content}`;
}

/** Says what a reference does, such as `4 bytes from 5 back`. */
export function sayReference({ length, distance }: StripReference): string {
  return `${count(length, 'byte')} from ${distance} back${length > distance ? ', over and over' : ''}`;
}

/**
 * Draws a compressed message for a person: packed and plain, its blocks, and where its references
 * lead. No line is wider than `width` columns.
 */
export function drawUnpacked(message: Unpacked, width: number): string[] {
  const { packed, plain, walk, problem } = message;
  const strip = stripOf(message, { maxColumns: width - 2 });
  const rows: Row[] = [
    ['packed', `${toHex(packed, MAX_SHOWN_BYTES)} (${count(packed.length, 'byte')})`],
  ];
  if (plain) {
    const size = plain.length > MAX_SHOWN_BYTES ? '' : ` (${count(plain.length, 'byte')})`;
    rows.push(['plain', sayPlain(message) + size]);
  }
  if (problem) rows.push(['but', problem]);
  const blocks = walk ? sayBlocks(walk) : [];
  rows.push(...blocks.map((text, i): Row => [`block ${i + 1}`, text]));
  const lines = labelTable(rows, width);
  return strip && strip.references.length > 0 ? [...lines, '', ...drawStrip(strip, width)] : lines;
}

/** Draws a strip, and below it each reference: where its bytes come from, and where they go. */
function drawStrip({ cells, references }: Strip, width: number): string[] {
  const text = cells.map((cell) => cell.text).join('');
  return [text, ...references.flatMap((reference) => drawReference(reference, width))].map((line) =>
    `  ${line}`.trimEnd(),
  );
}

function drawReference(reference: StripReference, width: number): string[] {
  const { source, copy } = reference;
  const says = sayReference(reference);
  const gap = Math.max(0, copy.start - source.end);
  const arrow = gap > 0 ? `◄${'─'.repeat(gap - 1)}` : '';
  const line = ' '.repeat(source.start) + drawSpan(source) + arrow + drawSpan(copy);
  if (line.length + 2 + says.length + 2 <= width) return [`${line}  ${says}`];
  // There is no room behind it.
  return [line, ' '.repeat(Math.max(0, Math.min(source.start, width - 2 - says.length))) + says];
}

function drawSpan({ start, end }: Span): string {
  return end - start === 1 ? '┘' : `╰${'─'.repeat(end - start - 2)}╯`;
}

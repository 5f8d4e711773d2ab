/** Text is measured in the columns of a terminal: a colour takes none, a Chinese character two. */
import stringWidth from 'fast-string-width';

// biome-ignore lint/suspicious/noControlCharactersInRegex: a colour begins with one.
const COLOUR = /(\u001b\[[\d;]*m)/;
/** The most that a tab can take. */
const TAB = ' '.repeat(8);
/** More UTF-16 units than a column has, with its colour. */
const MAX_UNITS = 32;
const characters = new Intl.Segmenter();

/** Counts the columns that a text of one line takes. */
export function widthOf(text: string): number {
  return stringWidth(text.replaceAll('\t', TAB));
}

/** Fills a text up with spaces to `width` columns. One that is wider stays as it is. */
export function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)));
}

/** Shortens a text that is wider than `width` columns, with an ellipsis at its end. */
export function clip(text: string, width: number): string {
  return fitting(text, width) < text.length ? `${text.slice(0, fitting(text, width - 1))}…` : text;
}

/**
 * Finds how much of a text fits into `width` columns: an index that splits no character. The first
 * character counts as fitting even when it is wider.
 */
export function fitting(text: string, width: number): number {
  const start = text.slice(0, width * MAX_UNITS);
  if (/^[ -~]*$/.test(start)) return Math.min(start.length, width);
  let [index, columns] = [0, 0];
  for (const piece of piecesOf(start)) {
    columns += widthOf(piece);
    if (columns > width && index > 0) break;
    index += piece.length;
  }
  return index;
}

/** Takes a text apart into colours, and what a reader sees as one character. */
function* piecesOf(text: string): Generator<string> {
  for (const part of text.split(COLOUR)) {
    if (COLOUR.test(part)) yield part;
    else for (const { segment } of characters.segment(part)) yield segment;
  }
}

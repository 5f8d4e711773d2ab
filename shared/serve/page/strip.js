/** A short compressed message, drawn: its characters, and where its references lead. */

const SVG = 'http://www.w3.org/2000/svg';
/** The width of a column, in pixels as all that follows. */
const COLUMN = 10;
/** Where the characters stand, and how high they are. */
const BASELINE = 32;
const HEIGHT = 18;
/** How far below each other the lines of references are. */
const STEP = 18;
/** Room for the word over what was before. */
const BEFORE = 50;
/** The most that a character of a label takes. */
const LETTER = 7.5;

/** Draws a strip of the server's. Each reference is a line from a copy back to its source. */
export function drawStrip({ cells, references, width, says }) {
  const before = cells.filter(({ isBefore }) => isBefore).at(-1)?.end ?? 0;
  const left = before > 0 ? Math.max(0, BEFORE - before * COLUMN) : 0;
  const x = (column) => left + column * COLUMN;
  const parts = [
    ...captions(before, x),
    ...references.flatMap(({ source, copy }) => [mark(source, x), mark(copy, x)]),
    ...cells.map((cell) => character(cell, x)),
    ...references.flatMap((reference, i) => drawReference(reference, i, says[i], x)),
  ];
  const ends = references.map(({ copy }, i) => middle(copy, x) + (says[i].length + 2) * LETTER);
  const size = {
    width: Math.ceil(Math.max(x(width), x(before) + 12 * LETTER, ...ends)),
    height: BASELINE + 12 + STEP * references.length,
  };
  const text = cells.map((cell) => cell.text).join('');
  const label = `${text}: ${says.join('; ')}`;
  return shape('svg', { ...size, class: 'strip', role: 'img', 'aria-label': label }, ...parts);
}

/** Makes an element of a picture. */
function shape(name, attributes, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

const middle = ({ start, end }, x) => (x(start) + x(end)) / 2;

/** What is left and right of where the message begins. */
function captions(before, x) {
  if (before === 0) return [];
  const y = BASELINE - HEIGHT;
  return [
    shape('text', { class: 'caption', x: x(before) - 8, y, 'text-anchor': 'end' }, 'before'),
    shape('text', { class: 'caption', x: x(before) + 2, y }, 'this message'),
  ];
}

/** What a reference is about has a colour. */
function mark({ start, end }, x) {
  const place = { x: x(start), y: BASELINE - HEIGHT + 4, width: x(end) - x(start), height: HEIGHT };
  return shape('rect', { class: 'mark', rx: 3, ...place });
}

function character(cell, x) {
  const place = { x: middle(cell, x), y: BASELINE, 'text-anchor': 'middle' };
  return shape('text', { class: cell.isBefore ? 'old' : 'new', ...place }, cell.text);
}

/** A line from below a copy to below its source, where it has an arrow. */
function drawReference({ source, copy }, index, says, x) {
  const [from, to] = [middle(copy, x), middle(source, x)];
  const top = BASELINE + 6;
  const y = top + STEP * index + 12;
  return [
    shape('path', { class: 'reference', d: `M${from} ${top}V${y}H${to}V${top + 4}` }),
    shape('path', { class: 'arrow', d: `M${to} ${top}l4 6h-8z` }),
    shape('text', { class: 'caption', x: from + 6, y: y + 4 }, says),
  ];
}

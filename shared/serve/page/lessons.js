/** Whose code is at work, lesson by lesson. */
import { byId, element } from './dom.js';
import { linkId, on } from './link.js';

/** How long the server may be away before the page says so, in milliseconds. */
const PATIENCE_MS = 1500;

on('lessons', ({ parts }) => byId('lessons').replaceChildren(...parts.map(lessonItem)));

const box = byId('compression');
/** Has somebody said whether they want compression? */
let isChosen = false;

/** Shows the boxes that make sense: without compression, there is nothing to leave out. */
function showBoxes(hasCompression) {
  box.parentElement.hidden = !hasCompression;
  byId('as-is').parentElement.hidden = !hasCompression || !box.checked;
}

box.addEventListener('change', () => {
  isChosen = true;
  showBoxes(true);
});

/** As long as it's only the reference that fills in, the wire stays as the first lessons show it. */
on('lessons', ({ parts }) => {
  const part = parts.find(({ number }) => number === '07');
  if (!isChosen) box.checked = part?.until === '';
  showBoxes(part !== undefined);
});

on('down', () => {
  setTimeout(() => {
    if (!linkId()) byId('lessons').replaceChildren(element('li', {}, NO_SERVER));
  }, PATIENCE_MS);
});

/** What to do when nobody answers. */
export const NO_SERVER = `No server answers at ${location.host}. Start it with npm run serve, and this page connects to it by itself.`;

function lessonItem({ number, title, isYours, until }) {
  const whose = isYours ? 'yours' : 'reference';
  const link = { href: `/lessons/${number}`, target: '_blank', rel: 'noreferrer' };
  return element(
    'li',
    { 'data-whose': whose },
    element('a', link, `${number} ${title}`),
    ': ',
    element('b', {}, whose),
    until ? element('small', {}, ` ${until}`) : undefined,
  );
}

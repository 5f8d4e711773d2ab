/** The live wire: what crosses the socket of this page's connection, told by the server. */
import { append, byId, clock, element } from './dom.js';

const MAX_ITEMS = 120;
/** A payload of more bytes has a line of its own. */
const LONG_BYTES = 20;
const DIRECTIONS = { in: 'browser → server', out: 'server → browser' };

const list = byId('wire');
const pauseButton = byId('pause');
let tap;
let isPaused = false;
/** How many events came while nobody wanted to see them. */
let missed = 0;

/**
 * Opens the second WebSocket, through which the server tells what it sees on the first. Resolves
 * with the ID to put into the first one's URL, and with `undefined` when there is no such view.
 */
export function openTap() {
  if (tap?.socket.readyState === WebSocket.OPEN) return Promise.resolve(tap.id);
  const id = crypto.randomUUID();
  const socket = new WebSocket(`${location.origin.replace('http', 'ws')}/wire?tap=${id}`);
  tap = { id, socket };
  socket.addEventListener('message', ({ data }) => receive(JSON.parse(data)));
  return new Promise((resolve) => {
    socket.addEventListener('open', () => resolve(id));
    socket.addEventListener('close', () => resolve(undefined));
  });
}

function receive(event) {
  if (!isPaused) {
    show(event);
    return;
  }
  missed++;
  showPause();
}

function showPause() {
  const count = missed > 0 ? ` (${missed} passed)` : '';
  pauseButton.textContent = isPaused ? `Resume${count}` : 'Pause';
}

pauseButton.addEventListener('click', () => {
  isPaused = !isPaused;
  if (missed > 0) show({ kind: 'gap', time: Date.now(), count: missed });
  missed = 0;
  showPause();
});

byId('clear-wire').addEventListener('click', () => {
  list.replaceChildren();
});

function show(event) {
  append(
    list,
    { head: headItem, frame: frameItem, gap: gapItem, end: endItem }[event.kind](event),
    MAX_ITEMS,
  );
}

function item({ kind, direction, time }, title, ...children) {
  const heading = element(
    'p',
    { class: 'heading' },
    element('time', {}, clock(time)),
    direction && element('b', { class: 'direction' }, DIRECTIONS[direction]),
    element('span', { class: 'summary' }, title),
  );
  return element(
    'li',
    { class: 'event', 'data-kind': kind, 'data-direction': direction },
    heading,
    ...children,
  );
}

function headItem(event) {
  const lines = event.lines.map(({ text, step }) =>
    element(
      'li',
      { class: step ? 'line ours' : 'line' },
      element('code', {}, text),
      step && stepLink(step),
    ),
  );
  const title = event.direction === 'in' ? 'the request to switch' : 'the answer';
  const rest = event.rest ? element('pre', {}, event.rest) : undefined;
  return item(event, title, element('ul', { class: 'head' }, ...lines), rest);
}

function frameItem(event) {
  const fields = event.fields.map((field) => fieldBox(event, field));
  return item(event, event.summary, element('ul', { class: 'fields' }, ...fields));
}

/** A field: its bytes, what they say, and where that is taught. */
function fieldBox({ hex, size, fields }, { start, end, name, meaning, problem, step }) {
  const isCut = end === fields.at(-1).end && (hex.length + 1) / 3 < size;
  // Two digits and a space for each byte.
  const shown = hex.slice(3 * start, 3 * end - 1) + (isCut ? ' …' : '');
  return element(
    'li',
    {
      class: end - start > LONG_BYTES ? 'field long' : 'field',
      'data-field': name,
      'data-problem': problem && '',
    },
    element('code', { class: 'bytes' }, shown),
    element('span', { class: 'meaning' }, meaning),
    problem && element('strong', {}, `⚠ ${problem}`),
    stepLink(step, name),
  );
}

function stepLink(step, name) {
  const [lesson, number] = step.split('.');
  const about = element('span', { class: 'unseen' }, name ? `${name}: lesson ` : 'lesson ');
  const target = { class: 'step', href: `/lessons/${step}`, target: '_blank', rel: 'noreferrer' };
  return element('a', target, about, `${lesson} · step ${number}`);
}

function gapItem(event) {
  const what = event.count === 1 ? 'event passed' : 'events passed';
  return item(event, `${event.count} ${what} without being shown`);
}

function endItem(event) {
  return item(event, 'The TCP connection is gone.');
}

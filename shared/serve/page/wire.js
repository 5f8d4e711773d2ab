/** The live wire: what crosses the socket of this page's connection, told by the server. */
import { append, byId, bytes, clock, element } from './dom.js';
import { on } from './link.js';
import { drawStrip } from './strip.js';

const MAX_ITEMS = 120;
/** A payload of more bytes has a line of its own. */
const LONG_BYTES = 20;
const DIRECTIONS = { in: 'browser → server', out: 'server → browser' };

const list = byId('wire');
const pauseButton = byId('pause');
let isPaused = false;
/** How many events came while nobody wanted to see them. */
let missed = 0;

for (const kind of ['head', 'frame', 'gap', 'half close', 'reads', 'compressing', 'end']) {
  on(kind, receive);
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

const ITEMS = {
  head: headItem,
  frame: frameItem,
  gap: gapItem,
  'half close': halfCloseItem,
  reads: readsItem,
  compressing: compressingItem,
  end: endItem,
};

function show(event) {
  append(list, ITEMS[event.kind](event), MAX_ITEMS);
  // A new connection is what its reader has just asked for, wherever they were.
  if (event.kind === 'head') list.scrollTop = list.scrollHeight;
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
  const lines = event.lines.filter(({ text }) => text !== '');
  const items = lines.map(({ text, step }) =>
    element(
      'li',
      { class: step ? 'line ours' : 'line' },
      element('code', {}, text),
      step && stepLink(step),
    ),
  );
  const title = event.direction === 'in' ? 'the request to switch' : 'the response';
  const rest = event.rest ? element('pre', {}, event.rest) : undefined;
  const agreement = event.agreement && element('p', { class: 'agreement' }, event.agreement);
  const list = element('ul', { class: 'head' }, ...items);
  return item(event, title, list, agreement || undefined, headBytes(event), rest);
}

/** The same, byte by byte, for those who want to see it. */
function headBytes({ lines }) {
  // Two digits and a space for each byte.
  const size = lines.reduce((total, { hex }) => total + (hex.length + 1) / 3, 0);
  return element(
    'details',
    { class: 'head-bytes' },
    element('summary', {}, `Byte by byte: ${bytes(size)}`),
    ...lines.map(({ text, hex }) =>
      element(
        'p',
        {},
        element('code', { class: 'bytes' }, hex),
        element('code', { class: 'meaning' }, hex.endsWith('0d 0a') ? `${text}\\r\\n` : text),
      ),
    ),
  );
}

function frameItem(event) {
  const fields = event.fields.map((field) => fieldBox(event, field));
  const list = element('ul', { class: 'fields' }, ...fields);
  return item(event, event.summary, list, event.message && messageBox(event.message));
}

/** A compressed message: packed and plain, side by side, and how one becomes the other. */
function messageBox({ sizes, hex, plain, problem, blocks, strip }) {
  return element(
    'div',
    { class: 'message', 'data-problem': problem && '' },
    element('p', { class: 'sizes' }, sizes),
    element(
      'p',
      { class: 'sides' },
      element('code', { class: 'bytes' }, hex),
      element('span', { class: 'becomes' }, '→'),
      element('code', { class: 'plain' }, plain),
    ),
    problem && element('strong', {}, `⚠ ${problem}`),
    strip && element('div', { class: 'drawing' }, drawStrip(strip)),
    element('ol', { class: 'blocks' }, ...blocks.map((text) => element('li', {}, text))),
  );
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

function halfCloseItem(event) {
  const order = event.isFirst ? ' first' : ', too';
  return item(event, `closes its side of the TCP connection${order}`);
}

function readsItem(event) {
  const how = event.areCut
    ? 'in reads of one byte. Of a long read, only the first 1,024 bytes are cut.'
    : 'as it arrives.';
  return item(event, `From here on, the server gets what the browser sends ${how}`);
}

function compressingItem(event) {
  const how = event.isOn ? 'compressed, where that is agreed on.' : 'as they are: RSV1 is 0.';
  return item(event, `From here on, the server sends messages ${how}`);
}

function endItem(event) {
  return item(event, 'The TCP connection is gone.');
}

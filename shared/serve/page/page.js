/** The buttons: what a page can do with a WebSocket, and what it hears of it. */
import { byId, bytes, element } from './dom.js';
import { log, logClose, logMessage } from './log.js';
import { openTap } from './wire.js';

const STATES = ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED'];
const MAX_REASON_BYTES = 123;

let socket;
let isOpeningTap = false;

/* Connecting */

const chosenPath = () => document.querySelector('input[name="path"]:checked').value;

/** The URL to connect to; `tap` lets the server show us the wire. */
function address(tap) {
  const url = new URL(chosenPath(), location.origin.replace('http', 'ws'));
  if (url.pathname === '/chat') {
    url.searchParams.set('room', byId('room').value);
    url.searchParams.set('name', byId('name').value);
  }
  if (tap) url.searchParams.set('tap', tap);
  return url.href;
}

function showChoice() {
  for (const label of document.querySelectorAll('.chat')) label.hidden = chosenPath() !== '/chat';
  const protocol = byId('protocol').value.trim();
  const second = protocol ? `, ${JSON.stringify(protocol)}` : '';
  byId('call').textContent = `new WebSocket(${JSON.stringify(address())}${second})`;
}

function showState() {
  const state = socket?.readyState ?? WebSocket.CLOSED;
  const shown = byId('state');
  // Said aloud only when it is another one.
  if (shown.dataset.state === String(state)) return;
  shown.dataset.state = state;
  shown.replaceChildren(
    element('b', { class: 'state-name' }, STATES[state]),
    ' ',
    element('code', {}, `readyState ${state}`),
  );
}

async function connect() {
  if (isOpeningTap) return;
  if (socket && socket.readyState !== WebSocket.CLOSED) {
    log('note', 'There is a connection. Close it first, or open a second tab.');
    return;
  }
  isOpeningTap = true;
  const tap = await openTap();
  isOpeningTap = false;
  const protocol = byId('protocol').value.trim();
  attempt(() => {
    socket = protocol ? new WebSocket(address(tap), protocol) : new WebSocket(address(tap));
    socket.binaryType = 'arraybuffer';
    listen(socket);
  });
}

/** The four events. There are no others. */
function listen(socket) {
  socket.onopen = () => {
    log('open', 'Connected', socket.protocol && `subprotocol ${socket.protocol}`);
    showState();
  };
  socket.onmessage = (event) => logMessage('message', event.data);
  socket.onerror = () => {
    log('error', 'The event has no reason in it: a page must not spy on ports.');
    showState();
  };
  socket.onclose = (event) => {
    logClose(event);
    showState();
  };
}

/** Does something that may throw, and shows what was thrown. Returns whether it went well. */
function attempt(act) {
  try {
    act();
    return true;
  } catch (error) {
    log('throws', `${error.name}: ${error.message}`);
    return false;
  } finally {
    showState();
  }
}

/* Sending */

function send(data) {
  if (!socket) {
    log('note', 'There is nobody to send to. Connect first.');
    return;
  }
  const isOpen = socket.readyState === WebSocket.OPEN;
  if (!attempt(() => socket.send(data))) return;
  if (isOpen) logMessage('sent', data);
  else
    log('note', 'send() threw nothing, but nothing was sent: it is too late. The console says so.');
}

/** Bytes from 00 to ff, over and over. */
const sampleBytes = (count) => Uint8Array.from({ length: count }, (_, i) => i & 0xff).buffer;

function sendSample({ text, bytes: count, letters }) {
  if (text !== undefined) send(text);
  if (count !== undefined) send(sampleBytes(Number(count)));
  if (letters !== undefined) send('WebSocket 101 - '.repeat(Number(letters) / 16));
}

/* Closing */

const reasonSize = () => new TextEncoder().encode(byId('reason').value).length;

/** What is wrong with the code, as a browser sees it. `undefined`: nothing. */
function codeProblem() {
  const code = byId('code').value.trim();
  if (code === '' || code === '1000' || /^[34]\d{3}$/.test(code)) return undefined;
  return 'A page may only close with 1000, or with 3000 to 4999.';
}

/** What is wrong with the reason. `undefined`: nothing. */
function reasonProblem() {
  if (reasonSize() <= MAX_REASON_BYTES) return undefined;
  return `A reason has at most ${MAX_REASON_BYTES} bytes: a control frame has 125, the code takes two.`;
}

function showClose() {
  byId('reason-size').textContent = `${reasonSize()} / ${bytes(MAX_REASON_BYTES)}`;
  byId('code').setAttribute('aria-invalid', String(codeProblem() !== undefined));
  byId('reason').setAttribute('aria-invalid', String(reasonProblem() !== undefined));
  const problem = codeProblem() ?? reasonProblem();
  byId('close-hint').textContent = problem ? `${problem} Try it, and see what close() says.` : '';
}

function close() {
  if (!socket) {
    log('note', 'There is nothing to close. Connect first.');
    return;
  }
  const code = byId('code').value.trim();
  const reason = byId('reason').value;
  if (code === '') attempt(() => socket.close());
  else attempt(() => socket.close(Number(code), reason));
}

/* The console */

function addCopyButton(snippet) {
  const code = snippet.querySelector('.snippet');
  const name = element('span', { class: 'unseen' }, ` “${code.textContent}”`);
  const button = element('button', { type: 'button', class: 'copy' }, 'Copy', name);
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(code.textContent);
      byId('copied').textContent = 'Copied.';
    } catch {
      getSelection().selectAllChildren(code);
      byId('copied').textContent = 'Selected. Copy it with your keyboard.';
    }
    button.firstChild.textContent = byId('copied').textContent.split('.')[0];
  });
  snippet.append(button);
}

/* Wiring */

/** Lets a form do something, and not load the page anew, as forms do by themselves. */
function onSubmit(id, act) {
  byId(id).addEventListener('submit', (event) => {
    event.preventDefault();
    act();
  });
}

onSubmit('connect', connect);
onSubmit('send', () => send(byId('text').value));
onSubmit('close', close);
byId('connect').addEventListener('input', showChoice);
byId('close').addEventListener('input', showClose);
byId('clear-log').addEventListener('click', () => byId('log').replaceChildren());
for (const chip of document.querySelectorAll('.chips button')) {
  chip.addEventListener('click', () => sendSample(chip.dataset));
}
for (const snippet of document.querySelectorAll('#snippets li')) addCopyButton(snippet);
showChoice();
showClose();

const served = await fetch('/served.txt');
byId('served').textContent = (await served.text()).trim();

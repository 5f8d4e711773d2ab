/** The buttons: what a page can do with a WebSocket, and what it hears of it. */
import { byId, bytes, element } from './dom.js';
import { NO_SERVER } from './lessons.js';
import { ask, linkId, on, openLink } from './link.js';
import { log, logClose, logMessage } from './log.js';
import { forgetResponse, whyFailed } from './why.js';
import './wire.js';

const STATES = { 0: 'CONNECTING', 1: 'OPEN', 2: 'CLOSING', 3: 'CLOSED' };
const MAX_REASON_BYTES = 123;

let socket;
/** Has the server gone away? Then the page comes back to it. */
let isAwaited = false;

/* Connecting */

const chosenPath = () => document.querySelector('input[name="path"]:checked').value;

/** The URL to connect to; `tap` lets the server show us the wire. */
function address(tap) {
  const url = new URL(chosenPath(), location.origin.replace('http', 'ws'));
  if (url.pathname === '/chat') {
    url.searchParams.set('room', byId('room').value);
    url.searchParams.set('name', byId('name').value);
  }
  if (tap) {
    url.searchParams.set('tap', tap);
    url.searchParams.set('compression', byId('compression').checked ? 'on' : 'off');
  }
  return url.href;
}

/** A URL as one would type it. */
function withoutTap(address) {
  const url = new URL(address);
  for (const name of ['tap', 'compression']) url.searchParams.delete(name);
  return url.href;
}

function showChoice() {
  for (const label of document.querySelectorAll('.chat')) label.hidden = chosenPath() !== '/chat';
  const protocol = byId('protocol').value.trim();
  const second = protocol ? `, ${JSON.stringify(protocol)}` : '';
  byId('call').textContent = `new WebSocket(${JSON.stringify(address())}${second})`;
}

/** Shows the state, and the form that can be used in it: to connect, or to close. */
function showState() {
  const state = socket ? socket.readyState : 'none';
  const shown = byId('state');
  // Said aloud only when it is another one.
  if (shown.dataset.state === String(state)) return;
  shown.dataset.state = state;
  const url = state === WebSocket.CLOSED ? '' : withoutTap(socket.url);
  shown.replaceChildren(
    element('b', { class: 'state-name' }, STATES[state]),
    ' ',
    element('code', { class: 'url' }, url),
    ' ',
    element('code', {}, `readyState ${state}`),
  );
  showForm(state === WebSocket.OPEN || state === WebSocket.CLOSING);
}

/** Shows the form to close a connection, or the one to open it. */
function showForm(isUsed) {
  const [left, next] = isUsed ? ['connect', 'text'] : ['close', 'connect-button'];
  const hadFocus = byId(left).contains(document.activeElement);
  document.body.dataset.used = isUsed;
  byId('connect').hidden = isUsed;
  byId('close').hidden = !isUsed;
  // Somebody who has just used a form that is gone goes on with what follows.
  if (hadFocus) byId(next).focus();
}

function connect() {
  if (socket?.readyState === WebSocket.CONNECTING) return;
  isAwaited = false;
  byId('why').textContent = '';
  const protocol = byId('protocol').value.trim();
  forgetResponse();
  attempt(() => {
    const url = address(linkId());
    socket = protocol ? new WebSocket(url, protocol) : new WebSocket(url);
    socket.binaryType = 'arraybuffer';
    listen(socket, protocol);
  });
}

/** The four events. There are no others. */
function listen(socket, protocol) {
  let wasOpen = false;
  socket.onopen = () => {
    wasOpen = true;
    log('open', 'Connected', socket.protocol && `subprotocol ${socket.protocol}`);
    showState();
  };
  socket.onmessage = (event) => logMessage('message', event.data);
  socket.onerror = () => {
    log('error', 'The event has no reason in it: a page must not spy on ports.');
    showState();
  };
  socket.onclose = async (event) => {
    logClose(event);
    isAwaited = event.code === 1001;
    showState();
    const why = event.wasClean ? undefined : await whyFailed(protocol, wasOpen);
    if (!why) return;
    isAwaited ||= why === NO_SERVER;
    byId('why').textContent = why;
    log('note', why);
  };
}

on('up', () => {
  if (byId('cut').checked) askForReads();
  if (byId('as-is').checked) askForCompression();
  if (!isAwaited) return;
  log('note', 'The server is back, so this page connects again.');
  connect();
});

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

const isOpen = () => socket?.readyState === WebSocket.OPEN;

function send(data) {
  if (!socket) {
    log('note', 'There is nobody to send to. Connect first.');
    return;
  }
  const wasOpen = isOpen();
  if (!attempt(() => socket.send(data))) return;
  // On a phone it's further down.
  byId('wire').scrollIntoView({ block: 'nearest' });
  if (wasOpen) logMessage('sent', data);
  else
    log('note', 'send() threw nothing, but nothing was sent: it is too late. The console says so.');
}

/** Bytes from 00 to ff, over and over. */
const sampleBytes = (count) => Uint8Array.from({ length: count }, (_, i) => i & 0xff).buffer;

function sendSample({ text, bytes: count, letters }) {
  if (text !== undefined) send(text);
  if (count !== undefined) send(sampleBytes(Number(count)));
  if (letters !== undefined) send(LETTERS.repeat(Number(letters) / LETTERS.length));
}

function sendText() {
  send(byId('text').value);
  // In a chat, what has been said is said. An echo is often asked for again.
  if (chosenPath() === '/chat') byId('text').value = '';
}

const LETTERS = 'WebSocket 101 - ';
const MIB = 1024 * 1024;

/** Asks for a Ping in the answer to a long message, which leaves when the server is ready for it. */
function pingBetween() {
  if (isOpen()) ask('ping between fragments');
  else log('note', 'There is nobody to ask. Connect first.');
}

on('ping waits', () => send(LETTERS.repeat(MIB / LETTERS.length)));

function ping() {
  if (!isOpen()) return log('note', 'There is nobody to ask. Connect first.');
  ask('ping');
  log(
    'note',
    'The server sends a Ping. The browser answers, and tells the page nothing: see the wire.',
  );
}

function askForReads() {
  ask(byId('cut').checked ? 'reads of one byte' : 'reads as they arrive');
}

function askForCompression() {
  ask(byId('as-is').checked ? 'messages as they are' : 'compressed messages');
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

/** Lets a form do something, and not load the page again, as forms do by themselves. */
function onSubmit(id, act) {
  byId(id).addEventListener('submit', (event) => {
    event.preventDefault();
    act();
  });
}

onSubmit('connect', connect);
onSubmit('send', sendText);
onSubmit('close', close);
byId('connect').addEventListener('input', showChoice);
byId('close').addEventListener('input', showClose);
byId('clear-log').addEventListener('click', () => byId('log').replaceChildren());
for (const chip of document.querySelectorAll('.chips button')) {
  chip.addEventListener('click', () => sendSample(chip.dataset));
}
byId('ping').addEventListener('click', ping);
byId('ping-between').addEventListener('click', pingBetween);
byId('cut').addEventListener('change', askForReads);
byId('as-is').addEventListener('change', askForCompression);
for (const snippet of document.querySelectorAll('#snippets li')) addCopyButton(snippet);
byId('driven').hidden = !new URLSearchParams(location.search).has('driven');
showChoice();
showClose();
openLink();

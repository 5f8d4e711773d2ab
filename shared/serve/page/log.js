/** The log of what the WebSocket says to the page, and what the page did to it. */
import { append, byId, bytes, clock, element } from './dom.js';

const MAX_ENTRIES = 200;
const MAX_SHOWN_CHARACTERS = 160;
const MAX_SHOWN_BYTES = 16;

/** What people call a close code. */
const CODES = {
  1000: 'normal closure',
  1001: 'going away',
  1002: 'protocol error',
  1003: 'unsupported data',
  1005: 'the Close had no code',
  1006: 'there was no Close',
  1007: 'not UTF-8',
  1008: 'against the rules of this server',
  1009: 'too big',
  1011: 'the server failed',
};

/**
 * Writes a line. `kind` is the name of an event, `sent`, `throws` for an exception, or `note`.
 * `details` are shown in a quieter voice.
 */
export function log(kind, text, details) {
  const item = element(
    'li',
    { class: 'entry', 'data-kind': kind },
    element('time', {}, clock()),
    element('b', { class: 'kind' }, kind),
    element('span', { class: 'said' }, text),
    details && element('small', { class: 'details' }, details),
  );
  append(byId('log'), item, MAX_ENTRIES);
}

/** Writes down a message that was sent or has come in: text or an `ArrayBuffer`. */
export function logMessage(kind, data) {
  if (typeof data === 'string') logText(kind, data);
  else logBytes(kind, new Uint8Array(data));
}

function logText(kind, text) {
  const characters = [...text.slice(0, 2 * MAX_SHOWN_CHARACTERS)].slice(0, MAX_SHOWN_CHARACTERS);
  const shown = characters.join('');
  const size = new TextEncoder().encode(text).length;
  log(kind, shown.length < text.length ? `${shown}…` : shown, `text, ${bytes(size)}`);
}

function logBytes(kind, data) {
  const shown = Array.from(data.subarray(0, MAX_SHOWN_BYTES), (byte) =>
    byte.toString(16).padStart(2, '0'),
  );
  const more = data.length > MAX_SHOWN_BYTES ? ' …' : '';
  log(kind, shown.join(' ') + more, `binary, ${bytes(data.length)}`);
}

/** Writes down a close event. Its reason is the server's, not the one that the page gave. */
export function logClose({ code, reason, wasClean }) {
  const meaning = CODES[code] ?? (code >= 4000 ? 'a code of our own' : 'a registered code');
  const silence = wasClean && reason === '' ? ', and the server gave no reason' : '';
  const text = `code ${code}, reason ${JSON.stringify(reason)}, wasClean ${wasClean}`;
  log('close', text, meaning + silence);
}

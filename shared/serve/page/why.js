/** Why a connection failed, as far as the wire shows it. The browser itself doesn't say. */

import { NO_SERVER } from './lessons.js';
import { linkId, on } from './link.js';

/** How long to wait for what the wire still has to show, in milliseconds. */
const PATIENCE_MS = 5000;

/** The response that the wire has shown for the newest request. `undefined`: there is none. */
let response;
/** Whether the wire has shown the end of that connection. */
let isOver = true;

on('head', (event) => {
  isOver = false;
  response = event.direction === 'out' ? event : undefined;
});
on('end', () => {
  isOver = true;
});

/** Forgets what the wire has shown of the connections before. */
export function forgetResponse() {
  response = undefined;
  isOver = false;
}

/**
 * Says why a connection failed that asked for `protocol`, if for any. `undefined`: the wire doesn't
 * show it.
 */
export async function whyFailed(protocol, wasOpen) {
  if (linkId()) await theEnd(wasOpen);
  if (!linkId()) return NO_SERVER;
  if (wasOpen || !response) return undefined;
  const lines = response.lines.map(({ text }) => text);
  const [, status] = /^HTTP\/\S+ (.*)/.exec(lines[0]) ?? [];
  if (!/^101\b/.test(status)) return `The server refused the request: ${status}. ${response.rest}`;
  const isAgreed = lines.some((line) => /^sec-websocket-protocol:/i.test(line));
  if (!protocol || isAgreed) return undefined;
  const spoken = [...document.querySelectorAll('#protocols option')].map(({ value }) => value);
  return `The server’s response names no subprotocol, because it doesn’t know ${JSON.stringify(protocol)}. So the browser closed the connection. This server knows ${spoken.join(' and ')}.`;
}

/**
 * Waits until the wire has shown the end, but not for ever. An open connection breaks together with
 * the link, if the server is gone.
 */
function theEnd(wasOpen) {
  if (isOver && !wasOpen) return Promise.resolve();
  return new Promise((resolve) => {
    setTimeout(resolve, PATIENCE_MS);
    for (const kind of wasOpen ? ['down'] : ['end', 'down']) on(kind, resolve);
  });
}

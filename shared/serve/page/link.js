/** The link: a second WebSocket, through which the server tells what it sees, and is told. */

/** How long to wait before the next try, in milliseconds. */
const RETRY_MS = 500;

const listeners = new Map();
let link;

/**
 * Calls `act` with each event of a kind that the server tells, and for `up` and `down` when the
 * link itself comes and goes.
 */
export function on(kind, act) {
  listeners.set(kind, [...(listeners.get(kind) ?? []), act]);
}

/** The name of the link, for the URL of a connection to look at. `undefined`: there is no link. */
export function linkId() {
  return isUp() ? link.id : undefined;
}

/** Asks the server for something, such as `ping`. It does nothing when nobody is there to hear. */
export function ask(wish) {
  if (isUp()) link.socket.send(wish);
}

/** Opens the link, and opens it again whenever it's gone. */
export function openLink() {
  const id = crypto.randomUUID();
  const socket = new WebSocket(`${location.origin.replace('http', 'ws')}/wire?tap=${id}`);
  link = { id, socket };
  socket.onopen = () => emit({ kind: 'up' });
  socket.onmessage = ({ data }) => emit(JSON.parse(data));
  socket.onclose = () => {
    emit({ kind: 'down' });
    setTimeout(openLink, RETRY_MS);
  };
}

function isUp() {
  return link?.socket.readyState === WebSocket.OPEN;
}

function emit(event) {
  for (const act of listeners.get(event.kind) ?? []) act(event);
}

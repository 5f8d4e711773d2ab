/** A tab in a room of the cluster. What carries it through every loss is `ClientSession` of lesson 09. */
import { append, byId, clock, element } from '/dom.js';
import { ClientSession } from '/session.js';

/** How often to ask how the processes are, in milliseconds. */
const LOOK_MS = 500;

/** How many messages a flood has. */
const FLOOD = 300;

/** How many lines a list has. */
const MAX_LINES = 500;

/** How long it is quiet before all that was missed has been replayed, in milliseconds. */
const QUIET_MS = 150;

/** The number that each sender's next message has. It tells whether one is missing. */
const expected = new Map();
const counts = { reconnects: 0, shown: 0, missing: 0, wrong: 0 };

let session;
let socket;
let sender;
let said;
/** Since when we are welcome, on the clock of all senders here, and how much was said before. */
let welcomeAt;
let replayed = 0;
let isReturn = false;
let ours;
let retry;

function show() {
  for (const [name, count] of Object.entries(counts)) byId(name).textContent = count;
  for (const name of ['missing', 'wrong']) byId(name).classList.toggle('bad', counts[name] > 0);
}

function log(text) {
  append(
    byId('log'),
    element('li', {}, element('time', {}, clock()), element('span', {}, text)),
    MAX_LINES,
  );
}

function setState(state, text) {
  byId('state').dataset.state = state;
  byId('state').querySelector('b').textContent = text;
}

/** Begins as somebody new: a tab of its own, with its own cursor and its own messages. */
function begin({ url, room }) {
  clearTimeout(retry);
  sender = crypto.randomUUID().slice(0, 8);
  said = 0;
  isReturn = false;
  expected.clear();
  session = new ClientSession(room, `${sender}-${Date.now()}`);
  byId('final').textContent = '';
  connect(url);
}

function connect(url) {
  const mine = new WebSocket(`${url}/?ticket=${sender}`);
  socket = mine;
  setState(0, 'connecting');
  mine.onopen = () => {
    setState(1, 'open');
    session.opened();
    flush();
  };
  mine.onmessage = ({ data }) => {
    if (mine === socket) receive(data);
  };
  mine.onclose = ({ code, reason }) => {
    if (mine === socket) closed(url, code, reason);
  };
}

function receive(data) {
  const frame = JSON.parse(data);
  if (frame.t === 'process') {
    ours = frame.name;
    byId('process').textContent = `${frame.name}, process ${frame.pid}`;
    return;
  }
  if (frame.t === 'bye') log('This process is about to leave: bye.');
  session.receive(data);
  if (frame.t === 'welcome') welcomed();
  for (let event = session.next(); event; event = session.next()) {
    if (event.type === 'message') shown(event.entry);
    if (event.type === 'gap') gap();
  }
  flush();
}

/** What was said before now, and arrives only now, is replayed. */
function welcomed() {
  welcomeAt = Date.now();
  replayed = 0;
  if (isReturn) settle();
  isReturn = true;
}

let quiet;

function settle() {
  clearTimeout(quiet);
  const count = replayed;
  quiet = setTimeout(() => {
    const text = `resumed, ${count} replayed`;
    byId('resumed').textContent = text;
    log(`Back on ${ours}: ${text}.`);
  }, QUIET_MS);
}

function gap() {
  clearTimeout(quiet);
  byId('resumed').textContent = 'gap';
  log('A gap: what was said before now may be incomplete.');
  // From here on, each sender begins again.
  expected.clear();
}

function shown({ id, user, text }) {
  const { n, at, text: words } = parse(text);
  counts.shown++;
  const next = expected.get(user) ?? n;
  if (n > next) counts.missing += n - next;
  if (n < next) counts.wrong++;
  expected.set(user, Math.max(n + 1, next));
  const isOld = at < welcomeAt && counts.reconnects > 0;
  if (isOld) {
    replayed++;
    settle();
  }
  const item = element('li', isOld ? { class: 'replayed' } : {});
  item.append(element('code', {}, id), element('span', {}, `${user} ${n}: ${words}`));
  append(byId('messages'), item, MAX_LINES);
  show();
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return { n: 0, at: Infinity, text };
  }
}

function closed(url, code, reason) {
  const delayMs = session.closed(code);
  clearTimeout(quiet);
  if (delayMs === undefined) {
    setState(3, 'closed for good');
    log(`Closed with ${code} ${reason}`);
    byId('final').textContent =
      `${code} is for good: nobody has confirmed ${session.unacked.length} messages. Drop begins anew.`;
    return;
  }
  counts.reconnects++;
  show();
  setState(2, 'away');
  byId('process').textContent = 'nobody';
  ours = undefined;
  log(`Lost: ${code} ${reason} Back in ${Math.round(delayMs)} ms.`);
  retry = setTimeout(() => connect(url), delayMs);
}

function flush() {
  if (socket?.readyState !== WebSocket.OPEN) return;
  for (const text of session.takeOutput()) socket.send(text);
}

function say(text) {
  session.say(JSON.stringify({ n: said++, at: Date.now(), text }));
  flush();
}

byId('say').addEventListener('submit', (event) => {
  event.preventDefault();
  say(byId('text').value);
});

byId('drop').addEventListener('click', () => {
  if (byId('final').textContent) begin(state);
  else socket?.close(4000, 'Dropped.');
});

byId('flood').addEventListener('click', () => {
  for (let i = 0; i < FLOOD; i++) say(`flood ${i + 1} of ${FLOOD}`);
});

for (const name of ['restart', 'kill']) {
  byId(name).addEventListener('click', () => fetch(`/${name}`, { method: 'POST' }));
}

let state;

function showMembers({ proxy, bus, whose, members }) {
  byId('made-of').textContent =
    `${members.length} processes, ${whose}, behind ${proxy}, with ${bus}`;
  byId('members').replaceChildren(
    ...members.map(({ name, pid, state }) => {
      const isOurs = name === ours ? ' ours' : '';
      return element(
        'li',
        { class: `member${isOurs}`, 'data-state': state },
        element('b', {}, name),
        ` ${state}${pid ? `, process ${pid}` : ''}`,
      );
    }),
  );
}

async function look() {
  try {
    const response = await fetch('/state');
    const isFirst = state === undefined;
    state = await response.json();
    showMembers(state);
    if (isFirst) begin(state);
  } catch {
    byId('made-of').textContent = 'The cluster is gone.';
  }
  setTimeout(look, LOOK_MS);
}

look();

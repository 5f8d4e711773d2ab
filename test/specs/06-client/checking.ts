/** Step 4: is this a yes? */
import { RFC_ACCEPT, RFC_KEY } from '../../vectors/accept.ts';
import { type Change, replace, requestLine, without } from '../01-handshake/requests.ts';
import { ANY_ANSWERS } from './any-answer.ts';
import { accepts, isAccepted, refuses } from './judge.ts';
import { CHROMIUM_RESPONSE, NODE_RESPONSE } from './response.ts';
import type { Scenarios } from './tools.ts';

type CheckScenario = Scenarios[number];

const RFC = { key: RFC_KEY, accept: RFC_ACCEPT };

/** Adds lines at the end. */
function plus(...more: readonly string[]): Change {
  return (lines) => [...lines, ...more];
}

/** How a row of the table is told, and what the request offered. */
interface Row {
  readonly protocols?: readonly string[];
  /** The subprotocol that is chosen. */
  readonly chosen?: string;
  /** Why it would be refused, if the response of Node's debugger is not. */
  readonly refusing?: string;
  /** Why it would be accepted. */
  readonly accepting?: string;
}

/** The response of Node's debugger with a change is a yes. */
function yes(
  rules: readonly number[],
  response: string,
  change: Change,
  { protocols, chosen, refusing }: Row = {},
): CheckScenario {
  const what = `Accept ${response}.`;
  return {
    what,
    rules,
    check: (lesson) => {
      const answer = { ...RFC, lines: change(NODE_RESPONSE), ...(protocols && { protocols }) };
      accepts(lesson, answer, chosen, what, {
        causeOfRefusing: () =>
          isAccepted(lesson, { ...RFC, lines: NODE_RESPONSE }) ? refusing : undefined,
      });
    },
  };
}

/** The response of Node's debugger with a change is refused. */
function no(
  rules: readonly number[],
  response: string,
  change: Change,
  { protocols, accepting }: Row = {},
): CheckScenario {
  const what = `Refuse ${response}.`;
  return {
    what,
    rules,
    check: (lesson) => {
      const answer = { ...RFC, lines: change(NODE_RESPONSE), ...(protocols && { protocols }) };
      refuses(lesson, answer, what, { causeOfAccepting: accepting });
    },
  };
}

const UPGRADE = 'Upgrade';
const CONNECTION = 'Connection';
const ACCEPT = 'Sec-WebSocket-Accept';
const PROTOCOL = 'Sec-WebSocket-Protocol';
const EXTENSIONS = 'Sec-WebSocket-Extensions';

const ANY_CASE = 'The value of Upgrade is compared in any case.';
const A_LIST =
  'Connection is a list, on one line or several: somebody on the way may have added to it.';
const WHITE_SPACE =
  'White space in HTTP is spaces and tabs. The `trim` of JavaScript takes more, such as a0.';

// ── Status ──────────────────────────────────────────────────────────────────────────────────────

const LOCATION = plus('Location: ws://other.example/chat');

const OTHER_STATUSES = [
  [100, 102, 103, 110, 111, 199, 200, 201, 202, 204, 206, 226],
  [300, 301, 302, 303, 304, 305, 306, 307, 308, 399],
  [400, 401, 403, 404, 407, 409, 410, 421, 426, 429, 500, 501, 502, 503, 504, 599],
].flat();

const ANY_STATUS: CheckScenario = {
  what: 'Refuse any status but 101, although all the headers are there.',
  rules: [27, 175],
  check: (lesson) => {
    for (const status of OTHER_STATUSES) {
      const lines = requestLine(`HTTP/1.1 ${status} Any`)(NODE_RESPONSE);
      refuses(lesson, { ...RFC, lines }, ANY_STATUS.what);
    }
  },
};

const STATUS: readonly CheckScenario[] = [
  yes([26], 'the response of Node’s debugger', (lines) => [...lines]),
  yes([28], 'the response of Chromium’s debugger', () => CHROMIUM_RESPONSE, {
    refusing: ANY_CASE,
  }),
  no([27], 'the status 200', requestLine('HTTP/1.1 200 OK')),
  no([27], 'the status 201, although all the headers are there', requestLine('HTTP/1.1 201 Ok')),
  no([27], 'the status 100', requestLine('HTTP/1.1 100 Continue')),
  no([27], 'a 401: the server wants to know who asks', () => [
    'HTTP/1.1 401 Unauthorized',
    'WWW-Authenticate: Basic realm="chat"',
  ]),
  no([27], 'a 403', () => ['HTTP/1.1 403 Forbidden']),
  no([27, 175], 'a 302: nobody follows it', () => LOCATION(['HTTP/1.1 302 Found'])),
  no([27, 175], 'a 307, although all the headers are there', (lines) =>
    LOCATION(requestLine('HTTP/1.1 307 Temporary Redirect')(lines)),
  ),
  no([27], 'a 426', () => ['HTTP/1.1 426 Upgrade Required', 'Sec-WebSocket-Version: 8']),
  ANY_STATUS,
  no([27], 'a 503', () => ['HTTP/1.1 503 Service Unavailable', 'Retry-After: 120']),
];

// ── Upgrade and Connection ──────────────────────────────────────────────────────────────────────

const HEADERS: readonly CheckScenario[] = [
  yes([28], '`Upgrade: WebSocket`', replace(UPGRADE, 'WebSocket'), { refusing: ANY_CASE }),
  no([28], 'a response without Upgrade', without(UPGRADE)),
  no([28], '`Upgrade: h2c`', replace(UPGRADE, 'h2c')),
  no([28], '`Upgrade: websocket, foo`: that is two protocols', replace(UPGRADE, 'websocket, foo')),
  no([28], '`Upgrade: websocket/13`', replace(UPGRADE, 'websocket/13')),
  no([28], 'an empty Upgrade', replace(UPGRADE, '')),
  no([28, 33], 'Upgrade twice', replace(UPGRADE, 'websocket', 'websocket')),
  yes([29], '`Connection: upgrade`', replace(CONNECTION, 'upgrade'), {
    refusing: 'The items of Connection are compared in any case.',
  }),
  yes([29], '`Connection: UPGRADE`', replace(CONNECTION, 'UPGRADE'), {
    refusing: 'The items of Connection are compared in any case.',
  }),
  yes([29], '`Connection: keep-alive, Upgrade`', replace(CONNECTION, 'keep-alive, Upgrade'), {
    refusing: A_LIST,
  }),
  yes([29], 'a list with other white space', replace(CONNECTION, 'keep-alive\t,Upgrade , x'), {
    refusing: A_LIST,
  }),
  yes([29], 'Connection on two lines', replace(CONNECTION, 'keep-alive', 'Upgrade'), {
    refusing: A_LIST,
  }),
  no([29], 'a response without Connection', without(CONNECTION)),
  no([29], '`Connection: keep-alive`', replace(CONNECTION, 'keep-alive')),
  no([29], '`Connection: not-upgrade`', replace(CONNECTION, 'not-upgrade'), {
    accepting: 'An item has to be `upgrade` as a whole. One that has it in it is another word.',
  }),
  no(
    [29],
    '`Connection: "Upgrade"`: with quotes, it isn’t a token',
    replace(CONNECTION, '"Upgrade"'),
  ),
  no([29], 'an item that is a byte a0 and `Upgrade`', replace(CONNECTION, 'x,\xa0Upgrade'), {
    accepting: WHITE_SPACE,
  }),
  no([29], 'an item that is `Upgrade` and a word', replace(CONNECTION, 'upgrade now')),
];

// ── The accept value ────────────────────────────────────────────────────────────────────────────

const OTHER_ACCEPT = 'HSmrc0sMlYUkAGmm5OPpG2HaGWk=';

const PROOF: readonly CheckScenario[] = [
  no([30], 'a response without an accept value', without(ACCEPT)),
  no([30], 'the accept value of another key', replace(ACCEPT, OTHER_ACCEPT)),
  no([30], 'the key itself', replace(ACCEPT, RFC_KEY)),
  no([30], 'an accept value in lower case', replace(ACCEPT, RFC_ACCEPT.toLowerCase()), {
    accepting: 'In base64, a capital is another digit.',
  }),
  no([30], 'an accept value without `=`', replace(ACCEPT, RFC_ACCEPT.slice(0, -1))),
  no([30], 'an accept value with something behind it', replace(ACCEPT, `${RFC_ACCEPT}, x`)),
  no([30], 'an accept value with a byte a0 behind it', replace(ACCEPT, `${RFC_ACCEPT}\xa0`), {
    accepting: WHITE_SPACE,
  }),
  no([28], 'an Upgrade with a byte a0 behind it', replace(UPGRADE, 'websocket\xa0'), {
    accepting: WHITE_SPACE,
  }),
  no([30], 'an empty accept value', replace(ACCEPT, '')),
  no([30, 33], 'the right accept value twice', replace(ACCEPT, RFC_ACCEPT, RFC_ACCEPT)),
  no([30, 33], 'a wrong accept value and the right one', replace(ACCEPT, OTHER_ACCEPT, RFC_ACCEPT)),
  no([30, 33], 'the right accept value and a wrong one', replace(ACCEPT, RFC_ACCEPT, OTHER_ACCEPT)),
  {
    what: 'The accept value has to be that of our key, and of no other.',
    rules: [30],
    check: (lesson) => {
      const told = 'The accept value has to be that of our key, and of no other.';
      const other = { key: 'x3JJHMbDL1EzLkh9GBhXDw==', accept: OTHER_ACCEPT };
      const lines = replace(ACCEPT, OTHER_ACCEPT)(NODE_RESPONSE);
      accepts(lesson, { ...other, lines }, undefined, told);
      refuses(lesson, { ...other, lines: NODE_RESPONSE }, told);
    },
  },
];

// ── Extensions and subprotocols ─────────────────────────────────────────────────────────────────

const CHAT = { protocols: ['chat', 'superchat'] };

const CHOICES: readonly CheckScenario[] = [
  no([31], 'an extension', replace(EXTENSIONS, 'x-foo')),
  no([31], 'compression, since nobody offered it', replace(EXTENSIONS, 'permessage-deflate')),
  no(
    [31],
    'compression with a parameter that nobody knows',
    replace(EXTENSIONS, 'permessage-deflate; foo'),
  ),
  no([31], 'an empty list of extensions', replace(EXTENSIONS, '')),
  yes([32], 'one of the subprotocols on offer', replace(PROTOCOL, 'chat'), {
    ...CHAT,
    chosen: 'chat',
  }),
  yes([32], 'the last one on offer', replace(PROTOCOL, 'superchat'), {
    ...CHAT,
    chosen: 'superchat',
  }),
  yes([32], 'a response without a subprotocol, when the offer was empty', (lines) => [...lines], {
    protocols: [],
  }),
  no([32], 'a subprotocol, when none was on offer', replace(PROTOCOL, 'chat')),
  no([32], 'an empty subprotocol, when none was on offer', replace(PROTOCOL, '')),
  no([32], 'another subprotocol', replace(PROTOCOL, 'other'), CHAT),
  no([32], 'a subprotocol in another case', replace(PROTOCOL, 'CHAT'), CHAT),
  no([32], 'a part of the name of a subprotocol', replace(PROTOCOL, 'super'), {
    protocols: ['superchat'],
  }),
  no([32], 'an empty subprotocol', replace(PROTOCOL, ''), CHAT),
  no([32, 33], 'two subprotocols on a line', replace(PROTOCOL, 'chat, superchat'), CHAT),
  no([32, 33], 'two subprotocols on two lines', replace(PROTOCOL, 'chat', 'superchat'), CHAT),
  no([33], 'a subprotocol twice', replace(PROTOCOL, 'chat', 'chat'), CHAT),
  no([169], 'a response that chooses none of the subprotocols on offer', (lines) => [...lines], {
    ...CHAT,
    accepting: 'RFC 6455 leaves that open. The WebSocket of a browser refuses it, and so do we.',
  }),
];

// ── What doesn't matter ─────────────────────────────────────────────────────────────────────────

const OTHERS: readonly CheckScenario[] = [
  yes([26], 'cookies', plus('Set-Cookie: a=b', 'Set-Cookie: c=d')),
  yes([26], 'a version, which is for requests', plus('Sec-WebSocket-Version: 8')),
  yes([26], 'a length, since a 101 has no body', plus('Content-Length: 5')),
  yes([26], 'a transfer encoding, for the same reason', plus('Transfer-Encoding: chunked')),
  yes([26], 'a header that nobody knows, with bytes beyond ASCII', plus('X-Name: \u00e9')),
];

export const CHECKING: Scenarios = [
  ...STATUS,
  ...HEADERS,
  ...PROOF,
  ...CHOICES,
  ...OTHERS,
  ...ANY_ANSWERS,
];

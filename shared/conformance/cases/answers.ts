/**
 * Category A for clients: which answers open a WebSocket. Behind each one, in the same write, is
 * the text `Hello`: who echoes it has taken the answer for a yes. RFC 6455 §4.1
 */
import { setTimeout as pause } from 'node:timers/promises';
import { join, wire } from '../../kit/frames.ts';
import type { Case, Category } from '../case.ts';
import { encodeHead, upgradeResponse } from '../http.ts';
import { Failed, type Finding, type Verdict, worst } from '../model.ts';
import { finish } from '../script.ts';
import type { Visit } from '../visit.ts';
import { nameEvent, sameReply, text, textReply } from '../vocabulary.ts';

/** What to say of a client that takes an answer for a yes, and of one that refuses it. */
interface Verdicts {
  readonly accepted: Verdict;
  readonly refused: Verdict;
}

const MUST_ACCEPT: Verdicts = { accepted: 'OK', refused: 'FAILED' };
const SHOULD_ACCEPT: Verdicts = { accepted: 'OK', refused: 'NON-STRICT' };
const MAY_ACCEPT: Verdicts = { accepted: 'OK', refused: 'OK' };
const SHOULD_REFUSE: Verdicts = { accepted: 'NON-STRICT', refused: 'OK' };
const MUST_REFUSE: Verdicts = { accepted: 'FAILED', refused: 'OK' };

/** How the answer of RFC 6455 §4.2.2 becomes another. */
type Change = (head: string, visit: Visit) => string;

const HELLO = wire({ ...text('Hello'), key: null });
const STATUS_LINE = 'HTTP/1.1 101 Switching Protocols';
const UPGRADE = 'Upgrade: websocket';
const CONNECTION = 'Connection: Upgrade';
const ACCEPT = /Sec-WebSocket-Accept: (.*)\r\n/;
const LINE_END = '\r\n';

const asItIs: Change = (head) => head;
/** Puts something in the place of a part of the answer. */
const swap =
  (found: string | RegExp, put: string): Change =>
  (head) =>
    head.replace(found, put);
/** Puts lines behind all others. */
const add =
  (...lines: string[]): Change =>
  (head) =>
    head.slice(0, -LINE_END.length) + lines.map((line) => line + LINE_END).join('') + LINE_END;
const before =
  (start: string): Change =>
  (head) =>
    start + head;
const both =
  (first: Change, second: Change): Change =>
  (head, visit) =>
    second(first(head, visit), visit);
const accept =
  (change: (value: string, visit: Visit) => string): Change =>
  (head, visit) =>
    head.replace(ACCEPT, (_, value) => `Sec-WebSocket-Accept: ${change(value, visit)}\r\n`);

/**
 * A status that isn't 101: what is behind it is a body then, of which HTTP says where it ends. The
 * other headers are those of a 101.
 */
const status = (words: string, ...lines: string[]): Change =>
  both(swap('101 Switching Protocols', words), add(`Content-Length: ${HELLO.length}`, ...lines));
/** Where nobody opens a WebSocket, not even one who follows us there. */
const elsewhere: Change = (head, visit) =>
  status('302 Found', `Location: http://${visit.socket.localAuthority}/elsewhere`)(head, visit);

const padding = (kib: number) =>
  add(...Array.from({ length: kib }, (_, i) => `X-Padding-${i}: ${'*'.repeat(1006)}`));

/** How the answer is put on the wire: in one write unless told otherwise. */
type Write = (visit: Visit, bytes: Uint8Array) => Promise<void>;

const inOneWrite: Write = async ({ socket }, bytes) => void socket.write(bytes);
/** HTTP ends with it: of a response that is no 101, or of a head that may not be whole. */
const asTheLast: Write = async ({ socket }, bytes) => {
  socket.write(bytes);
  socket.halfClose();
};
const byteByByte: Write = async ({ socket }, bytes) =>
  void (await socket.writeInPieces(bytes, 1, (piece) => socket.write(piece)));
const cutBeforeLastByte: Write = async ({ socket }, bytes) => {
  const at = bytes.length - HELLO.length - 1;
  socket.write(bytes.subarray(0, at));
  await pause(20);
  socket.write(bytes.subarray(at));
};

/** A row of a table: what the answer is, the section, what to say of a client, and the answer. */
type Row = readonly [
  title: string,
  section: string,
  verdicts: Verdicts,
  change: Change,
  write?: Write,
];

const RIGHT: Row[] = [
  ['The answer of the standard', '4.2.2', MUST_ACCEPT, asItIs],
  [
    'Header names in lower case',
    '4.1',
    MUST_ACCEPT,
    (head) => head.replace(/^[\w-]+(?=:)/gm, (name) => name.toLowerCase()),
  ],
  [
    'Header names in upper case',
    '4.1',
    MUST_ACCEPT,
    (head) => head.replace(/^[\w-]+(?=:)/gm, (name) => name.toUpperCase()),
  ],
  ['Upgrade: WebSocket', '4.1', MUST_ACCEPT, swap(UPGRADE, 'Upgrade: WebSocket')],
  ['Connection: upgrade', '4.1', MUST_ACCEPT, swap(CONNECTION, 'Connection: upgrade')],
  [
    'Connection: keep-alive, Upgrade',
    '4.1',
    MUST_ACCEPT,
    swap(CONNECTION, 'Connection: keep-alive, Upgrade'),
  ],
  [
    'Connection in two lines',
    '4.1',
    MUST_ACCEPT,
    swap(CONNECTION, `Connection: keep-alive\r\n${CONNECTION}`),
  ],
  [
    'A space and a tab behind Sec-WebSocket-Accept',
    '4.1',
    MUST_ACCEPT,
    accept((value) => `${value} \t`),
  ],
  [
    'No space before the value of Sec-WebSocket-Accept',
    '4.1',
    MUST_ACCEPT,
    swap('Accept: ', 'Accept:'),
  ],
  ['A status without words', '4.1', MUST_ACCEPT, swap(STATUS_LINE, 'HTTP/1.1 101 ')],
  ['A status with other words', '4.1', MUST_ACCEPT, swap(STATUS_LINE, 'HTTP/1.1 101 Yes, please')],
  ['A cookie', '4.1', MUST_ACCEPT, add('Set-Cookie: session=1; Path=/')],
  [
    'Letters of Latin-1 in a header that is not known',
    '4.1',
    MUST_ACCEPT,
    add('X-Name: J\u00fcrg'),
  ],
  ['The answer byte by byte', '4.1', MUST_ACCEPT, asItIs, byteByByte],
  ['The answer, cut before its last byte', '4.1', MUST_ACCEPT, asItIs, cutBeforeLastByte],
];

const UNUSUAL: Row[] = [
  ['A version that we speak besides', '4.1', SHOULD_ACCEPT, add('Sec-WebSocket-Version: 13')],
  ['A length of the body that a 101 does not have', '4.1', SHOULD_ACCEPT, add('Content-Length: 7')],
  [
    'A coding of the body that a 101 does not have',
    '4.1',
    SHOULD_ACCEPT,
    add('Transfer-Encoding: chunked'),
  ],
  ['An interim 100 before it', '4.1', SHOULD_ACCEPT, before('HTTP/1.1 100 Continue\r\n\r\n')],
  [
    'An interim 103 before it',
    '4.1',
    SHOULD_ACCEPT,
    before('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'),
  ],
  ['A head of 12 KiB', '10.4', SHOULD_ACCEPT, padding(12)],
  ['A head of 60 KiB', '10.4', MAY_ACCEPT, padding(60)],
  ['No space behind the status', '4.1', MAY_ACCEPT, swap(STATUS_LINE, 'HTTP/1.1 101')],
  ['HTTP/1.0', '4.2.2', MAY_ACCEPT, swap('HTTP/1.1', 'HTTP/1.0')],
  ['HTTP/1.2', '4.2.2', MAY_ACCEPT, swap('HTTP/1.1', 'HTTP/1.2')],
  ['A blank line before it', '4.1', MAY_ACCEPT, before(LINE_END)],
  ['A header line that is folded', '4.1', MAY_ACCEPT, swap('Accept: ', 'Accept:\r\n ')],
  [
    'Line feeds in the place of line ends',
    '4.1',
    MAY_ACCEPT,
    (head) => head.replaceAll(LINE_END, '\n'),
    asTheLast,
  ],
  ['A NUL in a value', '4.1', MAY_ACCEPT, add('X-Nul: a\0b')],
];

const NOT_HTTP: Row[] = [
  ['HTTP/2', '4.1', SHOULD_REFUSE, swap('HTTP/1.1', 'HTTP/2')],
  ['http/1.1', '4.1', SHOULD_REFUSE, swap('HTTP/1.1', 'http/1.1')],
  ['A status of four digits', '4.1', SHOULD_REFUSE, swap(' 101 ', ' 0101 ')],
  ['Two spaces before the status', '4.1', SHOULD_REFUSE, swap(' 101 ', '  101 ')],
  ['A letter before it', '4.1', SHOULD_REFUSE, before('x')],
  ['A header without a colon', '4.1', SHOULD_REFUSE, add('This is no header')],
  [
    'A space between Sec-WebSocket-Accept and its colon',
    '4.1',
    SHOULD_REFUSE,
    swap('Accept: ', 'Accept : '),
  ],
];

const WRONG: Row[] = [
  ['Status 200', '4.1', MUST_REFUSE, status('200 OK'), asTheLast],
  ['Status 201', '4.1', MUST_REFUSE, status('201 Created'), asTheLast],
  ['Status 302, and where to go', '4.1', MUST_REFUSE, elsewhere, asTheLast],
  [
    'Status 401',
    '4.1',
    MUST_REFUSE,
    status('401 Unauthorized', 'WWW-Authenticate: Basic realm="x"'),
    asTheLast,
  ],
  ['Status 403', '4.1', MUST_REFUSE, status('403 Forbidden'), asTheLast],
  [
    'Status 426',
    '4.4',
    MUST_REFUSE,
    status('426 Upgrade Required', 'Sec-WebSocket-Version: 8'),
    asTheLast,
  ],
  ['Status 503', '4.1', MUST_REFUSE, status('503 Service Unavailable'), asTheLast],
  ['No Upgrade', '4.1', MUST_REFUSE, swap(`${UPGRADE}\r\n`, '')],
  ['Upgrade: h2c', '4.1', MUST_REFUSE, swap(UPGRADE, 'Upgrade: h2c')],
  ['Upgrade: websocket, foo', '4.1', MUST_REFUSE, swap(UPGRADE, `${UPGRADE}, foo`)],
  ['Upgrade: websocket/13', '4.1', MUST_REFUSE, swap(UPGRADE, `${UPGRADE}/13`)],
  ['Upgrade twice', '4.1', SHOULD_REFUSE, add(UPGRADE)],
  ['No Connection', '4.1', MUST_REFUSE, swap(`${CONNECTION}\r\n`, '')],
  ['Connection: keep-alive', '4.1', MUST_REFUSE, swap(CONNECTION, 'Connection: keep-alive')],
  [
    'Connection with Upgrade only as a part of a word',
    '4.1',
    MUST_REFUSE,
    swap(CONNECTION, 'Connection: not-upgrade'),
  ],
  ['No Sec-WebSocket-Accept', '4.1', MUST_REFUSE, swap(ACCEPT, '')],
  ['An empty Sec-WebSocket-Accept', '4.1', MUST_REFUSE, accept(() => '')],
  [
    'Sec-WebSocket-Accept for another key',
    '4.1',
    MUST_REFUSE,
    accept(() => 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='),
  ],
  [
    'Sec-WebSocket-Accept in lower case',
    '4.1',
    MUST_REFUSE,
    accept((value) => value.toLowerCase()),
  ],
  [
    'Sec-WebSocket-Accept without its last sign',
    '4.1',
    MUST_REFUSE,
    accept((value) => value.slice(0, -1)),
  ],
  ['The key itself as Sec-WebSocket-Accept', '4.1', MUST_REFUSE, accept((_, { key }) => key)],
  [
    'Two values of Sec-WebSocket-Accept, the right one last',
    '4.1',
    MUST_REFUSE,
    swap('Sec-WebSocket-Accept', 'Sec-WebSocket-Accept: AAAA\r\nSec-WebSocket-Accept'),
  ],
  [
    'Sec-WebSocket-Accept twice',
    '11.3.3',
    SHOULD_REFUSE,
    (head) => head.replace(ACCEPT, (line) => line + line),
  ],
  [
    'A subprotocol that was not asked for',
    '4.1',
    MUST_REFUSE,
    add('Sec-WebSocket-Protocol: unasked.example'),
  ],
  ['An empty subprotocol', '4.1', SHOULD_REFUSE, add('Sec-WebSocket-Protocol:')],
  [
    'An extension that was not asked for',
    '4.1',
    MUST_REFUSE,
    add('Sec-WebSocket-Extensions: x-unasked'),
  ],
  [
    'permessage-deflate with a parameter that nobody knows',
    '9.1',
    MUST_REFUSE,
    add('Sec-WebSocket-Extensions: permessage-deflate; x-unknown'),
  ],
  ['An empty list of extensions', '9.1', SHOULD_REFUSE, add('Sec-WebSocket-Extensions:')],
];

/** A case in which the answer is that of a row. */
function answered(id: string, [title, section, verdicts, change, write = inOneWrite]: Row) {
  const run = async (visit: Visit): Promise<Finding> => {
    visit.noteRequest(false);
    const { line, headers } = upgradeResponse(visit.key);
    const plain = Buffer.from(encodeHead({ line, headers })).toString('latin1');
    const head = Buffer.from(change(plain, visit), 'latin1');
    visit.socket.record.sent('head', head);
    visit.socket.record.sent('frame', HELLO);
    await write(visit, join(head, HELLO));
    return judge(visit, verdicts);
  };
  return { id, title, section, expected: describeExpected(verdicts), run };
}

/** Sees what became of an answer: the echo of what was behind it, the end of TCP, or neither. */
async function judge(visit: Visit, verdicts: Verdicts): Promise<Finding> {
  const endpoint = visit.speak(HELLO);
  let event = await endpoint.next();
  // Perhaps it has lost what came in the same read as the answer: that is told by S.1.
  if (event.type === 'silence') {
    await endpoint.send([text('Hello')]);
    event = await endpoint.next();
  }
  if (sameReply(event, textReply('Hello'))) {
    const taken = 'The client took it for a yes, and sent the echo.';
    if (verdicts.accepted === 'FAILED') throw new Failed(taken);
    const { verdict, ending, happened } = await finish(endpoint);
    return {
      verdict: worst(verdicts.accepted, verdict),
      ending,
      happened: verdict === 'OK' ? taken : `${taken} Then: ${happened}`,
    };
  }
  if (event.type === 'silence') {
    const happened = 'The client did not take it for a yes, and did not end TCP either.';
    return { verdict: 'FAILED', ending: 'open', happened };
  }
  if (event.type !== 'fin' && event.type !== 'reset') {
    throw new Failed(`Instead of the echo or the end of TCP came ${nameEvent(event)}.`);
  }
  const happened = 'The client ended TCP, without a byte.';
  return { verdict: verdicts.refused, ending: 'refused', happened };
}

function describeExpected({ accepted, refused }: Verdicts): string {
  const yes = 'the echo of the text behind it';
  const no = 'the end of TCP without a byte';
  if (accepted === refused) return 'The echo of the text behind it, or the end of TCP.';
  return accepted === 'OK' ? `A yes: ${yes}.` : `A no: ${no}.`;
}

/** What somebody finds who looks for the right words, wherever they are. */
const MISPLACED: Row[] = [
  [
    'Status 200, and 101 among its words',
    '4.1',
    MUST_REFUSE,
    status('200 Not 101 today'),
    asTheLast,
  ],
  ['X-Upgrade in the place of Upgrade', '4.1', MUST_REFUSE, swap(UPGRADE, `X-${UPGRADE}`)],
  ['Sec-WebSocket-Accept with a sign more', '4.1', MUST_REFUSE, accept((value) => `${value}=`)],
  [
    'The value of Sec-WebSocket-Accept in another header',
    '4.1',
    MUST_REFUSE,
    swap('Sec-WebSocket-Accept', 'Sec-WebSocket-Accept: AAAA\r\nX-Accept'),
  ],
];

const TABLE = [...RIGHT, ...UNUSUAL, ...NOT_HTTP, ...WRONG, ...MISPLACED];

/** How much is sent of what never ends. */
const ENDLESS_BYTES = 2 * 1024 * 1024;
const PADDING = `X-Padding: ${'*'.repeat(1011)}\r\n`.repeat(16);

/** A case in which the answer never ends: no rule says how long a client has to read it. */
function endless(id: string, title: string, start: string, block: string): Case<Visit> {
  const run = async ({ socket, patience }: Visit): Promise<Finding> => {
    const bytes = Buffer.from(block);
    socket.write(Buffer.from(start));
    for (let sent = 0; sent < ENDLESS_BYTES && !socket.ended; sent += bytes.length) {
      await socket.writeInPieces(bytes, bytes.length, (piece) => socket.write(piece));
    }
    if (!socket.ended) await socket.activity(patience.answerMs);
    return socket.ended
      ? { verdict: 'OK', ending: 'refused', happened: 'The client ended TCP.' }
      : { verdict: 'NON-STRICT', ending: 'open', happened: 'The client waits for more.' };
  };
  const expected = 'The end of TCP, before 2 MiB of it were sent.';
  return { id, title, section: '10.4', expected, run };
}

const ENDLESS = [
  endless('A.69', 'A head that never ends', `${STATUS_LINE}\r\n`, PADDING),
  endless(
    'A.70',
    'Interim responses without end',
    '',
    `HTTP/1.1 103 Early Hints\r\n${PADDING.slice(0, 1024)}\r\n`.repeat(16),
  ),
];

export const ANSWERS: Category<Visit> = {
  id: 'A',
  title: 'Opening handshake: answers',
  cases: [...TABLE.map((row, i) => answered(`A.${i + 1}`, row)), ...ENDLESS],
};

import { createServer as createHttpServer, type IncomingMessage } from 'node:http';
import { createServer, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { runConformance } from '../../shared/conformance/run.ts';
import {
  attempt,
  equal,
  fail,
  failsWith,
  refusesWith,
  throws,
} from '../../shared/harness/check.ts';
import type { Fact } from '../../shared/harness/facts.ts';
import { show } from '../../shared/harness/show.ts';
import type { Spec } from '../../shared/harness/spec.ts';
import { join, utf8, type WireFrame, wire } from '../../shared/kit/frames.ts';
import { isForgotten, usedMemory } from '../../shared/kit/memory.ts';
import { Listener, type Peer, request, until } from '../../shared/kit/peer.ts';
import { deliveries } from '../../shared/kit/replay.ts';
import { CloseCode, Opcode, ProtocolError } from '../../shared/protocol.ts';
import { toHex } from '../../shared/view/hex.ts';
import type * as Server from '../../solutions/05-server/server.ts';
import { RFC_ACCEPT } from '../vectors/accept.ts';

type Lesson = typeof Server;
type Event = Server.ConnectionEvent;

const { Binary, Close, Continuation, Ping, Pong, Text } = Opcode;
const NOTHING = new Uint8Array(0);

/** A frame as a client sends it, and as a server does. */
const fromClient = (opcode: number, payload: string | Uint8Array = '', fin = true) =>
  wire({ opcode, payload, fin });
const fromServer = (opcode: number, payload: string | Uint8Array = '', fin = true) =>
  wire({ opcode, payload, fin, key: null });
const closeBody = (code: number, reason = '') =>
  join(Uint8Array.of(code >> 8, code & 255), utf8(reason));

/** A clock that the check sets. */
function clock() {
  let ms = 1_000_000;
  return { now: () => ms, advance: (by: number) => (ms += by) };
}

function connect(
  { Connection, LIMITS }: Lesson,
  limits: Partial<Server.Limits> = {},
  now = clock().now,
  wake = () => {},
) {
  return attempt(() => new Connection({ ...LIMITS, ...limits }, now, wake), 'Make a connection.');
}

/** Pulls one event. */
function pull(connection: Server.Connection, what: string, given: readonly Fact[] = []) {
  return attempt(() => connection.next(), what, given) as Event | undefined;
}

/** Checks the event that comes next. */
function expectNext(
  connection: Server.Connection,
  expected: Partial<Event> | undefined,
  what: string,
  cause?: string,
  given: readonly Fact[] = [],
): void {
  const event = pull(connection, what, given);
  equal(() => event, expected, what, { given, label: '`next` gave', cause: () => cause });
}

/** Checks what goes out, and in how many pieces when that matters. */
function expectOutput(
  connection: Server.Connection,
  expected: Uint8Array,
  what: string,
  cause?: string,
): void {
  equal(() => connection.takeOutput(), expected, what, {
    frames: true,
    label: 'went out',
    cause: (actual) => {
      if (!(actual instanceof Uint8Array)) return undefined;
      if (actual.length === 0) return cause ?? 'Nothing went out.';
      if (((actual[1] ?? 0) & 0x80) !== 0) return 'A server never masks.';
      return cause;
    },
  });
}

// ── Step 1 ──────────────────────────────────────────────────────────────────────────────────────

const SAMPLE = request('/chat?room=1', 'Origin: http://example.com', 'X-Unknown: yes');

function openingHandshake({ openingHandshake: open }: Lesson): void {
  const glued = fromClient(Text, 'Hello');
  for (let length = 0; length < SAMPLE.length; length++) {
    equal(() => open(SAMPLE.subarray(0, length)), undefined, 'A head that is not whole: wait.', {
      given: [['arrived', `${length} of ${SAMPLE.length} bytes`]],
    });
  }
  for (const rest of [NOTHING, glued]) {
    const what = 'Accept a request, and keep what came behind it.';
    const opening = attempt(() => open(join(SAMPLE, rest)), what);
    const given: Fact[] = [['behind the head', show(rest)]];
    equal(() => opening?.accepted, true, 'Accept a request that keeps every rule.', { given });
    if (!opening?.accepted) return;
    equal(() => opening.rest, rest, what, {
      given,
      cause: () => 'A client may send its first frame together with the request.',
    });
    equal(
      () => opening.upgrade,
      { resource: '/chat?room=1', origin: 'http://example.com', protocols: [] },
      'Say what was asked for.',
    );
    equal(() => opening.protocol, undefined, 'Nobody has offered a subprotocol.');
    const answer = Buffer.from(opening.answer).toString('latin1');
    const lines = ['HTTP/1.1 101 ', `\r\nSec-WebSocket-Accept: ${RFC_ACCEPT}\r\n`];
    for (const line of lines) {
      if (!answer.includes(line)) fail('The answer is that of lesson 01.', [['answer', answer]]);
    }
  }

  const offer = request('/', 'Sec-WebSocket-Protocol: soap, chat');
  const chosen = attempt(() => open(offer, { protocols: ['chat'] }), 'Choose a subprotocol.');
  equal(() => chosen, { accepted: true, protocol: 'chat' }, 'Choose a subprotocol.', {
    given: [
      ['offered', 'soap, chat'],
      ['spoken', 'chat'],
    ],
    cause: () => 'Does the policy reach `negotiate`?',
  });
  const said = chosen?.accepted ? Buffer.from(chosen.answer).toString('latin1') : '';
  if (!/\r\nSec-WebSocket-Protocol: *chat\r\n/i.test(said)) {
    const cause = 'Does it reach `acceptResponse`?';
    fail('The answer says which subprotocol was chosen.', [['answer', show(said)]], cause);
  }

  const bug = {
    get protocols(): never {
      throw new TypeError('a bug of ours');
    },
  };
  throws(TypeError, () => open(offer, bug), 'A bug of ours is no bad request: let it out.', {
    given: [['the policy', 'throws']],
    cause: () => 'Catch what is a `HandshakeError`, and throw everything else on.',
  });

  const refusals: [what: string, bytes: Uint8Array, status: number, policy?: object][] = [
    ['another method', replace(SAMPLE, 'GET', 'POST'), 405],
    ['another version', replace(SAMPLE, 'Version: 13', 'Version: 8'), 426],
    ['no key', replace(SAMPLE, 'Sec-WebSocket-Key', 'X-Key'), 400],
    ['something that is not HTTP', utf8('hello there\r\n\r\n'), 400],
    ['an unknown path', SAMPLE, 404, { paths: ['/echo'] }],
    ['an origin that is not welcome', SAMPLE, 403, { origins: ['https://good.example'] }],
  ];
  for (const [what, bytes, status, policy] of refusals)
    refuse(what, () => open(bytes, policy), status);
  const endless = utf8(`GET / HTTP/1.1\r\nX: ${'x'.repeat(100)}`);
  refuse('a head beyond the limit', () => open(endless, {}, 64), 431);
  equal(() => open(endless, {}, 1000), undefined, 'A head within the limit may go on.');
}

function replace(bytes: Uint8Array, found: string, replacement: string): Uint8Array {
  return utf8(Buffer.from(bytes).toString('latin1').replace(found, replacement));
}

function refuse(what: string, open: () => unknown, status: number): void {
  const title = `Refuse ${what}.`;
  let opening: ReturnType<Lesson['openingHandshake']>;
  const accepted = () => {
    opening = open() as typeof opening;
    return opening?.accepted;
  };
  equal(accepted, false, title, {
    label: '`accepted` is',
    cause: (actual) => {
      if (actual instanceof Error)
        return 'A bad request has an answer of its own: catch the error.';
      return actual ? 'Does the policy reach `negotiate`?' : 'Does the limit reach `parseRequest`?';
    },
  });
  if (!opening || opening.accepted) return;
  const { error, answer } = opening;
  refusesWith(
    status,
    () => {
      throw error;
    },
    title,
  );
  const text = Buffer.from(answer).toString('latin1');
  if (!text.startsWith(`HTTP/1.1 ${status} `)) {
    fail(`Answer with the status of the error, ${status}.`, [['answer', show(text)]]);
  }
}

// ── Step 2 ──────────────────────────────────────────────────────────────────────────────────────

function bytesIn(lesson: Lesson): void {
  const cases: [what: string, frames: readonly WireFrame[], events: readonly Partial<Event>[]][] = [
    ['a text', [{ opcode: Text, payload: 'Hello' }], [{ type: 'text', data: 'Hello' }]],
    [
      'Chinese text',
      [{ opcode: Text, payload: '你好，世界' }],
      [{ type: 'text', data: '你好，世界' }],
    ],
    [
      'bytes',
      [{ opcode: Binary, payload: Uint8Array.of(0, 255) }],
      [{ type: 'binary', data: Uint8Array.of(0, 255) }],
    ],
    ['a Pong', [{ opcode: Pong, payload: 'x' }], [{ type: 'pong', payload: utf8('x') }]],
    [
      'a message in fragments',
      [
        { opcode: Text, payload: 'Hel', fin: false },
        { opcode: Pong },
        { opcode: Continuation, payload: 'lo' },
      ],
      [{ type: 'pong' }, { type: 'text', data: 'Hello' }],
    ],
    [
      'three messages',
      [
        { opcode: Text, payload: 'a' },
        { opcode: Binary, payload: 'b' },
        { opcode: Text, payload: 'c' },
      ],
      [
        { type: 'text', data: 'a' },
        { type: 'binary', data: utf8('b') },
        { type: 'text', data: 'c' },
      ],
    ],
  ];
  for (const [what, frames, events] of cases) {
    const bytes = join(...frames.map(wire));
    for (const { how, reads } of deliveries(bytes)) {
      const connection = connect(lesson);
      const given: Fact[] = [['arrived', how]];
      const seen: unknown[] = [];
      equal(() => connection.next(), undefined, 'Nothing has come, so nothing happens.');
      for (const read of reads) {
        attempt(() => connection.receive(read), `Take in ${what}.`, given);
        for (let event = connection.next(); event && seen.length < 10; event = connection.next()) {
          seen.push(event);
        }
      }
      equal(() => seen, events, `Hear of ${what}.`, {
        given,
        label: 'the events',
        cause: () => {
          const has = (list: readonly unknown[], type: string) =>
            list.some((event) => (event as Event).type === type);
          if (has(seen, 'error')) {
            return 'The reader refuses a good frame. Is it one for the role `server`?';
          }
          if (has(events, 'pong') && !has(seen, 'pong')) {
            return 'A Pong is an event like a message. Only a Ping is answered.';
          }
          return 'Pull messages until there is none: one read may bring many, or a part of one.';
        },
      });
    }
  }

  const [one, two] = [connect(lesson), connect(lesson)];
  one.receive(fromClient(Text, 'one').subarray(0, 5));
  two.receive(fromClient(Text, 'two'));
  expectNext(two, { type: 'text', data: 'two' }, 'Two connections share nothing.', SHARED);
  expectNext(one, undefined, 'Two connections share nothing.', SHARED);
  one.receive(fromClient(Text, 'one').subarray(5));
  expectNext(one, { type: 'text', data: 'one' }, 'Two connections share nothing.', SHARED);
}

const SHARED =
  'What one client sent has to do with one connection only: keep it in fields, not in the module.';

// ── Step 3 ──────────────────────────────────────────────────────────────────────────────────────

function bytesOut(lesson: Lesson): void {
  const { MAX_FRAGMENT_BYTES, MAX_OUTPUT_BYTES } = lesson;
  let calls = 0;
  const connection = connect(lesson, {}, clock().now, () => {
    calls++;
  });
  expectOutput(connection, NOTHING, 'Nothing waits, so nothing goes out.');
  equal(() => connection.send('Hello'), true, 'There is room for more.', { label: '`send` gave' });
  if (calls === 0) {
    fail('Call `wake` when there is something to send.', [], 'Nobody would come and take it.');
  }
  expectOutput(connection, fromServer(Text, 'Hello'), 'A string is sent as text.');
  expectOutput(connection, NOTHING, 'What went out is gone.');
  connection.send(Uint8Array.of(1, 2));
  expectOutput(connection, fromServer(Binary, Uint8Array.of(1, 2)), 'Bytes are sent as binary.');
  connection.send('');
  expectOutput(connection, fromServer(Text, ''), 'An empty message is a message.');
  connection.send('你好');
  expectOutput(connection, fromServer(Text, '你好'), 'Chinese text is sent as UTF-8.');

  for (const text of ['one', 'two', 'three']) connection.send(text);
  expectOutput(
    connection,
    join(...['one', 'two', 'three'].map((text) => fromServer(Text, text))),
    'What waits goes out together, in order.',
    'One array for one write: every write is a call of the system, and costs more than the frame.',
  );

  throws(TypeError, () => connection.send('\ud800'), 'Refuse half of a surrogate pair.');
  throws(RangeError, () => connection.ping(new Uint8Array(126)), 'Refuse a Ping of 126 bytes.');
  expectOutput(connection, NOTHING, 'A refused call sends nothing.');
  connection.ping(utf8('there?'));
  expectOutput(connection, fromServer(Ping, 'there?'), 'Ask the peer for a Pong.');

  connection.receive(join(fromClient(Ping, 'a'), fromClient(Ping, 'b'), fromClient(Text, 'c')));
  expectNext(connection, { type: 'text', data: 'c' }, 'A Ping is answered, and no event.');
  connection.send('c');
  expectOutput(
    connection,
    join(fromServer(Pong, 'a'), fromServer(Pong, 'b'), fromServer(Text, 'c')),
    'A Ping is answered with its own payload, and one read makes one write.',
    'For each Ping, `next` puts a Pong with its payload into the queue.',
  );

  largeMessage(connection, MAX_FRAGMENT_BYTES, MAX_OUTPUT_BYTES);
}

/** A large message goes in fragments, so that a Pong can slip between. */
function largeMessage(connection: Server.Connection, fragmentBytes: number, outputBytes: number) {
  const data = Uint8Array.from({ length: 300_000 }, (_, i) => i % 251);
  connection.send(data);
  const pieces = [connection.takeOutput()];
  connection.receive(fromClient(Ping, 'hurry'));
  expectNext(connection, undefined, 'A Ping is no event.');
  const pong = fromServer(Pong, 'hurry');
  const next = connection.takeOutput();
  equal(() => next.subarray(0, pong.length), pong, 'A Pong goes between two fragments.', {
    frames: true,
    label: 'went out',
    cause: () =>
      'Take out about MAX_OUTPUT_BYTES, not all: a Pong cannot overtake what is out already.',
  });
  pieces.push(next.subarray(pong.length));
  for (let more = connection.takeOutput(); more.length > 0; more = connection.takeOutput()) {
    pieces.push(more);
    if (pieces.length > 100) fail('`takeOutput` comes to an end.');
  }
  const most = outputBytes + fragmentBytes + 100;
  const long = pieces.find(({ length }) => length > most);
  if (long) {
    fail(
      `About ${outputBytes} bytes go out at once.`,
      [['went out', `${long.length} bytes`]],
      'Stop when there is enough: a Pong cannot overtake what is out already.',
    );
  }
  const frames = fragments(data, fragmentBytes);
  equal(() => join(...pieces), join(...frames), 'A large message goes in fragments.', {
    frames: true,
    label: 'went out',
    cause: () => 'Cut it with `fragment` of lesson 03, into pieces of MAX_FRAGMENT_BYTES.',
  });
}

// ── Step 4 ──────────────────────────────────────────────────────────────────────────────────────

const NORMAL = closeBody(1000);
const BAD_REASON = join(NORMAL, Uint8Array.of(0xff));

/** Answers every message with the same message, and returns the other events. */
function echo(connection: Server.Connection): Event[] {
  const others: Event[] = [];
  for (let event = connection.next(); event && others.length < 10; event = connection.next()) {
    if (event.type === 'text' || event.type === 'binary') connection.send(event.data);
    else others.push(event);
  }
  return others;
}

function expectEnding(
  connection: Server.Connection,
  expected: unknown,
  what: string,
  cause = 'The closing handshake returns an action for that. Keep it in `ending`, for the shell.',
): void {
  equal(() => connection.ending, expected, what, {
    label: '`ending` is',
    cause: (actual) => (actual === undefined ? cause : undefined),
  });
}

function ending(lesson: Lesson): void {
  const asked = connect(lesson);
  expectEnding(asked, undefined, 'An open connection stays.');
  asked.receive(fromClient(Close, closeBody(4001, 'bye')));
  expectNext(asked, undefined, 'A Close is answered; the event comes when TCP is gone.');
  expectOutput(asked, fromServer(Close, closeBody(4001)), 'A Close is answered with its code.');
  expectEnding(asked, 'hangUp', 'After both Closes, the server hangs up.');
  asked.disconnect();
  const bye = { type: 'close', code: 4001, reason: 'bye', wasClean: true } as const;
  expectNext(asked, bye, 'When TCP is gone, the application hears how it ended.');
  asked.disconnect();
  expectNext(asked, undefined, 'A connection ends once.');

  const busy = connect(lesson);
  busy.receive(
    join(fromClient(Text, 'last words'), fromClient(Ping, 'p'), fromClient(Close, NORMAL)),
  );
  echo(busy);
  expectOutput(
    busy,
    join(fromServer(Pong, 'p'), fromServer(Text, 'last words'), fromServer(Close, NORMAL)),
    'A message is answered before the Close that came behind it.',
    'Look at one message, let the application answer, then look at the next.',
  );

  closedWhileMuchWaits(lesson);
  closedByBoth(lesson);

  const ours = connect(lesson);
  ours.close(4000, 'enough');
  expectOutput(ours, fromServer(Close, closeBody(4000, 'enough')), 'Close with code and reason.');
  expectEnding(ours, undefined, 'We wait for the Close of the peer.');
  equal(() => ours.send('too late'), false, 'No message follows a Close.', {
    label: '`send` gave',
    cause: () => 'Look at the state first. Who is closing sends nothing, and that is no error.',
  });
  ours.ping();
  expectOutput(ours, NOTHING, 'Nothing follows our Close.', 'Is the state OPEN?');
  ours.receive(fromClient(Text, 'on its way'));
  expectNext(ours, { type: 'text', data: 'on its way' }, 'Until its Close, the peer is heard.');
  ours.receive(fromClient(Close, closeBody(1001)));
  expectNext(ours, undefined, 'The answer to our Close is not answered.');
  expectOutput(ours, NOTHING, 'The answer to our Close is not answered.');
  expectEnding(ours, 'hangUp', 'After both Closes, the server hangs up.');
  ours.disconnect();
  expectNext(ours, { type: 'close', code: 1001, wasClean: true }, 'The code is that of the peer.');
  throws(RangeError, () => connect(lesson).close(1005), 'Refuse to close with 1005.');

  const faults: [what: string, bytes: Uint8Array, code: number][] = [
    ['an unmasked frame', fromServer(Text, 'Hello'), 1002],
    ['a text that is not UTF-8', fromClient(Text, Uint8Array.of(0xff)), 1007],
    ['a message beyond the limit', fromClient(Binary, new Uint8Array(101)).subarray(0, 6), 1009],
    ['a Close with half a code', fromClient(Close, Uint8Array.of(3)), 1002],
    ['a Close with the code 1005', fromClient(Close, closeBody(1005)), 1002],
    ['a Close whose reason is not UTF-8', fromClient(Close, BAD_REASON), 1007],
  ];
  for (const [what, bytes, code] of faults) fault(lesson, what, bytes, code);
  const wrong = connect(lesson);
  wrong.receive(fromClient(Close, closeBody(1005)));
  echo(wrong);
  const said = wrong.takeOutput().subarray(2, 4);
  equal(() => said, closeBody(1002), 'A Close with the code 1005 is a mistake: say 1002.');
  expectEnding(wrong, 'hangUp', 'Hang up on a peer that breaks a rule.');

  const late = connect(lesson);
  late.close();
  late.takeOutput();
  late.receive(fromClient(Close, BAD_REASON));
  expectNext(late, { type: 'error' }, 'Tell the application of an illegal answer to our Close.');
  expectOutput(late, NOTHING, 'A Close is sent once.');
  expectEnding(late, 'hangUp', 'Hang up on a peer that breaks a rule.');

  const broken = connect(lesson);
  broken.fail(new Error('a bug of ours'));
  expectNext(broken, { type: 'error' }, 'An error of our own is told.');
  expectOutput(broken, fromServer(Close, closeBody(1011)), 'For an error of our own, say 1011.');
  expectEnding(broken, 'hangUp', 'For an error of our own, hang up.');

  broken.fail(new Error('another bug'));
  expectNext(broken, undefined, 'A connection fails once.');
  deaf(lesson);

  const gone = connect(lesson);
  gone.disconnect();
  expectNext(gone, { type: 'close', code: 1006, wasClean: false }, 'No Close is 1006.');
}

/** A Close that comes while messages wait, with one of them on its way, and then with none. */
function closedWhileMuchWaits(lesson: Lesson): void {
  const { MAX_FRAGMENT_BYTES } = lesson;
  const [begun, late] = [new Uint8Array(300_000), new Uint8Array(300_000).fill(1)];
  for (const isBegun of [true, false]) {
    const connection = connect(lesson);
    connection.send(isBegun ? begun : late);
    const first = isBegun ? connection.takeOutput() : NOTHING;
    connection.send(late);
    connection.receive(fromClient(Close, NORMAL));
    expectNext(connection, undefined, 'A Close is answered; the event comes when TCP is gone.');
    const pieces = [first];
    for (let more = connection.takeOutput(); more.length > 0; more = connection.takeOutput()) {
      pieces.push(more);
    }
    const expected = [...(isBegun ? fragments(begun, MAX_FRAGMENT_BYTES) : [])];
    equal(
      () => join(...pieces),
      join(...expected, fromServer(Close, NORMAL)),
      'The answer to a Close waits for the message on its way only.',
      { frames: true, label: 'went out', cause: () => BACKLOG },
    );
    expectEnding(connection, 'hangUp', 'After both Closes, the server hangs up.');
  }
}

/** Both sides close at once, and our Close still waits behind a message. */
function closedByBoth(lesson: Lesson): void {
  const connection = connect(lesson);
  connection.send('said before');
  connection.close();
  connection.receive(fromClient(Close, NORMAL));
  connection.next();
  expectOutput(
    connection,
    join(fromServer(Text, 'said before'), fromServer(Close, NORMAL)),
    'Our own Close goes after the messages before it, also when the peer’s comes in.',
    'Drop what waits for an answer only. When our own Close waits, it would be dropped, too.',
  );
}

const BACKLOG =
  'What waited already when the read with the Close came in is too late: drop it, with `dropWaiting`, and then answer.';

/** A binary message in frames, as a server sends it. */
function fragments(data: Uint8Array, fragmentBytes: number): Uint8Array[] {
  const frames: Uint8Array[] = [];
  for (let at = 0; at < data.length; at += fragmentBytes) {
    const end = Math.min(at + fragmentBytes, data.length);
    const opcode = at === 0 ? Binary : Continuation;
    frames.push(fromServer(opcode, data.subarray(at, end), end === data.length));
  }
  return frames;
}

/** A peer that breaks a rule: told why, and not heard again. */
function fault(lesson: Lesson, what: string, bytes: Uint8Array, code: number): void {
  const given: Fact[] = [['arrived', `a text, then ${what}`]];
  const connection = connect(lesson, { maxMessageBytes: 100 });
  connection.receive(join(fromClient(Text, 'before'), bytes));
  const events = attempt(() => echo(connection), `Nothing is thrown at ${what}.`, given);
  equal(() => events.map(({ type }) => type), ['error'], `Tell the application of ${what}.`, {
    given,
    label: 'the events',
    cause: () => {
      if (events.length > 1) {
        return 'Fail the connection with what the reader throws, and read no more: it is asked again otherwise.';
      }
      if (code === 1009) return 'Does the limit reach the reader?';
      return what.startsWith('a Close')
        ? '`receiveClose` returns actions here and throws nothing, so check the body before you call it.'
        : 'When the connection fails, an `error` event is due.';
    },
  });
  const [event] = events;
  const error = event?.type === 'error' ? event.error : undefined;
  equal(() => error instanceof ProtocolError && error.closeCode, code, `Name ${what}.`, { given });
  const raise = () => {
    throw error;
  };
  failsWith(code, raise, `Say what is wrong with ${what}.`, { given });
  const output = connection.takeOutput();
  const start = join(fromServer(Text, 'before'), Uint8Array.of(0x88));
  equal(() => output.subarray(0, start.length), start, 'What came before it is answered first.', {
    given,
    frames: true,
    label: 'went out',
  });
  const said = output.subarray(start.length + 1, start.length + 3);
  equal(() => said, closeBody(code), `Say ${code} for ${what}.`, { given, label: 'close code' });
  expectEnding(connection, 'hangUp', `Hang up on ${what}.`);
  connection.receive(fromClient(Text, 'after'));
  expectNext(connection, undefined, 'After a failure nobody listens.', undefined, given);
  connection.disconnect();
  expectNext(connection, { type: 'close', code: 1006, wasClean: false }, 'It failed: 1006.');
}

/** What comes after a failure takes up nothing. */
function deaf(lesson: Lesson): void {
  const connection = connect(lesson);
  connection.fail(new Error('a bug of ours'));
  const read = new Uint8Array(1024 * 1024);
  const before = usedMemory('arrayBuffers');
  for (let i = 0; i < 16; i++) {
    connection.receive(read);
    echo(connection);
  }
  // Garbage is collected only if there may be some: it takes its time.
  const { arrayBuffers } = process.memoryUsage();
  const kept = arrayBuffers - before < read.length ? 0 : usedMemory('arrayBuffers') - before;
  expectNext(connection, undefined, 'After a failure nobody listens.');
  if (kept < 8 * 1024 * 1024) return;
  fail(
    'What comes after a failure is dropped.',
    [
      ['arrived', '16 MiB'],
      ['kept', `${Math.round(kept / 1024 / 1024)} MiB`],
    ],
    'Nobody reads it any more, so it piles up. Ask `isListening` before you push.',
  );
}

// ── Step 5 ──────────────────────────────────────────────────────────────────────────────────────

const TIMES = { pingIntervalMs: 30_000, closeTimeoutMs: 5_000 };

function expectDeadline(connection: Server.Connection, expected: number | undefined, what: string) {
  equal(() => connection.deadline, expected, what, { label: '`deadline` is' });
}

function time(lesson: Lesson): void {
  const { now, advance } = clock();
  const silent = connect(lesson, TIMES, now);
  expectDeadline(silent, now() + 30_000, 'Somebody new has the whole interval.');
  advance(10_000);
  silent.receive(fromClient(Text, 'x').subarray(0, 1));
  expectDeadline(silent, now() + 30_000, 'Every byte is a sign of life.');
  advance(29_999);
  silent.checkTime();
  expectOutput(silent, NOTHING, 'One millisecond is left.');
  advance(1);
  silent.checkTime();
  expectOutput(
    silent,
    fromServer(Ping),
    'Ask a silent peer whether it is there.',
    'When the deadline has come, `checkTime` sends a Ping.',
  );
  expectDeadline(silent, now() + 30_000, 'To answer, it has as long again.');
  silent.checkTime();
  expectOutput(silent, NOTHING, 'Ask once.');
  silent.receive(fromClient(Pong));
  expectDeadline(silent, now() + 30_000, 'It has answered.');
  expectEnding(silent, undefined, 'It has answered.');
  advance(30_000);
  silent.checkTime();
  expectOutput(
    silent,
    fromServer(Ping),
    'Ask again after the next silence.',
    'When something is heard, forget that you have asked.',
  );
  advance(30_000);
  silent.checkTime();
  expectEnding(
    silent,
    'destroy',
    'Who does not answer is gone: drop the TCP connection.',
    'You have asked, and a whole interval has passed without an answer.',
  );
  while (silent.next()?.type === 'pong');
  silent.disconnect();
  expectNext(silent, { type: 'close', code: 1006, wasClean: false }, 'Nobody said Close: 1006.');
  expectDeadline(silent, undefined, 'A closed connection waits for nothing.');

  const told = connect(lesson, TIMES, now);
  advance(30_000);
  told.checkTime();
  advance(30_000);
  told.checkTime();
  told.checkTime();
  const why = pull(told, 'The application hears why.');
  equal(() => why, { type: 'error' }, 'The application hears why.', { label: '`next` gave' });
  explained(why);
  expectNext(told, undefined, 'It hears so once.');

  const leaving = connect(lesson, { ...TIMES, closeTimeoutMs: 600_000 }, now);
  leaving.close();
  leaving.takeOutput();
  for (let i = 0; i < 2; i++) {
    advance(30_000);
    leaving.checkTime();
  }
  expectOutput(leaving, NOTHING, 'Who is closing is asked nothing.');
  expectNext(leaving, undefined, 'Who is closing has as long as `closeTimeoutMs`.');
  expectEnding(leaving, undefined, 'Who is closing has as long as `closeTimeoutMs`.');

  const stubborn = connect(lesson, TIMES, now);
  stubborn.close();
  expectDeadline(stubborn, now() + 5_000, 'Our Close starts a clock.');
  advance(4_999);
  stubborn.checkTime();
  expectEnding(stubborn, undefined, 'One millisecond is left.');
  advance(1);
  stubborn.checkTime();
  expectEnding(
    stubborn,
    'destroy',
    'A peer that does not answer a Close is dropped.',
    'In `checkTime`, ask `checkDeadline` of the closing handshake, and do what it says.',
  );

  const hanging = connect(lesson, TIMES, now);
  hanging.receive(fromClient(Close, NORMAL));
  hanging.next();
  expectDeadline(hanging, now() + 5_000, 'Having hung up, we wait for the peer to do so.');
  advance(5_000);
  hanging.checkTime();
  expectEnding(hanging, 'destroy', 'A peer that does not hang up is dropped.');
}

/** Checks that the error of an event says something. */
function explained(event: Event | undefined): void {
  const raise = () => {
    throw event?.type === 'error' ? event.error : undefined;
  };
  throws(Error, raise, 'An `error` event says what is wrong.');
}

// ── Step 6 ──────────────────────────────────────────────────────────────────────────────────────

/** Remembers the events of one connection, and echoes its messages. */
function witness() {
  const events: Event[] = [];
  let connection: Server.Connection | undefined;
  return {
    events,
    types: () => events.map(({ type }) => type),
    get connection() {
      return connection as Server.Connection;
    },
    handle: (it: Server.Connection, event: Event) => {
      connection = it;
      events.push(event);
      if (event.type === 'text' || event.type === 'binary') it.send(event.data);
    },
  };
}

type Witness = ReturnType<typeof witness>;

/** Waits for the event that ends a connection, and checks it. */
async function closes({ events, types }: Witness, expected: Partial<Event>, what: string) {
  await until(
    () => types().includes('close'),
    what,
    () => [['the last events', types().slice(-3).join(', ')]],
    'At `close` of the socket, call `disconnect`; the event comes out of `next`.',
  );
  equal(() => events.at(-1), expected, what, { label: 'the last event' });
}

/** Runs a check that makes its own pairs of sockets. */
function onPair(check: (listener: Listener) => Promise<void>): Promise<void> {
  return Listener.run(createServer(), 'connection', () => {}, check);
}

/** Limits that the end of a check comes before, however slow the machine is. */
const PATIENT = { closeTimeoutMs: 60_000 };

/** Attaches a connection to one end of a new pair; the other end has read the answer. */
async function attached(
  { attach, openingHandshake, LIMITS }: Lesson,
  listener: Listener,
  handle: Server.Handler,
  limits: Partial<Server.Limits> = {},
  ...glued: readonly Uint8Array[]
): Promise<[client: Peer, socket: Socket, connection: Server.Connection]> {
  const [socket, client] = await listener.pair();
  const opening = openingHandshake(join(request(), ...glued));
  if (!opening?.accepted) return fail('The sample request is accepted.');
  const connection = attempt(
    () => attach(socket, opening, handle, { ...LIMITS, ...PATIENT, ...limits }),
    'Attach a connection.',
  );
  // Before any client resets its connection: that would end the checks, too.
  listensForErrors(socket);
  const [status] = (await client.head('The answer of the handshake is sent.')).split('\r\n');
  equal(() => status, 'HTTP/1.1 101 Switching Protocols', 'The answer comes first.');
  return [client, socket, connection];
}

async function onSocket(lesson: Lesson): Promise<void> {
  await onPair(async (listener) => {
    const it = witness();
    const [client, socket] = await attached(
      lesson,
      listener,
      it.handle,
      {},
      fromClient(Text, 'early'),
    );
    await client.receives(
      fromServer(Text, 'early'),
      'A frame that came with the request is not lost.',
      'It is in `rest`: hand it to the connection.',
    );
    equal(() => it.types()[0], 'open', 'The first event is `open`.', { label: 'it was' });

    const writes = countCalls(socket, 'write');
    const texts = Array.from({ length: 16 }, (_, i) => `message ${i}`);
    client.write(...texts.map((text) => fromClient(Text, text)));
    await client.receives(
      join(...texts.map((text) => fromServer(Text, text))),
      'Echo 16 messages.',
    );
    if (writes() > 3) {
      fail(
        'The answers to one read leave in one write.',
        [['16 messages', `${writes()} writes`]],
        'Handle all the events of a read first. Then take the output, and write it.',
      );
    }

    const before = writes();
    for (const text of ['a', 'b', 'c']) it.connection.send(text);
    await client.receives(
      join(...['a', 'b', 'c'].map((text) => fromServer(Text, text))),
      'A message may be sent at any time.',
      'Does `wake` lead to a write?',
    );
    equal(() => writes() - before, 1, 'What is sent in one go leaves in one write.', {
      label: 'writes',
    });

    client.write(fromClient(Close, closeBody(4001, 'bye')));
    await client.receives(fromServer(Close, closeBody(4001)), 'A Close is answered.');
    await client.sees('fin', 'The server ends TCP first, and cleanly.', CLEANLY);
    equal(() => socket.destroyed, false, 'The server ends its side, and waits for the other.', {
      label: 'the socket is destroyed',
      cause: () => CLEANLY,
    });
    client.socket.end();
    await closes(it, { type: 'close', code: 4001, wasClean: true }, 'The application hears of it.');
  });

  await onPair(async (listener) => {
    const it = witness();
    const [client, socket] = await attached(lesson, listener, it.handle);
    client.write(fromClient(Text, 'Hello').subarray(0, 4));
    // A reset that overtakes the bytes looks like an ordinary end.
    await until(() => socket.bytesRead >= 4, 'What the client sends is read.');
    client.socket.resetAndDestroy();
    await closes(
      it,
      { type: 'close', code: 1006 },
      'A client that resets is gone, and that is all.',
    );
  });

  await onPair(async (listener) => {
    const it = witness();
    const [client] = await attached(lesson, listener, it.handle);
    client.write(fromServer(Text, 'not masked'));
    const close = Uint8Array.of(0x88);
    await client.receives(close, 'A peer that breaks a rule is told so.');
    await client.sees('fin', 'A peer that breaks a rule is hung up on, cleanly.', CLEANLY);
    client.socket.end();
    await closes(it, { type: 'close', code: 1006 }, 'It ends abnormally.');
    equal(() => it.types(), ['open', 'error', 'close'], 'The application hears why.', {
      label: 'the events',
    });
  });

  await onPair(async (listener) => {
    const it = witness();
    const [client] = await attached(lesson, listener, (connection, event) => {
      it.handle(connection, event);
      if (event.type === 'text') throw new Error('a bug in the application');
    });
    client.write(fromClient(Text, 'Hello'));
    await client.receives(
      join(fromServer(Text, 'Hello'), fromServer(Close, closeBody(1011))),
      'An error of the application closes this one connection, with 1011.',
      'Catch what `handle` throws, and fail the connection with it.',
    );
    client.socket.end();
    await closes(it, { type: 'close', code: 1006 }, 'It ends abnormally.');
  });

  await onPair(async (listener) => {
    const it = witness();
    const [client] = await attached(lesson, listener, it.handle);
    client.socket.end();
    await client.sees('fin', 'A client that ends TCP without a Close is let go.');
    await closes(it, { type: 'close', code: 1006 }, 'No Close is 1006.');
  });

  await onLine(lesson);
  await timersRun(lesson);
}

/** A socket whose other end is the check. */
class Line extends Duplex {
  /** What `setNoDelay` was called with, if it was. */
  noDelay: boolean | undefined;
  /** What has been written to it. */
  written = NOTHING;

  override _read(): void {}
  override _write(chunk: Uint8Array, _encoding: string, done: () => void): void {
    this.written = join(this.written, chunk);
    done();
  }
  override _final(done: () => void): void {
    setImmediate(done);
  }
  setNoDelay(value: boolean): this {
    this.noDelay = value;
    return this;
  }
}

/** What can only be seen at the socket itself. */
async function onLine({ attach, openingHandshake }: Lesson): Promise<void> {
  const opening = openingHandshake(request());
  if (!opening?.accepted) return fail('The sample request is accepted.');
  const make = (handle: Server.Handler = () => {}) => {
    const line = new Line();
    const connection = attempt(() => attach(line, opening, handle), 'Attach a connection.');
    listensForErrors(line);
    return { line, connection };
  };

  const careless = make((_, event) => {
    if (event.type === 'error') throw new Error('a bug in the handler of errors');
  });
  throws(
    Error,
    () => careless.line.emit('data', fromServer(Text, 'not masked')),
    'What `handle` throws at an `error` event is thrown on.',
    { cause: () => 'Whom else could it be told? The connection has failed already.' },
  );
  equal(() => careless.line.writableEnded, true, 'Its Close leaves all the same.', {
    label: 'the socket was ended',
    cause: () => 'Write, hang up and set the timer, also when the application throws: `finally`.',
  });
  careless.line.destroy();

  const clumsy = make((_, event) => {
    if (event.type === 'close') throw new Error('a bug in the handler of the end');
  });
  throws(
    Error,
    () => clumsy.line.emit('close'),
    'What `handle` throws at a `close` event is thrown on.',
    { cause: () => 'A connection that is closed fails no more: the error would be lost.' },
  );
  clumsy.line.destroy();

  const chatty = make();
  await nextTurn();
  const taken = countCalls(chatty.connection, 'takeOutput');
  for (let i = 0; i < 100; i++) chatty.connection.send('x');
  await nextTurn();
  if (taken() > 10) {
    fail(
      'What is sent in one go is taken out in one go.',
      [['100 messages', `takeOutput was called ${taken()} times`]],
      'One turn is enough for all of them. Remember that it is on its way.',
    );
  }

  chatty.line.destroy();

  const ended = make();
  const errors: unknown[] = [];
  ended.line.on('error', (error) => errors.push(error));
  ended.line.once('end', () => ended.connection.send('too late'));
  ended.line.push(null);
  await nextTurn();
  await nextTurn();
  equal(() => errors, [], 'After the end, nothing is written.', {
    label: 'errors of the socket',
    cause: () => 'A socket that has ended is not `writable`.',
  });

  const forget = () => {
    const { line, connection } = make((it, event) => {
      // At its end, a connection may be used once more.
      if (event.type === 'close') it.close();
    });
    connection.send('x');
    line.destroy();
    return new WeakRef(line);
  };
  await isGone(forget(), 'A connection that has ended is forgotten.', 'Does its timer still run?');
}

function listensForErrors(line: Duplex): void {
  if (line.listenerCount('error') > 0) return;
  const cause = 'In Node, an `error` event that nobody listens to ends the process.';
  fail(
    'Listen for the `error` of a socket from the start.',
    [['a reset', 'ends the server']],
    cause,
  );
}

/** Checks that nothing holds a socket that is gone. */
async function isGone(line: WeakRef<Line>, what: string, cause: string): Promise<void> {
  if (!(await isForgotten(line))) fail(what, [['its memory', 'is still held']], cause);
}

/** Counts the calls of a method from now on. */
function countCalls<T extends object>(object: T, name: keyof T): () => number {
  let count = 0;
  const method = object[name] as (...args: unknown[]) => unknown;
  const counting = (...args: unknown[]) => {
    count++;
    return method.apply(object, args);
  };
  Object.defineProperty(object, name, { value: counting, configurable: true, writable: true });
  return () => count;
}

const CLEANLY =
  'Ending a socket at once, with bytes in it that nobody has read, resets it: the Close may get lost.';

async function timersRun(lesson: Lesson): Promise<void> {
  const limits = { pingIntervalMs: 50, closeTimeoutMs: 50 };
  await onPair(async (listener) => {
    const it = witness();
    const [client] = await attached(lesson, listener, it.handle, limits);
    await client.receives(fromServer(Ping), 'A silent client is asked.', TIMER);
    await client.sees('end', 'A client that does not answer is dropped.', TIMER);
    await closes(it, { type: 'close', code: 1006 }, 'It is gone without a Close.');
  });
  await onPair(async (listener) => {
    const it = witness();
    const [client, , connection] = await attached(lesson, listener, it.handle, {
      ...limits,
      pingIntervalMs: 60_000,
    });
    connection.close(CloseCode.GoingAway);
    await client.receives(fromServer(Close, closeBody(1001)), 'Close from our side.');
    await client.sees('end', 'A client that does not answer a Close is dropped.', TIMER);
    await closes(it, { type: 'close', code: 1006 }, 'It is gone without a Close.');
  });
}

const TIMER = 'A timer has to ring at the `deadline`, which can come nearer.';

// ── Step 7 ──────────────────────────────────────────────────────────────────────────────────────

/** Runs a check with a server of the lesson on a listening socket. */
async function withServer(
  { WebSocketServer }: Lesson,
  options: Server.Options,
  check: (listener: Listener, server: Server.WebSocketServer, it: Witness) => Promise<void>,
): Promise<void> {
  const it = witness();
  const server = attempt(
    () => new WebSocketServer(it.handle, { ...PATIENT, ...options }),
    'Make a server.',
  );
  await Listener.run(
    createServer(),
    'connection',
    (socket) => server.accept(socket),
    (listener) => check(listener, server, it),
  );
}

function counts({ connections }: Server.WebSocketServer, expected: number, what: string) {
  const size = () => (connections as Set<unknown>).size;
  return until(
    () => size() === expected,
    what,
    () => [
      ['connections', `${size()}`],
      ['expected', `${expected}`],
    ],
    'Add a connection at its `open` event, and take it out at its `close`.',
  );
}

async function many(lesson: Lesson): Promise<void> {
  await withServer(lesson, {}, async (listener, server) => {
    const [slow, first, second] = [
      await listener.connect(),
      await listener.connect(),
      await listener.connect(),
    ];
    slow.write(request().subarray(0, 20));
    await first.open('/one');
    await second.open('/two', fromClient(Text, 'early'));
    await second.receives(fromServer(Text, 'early'), 'A frame behind the request is not lost.');
    await counts(server, 2, 'The server knows its open connections.');

    const [one, two] = [fromClient(Text, 'from one'), fromClient(Text, 'from two')];
    first.write(one.subarray(0, 7));
    second.write(two.subarray(0, 3));
    second.write(two.subarray(3));
    await second.receives(
      fromServer(Text, 'from two'),
      'Clients do not wait for each other.',
      SHARED,
    );
    first.write(one.subarray(7));
    await first.receives(fromServer(Text, 'from one'), 'Each has what it sent.', SHARED);

    for (const byte of request().subarray(20)) slow.write(Uint8Array.of(byte));
    const head = await slow.head('A request may come byte by byte.');
    equal(() => head.slice(9, 12), '101', 'A request may come byte by byte.', {
      cause: () => 'Keep what has arrived until the head is whole.',
    });
    await counts(server, 3, 'The server knows its open connections.');
    first.socket.resetAndDestroy();
    second.socket.end();
    slow.write(fromClient(Close, NORMAL));
    await slow.receives(fromServer(Close, NORMAL), 'A Close is answered.');
    slow.socket.end();
    await counts(server, 0, 'Who is gone is forgotten.');
  });

  await withServer(lesson, {}, async (listener, server) => {
    const refused: [what: string, bytes: Uint8Array, status: string][] = [
      ['POST', replace(SAMPLE, 'GET', 'POST'), '405'],
      ['another version', replace(SAMPLE, 'Version: 13', 'Version: 8'), '426'],
      ['no HTTP at all', utf8('\x16\x03\x01\x02\x00\r\n\r\n'), '400'],
      ['a head that never ends', new Uint8Array(40_000).fill(0x61), '431'],
    ];
    for (const [what, bytes, status] of refused) {
      const client = await listener.connect();
      client.write(bytes);
      const head = await client.head(`Refuse ${what} with an HTTP answer.`);
      equal(() => head.slice(9, 12), status, `Refuse ${what}.`, { label: 'status' });
      await client.sees('fin', 'After a refusal the server hangs up, cleanly.', CLEANLY);
      client.socket.end();
    }
    await counts(server, 0, 'Who was refused is no connection.');
  });

  await withServer(lesson, { headTimeoutMs: 50, closeTimeoutMs: 50 }, async (listener) => {
    const client = await listener.connect();
    client.write(request().subarray(0, 30));
    const head = await client.head(
      'A request that does not end in time is refused.',
      'A timer of `headTimeoutMs` starts with the socket.',
    );
    equal(() => head.slice(9, 12), '408', 'A request that does not end in time is refused.');
    saysWhy(head);
    await client.sees('end', 'And the client is let go.');
    await until(
      () => {
        client.write(utf8('still here'));
        return client.ended === 'reset';
      },
      'A client that stays is dropped.',
      () => [],
      'Hang up after the answer, and destroy the socket after `closeTimeoutMs`.',
    );
  });

  await strangers(lesson);
}

/** Sockets that come to nothing. */
async function strangers({ WebSocketServer }: Lesson): Promise<void> {
  const server = new WebSocketServer(() => {});
  const accept = (...reads: readonly Uint8Array[]) => {
    const line = new Line();
    attempt(() => server.accept(line as unknown as Socket), 'Accept a socket.');
    for (const read of reads) line.emit('data', read);
    return line;
  };
  const fresh = accept(request().subarray(0, 20));
  listensForErrors(fresh);
  equal(() => fresh.noDelay, true, 'Small answers leave at once.', {
    label: 'setNoDelay',
    cause: () => 'TCP likes to wait for more to send. `setNoDelay(true)` tells it not to.',
  });
  fresh.destroy();

  const refused = accept(replace(SAMPLE, 'GET', 'POST'));
  for (let turn = 0; turn < 5; turn++) await nextTurn();
  equal(() => refused.destroyed, false, 'After a refusal, the server waits for the client.', {
    label: 'the socket is destroyed',
    cause: () => CLEANLY.replace('the Close', 'the answer'),
  });
  refused.destroy();

  for (const [what, read] of [
    ['leaves in the middle of its request', request().subarray(0, 20)],
    ['was refused', replace(SAMPLE, 'GET', 'POST')],
  ] as const) {
    const leave = () => {
      const line = accept(read);
      line.destroy();
      return new WeakRef(line);
    };
    const cause = 'At its `close`, stop its timer, and take it out of every list.';
    await isGone(leave(), `A client that ${what} is forgotten.`, cause);
  }
}

/** Checks that a refusal has a body. */
function saysWhy(head: string): void {
  const length = Number(/content-length: *(\d+)/i.exec(head)?.[1]);
  if (length > 1) return;
  fail('A refusal says why, in its body.', [['the answer', head]], 'The error needs a message.');
}

// ── Step 8 ──────────────────────────────────────────────────────────────────────────────────────

async function backpressure(lesson: Lesson): Promise<void> {
  const { HIGH_WATER_BYTES } = lesson;
  const piece = new Uint8Array(HIGH_WATER_BYTES / 4);
  const pushy = connect(lesson);
  const room = Array.from({ length: 5 }, () => pushy.send(piece));
  equal(() => room, [true, true, true, false, false], 'When enough waits, `send` says so.', {
    given: [
      ['sent', `5 × ${piece.length} bytes`],
      ['HIGH_WATER_BYTES', `${HIGH_WATER_BYTES}`],
    ],
    label: '`send` gave',
  });
  equal(() => pushy.owesDrain, true, 'Somebody waits for room.', { label: '`owesDrain` is' });
  pushy.drained();
  expectNext(pushy, undefined, 'There is no room while messages wait.');
  while (pushy.takeOutput().length > 0);
  pushy.drained();
  expectNext(pushy, { type: 'drain' }, 'There is room again.');
  equal(() => pushy.owesDrain, false, 'Nobody waits any more.', { label: '`owesDrain` is' });
  pushy.drained();
  expectNext(pushy, undefined, 'Who did not ask is not told.');

  const slow = connect(lesson, { maxWaitingBytes: 1000 });
  for (let i = 0; i < 50; i++) slow.ping(new Uint8Array(125));
  slow.takeOutput();
  const results = Array.from({ length: 3 }, () => slow.send(new Uint8Array(600)));
  const gaveUp = pull(slow, 'A client that does not read is given up.');
  equal(() => gaveUp, { type: 'error' }, 'A client that does not read is given up.', {
    given: [['sent', '50 pings, which have gone; then 3 × 600 bytes, with `maxWaitingBytes` 1000']],
    label: '`next` gave',
    cause: () =>
      'Without a limit, it costs us whatever the application sends. Count the messages that wait, and no control frames.',
  });
  failsWith(
    1008,
    () => {
      throw gaveUp?.type === 'error' ? gaveUp.error : undefined;
    },
    'A client that does not read is given up, with 1008.',
  );
  equal(() => results, [true, true, false], 'A message that is not sent is `false`.', {
    label: '`send` gave',
  });
  expectEnding(slow, 'hangUp', 'A client that does not read is given up.');
  const output = slow.takeOutput();
  equal(
    () => output.subarray(2, 4),
    closeBody(1008),
    'What waited is dropped; the Close says 1008.',
    {
      given: [['went out', toHex(output, 12)]],
    },
  );

  await stalled(lesson);
  await poured(lesson);
}

/** An application that sends until it is told to pause, and goes on when there is room. */
async function poured(lesson: Lesson): Promise<void> {
  await onPair(async (listener) => {
    const it = witness();
    const [client, , connection] = await attached(lesson, listener, it.handle);
    client.socket.resume();
    const piece = new Uint8Array(lesson.HIGH_WATER_BYTES / 4);
    for (let round = 1; round <= 3; round++) {
      for (let i = 0; i < 1000 && connection.send(piece); i++);
      equal(() => connection.owesDrain, true, 'When enough waits, `send` says so.');
      await until(
        () => it.types().filter((type) => type === 'drain').length === round,
        'When everything has gone, there is a `drain` event.',
        () => [['the events', it.types().join(', ')]],
        'After the last write, call `drained`, and let the application have the event.',
      );
    }
  });
}

/** A client that sends and does not read: the server stops reading from it. */
async function stalled(lesson: Lesson): Promise<void> {
  await onPair(async (listener) => {
    const it = witness();
    const [client, socket] = await attached(lesson, listener, it.handle);
    client.socket.pause();
    const message = fromClient(Binary, new Uint8Array(100_000));
    let sent = 0;
    const what = 'Who does not read is not read from.';
    const cause = 'Pause the socket when the peer is behind, and go on at `drain`.';
    await until(
      () => {
        for (let i = 0; i < 4 && sent < 1000; i++, sent++) client.write(message);
        return socket.isPaused() || sent === 1000;
      },
      what,
      () => [['sent', `${sent} messages of 100000 bytes`]],
      cause,
    );
    for (let turn = 0; turn < 5; turn++) await nextTurn();
    if (!socket.isPaused()) fail(what, [['sent', `${sent} messages of 100000 bytes`]], cause);

    client.socket.resume();
    const heard = () => it.types().filter((type) => type === 'binary').length;
    while (heard() < sent) {
      const before = heard();
      await until(
        () => heard() > before,
        'When it reads again, everything goes on.',
        () => [['messages', `${before} of ${sent}`]],
        cause,
      );
    }
  });
}

// ── Step 9 ──────────────────────────────────────────────────────────────────────────────────────

/** Shuts a server down, and says when the promise of that is settled. */
function settles(server: Server.WebSocketServer) {
  const promise = attempt(() => server.shutdown(), 'Shut down.');
  let isSettled = false;
  const settle = () => {
    isSettled = true;
  };
  Promise.resolve(promise).then(settle, settle);
  return { promise, isSettled: () => isSettled };
}

async function everybody(lesson: Lesson): Promise<void> {
  await withServer(lesson, {}, async (listener, server, it) => {
    const clients = [await listener.connect(), await listener.connect(), await listener.connect()];
    for (const client of clients) await client.open();
    await counts(server, 3, 'The server knows its open connections.');
    server.broadcast('to all');
    for (const client of clients) await client.receives(fromServer(Text, 'to all'), 'Send to all.');
    const [first, second, third] = clients as [Peer, Peer, Peer];

    first.write(fromClient(Text, 'me'));
    await first.receives(fromServer(Text, 'me'), 'Echo.');
    const own = it.connection;
    second.write(fromClient(Close, NORMAL));
    await second.receives(fromServer(Close, NORMAL), 'A Close is answered.');
    attempt(() => server.broadcast(Uint8Array.of(7), own), 'Who is closing is left out.');
    await third.receives(fromServer(Binary, Uint8Array.of(7)), 'Send to all but one.');
    server.broadcast('and now to all');
    const toAll = fromServer(Text, 'and now to all');
    await first.receives(toAll, 'Send to all but one.', 'The one is `except`.');
    await third.receives(toAll, 'Send to all.');
    second.socket.end();
    await counts(server, 2, 'Who is gone is forgotten.');

    const late = await listener.connect();
    late.write(request().subarray(0, 10));
    await until(() => late.socket.bytesWritten >= 10, 'The request is on its way.');
    const over = settles(server);
    const goingAway = fromServer(Close, closeBody(1001));
    await first.receives(goingAway, 'Say 1001 to everybody.');
    await third.receives(goingAway, 'Say 1001 to everybody.');
    equal(() => over.isSettled(), false, 'The promise waits for the last client.', {
      cause: () => 'Keep its `resolve`, and call it when the last connection is gone.',
    });
    const again = settles(server);
    const guest = await listener.connect();
    guest.write(request());
    const head = await guest.head('Who comes during a shutdown is answered.');
    equal(() => head.slice(9, 12), '503', 'Who comes during a shutdown is refused.', {
      label: 'status',
    });
    saysWhy(head);
    await late.sees('end', 'A request that is still arriving is dropped.');
    for (const [left, client] of [
      [1, first],
      [0, third],
    ] as const) {
      equal(() => over.isSettled(), false, 'The promise waits for the last client.');
      client.write(fromClient(Close, closeBody(1001)));
      await client.sees('fin', 'Both have said Close: hang up.');
      client.socket.end();
      await counts(server, left, 'Who is gone is forgotten.');
    }
    guest.socket.end();
    await until(over.isSettled, 'The promise resolves when everybody is gone.');
    await until(again.isSettled, 'A second shutdown ends with the first.');
    await over.promise;
  });

  await withServer(lesson, { closeTimeoutMs: 50 }, async (listener, server) => {
    const silent = await listener.connect();
    await silent.open();
    const over = settles(server);
    await silent.receives(fromServer(Close, closeBody(1001)), 'Say 1001 to everybody.');
    await silent.sees('end', 'A client that does not answer is dropped.');
    await until(over.isSettled, 'The promise resolves when everybody is gone.');
    await over.promise;
  });

  await withServer(lesson, {}, async (_, server) => {
    const over = settles(server);
    await until(over.isSettled, 'With nobody there, the promise resolves at once.');
    await over.promise;
  });

  await brokenEnd(lesson);
  await lateGuest(lesson);
}

/** A client that connects when a shutdown has ended. */
async function lateGuest({ WebSocketServer }: Lesson): Promise<void> {
  const server = new WebSocketServer(() => {});
  await server.shutdown();
  const line = new Line();
  server.accept(line as unknown as Socket);
  line.emit('data', request());
  expectStatus(line, '503', 'A client that comes after a shutdown is refused.', AFTER_SHUTDOWN);
  line.destroy();
}

const AFTER_SHUTDOWN =
  'Remember that the server has been shut down, also when the promise has resolved.';

/** Checks the status of the answer that has been written to a line. */
function expectStatus(line: Line, status: string, what: string, cause: string): void {
  const answer = Buffer.from(line.written).toString('latin1');
  equal(() => answer.slice(9, 12), status, what, { label: 'status', cause: () => cause });
}

/** An application that throws when the last client has gone. */
async function brokenEnd({ WebSocketServer }: Lesson): Promise<void> {
  const server = new WebSocketServer((_, event) => {
    if (event.type === 'close') throw new Error('a bug in the handler of the end');
  });
  const line = new Line();
  server.accept(line as unknown as Socket);
  line.emit('data', request());
  const over = settles(server);
  try {
    line.emit('close');
  } catch {
    // That it is thrown on is a matter of step 6.
  }
  await until(
    over.isSettled,
    'The promise resolves when everybody is gone.',
    () => [['the application', 'throws at its last `close` event']],
    'Do your own bookkeeping first, and let the application hear of the end then.',
  );
  line.destroy();
  await over.promise;
}

// ── Step 10 ─────────────────────────────────────────────────────────────────────────────────────

/** The categories of the suite that take no second, and need no code but the lesson's. */
const CATEGORIES = ['1', '2', '3', '4', '5', '6', '7', 'H', 'F', 'S', 'C'];

async function conformance(lesson: Lesson): Promise<void> {
  await withServer(lesson, {}, async ({ port }, server) => {
    // Without the steps before it, it would fail in the middle of something.
    server.broadcast('Is anybody there?');
    const results = await runConformance(`ws://127.0.0.1:${port}/`, {
      select: CATEGORIES,
      untilNotOk: true,
      patience: { answerMs: 1500, endMs: 1500 },
    });
    const first = results.find(({ verdict }) => verdict !== 'OK');
    if (!first) return server.shutdown();
    const { id, title, expected, happened } = first;
    fail(
      `Case ${id} of the conformance suite: ${title}.`,
      [
        ['expected', expected],
        ['happened', happened],
      ],
      `See every byte: \`npm run serve\`, and at another terminal \`npm run conformance ws://… -- --case ${id}\`.`,
    );
  });
}

// ── Step 11 ─────────────────────────────────────────────────────────────────────────────────────

const EVERY_LINE = '`headersDistinct` has every line of a header, `headers` only one Host.';

async function onHttp({ WebSocketServer }: Lesson): Promise<void> {
  const it = witness();
  const server = new WebSocketServer(it.handle, { origins: ['http://good.example'] });
  const http = createHttpServer((_, response) => response.end('a page'));
  const upgrade = (...args: Parameters<typeof server.upgrade>) => server.upgrade(...args);
  await Listener.run(http, 'upgrade', upgrade, async (listener) => {
    const reader = await listener.connect();
    reader.write(utf8('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'));
    const page = await reader.head('A page and a socket share the port.');
    equal(() => page.slice(9, 12), '200', 'A page and a socket share the port.');
    reader.socket.end();

    const client = await listener.connect();
    const big = new Uint8Array(70_000).fill(1);
    await client.open('/chat?room=1', fromClient(Text, 'early'));
    await client.receives(
      fromServer(Text, 'early'),
      'A frame behind the request is not lost.',
      'Node has read it already: it is in `head`.',
    );
    equal(() => it.events[0], { type: 'open', upgrade: { resource: '/chat?room=1' } }, 'Open.');
    client.write(fromClient(Binary, big));
    await client.receives(
      join(
        fromServer(Binary, big.subarray(0, 65_535), false),
        fromServer(Continuation, big.subarray(65_535)),
      ),
      'Echo 70,000 bytes.',
    );
    await counts(server, 1, 'The server knows its open connections.');
    client.write(fromClient(Close, NORMAL));
    await client.receives(fromServer(Close, NORMAL), 'A Close is answered.');
    await client.sees('fin', 'The server hangs up first.');
    client.socket.end();
    await counts(server, 0, 'Who is gone is forgotten.');

    const leaver = await listener.connect();
    await leaver.open();
    leaver.socket.end();
    await leaver.sees(
      'fin',
      'A client that ends TCP without a Close is let go.',
      'A socket of `node:http` stays open when the other side ends: end it yourself, at `end`.',
    );
    await counts(server, 0, 'Who is gone is forgotten.');

    const refused: [line: string, status: string, cause: string][] = [
      ['Origin: http://evil.example', '403', 'The policy holds for this way in, too.'],
      ['Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==', '400', EVERY_LINE],
      ['Host: another.example', '400', EVERY_LINE],
    ];
    for (const [line, status, cause] of refused) {
      const guest = await listener.connect();
      guest.write(request('/', line));
      const head = await guest.head(`Refuse with ${status}.`);
      equal(() => head.slice(9, 12), status, 'The rules of the handshake hold here, too.', {
        given: [['in addition', line]],
        label: 'status',
        cause: () => cause,
      });
      await guest.sees('fin', 'After a refusal the server hangs up.');
      guest.socket.end();
    }
    refusedOnLine(server);
  });
  await upgradedTooLate(new WebSocketServer(() => {}));
}

/** An upgrade that comes when a shutdown has ended: the web server may go on. */
async function upgradedTooLate(server: Server.WebSocketServer): Promise<void> {
  await server.shutdown();
  const line = new Line();
  server.upgrade(incomingMessage(), line, NOTHING);
  expectStatus(line, '503', 'An upgrade after a shutdown is refused.', AFTER_SHUTDOWN);
  line.destroy();
}

/** The request that `node:http` has parsed, with these headers in place of the usual ones. */
function incomingMessage(
  headers: Record<string, string> = {
    host: 'server.example.com',
    upgrade: 'websocket',
    connection: 'Upgrade',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'sec-websocket-version': '13',
  },
): IncomingMessage {
  const headersDistinct = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, [value]]),
  );
  const message = { method: 'GET', url: '/', httpVersion: '1.1', headers, headersDistinct };
  return message as unknown as IncomingMessage;
}

/** A socket of `node:http` has nobody who listens for its errors when it is handed out. */
function refusedOnLine(server: Server.WebSocketServer): void {
  const line = new Line();
  attempt(
    () => server.upgrade(incomingMessage({ host: 'server.example.com' }), line, NOTHING),
    'Refuse a request that is no handshake.',
  );
  listensForErrors(line);
  line.destroy();
}

export const spec: Spec<Lesson> = {
  lesson: '05-server',
  steps: [
    {
      title: 'The opening handshake',
      section: '4.2',
      scenarios: [
        { what: 'The opening handshake', rules: [35, 44, 46, 48], check: openingHandshake },
      ],
    },
    {
      title: 'Bytes in, events out',
      section: '6.2',
      scenarios: [{ what: 'Bytes in, events out', rules: [91, 116, 117], check: bytesIn }],
    },
    {
      title: 'Messages in, bytes out',
      section: '6.1',
      scenarios: [{ what: 'Messages in, bytes out', rules: [87, 103, 104, 115], check: bytesOut }],
    },
    {
      title: 'The end of a connection',
      section: '7.1',
      scenarios: [
        {
          what: 'The end of a connection',
          rules: [98, 100, 109, 127, 128, 129, 150, 153, 154],
          check: ending,
        },
      ],
    },
    { title: 'Time', section: '7.1.1', scenarios: [{ what: 'Time', rules: [100], check: time }] },
    {
      title: 'On a socket',
      section: '7.1.1',
      scenarios: [{ what: 'On a socket', rules: [101, 121], check: onSocket }],
    },
    {
      title: 'Many connections',
      section: '4.2',
      scenarios: [{ what: 'Many connections', rules: [35, 132], check: many }],
    },
    {
      title: 'Too fast, too slow',
      section: '10.4',
      scenarios: [{ what: 'Too fast, too slow', rules: [150], check: backpressure }],
    },
    {
      title: 'Everybody at once',
      section: '7.4.1',
      scenarios: [{ what: 'Everybody at once', rules: [122], check: everybody }],
    },
    {
      title: 'A suite of cases',
      section: '7.1.7',
      scenarios: [{ what: 'A suite of cases', rules: [127, 154], check: conformance }],
    },
    {
      title: 'Beside a web page',
      section: '4.2.2',
      scenarios: [{ what: 'Beside a web page', rules: [44, 46], check: onHttp }],
    },
  ],
};

/** Step 6: the end of a connection, whoever wants it. */
import { fail, throws } from '../../../shared/harness/check.ts';
import { show } from '../../../shared/harness/show.ts';
import { clock } from '../../../shared/kit/clock.ts';
import { closeBody, fromServer, join } from '../../../shared/kit/frames.ts';
import { buffersReserved, memoryTaken } from '../../../shared/kit/memory.ts';
import { decodeFrames } from '../../../shared/view/frame.ts';
import {
  act,
  agree,
  Close,
  type Connection,
  codeOf,
  dial,
  expectClose,
  expectFrame,
  expectIs,
  expectNext,
  expectSilence,
  expectUnsent,
  open,
  Ping,
  Pong,
  received,
  respond,
  story,
  Text,
  takeAll,
} from './connections.ts';
import { FAILING } from './failing.ts';
import { ANY_ENDS } from './generated-conversations.ts';
import { NEVER_OPEN } from './never-open.ts';
import type { Lesson, Scenarios } from './tools.ts';

const BYE = fromServer(Close, closeBody(4001, 'bye'));
const BYE_TOLD = { type: 'close', code: 4001, reason: 'bye', wasClean: true } as const;
const ANSWERED = 'A Close is answered; the event comes when TCP is gone.';
const SERVER_FIRST = 'The server ends TCP first; the client waits for that.';

const causeOfHangUp = (ending: unknown) =>
  ending === 'hangUp'
    ? 'Is the role that of a client? A server hangs up after both Closes, a client waits.'
    : undefined;

/** Makes a connection to a server that has said Close, and has been answered. */
function left(lesson: Lesson, now = clock().now): Connection {
  const connection = open(lesson, { now });
  connection.receive(BYE);
  expectNext(connection, undefined, ANSWERED);
  expectClose(connection, 4001, 'A Close is answered with its code.');
  return connection;
}

/** Makes a connection that we have closed. Our Close has gone. */
function leaving(lesson: Lesson, now = clock().now): Connection {
  const connection = open(lesson, { now });
  connection.close(4000, 'enough');
  const body = closeBody(4000, 'enough');
  expectFrame(connection, Close, body, 'Our Close has the code and the reason that we gave.');
  return connection;
}

const SERVER_CLOSES: Scenarios = [
  {
    what: 'The server’s Close is answered with its code, masked.',
    rules: [66, 96, 114],
    check: (lesson) => void left(lesson),
  },
  {
    what: 'An empty Close is answered with an empty one, and told as 1005.',
    rules: [],
    check(lesson) {
      const what = 'An empty Close is answered with an empty one, and told as 1005.';
      const connection = received(lesson, fromServer(Close));
      expectNext(connection, undefined, ANSWERED);
      expectClose(connection, undefined, what);
      connection.disconnect();
      const end = { type: 'close', code: 1005, reason: '', wasClean: true } as const;
      expectNext(connection, end, what);
    },
  },
  {
    what: 'After both Closes, the client waits for the server to end TCP.',
    rules: [102, 121],
    check(lesson) {
      const connection = left(lesson);
      expectIs(connection, 'ending', undefined, SERVER_FIRST, causeOfHangUp);
      expectIs(connection, 'state', 'HANGING_UP', 'After both Closes, nobody says anything more.');
    },
  },
  {
    what: 'When the server has ended TCP, the application hears its code and reason.',
    rules: [],
    check(lesson) {
      const what = 'When the server has ended TCP, the application hears its code and reason.';
      const connection = left(lesson);
      connection.disconnect();
      expectNext(connection, BYE_TOLD, what);
      expectNext(connection, undefined, 'After `close` comes nothing.');
    },
  },
  {
    what: 'A Close that arrived just before the end of TCP counts.',
    rules: [],
    check(lesson) {
      const what = 'A Close that arrived just before the end of TCP counts.';
      for (const connection of [open(lesson), leaving(lesson)]) {
        connection.receive(BYE);
        connection.disconnect();
        const cause = 'What has arrived is looked at first, and the end after that.';
        expectNext(connection, BYE_TOLD, what, cause);
        expectNext(connection, undefined, 'After `close` comes nothing.');
      }
    },
  },
  {
    what: 'TCP that is reset after the server’s Close is the end that its Close says.',
    rules: [],
    check(lesson) {
      const what = 'TCP that is reset after the server’s Close is the end that its Close says.';
      const both = leaving(lesson);
      both.receive(BYE);
      expectNext(both, undefined, ANSWERED);
      for (const connection of [left(lesson), both]) {
        connection.disconnect(new Error('read ECONNRESET'));
        expectNext(connection, BYE_TOLD, what, (event) =>
          event?.type === 'error' ? 'After the server’s Close, nothing can be lost.' : undefined,
        );
        expectNext(connection, undefined, 'After `close` comes nothing.');
      }
    },
  },
  {
    what: 'A server that does not end TCP is waited for, but not for ever.',
    rules: [102, 121],
    check(lesson) {
      const what = 'A server that does not end TCP is waited for, but not for ever.';
      const { now, advance } = clock();
      const connection = left(lesson, now);
      waitsForServer(lesson, connection, what, { now, advance });
      connection.disconnect();
      expectNext(connection, BYE_TOLD, 'The closing handshake was complete: the code stays.');
    },
  },
  {
    what: 'After the server’s Close, nothing is heard and nothing said.',
    rules: [103, 109],
    check(lesson) {
      const what = 'After the server’s Close, nothing is heard and nothing said.';
      const [ping, text] = [fromServer(Ping, 'p'), fromServer(Text, 'Hello')];
      expectNext(received(lesson, BYE, text), undefined, what);
      const connection = received(lesson, BYE, ping, text);
      expectNext(connection, undefined, what);
      expectClose(connection, 4001, 'A Close is answered with its code.');
      expectSilence(connection, what, 'No Pong: who has said Close hears no answer.');
      connection.receive(ping);
      expectNext(connection, undefined, what);
      expectUnsent(connection, what);
      act(connection, () => connection.close(1000), what);
      connection.ping();
      expectSilence(connection, what);
    },
  },
  {
    what: 'A message is answered before the Close that came behind it.',
    rules: [103],
    check: answersBeforeClose,
  },
  {
    what: 'A Close right behind the yes is answered, too.',
    rules: [],
    check(lesson) {
      const what = 'A Close right behind the yes is answered, too.';
      const connection = dial(lesson);
      connection.receive(join(agree(connection), BYE));
      expectNext(connection, { type: 'open' }, what);
      expectNext(connection, undefined, ANSWERED);
      expectClose(connection, 4001, what);
      connection.disconnect();
      expectNext(connection, BYE_TOLD, what);
    },
  },
];

/** Waits until time is over: not a moment less, whatever the server says meanwhile. */
function waitsForServer(
  { CLIENT_LIMITS }: Lesson,
  connection: Connection,
  what: string,
  { now, advance }: ReturnType<typeof clock>,
): void {
  const { closeTimeoutMs } = CLIENT_LIMITS;
  const end = now() + closeTimeoutMs;
  expectIs(connection, 'deadline', end, what);
  for (let i = 0; i < 4; i++) {
    advance(closeTimeoutMs / 5);
    connection.receive(fromServer(Text, 'still here'));
    connection.next();
    connection.checkTime();
  }
  const cause = (deadline: unknown) =>
    Number(deadline) > end ? 'What arrives gives the server no more time.' : undefined;
  expectIs(connection, 'deadline', end, what, cause);
  advance(closeTimeoutMs / 5 - 1);
  connection.checkTime();
  expectIs(connection, 'ending', undefined, 'Until the deadline, the server has time.');
  advance(1);
  connection.checkTime();
  expectIs(connection, 'ending', 'destroy', what);
  expectNext(connection, undefined, 'While closing, giving up is no error.');
}

function answersBeforeClose(lesson: Lesson): void {
  const what = 'A message is answered before the Close that came behind it.';
  const connection = received(lesson, fromServer(Text, 'last words'), fromServer(Ping, 'p'), BYE);
  expectNext(connection, { type: 'text', data: 'last words' }, what);
  const isSent = connection.send('heard');
  expectNext(connection, undefined, ANSWERED);
  const frames = takeAll(connection, what).flatMap((piece) => decodeFrames(piece));
  const went = frames.map(({ opcode }) => opcode);
  const isRight = went.length === 3 && went[2] === Close && codeOf(frames[2]!) === 4001;
  if (isRight && went.includes(Text) && went.includes(Pong)) return;
  const cause = isSent ? undefined : 'Look at one message, let the application answer, then go on.';
  fail(
    what,
    [
      ...story(connection),
      ['went out', show(went.map((opcode) => `opcode ${opcode}`))],
      ['expected', 'a Text, a Pong and a Close: the Close last'],
    ],
    cause,
  );
}

const WE_CLOSE: Scenarios = [
  {
    what: 'Our Close has the code and the reason that we gave, masked.',
    rules: [66, 96, 114],
    check: (lesson) => void leaving(lesson),
  },
  {
    what: 'Without a code, our Close is empty.',
    rules: [],
    check(lesson) {
      const connection = open(lesson);
      connection.close();
      const cause = 'No code is not 1000: there are no bytes at all.';
      expectFrame(connection, Close, '', 'Without a code, our Close is empty.', cause);
    },
  },
  {
    what: 'What was sent before we closed goes out before our Close.',
    rules: [],
    check(lesson) {
      const what = 'What was sent before we closed goes out before our Close.';
      const connection = open(lesson);
      connection.send('one');
      connection.send('two');
      connection.close(1000);
      expectFrame(connection, Text, 'one', what);
      expectFrame(connection, Text, 'two', what);
      expectClose(connection, 1000, what);
      for (let i = 0; i < 3; i++) connection.sent();
      expectIs(connection, 'bufferedBytes', 0, 'A Close is no message, and does not count.');
    },
  },
  {
    what: 'It goes out also when the server’s Close comes before it has.',
    rules: [],
    check(lesson) {
      const what = 'It goes out also when the server’s Close comes before it has.';
      const connection = open(lesson);
      connection.send('one');
      connection.close(1000);
      connection.receive(BYE);
      expectNext(connection, undefined, ANSWERED);
      expectFrame(connection, Text, 'one', what);
      expectClose(connection, 1000, what);
      expectSilence(connection, 'A Close is sent once.');
    },
  },
  {
    what: 'After our Close, nothing more is said.',
    rules: [109],
    check(lesson) {
      const what = 'After our Close, nothing more is said.';
      const connection = leaving(lesson);
      expectUnsent(connection, what);
      connection.ping();
      act(connection, () => connection.close(1000), what);
      expectSilence(connection, what);
      expectIs(connection, 'bufferedBytes', 0, 'What is not sent does not wait.');
    },
  },
  {
    what: 'After our Close, the server is waited for and still heard.',
    rules: [102, 121],
    check(lesson) {
      const what = 'After our Close, the server is waited for and still heard.';
      const connection = leaving(lesson);
      expectIs(connection, 'ending', undefined, SERVER_FIRST);
      expectIs(connection, 'state', 'CLOSE_SENT', what);
      connection.receive(join(fromServer(Ping, 'p'), fromServer(Text, 'on its way')));
      expectNext(connection, { type: 'text', data: 'on its way' }, what);
    },
  },
  {
    what: 'The answer to our Close gets no answer, and the client waits for the end of TCP.',
    rules: [102, 121],
    check(lesson) {
      const connection = leaving(lesson);
      connection.receive(BYE);
      expectNext(connection, undefined, 'The answer to our Close gets no answer.');
      expectSilence(connection, 'The answer to our Close gets no answer.', 'A Close is sent once.');
      expectIs(connection, 'ending', undefined, SERVER_FIRST, causeOfHangUp);
      connection.disconnect();
      expectNext(connection, BYE_TOLD, 'The code is the one that the server sent.');
    },
  },
  {
    what: 'A server that does not answer our Close is waited for, but not for ever.',
    rules: [102],
    check(lesson) {
      const what = 'A server that does not answer our Close is waited for, but not for ever.';
      const { now, advance } = clock();
      const connection = leaving(lesson, now);
      waitsForServer(lesson, connection, what, { now, advance });
      connection.disconnect();
      const end = { type: 'close', code: 1006, reason: '', wasClean: false } as const;
      expectNext(connection, end, 'Without a Close of the server, it is 1006.');
    },
  },
  {
    what: 'After the answer to our Close, the server has time again to end TCP.',
    rules: [102],
    check(lesson) {
      const what = 'After the answer to our Close, the server has time again to end TCP.';
      const { now, advance } = clock();
      const connection = leaving(lesson, now);
      advance(lesson.CLIENT_LIMITS.closeTimeoutMs - 1);
      connection.receive(BYE);
      connection.next();
      waitsForServer(lesson, connection, what, { now, advance });
    },
  },
  {
    what: '`closeTimeoutMs` can be another.',
    rules: [],
    check(lesson) {
      const { now } = clock();
      const connection = open(lesson, { now, options: { closeTimeoutMs: 70 } });
      connection.close();
      expectIs(connection, 'deadline', now() + 70, '`closeTimeoutMs` can be another.');
    },
  },
  {
    what: 'TCP that ends before the server’s Close is lost.',
    rules: [131],
    check(lesson) {
      const what = 'TCP that ends before the server’s Close is lost.';
      const connection = leaving(lesson);
      connection.disconnect();
      expectNext(connection, { type: 'error' }, what);
      const end = { type: 'close', code: 1006, reason: '', wasClean: false } as const;
      expectNext(connection, end, what);
    },
  },
  {
    what: 'Refuse to close with what never travels, and go on.',
    rules: [],
    check: refusesToClose,
  },
];

function refusesToClose(lesson: Lesson): void {
  const what = 'Refuse to close with what never travels, and go on.';
  const connection = open(lesson);
  const calls = [
    [RangeError, 1005, ''],
    [RangeError, 1006, ''],
    [RangeError, 1015, ''],
    [RangeError, 999, ''],
    [RangeError, 5000, ''],
    [RangeError, 1000, 'é'.repeat(62)],
    [TypeError, undefined, 'a reason'],
  ] as const;
  for (const [kind, code, reason] of calls) {
    throws(kind, () => connection.close(code, reason), what, { given: story(connection) });
    expectIs(connection, 'state', 'OPEN', 'What was refused changes nothing.');
    expectSilence(connection, 'What was refused is not sent.');
  }
  connection.close(1000, `${'é'.repeat(61)}x`);
  expectClose(connection, 1000, 'A reason of 123 bytes is legal.');
}

const REST: Scenarios = [
  {
    what: '`close`, `fail` and `disconnect` call `wake`.',
    rules: [],
    check(lesson) {
      const acts = ['close', 'fail', 'disconnect'] as const;
      for (const make of [dial, open]) {
        for (const act of acts) {
          let wakes = 0;
          const connection = make(lesson, { wake: () => wakes++ });
          wakes = 0;
          if (act === 'fail') connection.fail(new Error('a bug of ours'));
          else connection[act]();
          if (wakes > 0) continue;
          const cause = 'Nobody knows of it: there is an event, or output, or a socket to end.';
          fail('`close`, `fail` and `disconnect` call `wake`.', story(connection), cause);
        }
      }
    },
  },
  {
    what: 'What comes when nobody listens any more is dropped.',
    rules: [129],
    check(lesson) {
      dropsAll(refused(lesson), 'after a refusal');
      dropsAll(failed(lesson), 'after a failure');
      dropsAll(left(lesson), 'after the server’s Close');
    },
  },
];

function refused(lesson: Lesson): Connection {
  const connection = dial(lesson);
  agree(connection);
  connection.receive(respond('403 Forbidden'));
  connection.next();
  return connection;
}

function failed(lesson: Lesson): Connection {
  const connection = open(lesson);
  connection.fail(new Error('a bug of ours'));
  connection.next();
  return connection;
}

function dropsAll(connection: Connection, when: string): void {
  const read = new Uint8Array(1024 * 1024);
  const limit = 8 * 1024 * 1024;
  const receive = () => {
    connection.receive(read);
    connection.next();
  };
  const sixteen = () => {
    for (let i = 0; i < 16; i++) receive();
  };
  // What reserves no memory keeps none. Otherwise, all garbage has to be collected, to be sure.
  const kept =
    buffersReserved(16, receive) < limit
      ? 0
      : memoryTaken(({ arrayBuffers }) => arrayBuffers, limit, sixteen);
  if (kept < limit) return;
  fail(
    'What comes when nobody listens any more is dropped.',
    [
      ['arrived', `16 MiB, ${when}`],
      ['kept', `${Math.round(kept / 1024 / 1024)} MiB`],
    ],
    'Nobody reads it any more, so it piles up. Ask `isListening` before you push.',
  );
}

export const ENDING: Scenarios = [
  ...SERVER_CLOSES,
  ...WE_CLOSE,
  ...NEVER_OPEN,
  ...FAILING,
  ...REST,
  ...ANY_ENDS,
];

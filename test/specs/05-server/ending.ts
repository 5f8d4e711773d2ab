/** Step 4: the closing handshake, and connections that fail. */
import { attempt, equal, fail, failsWith, throws } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import { callsOf } from '../../../shared/kit/calls.ts';
import { closeBody, fromClient, fromServer, join } from '../../../shared/kit/frames.ts';
import { buffersReserved, memoryTaken } from '../../../shared/kit/memory.ts';
import { ProtocolError } from '../../../shared/protocol.ts';
import {
  Binary,
  Close,
  type Connection,
  connect,
  type Event,
  echo,
  expectEnding,
  expectNext,
  expectOutput,
  type Lesson,
  NORMAL,
  NOTHING,
  Ping,
  Pong,
  raise,
  received,
  type Scenarios,
  SHARED,
  spokenIn,
  Text,
  takeAll,
} from './core.ts';

const BYE = fromClient(Close, closeBody(4001, 'bye'));
const ANSWERED = 'A Close is answered; the event comes when TCP is gone.';
const NO_EVENT = (event: Event | undefined) =>
  (event?.type as string) === 'close'
    ? 'Answer the Close, and look on: `close` is told when `disconnect` is called.'
    : undefined;
const LARGE = new Uint8Array(300_000);
const BACKLOG =
  'What waited already when the read with the Close arrived is too late: drop it, with `dropWaiting`, and then respond.';

/** Makes a connection to a peer that has said Close, and has been answered. */
function left(lesson: Lesson): Connection {
  const connection = received(lesson, BYE);
  expectNext(connection, undefined, ANSWERED, NO_EVENT);
  connection.takeOutput();
  return connection;
}

/** Makes a connection that we have closed. Our Close has gone. */
function leaving(lesson: Lesson): Connection {
  const connection = connect(lesson);
  connection.close(4000, 'enough');
  connection.takeOutput();
  return connection;
}

/** The peer's Close has come while a large message waited, perhaps with its first part gone. */
function closedOverBacklog(lesson: Lesson, isBegun: boolean) {
  const connection = connect(lesson);
  connection.send(LARGE);
  const first = isBegun ? connection.takeOutput() : NOTHING;
  connection.send(LARGE);
  connection.receive(fromClient(Close, NORMAL));
  expectNext(connection, undefined, ANSWERED, NO_EVENT);
  const given = callsOf(connection);
  return { output: join(first, ...takeAll(connection)), given };
}

/** Says what is wrong when more messages went out than may. */
function causeOfBacklog(output: Uint8Array, expected: number): string | undefined {
  const messages = spokenIn(output).filter(({ opcode }) => opcode === Binary);
  return messages.length > expected ? BACKLOG : undefined;
}

function causeOfLastWords(isAccepted: boolean, output: Uint8Array): string | undefined {
  if (!isAccepted) return 'Look at one message, let the application answer, then look at the next.';
  const isDropped = !spokenIn(output).some(({ opcode }) => opcode === Text);
  return isDropped
    ? 'An answer to a message of the same read has not waited for anything: drop only what has.'
    : undefined;
}

export const CLOSING: Scenarios = [
  {
    what: 'An open connection stays.',
    rules: [],
    check: (lesson) => expectEnding(connect(lesson), undefined, 'An open connection stays.'),
  },
  {
    what: 'A Close is answered with its code.',
    rules: [98],
    check(lesson) {
      const connection = received(lesson, BYE);
      expectNext(connection, undefined, ANSWERED, NO_EVENT);
      const answer = fromServer(Close, closeBody(4001));
      expectOutput(connection, answer, 'A Close is answered with its code.');
    },
  },
  {
    what: 'After both Closes, the server ends its side.',
    rules: [100],
    check: (lesson) =>
      expectEnding(left(lesson), 'hangUp', 'After both Closes, the server ends its side.'),
  },
  {
    what: 'When TCP is gone, the application hears how it ended.',
    rules: [],
    check(lesson) {
      const connection = left(lesson);
      connection.disconnect();
      const bye = { type: 'close', code: 4001, reason: 'bye', wasClean: true } as const;
      expectNext(connection, bye, 'When TCP is gone, the application hears how it ended.');
    },
  },
  {
    what: 'A connection ends once.',
    rules: [],
    check(lesson) {
      const connection = left(lesson);
      connection.disconnect();
      connection.next();
      connection.disconnect();
      expectNext(connection, undefined, 'A connection ends once.');
    },
  },
  {
    what: 'A message is answered before the Close that came behind it.',
    rules: [98, 109],
    check(lesson) {
      const frames = [fromClient(Ping, 'p'), fromClient(Close, NORMAL)];
      const connection = received(lesson, fromClient(Text, 'last words'), ...frames);
      connection.next();
      const isAccepted = connection.send('last words');
      echo(connection);
      expectOutput(
        connection,
        join(fromServer(Pong, 'p'), fromServer(Text, 'last words'), fromServer(Close, NORMAL)),
        'A message is answered before the Close that came behind it.',
        (output) => causeOfLastWords(isAccepted, output),
      );
    },
  },
  {
    what: 'The response to a Close waits for the message on its way only.',
    rules: [98],
    check(lesson) {
      const what = 'The response to a Close waits for the message on its way only.';
      const { output, given } = closedOverBacklog(lesson, true);
      const expected = [
        { opcode: Binary, payload: LARGE },
        { opcode: Close, payload: NORMAL },
      ];
      const about = { given, label: 'went out', cause: () => causeOfBacklog(output, 1) };
      equal(() => spokenIn(output), expected, what, about);
    },
  },
  {
    what: 'The response to a Close does not wait for a message that has not begun.',
    rules: [98],
    check(lesson) {
      const what = 'The response to a Close does not wait for a message that has not begun.';
      const { output, given } = closedOverBacklog(lesson, false);
      const about = { given, label: 'went out', cause: () => causeOfBacklog(output, 0) };
      equal(() => spokenIn(output), [{ opcode: Close, payload: NORMAL }], what, about);
    },
  },
  {
    what: 'Once what waited has gone, answers are no longer dropped.',
    rules: [98],
    check(lesson) {
      const connection = connect(lesson);
      connection.send('it waits');
      connection.receive(fromClient(Ping, 'p'));
      connection.next();
      takeAll(connection);
      connection.receive(join(fromClient(Text, 'last words'), fromClient(Close, NORMAL)));
      echo(connection);
      expectOutput(
        connection,
        join(fromServer(Text, 'last words'), fromServer(Close, NORMAL)),
        'Once what waited has gone, answers are no longer dropped.',
        'Look at what waits again with each read.',
      );
    },
  },
  {
    what: 'Our own Close goes after the messages before it, also when the peer’s arrives.',
    rules: [109],
    check(lesson) {
      const connection = connect(lesson);
      connection.send('said before');
      connection.close();
      connection.receive(fromClient(Close, NORMAL));
      connection.next();
      expectOutput(
        connection,
        join(fromServer(Text, 'said before'), fromServer(Close, NORMAL)),
        'Our own Close goes after the messages before it, also when the peer’s arrives.',
        'Drop what waits for a response only. When our own Close waits, it would be dropped, too.',
      );
    },
  },
  {
    what: 'Close with code and reason.',
    rules: [],
    check(lesson) {
      const connection = connect(lesson);
      connection.close(4000, 'enough');
      const frame = fromServer(Close, closeBody(4000, 'enough'));
      expectOutput(connection, frame, 'Close with code and reason.');
    },
  },
  {
    what: 'We wait for the Close of the peer.',
    rules: [],
    check: (lesson) =>
      expectEnding(leaving(lesson), undefined, 'We wait for the Close of the peer.'),
  },
  {
    what: 'No message follows a Close.',
    rules: [109],
    check(lesson) {
      const connection = leaving(lesson);
      equal(() => connection.send('too late'), false, 'No message follows a Close.', {
        given: callsOf(connection),
        label: '`send` gave',
        cause: () =>
          'Look at the state first. A connection that is closing sends nothing, and that is not an error.',
      });
      expectOutput(connection, NOTHING, 'Nothing follows our Close.', 'Is the state OPEN?');
    },
  },
  {
    what: 'No Ping follows our Close.',
    rules: [],
    check(lesson) {
      const connection = leaving(lesson);
      connection.ping();
      expectOutput(connection, NOTHING, 'Nothing follows our Close.', 'Is the state OPEN?');
    },
  },
  {
    what: 'Until its Close, the peer is heard.',
    rules: [],
    check(lesson) {
      const connection = leaving(lesson);
      connection.receive(fromClient(Text, 'on its way'));
      const event = { type: 'text', data: 'on its way' } as const;
      expectNext(connection, event, 'Until its Close, the peer is heard.');
    },
  },
  {
    what: 'The response to our Close gets no response.',
    rules: [98, 100],
    check(lesson) {
      const connection = leaving(lesson);
      connection.receive(fromClient(Close, closeBody(1001)));
      expectNext(connection, undefined, 'The response to our Close gets no response.');
      expectOutput(connection, NOTHING, 'The response to our Close gets no response.');
      expectEnding(connection, 'hangUp', 'After both Closes, the server ends its side.');
    },
  },
  {
    what: 'The code is that of the peer.',
    rules: [],
    check(lesson) {
      const connection = leaving(lesson);
      connection.receive(fromClient(Close, closeBody(1001)));
      connection.next();
      connection.disconnect();
      const end = { type: 'close', code: 1001, wasClean: true } as const;
      expectNext(connection, end, 'The code is that of the peer.');
    },
  },
  {
    what: 'Refuse to close with 1005.',
    rules: [],
    check: (lesson) =>
      throws(RangeError, () => connect(lesson).close(1005), 'Refuse to close with 1005.'),
  },
];

/** Something that breaks a rule, and the code that says so. */
type Fault = readonly [what: string, bytes: Uint8Array, code: number];

const BAD_REASON = fromClient(Close, join(NORMAL, Uint8Array.of(0xff)));
const FAULTS: readonly Fault[] = [
  ['an unmasked frame', fromServer(Text, 'Hello'), 1002],
  ['a text that is not UTF-8', fromClient(Text, Uint8Array.of(0xff)), 1007],
  ['a message beyond the limit', fromClient(Binary, new Uint8Array(101)).subarray(0, 6), 1009],
  ['a Close with half a code', fromClient(Close, Uint8Array.of(3)), 1002],
  ['a Close with the code 1005', fromClient(Close, closeBody(1005)), 1002],
  ['a Close whose reason is not UTF-8', BAD_REASON, 1007],
];

const given = ([what, bytes]: Fault): Fact[] => [
  ['arrived', `a text, then ${what}: ${show(bytes)}`],
];

/** Makes a connection whose peer says something, and then breaks a rule. */
function faulty(lesson: Lesson, [, bytes]: Fault): Connection {
  const connection = connect(lesson, { maxMessageBytes: 100 });
  connection.receive(join(fromClient(Text, 'before'), bytes));
  return connection;
}

function tellsApplication(fault: Fault): Scenario<Lesson> {
  const what = `Tell the application of ${fault[0]}.`;
  return {
    what,
    rules: [150, 153],
    check(lesson) {
      const connection = faulty(lesson, fault);
      const nothingThrown = `Nothing is thrown at ${fault[0]}.`;
      const events = attempt(() => echo(connection), nothingThrown, given(fault));
      equal(() => events.map(({ type }) => type), ['error'], what, {
        given: [...given(fault), ['`ending` is', show(connection.ending)]],
        label: 'the events',
        cause: () => causeOfEvents(events.length, fault, connection),
      });
    },
  };
}

function namesFault(fault: Fault): Scenario<Lesson> {
  const [what, , code] = fault;
  return {
    what: `Name ${what}.`,
    rules: [150, 153],
    check(lesson) {
      const [event] = echo(faulty(lesson, fault));
      const error = event?.type === 'error' ? event.error : undefined;
      const closeCode = () => error instanceof ProtocolError && error.closeCode;
      equal(closeCode, code, `Name ${what}.`, { given: given(fault), label: 'close code' });
      const sayWhy = `Say what is wrong with ${what}.`;
      failsWith(code, () => raise(event), sayWhy, { given: given(fault) });
    },
  };
}

function causeOfEvents(count: number, [what, , code]: Fault, { ending }: Connection): string {
  if (ending === 'destroy') {
    return 'TCP is dropped, and no Close says why. `fail` of the connection does what is due.';
  }
  if (count > 1) {
    return 'Fail the connection with what the reader throws, and read no more: it is asked again otherwise.';
  }
  if (code === 1009) return 'Does the limit reach the reader?';
  return what.startsWith('a Close')
    ? '`receiveClose` returns actions here and throws nothing, so check the body before you call it.'
    : 'When the connection fails, an `error` event is due.';
}

/** The answer to what came before a fault, and the first byte of a Close. */
const BEFORE = join(fromServer(Text, 'before'), Uint8Array.of(0x88));

function tellsPeer(fault: Fault): Scenario<Lesson> {
  const [what, , code] = fault;
  return {
    what: `Say ${code} for ${what}.`,
    rules: [127, 128, 154],
    check(lesson) {
      const connection = faulty(lesson, fault);
      echo(connection);
      const output = connection.takeOutput();
      expectStart(output, fault);
      const said = () => output.subarray(BEFORE.length + 1, BEFORE.length + 3);
      const about = { given: given(fault), label: 'close code' };
      equal(said, closeBody(code), `Say ${code} for ${what}.`, about);
      expectEnding(connection, 'hangUp', `After ${what}, the server ends its side.`);
    },
  };
}

function expectStart(output: Uint8Array, fault: Fault): void {
  const start = () => output.subarray(0, BEFORE.length);
  equal(start, BEFORE, 'What came before it is answered first.', {
    given: given(fault),
    frames: true,
    label: 'went out',
  });
}

export const FAILING: Scenarios = [
  ...FAULTS.map(tellsApplication),
  ...FAULTS.map(namesFault),
  ...FAULTS.map(tellsPeer),
  {
    what: 'After a failure nobody listens.',
    rules: [129],
    check(lesson) {
      for (const fault of FAULTS) {
        const connection = faulty(lesson, fault);
        echo(connection);
        connection.receive(fromClient(Text, 'after'));
        const what = 'After a failure nobody listens.';
        expectNext(connection, undefined, what, undefined, given(fault));
      }
    },
  },
  {
    what: 'A connection that failed ends with 1006.',
    rules: [],
    check(lesson) {
      for (const fault of FAULTS) {
        const connection = faulty(lesson, fault);
        echo(connection);
        connection.disconnect();
        const end = { type: 'close', code: 1006, wasClean: false } as const;
        expectNext(connection, end, 'It failed: 1006.', undefined, given(fault));
      }
    },
  },
  {
    what: 'Tell the application of an illegal response to our Close.',
    rules: [127, 153],
    check(lesson) {
      const what = 'Tell the application of an illegal response to our Close.';
      const connection = leaving(lesson);
      connection.receive(BAD_REASON);
      expectNext(connection, { type: 'error' }, what);
      expectOutput(connection, NOTHING, 'A Close is sent once.');
      expectEnding(connection, 'hangUp', 'When a peer breaks a rule, the server ends its side.');
    },
  },
  {
    what: 'An error of our own is told, with 1011 to the peer.',
    rules: [127, 128],
    check(lesson) {
      const connection = connect(lesson);
      connection.fail(new Error('a bug of ours'));
      expectNext(connection, { type: 'error' }, 'An error of our own is told.');
      const given = callsOf(connection);
      const output = connection.takeOutput();
      const code = () => spokenIn(output).map(({ payload }) => payload.subarray(0, 2));
      const about = { given: [...given, ['went out', show(output)] as const], label: 'codes' };
      equal(code, [closeBody(1011)], 'For an error of our own, say 1011.', about);
      expectEnding(connection, 'hangUp', 'After an error of our own, the server ends its side.');
    },
  },
  {
    what: 'A connection fails once.',
    rules: [],
    check(lesson) {
      const connection = connect(lesson);
      connection.fail(new Error('a bug of ours'));
      connection.next();
      connection.fail(new Error('another bug'));
      expectNext(connection, undefined, 'A connection fails once.');
    },
  },
  { what: 'What comes after a failure is dropped.', rules: [129], check: dropsAfterFailure },
  {
    what: 'What happens to one connection, another does not hear of.',
    rules: [],
    check(lesson) {
      const what = 'What happens to one connection, another does not hear of.';
      const [one, two] = [connect(lesson), connect(lesson)];
      const error = new Error('a bug of ours');
      one.fail(error);
      const given: Fact[] = [['another one', 'has failed']];
      expectNext(two, undefined, what, SHARED, given);
      expectNext(one, { type: 'error' }, what);
    },
  },
  {
    what: 'No Close is 1006.',
    rules: [],
    check(lesson) {
      const connection = connect(lesson);
      connection.disconnect();
      const end = { type: 'close', code: 1006, wasClean: false } as const;
      expectNext(connection, end, 'No Close is 1006.');
    },
  },
];

function dropsAfterFailure(lesson: Lesson): void {
  const connection = connect(lesson);
  connection.fail(new Error('a bug of ours'));
  const read = new Uint8Array(1024 * 1024);
  const limit = 8 * 1024 * 1024;
  const receive = () => {
    connection.receive(read);
    echo(connection);
  };
  const sixteen = () => {
    for (let i = 0; i < 16; i++) receive();
  };
  // What reserves no memory keeps none. Otherwise, all garbage has to be collected, to be sure.
  const kept =
    buffersReserved(16, receive) < limit
      ? 0
      : memoryTaken(({ arrayBuffers }) => arrayBuffers, limit, sixteen);
  expectNext(connection, undefined, 'After a failure nobody listens.');
  if (kept < limit) return;
  fail(
    'What comes after a failure is dropped.',
    [
      ['arrived', '16 MiB'],
      ['kept', `${Math.round(kept / 1024 / 1024)} MiB`],
    ],
    'Nobody reads it any more, so it piles up. Ask `isListening` before you push.',
  );
}

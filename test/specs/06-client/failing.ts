/** Step 6: connections that fail while they are open. */
import { equal, failsWith } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import { clock } from '../../../shared/kit/clock.ts';
import { closeBody, fromServer, join, wire } from '../../../shared/kit/frames.ts';
import { withGiven } from '../../../shared/kit/given.ts';
import { OpeningError, ProtocolError } from '../../../shared/protocol.ts';
import {
  act,
  agree,
  Binary,
  Close,
  type Connection,
  Continuation,
  dial,
  type Event,
  expectClose,
  expectIs,
  expectNext,
  expectSilence,
  expectUnsent,
  NORMAL,
  open,
  Ping,
  pull,
  pullAll,
  story,
  Text,
} from './connections.ts';
import { ABNORMAL } from './never-open.ts';
import type { Lesson, Scenarios } from './tools.ts';

/** Something that breaks a rule, the code that says so, and the rules it is for. */
type Fault = readonly [what: string, bytes: Uint8Array, code: number, rules: readonly number[]];

const unmasked = { opcode: Text, payload: 'x', key: null } as const;
/** A masking key that looks like the code 1000. */
const LIKE_1000 = Uint8Array.of(0x03, 0xe8, 0x12, 0x34);
const BAD_REASON = fromServer(Close, join(NORMAL, Uint8Array.of(0xff)));

const FAULTS: readonly Fault[] = [
  ['a masked Text', wire({ opcode: Text, payload: 'Hello' }), 1002, [69]],
  ['a masked Close', wire({ opcode: Close, payload: NORMAL, key: LIKE_1000 }), 1002, [69]],
  ['a masked Ping', wire({ opcode: Ping, payload: 'Hello' }), 1002, [69]],
  ['RSV1, which nobody asked for', wire({ ...unmasked, rsv: 4 }), 1002, []],
  ['a reserved opcode', fromServer(3, 'x'), 1002, []],
  ['a second response', Uint8Array.from(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')), 1002, []],
  ['a continuation of nothing', fromServer(Continuation, 'x'), 1002, []],
  ['a length in more bytes than it needs', wire({ ...unmasked, lengthBytes: 2 }), 1002, []],
  ['a length in 8 bytes that needs 1', wire({ ...unmasked, lengthBytes: 8 }), 1002, []],
  ['a text that is not UTF-8', fromServer(Text, Uint8Array.of(0xff)), 1007, [138]],
  [
    'a message beyond the limit',
    fromServer(Binary, new Uint8Array(101)).subarray(0, 2),
    1009,
    [150],
  ],
  ['a frame of 2⁶² bytes', Uint8Array.of(0x82, 127, 0x40, 0, 0, 0, 0, 0, 0, 0), 1009, [150]],
  ['a Close with half a code', fromServer(Close, Uint8Array.of(3)), 1002, []],
  ...[999, 1005, 1006, 1015, 1016, 5000].map(
    (code): Fault => [`a Close with ${code}`, fromServer(Close, closeBody(code)), 1002, []],
  ),
  ['a Close whose reason is not UTF-8', BAD_REASON, 1007, [138]],
];

/** Makes a connection whose server says something, and then breaks a rule, in the same read or not. */
function faulty(
  lesson: Lesson,
  [, bytes]: Fault,
  isSameRead = true,
  now = clock().now,
): Connection {
  const connection = open(lesson, { options: { maxMessageBytes: 100 }, now });
  const before = fromServer(Text, 'before');
  connection.receive(isSameRead ? join(before, bytes) : before);
  const told = { type: 'text', data: 'before' } as const;
  expectNext(connection, told, 'What came before a fault is told first.');
  if (!isSameRead) connection.receive(bytes);
  return connection;
}

const ONCE = 'Fail the connection with what the reader throws, and read no more.';

function causeOf(
  [what, , code]: Fault,
  event: Event | undefined,
  { ending }: Connection,
): string | undefined {
  if (event !== undefined) return undefined;
  if (ending === undefined) {
    return code === 1009 ? 'Does `maxMessageBytes` reach the reader?' : undefined;
  }
  return what.startsWith('a Close')
    ? '`receiveClose` returns actions here and throws nothing, so check the body before you call it.'
    : 'When the connection fails, an `error` event is due.';
}

const failsBy = (fault: Fault) => ({
  what: `It fails with ${fault[2]} at ${fault[0]}.`,
  rules: [126, 128, 129, 130, 153, ...fault[3]].sort((a, b) => a - b),
  check(lesson: Lesson) {
    for (const isSameRead of [true, false]) {
      expectFailure(faulty(lesson, fault, isSameRead), fault);
    }
  },
});

/** Checks that a connection fails: its application hears of it, and its server, and nothing follows. */
function expectFailure(connection: Connection, fault: Fault): void {
  const [name, , code] = fault;
  const what = `It fails with ${code} at ${name}.`;
  const event = pull(connection, what);
  withGiven(
    () => story(connection),
    () => {
      const type = () => event?.type;
      equal(type, 'error', what, {
        label: 'the event',
        cause: () => causeOf(fault, event, connection),
      });
      const raise = () => {
        throw event?.type === 'error' ? event.error : undefined;
      };
      failsWith(code, raise, what);
    },
  );
  expectClose(connection, code, `Say ${code} to the server.`);
  expectIs(connection, 'ending', 'hangUp', 'After a failure, we end our side.');
  connection.receive(fromServer(Text, 'after'));
  expectNext(connection, undefined, 'After a failure nobody listens.', ONCE);
  connection.disconnect();
  expectNext(connection, ABNORMAL, 'A connection that failed ends with 1006.');
}

const [SAMPLE] = FAULTS;

export const FAILING: Scenarios = [
  ...FAULTS.map(failsBy),
  {
    what: 'A server that breaks a rule right behind its yes is told so.',
    rules: [128, 129],
    check(lesson) {
      const what = 'A server that breaks a rule right behind its yes is told so.';
      const connection = dial(lesson);
      connection.receive(join(agree(connection), wire({ opcode: Text, payload: 'Hello' })));
      expectNext(connection, { type: 'open' }, what);
      expectNext(connection, { type: 'error' }, what);
      expectClose(connection, 1002, what);
    },
  },
  {
    what: 'A limit of 0 bytes is a limit.',
    rules: [150],
    check(lesson) {
      const what = 'A limit of 0 bytes is a limit.';
      const connection = open(lesson, { options: { maxMessageBytes: 0 } });
      connection.receive(join(fromServer(Text), fromServer(Text, 'x')));
      expectNext(connection, { type: 'text', data: '' }, 'An empty message is not too long.');
      expectNext(connection, { type: 'error' }, what);
      expectClose(connection, 1009, what);
    },
  },
  {
    what: 'An illegal answer to our Close fails it, and gets no second Close.',
    rules: [126, 130],
    check(lesson) {
      const what = 'An illegal answer to our Close fails it, and gets no second Close.';
      const connection = open(lesson);
      connection.close(1000);
      expectClose(connection, 1000, 'Close with 1000.');
      connection.receive(BAD_REASON);
      expectNext(connection, { type: 'error' }, what);
      expectSilence(connection, 'A Close is sent once.');
      expectIs(connection, 'ending', 'hangUp', 'After a failure, we end our side.');
    },
  },
  {
    what: 'An error of our own is told as it is, with 1011 to the server.',
    rules: [126, 128],
    check(lesson) {
      const what = 'An error of our own is told as it is, with 1011 to the server.';
      // Whatever can be thrown, somebody throws.
      for (const error of [new Error('a bug of ours'), undefined, 'a text']) {
        const connection = open(lesson);
        connection.fail(error);
        expectNext(connection, { type: 'error', error }, what);
        expectClose(connection, 1011, what);
        expectIs(connection, 'ending', 'hangUp', 'After a failure, we end our side.');
      }
    },
  },
  {
    what: 'A connection fails once.',
    rules: [],
    check(lesson) {
      const connection = open(lesson);
      connection.fail(new ProtocolError(1003, '7.4.1', 'Only text, please.'));
      connection.next();
      connection.fail(new Error('another one'));
      expectNext(connection, undefined, 'A connection fails once.');
      expectClose(connection, 1003, 'The code is that of the first error.');
      expectSilence(connection, 'A Close is sent once.');
    },
  },
  {
    what: 'After a failure, nothing more is said.',
    rules: [109, 129],
    check(lesson) {
      const connection = open(lesson);
      connection.fail(new Error('a bug of ours'));
      expectClose(connection, 1011, 'An error of our own is 1011.');
      expectUnsent(connection, 'After a failure, nothing more is said.');
      connection.ping();
      act(connection, () => connection.close(), 'After a failure, nothing more is said.');
      connection.receive(fromServer(Ping, 'p'));
      connection.next();
      expectSilence(connection, 'After a failure, nothing more is said.');
    },
  },
  {
    what: 'When the server does not end TCP after a failure, we do.',
    rules: [126],
    check(lesson) {
      const what = 'When the server does not end TCP after a failure, we do.';
      const { now, advance } = clock();
      const connection = faulty(lesson, SAMPLE!, true, now);
      pullAll(connection, what);
      const { closeTimeoutMs } = lesson.CLIENT_LIMITS;
      expectIs(connection, 'deadline', now() + closeTimeoutMs, what);
      advance(closeTimeoutMs);
      connection.checkTime();
      expectIs(connection, 'ending', 'destroy', what);
      connection.disconnect();
      expectNext(connection, ABNORMAL, 'A connection that failed ends with 1006.');
    },
  },
  {
    what: 'When TCP is lost, it has failed: an error, then 1006.',
    rules: [130, 131],
    check(lesson) {
      const what = 'When TCP is lost, it has failed: an error, then 1006.';
      const frame = fromServer(Text, 'Hello');
      for (let at = 0; at < frame.length; at++) {
        const connection = open(lesson);
        connection.receive(frame.subarray(0, at));
        expectNext(connection, undefined, 'A frame is told when it is whole.');
        connection.disconnect();
        expectNext(connection, { type: 'error' }, what);
        expectNext(connection, ABNORMAL, what);
        expectNext(connection, undefined, 'After `close` comes nothing.');
      }
    },
  },
  {
    what: 'The error says why TCP was lost.',
    rules: [],
    check(lesson) {
      const what = 'The error says why TCP was lost.';
      const connection = open(lesson);
      const reset = new Error('read ECONNRESET');
      connection.disconnect(reset);
      connection.disconnect();
      const event = pull(connection, what);
      const error = event?.type === 'error' ? event.error : undefined;
      const given: Fact[] = [...story(connection), ['its error', show(error)]];
      equal(() => error, { cause: reset }, what, { given, label: 'it says' });
      const isOpening = () => error instanceof OpeningError;
      const kind = 'It was open, so this is no `OpeningError`.';
      equal(isOpening, false, kind, { given, label: 'an `OpeningError`?' });
    },
  },
  {
    what: 'Messages that arrived before TCP was lost are told before that.',
    rules: [],
    check(lesson) {
      const what = 'Messages that arrived before TCP was lost are told before that.';
      const connection = open(lesson);
      connection.receive(join(fromServer(Text, 'one'), fromServer(Text, 'two')));
      connection.disconnect();
      expectNext(connection, { type: 'text', data: 'one' }, what);
      expectNext(connection, { type: 'text', data: 'two' }, what);
      expectNext(connection, { type: 'error' }, what);
      expectNext(connection, ABNORMAL, what);
    },
  },
  {
    what: 'A connection ends once, and says nothing after.',
    rules: [],
    check(lesson) {
      const what = 'A connection ends once, and says nothing after.';
      const connection = open(lesson);
      connection.disconnect();
      pullAll(connection, what);
      connection.disconnect(new Error('again'));
      connection.receive(fromServer(Text, 'Hello'));
      act(connection, () => connection.fail(new Error('a bug of ours')), what);
      act(connection, () => connection.close(), what);
      act(connection, () => connection.ping(), what);
      connection.checkTime();
      expectNext(connection, undefined, what);
      expectUnsent(connection, what);
      expectIs(connection, 'state', 'CLOSED', what);
      expectIs(connection, 'deadline', undefined, what);
    },
  },
];

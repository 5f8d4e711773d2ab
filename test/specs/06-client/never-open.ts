/** Step 6: connections that end before they are open. */
import { equal, fail } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import { clock } from '../../../shared/kit/clock.ts';
import { fromServer, join, utf8 } from '../../../shared/kit/frames.ts';
import { withGiven } from '../../../shared/kit/given.ts';
import { OpeningError } from '../../../shared/protocol.ts';
import {
  agree,
  Binary,
  type Connection,
  dial,
  type Event,
  expectIs,
  expectNext,
  expectSilence,
  expectUnsent,
  pull,
  respond,
  story,
  Text,
} from './connections.ts';
import type { Lesson, Scenarios } from './tools.ts';

export const ABNORMAL = { type: 'close', code: 1006, reason: '', wasClean: false } as const;

const IS_OPENING_ERROR = 'The error is an `OpeningError`: it has never been open.';

/** Checks that an attempt has failed: an error, nothing sent, TCP dropped, and then its end. */
function expectFailed(
  connection: Connection,
  what: string,
  expected: Saying = {},
  cause?: (event: Event | undefined) => string | undefined,
): void {
  expectTold(connection, what, expected, cause);
  const noFrame = 'No frame is for a server that has not agreed to a WebSocket.';
  expectSilence(connection, 'Nothing is sent to a server that has not agreed.', noFrame);
  expectIs(connection, 'ending', 'destroy', 'An attempt that failed is over: TCP is dropped.');
  expectOver(connection);
  expectNext(connection, undefined, 'An attempt fails once; its end comes when TCP is gone.');
  connection.disconnect();
  expectNext(connection, ABNORMAL, 'When TCP is gone, the application hears of the end.');
  expectNext(connection, undefined, 'After `close` comes nothing.');
}

/** Checks that an attempt is over, although TCP is still there. */
function expectOver(connection: Connection): void {
  const { state } = connection;
  expectUnsent(connection, 'After an attempt has failed, nothing is sent.');
  if (state === 'HANGING_UP' || state === 'CLOSED') return;
  const facts: Fact[] = [
    ['`state` is', show(state)],
    ['expected', 'HANGING_UP or CLOSED'],
  ];
  fail('An attempt that failed is no longer under way.', [...story(connection), ...facts]);
}

/** What an `OpeningError` says, as far as it matters. */
type Saying = Partial<Pick<OpeningError, 'status' | 'headers' | 'cause'>>;

/** Checks that an `OpeningError` is told. */
function expectTold(
  connection: Connection,
  what: string,
  expected: Saying,
  cause?: (event: Event | undefined) => string | undefined,
): void {
  const event = pull(connection, what);
  const error = event?.type === 'error' ? event.error : undefined;
  const facts = (): Fact[] => [
    ...story(connection),
    ...(error === undefined ? [] : [['its error', show(error)] as const]),
  ];
  withGiven(facts, () => {
    const type = () => event?.type;
    equal(type, 'error', what, { label: 'the event', cause: () => cause?.(event) });
    const isOpeningError = () => error instanceof OpeningError;
    equal(isOpeningError, true, IS_OPENING_ERROR, { label: 'an `OpeningError`?' });
    equal(() => error, expected, 'The error says what it was.', { label: 'it says' });
  });
}

const ELSEWHERE = new Map([['location', ['ws://other.example/']]]);
const refusals: readonly (readonly [
  name: string,
  bytes: Uint8Array,
  status: number | undefined,
])[] = [
  ['403', respond('403 Forbidden', 'Content-Length: 0'), 403],
  ['200', respond('200 OK', 'Upgrade: websocket', 'Connection: Upgrade'), 200],
  ['302', respond('302 Found', 'Location: ws://other.example/'), 302],
  ['101 without a proof', respond('101 Yes', 'Upgrade: websocket', 'Connection: Upgrade'), 101],
  ['a frame', join(fromServer(Text, 'Hello'), utf8('\r\n\r\n')), undefined],
];

const REFUSED: Scenarios = [
  ...refusals.map(([name, bytes, status]) => ({
    what: `The attempt fails when the server answers with ${name}.`,
    rules: [26, 27, 126, 130],
    check(lesson: Lesson) {
      const connection = dial(lesson);
      agree(connection);
      connection.receive(bytes);
      const what = `The attempt fails when the server answers with ${name}.`;
      expectFailed(
        connection,
        what,
        { status, ...(status === 302 && { headers: ELSEWHERE }) },
        causeOfRefusal,
      );
    },
  })),
  {
    what: 'The proof has to be for this key, and a subprotocol or extension one of ours.',
    rules: [26, 31],
    check(lesson) {
      const what = 'The proof has to be for this key, and a subprotocol or extension one of ours.';
      const key = (byte: number) => ({ random: (size: number) => new Uint8Array(size).fill(byte) });
      const [one, other] = [dial(lesson, key(1)), dial(lesson, key(2))];
      agree(one);
      one.receive(agree(other));
      expectFailed(one, what, { status: 101 });
      const chatty = dial(lesson, { options: { protocols: ['chat'] } });
      chatty.receive(agree(chatty, 'Sec-WebSocket-Protocol: soap'));
      expectFailed(chatty, what, { status: 101 });
      const plain = dial(lesson);
      plain.receive(agree(plain, 'Sec-WebSocket-Extensions: permessage-deflate'));
      expectFailed(plain, what, { status: 101 });
    },
  },
  {
    what: 'What comes behind a refusal is not looked at.',
    rules: [129],
    check(lesson) {
      const connection = dial(lesson);
      const yes = agree(connection);
      connection.receive(join(respond('403 Forbidden'), yes, fromServer(Text, 'Hello')));
      const what = 'What comes behind a refusal is not looked at.';
      expectNext(connection, { type: 'error' }, what);
      expectNext(connection, undefined, what);
      connection.receive(join(yes, fromServer(Text, 'Hello')));
      expectNext(connection, undefined, what);
    },
  },
  {
    what: 'The attempt fails when a head has no end.',
    rules: [150],
    check(lesson) {
      const connection = dial(lesson, { options: { maxHeadBytes: 1000 } });
      agree(connection);
      const start = respond('101 Switching Protocols').subarray(0, -2);
      connection.receive(join(start, utf8(`X: ${'x'.repeat(600)}`)));
      expectNext(connection, undefined, 'A head of less than `maxHeadBytes` may still end.');
      connection.receive(utf8('x'.repeat(600)));
      const what = 'The attempt fails when a head has no end.';
      const cause = () => 'Does `maxHeadBytes` reach `parseResponse`?';
      expectFailed(connection, what, {}, cause);
    },
  },
  {
    what: 'Interim responses count towards `maxHeadBytes`.',
    rules: [150],
    check(lesson) {
      const what = 'Interim responses count towards `maxHeadBytes`.';
      const interim = respond('103 Early Hints', `Link: ${'x'.repeat(300)}`);
      const size = 2 * interim.length + agree(dial(lesson)).length;
      const [tight, small] = [size, size - 1].map((maxHeadBytes) => {
        const connection = dial(lesson, { options: { maxHeadBytes } });
        const yes = agree(connection);
        connection.receive(interim);
        expectNext(connection, undefined, 'An interim response is no event.');
        connection.receive(join(interim, yes));
        return connection;
      });
      expectNext(tight!, { type: 'open' }, `Of ${size} bytes, all of ${size} may be used.`);
      const cause = () => 'A server could send them for ever: each is small, and there is no end.';
      expectFailed(small!, what, {}, cause);
    },
  },
];

function causeOfRefusal(event: Event | undefined): string | undefined {
  if (event?.type === 'open') return 'It is told as open. What does `checkResponse` say?';
  return event === undefined
    ? 'Whoever waits for this connection hears nothing. Fail it with what was thrown.'
    : undefined;
}

const START_MS = 1_000_000;

const LATE: Scenarios = [
  {
    what: 'The opening has a deadline from the start on.',
    rules: [],
    check(lesson) {
      const what = 'The opening has a deadline from the start on.';
      const { now, advance } = clock();
      const connection = dial(lesson, { options: { openTimeoutMs: 3000 }, now });
      advance(1000);
      expectIs(connection, 'deadline', START_MS + 3000, what);
      connection.receive(agree(connection).subarray(0, 50));
      connection.next();
      const lasts = 'It stays until the whole response is there.';
      expectIs(connection, 'deadline', START_MS + 3000, lasts);
      const usual = lesson.CLIENT_LIMITS.openTimeoutMs;
      expectIs(
        dial(lesson),
        'deadline',
        START_MS + usual,
        'Otherwise, it is that of CLIENT_LIMITS.',
      );
    },
  },
  {
    what: 'The attempt fails when its time is over, and not before.',
    rules: [126, 130],
    check(lesson) {
      const what = 'The attempt fails when its time is over, and not before.';
      const { now, advance } = clock();
      const connection = dial(lesson, { options: { openTimeoutMs: 3000 }, now });
      const yes = agree(connection);
      advance(2999);
      connection.checkTime();
      expectNext(connection, undefined, what);
      expectIs(connection, 'ending', undefined, what);
      advance(1);
      connection.checkTime();
      connection.receive(yes);
      expectFailed(connection, what);
    },
  },
  {
    what: 'A time can be 0, and a clock can start there.',
    rules: [],
    check(lesson) {
      const what = 'A time can be 0, and a clock can start there.';
      const connection = dial(lesson, { options: { openTimeoutMs: 0 }, now: () => 0 });
      agree(connection);
      const cause = 'Is a number asked whether it is true? 0 is a time like any other.';
      expectIs(connection, 'deadline', 0, what, cause);
      connection.checkTime();
      expectFailed(connection, what);
    },
  },
  {
    what: 'A server that answers byte by byte gets no more time.',
    rules: [],
    check(lesson) {
      const what = 'A server that answers byte by byte gets no more time.';
      const { now, advance } = clock();
      const connection = dial(lesson, { options: { openTimeoutMs: 3000 }, now });
      const says = join(respond('103 Early Hints'), agree(connection));
      for (let i = 0; i < 30; i++) {
        connection.receive(says.subarray(i, i + 1));
        connection.next();
        connection.checkTime();
        advance(100);
      }
      const cause = (deadline: unknown) =>
        Number(deadline) > START_MS + 3000
          ? 'The time runs from the start on. What arrives does not start it again.'
          : undefined;
      expectIs(connection, 'deadline', START_MS + 3000, what, cause);
      connection.checkTime();
      expectFailed(connection, what);
    },
  },
  {
    what: 'Once open, it waits for nothing, and does not close by itself.',
    rules: [172],
    check(lesson) {
      const what = 'Once open, it waits for nothing, and does not close by itself.';
      const { now, advance } = clock();
      const connection = dial(lesson, { now });
      connection.receive(agree(connection));
      connection.next();
      expectIs(connection, 'deadline', undefined, what);
      advance(24 * 60 * 60 * 1000);
      connection.checkTime();
      expectNext(connection, undefined, what);
      expectSilence(connection, what);
      expectIs(connection, 'ending', undefined, what);
      expectIs(connection, 'state', 'OPEN', what);
    },
  },
];

const GIVEN_UP: Scenarios = [
  {
    what: 'To close before the server has answered is to give up.',
    rules: [25, 126],
    check(lesson) {
      const what = 'To close before the server has answered is to give up.';
      const connection = dial(lesson);
      const yes = agree(connection);
      connection.receive(yes.subarray(0, 50));
      connection.close(1000, 'never mind');
      connection.receive(yes.subarray(50));
      const cause = (event: Event | undefined) =>
        event?.type === 'open' ? 'A yes that comes too late opens nothing.' : undefined;
      expectFailed(connection, what, {}, cause);
    },
  },
  {
    what: 'To close before the request has gone is to give up, too.',
    rules: [126],
    check(lesson) {
      const connection = dial(lesson);
      connection.close();
      expectFailed(connection, 'To close before the request has gone is to give up, too.');
    },
  },
  {
    what: 'An error of our own before it is open is told as it is.',
    rules: [25, 126, 130],
    check(lesson) {
      const what = 'An error of our own before it is open is told as it is.';
      const connection = dial(lesson);
      agree(connection);
      const error = new Error('a bug of ours');
      connection.fail(error);
      connection.fail(new Error('another one'));
      expectNext(connection, { type: 'error', error }, what);
      expectIs(connection, 'ending', 'destroy', 'An attempt that failed is over: TCP is dropped.');
      const silence = 'Nothing is sent to a server that has not agreed.';
      expectSilence(connection, silence, 'A Close is a frame. It knows nothing of frames.');
      connection.disconnect();
      expectNext(connection, ABNORMAL, 'When TCP is gone, the application hears of the end.');
      expectIs(connection, 'state', 'CLOSED', 'When that has been told, it is closed.');
    },
  },
  {
    what: 'It fails when TCP could not even connect, and says why.',
    rules: [10, 130, 131],
    check(lesson) {
      const what = 'It fails when TCP could not even connect, and says why.';
      const refused = new Error('connect ECONNREFUSED');
      const connection = dial(lesson);
      connection.disconnect(refused);
      expectTold(connection, what, { cause: refused });
      expectNext(connection, ABNORMAL, what);
      expectNext(connection, undefined, 'After `close` comes nothing.');
    },
  },
  {
    what: 'It fails when TCP ends before the response does, wherever that is.',
    rules: [130, 131],
    check: (lesson) => {
      const size = agree(dial(lesson)).length;
      for (let at = 0; at < size; at++) {
        const connection = dial(lesson);
        connection.receive(agree(connection).subarray(0, at));
        expectNext(connection, undefined, 'Without its blank line, a response is not there yet.');
        connection.disconnect();
        const what = 'It fails when TCP ends before the response does, wherever that is.';
        expectTold(connection, what, {});
        expectNext(connection, ABNORMAL, what);
        expectNext(connection, undefined, 'After `close` comes nothing.');
      }
    },
  },
  {
    what: 'A yes and a message that arrived before the end are still told.',
    rules: [],
    check(lesson) {
      const what = 'A yes and a message that arrived before the end are still told.';
      const connection = dial(lesson);
      connection.receive(join(agree(connection), fromServer(Binary, 'Hello')));
      connection.disconnect();
      const events: (string | undefined)[] = [];
      for (let i = 0; i < 5; i++) events.push(pull(connection, what)?.type);
      const expected = ['open', 'binary', 'error', 'close', undefined];
      if (events.join() === expected.join()) return;
      const facts: Fact[] = [
        ['the events', events.join(', ')],
        ['expected', expected.join(', ')],
      ];
      fail(what, [...story(connection), ...facts]);
    },
  },
];

export const NEVER_OPEN: Scenarios = [...REFUSED, ...LATE, ...GIVEN_UP];

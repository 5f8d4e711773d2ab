import { attempt, equal, fail, failsWith, throws } from '../../shared/harness/check.ts';
import type { Fact } from '../../shared/harness/facts.ts';
import { show } from '../../shared/harness/show.ts';
import type { Spec } from '../../shared/harness/spec.ts';
import { join, utf8 } from '../../shared/kit/frames.ts';
import { CloseCode, ProtocolError, type Role } from '../../shared/protocol.ts';
import { fromHex, quote } from '../../shared/view/hex.ts';
import type * as Closing from '../../solutions/04-closing/closing.ts';
import { CLOSE_BODIES, NO_WIRE_CODES, WIRE_CODES } from '../vectors/closing.ts';
import { UTF8_GROUPS } from '../vectors/utf8.ts';

type Lesson = typeof Closing;

const NORMAL = fromHex('03 e8');
const NOTHING = new Uint8Array(0);
const TIMEOUT_MS = 5000;

function body({ encodeCloseBody, decodeCloseBody }: Lesson): void {
  for (const { what, wire, expected } of CLOSE_BODIES) {
    const bytes = fromHex(wire);
    const given: Fact[] = [['body', show(bytes)]];
    equal(() => decodeCloseBody(bytes), expected, `Decode ${what}.`, { given });
    const view = join(utf8('before'), bytes).subarray(6);
    equal(() => decodeCloseBody(view), expected, `Decode ${what}, out of a larger buffer.`, {
      given,
    });
    equal(() => encodeCloseBody(expected?.code, expected?.reason), bytes, `Encode ${what}.`, {
      given: [['called with', show([expected?.code, expected?.reason])]],
    });
  }
  equal(
    () => encodeCloseBody(0),
    Uint8Array.of(0, 0),
    'Encode the code 0: it is not the same as no code. Whether it may travel is for step 2.',
  );
  failsWith(1002, () => decodeCloseBody(Uint8Array.of(3)), 'Refuse a single byte: half a code.');
  for (const { id, what, invalid } of UTF8_GROUPS) {
    for (const [i, hex] of invalid.entries()) {
      const bytes = join(NORMAL, fromHex(hex));
      failsWith(
        1007,
        () => decodeCloseBody(bytes),
        `Refuse a reason that is not UTF-8: ${what} (${id}, ${i + 1}).`,
        { given: [['body', show(bytes)]] },
      );
    }
  }
  equal(
    () => decodeCloseBody(fromHex('03 e8 ef bb bf 62 6f 6d')),
    { code: 1000, reason: '\ufeffbom' },
    'A U+FEFF at the start is text like any other.',
  );
  throws(TypeError, () => encodeCloseBody(undefined, 'why'), 'Refuse a reason without a code.');
}

function codes({ isWireCode }: Lesson): void {
  for (const [code, why] of NO_WIRE_CODES) {
    equal(() => isWireCode(code), false, `Say no to ${code}: ${why}.`);
  }
  for (const code of WIRE_CODES) {
    equal(() => isWireCode(code), true, `${code} may travel.`);
  }
  for (const code of [Number.NaN, 1000.5, -1000, Number.POSITIVE_INFINITY]) {
    equal(() => isWireCode(code), false, `${code} is no code at all.`);
  }
  for (let code = 0; code < 5100; code++) {
    const application = code >= 3000 && code < 5000;
    const standard = code >= 1000 && code < 1015 && ![1004, 1005, 1006].includes(code);
    equal(() => isWireCode(code), application || standard, `Say whether ${code} may travel.`);
  }
}

function reasons({ truncateReason, encodeCloseBody, MAX_REASON_BYTES }: Lesson): void {
  equal(() => MAX_REASON_BYTES, 123, 'A control frame has 125 bytes, and the code takes two.');
  const cases: [reason: string, fits: string][] = [
    ['', ''],
    ['bye', 'bye'],
    ['x'.repeat(123), 'x'.repeat(123)],
    ['x'.repeat(124), 'x'.repeat(123)],
    ['é'.repeat(61), 'é'.repeat(61)],
    ['é'.repeat(62), 'é'.repeat(61)],
    ['€'.repeat(41), '€'.repeat(41)],
    ['€'.repeat(42), '€'.repeat(41)],
    ['😀'.repeat(30), '😀'.repeat(30)],
    ['😀'.repeat(31), '😀'.repeat(30)],
    [`x${'😀'.repeat(31)}`, `x${'😀'.repeat(30)}`],
    [`${'x'.repeat(122)}é`, 'x'.repeat(122)],
    [`${'x'.repeat(121)}é`, `${'x'.repeat(121)}é`],
    [`${'x'.repeat(122)}éx`, 'x'.repeat(122)],
  ];
  for (const [reason, fits] of cases) {
    const size = `${reason.length} in \`length\`, ${utf8(reason).length} bytes`;
    equal(
      () => truncateReason(reason),
      fits,
      'Keep as much of the reason as fits into 123 bytes, in whole characters.',
      {
        given: [['reason', `${quote(reason.slice(0, 12))}… ${size}`]],
        cause: (actual) => reasonMistake(actual, fits),
      },
    );
    equal(
      () => encodeCloseBody(1000, fits),
      join(NORMAL, utf8(fits)),
      'Encode a reason that fits.',
    );
  }
  for (const reason of ['x'.repeat(124), 'é'.repeat(62), '😀'.repeat(31)]) {
    throws(RangeError, () => encodeCloseBody(1000, reason), 'Refuse a reason that does not fit.', {
      given: [['reason', `${reason.length} in \`length\`, ${utf8(reason).length} bytes`]],
    });
  }
}

function reasonMistake(actual: unknown, fits: string): string | undefined {
  if (typeof actual !== 'string') return undefined;
  if (/\ufffd/.test(actual) || !actual.isWellFormed()) return 'It was cut inside a character.';
  const size = utf8(actual).length;
  if (size > 123) return `Yours has ${size} bytes of UTF-8. The code takes two of the 125.`;
  return fits.startsWith(actual) ? `Yours has ${size} bytes: more would fit.` : undefined;
}

/** A clock that the check sets. */
function clock() {
  let ms = 1_000_000;
  return { now: () => ms, advance: (by: number) => (ms += by) };
}

function open({ ClosingHandshake }: Lesson, role: Role = 'server', now = clock().now) {
  return new ClosingHandshake(role, TIMEOUT_MS, now);
}

/** The table of RFC 6455 §7.1, as the lesson draws it. */
const TRANSITIONS: readonly (readonly [Closing.State, Closing.ClosingEvent, Closing.State])[] = [
  ['OPEN', 'close', 'CLOSE_SENT'],
  ['OPEN', 'receiveClose', 'HANGING_UP'],
  ['OPEN', 'fail', 'HANGING_UP'],
  ['OPEN', 'disconnect', 'CLOSED'],
  ['CLOSE_SENT', 'receiveClose', 'HANGING_UP'],
  ['CLOSE_SENT', 'fail', 'HANGING_UP'],
  ['CLOSE_SENT', 'timeout', 'CLOSED'],
  ['CLOSE_SENT', 'disconnect', 'CLOSED'],
  ['HANGING_UP', 'timeout', 'CLOSED'],
  ['HANGING_UP', 'disconnect', 'CLOSED'],
];

/** What to think of when the wrong things are to be done. */
function actionMistake(actual: unknown, expected: readonly Closing.Action[]): string | undefined {
  if (!Array.isArray(actual))
    return 'The actions are a list, an empty one when there is nothing to do.';
  const types = (actions: readonly Closing.Action[]) => actions.map((action) => action?.type);
  const [mine, right] = [types(actual), types(expected)];
  if (right.includes('sendClose') && !mine.includes('sendClose')) {
    return 'A Close is missing: a side that has not sent its own sends it now.';
  }
  if (!right.includes('sendClose') && mine.includes('sendClose')) {
    return 'Each side sends one Close, and ours is out already.';
  }
  if (right.includes('hangUp') && !mine.includes('hangUp')) {
    return 'Both Closes have passed: the server ends the TCP connection, at once.';
  }
  if (!right.includes('hangUp') && mine.includes('hangUp')) {
    return 'It is not our turn to hang up: a client leaves that to the server, and before the peer has said Close, nobody does.';
  }
  return undefined;
}

function states(lesson: Lesson): void {
  const all: Closing.State[] = ['OPEN', 'CLOSE_SENT', 'HANGING_UP', 'CLOSED'];
  const events: Closing.ClosingEvent[] = ['close', 'receiveClose', 'fail', 'timeout', 'disconnect'];
  for (const state of all) {
    for (const event of events) {
      const row = TRANSITIONS.find(([from, cause]) => from === state && cause === event);
      const what = row
        ? `In ${state}, ${event} leads to ${row[2]}.`
        : `In ${state}, ${event} means nothing.`;
      equal(() => lesson.nextState(state, event), row?.[2], what);
    }
  }

  const conversation = (
    what: string,
    role: Role,
    events: readonly [
      event: string,
      act: (it: Closing.ClosingHandshake) => unknown,
      expected: readonly Closing.Action[],
      state: Closing.State,
    ][],
  ) => {
    const handshake = open(lesson, role);
    const told: string[] = [];
    equal(() => handshake.state, 'OPEN', 'A connection starts OPEN.');
    for (const [event, act, expected, state] of events) {
      const given: Fact[] = [
        ['we are', `the ${role}`],
        ['before', told.join(', ') || 'nothing'],
        ['now', event],
      ];
      equal(() => act(handshake) ?? [], expected, `${what}: ${event}.`, {
        given,
        cause: (actual) => actionMistake(actual, expected),
      });
      equal(() => handshake.state, state, `${what}: the state after ${event}.`, { given });
      told.push(event);
    }
  };
  const send = (body: Uint8Array): Closing.Action => ({ type: 'sendClose', body });
  const hangUp: Closing.Action = { type: 'hangUp' };
  const gone = [
    'the TCP connection ends',
    (it: Closing.ClosingHandshake) => it.disconnect(),
    [],
    'CLOSED',
  ] as const;

  conversation('The client starts', 'server', [
    ['Close 1000 comes in', (it) => it.receiveClose(NORMAL), [send(NORMAL), hangUp], 'HANGING_UP'],
    ['another Close comes in', (it) => it.receiveClose(NORMAL), [], 'HANGING_UP'],
    ['the application closes', (it) => it.close(), [], 'HANGING_UP'],
    [...gone],
    ['the application closes again', (it) => it.close(), [], 'CLOSED'],
  ]);
  conversation('We start', 'server', [
    ['the application closes', (it) => it.close(), [send(NORMAL)], 'CLOSE_SENT'],
    ['the application closes again', (it) => it.close(1001), [], 'CLOSE_SENT'],
    ['Close 1000 comes in', (it) => it.receiveClose(NORMAL), [hangUp], 'HANGING_UP'],
    [...gone],
  ]);
  conversation('We start, with a code and a reason', 'server', [
    [
      'the application closes with 4000 "bye"',
      (it) => it.close(4000, 'bye'),
      [send(fromHex('0f a0 "bye"'))],
      'CLOSE_SENT',
    ],
    ['an empty Close comes in', (it) => it.receiveClose(NOTHING), [hangUp], 'HANGING_UP'],
  ]);
  conversation('An empty Close', 'server', [
    [
      'an empty Close comes in',
      (it) => it.receiveClose(NOTHING),
      [send(NOTHING), hangUp],
      'HANGING_UP',
    ],
  ]);
  conversation('The same code goes back', 'server', [
    [
      'Close 4999 "bye" comes in',
      (it) => it.receiveClose(fromHex('13 87 "bye"')),
      [send(fromHex('13 87')), hangUp],
      'HANGING_UP',
    ],
  ]);
  conversation('A client leaves it to the server to hang up', 'client', [
    ['Close 1000 comes in', (it) => it.receiveClose(NORMAL), [send(NORMAL)], 'HANGING_UP'],
    [...gone],
  ]);
  conversation('A client starts', 'client', [
    ['the application closes', (it) => it.close(), [send(NORMAL)], 'CLOSE_SENT'],
    ['Close 1000 comes in', (it) => it.receiveClose(NORMAL), [], 'HANGING_UP'],
    [...gone],
  ]);
  conversation('The connection breaks', 'server', [[...gone]]);

  for (const [code, why] of NO_WIRE_CODES) {
    const handshake = open(lesson);
    throws(RangeError, () => handshake.close(code), `Refuse to close with ${code}: ${why}.`);
    equal(() => handshake.state, 'OPEN', 'A refused call changes nothing.');
  }
  const wordy = open(lesson);
  throws(RangeError, () => wordy.close(1000, 'é'.repeat(62)), 'Refuse a reason of 124 bytes.');
  equal(() => wordy.state, 'OPEN', 'A refused call changes nothing.');
}

function listens(it: Closing.ClosingHandshake, expected: boolean, what: string): void {
  equal(() => it.isListening, expected, what, {
    given: [['state', it.state]],
    label: '`isListening` is',
  });
}

function failing(lesson: Lesson): void {
  const cases: [error: unknown, code: number][] = [
    [new ProtocolError(1002, '5.2', 'An RSV bit is set.'), 1002],
    [new ProtocolError(1007, '8.1', 'Not UTF-8.'), 1007],
    [new ProtocolError(1009, '10.4', 'Too large.'), 1009],
    [new ProtocolError(1003, '7.4.1', 'No binary here.'), 1003],
    [new TypeError('a bug of ours'), 1011],
    ['not even an Error', 1011],
    [undefined, 1011],
  ];
  for (const [error, code] of cases) {
    const given: Fact[] = [['error', show(error)]];
    equal(() => lesson.closeCodeFor(error), code, 'Each error has its code.', { given });

    const client = open(lesson, 'client');
    equal(
      () => client.fail(error).map(({ type }) => type),
      ['sendClose', 'hangUp'],
      'A client, too, hangs up on a peer that breaks the rules.',
      { given },
    );
    const handshake = open(lesson);
    listens(handshake, true, 'An open connection listens.');
    const actions = attempt(() => handshake.fail(error), 'Fail the connection.', given);
    equal(
      () => actions.map(({ type }) => type),
      ['sendClose', 'hangUp'],
      'Say why, then hang up; do not wait for an answer.',
      { given },
    );
    const [first] = actions;
    const sent = first?.type === 'sendClose' ? first.body : NOTHING;
    equal(() => sent.slice(0, 2), Uint8Array.of(code >> 8, code & 255), 'The Close has the code.', {
      given: [...given, ['close body', show(sent)]],
    });
    if (code === CloseCode.InternalError && sent.length > 2) {
      fail('Our own bugs are not the business of the peer: send no reason with 1011.', [
        ...given,
        ['close body', show(sent)],
      ]);
    }
    equal(() => handshake.state, 'HANGING_UP', 'A failed connection is over.', { given });
    listens(handshake, false, 'What comes after a failure does not count.');
    equal(() => handshake.fail(error), [], 'A connection fails once.', { given });
    equal(() => handshake.receiveClose(NORMAL), [], 'The answer to our Close is not waited for.');
    equal(() => handshake.close(), [], 'There is nothing left to close.');
  }

  const long = new ProtocolError(1002, '5.2', '€'.repeat(100));
  const [told] = attempt(
    () => open(lesson).fail(long),
    'Fail with an error whose message is longer than a reason may be: shorten it.',
    [['message', `${utf8(long.message).length} bytes`]],
  );
  if (told?.type === 'sendClose' && told.body.length > 125) {
    fail('A Close has at most 125 bytes, however long the message of the error is.', [
      ['close body', `${told.body.length} bytes`],
    ]);
  }

  const late = open(lesson);
  late.close();
  listens(late, true, 'After our own Close we still listen for theirs.');
  equal(
    () => late.fail(new ProtocolError(1002, '5.2', 'x')),
    [{ type: 'hangUp' }],
    'A Close is sent once: after our own, just hang up.',
  );

  const illegal: [what: string, body: Uint8Array, code: number][] = [
    ['half a code', Uint8Array.of(3), 1002],
    ['a reason that is not UTF-8', fromHex('03 e8 ff'), 1007],
    ...NO_WIRE_CODES.map(([code]): [string, Uint8Array, number] => [
      `the code ${code}`,
      Uint8Array.of(code >> 8, code & 255),
      1002,
    ]),
  ];
  for (const [what, payload, code] of illegal) {
    const closing = open(lesson);
    closing.close();
    equal(() => closing.receiveClose(payload), [{ type: 'hangUp' }], `Hang up at ${what}.`);
    equal(() => closing.state, 'HANGING_UP', `After our own Close, too, ${what} is the end.`);

    const handshake = open(lesson);
    const received: Fact = ['close body', show(payload)];
    const actions = attempt(() => handshake.receiveClose(payload), `Fail at ${what}.`, [received]);
    const given: Fact[] = [received, ['actions', show(actions)]];
    const [first, second] = actions;
    const sent = first?.type === 'sendClose' ? first.body.slice(0, 2) : NOTHING;
    equal(() => sent, Uint8Array.of(code >> 8, code & 255), `Fail with ${code} at ${what}.`, {
      given,
    });
    if (first?.type === 'sendClose' && first.body.length === 2) {
      fail(
        'A Close that refuses something says why.',
        given,
        'The reason is the message of the error.',
      );
    }
    equal(() => second, { type: 'hangUp' }, `Hang up at ${what}.`, { given });
  }
}

function results(lesson: Lesson): void {
  const ends = (
    what: string,
    act: (it: Closing.ClosingHandshake) => void,
    expected: Closing.CloseResult,
  ) => {
    for (const role of ['server', 'client'] as const) {
      const handshake = open(lesson, role);
      equal(() => handshake.result, undefined, 'An open connection has not ended.');
      act(handshake);
      equal(() => handshake.result, undefined, 'It ends when the TCP connection does, not before.');
      handshake.disconnect();
      equal(() => handshake.result, expected, `${what}.`, { given: [['we are', `the ${role}`]] });
    }
  };
  const clean = (code: number, reason = '') => ({ code, reason, wasClean: true });
  const abnormal = { code: 1006, reason: '', wasClean: false };

  ends('The peer said 1000', (it) => it.receiveClose(NORMAL), clean(1000));
  ends('The peer said why', (it) => it.receiveClose(fromHex('0f a0 "bye"')), clean(4000, 'bye'));
  ends(
    'The peer said 1006, which cannot be said',
    (it) => it.receiveClose(fromHex('03 ee')),
    abnormal,
  );
  ends('The peer gave no code', (it) => it.receiveClose(NOTHING), clean(1005));
  ends(
    'We started; the code is the one the peer sent',
    (it) => {
      it.close(4000, 'ours');
      it.receiveClose(fromHex('03 e9'));
    },
    clean(1001),
  );
  ends(
    'The first Close counts',
    (it) => {
      it.receiveClose(fromHex('03 e9'));
      it.receiveClose(NORMAL);
    },
    clean(1001),
  );
  ends('The connection just broke', () => {}, abnormal);
  ends('Our Close was never answered', (it) => it.close(), abnormal);
  ends(
    'It failed, and no Close of the peer counts',
    (it) => {
      it.fail(new ProtocolError(1002, '5.2', 'x'));
      it.receiveClose(fromHex('03 ea'));
    },
    abnormal,
  );
  ends('The Close was illegal', (it) => it.receiveClose(fromHex('03 ed')), abnormal);

  // A Buffer, as sockets give them: its `slice` is no copy.
  const reused = Buffer.from(fromHex('0f a0 "bye"'));
  const handshake = open(lesson);
  handshake.receiveClose(reused);
  reused.fill(0x41);
  handshake.disconnect();
  equal(
    () => handshake.result,
    clean(4000, 'bye'),
    'Copy what you keep: the payload was overwritten.',
  );
}

function timeouts(lesson: Lesson): void {
  const time = clock();
  const waiting = open(lesson, 'server', time.now);
  equal(() => waiting.deadline, undefined, 'An open connection waits for nothing.');
  time.advance(60_000);
  equal(() => waiting.checkDeadline(), [], 'An open connection may be silent for long.');
  waiting.close();
  equal(
    () => waiting.deadline,
    time.now() + TIMEOUT_MS,
    'The clock starts when our Close is sent.',
  );
  time.advance(TIMEOUT_MS - 1);
  equal(() => waiting.checkDeadline(), [], 'One millisecond is left.');
  equal(() => waiting.state, 'CLOSE_SENT', 'One millisecond is left.');
  time.advance(1);
  equal(() => waiting.checkDeadline(), [{ type: 'destroy' }], 'The peer never answered our Close.');
  equal(() => waiting.state, 'CLOSED', 'Giving up ends the connection.');
  equal(() => waiting.deadline, undefined, 'Nothing is waited for any more.');
  equal(() => waiting.checkDeadline(), [], 'Give up once.');
  equal(() => waiting.result, { code: 1006, wasClean: false }, 'That was no clean end.');

  const hanging = open(lesson, 'client', time.now);
  hanging.close();
  time.advance(TIMEOUT_MS - 1);
  hanging.receiveClose(NORMAL);
  equal(
    () => hanging.deadline,
    time.now() + TIMEOUT_MS,
    'To hang up, the peer has the whole time again.',
  );
  time.advance(TIMEOUT_MS);
  equal(() => hanging.checkDeadline(), [{ type: 'destroy' }], 'The peer never hung up.');
  equal(
    () => hanging.result,
    { code: 1000, wasClean: true },
    'Both had said Close: that was clean.',
  );

  const failed = open(lesson, 'server', time.now);
  failed.fail(new ProtocolError(1002, '5.2', 'x'));
  time.advance(TIMEOUT_MS);
  equal(
    () => failed.checkDeadline(),
    [{ type: 'destroy' }],
    'A failed connection is not kept for ever.',
  );

  const polite = open(lesson, 'server', time.now);
  polite.receiveClose(NORMAL);
  polite.disconnect();
  equal(() => polite.deadline, undefined, 'The peer has gone in time.');
  time.advance(TIMEOUT_MS * 2);
  equal(() => polite.checkDeadline(), [], 'The peer has gone in time.');
}

export const spec: Spec<Lesson> = {
  lesson: '04-closing',
  steps: [
    {
      title: 'The close body',
      section: '5.5.1',
      scenarios: [{ what: 'The close body', rules: [94, 138], check: body }],
    },
    {
      title: 'Codes that may travel',
      section: '7.4',
      scenarios: [{ what: 'Codes that may travel', rules: [134, 135, 136, 137], check: codes }],
    },
    {
      title: 'A reason that fits',
      section: '5.5.1',
      scenarios: [{ what: 'A reason that fits', rules: [92], check: reasons }],
    },
    {
      title: 'The closing handshake',
      section: '7.1.2',
      scenarios: [
        {
          what: 'The closing handshake',
          rules: [98, 99, 100, 101, 102, 109, 121, 122, 123, 124, 134, 135, 136, 137],
          check: states,
        },
      ],
    },
    {
      title: 'Failing a connection',
      section: '7.1.7',
      scenarios: [
        { what: 'Failing a connection', rules: [126, 127, 128, 129, 138, 154], check: failing },
      ],
    },
    {
      title: 'Codes that never travel',
      section: '7.1.5',
      scenarios: [{ what: 'Codes that never travel', rules: [124, 125, 134, 135], check: results }],
    },
    {
      title: 'A peer that never answers',
      section: '7.1.1',
      scenarios: [{ what: 'A peer that never answers', rules: [102, 121], check: timeouts }],
    },
  ],
};

/** Lesson 04, steps 6 and 7: how a connection ended, and a peer that never answers. */
import { equal, fail } from '../../../shared/harness/check.ts';
import { same } from '../../../shared/harness/difference.ts';
import type { About, Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import { clock } from '../../../shared/kit/clock.ts';
import { CloseCode, type Role } from '../../../shared/protocol.ts';
import { fromHex } from '../../../shared/view/hex.ts';
import {
  type Action,
  broken,
  type CloseResult,
  type ClosingHandshake,
  codeBytes,
  type Lesson,
  NORMAL,
  NOTHING,
  open,
  type State,
  TIMEOUT_MS,
} from './tools.ts';

const clean = (code: number, reason = ''): CloseResult => ({ code, reason, wasClean: true });
const abnormal = { code: CloseCode.AbnormalClosure, reason: '', wasClean: false };

/** Something that a connection is told. */
type Told = readonly [call: string, act: (handshake: ClosingHandshake) => unknown];

const closes = (code?: number, reason?: string): Told => [
  code === undefined ? 'close()' : `close(${code}, "${reason}")`,
  (handshake) => handshake.close(code, reason),
];
const receives = (body: Uint8Array): Told => [
  `receiveClose(${show(body)})`,
  (handshake) => handshake.receiveClose(body.slice()),
];
const breaks: Told = [`fail(${show(broken())})`, (handshake) => handshake.fail(broken())];

/** When there is a result, and what stands for the code of the peer where it has sent none. */
function endMistake(right: CloseResult | undefined): string | undefined {
  if (right === undefined) return 'There is a result in CLOSED, and in no other state.';
  if (right.code === CloseCode.NoStatusReceived) {
    return 'Without a code in it, the Close of the peer is one all the same: it counts as 1005, and the end was clean.';
  }
  return right.code === CloseCode.AbnormalClosure
    ? 'Without a Close of the peer that counts, the code is 1006, and the end was not clean.'
    : undefined;
}

/** Ends a connection, as server and as client, and asks how it ended. */
function ends(
  what: string,
  rules: readonly number[],
  events: readonly Told[],
  expected: CloseResult,
): Scenario<Lesson> {
  return {
    what: `${what}.`,
    rules,
    check(lesson) {
      for (const role of ['server', 'client'] as const) {
        const handshake = open(lesson, role);
        const calls = events.map(([call]) => call);
        const given = (...all: readonly string[]): Fact[] => [
          ['we are', `the ${role}`],
          ['calls', all.join(', ') || 'none'],
        ];
        const result = (right: CloseResult | undefined, told: string, all: readonly string[]) =>
          equal(() => handshake.result, right, told, {
            given: given(...all),
            label: 'result is',
            cause: () => endMistake(right),
          });
        result(undefined, 'An open connection has not ended.', []);
        for (const [, act] of events) act(handshake);
        result(undefined, 'It ends when the TCP connection does, not before.', calls);
        handshake.disconnect();
        result(expected, `${what}.`, [...calls, 'disconnect()']);
      }
    },
  };
}

/** Overwrites the payload of a Close before the end is asked for. */
function isCopied(lesson: Lesson, payload: Uint8Array, kind: string, cause?: string): void {
  const handshake = open(lesson);
  handshake.receiveClose(payload);
  payload.fill(0x41);
  handshake.disconnect();
  const what = 'Copy what you keep: the payload was overwritten.';
  equal(() => handshake.result, clean(4000, 'bye'), what, {
    given: [
      ['calls', 'receiveClose(0f a0 "bye"), disconnect()'],
      ['the payload', `${kind}, overwritten with "A" between the calls`],
    ],
    label: 'result is',
    cause: () => cause,
  });
}

/** Step 6 · Codes that never travel. */
export const results: readonly Scenario<Lesson>[] = [
  ends('The peer said 1000', [124, 125], [receives(NORMAL)], clean(CloseCode.NormalClosure)),
  ends('The peer said why', [125], [receives(fromHex('0f a0 "bye"'))], clean(4000, 'bye')),
  {
    what: 'Each connection has an end of its own.',
    rules: [125],
    check(lesson) {
      const [first, second] = [open(lesson), open(lesson)];
      first.receiveClose(fromHex('0f a0 "bye"'));
      second.disconnect();
      const { result } = second;
      // Whatever else is wrong with it is told below.
      if (result?.code !== 4000) return;
      fail(
        'Each connection has an end of its own.',
        [
          ['calls', 'first.receiveClose(0f a0 "bye"), second.disconnect()'],
          ['second.result is', show(result)],
          ['expected', show(abnormal)],
        ],
        'That is what the peer of the other connection said. Keep it in the object, not beside it.',
      );
    },
  },
  ends('The connection just broke', [124, 125], [], abnormal),
  ends(
    'The peer said 1006, which may not travel',
    [135],
    [receives(codeBytes(CloseCode.AbnormalClosure))],
    abnormal,
  ),
  ends(
    'The peer gave no code',
    [124, 125, 134],
    [receives(NOTHING)],
    clean(CloseCode.NoStatusReceived),
  ),
  ends(
    'We started; the code is the one the peer sent',
    [124, 125],
    [closes(4000, 'ours'), receives(codeBytes(CloseCode.GoingAway))],
    clean(CloseCode.GoingAway),
  ),
  ends(
    'The first Close counts',
    [125],
    [receives(codeBytes(CloseCode.GoingAway)), receives(NORMAL)],
    clean(CloseCode.GoingAway),
  ),
  ends('Our Close was never answered', [124, 125], [closes()], abnormal),
  ends(
    'It failed, and no Close of the peer counts',
    [125],
    [breaks, receives(codeBytes(CloseCode.ProtocolError))],
    abnormal,
  ),
  ends('The Close was illegal', [134], [receives(codeBytes(CloseCode.NoStatusReceived))], abnormal),
  {
    what: 'Copy what you keep.',
    rules: [],
    check(lesson) {
      const body = fromHex('0f a0 "bye"');
      isCopied(lesson, body.slice(), 'a Uint8Array');
      const cause =
        'Of a Uint8Array it works. `slice` of a Buffer copies nothing: `new Uint8Array` of it does.';
      isCopied(lesson, Buffer.from(body), 'a Buffer, as sockets give them', cause);
    },
  },
];

/** A connection that has been open for a minute, its clock, and what it has been told when. */
class OpenForAMinute {
  readonly handshake: ClosingHandshake;
  readonly #time = clock();
  readonly #openedAt = this.#time.now();
  readonly #calls: string[] = [];

  constructor(lesson: Lesson, role?: Role) {
    this.handshake = open(lesson, role, this.#time.now);
    this.#time.advance(60_000);
  }

  get now(): number {
    return this.#time.now();
  }

  /** Tells it what happens, and notes when. */
  is(...[call, act]: Told): void {
    this.#calls.push(`${call} at ${this.now}`);
    act(this.handshake);
  }

  after(ms: number): void {
    this.#time.advance(ms);
  }

  /** Everything that a deadline is made of. */
  #about(label: string): About {
    const given: Fact[] = [
      ['calls', this.#calls.join(', ') || 'none'],
      ['clock', `${this.now}; timeoutMs is ${TIMEOUT_MS}`],
    ];
    return { given, label };
  }

  expectsDeadline(deadline: number | undefined, what: string): void {
    equal(() => this.handshake.deadline, deadline, what, {
      ...this.#about('deadline is'),
      cause: (actual) => (deadline === undefined ? undefined : this.#deadlineMistake(actual)),
    });
  }

  #deadlineMistake(actual: unknown): string | undefined {
    if (actual === this.#openedAt + TIMEOUT_MS) {
      return 'It counts from when the connection was opened, and not from when the wait began.';
    }
    return actual === undefined
      ? `In ${this.handshake.state}, something is waited for: there is a deadline.`
      : undefined;
  }

  expectsState(state: State, what: string): void {
    equal(() => this.handshake.state, state, what, this.#about('state is'));
  }

  expectsResult(result: CloseResult, what: string): void {
    equal(() => this.handshake.result, result, what, this.#about('result is'));
  }

  expectsAtCheck(actions: readonly Action[], what: string): void {
    const { handshake } = this;
    equal(() => handshake.checkDeadline(), actions, what, {
      ...this.#about('checkDeadline() returns'),
      cause: () => (actions.length > 0 ? this.#lateMistake(actions) : undefined),
    });
  }

  /** Asks again, a moment later. */
  #lateMistake(actions: readonly Action[]): string | undefined {
    this.after(1);
    return same(this.handshake.checkDeadline(), actions)
      ? 'It came a millisecond later. The time is up at the deadline, not only after it.'
      : undefined;
  }
}

const destroy: Action = { type: 'destroy' };
const gone: Told = ['disconnect()', (handshake) => handshake.disconnect()];

function after(
  what: string,
  rules: readonly number[],
  play: (connection: OpenForAMinute, what: string) => void,
  role?: Role,
): Scenario<Lesson> {
  return { what, rules, check: (lesson) => play(new OpenForAMinute(lesson, role), what) };
}

/** Begins with a clock at this time, and closes at once. */
function startsAt(start: number): Scenario<Lesson> {
  const what = `A clock can begin at ${start}.`;
  return {
    what,
    rules: [121],
    check(lesson) {
      let now = start;
      const handshake = open(lesson, 'server', () => now);
      const about = (label: string): About => ({
        given: [
          ['calls', `close() at ${start}`],
          ['clock', `${now}; timeoutMs is ${TIMEOUT_MS}`],
        ],
        label,
        cause: () => (start * (start + TIMEOUT_MS) === 0 ? ZERO : undefined),
      });
      handshake.close();
      const deadline = start + TIMEOUT_MS;
      equal(() => handshake.deadline, deadline, what, about('deadline is'));
      now = deadline;
      const returns = about('checkDeadline() returns');
      equal(() => handshake.checkDeadline(), [destroy], what, returns);
    },
  };
}

const ZERO =
  'Is a number asked whether it is true? 0 is a time like any other. Ask whether it is `undefined`.';

/** Step 7 · A peer that never answers. */
export const timeouts: readonly Scenario<Lesson>[] = [
  after('An open connection waits for nothing.', [], (connection, what) => {
    connection.expectsDeadline(undefined, what);
    connection.expectsAtCheck([], 'An open connection can be silent for long.');
  }),
  after('The clock starts when our Close is sent.', [121], (connection, what) => {
    connection.is(...closes());
    connection.expectsDeadline(connection.now + TIMEOUT_MS, what);
  }),
  after('One millisecond is left.', [121], (connection, what) => {
    connection.is(...closes());
    connection.after(TIMEOUT_MS - 1);
    connection.expectsAtCheck([], what);
    connection.expectsState('CLOSE_SENT', what);
  }),
  after('The peer never answered our Close.', [102], (connection, what) => {
    connection.is(...closes());
    connection.after(TIMEOUT_MS - 1);
    connection.expectsAtCheck([], 'One millisecond is left.');
    connection.after(1);
    connection.expectsAtCheck([destroy], `${what} At the deadline, the time is up.`);
    connection.expectsState('CLOSED', 'Giving up ends the connection.');
    connection.expectsResult(abnormal, 'That was no clean end.');
  }),
  after('Give up once.', [], (connection, what) => {
    connection.is(...closes());
    connection.after(TIMEOUT_MS);
    connection.is('checkDeadline()', (handshake) => handshake.checkDeadline());
    connection.expectsDeadline(undefined, 'Nothing is waited for any more.');
    connection.expectsAtCheck([], what);
  }),
  {
    what: 'Each connection has a clock of its own.',
    rules: [121],
    check(lesson) {
      const { now, advance } = clock();
      const [first, second] = [open(lesson, 'server', now), open(lesson, 'server', now)];
      const start = now();
      first.close();
      advance(1000);
      second.close();
      equal(() => first.deadline, start + TIMEOUT_MS, 'Each connection has a clock of its own.', {
        given: [
          ['calls', `first.close() at ${start}, second.close() at ${now()}`],
          ['clock', `${now()}; timeoutMs is ${TIMEOUT_MS}`],
        ],
        label: 'first.deadline is',
        cause: (actual) =>
          actual === now() + TIMEOUT_MS
            ? 'That is when we stop waiting for the other one. Keep the time in the object, not beside it.'
            : undefined,
      });
    },
  },
  after(
    'To close TCP, the peer has the whole time again.',
    [121],
    (connection, what) => {
      connection.is(...closes());
      connection.after(TIMEOUT_MS - 1);
      connection.is(...receives(NORMAL));
      connection.expectsDeadline(connection.now + TIMEOUT_MS, what);
    },
    'client',
  ),
  after(
    'The peer never closed TCP.',
    [102],
    (connection, what) => {
      connection.is(...closes());
      connection.after(TIMEOUT_MS - 1);
      connection.is(...receives(NORMAL));
      connection.after(TIMEOUT_MS);
      connection.expectsAtCheck([destroy], what);
      const result = clean(CloseCode.NormalClosure);
      connection.expectsResult(result, 'Both had said Close: that was clean.');
    },
    'client',
  ),
  after('A failed connection is not kept for ever.', [102], (connection, what) => {
    connection.is(...breaks);
    connection.after(TIMEOUT_MS);
    connection.expectsAtCheck([destroy], what);
  }),
  ...[0, -TIMEOUT_MS, 0.25, 2 ** 40].map(startsAt),
  {
    what: 'A timeout of 0 is one: nobody is waited for.',
    rules: [121],
    check({ ClosingHandshake }) {
      const handshake = new ClosingHandshake('server', 0, () => 7);
      handshake.close();
      const what = 'A timeout of 0 is one: nobody is waited for.';
      equal(() => handshake.deadline, 7, what, {
        given: [
          ['calls', "new ClosingHandshake('server', 0, now), close()"],
          ['clock', '7; timeoutMs is 0'],
        ],
        label: 'deadline is',
        cause: (deadline) =>
          typeof deadline === 'number' ? 'Is there a `||`? It takes 0 for nothing given.' : ZERO,
      });
    },
  },
  after('The peer has gone in time.', [121], (connection, what) => {
    connection.is(...receives(NORMAL));
    connection.is(...gone);
    connection.expectsDeadline(undefined, what);
    connection.after(TIMEOUT_MS * 2);
    connection.expectsAtCheck([], what);
  }),
];

/** Lesson 04, steps 6 and 7: how a connection ended, and a peer that never answers. */
import { equal } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import { CloseCode, type Role } from '../../../shared/protocol.ts';
import { fromHex } from '../../../shared/view/hex.ts';
import {
  broken,
  type CloseResult,
  type ClosingHandshake,
  clock,
  codeBytes,
  type Lesson,
  NORMAL,
  NOTHING,
  open,
  TIMEOUT_MS,
} from './tools.ts';

const clean = (code: number, reason = ''): CloseResult => ({ code, reason, wasClean: true });
const abnormal = { code: CloseCode.AbnormalClosure, reason: '', wasClean: false };

/** Ends a connection, as server and as client, and asks how it ended. */
function ends(
  what: string,
  rules: readonly number[],
  act: (handshake: ClosingHandshake) => void,
  expected: CloseResult,
): Scenario<Lesson> {
  return {
    what: `${what}.`,
    rules,
    check(lesson) {
      for (const role of ['server', 'client'] as const) {
        const handshake = open(lesson, role);
        equal(() => handshake.result, undefined, 'An open connection has not ended.');
        act(handshake);
        const early = 'It ends when the TCP connection does, not before.';
        equal(() => handshake.result, undefined, early);
        handshake.disconnect();
        const given: Fact[] = [['we are', `the ${role}`]];
        equal(() => handshake.result, expected, `${what}.`, { given });
      }
    },
  };
}

/** Step 6 · Codes that never travel. */
export const results: readonly Scenario<Lesson>[] = [
  ends(
    'The peer said 1000',
    [124, 125],
    (handshake) => handshake.receiveClose(NORMAL),
    clean(CloseCode.NormalClosure),
  ),
  ends(
    'The peer said why',
    [125],
    (handshake) => handshake.receiveClose(fromHex('0f a0 "bye"')),
    clean(4000, 'bye'),
  ),
  ends(
    'The peer said 1006, which cannot be said',
    [135],
    (handshake) => handshake.receiveClose(codeBytes(CloseCode.AbnormalClosure)),
    abnormal,
  ),
  ends(
    'The peer gave no code',
    [124, 125, 134],
    (handshake) => handshake.receiveClose(NOTHING),
    clean(CloseCode.NoStatusReceived),
  ),
  ends(
    'We started; the code is the one the peer sent',
    [124, 125],
    (handshake) => {
      handshake.close(4000, 'ours');
      handshake.receiveClose(codeBytes(CloseCode.GoingAway));
    },
    clean(CloseCode.GoingAway),
  ),
  ends(
    'The first Close counts',
    [125],
    (handshake) => {
      handshake.receiveClose(codeBytes(CloseCode.GoingAway));
      handshake.receiveClose(NORMAL);
    },
    clean(CloseCode.GoingAway),
  ),
  ends('The connection just broke', [124, 125], () => {}, abnormal),
  ends('Our Close was never answered', [124, 125], (handshake) => handshake.close(), abnormal),
  ends(
    'It failed, and no Close of the peer counts',
    [125],
    (handshake) => {
      handshake.fail(broken());
      handshake.receiveClose(codeBytes(CloseCode.ProtocolError));
    },
    abnormal,
  ),
  ends(
    'The Close was illegal',
    [134],
    (handshake) => handshake.receiveClose(codeBytes(CloseCode.NoStatusReceived)),
    abnormal,
  ),
  {
    what: 'Copy what you keep.',
    rules: [],
    check(lesson) {
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
    },
  },
];

/** A connection that has been open for a minute, and its clock. */
function openForAMinute(lesson: Lesson, role?: Role) {
  const time = clock();
  const handshake = open(lesson, role, time.now);
  time.advance(60_000);
  return { handshake, time };
}

const destroy = { type: 'destroy' };

/** Step 7 · A peer that never answers. */
export const timeouts: readonly Scenario<Lesson>[] = [
  {
    what: 'An open connection waits for nothing.',
    rules: [],
    check(lesson) {
      const { handshake } = openForAMinute(lesson);
      equal(() => handshake.deadline, undefined, 'An open connection waits for nothing.');
      equal(() => handshake.checkDeadline(), [], 'An open connection may be silent for long.');
    },
  },
  {
    what: 'The clock starts when our Close is sent.',
    rules: [121],
    check(lesson) {
      const { handshake, time } = openForAMinute(lesson);
      handshake.close();
      const deadline = time.now() + TIMEOUT_MS;
      equal(() => handshake.deadline, deadline, 'The clock starts when our Close is sent.');
    },
  },
  {
    what: 'One millisecond is left.',
    rules: [121],
    check(lesson) {
      const { handshake, time } = openForAMinute(lesson);
      handshake.close();
      time.advance(TIMEOUT_MS - 1);
      equal(() => handshake.checkDeadline(), [], 'One millisecond is left.');
      equal(() => handshake.state, 'CLOSE_SENT', 'One millisecond is left.');
    },
  },
  {
    what: 'The peer never answered our Close.',
    rules: [102],
    check(lesson) {
      const { handshake, time } = openForAMinute(lesson);
      handshake.close();
      time.advance(TIMEOUT_MS - 1);
      equal(() => handshake.checkDeadline(), [], 'One millisecond is left.');
      time.advance(1);
      equal(() => handshake.checkDeadline(), [destroy], 'The peer never answered our Close.');
      equal(() => handshake.state, 'CLOSED', 'Giving up ends the connection.');
      equal(() => handshake.result, abnormal, 'That was no clean end.');
    },
  },
  {
    what: 'Give up once.',
    rules: [],
    check(lesson) {
      const { handshake, time } = openForAMinute(lesson);
      handshake.close();
      time.advance(TIMEOUT_MS);
      handshake.checkDeadline();
      equal(() => handshake.deadline, undefined, 'Nothing is waited for any more.');
      equal(() => handshake.checkDeadline(), [], 'Give up once.');
    },
  },
  {
    what: 'To hang up, the peer has the whole time again.',
    rules: [121],
    check(lesson) {
      const { handshake, time } = openForAMinute(lesson, 'client');
      handshake.close();
      time.advance(TIMEOUT_MS - 1);
      handshake.receiveClose(NORMAL);
      const deadline = time.now() + TIMEOUT_MS;
      equal(() => handshake.deadline, deadline, 'To hang up, the peer has the whole time again.');
    },
  },
  {
    what: 'The peer never hung up.',
    rules: [102],
    check(lesson) {
      const { handshake, time } = openForAMinute(lesson, 'client');
      handshake.close();
      time.advance(TIMEOUT_MS - 1);
      handshake.receiveClose(NORMAL);
      time.advance(TIMEOUT_MS);
      equal(() => handshake.checkDeadline(), [destroy], 'The peer never hung up.');
      const result = clean(CloseCode.NormalClosure);
      equal(() => handshake.result, result, 'Both had said Close: that was clean.');
    },
  },
  {
    what: 'A failed connection is not kept for ever.',
    rules: [102],
    check(lesson) {
      const { handshake, time } = openForAMinute(lesson);
      handshake.fail(broken());
      time.advance(TIMEOUT_MS);
      equal(
        () => handshake.checkDeadline(),
        [destroy],
        'A failed connection is not kept for ever.',
      );
    },
  },
  {
    what: 'The peer has gone in time.',
    rules: [121],
    check(lesson) {
      const { handshake, time } = openForAMinute(lesson);
      handshake.receiveClose(NORMAL);
      handshake.disconnect();
      equal(() => handshake.deadline, undefined, 'The peer has gone in time.');
      time.advance(TIMEOUT_MS * 2);
      equal(() => handshake.checkDeadline(), [], 'The peer has gone in time.');
    },
  },
];

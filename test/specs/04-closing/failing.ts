/** Lesson 04, step 5: failing a connection. */
import { attempt, equal, fail } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import { utf8 } from '../../../shared/kit/frames.ts';
import { CloseCode, ProtocolError, type Role } from '../../../shared/protocol.ts';
import { fromHex } from '../../../shared/view/hex.ts';
import { NO_WIRE_CODES } from '../../vectors/closing.ts';
import {
  type Action,
  broken,
  type ClosingHandshake,
  codeBytes,
  type Lesson,
  NORMAL,
  NOTHING,
  open,
} from './tools.ts';

/** What a connection fails with, and the code that reports it. */
type Case = readonly [what: string, error: unknown, code: CloseCode];

const protocolError = (
  code: ProtocolError['closeCode'],
  section: string,
  message: string,
): Case => [`a ProtocolError ${code}`, new ProtocolError(code, section, message), code];

const CASES: readonly Case[] = [
  protocolError(CloseCode.ProtocolError, '5.2', 'An RSV bit is set.'),
  protocolError(CloseCode.InvalidPayload, '8.1', 'Not UTF-8.'),
  protocolError(CloseCode.MessageTooBig, '10.4', 'Too large.'),
  protocolError(CloseCode.UnsupportedData, '7.4.1', 'No binary here.'),
  ['a TypeError', new TypeError('a bug of ours'), CloseCode.InternalError],
  ['a string', 'not even an Error', CloseCode.InternalError],
  ['undefined', undefined, CloseCode.InternalError],
];

function listens(handshake: ClosingHandshake, expected: boolean, what: string): void {
  equal(() => handshake.isListening, expected, what, {
    given: [['state', handshake.state]],
    label: '`isListening` is',
  });
}

/** The body of the Close that is to be sent first. Empty: there is none. */
function firstBody([first]: readonly Action[]): Uint8Array {
  return first?.type === 'sendClose' ? first.body : NOTHING;
}

function hasCode([what, error, code]: Case): Scenario<Lesson> {
  return {
    what: `The code for ${what} is ${code}.`,
    rules: [128],
    check({ closeCodeFor }) {
      equal(() => closeCodeFor(error), code, 'Each error has its code.', {
        given: [['error', show(error)]],
      });
    },
  };
}

function hangsUp([what, error]: Case): Scenario<Lesson> {
  return {
    what: `Client and server hang up after ${what}.`,
    rules: [126, 127, 128],
    check(lesson) {
      const typesFor = (role: Role) =>
        open(lesson, role)
          .fail(error)
          .map(({ type }) => type);
      const given: Fact[] = [['error', show(error)]];
      equal(
        () => typesFor('client'),
        ['sendClose', 'hangUp'],
        'A client, too, hangs up on a peer that breaks the rules.',
        { given },
      );
      equal(
        () => typesFor('server'),
        ['sendClose', 'hangUp'],
        'Say why, then hang up; do not wait for an answer.',
        { given },
      );
    },
  };
}

function saysWhy([what, error, code]: Case): Scenario<Lesson> {
  return {
    what: `The Close after ${what} has the code ${code}.`,
    rules: [128, 154],
    check(lesson) {
      const failed: Fact = ['error', show(error)];
      const actions = attempt(() => open(lesson).fail(error), 'Fail the connection.', [failed]);
      const body = firstBody(actions);
      const given: Fact[] = [failed, ['close body', show(body)]];
      equal(() => body.slice(0, 2), codeBytes(code), 'The Close has the code.', { given });
      if (code === CloseCode.InternalError && body.length > 2) {
        fail('Our own bugs are not the business of the peer: send no reason with 1011.', given);
      }
    },
  };
}

function isTheEnd([what, error]: Case): Scenario<Lesson> {
  return {
    what: `Nothing counts after ${what}.`,
    rules: [129],
    check(lesson) {
      const given: Fact[] = [['error', show(error)]];
      const handshake = open(lesson);
      listens(handshake, true, 'An open connection listens.');
      attempt(() => handshake.fail(error), 'Fail the connection.', given);
      equal(() => handshake.state, 'HANGING_UP', 'A failed connection is over.', { given });
      listens(handshake, false, 'What comes after a failure does not count.');
      equal(() => handshake.fail(error), [], 'A connection fails once.', { given });
      equal(() => handshake.receiveClose(NORMAL), [], 'The answer to our Close is not waited for.');
      equal(() => handshake.close(), [], 'There is nothing left to close.');
    },
  };
}

/** What an illegal Close has, its body, and the code that reports it. */
type Illegal = readonly [what: string, body: Uint8Array, code: CloseCode];

const ILLEGAL: readonly Illegal[] = [
  ['half a code', Uint8Array.of(3), CloseCode.ProtocolError],
  ['a reason that is not UTF-8', fromHex('03 e8 ff'), CloseCode.InvalidPayload],
  ...NO_WIRE_CODES.map(
    ([code]): Illegal => [`the code ${code}`, codeBytes(code), CloseCode.ProtocolError],
  ),
];

function hangsUpAt([what, body]: Illegal): Scenario<Lesson> {
  return {
    what: `After our own Close, hang up at ${what}.`,
    rules: [127],
    check(lesson) {
      const handshake = open(lesson);
      handshake.close();
      equal(() => handshake.receiveClose(body), [{ type: 'hangUp' }], `Hang up at ${what}.`);
      equal(() => handshake.state, 'HANGING_UP', `After our own Close, too, ${what} is the end.`);
    },
  };
}

function failsAt([what, received, code]: Illegal): Scenario<Lesson> {
  return {
    what: `Fail with ${code} at ${what}.`,
    rules: code === CloseCode.InvalidPayload ? [127, 128, 138, 154] : [127, 128, 154],
    check(lesson) {
      const closeBody: Fact = ['close body', show(received)];
      const actions = attempt(() => open(lesson).receiveClose(received), `Fail at ${what}.`, [
        closeBody,
      ]);
      const given: Fact[] = [closeBody, ['actions', show(actions)]];
      const sent = firstBody(actions);
      const told = `Fail with ${code} at ${what}.`;
      equal(() => sent.slice(0, 2), codeBytes(code), told, { given });
      if (sent.length === 2) {
        const cause = 'The reason is the message of the error.';
        fail('A Close that refuses something says why.', given, cause);
      }
      equal(() => actions[1], { type: 'hangUp' }, `Hang up at ${what}.`, { given });
    },
  };
}

/** Step 5 · Failing a connection. */
export const failing: readonly Scenario<Lesson>[] = [
  ...CASES.map(hasCode),
  ...CASES.map(hangsUp),
  ...CASES.map(saysWhy),
  ...CASES.map(isTheEnd),
  {
    what: 'The message of an error is shortened to fit.',
    rules: [128],
    check(lesson) {
      const long = new ProtocolError(CloseCode.ProtocolError, '5.2', '€'.repeat(100));
      const actions = attempt(
        () => open(lesson).fail(long),
        'Fail with an error whose message is longer than a reason may be: shorten it.',
        [['message', `${utf8(long.message).length} bytes`]],
      );
      const { length } = firstBody(actions);
      if (length <= 125) return;
      fail('A Close has at most 125 bytes, however long the message of the error is.', [
        ['close body', `${length} bytes`],
      ]);
    },
  },
  {
    what: 'After our own Close, a failure just hangs up.',
    rules: [127],
    check(lesson) {
      const handshake = open(lesson);
      handshake.close();
      listens(handshake, true, 'After our own Close we still listen for theirs.');
      equal(
        () => handshake.fail(broken()),
        [{ type: 'hangUp' }],
        'A Close is sent once: after our own, just hang up.',
      );
    },
  },
  ...ILLEGAL.map(hangsUpAt),
  ...ILLEGAL.map(failsAt),
];

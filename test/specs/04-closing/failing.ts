/** Lesson 04, step 5: failing a connection. */
import { attempt, equal, fail } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import { wire } from '../../../shared/kit/frames.ts';
import { CloseCode, Opcode, ProtocolError, type Role } from '../../../shared/protocol.ts';
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
  type State,
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

/** What a connection was told: who we are, and the calls in their order. */
function told(role: Role, ...calls: readonly string[]): Fact[] {
  return [
    ['we are', `the ${role}`],
    [calls.length > 1 ? 'calls' : 'call', calls.join(', ')],
  ];
}

const failCall = (error: unknown) => `fail(${show(error)})`;
const receiveCall = (body: Uint8Array) => `receiveClose(${show(body)})`;

function listens(
  handshake: ClosingHandshake,
  expected: boolean,
  what: string,
  given: readonly Fact[] = [],
): void {
  equal(() => handshake.isListening, expected, what, {
    given,
    label: 'isListening is',
    cause: () =>
      `In ${handshake.state}, what the peer sends ${expected ? 'counts' : 'does not count'}.`,
  });
}

function stands(handshake: ClosingHandshake, state: State, what: string, given: Fact[]): void {
  equal(() => handshake.state, state, what, { given, label: 'state is' });
}

/** The body of the Close that is to be sent first. Empty: there is none. */
function firstBody([first]: readonly Action[]): Uint8Array {
  return first?.type === 'sendClose' ? first.body : NOTHING;
}

/** The cause, where the code was read off something that is not a `ProtocolError`. */
export function takenCode(error: unknown, actual: unknown): string | undefined {
  const { closeCode = undefined } = (error ?? {}) as { closeCode?: unknown };
  if (closeCode === undefined || closeCode !== actual) return undefined;
  return 'That has a `closeCode`, but is not a `ProtocolError`: ask with `instanceof`.';
}

function hasCode([what, error, code]: Case): Scenario<Lesson> {
  return {
    what: `The code for ${what} is ${code}.`,
    rules: [128],
    check({ closeCodeFor }) {
      equal(() => closeCodeFor(error), code, 'Each error has its code.', {
        given: [['call', `closeCodeFor(${show(error)})`]],
        cause: (actual) => takenCode(error, actual),
      });
    },
  };
}

/** What is wrong with what is done at a failure, by the types of the actions. */
function failMistake(types: unknown): string | undefined {
  if (!Array.isArray(types)) return undefined;
  if (!types.includes('sendClose')) return 'No Close says why.';
  if (!types.includes('hangUp')) {
    return 'The TCP connection stays open. Here a client closes it, too: a broken peer might never do so.';
  }
  return types[0] === 'hangUp'
    ? 'First the Close, then the end: a list is done in order.'
    : undefined;
}

function hangsUp([what, error]: Case): Scenario<Lesson> {
  return {
    what: `Client and server close TCP after ${what}.`,
    rules: [126, 127, 128],
    check(lesson) {
      for (const role of ['client', 'server'] as const) {
        const fails = () => {
          const actions = open(lesson, role).fail(error);
          return Array.isArray(actions) ? actions.map(({ type }) => type) : actions;
        };
        equal(fails, ['sendClose', 'hangUp'], 'Say why, then close TCP without waiting.', {
          given: told(role, failCall(error)),
          label: 'types of actions',
          cause: failMistake,
        });
      }
    },
  };
}

function saysWhy([what, error, code]: Case): Scenario<Lesson> {
  return {
    what: `The Close after ${what} has the code ${code}.`,
    rules: [128, 154],
    check(lesson) {
      const calls = told('server', failCall(error));
      const actions = attempt(() => open(lesson).fail(error), 'Fail the connection.', calls);
      const body = firstBody(actions);
      const given: Fact[] = [...calls, ['close body', show(body)]];
      equal(() => body.slice(0, 2), codeBytes(code), 'The Close has the code.', {
        given,
        label: 'its code is',
      });
      if (code === CloseCode.InternalError && body.length > 2) {
        fail('Our own bugs are not the business of the peer: send no reason with 1011.', [
          ...given,
          ['expected', show(codeBytes(code))],
        ]);
      }
    },
  };
}

function isTheEnd([what, error]: Case): Scenario<Lesson> {
  return {
    what: `Nothing counts after ${what}.`,
    rules: [129],
    check(lesson) {
      const given = told('server', failCall(error));
      const and = (call: string) => ({ given: told('server', failCall(error), call) });
      const handshake = open(lesson);
      listens(handshake, true, 'An open connection listens.');
      attempt(() => handshake.fail(error), 'Fail the connection.', given);
      stands(handshake, 'HANGING_UP', 'A failed connection is over.', given);
      listens(handshake, false, 'What comes after a failure does not count.', given);
      const again = failCall(error);
      equal(() => handshake.fail(error), [], 'A connection fails once.', and(again));
      const receives = () => handshake.receiveClose(NORMAL.slice());
      equal(receives, [], 'Nobody waits for a response to our Close.', and(receiveCall(NORMAL)));
      equal(() => handshake.close(), [], 'There is nothing left to close.', and('close()'));
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

/** The Close that has such a body, drawn. */
function drawn(payload: Uint8Array): Fact {
  const bytes = wire({ opcode: Opcode.Close, payload, key: null });
  return ['The Close that brings it, without a mask', { bytes }];
}

function hangsUpAt([what, body]: Illegal): Scenario<Lesson> {
  const title = `After our own Close, close TCP at ${what}.`;
  return {
    what: title,
    rules: [126, 127],
    check(lesson) {
      for (const role of ['server', 'client'] as const) {
        const given = [...told(role, 'close()', receiveCall(body)), drawn(body)];
        const handshake = open(lesson, role);
        handshake.close();
        equal(() => handshake.receiveClose(body.slice()), [{ type: 'hangUp' }], title, {
          given,
          cause: (actual) =>
            Array.isArray(actual) && actual.length === 0
              ? 'An illegal Close fails the connection, also after our own. Then a client closes TCP as well.'
              : undefined,
        });
        stands(handshake, 'HANGING_UP', `After our own Close, too, ${what} is the end.`, given);
      }
    },
  };
}

function illegalMistake(received: Uint8Array, sent: Uint8Array): string | undefined {
  if (sent.length === 0) return 'No Close says what is wrong with theirs.';
  return Buffer.compare(sent.subarray(0, 2), received.subarray(0, 2)) === 0
    ? 'A code that never travels does not go back: it fails the connection.'
    : undefined;
}

function failsAt([what, received, code]: Illegal): Scenario<Lesson> {
  return {
    what: `Fail with ${code} at ${what}.`,
    rules: code === CloseCode.InvalidPayload ? [127, 128, 138, 154] : [127, 128, 154],
    check(lesson) {
      const calls = [...told('server', receiveCall(received)), drawn(received)];
      const receives = () => open(lesson).receiveClose(received.slice());
      const actions = attempt(receives, `Fail at ${what}.`, calls, {
        expected: `sendClose with ${code} and a reason, then hangUp`,
        causeOfError: (error) =>
          error instanceof ProtocolError
            ? 'Nobody catches it. It is for the peer: return what `fail` makes of it.'
            : undefined,
      });
      const given: Fact[] = [...calls, ['you returned', show(actions)]];
      const sent = firstBody(actions);
      equal(() => sent.slice(0, 2), codeBytes(code), `Fail with ${code} at ${what}.`, {
        given,
        label: 'code in it',
        cause: () => illegalMistake(received, sent),
      });
      if (sent.length === 2) {
        const cause = 'The reason is the message of the error.';
        fail(
          'A Close that refuses something says why.',
          [...given, ['expected', `${show(codeBytes(code))} and a reason`]],
          cause,
        );
      }
      equal(() => actions[1], { type: 'hangUp' }, `Close TCP at ${what}.`, {
        given,
        label: 'second action',
      });
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
      const given: Fact[] = [
        ['call', 'fail(error)'],
        ['its message', `100 times "€": 100 in \`length\`, 300 bytes of UTF-8`],
      ];
      const what = 'Fail with an error whose message is too long: send what fits into 123 bytes.';
      const actions = attempt(() => open(lesson).fail(long), what, given, {
        causeOfError: (error) =>
          error instanceof RangeError
            ? 'The message is longer than a reason may be: `truncateReason` returns what fits.'
            : undefined,
      });
      const { length } = firstBody(actions);
      if (length <= 125) return;
      fail('A Close has at most 125 bytes, however long the message of the error is.', [
        ...given,
        ['close body', `${length} bytes`],
        ['expected', 'at most 125 bytes'],
      ]);
    },
  },
  {
    what: 'After our own Close, a failure just closes TCP.',
    rules: [127],
    check(lesson) {
      const handshake = open(lesson);
      handshake.close();
      const what = 'After our own Close we still listen for theirs.';
      listens(handshake, true, what, told('server', 'close()'));
      equal(
        () => handshake.fail(broken()),
        [{ type: 'hangUp' }],
        'A Close is sent once: after our own, just close TCP.',
        { given: told('server', 'close()', failCall(broken())) },
      );
    },
  },
  ...ILLEGAL.map(failsAt),
  ...ILLEGAL.map(hangsUpAt),
];

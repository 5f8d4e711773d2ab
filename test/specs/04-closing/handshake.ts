/** Lesson 04, step 4: the closing handshake. */
import { equal, throws } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import { CloseCode, type Role } from '../../../shared/protocol.ts';
import { fromHex } from '../../../shared/view/hex.ts';
import { NO_WIRE_CODES } from '../../vectors/closing.ts';
import {
  type Action,
  type ClosingEvent,
  type ClosingHandshake,
  type Lesson,
  NORMAL,
  NOTHING,
  open,
  ruleOfCode,
  type State,
} from './tools.ts';

const STATES: readonly State[] = ['OPEN', 'CLOSE_SENT', 'HANGING_UP', 'CLOSED'];
const EVENTS: readonly ClosingEvent[] = ['close', 'receiveClose', 'fail', 'timeout', 'disconnect'];

/** The table of RFC 6455 §7.1, as the lesson draws it. */
const TRANSITIONS: readonly (readonly [State, ClosingEvent, State])[] = [
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

function leads(state: State, event: ClosingEvent): Scenario<Lesson> {
  const [, , next] = TRANSITIONS.find(([from, on]) => from === state && on === event) ?? [];
  const what = next
    ? `In ${state}, ${event} leads to ${next}.`
    : `In ${state}, ${event} means nothing.`;
  return {
    what,
    rules: [124],
    check: ({ nextState }) => equal(() => nextState(state, event), next, what),
  };
}

/** Something that happens: what is to be done about it, and the state that it leads to. */
type Event = readonly [
  event: string,
  act: (handshake: ClosingHandshake) => unknown,
  expected: readonly Action[],
  state: State,
];

/** Plays events, one after the other, on a connection of its own. */
function conversation(
  what: string,
  role: Role,
  rules: readonly number[],
  events: readonly Event[],
): Scenario<Lesson> {
  return {
    what: `${what}.`,
    rules,
    check(lesson) {
      const handshake = open(lesson, role);
      equal(() => handshake.state, 'OPEN', 'A connection starts OPEN.');
      for (const [i, [event, act, expected, state]] of events.entries()) {
        const before = events.slice(0, i).map(([earlier]) => earlier);
        const given: Fact[] = [
          ['we are', `the ${role}`],
          ['before', before.join(', ') || 'nothing'],
          ['now', event],
        ];
        equal(() => act(handshake) ?? [], expected, `${what}: ${event}.`, {
          given,
          cause: (actual) => actionMistake(actual, expected),
        });
        equal(() => handshake.state, state, `${what}: the state after ${event}.`, { given });
      }
    },
  };
}

/** What to think of when the wrong things are to be done. */
function actionMistake(actual: unknown, expected: readonly Action[]): string | undefined {
  if (!Array.isArray(actual))
    return 'The actions are a list, an empty one when there is nothing to do.';
  const has = (actions: readonly Action[], type: Action['type']) =>
    actions.some((action) => action?.type === type);
  if (has(expected, 'sendClose') && !has(actual, 'sendClose')) {
    return 'A Close is missing: a side that has not sent its own sends it now.';
  }
  if (!has(expected, 'sendClose') && has(actual, 'sendClose')) {
    return 'Each side sends one Close, and ours is out already.';
  }
  if (has(expected, 'hangUp') && !has(actual, 'hangUp')) {
    return 'Both Closes have passed: the server ends the TCP connection, at once.';
  }
  if (!has(expected, 'hangUp') && has(actual, 'hangUp')) {
    return 'It is not our turn to hang up: a client leaves that to the server, and before the peer has said Close, nobody does.';
  }
  return undefined;
}

const send = (body: Uint8Array): Action => ({ type: 'sendClose', body });
const hangUp: Action = { type: 'hangUp' };

const gone: Event = [
  'the TCP connection ends',
  (handshake) => handshake.disconnect(),
  [],
  'CLOSED',
];
const closes = (expected: readonly Action[], state: State): Event => [
  'the application closes',
  (handshake) => handshake.close(),
  expected,
  state,
];
const receives = (expected: readonly Action[], state: State): Event => [
  'Close 1000 comes in',
  (handshake) => handshake.receiveClose(NORMAL),
  expected,
  state,
];
const receivesEmpty = (expected: readonly Action[], state: State): Event => [
  'an empty Close comes in',
  (handshake) => handshake.receiveClose(NOTHING),
  expected,
  state,
];

const conversations: readonly Scenario<Lesson>[] = [
  conversation(
    'The client starts',
    'server',
    [98, 99, 100, 101, 121, 123, 124],
    [
      receives([send(NORMAL), hangUp], 'HANGING_UP'),
      ['another Close comes in', (handshake) => handshake.receiveClose(NORMAL), [], 'HANGING_UP'],
      closes([], 'HANGING_UP'),
      gone,
      ['the application closes again', (handshake) => handshake.close(), [], 'CLOSED'],
    ],
  ),
  conversation(
    'We start',
    'server',
    [98, 100, 101, 109, 121, 122, 123, 124],
    [
      closes([send(NORMAL)], 'CLOSE_SENT'),
      [
        'the application closes again',
        (handshake) => handshake.close(CloseCode.GoingAway),
        [],
        'CLOSE_SENT',
      ],
      receives([hangUp], 'HANGING_UP'),
      gone,
    ],
  ),
  conversation(
    'We start, with a code and a reason',
    'server',
    [122],
    [
      [
        'the application closes with 4000 "bye"',
        (handshake) => handshake.close(4000, 'bye'),
        [send(fromHex('0f a0 "bye"'))],
        'CLOSE_SENT',
      ],
      receivesEmpty([hangUp], 'HANGING_UP'),
    ],
  ),
  conversation(
    'An empty Close',
    'server',
    [98, 99],
    [receivesEmpty([send(NOTHING), hangUp], 'HANGING_UP')],
  ),
  conversation(
    'The same code goes back',
    'server',
    [98, 99],
    [
      [
        'Close 4999 "bye" comes in',
        (handshake) => handshake.receiveClose(fromHex('13 87 "bye"')),
        [send(fromHex('13 87')), hangUp],
        'HANGING_UP',
      ],
    ],
  ),
  conversation(
    'A client leaves it to the server to hang up',
    'client',
    [98, 102, 121],
    [receives([send(NORMAL)], 'HANGING_UP'), gone],
  ),
  conversation(
    'A client starts',
    'client',
    [102, 121, 122],
    [closes([send(NORMAL)], 'CLOSE_SENT'), receives([], 'HANGING_UP'), gone],
  ),
  conversation('The connection breaks', 'server', [124], [gone]),
];

function refusesCode([code, why]: (typeof NO_WIRE_CODES)[number]): Scenario<Lesson> {
  const what = `Refuse to close with ${code}: ${why}.`;
  return {
    what,
    rules: [ruleOfCode(code)],
    check(lesson) {
      const handshake = open(lesson);
      throws(RangeError, () => handshake.close(code), what);
      equal(() => handshake.state, 'OPEN', 'A refused call changes nothing.');
    },
  };
}

/** Step 4 · The closing handshake. */
export const handshake: readonly Scenario<Lesson>[] = [
  ...STATES.flatMap((state) => EVENTS.map((event) => leads(state, event))),
  ...conversations,
  ...NO_WIRE_CODES.map(refusesCode),
  {
    what: 'Refuse a reason of 124 bytes.',
    rules: [],
    check(lesson) {
      const handshake = open(lesson);
      const close = () => handshake.close(CloseCode.NormalClosure, 'é'.repeat(62));
      throws(RangeError, close, 'Refuse a reason of 124 bytes.');
      equal(() => handshake.state, 'OPEN', 'A refused call changes nothing.');
    },
  },
];

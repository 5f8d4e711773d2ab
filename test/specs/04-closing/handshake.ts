/** Lesson 04, step 4: the closing handshake. */
import { equal, throws } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import { utf8 } from '../../../shared/kit/frames.ts';
import { CloseCode, type Role } from '../../../shared/protocol.ts';
import { fromHex, quote } from '../../../shared/view/hex.ts';
import { NO_WIRE_CODES } from '../../vectors/closing.ts';
import { actionMistake } from './mistakes.ts';
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
export const TRANSITIONS: readonly (readonly [State, ClosingEvent, State])[] = [
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
    check: ({ nextState }) =>
      equal(() => nextState(state, event), next, what, {
        given: [['call', `nextState('${state}', '${event}')`]],
      }),
  };
}

/** Something that happens: what is to be done about it, and the state that it leads to. */
interface Event {
  readonly what: string;
  readonly call: string;
  readonly event: ClosingEvent;
  readonly act: (handshake: ClosingHandshake) => unknown;
  readonly expected: readonly Action[];
  readonly state: State;
}

/** Plays events, one after the other, on a connection of its own. */
function conversation(
  title: string,
  role: Role,
  rules: readonly number[],
  events: readonly Event[],
): Scenario<Lesson> {
  return {
    what: `${title}.`,
    rules,
    check(lesson) {
      const handshake = open(lesson, role);
      equal(() => handshake.state, 'OPEN', 'A connection starts OPEN.', { label: 'state is' });
      let before: State = 'OPEN';
      const calls: string[] = [];
      for (const { what, call, event, act, expected, state } of events) {
        const situation = { role, state: before, event };
        const given: Fact[] = [
          ['we are', `the ${role}, in ${before}`],
          ['before', calls.join(', ') || 'nothing'],
          ['now', call],
        ];
        equal(() => act(handshake) ?? [], expected, `${title}: ${what}.`, {
          given,
          cause: (actual) => actionMistake(situation, actual, expected),
        });
        equal(() => handshake.state, state, `${title}: the state after ${what}.`, {
          given,
          label: 'state is',
        });
        calls.push(call);
        before = state;
      }
    },
  };
}

const send = (body: Uint8Array): Action => ({ type: 'sendClose', body });
const hangUp: Action = { type: 'hangUp' };

const gone: Event = {
  what: 'the TCP connection ends',
  call: 'disconnect()',
  event: 'disconnect',
  act: (handshake) => handshake.disconnect(),
  expected: [],
  state: 'CLOSED',
};

function closes(expected: readonly Action[], state: State, what = 'the application closes'): Event {
  const act = (handshake: ClosingHandshake) => handshake.close();
  return { what, call: 'close()', event: 'close', act, expected, state };
}

function receives(
  body: Uint8Array,
  expected: readonly Action[],
  state: State,
  what: string,
): Event {
  // A copy: the code under test can do with it what it likes.
  const act = (handshake: ClosingHandshake) => handshake.receiveClose(body.slice());
  const call = `receiveClose(${show(body)})`;
  return { what, call, event: 'receiveClose', act, expected, state };
}

const receivesNormal = (expected: readonly Action[], state: State) =>
  receives(NORMAL, expected, state, 'Close 1000 arrives');
const receivesEmpty = (expected: readonly Action[], state: State) =>
  receives(NOTHING, expected, state, 'an empty Close arrives');

const weStart = conversation(
  'We start',
  'server',
  [98, 100, 101, 109, 121, 122, 123, 124],
  [
    closes([send(NORMAL)], 'CLOSE_SENT'),
    {
      ...closes([], 'CLOSE_SENT', 'the application closes again'),
      call: 'close(1001)',
      act: (handshake) => handshake.close(CloseCode.GoingAway),
    },
    receivesNormal([hangUp], 'HANGING_UP'),
    gone,
  ],
);

const conversations: readonly Scenario<Lesson>[] = [
  conversation(
    'The client starts',
    'server',
    [98, 99, 100, 101, 121, 123, 124],
    [
      receivesNormal([send(NORMAL), hangUp], 'HANGING_UP'),
      receives(NORMAL, [], 'HANGING_UP', 'another Close arrives'),
      closes([], 'HANGING_UP'),
      gone,
      closes([], 'CLOSED', 'the application closes again'),
    ],
  ),
  conversation(
    'We start, with a code and a reason',
    'server',
    [122],
    [
      {
        ...closes([send(fromHex('0f a0 "bye"'))], 'CLOSE_SENT'),
        call: 'close(4000, "bye")',
        act: (handshake) => handshake.close(4000, 'bye'),
      },
      receivesEmpty([hangUp], 'HANGING_UP'),
    ],
  ),
  conversation(
    'The same code goes back',
    'server',
    [98, 99],
    [
      receives(
        fromHex('13 87 "bye"'),
        [send(fromHex('13 87')), hangUp],
        'HANGING_UP',
        'Close 4999 "bye" arrives',
      ),
    ],
  ),
  conversation(
    'An empty Close',
    'server',
    [98, 99],
    [receivesEmpty([send(NOTHING), hangUp], 'HANGING_UP')],
  ),
  conversation(
    'A client leaves it to the server to close TCP',
    'client',
    [98, 102, 121],
    [receivesNormal([send(NORMAL)], 'HANGING_UP'), gone],
  ),
  conversation(
    'A client starts',
    'client',
    [102, 121, 122],
    [closes([send(NORMAL)], 'CLOSE_SENT'), receivesNormal([], 'HANGING_UP'), gone],
  ),
  conversation('The connection breaks', 'server', [124], [gone]),
];

const IN_ITS_FIELDS =
  'Alone, it did the right thing. Keep what belongs to a connection in its fields, not beside the class.';

const ownState: Scenario<Lesson> = {
  what: 'Each connection has a state of its own.',
  rules: [124],
  check(lesson) {
    const first = open(lesson);
    first.close();
    const second = open(lesson);
    const states = () => ({ 'first.state': first.state, 'second.state': second.state });
    const expected = { 'first.state': 'CLOSE_SENT', 'second.state': 'OPEN' };
    equal(states, expected, 'Each connection has a state of its own.', {
      given: [['calls', 'first is made, first.close(), second is made']],
      label: 'then',
      cause: () => IN_ITS_FIELDS,
    });
  },
};

/** Makes a connection, and one of the other role after it; then the peer of the first closes. */
function sharesNothing(role: Role, other: Role, expected: readonly Action[]): Scenario<Lesson> {
  const what = `A ${role} stays one when a ${other} is made.`;
  return {
    what,
    rules: [101, 102],
    check(lesson) {
      const first = open(lesson, role);
      open(lesson, other);
      equal(() => first.receiveClose(NORMAL.slice()), expected, what, {
        given: [
          ['connections', `first (${role}), second (${other})`],
          ['call', `first.receiveClose(${show(NORMAL)})`],
        ],
        cause: () => IN_ITS_FIELDS,
      });
    },
  };
}

/** Refuses to close with this, and stays as it is. */
function refusesToClose(lesson: Lesson, code: number, reason: string, what: string): void {
  const handshake = open(lesson);
  const size = utf8(reason).length;
  const told = size > 20 ? `${quote(reason.slice(0, 2))}…, ${size} bytes` : quote(reason);
  const given: Fact[] = [['call', reason === '' ? `close(${code})` : `close(${code}, ${told})`]];
  const close = () => (reason === '' ? handshake.close(code) : handshake.close(code, reason));
  throws(RangeError, close, what, { given });
  equal(() => handshake.state, 'OPEN', 'A refused call changes nothing.', {
    given,
    label: 'state, afterwards',
    cause: (state) =>
      state === 'CLOSE_SENT'
        ? 'The state had changed before the call was refused. Check the code and the reason first.'
        : undefined,
  });
}

function refusesCode([code, why]: (typeof NO_WIRE_CODES)[number]): Scenario<Lesson> {
  const what = `Refuse to close with ${code}: ${why}.`;
  return {
    what,
    rules: [ruleOfCode(code)],
    check: (lesson) => refusesToClose(lesson, code, '', what),
  };
}

/** Step 4 · The closing handshake. */
export const handshake: readonly Scenario<Lesson>[] = [
  ...STATES.flatMap((state) => EVENTS.map((event) => leads(state, event))),
  weStart,
  // The connections after it aren't the first: state that they'd share is told here, with its cause.
  ownState,
  ...conversations,
  sharesNothing('server', 'client', [send(NORMAL), hangUp]),
  sharesNothing('client', 'server', [send(NORMAL)]),
  ...NO_WIRE_CODES.map(refusesCode),
  ...[1000.5, Number.NaN].map((code) => refusesCode([code, 'a code is a whole number'])),
  {
    what: 'Refuse a reason of 124 bytes.',
    rules: [],
    check: (lesson) =>
      refusesToClose(lesson, 1000, 'é'.repeat(62), 'Refuse a reason of 124 bytes.'),
  },
];

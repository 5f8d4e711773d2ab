/** Lesson 04, steps 4 to 7: generated conversations on two connections at a time. */
import { equal } from '../../../shared/harness/check.ts';
import { show } from '../../../shared/harness/show.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import { type Choices, generated } from '../../../shared/kit/generate.ts';
import { CloseCode, HandshakeError, ProtocolError, type Role } from '../../../shared/protocol.ts';
import {
  drawIllegalCode,
  drawLegalBody,
  drawLegalCode,
  drawLongReason,
  drawReason,
  drawSpoiltBody,
  placed,
} from './draw.ts';
import { takenCode } from './failing.ts';
import { type Log, Played, type Until } from './played.ts';
import type { Lesson } from './tools.ts';

const ROLES: readonly Role[] = ['server', 'client'];
const CODES = [
  CloseCode.ProtocolError,
  CloseCode.InvalidPayload,
  CloseCode.MessageTooBig,
  CloseCode.PolicyViolation,
  CloseCode.UnsupportedData,
  CloseCode.InternalError,
] as const;

/** Draws what a connection may fail with: JavaScript can throw any value. */
function drawError(choose: Choices): unknown {
  const message = choose.oneIn(3) ? drawLongReason(choose) : drawReason(choose);
  const others: readonly unknown[] = [
    ...[undefined, null, 0, '', 'a string', Symbol('thrown'), {}, Object.create(null), () => {}],
    new Error(message),
    new HandshakeError(400, '4.2.1', message),
    { closeCode: CloseCode.ProtocolError, message },
    { name: 'ProtocolError', closeCode: CloseCode.ProtocolError, section: '5.2', message },
  ];
  const error = new ProtocolError(choose.pick(CODES), '5.2', message);
  return choose.oneIn(3) ? choose.pick(others) : error;
}

/** Closes, most often with what may be said. */
function closes(choose: Choices, played: Played): void {
  const code = () => {
    if (!choose.oneIn(4)) return drawLegalCode(choose);
    return choose.pick([drawIllegalCode(choose), 1000.5, 65536 + 1000, -1000, Number.NaN]);
  };
  const reason = () => (choose.oneIn(3) ? drawLongReason(choose) : drawReason(choose));
  const calls = [
    () => played.close(),
    () => played.close(code()),
    () => played.close(code(), reason()),
  ];
  choose.pick(calls)();
}

/** Turns the clock on: by any time, or to just before or after something ends. */
function turnsClock(choose: Choices, log: Log, played: Played): void {
  const by = choose.oneIn(2) ? choose.below(10_000) : choose.below(4) / 4;
  const { deadline } = played;
  const boundary =
    deadline === undefined ? log.now : deadline + choose.pick([0, -1, 1, -0.25, 0.25]);
  log.now = choose.oneIn(3) ? log.now + by : Math.max(log.now, boundary);
}

function act(choose: Choices, log: Log, played: Played, until: Until): void {
  const body = () =>
    until > 4 && choose.oneIn(2) ? drawSpoiltBody(choose) : drawLegalBody(choose);
  const acts: (() => void)[] = [
    () => closes(choose, played),
    () => played.receiveClose(placed(choose, body())),
    () => played.receiveClose(placed(choose, body())),
    () => played.disconnect(),
  ];
  if (until >= 5) acts.push(() => played.fail(drawError(choose)));
  if (until >= 7) {
    acts.push(() => played.checkDeadline());
    acts.push(() => turnsClock(choose, log, played));
    acts.push(() => turnsClock(choose, log, played));
  }
  choose.pick(acts)();
}

/** Where a clock can start. `performance.now` has fractions, and a test begins at 0. */
const CLOCKS = [0, 1_000_000, 0.25, -12_345, 2 ** 40];
const TIMEOUTS = [5000, 1, 0.5, 60_000];

/** Plays conversations with what can be called once a step is written. */
function conversations(
  what: string,
  rules: readonly number[],
  cases: number,
  until: Until,
): Scenario<Lesson> {
  return {
    what,
    rules,
    check: (lesson) =>
      generated(cases, (choose) => {
        const [first, second] = [choose.pick(TIMEOUTS), choose.pick(TIMEOUTS)];
        // From minus the time-out on, a deadline is at 0.
        const now = until < 7 ? 1_000_000 : choose.pick([...CLOCKS, -first]);
        const log: Log = { calls: [], made: [], now };
        const names = [
          ['one', first],
          ['other', second],
        ] as const;
        const both = names.map(([name, timeoutMs]) => {
          return new Played(lesson, { name, role: choose.pick(ROLES), timeoutMs }, log, until);
        });
        choose.list(8, () => act(choose, log, choose.pick([...both, both[0]!]), until));
        for (const played of both) {
          played.disconnect();
          played.lookAgain();
        }
      }),
  };
}

/** Step 4, generated. */
export const anyConversation = conversations(
  'Follow the table through any conversation, on two connections.',
  [98, 99, 100, 101, 102, 109, 121, 122, 123, 124, 134, 135, 136, 137],
  50,
  4,
);

/** Step 5, generated. */
export const anyFailure: readonly Scenario<Lesson>[] = [
  {
    what: 'Any value that is thrown has its code.',
    rules: [128],
    check: ({ closeCodeFor }) =>
      generated(100, (choose) => {
        const error = drawError(choose);
        const code = error instanceof ProtocolError ? error.closeCode : CloseCode.InternalError;
        equal(() => closeCodeFor(error), code, 'Each error has its code.', {
          given: [['call', `closeCodeFor(${show(error)})`]],
          cause: (actual) => takenCode(error, actual),
        });
      }),
  },
  conversations(
    'Fail at any error and any illegal Close, in any state.',
    [98, 99, 126, 127, 128, 129, 138, 154],
    50,
    5,
  ),
];

/** Step 6, generated. */
export const anyResult = conversations(
  'Tell after any conversation how it ended, for each of two connections.',
  [124, 125, 134, 135],
  40,
  6,
);

/** Step 7, generated. */
export const anyTime = conversations(
  'Give up exactly at the deadline, whatever the clock says.',
  [102, 121],
  60,
  7,
);

/** Lesson 04, steps 1 to 3: generated bodies, codes and reasons. */
import { equal, failsWith, throws } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import { utf8 } from '../../../shared/kit/frames.ts';
import { type Choices, generated } from '../../../shared/kit/generate.ts';
import { CloseCode } from '../../../shared/protocol.ts';
import { quote } from '../../../shared/view/hex.ts';
import { badReasonMistake, decodingMistake, halfCode, truncates } from './body.ts';
import {
  bodyOf,
  drawLongReason,
  drawReason,
  drawSpoiltBody,
  mayTravel,
  placed,
  readUtf8,
  whatFits,
} from './draw.ts';
import type { Lesson } from './tools.ts';

function decodesBody({ decodeCloseBody }: Lesson, choose: Choices): void {
  const bytes = drawSpoiltBody(choose);
  const body = placed(choose, bytes);
  const given: Fact[] = [['call', `decodeCloseBody(${show(bytes)})`]];
  const decode = () => decodeCloseBody(body);
  const reason = readUtf8(bytes.subarray(2));
  if (bytes.length === 0) {
    equal(decode, undefined, 'An empty body is legal, and says nothing.', { given });
  } else if (bytes.length === 1) {
    failsWith(CloseCode.ProtocolError, decode, 'Refuse a single byte: half a code.', { given });
  } else if (reason === undefined) {
    failsWith(CloseCode.InvalidPayload, decode, 'Refuse a reason that is not UTF-8.', {
      given,
      cause: (actual) => badReasonMistake(actual, bytes.subarray(2)),
    });
  } else {
    const expected = { code: bytes[0]! * 256 + bytes[1]!, reason };
    equal(decode, expected, 'Decode the code and the reason as they are.', {
      given,
      cause: (actual) => decodingMistake(actual, reason),
      causeOfError: (error) => decodingMistake(error, reason),
    });
  }
  equal(() => body, bytes, 'The body belongs to the caller: leave it as it was.', {
    given,
    label: 'the body, afterwards',
  });
}

/** Step 1, generated. */
export const anyBodies: readonly Scenario<Lesson>[] = [
  {
    what: 'Decode any body, wherever it is, or refuse it.',
    rules: [94, 138],
    check: (lesson) => generated(120, (choose) => decodesBody(lesson, choose)),
  },
  {
    what: 'Encode any code and reason, into memory of its own.',
    rules: [94],
    check: ({ encodeCloseBody }) =>
      generated(80, (choose) => {
        const kept = choose.list(2, () => {
          const code = choose.oneIn(6) ? undefined : choose.below(65536);
          const reason = code === undefined ? '' : whatFits(drawReason(choose, 120));
          const expected = bodyOf(code, reason);
          const given: Fact[] = [['call', `encodeCloseBody(${code}, ${quote(reason)})`]];
          let body: Uint8Array = expected;
          const encode = () => {
            body = encodeCloseBody(code, reason);
            return body;
          };
          equal(encode, expected, 'Encode the code and the reason as they are.', { given });
          return { body, expected, given };
        });
        for (const { body, expected, given } of kept) {
          const what = 'What was returned stays as it is when more is encoded.';
          equal(() => body, expected, what, {
            given,
            label: 'what it returned became',
            cause: () =>
              'It can still be waiting to be sent then. Every call needs memory of its own.',
          });
        }
      }),
  },
];

/** Step 2, generated. */
export const anyCodes: Scenario<Lesson> = {
  what: 'Say of any number whether it is a code that may travel.',
  rules: [134, 135, 136, 137],
  check: ({ isWireCode }) =>
    generated(200, (choose) => {
      const whole = choose.pick([1000, 3000, 999, 2999, 4999, 1014, choose.below(65536)]);
      const code = (whole + choose.pick([0, 0.5, 65536, 2 ** 32, 1e-9])) * choose.pick([1, 1, -1]);
      equal(() => isWireCode(code), mayTravel(code), 'Say whether this code may travel.', {
        given: [['call', `isWireCode(${code})`]],
        cause: (actual) => halfCode(code, actual),
      });
    }),
};

/** Step 3, generated. */
export const anyReasons: Scenario<Lesson> = {
  what: 'Cut any reason where it has to be cut, and refuse one that is too long.',
  rules: [92],
  check: ({ truncateReason, encodeCloseBody }) =>
    generated(50, (choose) => {
      const reason = drawLongReason(choose);
      const size = utf8(reason).length;
      const end = Array.from(reason.slice(-7)).slice(1).join('');
      const told = `${size} bytes; they end in ${show(utf8(end))}`;
      const fits = whatFits(reason);
      truncates(() => truncateReason(reason), fits, 'Keep as much of any reason as fits.', told);
      const given: Fact[] = [
        ['call', 'encodeCloseBody(1000, reason)'],
        ['reason', told],
      ];
      const encode = () => encodeCloseBody(1000, reason);
      if (size > 123) {
        throws(RangeError, encode, 'Refuse a reason of more than 123 bytes.', { given });
      } else {
        equal(encode, bodyOf(1000, reason), 'Encode a reason of up to 123 bytes.', { given });
      }
    }),
};

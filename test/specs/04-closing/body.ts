/** Lesson 04, steps 1 to 3: what a Close frame says. */
import { attempt, equal, fail, failsWith, throws } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import { join, utf8 } from '../../../shared/kit/frames.ts';
import { CloseCode, ProtocolError } from '../../../shared/protocol.ts';
import { fromHex, quote } from '../../../shared/view/hex.ts';
import { CLOSE_BODIES, NO_WIRE_CODES, WIRE_CODES } from '../../vectors/closing.ts';
import { UTF8_GROUPS, type Utf8Group } from '../../vectors/utf8.ts';
import { codeBytes, type Lesson, NORMAL, ruleOfCode } from './tools.ts';

type CloseBody = (typeof CLOSE_BODIES)[number];

function decodes({ what, wire, expected }: CloseBody): Scenario<Lesson> {
  return {
    what: `Decode ${what}.`,
    rules: [94],
    check({ decodeCloseBody }) {
      const bytes = fromHex(wire);
      const given: Fact[] = [['call', `decodeCloseBody(${show(bytes)})`]];
      equal(() => decodeCloseBody(bytes), expected, `Decode ${what}.`, {
        given,
        causeOfError: (error) =>
          bytes.length === 0 && error instanceof ProtocolError
            ? 'A Close without a body is legal: its sender gave no code.'
            : undefined,
      });
      const view = join(utf8('before'), bytes).subarray(6);
      equal(() => decodeCloseBody(view), expected, `Decode ${what}, out of a larger buffer.`, {
        given: [...given, ['the body is', 'a view from byte 6 of a larger buffer']],
        cause: readsFromStart,
      });
    },
  };
}

function readsFromStart(body: unknown): string | undefined {
  const { code = undefined } = (body ?? {}) as { code?: unknown };
  return code === 0x6265
    ? 'That code is the first two bytes of the `buffer`. The body begins at its `byteOffset`.'
    : undefined;
}

function isReversed(actual: unknown, expected: Uint8Array): string | undefined {
  const [high, low] = expected;
  const is = actual instanceof Uint8Array && actual[0] === low && actual[1] === high;
  return is ? 'The code is in reverse: its high byte comes first.' : undefined;
}

function encodes({ what, wire, expected }: CloseBody): Scenario<Lesson> {
  return {
    what: `Encode ${what}.`,
    rules: [94],
    check({ encodeCloseBody }) {
      const encode = () =>
        expected ? encodeCloseBody(expected.code, expected.reason) : encodeCloseBody();
      equal(encode, fromHex(wire), `Encode ${what}.`, {
        cause: (actual) => isReversed(actual, fromHex(wire)),
        given: [
          [
            'call',
            expected
              ? `encodeCloseBody(${expected.code}, ${quote(expected.reason)})`
              : 'encodeCloseBody()',
          ],
        ],
      });
    },
  };
}

/** The cause, where a code that may not travel is refused, or taken for none. */
function judgedTooSoon(actual: unknown): string | undefined {
  return actual === undefined || actual instanceof ProtocolError
    ? 'Whether the code may travel is not asked here, but in step 2, and by `receiveClose` in step 5.'
    : undefined;
}

/** What has been done to a reason that is as it should be. */
export function decodingMistake(actual: unknown, reason: string): string | undefined {
  if (actual instanceof ProtocolError && reason.includes('\ufffd')) {
    return 'This reason really has a U+FFFD. Its bytes are UTF-8 like any others.';
  }
  const { reason: mine = undefined } = (actual ?? {}) as { reason?: unknown };
  if (typeof mine !== 'string' || mine === reason) return undefined;
  if (`\ufeff${mine}` === reason) {
    return 'The U+FEFF at the start has been dropped: by a `TextDecoder` without `ignoreBOM: true`, or by `trim`.';
  }
  return mine === reason.trim() ? 'White space is text like any other.' : undefined;
}

/** What became of a reason that is not UTF-8. */
export function badReasonMistake(body: unknown, bytes: Uint8Array): string | undefined {
  const { reason = undefined } = (body ?? {}) as { reason?: unknown };
  if (typeof reason !== 'string') return undefined;
  if (reason.includes('\ufffd') && !Buffer.from(bytes).includes('\ufffd')) {
    return 'U+FFFD is there in place of what is not UTF-8. With `fatal: true`, a `TextDecoder` throws instead.';
  }
  const read = utf8(reason);
  return read.length < bytes.length && Buffer.compare(read, bytes.subarray(0, read.length)) === 0
    ? 'It ends inside a character, and the beginning of that is left out. With `stream`, a `TextDecoder` waits for the rest, but no rest comes.'
    : undefined;
}

function refusesReasons({ id, what, invalid }: Utf8Group): Scenario<Lesson> {
  return {
    what: `Refuse a reason that is not UTF-8: ${what}.`,
    rules: [94, 138],
    check({ decodeCloseBody }) {
      for (const hex of invalid) {
        const bytes = join(NORMAL, fromHex(hex));
        const given: Fact[] = [
          ['call', `decodeCloseBody(${show(bytes)})`],
          ['the reason', `${show(fromHex(hex))}, of the vectors ${id}`],
        ];
        const decode = () => decodeCloseBody(bytes);
        failsWith(CloseCode.InvalidPayload, decode, 'Refuse a reason that is not UTF-8.', {
          given,
          cause: (body) => badReasonMistake(body, bytes.subarray(2)),
        });
      }
    },
  };
}

/** Step 1 · The close body. */
export const bodies: readonly Scenario<Lesson>[] = [
  ...CLOSE_BODIES.map(encodes),
  {
    what: 'Encode the code 0: it is not the same as no code.',
    rules: [94],
    check({ encodeCloseBody }) {
      equal(
        () => encodeCloseBody(0),
        Uint8Array.of(0, 0),
        'Encode the code 0: it is not the same as no code. Whether it may travel is for step 2.',
        { given: [['call', 'encodeCloseBody(0)']] },
      );
    },
  },
  {
    what: 'Refuse a reason without a code.',
    rules: [94],
    check({ encodeCloseBody }) {
      const encode = () => encodeCloseBody(undefined, 'why');
      throws(TypeError, encode, 'Refuse a reason without a code.', {
        given: [['call', 'encodeCloseBody(undefined, "why")']],
      });
    },
  },
  ...CLOSE_BODIES.map(decodes),
  {
    what: 'Refuse a single byte: half a code.',
    rules: [94],
    check({ decodeCloseBody }) {
      const decode = () => decodeCloseBody(Uint8Array.of(3));
      failsWith(CloseCode.ProtocolError, decode, 'Refuse a single byte: half a code.', {
        given: [['call', 'decodeCloseBody(03)']],
      });
    },
  },
  {
    what: 'Decode a code that may not travel like any other.',
    rules: [94],
    check({ decodeCloseBody }) {
      for (const [code] of NO_WIRE_CODES) {
        const body = codeBytes(code);
        const what = 'Decode a code that may not travel like any other.';
        equal(() => decodeCloseBody(body), { code, reason: '' }, what, {
          given: [['call', `decodeCloseBody(${show(body)})`]],
          cause: judgedTooSoon,
          causeOfError: judgedTooSoon,
        });
      }
    },
  },
  ...UTF8_GROUPS.filter(({ invalid }) => invalid.length > 0).map(refusesReasons),
  {
    what: 'A U+FEFF at the start is text like any other.',
    rules: [94],
    check({ decodeCloseBody }) {
      equal(
        () => decodeCloseBody(fromHex('03 e8 ef bb bf 62 6f 6d')),
        { code: CloseCode.NormalClosure, reason: '\ufeffbom' },
        'A U+FEFF at the start is text like any other.',
        {
          given: [['call', 'decodeCloseBody(03 e8 ef bb bf 62 6f 6d)']],
          cause: (actual) => decodingMistake(actual, '\ufeffbom'),
        },
      );
    },
  },
];

/** The cause, where a number that is not whole was taken for a code. */
export function halfCode(code: number, actual: unknown): string | undefined {
  return actual === true && !Number.isInteger(code) ? 'A code is a whole number.' : undefined;
}

function forApplications(code: number, actual: unknown): string | undefined {
  return actual === false && code >= 3000 && code <= 4999
    ? 'The codes from 3000 to 4999 are for libraries and applications.'
    : undefined;
}

function judges(code: number, expected: boolean, what: string): Scenario<Lesson> {
  return {
    what,
    rules: [ruleOfCode(code)],
    check: ({ isWireCode }) =>
      equal(() => isWireCode(code), expected, what, {
        given: [['call', `isWireCode(${code})`]],
        cause: (actual) => halfCode(code, actual) ?? forApplications(code, actual),
      }),
  };
}

/** Step 2 · Codes that may travel. */
export const codes: readonly Scenario<Lesson>[] = [
  ...NO_WIRE_CODES.map(([code, why]) => judges(code, false, `Say no to ${code}: ${why}.`)),
  ...WIRE_CODES.map((code) => judges(code, true, `${code} may travel.`)),
  ...[Number.NaN, 1000.5, 3000.5, -1000, Number.POSITIVE_INFINITY].map((code) =>
    judges(code, false, `${code} is not a code at all.`),
  ),
  {
    what: 'Say of every code from 0 to 5099 whether it may travel.',
    rules: [134, 135, 136, 137],
    check({ isWireCode }) {
      for (let code = 0; code < 5100; code++) {
        const application = code >= 3000 && code < 5000;
        const standard = code >= 1000 && code < 1015 && ![1004, 1005, 1006].includes(code);
        equal(() => isWireCode(code), application || standard, `Say whether ${code} may travel.`, {
          given: [['call', `isWireCode(${code})`]],
        });
      }
    },
  },
];

const REASONS: readonly (readonly [what: string, reason: string, fits: string])[] = [
  ['nothing', '', ''],
  ['"bye"', 'bye', 'bye'],
  ['123 times "x"', 'x'.repeat(123), 'x'.repeat(123)],
  ['124 times "x"', 'x'.repeat(124), 'x'.repeat(123)],
  ['61 times "é"', 'é'.repeat(61), 'é'.repeat(61)],
  ['62 times "é"', 'é'.repeat(62), 'é'.repeat(61)],
  ['41 times "€"', '€'.repeat(41), '€'.repeat(41)],
  ['42 times "€"', '€'.repeat(42), '€'.repeat(41)],
  ['30 times "😀"', '😀'.repeat(30), '😀'.repeat(30)],
  ['31 times "😀"', '😀'.repeat(31), '😀'.repeat(30)],
  ['"x" and 31 times "😀"', `x${'😀'.repeat(31)}`, `x${'😀'.repeat(30)}`],
  ['122 times "x" and "é"', `${'x'.repeat(122)}é`, 'x'.repeat(122)],
  ['121 times "x" and "é"', `${'x'.repeat(121)}é`, `${'x'.repeat(121)}é`],
  ['122 times "x", "é" and "x"', `${'x'.repeat(122)}éx`, 'x'.repeat(122)],
];

function sizeOf(reason: string): string {
  return `${reason.length} in \`length\`, ${utf8(reason).length} bytes`;
}

function keepsWhatFits([what, reason, fits]: (typeof REASONS)[number]): Scenario<Lesson> {
  return {
    what: `Keep what fits of ${what}.`,
    rules: [92],
    check({ truncateReason, encodeCloseBody }) {
      truncates(
        () => truncateReason(reason),
        fits,
        'Keep as much of the reason as fits into 123 bytes, in whole characters.',
        `${what}: ${sizeOf(reason)}`,
      );
      const body = join(NORMAL, utf8(fits));
      equal(
        () => encodeCloseBody(CloseCode.NormalClosure, fits),
        body,
        'Encode a reason that fits.',
        {
          given: [
            ['call', 'encodeCloseBody(1000, reason)'],
            ['reason', sizeOf(fits)],
          ],
        },
      );
    },
  };
}

/** Compares what is left of a reason with what should be, as bytes of UTF-8. */
export function truncates(
  truncate: () => string,
  fits: string,
  what: string,
  reason: string,
): void {
  const given: Fact[] = [
    ['call', 'truncateReason(reason)'],
    ['reason', reason],
  ];
  const left: unknown = attempt(truncate, what, given);
  if (typeof left !== 'string') {
    equal(() => left, fits, what, { given, label: 'you returned' });
    return;
  }
  isWhole(left, what, given);
  equal(() => utf8(left), utf8(fits), what, {
    given,
    label: 'you returned, in UTF-8',
    cause: () => reasonMistake(left, fits),
  });
}

/** Checks that no half of a surrogate pair is left, for which there is no UTF-8 to compare. */
function isWhole(left: string, what: string, given: readonly Fact[]): void {
  const half = /\p{Surrogate}/u.exec(left);
  if (!half) return;
  const unit = half[0].charCodeAt(0).toString(16).toUpperCase();
  const told = `${left.length} in \`length\`, of which unit ${half.index} is U+${unit} alone`;
  const cause = 'It was cut between the two halves of a surrogate pair.';
  fail(what, [...given, ['you returned', told], ['expected', 'whole characters']], cause);
}

/** What is wrong with a reason that was cut, where it is one thing. */
function reasonMistake(actual: string, fits: string): string | undefined {
  const size = utf8(actual).length;
  if (actual.replace(/\ufffd$/, '') === fits || actual.startsWith(`${fits}\ufffd`)) {
    return 'It was cut inside a character: what is left of that became U+FFFD.';
  }
  if (actual === fits.replace(/\ufffd+$/, '')) {
    return 'The U+FFFD at the end was in the reason: it is a character like any other, and it fits.';
  }
  if (size > 123) return `Yours has ${size} bytes of UTF-8. The code takes two of the 125.`;
  return fits.startsWith(actual) ? `Yours has ${size} bytes: more would fit.` : undefined;
}

/** Step 3 · A reason that fits. */
export const reasons: readonly Scenario<Lesson>[] = [
  {
    what: 'A control frame has 125 bytes, and the code takes two.',
    rules: [92],
    check({ MAX_REASON_BYTES }) {
      const what = 'A control frame has 125 bytes, and the code takes two.';
      equal(() => MAX_REASON_BYTES, 123, what, { label: 'MAX_REASON_BYTES' });
    },
  },
  ...REASONS.map(keepsWhatFits),
  ...['x'.repeat(124), 'é'.repeat(62), '😀'.repeat(31)].map((reason) => ({
    what: `Refuse a reason that does not fit: ${quote(reason.slice(0, 2))}… with ${sizeOf(reason)}.`,
    rules: [92],
    check({ encodeCloseBody }: Lesson) {
      const encode = () => encodeCloseBody(CloseCode.NormalClosure, reason);
      throws(RangeError, encode, 'Refuse a reason that does not fit.', {
        given: [
          ['call', 'encodeCloseBody(1000, reason)'],
          ['reason', `${quote(reason.slice(0, 2))}…, ${sizeOf(reason)}`],
        ],
        cause: (body) =>
          body instanceof Uint8Array && reason.length <= 123
            ? 'The most is 123 bytes of UTF-8, and `length` does not count those.'
            : undefined,
      });
    },
  })),
];

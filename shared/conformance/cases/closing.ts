/** Category 7: the closing handshake. */
import type { Case, Category } from '../case.ts';
import { answers, closes, fails, scripted } from '../script.ts';
import { begin, close, closeBody, echoOf, end, ping, text, textReply } from '../vocabulary.ts';
import { BAD_REASON } from './utf8.ts';

const HELLO = 'Hello World!';
const PATTERN = 'BAsd7&jh23';
const LARGE = text(PATTERN.repeat(Math.ceil(262_144 / PATTERN.length)).slice(0, 262_144));

/** Codes that a Close may carry, and those that it must not. RFC 6455 §7.4 */
export const LEGAL_CODES = [
  1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999,
];
const ILLEGAL_CODES = [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999];
const UNDEFINED_CODES = [5000, 65_535];

const codeCases = (
  category: string,
  codes: readonly number[],
  make: (caption: [string, string, string], code: number) => Case,
): Case[] =>
  codes.map((code, i) => make([`${category}.${i + 1}`, `A Close with code ${code}`, '7.4'], code));

export const CLOSING: Category = {
  id: '7',
  title: 'Closing',
  cases: [
    answers(['7.1.1', 'A text, then Close', '5.5.1'], [text(HELLO)], [textReply(HELLO)]),
    closes(['7.1.2', 'Two Closes', '5.5.1'], [close(1000), close()]),
    closes(['7.1.3', 'A Ping after the Close', '5.5.1'], [close(1000), ping()]),
    closes(['7.1.4', 'A text after the Close', '5.5.1'], [close(1000), text(HELLO)]),
    closes(
      ['7.1.5', 'A Close between two fragments', '5.5.1'],
      [begin('fragment1'), close(1000), end('fragment2')],
    ),
    // What has not been echoed when the Close is read is the peer's choice, as in S.10.
    scripted(['7.1.6', '256 KiB of text, another text, Close and Ping in one go', '5.5.1'], {
      steps: [LARGE, text(HELLO), close(1000), ping()],
      allowed: [
        { verdict: 'OK', replies: [echoOf(LARGE), textReply(HELLO)], codes: [1000, undefined] },
        { verdict: 'NON-STRICT', replies: [echoOf(LARGE)], codes: [1000, undefined] },
        { verdict: 'NON-STRICT', replies: [], codes: [1000, undefined] },
      ],
    }),
    closes(['7.3.1', 'An empty Close', '5.5.1'], [close()]),
    fails(['7.3.2', 'A Close with half a code', '5.5.1'], [closeBody('a')], [1002]),
    closes(['7.3.3', 'A Close with a code', '5.5.1'], [close(1000)]),
    closes(['7.3.4', 'A Close with code and reason', '5.5.1'], [close(1000, HELLO)]),
    closes(['7.3.5', 'A Close with a reason of 123 bytes', '5.5'], [close(1000, '*'.repeat(123))]),
    fails(
      ['7.3.6', 'A Close with a reason of 124 bytes', '5.5'],
      [close(1000, '*'.repeat(124))],
      [1002],
    ),
    fails(['7.5.1', 'A Close with a reason that is not UTF-8', '8.1'], [BAD_REASON], [1002, 1007]),
    ...codeCases('7.7', LEGAL_CODES, (caption, code) =>
      closes(caption, [close(code)], [1000, code]),
    ),
    ...codeCases('7.9', ILLEGAL_CODES, (caption, code) => fails(caption, [close(code)], [1002])),
    // Above 4999 nothing is defined: to take the code or to refuse it are both right.
    ...codeCases('7.13', UNDEFINED_CODES, (caption, code) =>
      scripted(caption, {
        steps: [close(code)],
        allowed: [
          { verdict: 'OK', replies: [], codes: [1000, 1002, code, undefined], unclosed: true },
        ],
        fails: true,
      }),
    ),
  ],
};

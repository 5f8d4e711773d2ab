/** Step 6: what a client says, as its server reads it. */
import { equal, failsWith } from '../../../shared/harness/check.ts';
import { show } from '../../../shared/harness/show.ts';
import { type Choices, generated } from '../../../shared/kit/generate.ts';
import { CloseCode } from '../../../shared/protocol.ts';
import type { Lesson, Scenarios } from './tools.ts';

const { PolicyViolation } = CloseCode;

/** Checks that a message is read as it should be. */
function expectRead({ parseClientFrame }: Lesson, message: string, right: object, what: string) {
  equal(() => parseClientFrame(message), right, what, {
    given: [['call', `parseClientFrame(${show(message)})`]],
  });
}

/** Checks that messages are refused. */
function expectRefused(
  { parseClientFrame }: Lesson,
  messages: readonly unknown[],
  what: string,
  cause?: string,
) {
  for (const message of messages) {
    const text = typeof message === 'string' ? message : JSON.stringify(message);
    failsWith(PolicyViolation, () => parseClientFrame(text), what, {
      given: [['call', `parseClientFrame(${show(text)})`]],
      cause: () => cause,
      causeOfError: (error) =>
        error instanceof SyntaxError
          ? '`JSON.parse` throws its own error. An error without a close code fails the connection with 1011.'
          : undefined,
    });
  }
}

/** Values that a field can have, and whether it may. */
type Values = readonly (readonly [value: unknown, isRight: boolean])[];

const NAMES: Values = [
  ['a', true],
  ['', false],
  [undefined, false],
  [7, false],
  [null, false],
  ['n'.repeat(64), true],
  ['n'.repeat(65), false],
  [['a'], false],
  ['ä "\n', true],
  ['🦊', true],
  ['\ud83e', false],
];
const IDS: Values = [
  [undefined, true],
  ['5-1', true],
  ['1700000000000-12', true],
  ['', false],
  ['5', false],
  ['5-', false],
  ['-5', false],
  [5, false],
  [null, false],
  ['5-1-1', false],
  ['a-1', false],
  [`5-${'9'.repeat(20)}`, true],
  [`5-${'9'.repeat(21)}`, false],
  [`${'0'.repeat(21)}-1`, false],
  [['5-1'], false],
];
const TEXTS: Values = [
  ['hello', true],
  ['', true],
  [undefined, false],
  [7, false],
  [null, false],
  [{}, false],
];

export const CLIENT_FRAMES: Scenarios = [
  {
    what: 'A hello says which room, and what it has seen last there.',
    rules: [],
    check: (lesson) => {
      const what = 'A hello says which room, and what it has seen last there.';
      const hello = { t: 'hello', room: 'lobby' };
      expectRead(lesson, '{"t":"hello","room":"lobby"}', hello, what);
      expectRead(
        lesson,
        '{"t":"hello","room":"lobby","last":"5-1"}',
        { ...hello, last: '5-1' },
        what,
      );
      const longest = '18446744073709551615-18446744073709551615';
      for (const last of [longest, '0-0', '1700000000000-0']) {
        expectRead(lesson, JSON.stringify({ ...hello, last }), { ...hello, last }, what);
      }
    },
  },
  {
    what: 'A message has a `cid`, and any text.',
    rules: [],
    check: (lesson) => {
      for (const text of [
        'hi',
        '',
        ' ',
        'a "quote"\n',
        '{"t":"hello"}',
        '🦊',
        'x'.repeat(70_000),
      ]) {
        const frame = { t: 'msg', cid: 'tab:1', text };
        expectRead(lesson, JSON.stringify(frame), frame, 'A message has a `cid`, and any text.');
      }
      const spaced = ' {\n "text": "hi", "cid": "tab:1", "t": "msg" }\n';
      const frame = { t: 'msg', cid: 'tab:1', text: 'hi' };
      expectRead(lesson, spaced, frame, 'The order of fields, and spaces, mean nothing in JSON.');
    },
  },
  {
    what: 'Names are at least 1 and at most 64 characters long.',
    rules: [],
    check: (lesson) => {
      const what = 'Names are at least 1 and at most 64 characters long.';
      for (const name of ['a', 'n'.repeat(64)]) {
        const hello = { t: 'hello', room: name };
        const message = { t: 'msg', cid: name, text: '' };
        for (const frame of [hello, message])
          expectRead(lesson, JSON.stringify(frame), frame, what);
      }
      for (const name of ['', 'n'.repeat(65), 'n'.repeat(70_000)]) {
        const messages = [
          { t: 'hello', room: name },
          { t: 'msg', cid: name, text: '' },
        ];
        expectRefused(lesson, messages, what);
      }
    },
  },
  {
    what: 'A name with half of a surrogate pair is refused.',
    rules: [],
    check: (lesson) => {
      const what = 'A name with half of a surrogate pair is refused.';
      for (const name of ['🦊', 'a🦊b', '🦊'.repeat(32)]) {
        const hello = { t: 'hello', room: name };
        expectRead(lesson, JSON.stringify(hello), hello, 'A whole pair is part of a name.');
      }
      for (const name of ['\ud83e', '\udd8a', 'a\ud83e', '\udd8ab', '\udd8a\ud83e']) {
        const messages = [
          { t: 'hello', room: name },
          { t: 'msg', cid: name, text: '' },
        ];
        const cause = 'In UTF-8, each half becomes the same �, and two names would be one.';
        expectRefused(lesson, messages, what, cause);
      }
    },
  },
  {
    what: 'What is not JSON is refused.',
    rules: [],
    check: (lesson) => {
      const messages = [
        '',
        'hello',
        '{',
        '{"t":"hello","room":"a"',
        "{'t':'hello'}",
        '{"t":"msg"}x',
      ];
      expectRefused(lesson, messages, 'What is not JSON is refused.');
    },
  },
  {
    what: 'JSON that is no object is refused.',
    rules: [],
    check: (lesson) => {
      const messages = ['null', '5', 'true', '"hello"', '[]', '["hello","lobby"]', '{}'];
      expectRefused(lesson, messages, 'JSON that is no object is refused.');
    },
  },
  {
    what: 'What a client cannot say is refused.',
    rules: [],
    check: (lesson) => {
      const messages = [
        { t: 'bye', afterMs: 5 },
        { t: 'welcome', last: '5-1', gap: false },
        { t: 'ack', cid: 'tab:1', id: '5-1' },
        { t: 'gap', last: '5-1' },
        { t: 'Hello', room: 'lobby' },
        { t: ['hello'], room: 'lobby' },
        { t: 'constructor', room: 'lobby', cid: 'tab:1', text: '' },
        { room: 'lobby', cid: 'tab:1', text: '' },
      ];
      expectRefused(lesson, messages, 'What a client cannot say is refused.');
    },
  },
  {
    what: 'A frame without a field that it needs, or with one of another type, is refused.',
    rules: [],
    check: (lesson) => {
      const what =
        'A frame without a field that it needs, or with one of another type, is refused.';
      const messages = [
        { t: 'hello' },
        { t: 'hello', room: 5 },
        { t: 'hello', room: ['lobby'] },
        { t: 'hello', room: null },
        { t: 'hello', cid: 'tab:1', text: '' },
        { t: 'msg', text: 'hi' },
        { t: 'msg', cid: 5, text: 'hi' },
        { t: 'msg', cid: 'tab:1' },
        { t: 'msg', cid: 'tab:1', text: 5 },
        { t: 'msg', cid: 'tab:1', text: null },
        { t: 'msg', cid: 'tab:1', text: ['hi'] },
      ];
      expectRefused(lesson, messages, what);
    },
  },
  {
    what: 'A `last` that is no id is refused.',
    rules: [],
    check: (lesson) => {
      const isWrong = IDS.filter(([, isRight]) => !isRight).map(([last]) => last);
      const others = [
        '$',
        '*',
        '5-*',
        '5-1\n',
        ' 5-1',
        '5 1',
        '+5-1',
        '0x5-1',
        '1e3-1',
        '٥-١',
        '5.0-1',
      ];
      const messages = [...isWrong, ...others].map((last) => ({ t: 'hello', room: 'lobby', last }));
      expectRefused(
        lesson,
        messages,
        'A `last` that is no id is refused: it goes to the bus as it is.',
      );
    },
  },
  {
    what: 'Whatever the fields are, a frame is read or refused.',
    rules: [],
    check: (lesson) =>
      generated(200, (choose: Choices) => {
        const [room, isRoom] = choose.pick(NAMES);
        const [last, isLast] = choose.pick(IDS);
        const [cid, isCid] = choose.pick(NAMES);
        const [text, isText] = choose.pick(TEXTS);
        const t = choose.pick(['hello', 'msg', 'bye', undefined]);
        const hello = t === 'hello' && isRoom && isLast;
        const message = t === 'msg' && isCid && isText;
        const what = 'Whatever the fields are, a frame is read or refused.';
        const sent = { t, room, last, cid, text };
        if (hello) {
          const right = last === undefined ? { t, room } : { t, room, last };
          expectRead(lesson, JSON.stringify(sent), right, what);
        } else if (message) expectRead(lesson, JSON.stringify(sent), { t, cid, text }, what);
        else expectRefused(lesson, [sent], what);
      }),
  },
];

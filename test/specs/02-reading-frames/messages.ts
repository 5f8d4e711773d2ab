/** Step 7 · Messages from fragments. */
import { equal, fail, failsWith } from '../../../shared/harness/check.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import { join, utf8, type WireFrame, wire } from '../../../shared/kit/frames.ts';
import { memoryTaken } from '../../../shared/kit/memory.ts';
import { CloseCode, type Message, Opcode } from '../../../shared/protocol.ts';
import { fromHex } from '../../../shared/view/hex.ts';
import type { MessageReader } from '../../../solutions/02-reading-frames/reading.ts';
import { ILLEGAL_FRAMES, ILLEGAL_LENGTHS } from '../../vectors/frames.ts';
import { linearCost, NO_KEY, outOfProportion } from './cost.ts';
import { arrived, binary, type Lesson, readAll, replay, text } from './readers.ts';

const { Binary, Close, Continuation, Ping, Pong, Text } = Opcode;

/** A conversation: the frames a client sends, and the messages that come out. */
export interface Conversation {
  readonly what: string;
  readonly rules: readonly number[];
  readonly frames: readonly WireFrame[];
  readonly messages: readonly Message[];
}

const CONVERSATIONS: readonly Conversation[] = [
  {
    what: 'one text frame',
    rules: [88, 118],
    frames: [{ opcode: Text, payload: 'Hello' }],
    messages: [text('Hello')],
  },
  {
    what: 'one binary frame',
    rules: [88, 118],
    frames: [{ opcode: Binary, payload: Uint8Array.of(0, 255, 128) }],
    messages: [binary(Uint8Array.of(0, 255, 128))],
  },
  {
    what: 'an empty text and an empty binary message',
    rules: [118, 119],
    frames: [{ opcode: Text }, { opcode: Binary }],
    messages: [text(''), binary(new Uint8Array(0))],
  },
  {
    what: 'a text in two fragments',
    rules: [83, 85, 88, 90],
    frames: [
      { opcode: Text, payload: 'Hel', fin: false },
      { opcode: Continuation, payload: 'lo' },
    ],
    messages: [text('Hello')],
  },
  {
    what: 'a binary message in four fragments, one of them empty',
    rules: [83, 85, 88, 90],
    frames: [
      { opcode: Binary, payload: Uint8Array.of(1, 2), fin: false },
      { opcode: Continuation, payload: Uint8Array.of(3), fin: false },
      { opcode: Continuation, fin: false },
      { opcode: Continuation, payload: Uint8Array.of(4) },
    ],
    messages: [binary(Uint8Array.of(1, 2, 3, 4))],
  },
  {
    what: 'three empty fragments, which are one empty message',
    rules: [83, 88, 90],
    frames: [
      { opcode: Text, fin: false },
      { opcode: Continuation, fin: false },
      { opcode: Continuation },
    ],
    messages: [text('')],
  },
  {
    what: 'a text in the middle one of three fragments',
    rules: [83, 85, 88],
    frames: [
      { opcode: Text, fin: false },
      { opcode: Continuation, payload: 'middle frame payload', fin: false },
      { opcode: Continuation },
    ],
    messages: [text('middle frame payload')],
  },
  {
    what: 'a pong that nobody asked for',
    rules: [105, 117],
    frames: [{ opcode: Pong, payload: 'still here' }],
    messages: [{ type: 'pong', payload: utf8('still here') }],
  },
  {
    what: 'a ping between two fragments',
    rules: [87, 117],
    frames: [
      { opcode: Text, payload: 'Hel', fin: false },
      { opcode: Ping, payload: 'p' },
      { opcode: Continuation, payload: 'lo' },
    ],
    messages: [{ type: 'ping', payload: utf8('p') }, text('Hello')],
  },
  {
    what: 'a ping, a pong and an empty ping between three fragments',
    rules: [85, 87, 117],
    frames: [
      { opcode: Binary, payload: 'a', fin: false },
      { opcode: Ping, payload: 'one' },
      { opcode: Pong, payload: 'two' },
      { opcode: Continuation, payload: 'b', fin: false },
      { opcode: Ping },
      { opcode: Continuation, payload: 'c' },
    ],
    messages: [
      { type: 'ping', payload: utf8('one') },
      { type: 'pong', payload: utf8('two') },
      { type: 'ping', payload: new Uint8Array(0) },
      binary(utf8('abc')),
    ],
  },
  {
    what: 'a close inside a fragmented message',
    rules: [87, 117],
    frames: [
      { opcode: Text, payload: 'Hel', fin: false },
      { opcode: Close, payload: Uint8Array.of(0x03, 0xe8) },
    ],
    messages: [{ type: 'close', payload: Uint8Array.of(0x03, 0xe8) }],
  },
  {
    what: 'a ping with bytes that are not UTF-8: a ping is not text',
    rules: [117],
    frames: [{ opcode: Ping, payload: Uint8Array.of(0xfe, 0xff) }],
    messages: [{ type: 'ping', payload: Uint8Array.of(0xfe, 0xff) }],
  },
  {
    what: 'two messages one after the other, the first in fragments',
    rules: [83, 118, 119],
    frames: [
      { opcode: Text, payload: 'on', fin: false },
      { opcode: Continuation, payload: 'e' },
      { opcode: Binary, payload: 'two' },
      { opcode: Text, payload: 'three' },
    ],
    messages: [text('one'), binary(utf8('two')), text('three')],
  },
  {
    what: 'a text after a binary message in fragments, of bytes that are not text',
    rules: [90, 118, 119],
    frames: [
      { opcode: Text, payload: 'before' },
      { opcode: Binary, payload: Uint8Array.of(0xff, 0xc3), fin: false },
      { opcode: Continuation, payload: Uint8Array.of(0x80, 0xfe) },
      { opcode: Text, payload: 'after' },
      { opcode: Binary, payload: Uint8Array.of(0x80) },
    ],
    messages: [
      text('before'),
      binary(Uint8Array.of(0xff, 0xc3, 0x80, 0xfe)),
      text('after'),
      binary(Uint8Array.of(0x80)),
    ],
  },
];

const BROKEN_ORDER: readonly Omit<Conversation, 'messages'>[] = [
  {
    what: 'a continuation with nothing to continue',
    rules: [83],
    frames: [{ opcode: Continuation, payload: 'x' }],
  },
  {
    what: 'a continuation after a message that has ended',
    rules: [83, 119],
    frames: [
      { opcode: Text, payload: 'a', fin: false },
      { opcode: Continuation, payload: 'b' },
      { opcode: Continuation, payload: 'c' },
    ],
  },
  {
    what: 'a new text inside an open message',
    rules: [86],
    frames: [
      { opcode: Text, payload: 'A', fin: false },
      { opcode: Text, payload: 'B' },
    ],
  },
  {
    what: 'a new text inside a message whose first fragment is empty',
    rules: [86],
    frames: [
      { opcode: Binary, fin: false },
      { opcode: Text, payload: 'B' },
    ],
  },
  {
    what: 'a new binary message inside an open text',
    rules: [86],
    frames: [
      { opcode: Text, payload: 'A', fin: false },
      { opcode: Ping },
      { opcode: Binary, payload: 'B' },
    ],
  },
];

/** Reads a conversation that arrives in every possible way. */
export function conversation({ what, rules, frames, messages }: Conversation): Scenario<Lesson> {
  return {
    what: `Read ${what}.`,
    rules,
    check({ MessageReader }) {
      replay(() => new MessageReader(), join(...frames.map(wire)), messages, `Read ${what}.`);
    },
  };
}

/** Returns the frames as bytes; of the last, a header that announces 100 bytes, and none of them. */
function upToHeader(frames: readonly WireFrame[]): Uint8Array {
  const all = frames.map((sent, i) =>
    wire(i < frames.length - 1 ? sent : { ...sent, payload: '' }),
  );
  all.at(-1)![1]! |= 100;
  return join(...all);
}

const FIRST = wire({ opcode: Binary, fin: false });
const LAST = wire({ opcode: Continuation, payload: 'end' });

/** Makes so many fragments that neither begin nor end a message. */
function middleFragments(count: number, payload: Uint8Array): Uint8Array {
  const fragment = wire({ opcode: Continuation, fin: false, payload, key: NO_KEY });
  return Buffer.concat(Array.from({ length: count }, () => fragment));
}

/** What 30,000 empty fragments may take up, in bytes: for each of them, less than any object. */
const MOST_OF_EMPTY = 1_000_000;

/** Returns how much memory 30,000 empty fragments take up, in bytes, until their message ends. */
function memoryOfEmptyFragments(reader: MessageReader): number {
  const bytes = join(FIRST, middleFragments(30_000, new Uint8Array(0)));
  const open = 'The message has not ended: 30,000 empty fragments, in one read.';
  const taken = memoryTaken(
    ({ heapUsed }) => heapUsed,
    MOST_OF_EMPTY,
    () => {
      reader.push(bytes);
      equal(() => reader.read(), undefined, open);
    },
  );
  reader.push(LAST.slice());
  const what = 'Read a message after 30,000 empty fragments.';
  equal(() => reader.read(), binary(utf8('end')), what);
  return taken;
}

/** Fragments without number: no nested calls, no memory for nothing, no joining again each time. */
const MANY_FRAGMENTS: readonly Scenario<Lesson>[] = [
  {
    what: 'Empty fragments take up no memory.',
    rules: [],
    check({ MessageReader }) {
      const taken = memoryOfEmptyFragments(new MessageReader());
      if (taken < MOST_OF_EMPTY) return;
      fail(
        'Empty fragments take up no memory.',
        [
          ['arrived', '30,000 empty fragments'],
          ['memory', `${taken.toLocaleString('en')} bytes`],
        ],
        'Each of them is kept in a list. Keep their bytes, of which there are none.',
      );
    },
  },
  {
    what: 'Read a message of 16,385 fragments.',
    rules: [85],
    check({ MessageReader }) {
      manyFragments(() => new MessageReader());
    },
  },
];

/** How many times 64 fragments of 64 bytes arrive. */
const TIMES = 256;

/** Reads a message of many fragments. Fails when each of them costs more than the one before. */
function manyFragments(makeReader: () => MessageReader): void {
  const part = middleFragments(64, new Uint8Array(64).fill(0x2a));
  const slow = outOfProportion(TIMES, (times) => {
    const reader = makeReader();
    reader.push(FIRST.slice());
    return (i) => {
      reader.push(part);
      const open = 'The message has not ended: fragments of 64 bytes.';
      equal(() => reader.read(), undefined, open);
      if (i < times - 1) return;
      reader.push(LAST.slice());
      const whole = join(new Uint8Array(times * 64 * 64).fill(0x2a), utf8('end'));
      equal(() => reader.read(), binary(whole), 'Read a message of 16,385 fragments.');
    };
  });
  if (!slow) return;
  fail(
    'A message of many small fragments takes far too long.',
    [['arrived', `${slow.done * 64} of 16384 fragments of 64 bytes, in ${Math.round(slow.ms)} ms`]],
    slow.isGrowing
      ? 'Each fragment seems to copy all that came before it. Join them once, or let a buffer grow by doubling.'
      : undefined,
  );
}

export const MESSAGES: readonly Scenario<Lesson>[] = [
  ...CONVERSATIONS.map(conversation),
  ...BROKEN_ORDER.map(({ what, rules, frames }): Scenario<Lesson> => {
    return {
      what: `Refuse ${what}, at its header.`,
      rules,
      check({ MessageReader }) {
        const bytes = upToHeader(frames);
        const messages = () => readAll(new MessageReader(), [bytes]);
        const refuse = `Refuse ${what}, at its header.`;
        failsWith(CloseCode.ProtocolError, messages, refuse, { given: arrived(bytes) });
      },
    };
  }),
  ...[...ILLEGAL_FRAMES, ...ILLEGAL_LENGTHS].map(
    ({ what, wire: hex, expected }): Scenario<Lesson> => {
      return {
        what: `Refuse ${what}, as in step 6.`,
        rules: [],
        check({ MessageReader }) {
          const bytes = fromHex(hex);
          const reader = new MessageReader();
          reader.push(bytes);
          const given = arrived(bytes);
          failsWith(expected, () => reader.read(), `Refuse ${what}, as in step 6.`, { given });
        },
      };
    },
  ),
  {
    what: 'As a client, read an unmasked text.',
    rules: [],
    check({ MessageReader }) {
      const reader = new MessageReader('client');
      const bytes = wire({ opcode: Text, payload: 'Hello', key: null });
      reader.push(bytes.slice());
      equal(() => reader.read(), text('Hello'), 'As a client, read an unmasked text.', {
        given: [['we are', 'the client'], ...arrived(bytes)],
      });
    },
  },
  {
    what: 'Read a frame of 1 MiB in small reads.',
    rules: [],
    check({ MessageReader }) {
      linearCost(() => new MessageReader(), Binary, binary);
    },
  },
  ...MANY_FRAGMENTS,
];

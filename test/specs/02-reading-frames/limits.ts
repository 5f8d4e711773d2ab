/** Step 9 · Limits. */
import { attempt, equal, fail, failsWith } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import { join, utf8, wire } from '../../../shared/kit/frames.ts';
import { memoryTaken } from '../../../shared/kit/memory.ts';
import { deliver } from '../../../shared/kit/replay.ts';
import { CloseCode, Opcode } from '../../../shared/protocol.ts';
import { fromHex } from '../../../shared/view/hex.ts';
import type { MessageReader } from '../../../solutions/02-reading-frames/reading.ts';
import { NO_KEY } from './cost.ts';
import { arrived, binary, type Lesson, readAll, text } from './readers.ts';

const { Binary, Continuation, Ping, Text } = Opcode;

/** The limit of the readers here, in bytes. */
const LIMIT = 1000;

const LARGEST = utf8('x'.repeat(LIMIT));

const MAX: Fact = ['maxMessageBytes', `${LIMIT}`];

function limited({ MessageReader }: Lesson): MessageReader {
  return new MessageReader('server', LIMIT);
}

/** The header of a frame that announces more than 125 bytes, and none of those. */
function headerOf(opcode: number, length: number, fin = true): Uint8Array {
  return wire({ opcode, fin, payload: new Uint8Array(length) }).slice(0, 8);
}

/** The last of these is a header that announces a byte too many, and is refused. */
function refusesAtHeader(what: string, frames: readonly Uint8Array[]): Scenario<Lesson> {
  return {
    what,
    rules: [150, 151],
    check(lesson) {
      const reader = limited(lesson);
      const bytes = join(...frames);
      const cuts = frames.slice(0, -1).map((_, i) => join(...frames.slice(0, i + 1)).length);
      const given = [MAX, ...arrived(bytes, deliver(bytes, cuts))];
      attempt(() => readAll(reader, frames.slice(0, -1)), 'Read what is within the limit.', given);
      reader.push(frames.at(-1)!);
      const counts =
        'What counts is the whole message, in bytes: all of its fragments so far, and what the header of this one announces.';
      const cause = (actual: unknown) => (actual === undefined ? counts : undefined);
      failsWith(CloseCode.MessageTooBig, () => reader.read(), what, {
        given,
        cause,
        label: '`read` returned',
      });
    },
  };
}

const START_ANEW =
  'Alone, one such message is read. The limit is for one: what is counted begins with 0 for the next.';

const SIZES: readonly Scenario<Lesson>[] = [
  {
    what: `Accept a message of exactly ${LIMIT} bytes when that is the limit.`,
    rules: [150],
    check(lesson) {
      const bytes = wire({ opcode: Text, payload: LARGEST });
      equal(
        () => readAll(limited(lesson), [bytes]),
        [text('x'.repeat(LIMIT))],
        `Accept a message of exactly ${LIMIT} bytes when that is the limit.`,
        { given: [MAX, ...arrived(bytes)] },
      );
    },
  },
  {
    what: `Accept fragments of ${LIMIT} bytes together when that is the limit.`,
    rules: [150, 151],
    check(lesson) {
      const bytes = join(
        wire({ opcode: Binary, payload: LARGEST.slice(0, 400), fin: false }),
        wire({ opcode: Continuation, payload: LARGEST.slice(400, 800), fin: false }),
        wire({ opcode: Continuation, payload: LARGEST.slice(800) }),
      );
      const what = `Accept fragments of ${LIMIT} bytes together when that is the limit.`;
      const given = [MAX, ...arrived(bytes)];
      equal(() => readAll(limited(lesson), [bytes]), [binary(LARGEST)], what, { given });
    },
  },
  {
    what: `Refuse a message of ${LIMIT + 1} bytes at its header, when the limit is ${LIMIT}.`,
    rules: [150, 151],
    check(lesson) {
      const bytes = headerOf(Text, LIMIT + 1);
      failsWith(
        CloseCode.MessageTooBig,
        () => readAll(limited(lesson), [bytes]),
        `Refuse a message of ${LIMIT + 1} bytes at its header, when the limit is ${LIMIT}.`,
        { given: [MAX, ...arrived(bytes, 'the header; none of the payload')] },
      );
    },
  },
  refusesAtHeader(`Refuse a fragment that makes 600 bytes 1001, when the limit is ${LIMIT}.`, [
    wire({ opcode: Text, payload: 'x'.repeat(600), fin: false }),
    wire({ opcode: Ping, payload: 'in between' }),
    headerOf(Continuation, 401, false),
  ]),
  refusesAtHeader(`Refuse the third of three fragments when it is one byte too many.`, [
    wire({ opcode: Binary, payload: 'x'.repeat(400), fin: false }),
    wire({ opcode: Continuation, payload: 'x'.repeat(400), fin: false }),
    headerOf(Continuation, 201),
  ]),
  refusesAtHeader('Count bytes, not characters: 300 times é is 600 bytes.', [
    wire({ opcode: Text, payload: 'é'.repeat(300), fin: false }),
    headerOf(Continuation, 401),
  ]),
  {
    what: `Accept two texts of 800 bytes in fragments when the limit is ${LIMIT}.`,
    rules: [150, 151],
    check(lesson) {
      const message = [
        wire({ opcode: Text, payload: 'x'.repeat(400), fin: false }),
        wire({ opcode: Continuation, payload: 'x'.repeat(400) }),
      ];
      const what = `Accept two texts of 800 bytes in fragments when the limit is ${LIMIT}.`;
      const both = ['x', 'x'].map((letter) => text(letter.repeat(800)));
      const bytes = join(...message, ...message);
      equal(() => readAll(limited(lesson), [bytes]), both, what, {
        given: [MAX, ...arrived(bytes)],
        causeOfError: () => {
          const isAlone = readAll(limited(lesson), message).length === 1;
          return isAlone ? START_ANEW : undefined;
        },
      });
    },
  },
  {
    what: 'With a limit of 0 bytes, accept an empty message, and refuse one byte.',
    rules: [150, 151],
    check({ MessageReader }) {
      const what = 'With a limit of 0 bytes, accept an empty message, and refuse one byte.';
      const given: Fact[] = [['maxMessageBytes', '0']];
      const empty = wire({ opcode: Text });
      const accept = () => readAll(new MessageReader('server', 0), [empty]);
      equal(accept, [text('')], what, { given: [...given, ...arrived(empty)] });
      const one = wire({ opcode: Text, payload: 'x' });
      const refuse = () => readAll(new MessageReader('server', 0), [one]);
      const cause = () =>
        'A limit of 0 is a limit. `||` takes 0 for none; a default parameter does not.';
      const about = { given: [...given, ...arrived(one)], cause };
      failsWith(CloseCode.MessageTooBig, refuse, what, about);
    },
  },
  {
    what: 'Without a limit of your own, a message has at most 16 MiB.',
    rules: [150, 151],
    check({ MessageReader }) {
      const what = 'Without a limit of your own, a message has at most 16 MiB.';
      const largest = fromHex('82 ff 00 00 00 00 01 00 00 00 37 fa 21 3d');
      const larger = largest.with(9, 1);
      const accept = () => readAll(new MessageReader(), [largest]);
      equal(accept, [], what, { given: arrived(largest) });
      const refuse = () => readAll(new MessageReader(), [larger]);
      failsWith(CloseCode.MessageTooBig, refuse, what, { given: arrived(larger) });
    },
  },
  {
    what: 'Refuse what is longer than a number can say, with 1009: it is legal, and too large.',
    rules: [150, 151],
    check({ MessageReader }) {
      const what =
        'Refuse what is longer than a number can say, with 1009: it is legal, and too large.';
      for (const length of ['00 20 00 00 00 00 00 01', '7f ff ff ff ff ff ff ff']) {
        const bytes = fromHex(`82 ff ${length} 37 fa 21 3d`);
        const read = () => readAll(new MessageReader(), [bytes]);
        failsWith(CloseCode.MessageTooBig, read, what, { given: arrived(bytes) });
      }
    },
  },
  {
    what: 'Refuse a terabyte at its header, whatever the limit is.',
    rules: [150, 151],
    check({ MessageReader }) {
      const huge = fromHex('82 ff 00 00 01 00 00 00 00 00 37 fa 21 3d'); // 2^40
      failsWith(
        CloseCode.MessageTooBig,
        () => readAll(new MessageReader(), [huge]),
        'Refuse a terabyte at its header, whatever the limit is.',
        { given: arrived(huge) },
      );
    },
  },
  {
    what: 'The limit is for one message: start again at 0 with the next.',
    rules: [151],
    check(lesson) {
      const bytes = wire({ opcode: Text, payload: LARGEST });
      const message = text('x'.repeat(LIMIT));
      equal(
        () => readAll(limited(lesson), [bytes, bytes, bytes]),
        [message, message, message],
        'The limit is for one message: start again at 0 with the next.',
        { given: [['arrived', `three texts of ${LIMIT} bytes each`], MAX] },
      );
    },
  },
  {
    what: 'The payload of a ping is not part of the message around it.',
    rules: [151],
    check(lesson) {
      const ping = utf8('p'.repeat(100));
      const around = join(
        wire({ opcode: Binary, payload: LARGEST.slice(0, 990), fin: false }),
        wire({ opcode: Ping, payload: ping }),
        wire({ opcode: Continuation, payload: LARGEST.slice(990) }),
      );
      equal(
        () => readAll(limited(lesson), [around]),
        [{ type: 'ping', payload: ping }, binary(LARGEST)],
        'The payload of a ping is not part of the message around it.',
        { given: [...arrived(around), MAX] },
      );
    },
  },
];

/** What may be taken up while messages have not ended, and when they have, in bytes. */
const MOST = {
  ofText: 1_250_000,
  ofFragments: 1_000_000,
  between: 8 * 1024 * 1024,
  busy: 1024 * 1024,
};

/** Returns how much memory a text takes up, in bytes, while most of it has come in reads of three. */
function memoryOfText(reader: MessageReader): number {
  const bytes = wire({ opcode: Text, payload: 'x'.repeat(200_000), key: NO_KEY });
  const open = 'A text of which bytes are missing is not whole.';
  const taken = memoryTaken(
    ({ heapUsed }) => heapUsed,
    MOST.ofText,
    () => {
      for (let at = 0; at + 3 < bytes.length; at += 3) {
        reader.push(bytes.subarray(at, at + 3));
        equal(() => reader.read(), undefined, open);
      }
    },
  );
  // Kept alive until here: otherwise it takes up nothing.
  attempt(() => reader.read(), open);
  return taken;
}

/** Returns how much memory fragments of a byte take up, in bytes, until their message ends. */
function memoryOfFragments(reader: MessageReader): number {
  const fragment = wire({ opcode: Continuation, fin: false, payload: 'x', key: NO_KEY });
  const read = Buffer.concat(Array.from({ length: 1000 }, () => fragment));
  const open = 'A message of which fragments are missing is not whole.';
  const all = ({ arrayBuffers, heapUsed }: NodeJS.MemoryUsage) => arrayBuffers + heapUsed;
  reader.push(wire({ opcode: Binary, fin: false }));
  const taken = memoryTaken(all, MOST.ofFragments, () => {
    for (let i = 0; i < 30; i++) {
      reader.push(read);
      equal(() => reader.read(), undefined, open);
    }
  });
  const last = wire({ opcode: Continuation, payload: 'x' });
  reader.push(last);
  const whole = binary(utf8('x'.repeat(30_001)));
  equal(() => reader.read(), whole, 'Read a message of 30,001 fragments of one byte.');
  return taken;
}

/** Returns how much memory readers keep, in bytes, after a message of 1 MiB each. */
function memoryAfterMessages(readers: readonly MessageReader[]): number {
  const bytes = wire({ opcode: Binary, payload: new Uint8Array(1024 * 1024), key: NO_KEY });
  const kept = memoryTaken(
    ({ arrayBuffers }) => arrayBuffers,
    MOST.between,
    () => {
      for (const reader of readers) {
        reader.push(bytes);
        equal(() => reader.read()?.type, 'binary', 'Read a message of 1 MiB.');
        equal(() => reader.read(), undefined, 'There is one message, and no more.');
      }
    },
  );
  // Kept alive until here, too.
  for (const reader of readers) equal(() => reader.read(), undefined, 'No more.');
  return kept;
}

/**
 * Returns how much memory a reader keeps, in bytes, that has always got a part of the next message:
 * no read ends where a message does.
 */
function memoryWhileBusy(reader: MessageReader): number {
  const payload = new Uint8Array(1001);
  const bytes = Buffer.concat(
    Array.from({ length: 64 }, () => wire({ opcode: Binary, payload, key: NO_KEY })),
  );
  const read = Buffer.concat([bytes.subarray(500), bytes.subarray(0, 500)]);
  reader.push(bytes.subarray(0, 500));
  const kept = memoryTaken(
    ({ arrayBuffers }) => arrayBuffers,
    MOST.busy,
    () => {
      for (let i = 0; i < 48; i++) {
        reader.push(read);
        for (let n = 0; n < 64; n++) equal(() => reader.read()?.type, 'binary', BUSY);
        equal(() => reader.read(), undefined, BUSY);
      }
    },
  );
  equal(() => reader.read(), undefined, BUSY);
  return kept;
}

const BUSY = 'Keep no more memory than what waits, while every read ends inside of a message.';

/** A limit in bytes is worth something when a byte costs a byte. */
const MEMORY: readonly Scenario<Lesson>[] = [
  {
    what: 'A text that arrives in small reads takes up little more memory than it has bytes.',
    rules: [],
    check({ MessageReader }) {
      const taken = memoryOfText(new MessageReader());
      if (taken < MOST.ofText) return;
      fail(
        'A text that arrives in small reads takes up little more memory than it has bytes.',
        [
          ['arrived', '200,000 bytes of text, in reads of 3'],
          ['memory', `${taken.toLocaleString('en')} bytes`],
        ],
        'Each piece is kept as an object of its own: in a list, or inside of a string that grows by `+=`. Join the pieces from time to time.',
      );
    },
  },
  {
    what: 'Fragments of one byte take up little more memory than they have bytes.',
    rules: [],
    check({ MessageReader }) {
      const taken = memoryOfFragments(new MessageReader());
      if (taken < MOST.ofFragments) return;
      fail(
        'Fragments of one byte take up little more memory than they have bytes.',
        [
          ['arrived', '30,000 fragments of one byte'],
          ['memory', `${taken.toLocaleString('en')} bytes`],
        ],
        'Each payload seems to be kept as an object of its own, which takes a hundred bytes and more, beside what it is a view into. Copy the bytes into a buffer that grows by doubling.',
      );
    },
  },
  {
    what: BUSY,
    rules: [],
    check({ MessageReader }) {
      const kept = memoryWhileBusy(new MessageReader());
      if (kept < MOST.busy) return;
      fail(
        BUSY,
        [
          ['read', '3 MiB of messages, with a part of the next one at the end of each read'],
          ['kept', `${Math.round(kept / 1024)} KiB, while half a message waits`],
        ],
        'What has been read still takes up the front of the buffer. Move what waits there before you let the buffer grow.',
      );
    },
  },
  {
    what: 'Keep no memory between two messages.',
    rules: [],
    check({ MessageReader }) {
      const kept = memoryAfterMessages(Array.from({ length: 16 }, () => new MessageReader()));
      if (kept < MOST.between) return;
      fail(
        'Keep no memory between two messages.',
        [
          ['read', '16 messages of 1 MiB, by 16 readers'],
          ['kept', `${Math.round(kept / 1024 / 1024)} MiB, once nobody has the messages any more`],
        ],
        'A view keeps all of the memory that it is a part of, even a view of no bytes. When nothing waits, start with a new, empty array.',
      );
    },
  },
];

export const LIMITS: readonly Scenario<Lesson>[] = [...SIZES, ...MEMORY];

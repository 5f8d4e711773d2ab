/** Step 4: payloads that arrive in pieces. */
import { equal, fail } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import { fromClient, join, utf8 } from '../../../shared/kit/frames.ts';
import { deliveries } from '../../../shared/kit/replay.ts';
import { workOf } from '../../../shared/kit/work.ts';
import { type Message, Opcode } from '../../../shared/protocol.ts';
import { count } from '../../../shared/view/count.ts';
import { GATHERING_COST } from './pieces-cost.ts';
import { ANY_PIECES } from './pieces-drawn.ts';
import { PIECES_MEMORY } from './pieces-memory.ts';
import { VIEWS } from './pieces-views.ts';
import {
  binary,
  HEADER_BYTES,
  inReads,
  own,
  plain,
  READ_BYTES,
  readAll,
  readerOf,
  repeated,
  someBytes,
} from './reads.ts';
import type { Lesson, Scenarios } from './tools.ts';

const { Binary, Continuation, Ping, Pong, Text } = Opcode;

/** What a client sends, and the messages that it is. */
interface Talk {
  readonly what: string;
  readonly frames: readonly Uint8Array[];
  readonly messages: readonly Message[];
}

const TALKS: readonly Talk[] = [
  {
    what: 'A payload of 140 bytes is put together, wherever a read ends.',
    frames: [fromClient(Binary, someBytes(140))],
    messages: [binary(someBytes(140))],
  },
  {
    what: 'Messages of a few bytes, and of none, are put together, wherever a read ends.',
    frames: [
      fromClient(Binary, someBytes(10)),
      fromClient(Binary),
      fromClient(Binary, someBytes(20, 1)),
      fromClient(Binary),
    ],
    messages: [
      binary(someBytes(10)),
      binary(new Uint8Array(0)),
      binary(someBytes(20, 1)),
      binary(new Uint8Array(0)),
    ],
  },
  {
    what: 'A payload of 65,536 bytes is put together, wherever a read ends.',
    frames: [fromClient(Binary, someBytes(65_536))],
    messages: [binary(someBytes(65_536))],
  },
  {
    what: 'Fragments are put together, with control frames in pieces between them.',
    frames: [
      fromClient(Binary, someBytes(19), false),
      fromClient(Ping, someBytes(20, 5)),
      fromClient(Continuation, '', false),
      fromClient(Pong, 'hi!'),
      fromClient(Continuation, someBytes(31, 19 * 7)),
    ],
    messages: [
      { type: 'ping', payload: someBytes(20, 5) },
      { type: 'pong', payload: utf8('hi!') },
      binary(someBytes(50)),
    ],
  },
  {
    what: 'A text is put together from its pieces as well.',
    frames: [
      fromClient(Text, 'Hel', false),
      fromClient(Ping, 'x'),
      fromClient(Continuation, 'lo, world!'),
    ],
    messages: [
      { type: 'ping', payload: utf8('x') },
      { type: 'text', data: 'Hello, world!' },
    ],
  },
];

function talks({ what, frames, messages }: Talk): Scenario<Lesson> {
  return {
    what,
    rules: [],
    check(lesson) {
      const bytes = join(...frames);
      for (const { how, reads, cuts } of deliveries(bytes)) {
        const reader = readerOf(lesson);
        const got: Message[] = [];
        const read = () => {
          for (const part of reads) {
            own(reader, part);
            got.push(...readAll(reader));
          }
          return got;
        };
        equal(read, messages, what, {
          given: [[`Arrived ${how}`, { bytes: bytes.slice(), cuts }]],
          label: 'came out',
          cause: () => causeOf(got, messages, reads.length > 1),
          causeOfError: () => (reads.length > 1 ? GOES_ON : undefined),
        });
      }
    },
  };
}

const GOES_ON =
  'A read ends anywhere. Keep what has arrived of a header or a payload, also of that of a control frame, and go on from there in the next one.';

/** Why what came out may be wrong, as far as it shows. */
function causeOf(
  got: readonly Message[],
  expected: readonly Message[],
  isCut: boolean,
): string | undefined {
  if (got.length < expected.length) return isCut ? GOES_ON : undefined;
  if (expected.some((message, i) => isLonger(got[i], message))) {
    return 'The rest was never written: it’s what was in that memory before. Return what has arrived, not all that was reserved.';
  }
  const sizes = (messages: readonly Message[]) => messages.map((it) => bytesOf(it).length).join();
  if (sizes(got) === sizes(expected)) {
    return 'Byte i of a payload is XORed with byte i mod 4 of the key: go on counting from piece to piece, and from 0 in the next frame.';
  }
  return expected.some((message) => 'payload' in message)
    ? 'A message and a control frame can be in pieces at the same time. Each needs a place of its own.'
    : undefined;
}

/** Does a message begin with all the bytes of the right one, and go on? */
function isLonger(message: Message | undefined, right: Message): boolean {
  if (message?.type !== right.type) return false;
  const [bytes, begun] = [bytesOf(message), bytesOf(right)];
  if (begun.length === 0) return false;
  return bytes.length > begun.length && begun.equals(bytes.subarray(0, begun.length));
}

function bytesOf(message: Message): Buffer {
  return Buffer.from('payload' in message ? message.payload : (message.data as Uint8Array));
}

/** Lets reads arrive, and returns how many bytes were copied meanwhile. */
function copiedBy(lesson: Lesson, reads: readonly Uint8Array[]): number {
  const chunks = reads.map((read) => Buffer.from(read));
  const reader = readerOf(lesson);
  const { copiedBytes } = workOf(() => {
    for (const chunk of chunks) {
      reader.own(chunk);
      while (reader.read());
    }
  });
  return copiedBytes;
}

/** What a cut header may cost besides: its bytes are kept, and joined with the rest of it. */
const CUT_BYTES = 4 * HEADER_BYTES;

/** Messages of a size, in reads of which the first ends after so many bytes. */
interface Cutting {
  readonly size: number;
  readonly messages: number;
  readonly firstRead: number;
  readonly readBytes: number;
}

/** Only the payloads of frames in which a read ends are copied. */
function copiesCut(where: string, cutting: Cutting): Scenario<Lesson> {
  const what = `Of messages that are cut ${where}, only the cut ones are copied.`;
  return {
    what,
    rules: [],
    check(lesson) {
      const { size, messages, firstRead, readBytes } = cutting;
      const bytes = repeated(plain(Binary, new Uint8Array(size)), messages);
      const frameBytes = bytes.length / messages;
      const reads = [
        bytes.subarray(0, firstRead),
        ...inReads(bytes.subarray(firstRead), readBytes),
      ];
      const places = reads.slice(1).map((_, i) => firstRead + i * readBytes);
      const cut = new Set(places.map((place) => Math.floor(place / frameBytes)));
      const copied = copiedBy(lesson, reads);
      if (copied <= cut.size * size + places.length * CUT_BYTES) return;
      fail(
        what,
        [
          ['arrived', `${messages} messages of ${count(size, 'byte')}, ${cut.size} of them cut`],
          ['copied', count(copied, 'byte')],
          ['expected', `at most ${cut.size} payloads: ${count(cut.size * size, 'byte')}`],
        ],
        'Other messages of the same read seem to be copied as well. Copy the bytes of the payload that goes on in the next read, and there no more than its own.',
      );
    },
  };
}

const COPIED: Scenarios = [
  {
    what: 'A message of 1 MiB that arrives in reads of 64 KiB is copied once.',
    rules: [],
    check(lesson) {
      const size = 1024 * 1024;
      const copied = copiedBy(lesson, inReads(plain(Binary, new Uint8Array(size))));
      if (copied <= size + CUT_BYTES) return;
      fail(
        'A message of 1 MiB that arrives in reads of 64 KiB is copied once.',
        [
          ['copied', count(copied, 'byte')],
          ['that is', `${(copied / size).toFixed(2)} for each byte of the payload`],
        ],
        'Its length is in the header: reserve memory for it, and copy each piece to its place. 32 times the first read is more than 1 MiB.',
      );
    },
  },
  copiesCut('in their payloads', {
    size: 16 * 1024,
    messages: 64,
    firstRead: READ_BYTES,
    readBytes: READ_BYTES,
  }),
  // Each read ends after three bytes of a header.
  copiesCut('in their headers', {
    size: 1000,
    messages: 500,
    firstRead: 1008 * 20 + 3,
    readBytes: 1008 * 20,
  }),
  {
    what: 'A payload in reads of 64 bytes is copied no more than three times.',
    rules: [],
    check(lesson) {
      const size = 64 * 1024;
      const copied = copiedBy(lesson, inReads(plain(Binary, new Uint8Array(size)), 64));
      if (copied <= 3 * size) return;
      fail(
        'A payload in reads of 64 bytes is copied no more than three times.',
        [
          ['arrived', '65,536 bytes, in more than a thousand reads'],
          ['copied', count(copied, 'byte')],
          ['that is', `${(copied / size).toFixed(1)} for each byte of the payload`],
        ],
        'Each read seems to copy all that came before it. Copy what is new to its place, and let memory that is full become twice as large, or larger.',
      );
    },
  },
  {
    what: 'A message of 256 fragments is copied no more than three times.',
    rules: [],
    check(lesson) {
      const fragments = Array.from({ length: 256 }, (_, i) => {
        return plain(i === 0 ? Binary : Continuation, new Uint8Array(4096), i === 255);
      });
      const size = 256 * 4096;
      const copied = copiedBy(lesson, inReads(join(...fragments)));
      if (copied <= 3 * size) return;
      fail(
        'A message of 256 fragments is copied no more than three times.',
        [
          ['arrived', '256 fragments of 4096 bytes, in reads of 64 KiB'],
          ['copied', count(copied, 'byte')],
          ['that is', `${(copied / size).toFixed(1)} for each byte of the message`],
        ],
        'How long a message in fragments becomes, nobody says before. Memory that is full is doubled: then all the copies together are fewer than two.',
      );
    },
  },
];

/** Reads that are taken over one after the other, before anybody asks what is in them. */
const LATE: Scenario<Lesson> = {
  what: 'Reads that wait are read in their order, and none is lost.',
  rules: [],
  check(lesson) {
    const messages = [3, 20, 0, 9].map((length, i) => binary(someBytes(length, i * 40)));
    const frames = [3, 20, 0, 9].map((length, i) => fromClient(Binary, someBytes(length, i * 40)));
    const bytes = join(...frames);
    const reader = readerOf(lesson);
    for (const part of inReads(bytes, 7)) own(reader, part);
    equal(() => readAll(reader), messages, 'Reads that wait are read in their order.', {
      given: [
        ['the calls', '`own` for each read, and only then `read`'],
        ['Arrived', { bytes, cuts: Array.from({ length: 8 }, (_, i) => (i + 1) * 7) }],
      ],
      label: 'came out',
      cause: () => 'A read that arrives before the last one is used up comes after all that wait.',
    });
  },
};

/** What becomes of a message in pieces when the next ones arrive. */
const STAYS: Scenario<Lesson> = {
  what: 'What was put together stays as it is, whatever arrives after it.',
  rules: [],
  check(lesson) {
    const reader = readerOf(lesson);
    const opcodes = [Binary, Ping, Binary, Pong, Binary, Binary, Ping];
    const right = opcodes.map((opcode, i) => someBytes(opcode === Binary ? 700 : 100, i * 50));
    const got = opcodes.flatMap((opcode, i) => {
      return inReads(fromClient(opcode, right[i]), 40).flatMap((part) => {
        own(reader, part);
        return readAll(reader);
      });
    });
    const given: Fact[] = [
      ['arrived', 'four messages of 700 bytes and three control frames of 100, in pieces'],
    ];
    const payloads = () =>
      got.map((message) => ('payload' in message ? message.payload : message.data));
    equal(payloads, right, 'What was put together stays as it is.', {
      given,
      label: 'in the end',
      cause: () =>
        'Memory that has been returned is the caller’s. Reserve new memory for the next.',
    });
  },
};

export const PIECES: Scenarios = [
  ...TALKS.map(talks),
  LATE,
  STAYS,
  ...VIEWS,
  ...COPIED,
  ...PIECES_MEMORY,
  ...GATHERING_COST,
  ANY_PIECES,
];

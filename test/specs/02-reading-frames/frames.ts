/** Step 4 · A stream has no frames. */
import { attempt, equal, fail, failsWith } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import { frame, join, utf8, wire } from '../../../shared/kit/frames.ts';
import { buffersReserved } from '../../../shared/kit/memory.ts';
import { deliver } from '../../../shared/kit/replay.ts';
import { CloseCode, type Frame, Opcode, ProtocolError } from '../../../shared/protocol.ts';
import { fromHex } from '../../../shared/view/hex.ts';
import type { FrameReader } from '../../../solutions/02-reading-frames/reading.ts';
import { RFC_FRAMES } from '../../vectors/frames.ts';
import { linearCost } from './cost.ts';
import { arrived, FRAMES, type Lesson, readsAs, replay } from './readers.ts';

const { Binary, Ping, Pong, Text } = Opcode;

const HELLO = fromHex(RFC_FRAMES[1]!.wire);

const WORDS = ['one', 'two', 'three', 'four', 'five'];
const FIVE_FRAMES = join(...WORDS.map((payload) => wire({ opcode: Text, payload })));

const USED_AGAIN =
  'It was right when it was returned. Its memory has been used again for what came later: copy what you give out, or never write there again.';

/** Makes a reader that refuses no header, so that step 4 does not need step 5. */
function anyFrames({ FrameReader }: Lesson): FrameReader {
  return new FrameReader(() => {});
}

/** Makes a reader whose `check` notes the opcodes that it is called with, and refuses a Pong. */
function noting({ FrameReader }: Lesson) {
  const opcodes: number[] = [];
  const reader = new FrameReader(({ opcode }) => {
    opcodes.push(opcode);
    if (opcode === Pong) throw new ProtocolError(CloseCode.ProtocolError, '5.2', 'Not this one.');
  });
  return { opcodes, reader };
}

function expectedFrame({ expected }: (typeof FRAMES)[number]): Frame {
  return frame(expected.opcode, expected.text, expected.fin);
}

/** Reads frames, and keeps each payload as it came out. */
function readAndKeep(reader: FrameReader, reads: readonly Uint8Array[]): Uint8Array[] {
  const kept: Uint8Array[] = [];
  for (const read of reads) {
    reader.push(read.slice());
    for (let next = reader.read(); next !== undefined; next = reader.read())
      kept.push(next.payload);
  }
  return kept;
}

/** What frames look like from outside: how many come out of which bytes. */
const WHOLE: readonly Scenario<Lesson>[] = [
  ...FRAMES.map((vector): Scenario<Lesson> => {
    const what = `Read ${vector.what}.`;
    return {
      what,
      rules: [91, 116],
      check(lesson) {
        replay(() => anyFrames(lesson), fromHex(vector.wire), [expectedFrame(vector)], what);
      },
    };
  }),
  {
    what: 'Leave a payload as it is once it is out.',
    rules: [],
    check(lesson) {
      // The first read ends with a frame, so that nothing waits; the second and third end inside one.
      const delivery = deliver(FIVE_FRAMES, [18, 33, 36]);
      const given = arrived(FIVE_FRAMES, delivery);
      const right = WORDS.map((word) => frame(Text, word));
      readsAs(() => anyFrames(lesson), FIVE_FRAMES, delivery, right, 'Read five frames.', true);
      const payloads = readAndKeep(anyFrames(lesson), delivery.reads);
      for (const [i, word] of WORDS.entries()) {
        const leave = `Leave payload ${i + 1} as it is once it is out.`;
        const about = { given, label: 'it is now', cause: () => USED_AGAIN };
        equal(() => payloads[i], utf8(word), leave, about);
      }
    },
  },
  {
    what: 'Read two streams in turn, with a reader for each.',
    rules: [91],
    check(lesson) {
      const words = ['this', 'that'];
      const streams = words.map((payload) => wire({ opcode: Text, payload }));
      const readers = words.map(() => anyFrames(lesson));
      const given: Fact[] = [
        ...streams.map((bytes, i): Fact => [`reader ${i + 1}`, `gets ${show(bytes)}`]),
        ['each', 'in two reads, cut after byte 8, in turn'],
      ];
      const cause = () =>
        'Where is kept what waits? One reader must not know of another: not in the module.';
      const reads = (i: number, right: Frame | undefined) => {
        const about = { given: [...given, ['read of', `reader ${i + 1}`] as const], cause };
        const what = 'Read two streams in turn, with a reader for each.';
        equal(() => readers[i]!.read(), right, what, about);
      };
      for (const [i, reader] of readers.entries()) {
        reader.push(streams[i]!.slice(0, 8));
        reads(i, undefined);
      }
      for (const [i, reader] of readers.entries()) {
        reader.push(streams[i]!.slice(8));
        reads(i, frame(Text, words[i]));
      }
    },
  },
  {
    what: `Read ${FRAMES.length} frames in a row.`,
    rules: [91, 119],
    check(lesson) {
      const bytes = join(...FRAMES.map((vector) => fromHex(vector.wire)));
      const what = `Read ${FRAMES.length} frames in a row.`;
      replay(() => anyFrames(lesson), bytes, FRAMES.map(expectedFrame), what);
    },
  },
  {
    what: 'The frame is not complete, so there is nothing to read yet.',
    rules: [91],
    check(lesson) {
      // The moment counts: a frame is there when its last byte is there.
      for (let length = 0; length < HELLO.length; length++) {
        const reader = anyFrames(lesson);
        const part = HELLO.slice(0, length);
        reader.push(part);
        const what = 'The frame is not complete, so there is nothing to read yet.';
        const given = arrived(part, `${length} of ${HELLO.length} bytes`);
        equal(() => reader.read(), undefined, what, { given });
      }
    },
  },
  ...[125, 126, 127, 65535, 65536].map((length): Scenario<Lesson> => {
    const what = `Read ${length} bytes, then a ping.`;
    return {
      what,
      rules: [91, 116],
      check(lesson) {
        const payload = Uint8Array.from({ length }, (_, i) => (i * 31) & 255);
        const bytes = join(
          wire({ opcode: Binary, payload }),
          wire({ opcode: Ping, payload: 'next' }),
        );
        const expected = [frame(Binary, payload), frame(Ping, 'next')];
        replay(() => anyFrames(lesson), bytes, expected, what);
      },
    };
  }),
];

const CALLED_WITH = '`check` was called for opcodes';

/** `check` sees each header once, when it is complete and the frames before it are out. */
const CHECK_CALLS: readonly Scenario<Lesson>[] = [
  {
    what: 'Call `check` when the frames before it have been returned, not ahead.',
    rules: [],
    check(lesson) {
      const { opcodes, reader } = noting(lesson);
      const bytes = join(
        wire({ opcode: Text, payload: 'one' }),
        wire({ opcode: Binary, payload: 'two' }),
      );
      const given = arrived(bytes);
      reader.push(bytes);
      equal(() => reader.read(), frame(Text, 'one'), 'Read the first of two frames.', { given });
      const notAhead = 'Call `check` when the frames before it have been returned, not ahead.';
      equal(() => opcodes, [Text], notAhead, { given, label: CALLED_WITH });
      equal(() => reader.read(), frame(Binary, 'two'), 'Read the second.', { given });
    },
  },
  {
    what: 'Call `check` as soon as a header is complete.',
    rules: [],
    check(lesson) {
      const { opcodes, reader } = noting(lesson);
      const header = wire({ opcode: Ping, payload: 'three' }).slice(0, 7);
      reader.push(header);
      const open = 'A header and one byte of its payload are there.';
      equal(() => reader.read(), undefined, open, { given: arrived(header) });
      equal(() => opcodes, [Ping], 'Call `check` as soon as a header is complete.', {
        given: arrived(header),
        label: CALLED_WITH,
      });
    },
  },
  {
    what: 'Call `check` once for each header.',
    rules: [],
    check(lesson) {
      const { opcodes, reader } = noting(lesson);
      const bytes = wire({ opcode: Ping, payload: 'three' });
      const delivery = deliver(bytes, [7, 8]);
      const given = arrived(bytes, delivery);
      for (const read of delivery.reads) {
        equal(() => reader.read(), undefined, 'Bytes of the frame are missing.', { given });
        reader.push(read);
      }
      const what = 'Read a frame that arrives in three reads.';
      equal(() => reader.read(), frame(Ping, 'three'), what, { given });
      const once = 'Call `check` once for each header.';
      equal(() => opcodes, [Ping], once, { given, label: CALLED_WITH });
    },
  },
  {
    what: 'What `check` throws, `read` throws.',
    rules: [],
    check(lesson) {
      const { reader } = noting(lesson);
      const refused = wire({ opcode: Pong }).slice(0, 6);
      const given = arrived(refused);
      const neverThrows = '`push` only takes bytes in: it never throws.';
      attempt(() => reader.push(refused), neverThrows, given);
      const what = 'What `check` throws, `read` throws.';
      failsWith(CloseCode.ProtocolError, () => reader.read(), what, { given });
    },
  },
  {
    what: 'A frame that `check` has refused does not come out of the next `read` either.',
    rules: [],
    check(lesson) {
      const { reader } = noting(lesson);
      const bytes = wire({ opcode: Pong, payload: 'no' });
      const given = arrived(bytes);
      reader.push(bytes);
      const throws = 'What `check` throws, `read` throws.';
      failsWith(CloseCode.ProtocolError, () => reader.read(), throws, { given });
      let next: unknown;
      try {
        next = reader.read();
      } catch {
        return;
      }
      const what = 'A frame that `check` has refused does not come out of the next `read` either.';
      equal(() => next, undefined, what, {
        given: [...given, ['first read', 'threw what `check` threw, as it has to']],
        label: 'second read',
        cause: () =>
          'The first `read` threw, and the next went on behind the header, as if nothing had happened.',
      });
    },
  },
];

/** Returns how much memory readers reserve, in bytes, of whose frames three bytes are there. */
function memoryOfAnnounced(lesson: Lesson, length: number, count: number): number {
  const bytes = wire({ opcode: Binary, payload: new Uint8Array(length) }).slice(0, 11);
  const missing = 'Three bytes of a frame are there.';
  // All of them stay until the end: what is given back is not counted.
  const readers: FrameReader[] = [];
  const reserved = buffersReserved(10, () => {
    for (let i = 0; i < count / 10; i++) {
      const reader = anyFrames(lesson);
      readers.push(reader);
      reader.push(bytes.slice());
      equal(() => reader.read(), undefined, missing);
    }
  });
  for (const reader of readers) equal(() => reader.read(), undefined, missing);
  return reserved;
}

/** A length is a promise, not a reason to reserve memory; and a byte is handled once. */
const COST: readonly Scenario<Lesson>[] = [
  {
    what: 'Reserve no memory for bytes that have only been announced.',
    rules: [],
    check(lesson) {
      const before = process.memoryUsage().arrayBuffers;
      const reader = anyFrames(lesson);
      const header = fromHex('82 ff 00 00 00 00 20 00 00 00 37 fa 21 3d'); // 512 MiB
      reader.push(header);
      const announced = 'A frame of 512 MiB has been announced, and none of it is there.';
      equal(() => reader.read(), undefined, announced, { given: arrived(header) });
      reader.push(Uint8Array.of(1, 2, 3));
      const three = 'Three bytes of 512 MiB are there.';
      equal(() => reader.read(), undefined, three, { given: arrived(header) });
      if (process.memoryUsage().arrayBuffers - before < 256 * 1024 * 1024) return;
      fail('Reserve no memory for bytes that have only been announced.', [
        ['arrived', show(header)],
        ['reserved', 'more than 256 MiB'],
      ]);
    },
  },
  {
    what: 'Reserve no memory for small frames that have only been announced, either.',
    rules: [],
    check(lesson) {
      for (const [size, count] of [
        [64 * 1024 - 1, 50],
        [4 * 1024, 500],
      ] as const) {
        // Compared with short frames: a reader may have a buffer from the start.
        const [less, more] = [200, size].map((length) => memoryOfAnnounced(lesson, length, count));
        if (more! - less! < (size * count) / 2) continue;
        fail(
          'Reserve no memory for small frames that have only been announced, either.',
          [
            ['announced', `${count} frames of ${size} bytes, to ${count} readers`],
            ['arrived', 'three bytes of each'],
            [
              'reserved',
              `${Math.round((more! - less!) / 1024)} KiB more than for frames of 200 bytes`,
            ],
          ],
          'A thousand connections that announce, and send nothing, cost the peer nothing. Let a buffer grow with what arrives.',
        );
      }
    },
  },
  {
    what: 'Read a frame of 1 MiB in small reads.',
    rules: [],
    check(lesson) {
      linearCost(anyFrames(lesson), Binary, (payload) => frame(Binary, payload));
    },
  },
];

export const FRAMES_OF_A_STREAM: readonly Scenario<Lesson>[] = [...WHOLE, ...CHECK_CALLS, ...COST];

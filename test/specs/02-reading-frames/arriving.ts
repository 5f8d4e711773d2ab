/** Step 5 · While a frame arrives. */
import { isDeepStrictEqual } from 'node:util';
import { attempt, equal, fail, failsWith } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import { frame, join, wire } from '../../../shared/kit/frames.ts';
import { buffersReserved } from '../../../shared/kit/memory.ts';
import { deliver } from '../../../shared/kit/replay.ts';
import { CloseCode, Opcode, ProtocolError } from '../../../shared/protocol.ts';
import { fromHex } from '../../../shared/view/hex.ts';
import type { FrameReader } from '../../../solutions/02-reading-frames/reading.ts';
import { linearCost, manyFrames } from './cost.ts';
import { anyFrames, arrived, type Lesson, readAll } from './readers.ts';

const { Binary, Ping, Pong, Text } = Opcode;

/** Makes a reader whose `check` notes the opcodes that it is called with, and refuses a Pong. */
function noting({ FrameReader }: Lesson) {
  const opcodes: number[] = [];
  const reader = new FrameReader(({ opcode }) => {
    opcodes.push(opcode);
    if (opcode === Pong) throw new ProtocolError(CloseCode.ProtocolError, '5.2', 'Not this one.');
  });
  return { opcodes, reader };
}

const CALLED_WITH = '`check` was called for opcodes';

const CALLED_LATE =
  'It is called when the whole frame is there. The header alone says whether the rest is worth waiting for.';

/** Says whether `check` is called for a frame that arrives whole. */
function isCalledFor(lesson: Lesson, bytes: Uint8Array): boolean {
  const { opcodes, reader } = noting(lesson);
  try {
    reader.push(bytes);
    reader.read();
  } catch {
    return false;
  }
  return opcodes.length > 0;
}

/** `check` sees each header once, when it is complete and the frames before it are out. */
const CHECK_CALLS: readonly Scenario<Lesson>[] = [
  {
    what: 'Call `check` with the header of a frame.',
    rules: [],
    check(lesson) {
      const { opcodes, reader } = noting(lesson);
      const bytes = wire({ opcode: Text, payload: 'one' });
      const given = arrived(bytes);
      reader.push(bytes);
      equal(() => reader.read(), frame(Text, 'one'), 'Read a frame that `check` accepts.', {
        given,
      });
      if (opcodes.length > 0) return;
      fail(
        'The reader never called `check`.',
        [...given, [CALLED_WITH, show(opcodes)], ['expected', show([Text])]],
        'The constructor gets `check`, and `read` calls it with the header of each frame.',
      );
    },
  },
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
      const bytes = wire({ opcode: Ping, payload: 'three' });
      const header = bytes.slice(0, 7);
      reader.push(header);
      const open = 'A header and one byte of its payload are there.';
      equal(() => reader.read(), undefined, open, { given: arrived(header) });
      equal(() => opcodes, [Ping], 'Call `check` as soon as a header is complete.', {
        given: arrived(header),
        label: CALLED_WITH,
        cause: () => (isCalledFor(lesson, bytes) ? CALLED_LATE : undefined),
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
      const neverThrows = '`push` only stores bytes: it never throws.';
      attempt(() => reader.push(refused), neverThrows, given);
      const what = 'What `check` throws, `read` throws.';
      failsWith(CloseCode.ProtocolError, () => reader.read(), what, { given });
    },
  },
  {
    what: 'The next `read` does not return a frame that `check` has refused, either.',
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
      const what = 'The next `read` does not return a frame that `check` has refused, either.';
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

/** How large the frames of a stream are, in bytes: a buffer of every usual size is filled and emptied. */
const SCALES = [100, 1000, 4000, 16_000, 64_000];

/** Four frames of about so many bytes each, with a key and a payload of their own. */
function streamOf(scale: number) {
  const frames = [3, 17, 41, 59].map((seed) => {
    const payload = new Uint8Array(scale - seed).map((_, i) => i * seed);
    return { opcode: Binary, payload, key: Uint8Array.of(seed, seed * 3, seed * 5, seed * 7) };
  });
  const expected = frames.map(({ payload }) => frame(Binary, payload));
  return { bytes: join(...frames.map(wire)), expected };
}

/** Reads a stream of frames of that size in reads of so many bytes, and checks what comes out. */
function readsStream(
  lesson: Lesson,
  scale: number,
  { bytes, expected }: ReturnType<typeof streamOf>,
  size: number,
): void {
  const reads = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
    bytes.subarray(i * size, (i + 1) * size),
  );
  const given: Fact[] = [['arrived', `4 frames of about ${scale} bytes, in reads of ${size}`]];
  const results = attempt(() => readAll(anyFrames(lesson), reads, true), STREAM, given);
  const isRightAtOnce = () =>
    isDeepStrictEqual(readAll(anyFrames(lesson), [bytes], true), expected);
  const cause = () => (isRightAtOnce() ? OVERWRITTEN : undefined);
  for (const [i, value] of expected.entries()) {
    equal(() => results[i], value, STREAM, { given, label: `frame ${i + 1} came out as`, cause });
  }
  equal(() => results.length, 4, STREAM, { given, label: 'frames' });
}

const STREAM = 'Read frames that arrive in parts, each behind the one before.';
const OVERWRITTEN =
  'In one read, the same bytes are read right. What is kept from one read to the next, such as a masking key, has to be a copy, or in memory that is not written again.';

/** A reader has to keep up with what arrives, whatever that is. */
const STREAMS: readonly Scenario<Lesson>[] = [
  {
    what: STREAM,
    rules: [91],
    check(lesson) {
      for (const scale of SCALES) {
        const stream = streamOf(scale);
        for (const part of [0.3, 0.6, 0.9]) {
          readsStream(lesson, scale, stream, Math.floor(scale * part));
        }
      }
    },
  },
  {
    what: 'Read 43,690 frames that arrive in one read.',
    rules: [],
    check: (lesson) => manyFrames(() => anyFrames(lesson), frame(Pong, '')),
  },
];

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
      linearCost(
        () => anyFrames(lesson),
        Binary,
        (payload) => frame(Binary, payload),
      );
    },
  },
];

export const WHILE_ARRIVING: readonly Scenario<Lesson>[] = [...CHECK_CALLS, ...STREAMS, ...COST];

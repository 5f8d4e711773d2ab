/** Step 4 · A stream has no frames. */
import { equal } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import { frame, join, utf8, wire } from '../../../shared/kit/frames.ts';
import { deliver } from '../../../shared/kit/replay.ts';
import { type Frame, Opcode } from '../../../shared/protocol.ts';
import { fromHex } from '../../../shared/view/hex.ts';
import type { FrameReader } from '../../../solutions/02-reading-frames/reading.ts';
import { RFC_FRAMES } from '../../vectors/frames.ts';
import { anyFrames, arrived, FRAMES, type Lesson, readsAs, replay } from './readers.ts';

const { Binary, Ping, Text } = Opcode;

const HELLO = fromHex(RFC_FRAMES[1]!.wire);

const WORDS = ['one', 'two', 'three', 'four', 'five'];
const FIVE_FRAMES = join(...WORDS.map((payload) => wire({ opcode: Text, payload })));

const USED_AGAIN =
  'It was right when it was returned. Its memory has been used again since: copy what you return, or never write there again.';

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
export const FRAMES_OF_A_STREAM: readonly Scenario<Lesson>[] = [
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
    what: 'Leave a payload as it is once it is returned.',
    rules: [],
    check(lesson) {
      // The first read ends with a frame, so that nothing waits; the second and third end inside one.
      const delivery = deliver(FIVE_FRAMES, [18, 33, 36]);
      const given = arrived(FIVE_FRAMES, delivery);
      const right = WORDS.map((word) => frame(Text, word));
      readsAs(() => anyFrames(lesson), FIVE_FRAMES, delivery, right, 'Read five frames.', true);
      const payloads = readAndKeep(anyFrames(lesson), delivery.reads);
      for (const [i, word] of WORDS.entries()) {
        const leave = `Leave payload ${i + 1} as it is once it is returned.`;
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
        'Where do the waiting bytes go? Each reader keeps its own, in a field and not in the module.';
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

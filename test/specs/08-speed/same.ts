/** Step 9: the scenarios of lessons 02, 03 and 05, on what is fast now, and all of the suite. */
import { CheckFailure, equal } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import type { AnySpec, Scenario } from '../../../shared/harness/spec.ts';
import { join } from '../../../shared/kit/frames.ts';
import { type Frame, ProtocolError } from '../../../shared/protocol.ts';
import { ANY_MESSAGES, ANY_SIZES } from '../02-reading-frames/generated.ts';
import type { Reader } from '../02-reading-frames/readers.ts';
import { spec as reading } from '../02-reading-frames.ts';
import { spec as sending } from '../03-sending-frames.ts';
import type { Lesson as ServerLesson } from '../05-server/core.ts';
import { runSuite } from '../05-server/suite.ts';
import { spec as server } from '../05-server.ts';
import { type Lesson, owning, type Scenarios } from './tools.ts';

/** The server of lesson 05, with what is fast laid over it. */
function serverOf({ EARLIER, ...fast }: Lesson): ServerLesson {
  return { ...EARLIER.server, ...(fast as unknown as ServerLesson) };
}

/** An earlier lesson, whose checks are made again. */
interface Earlier {
  readonly spec: AnySpec;
  /** What they are made on: the learner's own file, with what is fast laid over it. */
  readonly laidOver: (lesson: Lesson) => object;
  /** What one has to know to understand a failure. */
  readonly note?: Fact;
}

const EARLIER: readonly Earlier[] = [
  { spec: reading, laidOver: (lesson) => ({ ...lesson.EARLIER.reading, ...lesson }) },
  {
    spec: sending,
    laidOver: (lesson) => ({ ...lesson.EARLIER.sending, ...encodersOf(lesson) }),
    note: ['encodeFrames', 'is `add` of a new `Output` for each frame, and then `take`'],
  },
  { spec: server, laidOver: serverOf },
];

/** The encoders of lesson 03, made of those that are fast. */
function encodersOf({ Output, encodeText }: Lesson) {
  const encodeFrames = (frames: readonly Frame[]) => {
    const output = new Output();
    for (const frame of frames) output.add(frame);
    const parts = output.take();
    // A part as it was taken: memory that is used twice would be seen.
    return parts.length === 1 ? parts[0] : join(...parts);
  };
  const encodeFrame = (frame: Frame) => encodeFrames([frame]);
  return { encodeText, encodeFrames, encodeFrame };
}

/** The scenarios of an earlier lesson, which name the step that they come from. */
function again({ spec: { lesson, steps }, laidOver, note }: Earlier): Scenario<Lesson>[] {
  const number = lesson.slice(0, 2);
  return steps.flatMap(({ title, section, scenarios }, i) => {
    const place = `${number}.${i + 1}`;
    const from: Fact = [
      'asked in',
      `lesson ${number}, step ${i + 1}: ${title} (npm run hint ${place})`,
    ];
    const told = note ? [note, from] : [from];
    return scenarios.map((scenario) => ({
      ...scenario,
      what: `${place}: ${scenario.what}`,
      // They are claimed where they are taught.
      rules: [],
      check: (lesson) => retold(() => scenario.check(laidOver(lesson)), told, section),
    }));
  });
}

/** Runs a check of an earlier lesson. When it fails, that says where the check is from. */
async function retold(
  check: () => void | Promise<void>,
  told: readonly Fact[],
  section: string,
): Promise<void> {
  try {
    await check();
  } catch (error) {
    if (!(error instanceof CheckFailure)) throw error;
    const { message, facts, cause, section: own = section } = error;
    throw new CheckFailure(message, [...facts, ...told], cause, own);
  }
}

const ROLES = ['server', 'client'] as const;

/** The seven bits of a length, and how long the payload is then. The longer forms come with it. */
const LENGTHS: readonly (readonly [bits: number, length: number])[] = [
  [0, 0],
  [125, 125],
  [126, 125],
  [126, 126],
  [127, 65_535],
  [127, 65_536],
];

const EVERY_BYTE = Array.from({ length: 256 }, (_, byte) => byte);

/** First bytes of frames of each kind. The other ones are tried with one length. */
const ORDINARY = [0x01, 0x02, 0x80, 0x82, 0x89];

/** Makes a header, legal or not. */
function headerOf(first: number, isMasked: boolean, bits: number, length: number): Buffer {
  const long = Buffer.alloc(bits === 127 ? 8 : bits === 126 ? 2 : 0);
  if (long.length > 0)
    long.writeUIntBE(length, Math.max(0, long.length - 4), Math.min(4, long.length));
  const key = Buffer.alloc(isMasked ? 4 : 0);
  return Buffer.concat([Uint8Array.of(first, (isMasked ? 128 : 0) | bits), long, key]);
}

/** Says what a reader makes of a header: the code that it refuses it with, or `none`. */
function codeFor(reader: Reader<unknown>, header: Uint8Array): string {
  reader.push(header);
  try {
    reader.read();
    return 'none';
  } catch (error) {
    if (error instanceof ProtocolError) return `${error.closeCode}`;
    throw error;
  }
}

/** A header that is decoded in a faster way is still refused for the same reasons. */
const HEADERS: Scenario<Lesson> = {
  what: 'Every header is refused, or not, as in lesson 02.',
  rules: [],
  check({ MessageReader, EARLIER: { reading } }) {
    const what = 'Every header is refused, or not, as in lesson 02.';
    for (const role of ROLES) {
      for (const [bits, length] of LENGTHS) {
        for (const first of length === 0 ? EVERY_BYTE : ORDINARY) {
          for (const isMasked of [true, false]) {
            const header = headerOf(first, isMasked, bits, length);
            const right = codeFor(new reading.MessageReader(role), header);
            equal(() => codeFor(new MessageReader(role), header), right, what, {
              given: [
                ['we are', `the ${role}`],
                ['the header', show(header)],
              ],
              label: 'it is refused with',
              cause: (code) =>
                code === 'none'
                  ? 'Whatever is not quite ordinary can go to `decodeHeader` and `checkHeader` of lesson 02.'
                  : undefined,
            });
          }
        }
      }
    }
  },
};

/** What is handed over is read as what is copied. */
const OWNED: readonly Scenario<Lesson>[] = [ANY_MESSAGES, ANY_SIZES].map((scenario) => ({
  ...scenario,
  what: `Handed over: ${scenario.what}`,
  rules: [],
  check: (lesson) => scenario.check(owning(lesson)),
}));

/** The categories of the suite that lesson 05 leaves out: large messages, limits, rude clients. */
const HEAVY = ['9', '10', 'L', 'R'];

export const SAME: Scenarios = [
  HEADERS,
  ...OWNED,
  ...EARLIER.flatMap(again),
  {
    what: 'The cases of the suite about large messages, limits and rude clients are OK.',
    rules: [],
    isSuite: true,
    check: (lesson) => runSuite(serverOf(lesson), HEAVY),
  },
];

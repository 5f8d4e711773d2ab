/** Step 9: the scenarios of lessons 02, 03 and 05, on what is fast now, and all of the suite. */
import { CheckFailure } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import type { AnySpec, Scenario } from '../../../shared/harness/spec.ts';
import { join } from '../../../shared/kit/frames.ts';
import type { Frame } from '../../../shared/protocol.ts';
import { ANY_MESSAGES, ANY_SIZES } from '../02-reading-frames/generated.ts';
import { spec as reading } from '../02-reading-frames.ts';
import { spec as sending } from '../03-sending-frames.ts';
import type { Lesson as ServerLesson } from '../05-server/core.ts';
import { runSuite } from '../05-server/suite.ts';
import { spec as server } from '../05-server.ts';
import { SAME_HEADERS } from './headers.ts';
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
  ...SAME_HEADERS,
  ...OWNED,
  ...EARLIER.flatMap(again),
  {
    what: 'The cases of the suite about large messages, limits and rude clients are OK.',
    rules: [],
    isSuite: true,
    check: (lesson) => runSuite(serverOf(lesson), HEAVY),
  },
];

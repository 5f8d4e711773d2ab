/** Lesson 03, steps 1 to 3: generated frames, beside an encoder that is slow and obvious. */
import { equal, fail } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import { join, wire } from '../../../shared/kit/frames.ts';
import { type Choices, generated } from '../../../shared/kit/generate.ts';
import type { Frame } from '../../../shared/protocol.ts';
import { toHex } from '../../../shared/view/hex.ts';
import {
  type DrawnFrame,
  drawFrame,
  drawLength,
  FROM_START,
  fromStart,
  tellFrame,
  tellFrames,
} from './draw.ts';
import { maskMistake } from './masking.ts';
import { type Lesson, NO_COPY, SHARED_MEMORY } from './tools.ts';

type DrawLength = (choose: Choices) => number;

const shortLength: DrawLength = (choose) => drawLength(choose, 125);

/** Of every class of lengths. The longest are rare, for they take their time. */
const anyLength: DrawLength = (choose) => {
  const length = drawLength(choose, 2000);
  return choose.oneIn(40) ? 65534 + (length & 3) : length;
};

/** Bytes that were returned, and what they have to remain. */
interface Kept {
  readonly bytes: Uint8Array;
  readonly expected: Uint8Array;
  readonly given: readonly Fact[];
}

/** Looks again at what was returned, after later calls, and with the payloads overwritten. */
function remains(kept: readonly Kept[], payloads: readonly Uint8Array[]): void {
  const look = (what: string, why: string) => {
    for (const { bytes, expected, given } of kept) {
      const label = 'what it returned became';
      equal(() => bytes, expected, what, { given, label, cause: () => why });
    }
  };
  look('What was returned stays as it is when more is encoded.', SHARED_MEMORY);
  for (const payload of payloads) payload.fill(0xaa);
  look(
    'What was returned stays as it is when the caller uses the payload again.',
    'The payload was not copied: what was returned is in the same memory.',
  );
}

/** Checks that a call has left the payloads, and the list of them, as they were. */
function leavesAlone(frames: readonly Frame[], before: readonly Frame[], given: Fact[]): void {
  const isSame =
    frames.length === before.length &&
    frames.every((frame, i) => frame.opcode === before[i]?.opcode);
  if (!isSame) {
    const left: Fact = ['afterwards', `${frames.length} frames are in it`];
    fail('The list of frames belongs to the caller: do not change it.', [...given, left]);
  }
  for (const [i, { payload }] of frames.entries()) {
    equal(
      () => payload,
      before[i]?.payload,
      'The payload belongs to the caller: leave it as it was.',
      { given, label: 'its payload, afterwards', cause: () => NO_COPY },
    );
  }
}

function copyOf(frames: readonly DrawnFrame[]): DrawnFrame[] {
  return frames.map((frame) => ({ ...frame, payload: new Uint8Array(frame.payload) }));
}

const unmasked = (frames: readonly Frame[]) =>
  join(...frames.map((frame) => wire({ ...frame, key: null })));

/** Names the cause where the payload was read from the wrong place, and that is all. */
function readsFromStart(actual: unknown, wrong: Uint8Array): string | undefined {
  const isThat = actual instanceof Uint8Array && Buffer.compare(actual, wrong) === 0;
  return isThat ? FROM_START : undefined;
}

/** Encodes frames in one call, as a server. */
function encodesOnce(
  { encodeFrame, encodeFrames }: Lesson,
  frames: DrawnFrame[],
  one: boolean,
): Kept {
  const before = copyOf(frames);
  const expected = unmasked(frames);
  const call = one ? 'encodeFrame(frame 1)' : `encodeFrames of ${frames.length} frames`;
  const given: Fact[] = [['call', call], ...tellFrames(before)];
  let bytes: Uint8Array = expected;
  const encode = () => {
    bytes = one ? encodeFrame(frames[0]!) : encodeFrames(frames);
    return bytes;
  };
  equal(encode, expected, 'Encode frames, wherever their payloads are.', {
    given,
    frames: true,
    cause: (actual) => readsFromStart(actual, unmasked(frames.map(fromStart))),
  });
  leavesAlone(frames, before, given);
  return { bytes, expected, given };
}

/** Encodes frames in a few calls, as a server. */
function encodes(
  what: string,
  rules: readonly number[],
  cases: number,
  lengthOf: DrawLength,
): Scenario<Lesson> {
  return {
    what,
    rules,
    check: (lesson) =>
      generated(cases, (choose) => {
        const payloads: Uint8Array[] = [];
        const kept = choose.list(2, () => {
          const frames = choose.list(3, () => drawFrame(choose, lengthOf(choose)));
          payloads.push(...frames.map(({ payload }) => payload));
          return encodesOnce(lesson, frames, frames.length === 1 && choose.oneIn(2));
        });
        remains(kept, payloads);
      }),
  };
}

/** Step 1, generated. */
export const shortFrames = encodes(
  'Encode any short frames, and leave their payloads alone.',
  [68, 71, 75, 111, 112, 113],
  60,
  shortLength,
);

/** Step 2, generated. */
export const anyFrames = encodes(
  'Encode any frames, and leave their payloads alone.',
  [68, 71, 74, 75, 111, 112, 113],
  30,
  anyLength,
);

/** A client that masks: where its keys come from, and whether it was asked for the last one. */
class Client {
  readonly name: string;
  #key = new Uint8Array(4);
  #asked = 0;

  constructor(name: string) {
    this.name = name;
  }

  readonly random = (size: number): Uint8Array => {
    this.#asked++;
    if (size !== 4) fail('A masking key has four bytes.', [['asked', `random(${size})`]]);
    return this.#key.slice();
  };

  /** Encodes a frame with this key. */
  encodes({ encodeMaskedFrame }: Lesson, frame: DrawnFrame, key: Uint8Array<ArrayBuffer>): Kept {
    const before = copyOf([frame]);
    const expected = wire({ ...frame, key });
    const given: Fact[] = [
      ['call', `encodeMaskedFrame(frame, random) of ${this.name}`],
      ['frame', tellFrame(frame)],
      ['random(4)', `returns ${toHex(key)}`],
    ];
    this.#key = key;
    this.#asked = 0;
    let bytes: Uint8Array = expected;
    const encode = () => {
      bytes = encodeMaskedFrame(frame, this.random);
      return bytes;
    };
    equal(encode, expected, 'Encode a masked frame, wherever its payload is.', {
      given,
      frames: true,
      cause: (actual) =>
        readsFromStart(actual, wire({ ...fromStart(frame), key })) ??
        maskMistake(actual, frame, key, this.#asked > 0),
    });
    leavesAlone([frame], before, given);
    return { bytes, expected, given };
  }
}

/** Step 3, generated. */
export const maskedFrames: Scenario<Lesson> = {
  what: 'Encode any frames of two clients, each with its own key.',
  rules: [66, 71, 74, 75, 78, 79, 82],
  check: (lesson) =>
    generated(24, (choose) => {
      const clients = [new Client('client 1'), new Client('client 2')];
      const payloads: Uint8Array[] = [];
      const kept = choose.list(3, () => {
        const frame = drawFrame(choose, anyLength(choose));
        payloads.push(frame.payload);
        return choose.pick(clients).encodes(lesson, frame, choose.bytes(4));
      });
      remains(kept, payloads);
    }),
};

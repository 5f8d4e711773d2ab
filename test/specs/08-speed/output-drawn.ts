/** Steps 5 and 6: any frames, added to several outputs in turn and taken out at any moment. */
import { equal } from '../../../shared/harness/check.ts';
import type { About, Fact } from '../../../shared/harness/facts.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import { join } from '../../../shared/kit/frames.ts';
import { type Choices, generated } from '../../../shared/kit/generate.ts';
import { type Frame, Opcode } from '../../../shared/protocol.ts';
import { someBytes } from './reads.ts';
import { onWire, outputOf } from './sending.ts';
import type { Lesson } from './tools.ts';

const { Binary, Continuation, Ping, Text } = Opcode;

/** What payloads are parts of. */
const POOL = someBytes(80_000);

/** Draws how long a payload is: mostly short. `long` lengths are drawn as well. */
function drawLength(choose: Choices, long: readonly number[]): number {
  if (long.length > 0 && choose.oneIn(4)) return choose.pick(long);
  const most = choose.pick([10, 130, 300, 5000]);
  return choose.below(most);
}

function drawFrame(choose: Choices, long: readonly number[]): Frame {
  const opcode = choose.pick([Text, Binary, Continuation, Ping]);
  const fin = opcode === Ping || !choose.oneIn(3);
  const start = choose.below(100);
  // Memory of its own: it is used again later.
  const payload = POOL.slice(start, start + drawLength(choose, opcode === Ping ? [] : long));
  const length = opcode === Ping ? Math.min(payload.length, 125) : payload.length;
  return { fin, opcode, payload: payload.subarray(0, length) };
}

/** An output, and what has to come out of it. */
class Side {
  readonly #output: InstanceType<Lesson['Output']>;
  readonly #longBytes: number;
  readonly #calls: string[] = [];
  /** What was added, and what all of it is on the wire. */
  #right: Uint8Array[] = [];
  #taken: Uint8Array[] = [];

  constructor(lesson: Lesson) {
    this.#output = outputOf(lesson);
    this.#longBytes = lesson.LONG_BYTES;
  }

  add(frame: Frame): void {
    const { opcode, payload } = frame;
    this.#calls.push(`add(opcode ${opcode}, ${payload.length} bytes)`);
    this.#right.push(onWire([frame]));
    this.#output.add(frame);
    // A long one has to stay as it is until it is written.
    if (payload.length < this.#longBytes) payload.fill(0xbb);
  }

  take(): void {
    this.#calls.push('take()');
    this.#taken.push(...this.#output.take());
    this.check('What was added is taken, in order.', 'the parts, joined');
  }

  check(what: string, label: string): void {
    const calls = this.#calls;
    const about: About = {
      label,
      get given(): Fact[] {
        return [['the calls', calls.join('; ')]];
      },
    };
    equal(() => join(...this.#taken), join(...this.#right), what, about);
  }
}

/** Draws frames for one output or two, and when they are taken. */
export function drawOutputs(lesson: Lesson, choose: Choices, long: readonly number[]): void {
  const sides = Array.from({ length: 1 + choose.below(2) }, () => new Side(lesson));
  choose.list(12, () => {
    const side = choose.pick(sides);
    if (choose.oneIn(3)) side.take();
    else side.add(drawFrame(choose, long));
  });
  for (const side of sides) side.take();
  for (const side of sides) side.check('What was taken stays as it is.', 'in the end');
}

export const ANY_OUTPUT: Scenario<Lesson> = {
  what: 'Any frames are written, one behind the other, and stay as they are.',
  rules: [],
  check: (lesson) => generated(100, (choose) => drawOutputs(lesson, choose, [])),
};

export const ANY_LONG_OUTPUT: Scenario<Lesson> = {
  what: 'Any frames, long and short, are written in their order.',
  rules: [],
  check(lesson) {
    const { LONG_BYTES } = lesson;
    const long = [LONG_BYTES, LONG_BYTES - 1, LONG_BYTES + 1, 65_535, 65_536, 70_000];
    generated(60, (choose) => drawOutputs(lesson, choose, long));
  },
};

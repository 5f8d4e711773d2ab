/** Lesson 03, step 7: random calls of queues, beside one that is a plain list. */
import { attempt, fail, throws } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import { type Choices, generated } from '../../../shared/kit/generate.ts';
import { withGiven } from '../../../shared/kit/given.ts';
import { type Frame, Opcode } from '../../../shared/protocol.ts';
import { tell, tellCall } from './queues.ts';
import type { Lesson } from './tools.ts';

const { Binary, Close, Continuation, Ping, Pong, Text } = Opcode;

/** What a `SendQueue` has to do, with nothing but lists. */
class PlainQueue {
  readonly urgent: Frame[] = [];
  readonly line: Frame[] = [];
  isBegun = false;
  isClosed = false;

  /** Returns what it has dropped. */
  dropWaiting(): Frame[] {
    const end = this.isBegun ? this.line.findIndex(({ fin }) => fin) + 1 : 0;
    return this.line.splice(end);
  }

  next(): Frame | undefined {
    const urgent = this.urgent.shift();
    if (urgent) return urgent;
    const frame = this.line.shift();
    this.isBegun = frame !== undefined && !frame.fin;
    return frame;
  }
}

/** Whether frames are one message: its first has the opcode, its last FIN. */
function isMessage(frames: readonly Frame[]): boolean {
  const opcodes = frames.map(({ opcode }) => opcode);
  const fins = frames.map(({ fin }) => fin);
  return (
    (opcodes[0] === Text || opcodes[0] === Binary) &&
    opcodes.slice(1).every((opcode) => opcode === Continuation) &&
    fins.indexOf(true) === frames.length - 1
  );
}

/** A call of a queue: which, the method, and what it was called with. */
type Call = readonly [queue: string, method: string, frames?: readonly Frame[]];

/** A queue of the lesson, the plain one beside it, and what both were told. */
class Pair {
  readonly #name: string;
  readonly #calls: Call[];
  readonly #tested: InstanceType<Lesson['SendQueue']>;
  readonly #plain = new PlainQueue();
  readonly #refused: Frame[] = [];
  /** What waited when a call was refused, for the last time. */
  #waited: readonly Frame[] = [];
  readonly #dropped: Frame[] = [];

  constructor({ SendQueue }: Lesson, name: string, calls: Call[]) {
    this.#tested = new SendQueue();
    this.#name = name;
    this.#calls = calls;
  }

  /** Makes a call, and tells of it and of those before it when it goes wrong. */
  #call<T>(method: string, frames: readonly Frame[], check: () => T): T {
    const before = this.#calls.length;
    this.#calls.push([this.#name, method, frames]);
    const facts = (): Fact[] => {
      const calls = this.#calls.map(
        ([name, called, given]) => `${name}.${tellCall(called, given)}`,
      );
      return [
        ['before', calls.slice(0, before).join('; ') || 'nothing'],
        ['now', calls[before] ?? ''],
      ];
    };
    return withGiven(facts, check);
  }

  addMessage(frames: readonly Frame[]): void {
    this.#call('addMessage', frames, () => {
      const list = [...frames];
      const add = () => this.#tested.addMessage(list);
      if (this.#plain.isClosed) {
        throws(Error, add, 'After a Close, refuse every message.', {
          cause: () => this.#whyOpen(),
        });
        this.#refuse(frames);
      } else if (isMessage(frames)) {
        attempt(add, 'Take every whole message.');
        this.#plain.line.push(...frames);
      } else {
        throws(RangeError, add, 'Refuse what is not one whole message.');
        this.#refuse(frames);
      }
      if (list.length === frames.length && list.every((frame, i) => frame === frames[i])) return;
      const left: Fact = ['afterwards', `${list.length} frames in it`];
      fail('The list of frames belongs to the caller: do not change it.', [left]);
    });
  }

  addControl(frame: Frame): void {
    this.#call('addControl', [frame], () => {
      const add = () => this.#tested.addControl(frame);
      if (frame.opcode < Close) {
        throws(RangeError, add, 'Refuse what is not a control frame.');
        this.#refuse([frame]);
      } else if (frame.opcode !== Close) {
        attempt(add, 'Take a Ping or Pong at any time.');
        this.#plain.urgent.push(frame);
      } else if (this.#plain.isClosed) {
        throws(Error, add, 'Refuse every second Close.', { cause: () => this.#whyOpen() });
        this.#refuse([frame]);
      } else {
        attempt(add, 'Take the first Close.');
        this.#plain.line.push(frame);
        this.#plain.isClosed = true;
      }
    });
  }

  dropWaiting(): void {
    this.#call('dropWaiting', [], () => {
      attempt(() => this.#tested.dropWaiting(), 'Drop what waits.');
      this.#dropped.push(...this.#plain.dropWaiting());
    });
  }

  #refuse(frames: readonly Frame[]): void {
    this.#refused.push(...frames);
    this.#waited = [...this.#plain.urgent, ...this.#plain.line];
  }

  #whyOpen(): string | undefined {
    const isDropped = this.#dropped.some(({ opcode }) => opcode === Close);
    return isDropped
      ? 'A Close was added before, and then `dropWaiting` was called. The queue stays closed.'
      : undefined;
  }

  /** Takes out a frame. Returns whether there was one. */
  next(): boolean {
    return this.#call('next', [], () => {
      const expected = this.#plain.next();
      const what = 'The frames go in their order, and no others.';
      const actual = attempt(() => this.#tested.next(), what);
      const isRight = expected === undefined && this.#isKeptClose(actual);
      if (!isRight && tell(actual) !== tell(expected)) {
        const facts: Fact[] = [
          ['next() returns', tell(actual)],
          ['expected', tell(expected)],
        ];
        fail(what, facts, this.#why(actual, expected));
      }
      return actual !== undefined;
    });
  }

  /** Whether this is a Close that waited when `dropWaiting` was called: it may go, or be dropped. */
  #isKeptClose(frame: Frame | undefined): boolean {
    const at = this.#dropped.findIndex(
      (other) => other.opcode === Close && frame !== undefined && tell(other) === tell(frame),
    );
    if (at === -1) return false;
    this.#dropped.splice(at, 1);
    return true;
  }

  #why(actual: Frame | undefined, expected: Frame | undefined): string | undefined {
    if (actual === undefined && expected && this.#waited.includes(expected)) {
      return 'This frame waited when another was refused. A call that is refused changes nothing.';
    }
    if (!(actual?.payload instanceof Uint8Array)) return undefined;
    const isIn = (frames: readonly Frame[]) => frames.some((frame) => tell(frame) === tell(actual));
    if (isIn(this.#refused)) {
      return 'This frame was refused, and waits all the same: look at all of it first, then add it.';
    }
    if (isIn(this.#dropped)) {
      return 'Its message had not begun when `dropWaiting` was called: nothing of it goes.';
    }
    const isUrgent = expected?.opcode === Ping || expected?.opcode === Pong;
    return isUrgent ? 'A Ping or Pong goes before everything else that waits.' : undefined;
  }
}

/** Draws the frames of a message, of which each is another one. */
function drawMessage(choose: Choices, name: () => string): Frame[] {
  const count = 1 + choose.below(4);
  const opcode = choose.pick([Text, Binary]);
  return Array.from({ length: count }, (_, i) => ({
    fin: i === count - 1,
    opcode: i === 0 ? opcode : Continuation,
    payload: Buffer.from(name()),
  }));
}

/** Makes frames that look like a message, and mostly are none. */
function spoil(choose: Choices, frames: readonly Frame[]): Frame[] {
  const at = choose.below(frames.length);
  const frame = frames[at]!;
  switch (choose.below(5)) {
    case 0:
      return frames.toSpliced(at, 1);
    case 1:
      return frames.with(at, { ...frame, fin: !frame.fin });
    case 2:
      return frames.with(at, { ...frame, opcode: choose.pick([Text, Continuation, Ping, 3]) });
    case 3:
      return frames.toSpliced(at, 0, { fin: true, opcode: Ping, payload: Buffer.from('ping') });
    default:
      return [...frames, ...frames];
  }
}

/** Calls a queue. Half of the calls take a frame out, or a queue would only grow. */
function act(choose: Choices, queue: Pair, name: () => string): void {
  const control = (...opcodes: readonly number[]): Frame => {
    return { fin: true, opcode: choose.pick(opcodes), payload: Buffer.from(name()) };
  };
  const acts: readonly (() => void)[] = [
    () => queue.addMessage(drawMessage(choose, name)),
    () => queue.addMessage(drawMessage(choose, name)),
    () => queue.addMessage(spoil(choose, drawMessage(choose, name))),
    () => queue.addControl(control(Ping, Pong)),
    () => queue.addControl(control(Text, Binary, Continuation)),
    () => queue.addControl(control(choose.oneIn(3) ? Close : Ping)),
    () => queue.dropWaiting(),
    () => void queue.next(),
    () => void queue.next(),
    () => void queue.next(),
    () => void queue.next(),
  ];
  choose.pick(acts)();
}

/** Step 7, generated. */
export const anyOrder: Scenario<Lesson> = {
  what: 'Return the right frames, whatever two queues are told.',
  rules: [70, 85, 86, 87, 97, 108, 109, 110, 115],
  check: (lesson) =>
    generated(90, (choose) => {
      const calls: Call[] = [];
      const queues = ['queue', 'other'].map((name) => new Pair(lesson, name, calls));
      let count = 0;
      const name = () => `${++count}`;
      choose.list(16, () => act(choose, queues[Number(choose.oneIn(5))]!, name));
      for (const queue of queues) {
        // More than there can be: a queue that always has one would never come to its end.
        for (let i = 0; i < 300 && queue.next(); i++);
      }
    }),
};

/** Lesson 03, step 7: queues that remember what they were told. */
import { attempt, fail, throws } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import type { Frame } from '../../../shared/protocol.ts';
import { opcodeName } from '../../../shared/view/say.ts';
import type { Lesson } from './tools.ts';

/** Tells of a frame in a few words, and of anything else as it is. */
export function tell(frame: Frame | undefined): string {
  if (!(frame?.payload instanceof Uint8Array)) return show(frame);
  const text = Buffer.from(frame.payload).toString('latin1');
  const payload = /^[ -~]*$/.test(text) ? `"${text}"` : show(frame.payload);
  return `${opcodeName(frame.opcode)} ${payload}${frame.fin ? '' : ' without FIN'}`;
}

function tellAll(frames: readonly (Frame | undefined)[]): string {
  return frames.length > 0 ? frames.map(tell).join(', ') : 'nothing';
}

/** What a queue can be told, as methods of a `SendQueue`. */
type Method = 'addMessage' | 'addControl';

/** Writes a call of a queue. */
export function tellCall(method: string, frames: readonly Frame[] = []): string {
  const list = frames.map(tell).join(', ');
  return `${method}(${method === 'addMessage' ? `[${list}]` : list})`;
}

/** A queue of the lesson. When something is wrong with it, all that it was told is told. */
export class ToldQueue {
  readonly #queue: InstanceType<Lesson['SendQueue']>;
  readonly #calls: string[] = [];

  constructor({ SendQueue }: Lesson) {
    this.#queue = new SendQueue();
  }

  #given(): Fact[] {
    return [['calls', this.#calls.join('; ') || 'none']];
  }

  addMessage(frames: readonly Frame[]): void {
    this.#calls.push(tellCall('addMessage', frames));
    attempt(() => this.#queue.addMessage([...frames]), 'Take a whole message.', this.#given());
  }

  addControl(frame: Frame, what = 'Take a control frame.'): void {
    this.#calls.push(tellCall('addControl', [frame]));
    attempt(() => this.#queue.addControl(frame), what, this.#given());
  }

  dropWaiting(): void {
    this.#calls.push('dropWaiting()');
    attempt(() => this.#queue.dropWaiting(), 'Drop what waits.', this.#given());
  }

  /** Checks that it refuses this. */
  refuses(
    kind: ErrorConstructor | RangeErrorConstructor,
    method: Method,
    frames: readonly Frame[],
    what: string,
  ): void {
    this.#calls.push(tellCall(method, frames));
    const add = () =>
      method === 'addMessage'
        ? this.#queue.addMessage([...frames])
        : this.#queue.addControl(frames[0]!);
    throws(kind, add, what, { given: this.#given() });
  }

  /** Checks which frame goes next. */
  gives(frame: Frame, what: string): void {
    this.#calls.push('next()');
    const actual = attempt(() => this.#queue.next(), what, this.#given());
    this.#compare([actual], [frame], 'next() returns', what);
  }

  /** Takes out all that waits, and checks that it is this. */
  isLeftWith(frames: readonly Frame[], what: string): void {
    const all: Frame[] = [];
    const next = () => attempt(() => this.#queue.next(), what, this.#given());
    for (let frame = next(); frame !== undefined; frame = next()) {
      all.push(frame);
      if (all.length > 100) fail('`next` returns `undefined` when nothing waits.', this.#given());
    }
    this.#compare(all, frames, 'then goes', what);
  }

  #compare(
    actual: readonly (Frame | undefined)[],
    expected: readonly Frame[],
    label: string,
    what: string,
  ): void {
    const [mine, right] = [tellAll(actual), tellAll(expected)];
    if (mine === right) return;
    fail(what, [...this.#given(), [label, mine], ['expected', right]]);
  }
}

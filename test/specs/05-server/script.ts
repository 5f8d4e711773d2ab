/** Scripts of what an application, its peer and the time do, and what should come of it. */
import { fail } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import { callsOf, clockOf } from '../../../shared/kit/calls.ts';
import { clock } from '../../../shared/kit/clock.ts';
import { join, splitFrames, utf8 } from '../../../shared/kit/frames.ts';
import type { Choices } from '../../../shared/kit/generate.ts';
import { Coming, hasAll, type Meaning } from '../../../shared/kit/speech.ts';
import { type Frame, Opcode, ProtocolError } from '../../../shared/protocol.ts';
import { count } from '../../../shared/view/count.ts';
import { toHex } from '../../../shared/view/hex.ts';
import { type Connection, connect, type Event, type Lesson } from './core.ts';
import { drawArrivals } from './grammar.ts';
import { type Due, Model } from './model.ts';

/** How much of the lesson is written, and so appears in a script. */
export interface Scope {
  /** What a peer may say: see `drawArrivals`. */
  readonly says: 'messages' | 'pings' | 'anything';
  readonly acts: readonly Act[];
  readonly limits?: Partial<Lesson['LIMITS']>;
  /** The sizes of large messages that the application sends. */
  readonly sizes?: readonly number[];
}

/** One thing that happens besides a read, as a method of `Session`. */
export type Act =
  | 'send'
  | 'sendLarge'
  | 'ping'
  | 'takeOutput'
  | 'close'
  | 'fail'
  | 'disconnect'
  | 'wait'
  | 'heard'
  | 'drained';

const TEXTS = ['a', '', '你好', 'Hello, client!'];
const REASONS = ['', 'bye'];
const CODES = [1000, 1001, 3000, 4999];
const ILLEGAL_CLOSES = [
  [1005, ''],
  [1006, ''],
  [1015, ''],
  [999, ''],
  [1000, 'x'.repeat(124)],
] as const;
const WAITS = [1, 4_999, 5_000, 12_345, 29_999, 30_000];

/** What large messages are made of: no part of it looks like another. */
const LARGE = Uint8Array.from({ length: 300_000 }, (_, i) => i % 251);

/** A connection of the lesson, and beside it what it should do. */
export class Session {
  readonly #choose: Choices;
  readonly #scope: Scope;
  readonly #connection: Connection;
  readonly #model: Model;
  readonly #clock = clock();
  readonly #lesson: Lesson;
  readonly #coming: Coming<Meaning>;
  /** What went out and is not a whole frame yet. */
  #partial: Uint8Array = new Uint8Array(0);
  #wakes = 0;
  /** How many bytes of messages the application has sent, those that have left counted. */
  #sentBytes = 0;
  readonly #heard: string[] = [];

  constructor(lesson: Lesson, choose: Choices, scope: Scope) {
    this.#lesson = lesson;
    this.#choose = choose;
    this.#scope = scope;
    this.#coming = new Coming(() => drawArrivals(choose, scope));
    const limits = { ...lesson.LIMITS, ...TIMES, maxMessageBytes: 100, ...scope.limits };
    this.#connection = connect(lesson, limits, this.#clock.now, () => this.#wakes++);
    this.#model = new Model(lesson, limits, this.#clock.now);
  }

  /** Lets one thing happen, and checks what comes of it. */
  step(): void {
    const { acts } = this.#scope;
    // What is to be dropped is dropped: nothing else happens to it first.
    const mustEnd = this.#model.ending === 'destroy' && this.#model.state !== 'CLOSED';
    const act = this.#choose.pick(['read', 'read', ...acts] as const);
    if (mustEnd) this.disconnect();
    else if (act === 'read') this.#read();
    else this[act]();
    this.#expectStanding();
  }

  /** Takes all of the output, and sees that nothing is missing. */
  end(): void {
    this.#pull();
    for (let i = 0; i < 100; i++) if (this.takeOutput() === 0) return;
    fail('`takeOutput` comes to an end.', this.#facts());
  }

  #facts(): Fact[] {
    const heard = this.#heard.slice(-6).join(', ');
    return [
      ...(heard ? [['the peer says', heard] as const] : []),
      ...callsOf(this.#connection),
      ...(this.#scope.acts.includes('wait') ? clockOf(this.#connection) : []),
    ];
  }

  #read(): void {
    const { chunk, whole } = this.#coming.read(this.#choose);
    if (chunk.length === 0) return;
    for (const { name } of whole) this.#heard.push(name);
    this.#model.receive(whole.flatMap(({ arrival }) => arrival ?? []));
    this.#connection.receive(chunk);
    this.#pull();
  }

  /** Pulls all events, and lets the application answer some. */
  #pull(): void {
    for (let i = 0; i < 50; i++) {
      const event = this.#connection.next();
      const due = this.#model.next();
      while (due[0]?.isOptional && !isEvent(event, due[0])) due.shift();
      if (event === undefined && due.length === 0) return;
      const [expected] = due;
      if (!isEvent(event, expected)) this.#wrongEvent(expected);
      if (event?.type === 'text' || event?.type === 'binary') this.#answer(event.data);
    }
  }

  #wrongEvent(expected: Due | undefined): never {
    const code = expected?.closeCode;
    fail('Each event comes, in order, and once.', [
      ...this.#facts(),
      ['expected', code ? `an error for the code ${code}` : show(expected?.event)],
    ]);
  }

  #answer(data: string | Uint8Array): void {
    const { acts } = this.#scope;
    if (!acts.includes('send')) return;
    const answer = this.#choose.below(acts.includes('close') ? 6 : 3);
    if (answer === 1 || answer === 2) this.#send(data);
    if (answer === 4) this.close();
    if (answer === 5) this.fail();
  }

  send(): void {
    this.#send(this.#choose.pick(TEXTS));
  }

  sendLarge(): void {
    this.#send(LARGE.subarray(0, this.#choose.pick(this.#scope.sizes ?? [70_000])));
  }

  #send(data: string | Uint8Array): void {
    const isText = typeof data === 'string';
    const payload = isText ? utf8(data) : data;
    const isOpen = this.#model.state === 'OPEN';
    const wakes = this.#wakes;
    this.#sentBytes += payload.length;
    const given = this.#connection.send(data);
    const isGivenUp = isOpen && this.#isEnding();
    const opcode = isText ? Opcode.Text : Opcode.Binary;
    const expected = this.#model.send(opcode, payload, isGivenUp, !given);
    if (expected !== undefined && given !== expected) this.#wrongSend(expected);
    if (isOpen) this.#expectWake(wakes);
    if (isGivenUp) this.#pull();
  }

  #wrongSend(expected: boolean): never {
    const { maxWaitingBytes = this.#lesson.LIMITS.maxWaitingBytes } = this.#scope.limits ?? {};
    const { HIGH_WATER_BYTES } = this.#lesson;
    const facts: Fact[] = [
      ...this.#facts(),
      ['expected', `${expected}`],
      ['sent in all', count(this.#sentBytes, 'byte')],
      ['HIGH_WATER_BYTES', `${HIGH_WATER_BYTES}`],
      ['maxWaitingBytes', `${maxWaitingBytes}`],
    ];
    const isCountedForEver = expected && this.#sentBytes >= HIGH_WATER_BYTES;
    const cause = 'Does `takeOutput` subtract what leaves? That waits no longer.';
    fail('`send` says whether there is room.', facts, isCountedForEver ? cause : undefined);
  }

  #isEnding(): boolean {
    return this.#scope.acts.includes('close') && this.#connection.ending !== undefined;
  }

  ping(): void {
    if (this.#model.state === 'OPEN' && this.#choose.oneIn(8)) {
      const ping = () => this.#connection.ping(new Uint8Array(126));
      this.#refuses(ping, 'Refuse a Ping of 126 bytes.');
      return;
    }
    const payload = this.#choose.bytes(this.#choose.below(4));
    const wakes = this.#wakes;
    this.#connection.ping(payload);
    if (this.#model.state === 'OPEN') this.#expectWake(wakes);
    this.#model.ping(payload);
  }

  close(): void {
    if (this.#model.state === 'OPEN' && this.#choose.oneIn(8)) {
      const [code, reason] = this.#choose.pick(ILLEGAL_CLOSES);
      const close = () => this.#connection.close(code, reason);
      this.#refuses(close, 'Refuse to close with what never travels.');
      return;
    }
    const code = this.#choose.pick(CODES);
    const reason = this.#choose.pick(REASONS);
    const wakes = this.#wakes;
    this.#connection.close(code, reason);
    if (this.#model.state === 'OPEN') this.#expectWake(wakes);
    this.#model.close(code, reason);
  }

  fail(): void {
    const error = this.#choose.oneIn(2)
      ? new ProtocolError(1003, '7.4.1', 'Only text, please.')
      : new Error('a bug of ours');
    const wakes = this.#wakes;
    this.#connection.fail(error);
    if (this.#model.isListening) this.#expectWake(wakes);
    this.#model.fail(error);
  }

  #refuses(call: () => void, what: string): void {
    try {
      call();
    } catch (error) {
      if (error instanceof RangeError) return;
    }
    fail(what, [...this.#facts(), ['expected', 'a thrown RangeError']]);
  }

  disconnect(): void {
    this.#connection.disconnect();
    this.#model.disconnect();
    this.#pull();
  }

  wait(): void {
    this.#clock.advance(this.#choose.pick(WAITS));
    this.#connection.checkTime();
    this.#model.checkTime();
    this.#pull();
  }

  heard(): void {
    this.#connection.heard();
    this.#model.heard();
  }

  drained(): void {
    for (let more = this.#choose.below(4) > 0; more && this.takeOutput() > 0; );
    // Whether a Pong or a Close that waits is in the way of a `drain` is nowhere said.
    if (this.#model.hasOutput && !this.#model.isWaiting) return;
    this.#connection.drained();
    this.#model.drained();
    this.#pull();
  }

  /** Checks that the shell has been woken since it had been so often. */
  #expectWake(wakes: number): void {
    if (this.#wakes > wakes) return;
    fail('Call `wake` when there is something new to do.', this.#facts());
  }

  /** Takes output, and returns how much. */
  takeOutput(): number {
    const output = this.#connection.takeOutput();
    const { frames, rest } = splitFrames(
      this.#partial.length === 0 ? output : join(this.#partial, output),
    );
    this.#partial = rest;
    for (const [i, frame] of frames.entries()) {
      const expected = this.#model.goesOut(frame);
      if (expected) this.#wrongOutput(output, frame, i, expected);
    }
    if (output.length === 0 && this.#model.hasOutput) {
      fail('Everything that was sent goes out.', this.#facts());
    }
    this.#expectSize(output.length);
    return output.length;
  }

  #wrongOutput(
    output: Uint8Array,
    { opcode, payload }: Frame,
    at: number,
    expected: string,
  ): never {
    fail('What is sent goes out once, in order, and nothing else.', [
      ...this.#facts(),
      ['went out', toHex(output, 20)],
      ['its frame', `number ${at + 1}: opcode ${opcode}, payload ${show(payload)}`],
      ['expected', expected],
    ]);
  }

  #expectSize(size: number): void {
    const { MAX_FRAGMENT_BYTES, MAX_OUTPUT_BYTES } = this.#lesson;
    if (size <= MAX_OUTPUT_BYTES + MAX_FRAGMENT_BYTES + 1000) return;
    fail('About MAX_OUTPUT_BYTES go out at once.', [
      ...this.#facts(),
      ['went out', `${size} bytes`],
      ['MAX_OUTPUT_BYTES', `${MAX_OUTPUT_BYTES}`],
    ]);
  }

  /** Checks what can be asked at any time. */
  #expectStanding(): void {
    const { acts } = this.#scope;
    const [connection, model] = [this.#connection, this.#model];
    const expect = (name: 'ending' | 'deadline' | 'owesDrain', what: string) => {
      if (connection[name] === model[name]) return;
      fail(what, [
        ...this.#facts(),
        [`\`${name}\` is`, show(connection[name])],
        ['expected', show(model[name])],
      ]);
    };
    if (acts.includes('close')) expect('ending', '`ending` says what becomes of TCP.');
    const isTimed = acts.includes('wait') && model.ending !== 'destroy';
    if (isTimed) expect('deadline', '`deadline` says when to come back.');
    if (model.state === 'OPEN' && acts.includes('send')) {
      expect('owesDrain', '`owesDrain` says whether somebody waits for room.');
    }
  }
}

const TIMES = { pingIntervalMs: 30_000, closeTimeoutMs: 5_000 };

function isEvent(event: Event | undefined, due: Due | undefined): boolean {
  if (!event || !due) return event === due;
  const expected = due.event as Record<string, unknown>;
  if (event.type !== expected.type) return false;
  if (event.type === 'error') {
    const { error } = event;
    if ('error' in expected) return error === expected.error;
    const { closeCode } = due;
    return !closeCode || (error instanceof ProtocolError && error.closeCode === closeCode);
  }
  return hasAll(event, expected);
}

/** Conversations of an application, a server and the time, and what should come of them. */
import { fail } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import { clockOf } from '../../../shared/kit/calls.ts';
import { clock } from '../../../shared/kit/clock.ts';
import { utf8 } from '../../../shared/kit/frames.ts';
import type { Choices } from '../../../shared/kit/generate.ts';
import { Coming, hasAll } from '../../../shared/kit/speech.ts';
import { Opcode, ProtocolError } from '../../../shared/protocol.ts';
import { decodeFrames } from '../../../shared/view/frame.ts';
import { agree, type Connection, chance, dial, type Event, NOTHING, story } from './connections.ts';
import { type Arrival, drawArrivals, drawResponse, type Range } from './conversation-grammar.ts';
import { type Due, Model } from './conversation-model.ts';
import type { Lesson } from './tools.ts';

/** How much of the lesson is written, and so appears in a conversation. */
export interface Scope extends Range {
  readonly acts: readonly Act[];
}

/** One thing that happens besides a read, as a method of `Conversation`. */
export type Act =
  | 'send'
  | 'ping'
  | 'takeOutput'
  | 'sent'
  | 'close'
  | 'fail'
  | 'disconnect'
  | 'wait';

const TEXTS = ['a', '', '你好', 'Hello, server!'];
const CLOSES = [[], [1000], [1001, 'bye'], [4999, '再见']] as const;
const ILLEGAL_CLOSES = [
  [1005, ''],
  [1006, ''],
  [1015, ''],
  [999, ''],
  [1000, 'x'.repeat(124)],
] as const;
const WAITS = [1, 4_999, 5_000, 9_999, 10_000];
const TIMES = { openTimeoutMs: 10_000, closeTimeoutMs: 5_000 };

/** A connection of the lesson, and beside it what it should do. */
export class Conversation {
  readonly #choose: Choices;
  readonly #scope: Scope;
  readonly #connection: Connection;
  readonly #model: Model;
  readonly #clock = clock();
  readonly #chance = chance();
  /** Where the keys so far were in what `random` has returned. */
  readonly #keys = new Set<number>();
  readonly #coming: Coming<Arrival>;
  #wakes = 0;
  #isLost = false;
  readonly #said: string[] = [];

  constructor(lesson: Lesson, choose: Choices, scope: Scope) {
    this.#choose = choose;
    this.#scope = scope;
    const options = { ...TIMES, maxMessageBytes: 100 };
    this.#connection = dial(lesson, {
      options,
      now: this.#clock.now,
      wake: () => this.#wakes++,
      random: this.#chance.random,
    });
    this.#model = new Model(TIMES, this.#clock.now);
    this.#model.requestGoesOut();
    const response = drawResponse(choose, scope, agree(this.#connection));
    this.#coming = new Coming(() => drawArrivals(choose, scope), response);
  }

  /** Lets one thing happen, and checks what comes of it. */
  step(): void {
    const { acts } = this.#scope;
    // What is to be dropped is dropped: nothing else happens to it first.
    const mustEnd = this.#model.ending === 'destroy';
    const act = this.#choose.pick(['read', 'read', ...acts] as const);
    if (mustEnd) this.disconnect();
    else if (act === 'read') this.#read();
    else this[act]();
    this.#expectStanding();
  }

  /** Takes all of the output, and sees that nothing is missing. */
  end(): void {
    this.#pull();
    for (let i = 0; i < 100; i++) if (!this.takeOutput()) return;
    fail('`takeOutput` comes to an end.', this.#facts());
  }

  #facts(): Fact[] {
    const said = this.#said.slice(-6).join(', ');
    return [
      ...(said ? [['the server says', said] as const] : []),
      ...story(this.#connection),
      ...(this.#scope.acts.includes('wait') ? clockOf(this.#connection) : []),
    ];
  }

  #read(): void {
    this.#receive();
    this.#pull();
  }

  #receive(): void {
    if (this.#model.state === 'CLOSED') return;
    const { chunk, whole } = this.#coming.read(this.#choose);
    if (chunk.length === 0) return;
    for (const { name } of whole) this.#said.push(name);
    this.#model.receive(whole.flatMap(({ arrival }) => arrival ?? []));
    this.#connection.receive(chunk);
  }

  /** Pulls all events, and lets the application answer some. */
  #pull(): void {
    for (let i = 0; i < 50; i++) {
      const event = this.#connection.next();
      const due = this.#model.next();
      if (!isEvent(event, due)) this.#wrongEvent(due);
      if (event === undefined) return;
      const isMessage = event.type === 'text' || event.type === 'binary';
      // What becomes of an answer to somebody who has gone is left open.
      if (isMessage && !this.#isLost) this.#answer(event.data);
    }
  }

  #wrongEvent(due: Due | undefined): never {
    fail('Each event comes, in order, and once.', [
      ...this.#facts(),
      ['expected', due?.name ? `an error event, with ${due.name}` : show(due?.event)],
    ]);
  }

  #answer(data: string | Uint8Array): void {
    const answer = this.#choose.below(this.#scope.acts.includes('close') ? 6 : 3);
    if (answer === 1 || answer === 2) this.#send(data);
    if (answer === 4) this.close();
    if (answer === 5) this.fail();
  }

  send(): void {
    const data = this.#choose.pick(TEXTS);
    this.#send(this.#choose.oneIn(4) ? utf8(data) : data);
  }

  #send(data: string | Uint8Array): void {
    const [opcode, payload] =
      typeof data === 'string' ? [Opcode.Text, utf8(data)] : [Opcode.Binary, data];
    const wakes = this.#wakes;
    const given = this.#connection.send(data);
    const expected = this.#model.send(opcode, payload);
    if (given !== expected) {
      fail('`send` says whether it will be sent.', [...this.#facts(), ['expected', `${expected}`]]);
    }
    if (expected) this.#expectWake(wakes);
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
    const [code, reason] = this.#choose.pick(CLOSES);
    const wakes = this.#wakes;
    this.#connection.close(code, reason);
    const isNews = this.#model.state === 'OPEN' || this.#model.state === 'CONNECTING';
    if (isNews) this.#expectWake(wakes);
    this.#model.close(code, reason ?? '');
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
    // The last bytes may come together with the end: they have not been looked at.
    if (this.#model.ending !== 'destroy' && this.#choose.oneIn(3)) this.#receive();
    const wakes = this.#wakes;
    const isNews = this.#model.state !== 'CLOSED';
    this.#connection.disconnect();
    if (isNews) this.#expectWake(wakes);
    this.#model.disconnect();
    this.#isLost = true;
    this.#pull();
  }

  wait(): void {
    this.#clock.advance(this.#choose.pick(WAITS));
    this.#connection.checkTime();
    this.#model.checkTime();
    this.#pull();
  }

  sent(): void {
    if (this.#model.sent()) this.#connection.sent();
  }

  /** Checks that the shell has been woken since it had been so often. */
  #expectWake(wakes: number): void {
    if (this.#wakes > wakes) return;
    fail('Call `wake` when there is something new to do.', this.#facts());
  }

  /** Takes output, and returns whether there was any. */
  takeOutput(): boolean {
    if (this.#model.state === 'CLOSED') return false;
    const output = this.#connection.takeOutput();
    if (output === undefined) {
      if (this.#model.hasOutput) fail('Everything that was sent goes out.', this.#facts());
      return false;
    }
    const frames = decodeFrames(output);
    const [frame = undefined] = frames;
    const place = frame?.key ? this.#chance.find(frame.key) : -1;
    if (!frame || frames.length > 1 || frame.missing > 0n || place < 0 || this.#keys.has(place)) {
      this.#wrongOutput(output, 'one whole frame, with a fresh key of `random`');
    }
    this.#keys.add(place);
    const expected = this.#model.goesOut(frame);
    if (expected) this.#wrongOutput(output, expected);
    return true;
  }

  #wrongOutput(output: Uint8Array, expected: string): never {
    fail('What is sent goes out once, in order, and nothing else.', [
      ...this.#facts(),
      ['went out', output.length === 0 ? show(NOTHING) : { bytes: output }],
      ['expected', expected],
    ]);
  }

  /** Checks what can be asked at any time. */
  #expectStanding(): void {
    const [connection, model] = [this.#connection, this.#model];
    const { acts } = this.#scope;
    const expect = (name: 'state' | 'ending' | 'deadline' | 'bufferedBytes', what: string) => {
      if (connection[name] === model[name]) return;
      fail(what, [
        ...this.#facts(),
        [`\`${name}\` is`, show(connection[name])],
        ['expected', show(model[name])],
      ]);
    };
    if (acts.includes('close')) expect('ending', '`ending` says what becomes of TCP.');
    // What is to be dropped is dropped, and what is gone is not asked.
    if (model.ending === 'destroy' || model.state === 'CLOSED') return;
    expect('state', '`state` says how far it is.');
    if (model.bufferedBytes !== undefined) {
      expect('bufferedBytes', '`bufferedBytes` says how much has not been sent.');
    }
    if (acts.includes('wait')) expect('deadline', '`deadline` says when to come back.');
  }
}

function isEvent(event: Event | undefined, due: Due | undefined): boolean {
  if (!event || !due) return event === due;
  const { event: expected, isRight } = due;
  if (event.type !== expected.type) return false;
  if (event.type === 'error') return isRight?.(event.error) ?? true;
  return hasAll(event, expected);
}

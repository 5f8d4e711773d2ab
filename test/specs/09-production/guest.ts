/** A client of a session, on a bus that is answered by hand, and what it has to hear. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { attempt, CheckFailure, fail } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import type { Entry, ServerFrame } from '../../../solutions/09-production/production.ts';
import { type HandBus, type HandRoom, LOBBY } from './hand-bus.ts';
import type { Lesson } from './tools.ts';

/** What a guest hears of a message. */
type Heard = Extract<ServerFrame, { t: 'msg' }>;

/** How a guest came in: what has to be so in its `welcome`. */
interface Entrance {
  readonly last: string | undefined;
  /** Whether the history knew that id then, and how much was said. */
  readonly isKnown: boolean;
  readonly tip: number;
}

export class Guest {
  /** What it was sent. */
  readonly frames: ServerFrame[] = [];
  /** What `close` was called with. */
  readonly closes: (readonly [code?: number, reason?: string])[] = [];
  readonly bus: HandBus;
  readonly session: InstanceType<Lesson['ServerSession']>;
  /** Is there room for more, once something has been sent? */
  #hasRoom = true;
  #owesDrain = false;
  #isGone = false;
  readonly #name: string;
  /** How long the story was when it had been sent something. */
  readonly #heardAt = new Map<ServerFrame, number>();
  #room: HandRoom | undefined;
  #entrance: Entrance | undefined;

  constructor({ ServerSession }: Lesson, bus: HandBus, user = 'ann', name = 'the client') {
    this.bus = bus;
    this.#name = name;
    const peer = {
      send: (data: string | Uint8Array) => this.#sent(data),
      close: (code?: number, reason?: string) => {
        bus.story.push(`${name}: is closed with ${code}`);
        this.closes.push([code, reason] as const);
      },
    };
    this.session = attempt(() => new ServerSession(peer, bus, user), 'A session is made.', [
      ['call', `new ServerSession(peer, bus, '${user}')`],
    ]);
  }

  #sent(data: string | Uint8Array): boolean {
    if (this.#isGone) return false;
    const frame = this.#read(data);
    this.#note(`is sent ${tell(frame)}${this.#hasRoom ? '' : ': `send` returns `false`'}`);
    this.frames.push(frame);
    this.#heardAt.set(frame, this.bus.story.length);
    if (this.#owesDrain && frame.t === 'msg') {
      const what =
        'From when `send` returns `false`, a client is sent no messages until `drained`.';
      const cause =
        'What is behind that one stays in the history, and is asked for when there is room.';
      this.#mislead(what, cause);
    }
    this.#owesDrain ||= !this.#hasRoom;
    return this.#hasRoom;
  }

  /** What was wrong when it happened: a session would catch an error that is thrown at it. */
  #misled: CheckFailure | undefined;

  #mislead(what: string, cause: string): void {
    this.#misled ??= new CheckFailure(what, this.facts(), cause);
  }

  #read(data: string | Uint8Array): ServerFrame {
    try {
      return JSON.parse(String(data)) as ServerFrame;
    } catch {
      this.#mislead('What a client is sent is JSON, as text.', `It was ${show(data)}.`);
      return { t: 'bye', afterMs: 0 };
    }
  }

  #note(line: string): void {
    this.bus.story.push(`${this.#name}: ${line}`);
  }

  /** Says what it likes. */
  async says(message: string | object): Promise<void> {
    const text = typeof message === 'string' ? message : JSON.stringify(message);
    this.#note(`says ${text}`);
    attempt(
      () => this.session.receive(text),
      'What a client may say is received.',
      this.bus.facts(),
    );
    await nextTurn();
  }

  /** Says hello, and then waits. */
  async hello(last?: string, room = LOBBY): Promise<void> {
    this.#room = this.bus.room(room);
    const isKnown = last !== undefined && this.#room.after(last, 1) !== undefined;
    this.#entrance = { last, isKnown, tip: this.#room.all.length };
    await this.says({ t: 'hello', room, ...(last !== undefined && { last }) });
  }

  /** Says hello, and is told all there is. */
  async enters(last?: string, room = LOBBY): Promise<void> {
    await this.hello(last, room);
    await this.bus.answerAll();
  }

  /** From now on, `send` returns `false`. */
  isFull(): void {
    this.#hasRoom = false;
  }

  /** Has read what it was sent. */
  async drains(): Promise<void> {
    this.#hasRoom = true;
    if (!this.#owesDrain) return;
    this.#owesDrain = false;
    this.#note('has room again');
    attempt(() => this.session.drained(), 'A session is told of room.', this.bus.facts());
    await nextTurn();
  }

  /** Its connection ends. */
  async leaves(): Promise<void> {
    this.#note('its connection has ended');
    this.#isGone = true;
    attempt(() => this.session.ended(), 'A session is told of the end.', this.bus.facts());
    await nextTurn();
  }

  /** The ids of the messages it was sent. */
  get ids(): string[] {
    return this.messages.map(({ id }) => id);
  }

  get messages(): Heard[] {
    return this.frames.filter((frame) => frame.t === 'msg');
  }

  /** The frames of a kind. */
  of<T extends ServerFrame['t']>(t: T): Extract<ServerFrame, { t: T }>[] {
    return this.frames.filter((frame) => frame.t === t) as Extract<ServerFrame, { t: T }>[];
  }

  /** What has happened, and what it has heard: all of it, or up to what it was sent. */
  facts(upTo?: ServerFrame): Fact[] {
    return this.bus.facts(upTo && this.#heardAt.get(upTo));
  }

  /** Checks that it was welcome in this way. */
  expectWelcome(last: string, gap: boolean, what: string, cause?: string): void {
    this.#expectNotMisled();
    const [first, ...more] = this.frames;
    const isRight = first?.t === 'welcome' && first.last === last && first.gap === gap;
    if (!isRight) {
      fail(
        what,
        [
          ...this.facts(first),
          ['the first frame', first ? tell(first) : 'there is none'],
          ['expected', tell({ t: 'welcome', last, gap })],
        ],
        cause,
      );
    }
    if (more.some(({ t }) => t === 'welcome')) fail('A client is welcome once.', this.facts());
  }

  #expectNotMisled(): void {
    if (this.#misled) throw this.#misled;
  }

  /**
   * Checks that it has heard all that was said behind the `last` of its welcome, each once and in
   * order, or of an honest gap. Nothing may be under way any more.
   */
  expectWhole(what: string, cause?: string): void {
    this.#expectNotMisled();
    const room = this.#room ?? this.bus.room();
    let at = this.#start(room, what);
    for (const frame of this.frames.slice(1)) {
      if (frame.t === 'welcome') fail('A client is welcome once.', this.facts(frame));
      if (frame.t === 'msg') at = this.#follow(room, at, frame, what, cause);
      if (frame.t === 'gap') at = this.#skip(room, at, frame);
    }
    const missing = room.all.slice(at);
    if (missing.length === 0) return;
    const ids = missing.map(({ id }) => id);
    fail(what, [...this.facts(), ['never sent', show(ids)]], cause);
  }

  /** Where what it hears begins, by its welcome. */
  #start(room: HandRoom, what: string): number {
    const { last, isKnown, tip } = this.#entrance!;
    const [first] = this.frames;
    if (first === undefined) fail(what, [...this.facts(), ['the client was sent', 'nothing']]);
    if (first.t !== 'welcome') {
      const cause = 'What comes before it would be for somebody who has no `last` yet.';
      fail('`welcome` is the first that a client hears.', this.facts(first), cause);
    }
    const at = room.positions.get(first.last);
    const wanted = last === undefined ? undefined : room.positions.get(last);
    if (at === undefined || (at < tip && at !== wanted)) {
      fail('`last` is the id up to which a client has, or has missed, everything.', [
        ...this.facts(first),
        ['`last` of `welcome`', show(first.last)],
        ['expected', last === undefined ? 'the tip' : `${show(last)}, or the tip and a gap`],
      ]);
    }
    const isKept = isKnown && wanted !== undefined && wanted > room.lost;
    if (isKept && (first.gap || first.last !== last)) {
      fail('Whoever comes back in time is told of no gap, and misses nothing.', this.facts(first));
    }
    if (last === undefined ? first.gap : !first.gap && at !== wanted) {
      fail('`gap` says whether something may be missing before `last`.', [
        ...this.facts(first),
        ['`gap` of `welcome`', show(first.gap)],
        ['expected', show(!first.gap)],
      ]);
    }
    return at;
  }

  #follow(room: HandRoom, at: number, frame: Heard, what: string, cause?: string): number {
    const [right, found] = [room.all[at], room.positions.get(frame.id)];
    const { id, user, cid, text } = frame;
    if (right?.id === id) {
      if (right.user === user && right.cid === cid && right.text === text) return at + 1;
      fail('A message arrives as it was said.', [
        ...this.facts(frame),
        ['was said', show(right)],
        ['was sent', show({ id, user, cid, text })],
      ]);
    }
    const next: Fact = ['expected', right ? right.id : 'none, as it has heard all there is'];
    const why =
      found === undefined
        ? 'No message has this id.'
        : found <= at
          ? 'The client has seen it already.'
          : (cause ?? 'Something between them is missing.');
    return fail(what, [...this.facts(frame), ['it was sent', `${id}`], next], why);
  }

  #skip(room: HandRoom, at: number, frame: ServerFrame & { t: 'gap' }): number {
    const { last } = frame;
    const to = room.positions.get(last);
    if (at <= room.lost && to !== undefined && to >= at) return to;
    const isHonest = at <= room.lost;
    return fail(
      isHonest
        ? 'The `last` of a gap is the id up to which messages may be missing.'
        : 'A gap is told of only when the history has forgotten something.',
      [...this.facts(frame), ['`last` of `gap`', show(last)]],
      isHonest ? undefined : 'All behind the last message of this client was still in the history.',
    );
  }

  /** Checks which acks it has been sent, in order. */
  expectAcks(right: readonly (readonly [cid: string, id: string])[], what: string): void {
    this.#expectNotMisled();
    const acks = this.of('ack').map(({ cid, id }) => `${cid} is ${id}`);
    const wanted = right.map(([cid, id]) => `${cid} is ${id}`);
    if (acks.join() === wanted.join()) return;
    fail(what, [...this.facts(), ['the acks', show(acks)], ['expected', show(wanted)]]);
  }

  /** Checks that it is closed with 1013, and with a reason that fits. */
  expectClosed(what: string, cause: string): void {
    const [close] = this.closes;
    const facts = [...this.facts(), ['close was called with', show(close ?? 'never')] as const];
    if (close?.[0] !== 1013) fail(what, facts, cause);
    if (Buffer.byteLength(close[1] ?? '') <= 123) return;
    fail(what, facts, 'A reason has 123 bytes at most.');
  }
}

function tell(frame: ServerFrame): string {
  if (frame?.t !== 'msg') return JSON.stringify(frame);
  const { id } = frame as Entry;
  return `msg ${id}`;
}

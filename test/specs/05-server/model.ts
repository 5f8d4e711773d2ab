/**
 * A connection done slowly and obviously: lists of what is due, and no bytes. What the contract
 * leaves open is optional here, or taken as the learner's code has it.
 */

import { show } from '../../../shared/harness/show.ts';
import { closeBody } from '../../../shared/kit/frames.ts';
import type { Meaning } from '../../../shared/kit/speech.ts';
import { CloseCode, type Frame, Opcode, ProtocolError } from '../../../shared/protocol.ts';
import { type Event, type Lesson, NOTHING } from './core.ts';

/** An event that is due. Of an error, only the code matters, or which error it is. */
export interface Due {
  readonly event: Partial<Event>;
  readonly closeCode?: number;
  readonly isOptional?: boolean;
}

/** Something that is to be sent. */
interface Said {
  readonly opcode: number;
  /** `undefined`: whatever the code chose. Of a Close with a code, only the code is fixed then. */
  readonly payload: Uint8Array | undefined;
  readonly code?: number;
  isOptional: boolean;
  /** Was it there when the last read came? */
  isOld: boolean;
  /** How many of its frames have gone, and how many bytes in them. */
  frames: number;
  bytes: number;
}

/** What a message that waits may cost besides its payload, at most. */
const MAX_COST_BYTES = 1024;

/** What a connection should do. */
export class Model {
  state: 'OPEN' | 'CLOSE_SENT' | 'HANGING_UP' | 'CLOSED' = 'OPEN';
  ending: 'hangUp' | 'destroy' | undefined;
  owesDrain = false;
  /** What has arrived and has not been looked at. */
  readonly #inbox: Meaning[] = [];
  #events: Due[] = [];
  #messages: Said[] = [];
  #controls: Said[] = [];
  #hasBacklog = false;
  #peerClose: { readonly code: number; readonly reason: string } | undefined;
  #isOver = false;
  #enteredAt: number;
  #heardAt: number;
  #askedAt: number | undefined;

  readonly #lesson: Lesson;
  readonly #limits: Lesson['LIMITS'];
  readonly #now: () => number;

  constructor(lesson: Lesson, limits: Lesson['LIMITS'], now: () => number) {
    this.#lesson = lesson;
    this.#limits = limits;
    this.#now = now;
    this.#enteredAt = now();
    this.#heardAt = now();
  }

  get isListening(): boolean {
    return this.state === 'OPEN' || this.state === 'CLOSE_SENT';
  }

  /** The peer is there. */
  heard(): void {
    this.#heardAt = this.#now();
    this.#askedAt = undefined;
  }

  /** One read, which brings these to their end: none, if it is a part of one. */
  receive(arrivals: readonly Meaning[]): void {
    this.heard();
    this.#hasBacklog = this.#messages.length > 0;
    for (const message of this.#messages) message.isOld = true;
    if (this.isListening) this.#inbox.push(...arrivals);
  }

  /** What `next` should give, in this order: what is optional, and then one that is not. */
  next(): Due[] {
    while (this.#events.every(({ isOptional }) => isOptional) && this.isListening) {
      const arrival = this.#inbox.shift();
      if (!arrival) break;
      this.#handle(arrival);
    }
    const at = this.#events.findIndex(({ isOptional }) => !isOptional);
    return this.#events.splice(0, at === -1 ? this.#events.length : at + 1);
  }

  #handle(arrival: Meaning): void {
    if (arrival.type === 'event') this.#events.push({ event: arrival.event });
    if (arrival.type === 'fault') this.#fail({ type: 'error' }, arrival.code);
    // After our own Close, some answer no more.
    if (arrival.type === 'ping') {
      const isOptional = this.state !== 'OPEN';
      this.#controls.push(said(Opcode.Pong, arrival.payload, { isOptional }));
    }
    if (arrival.type === 'close') this.#answerClose(arrival.code, arrival.reason);
  }

  #answerClose(code: number | undefined, reason: string): void {
    if (this.state === 'OPEN') {
      if (this.#hasBacklog) {
        this.#messages = this.#messages.filter(({ isOld, frames }) => !isOld || frames > 0);
        this.#letDrop();
      }
      const body = code === undefined ? NOTHING : closeBody(code);
      this.#messages.push(said(Opcode.Close, body));
    }
    this.#peerClose = { code: code ?? CloseCode.NoStatusReceived, reason };
    this.#enter('HANGING_UP');
    this.ending = 'hangUp';
  }

  /** Messages that have not begun may be dropped, or sent. */
  #letDrop(): void {
    for (const message of this.#messages) message.isOptional ||= message.frames === 0;
  }

  #enter(state: Model['state']): void {
    this.state = state;
    this.#enteredAt = this.#now();
  }

  /**
   * Sends a message. Between two bounds the code decides whether the client is given up, and
   * whether enough waits: `isGivenUp` and `isFull` say how it has. Returns what `send` should.
   * `undefined`: either, as when less waits again and a `drain` is still owed.
   */
  send(
    opcode: number,
    payload: Uint8Array,
    isGivenUp: boolean,
    isFull: boolean,
  ): boolean | undefined {
    if (this.state !== 'OPEN') return false;
    const { maxWaitingBytes } = this.#limits;
    const [low, high] = this.#waiting();
    const isSure = low > maxWaitingBytes;
    if (isSure || (isGivenUp && high + payload.length + MAX_COST_BYTES > maxWaitingBytes)) {
      this.#messages = this.#messages.filter(({ frames }) => frames > 0);
      this.#fail({ type: 'error' }, CloseCode.PolicyViolation);
      return false;
    }
    this.#messages.push(said(opcode, payload));
    const [least, most] = this.#waiting();
    const { HIGH_WATER_BYTES } = this.#lesson;
    if (least >= HIGH_WATER_BYTES || (most >= HIGH_WATER_BYTES && isFull)) {
      this.owesDrain = true;
      return false;
    }
    return this.owesDrain ? undefined : true;
  }

  /** The bytes that wait, counted as low and as high as they can be. */
  #waiting(): [low: number, high: number] {
    const size = ({ payload }: Said) => payload?.length ?? 0;
    const low = this.#messages.reduce((sum, message) => sum + size(message) - message.bytes, 0);
    const high = this.#messages.reduce((sum, message) => sum + size(message) + MAX_COST_BYTES, 0);
    return [low, high];
  }

  ping(payload: Uint8Array | undefined): void {
    if (this.state === 'OPEN') this.#controls.push(said(Opcode.Ping, payload));
  }

  close(code: number, reason: string): void {
    if (this.state !== 'OPEN') return;
    this.#messages.push(said(Opcode.Close, closeBody(code, reason)));
    this.#enter('CLOSE_SENT');
  }

  fail(error: unknown): void {
    const code = error instanceof ProtocolError ? error.closeCode : CloseCode.InternalError;
    this.#fail({ type: 'error', error }, code);
  }

  #fail(event: Partial<Event>, code: number): void {
    if (!this.isListening) return;
    this.#events.push('error' in event ? { event } : { event, closeCode: code });
    // Nothing says whether what waited already still goes.
    if (this.#hasBacklog && this.state === 'OPEN') this.#letDrop();
    if (this.state === 'OPEN') this.#messages.push(said(Opcode.Close, undefined, { code }));
    this.#enter('HANGING_UP');
    this.ending = 'hangUp';
  }

  disconnect(): void {
    this.state = 'CLOSED';
    if (this.#isOver) return;
    this.#isOver = true;
    const { code, reason } = this.#peerClose ?? { code: CloseCode.AbnormalClosure, reason: '' };
    this.#events.push({ event: { type: 'close', code, reason } });
  }

  get deadline(): number | undefined {
    if (this.state === 'CLOSED') return undefined;
    if (this.state !== 'OPEN') return this.#enteredAt + this.#limits.closeTimeoutMs;
    return (this.#askedAt ?? this.#heardAt) + this.#limits.pingIntervalMs;
  }

  checkTime(): void {
    if (this.deadline === undefined || this.#now() < this.deadline) return;
    if (this.state !== 'OPEN') {
      this.#enter('CLOSED');
      this.ending = 'destroy';
      // Some say so, some do not.
      this.#events.push({ event: { type: 'error' }, isOptional: true });
    } else if (this.#askedAt === undefined) {
      this.#askedAt = this.#now();
      this.ping(undefined);
    } else {
      this.ending = 'destroy';
      this.#events.push({ event: { type: 'error' } });
    }
  }

  drained(): void {
    if (this.state !== 'OPEN' || !this.owesDrain || this.isWaiting) return;
    this.owesDrain = false;
    this.#events.push({ event: { type: 'drain' } });
  }

  /** Is there a message that has to go and has not? */
  get isWaiting(): boolean {
    return this.#messages.some(({ isOptional, opcode }) => !isOptional && opcode !== Opcode.Close);
  }

  /** Is there anything that has to go and has not? */
  get hasOutput(): boolean {
    return [...this.#messages, ...this.#controls].some(({ isOptional }) => !isOptional);
  }

  /** Takes in a frame that goes out. Returns what should have gone, when that is not it. */
  goesOut(frame: Frame): string | undefined {
    const list = frame.opcode > Opcode.Close ? this.#controls : this.#messages;
    while (list[0]?.isOptional && !fits(list[0], frame)) list.shift();
    const [head] = list;
    if (!head) return 'nothing more';
    if (!fits(head, frame)) return describe(head);
    head.frames++;
    head.bytes += frame.payload.length;
    if (frame.fin) list.shift();
    return undefined;
  }
}

function said(opcode: number, payload: Uint8Array | undefined, more: Partial<Said> = {}): Said {
  return { opcode, payload, isOptional: false, isOld: false, frames: 0, bytes: 0, ...more };
}

/** Whether a frame is the next one of what is said, however that is cut. */
function fits({ opcode, payload, code, frames, bytes }: Said, frame: Frame): boolean {
  if (frame.opcode !== (frames === 0 ? opcode : Opcode.Continuation)) return false;
  if (code !== undefined) {
    return frame.fin && Buffer.compare(frame.payload.subarray(0, 2), closeBody(code)) === 0;
  }
  if (payload === undefined) return frame.fin;
  const end = bytes + frame.payload.length;
  if (frame.fin !== end >= payload.length) return false;
  return Buffer.compare(frame.payload, payload.subarray(bytes, end)) === 0;
}

const NAMES: Readonly<Record<number, string>> = {
  [Opcode.Text]: 'a Text',
  [Opcode.Binary]: 'a Binary',
  [Opcode.Close]: 'a Close',
  [Opcode.Ping]: 'a Ping',
  [Opcode.Pong]: 'a Pong',
};

function describe({ opcode, payload, code, frames, bytes }: Said): string {
  const name = NAMES[opcode];
  if (code !== undefined) return `a Close with ${code}`;
  if (!payload) return `${name}`;
  if (frames > 0) return `the rest of ${name} of ${payload.length} bytes, from byte ${bytes}`;
  return `${name} with ${show(payload)}`;
}

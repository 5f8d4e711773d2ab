/**
 * A client done slowly and obviously: lists of what is due, and no bytes. What the contract leaves
 * open is optional here.
 */

import { show } from '../../../shared/harness/show.ts';
import { closeBody } from '../../../shared/kit/frames.ts';
import { CloseCode, Opcode, OpeningError, ProtocolError } from '../../../shared/protocol.ts';
import type { DecodedFrame } from '../../../shared/view/frame.ts';
import { codeOf, type Event, NOTHING } from './connections.ts';
import type { Arrival } from './conversation-grammar.ts';

/** An event that is due. What an error has to be is asked of the error. */
export interface Due {
  readonly event: Partial<Event>;
  /** For people. `undefined`: the event says it. */
  readonly name?: string;
  isRight?(error: unknown): boolean;
}

/** Something that is to be sent. */
interface Said {
  readonly opcode: number;
  /** Of a Close, only the code is fixed. */
  readonly payload: Uint8Array;
  isOptional: boolean;
}

/** What is allowed in a conversation. */
export interface Times {
  readonly openTimeoutMs: number;
  readonly closeTimeoutMs: number;
}

/** What a client should do. */
export class Model {
  state: 'CONNECTING' | 'OPEN' | 'CLOSE_SENT' | 'HANGING_UP' | 'CLOSED' = 'CONNECTING';
  ending: 'hangUp' | 'destroy' | undefined;
  /** The bytes of messages that wait. `undefined`: nothing says whether some were dropped. */
  bufferedBytes: number | undefined = 0;
  /** What has arrived and has not been looked at. */
  readonly #inbox: Arrival[] = [];
  readonly #events: Due[] = [];
  #messages: Said[] = [];
  #controls: Said[] = [];
  /** Was there something on its way to the server when the last read came? */
  #hasBacklog = false;
  /** The sizes of what was taken and has not been reported. */
  readonly #taken: number[] = [];
  #peerClose: { readonly code: number; readonly reason: string } | undefined;
  #isLost = false;
  #enteredAt: number;

  readonly #times: Times;
  readonly #now: () => number;

  constructor(times: Times, now: () => number) {
    this.#times = times;
    this.#now = now;
    this.#enteredAt = now();
  }

  get isListening(): boolean {
    return this.state !== 'HANGING_UP' && this.state !== 'CLOSED';
  }

  /** One read, which brings these to their end: none, if it is a part of one. */
  receive(arrivals: readonly Arrival[]): void {
    this.#hasBacklog = this.#messages.length > 0 || this.#taken.some((size) => size > 0);
    if (this.isListening) this.#inbox.push(...arrivals);
  }

  /** What `next` should give. */
  next(): Due | undefined {
    while (this.#events.length === 0 && this.isListening) {
      const arrival = this.#inbox.shift();
      if (!arrival) break;
      this.#handle(arrival);
    }
    if (this.#events.length === 0 && this.#isLost) this.#end();
    return this.#events.shift();
  }

  #handle(arrival: Arrival): void {
    if (arrival.type === 'event') {
      if (arrival.event.type === 'open') this.#enter('OPEN');
      this.#events.push({ event: arrival.event });
    }
    if (arrival.type === 'refusal') this.#refuse(arrival.status);
    if (arrival.type === 'fault') this.#breach(arrival.code);
    if (arrival.type === 'close') this.#answerClose(arrival.code, arrival.reason);
    if (arrival.type === 'ping') {
      // Whoever has not answered a Ping may answer only the next. After our own Close, some answer none.
      for (const control of this.#controls) control.isOptional ||= control.opcode === Opcode.Pong;
      const isOptional = this.state !== 'OPEN';
      this.#controls.push({ ...said(Opcode.Pong, arrival.payload), isOptional });
    }
  }

  #refuse(status: number | undefined): void {
    const name = `an OpeningError${status === undefined ? '' : ` with the status ${status}`}`;
    const isRight = (error: unknown) => error instanceof OpeningError && error.status === status;
    this.#fail({ event: { type: 'error' }, name, isRight }, 0);
  }

  #breach(code: number): void {
    const isRight = (error: unknown) => error instanceof ProtocolError && error.closeCode === code;
    this.#fail({ event: { type: 'error' }, name: `a ProtocolError ${code}`, isRight }, code);
  }

  #answerClose(code: number | undefined, reason: string): void {
    if (this.state === 'OPEN') {
      if (this.#hasBacklog) this.#letDrop();
      this.#messages.push(said(Opcode.Close, code === undefined ? NOTHING : closeBody(code)));
    }
    this.#peerClose = { code: code ?? CloseCode.NoStatusReceived, reason };
    this.#enter('HANGING_UP');
  }

  /** Nothing says whether the messages that wait still go. */
  #letDrop(): void {
    for (const message of this.#messages) {
      if (message.opcode === Opcode.Close) continue;
      message.isOptional = true;
      this.bufferedBytes = undefined;
    }
  }

  #enter(state: Model['state']): void {
    this.state = state;
    this.#enteredAt = this.#now();
  }

  /** Sends a message. Returns whether it will be sent. */
  send(opcode: number, payload: Uint8Array): boolean {
    if (this.state !== 'OPEN') return false;
    this.#messages.push(said(opcode, payload));
    if (this.bufferedBytes !== undefined) this.bufferedBytes += payload.length;
    return true;
  }

  ping(payload: Uint8Array): void {
    if (this.state === 'OPEN') this.#controls.push(said(Opcode.Ping, payload));
  }

  close(code: number | undefined, reason: string): void {
    if (this.state === 'CONNECTING') this.#refuse(undefined);
    if (this.state !== 'OPEN') return;
    this.#messages.push(said(Opcode.Close, code === undefined ? NOTHING : closeBody(code, reason)));
    this.#enter('CLOSE_SENT');
  }

  fail(error: unknown): void {
    const code = error instanceof ProtocolError ? error.closeCode : CloseCode.InternalError;
    const isRight = (told: unknown) => told === error;
    this.#fail({ event: { type: 'error' }, name: 'that error', isRight }, code);
  }

  #fail(due: Due, code: number): void {
    if (!this.isListening) return;
    this.#events.push(due);
    // Nothing says whether Pings and Pongs that wait still go, either.
    for (const control of this.#controls) control.isOptional = true;
    if (this.state === 'OPEN') {
      this.#letDrop();
      this.#messages.push(said(Opcode.Close, closeBody(code)));
    }
    this.ending = this.state === 'CONNECTING' ? 'destroy' : 'hangUp';
    this.#enter('HANGING_UP');
  }

  disconnect(): void {
    this.#isLost = true;
  }

  #end(): void {
    if (this.state === 'CLOSED' && this.#isTold) return;
    if (this.isListening) {
      const wasOpen = this.state !== 'CONNECTING';
      const isRight = (error: unknown) => error instanceof OpeningError !== wasOpen;
      const name = wasOpen ? 'an Error' : 'an OpeningError';
      this.#events.push({ event: { type: 'error' }, name, isRight });
    }
    const { code, reason } = this.#peerClose ?? { code: CloseCode.AbnormalClosure, reason: '' };
    const wasClean = this.#peerClose !== undefined;
    this.#events.push({ event: { type: 'close', code, reason, wasClean } });
    this.#isTold = true;
    this.#enter('CLOSED');
  }

  #isTold = false;

  get deadline(): number | undefined {
    if (this.state === 'CONNECTING') return this.#enteredAt + this.#times.openTimeoutMs;
    if (this.state === 'OPEN' || this.state === 'CLOSED') return undefined;
    return this.#enteredAt + this.#times.closeTimeoutMs;
  }

  checkTime(): void {
    if (this.deadline === undefined || this.#now() < this.deadline) return;
    if (this.state === 'CONNECTING') this.#refuse(undefined);
    else this.#enter('CLOSED');
    this.ending = 'destroy';
  }

  /** Is there anything that has to go and has not? */
  get hasOutput(): boolean {
    return [...this.#messages, ...this.#controls].some(({ isOptional }) => !isOptional);
  }

  /** Notes a frame that goes out. Returns what should have gone, when that is not it. */
  goesOut(frame: DecodedFrame): string | undefined {
    const list = frame.opcode > Opcode.Close ? this.#controls : this.#messages;
    while (list[0]?.isOptional && !fits(list[0], frame)) list.shift();
    const head = list.shift();
    if (!head) return 'nothing more';
    if (!fits(head, frame)) return describe(head);
    // It may as well be one of the same that was due later, and this one was left out.
    if (head.isOptional) for (const other of list) other.isOptional ||= fits(other, frame);
    this.#taken.push(frame.opcode < Opcode.Close ? head.payload.length : 0);
    return undefined;
  }

  /** The request went out. */
  requestGoesOut(): void {
    this.#taken.push(0);
  }

  /** The first of what was taken has been sent. Returns whether there was any. */
  sent(): boolean {
    const size = this.#taken.shift();
    if (size === undefined) return false;
    if (this.bufferedBytes !== undefined) this.bufferedBytes -= size;
    return true;
  }
}

function said(opcode: number, payload: Uint8Array): Said {
  return { opcode, payload, isOptional: false };
}

/** Whether a frame is what is said, in one piece. */
function fits({ opcode, payload }: Said, frame: DecodedFrame): boolean {
  if (frame.opcode !== opcode || !frame.fin) return false;
  if (opcode === Opcode.Close) return codeOf(frame) === codeOf({ payload });
  return Buffer.compare(frame.payload ?? NOTHING, payload) === 0;
}

const NAMES: Readonly<Record<number, string>> = {
  [Opcode.Text]: 'a Text',
  [Opcode.Binary]: 'a Binary',
  [Opcode.Ping]: 'a Ping',
  [Opcode.Pong]: 'a Pong',
};

function describe({ opcode, payload }: Said): string {
  if (opcode !== Opcode.Close) return `${NAMES[opcode]} with ${show(payload)}`;
  return payload.length === 0 ? 'an empty Close' : `a Close with ${codeOf({ payload })}`;
}

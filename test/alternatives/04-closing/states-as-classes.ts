/** The closing handshake with a class for each state, which knows what each event does there. */
import {
  CloseCode,
  MAX_CONTROL_PAYLOAD,
  ProtocolError,
  type Role,
} from '../../../shared/protocol.ts';
import type {
  Action,
  CloseBody,
  CloseResult,
  ClosingEvent,
  State as StateName,
} from '../../../solutions/04-closing/closing.ts';

export const MAX_REASON_BYTES = MAX_CONTROL_PAYLOAD - 2;

export function encodeCloseBody(code?: number, reason = ''): Uint8Array {
  if (code === undefined && reason !== '') throw new TypeError('A reason needs a code.');
  if (Buffer.byteLength(reason) > MAX_REASON_BYTES) throw new RangeError('So long a reason!');
  const body = Buffer.alloc(code === undefined ? 0 : 2 + Buffer.byteLength(reason));
  if (code !== undefined) body.write(reason, body.writeUInt16BE(code));
  return body;
}

export function decodeCloseBody(body: Uint8Array): CloseBody | undefined {
  if (body.length === 0) return undefined;
  if (body.length === 1) throw new ProtocolError(1002, '5.5.1', 'A code has two bytes.');
  const [high, low, ...rest] = body;
  try {
    const reason = decodeURIComponent(rest.map((byte) => `%${hex(byte)}`).join(''));
    return { code: (high! << 8) + low!, reason };
  } catch {
    throw new ProtocolError(1007, '5.5.1', 'The reason is no text.');
  }
}

const hex = (byte: number) => byte.toString(16).padStart(2, '0');

const NEVER_TRAVEL = new Set([1004, 1005, 1006]);

export function isWireCode(code: number): boolean {
  const thousand = Math.floor(code / 1000);
  if (code % 1 !== 0 || NEVER_TRAVEL.has(code)) return false;
  return thousand === 1 ? code <= CloseCode.BadGateway : thousand === 3 || thousand === 4;
}

export function truncateReason(reason: string): string {
  const bytes = Buffer.from(reason.slice(0, MAX_REASON_BYTES + 1));
  if (bytes.length <= MAX_REASON_BYTES) return reason;
  let end = MAX_REASON_BYTES;
  // A byte that goes on with a character is 10xxxxxx: the cut goes before the first.
  while (bytes[end]! >> 6 === 0b10) end--;
  return reason.slice(0, bytes.toString('utf8', 0, end).length);
}

export function closeCodeFor(error: unknown): ProtocolError['closeCode'] {
  if (error instanceof ProtocolError) return error.closeCode;
  return CloseCode.InternalError;
}

/** What all states have in common: most events mean nothing. */
abstract class State {
  abstract readonly name: StateName;
  readonly isListening: boolean = false;
  readonly isWaiting: boolean = false;

  /** The state that an event leads to. */
  on(_event: ClosingEvent): State | undefined {
    return undefined;
  }
  /** What to send when the peer's Close comes in. */
  answer(_body: CloseBody | undefined): Action[] {
    return [];
  }
  /** What to send when the connection fails. */
  complaint(_error: unknown): Action[] {
    return [];
  }
}

class Open extends State {
  readonly name = 'OPEN';
  override readonly isListening = true;

  override on(event: ClosingEvent): State | undefined {
    if (event === 'timeout') return undefined;
    if (event === 'close') return new CloseSent();
    return event === 'disconnect' ? new Closed() : new HangingUp();
  }
  override answer(body: CloseBody | undefined): Action[] {
    return [{ type: 'sendClose', body: encodeCloseBody(body?.code) }];
  }
  override complaint(error: unknown): Action[] {
    const reason = error instanceof ProtocolError ? truncateReason(error.message) : undefined;
    return [{ type: 'sendClose', body: encodeCloseBody(closeCodeFor(error), reason) }];
  }
}

class HangingUp extends State {
  readonly name: StateName = 'HANGING_UP';
  override readonly isWaiting = true;

  override on(event: ClosingEvent): State | undefined {
    return event === 'timeout' || event === 'disconnect' ? new Closed() : undefined;
  }
}

class CloseSent extends HangingUp {
  override readonly name = 'CLOSE_SENT';
  override readonly isListening = true;

  override on(event: ClosingEvent): State | undefined {
    if (event === 'receiveClose' || event === 'fail') return new HangingUp();
    return super.on(event);
  }
}

class Closed extends State {
  readonly name = 'CLOSED';
}

const STATES = [new Open(), new CloseSent(), new HangingUp(), new Closed()];

export function nextState(state: StateName, event: ClosingEvent): StateName | undefined {
  return STATES.find(({ name }) => name === state)?.on(event)?.name;
}

export class ClosingHandshake {
  #state: State = new Open();
  #enteredAt = 0;
  #result: CloseResult = { code: CloseCode.AbnormalClosure, reason: '', wasClean: false };
  readonly #isServer: boolean;
  readonly #timeoutMs: number;
  readonly #now: () => number;

  constructor(role: Role, timeoutMs: number, now: () => number) {
    this.#isServer = role === 'server';
    this.#timeoutMs = timeoutMs;
    this.#now = now;
  }

  get state(): StateName {
    return this.#state.name;
  }

  get isListening(): boolean {
    return this.#state.isListening;
  }

  /** Enters the next state. Returns the one that has been left, if any. */
  #leave(event: ClosingEvent): State | undefined {
    const left = this.#state;
    const next = left.on(event);
    if (!next) return undefined;
    this.#state = next;
    this.#enteredAt = this.#now();
    return left;
  }

  close(code = 1000, reason = ''): Action[] {
    if (!(this.#state instanceof Open)) return [];
    if (!isWireCode(code)) throw new RangeError(`${code} never travels.`);
    const body = encodeCloseBody(code, reason);
    this.#leave('close');
    return [{ type: 'sendClose', body }];
  }

  receiveClose(payload: Uint8Array): Action[] {
    const body = this.#read(payload);
    if (body instanceof Error) return this.fail(body);
    const left = this.#leave('receiveClose');
    if (!left) return [];
    const { code = CloseCode.NoStatusReceived, reason = '' } = body ?? {};
    this.#result = { code, reason, wasClean: true };
    return [...left.answer(body), ...(this.#isServer ? [{ type: 'hangUp' } as const] : [])];
  }

  /** Decodes a Close, or says what is wrong with it. */
  #read(payload: Uint8Array): CloseBody | undefined | ProtocolError {
    try {
      const body = decodeCloseBody(payload);
      const isLegal = body === undefined || isWireCode(body.code);
      return isLegal ? body : new ProtocolError(1002, '7.4.2', 'This code is not for you.');
    } catch (error) {
      return error as ProtocolError;
    }
  }

  fail(error: unknown): Action[] {
    const left = this.#leave('fail');
    return left ? [...left.complaint(error), { type: 'hangUp' }] : [];
  }

  disconnect(): void {
    this.#leave('disconnect');
  }

  get result(): CloseResult | undefined {
    return this.#state instanceof Closed ? this.#result : undefined;
  }

  get deadline(): number | undefined {
    return this.#state.isWaiting ? this.#enteredAt + this.#timeoutMs : undefined;
  }

  checkDeadline(): Action[] {
    const isEarly = this.deadline === undefined || this.#now() < this.deadline;
    if (isEarly || !this.#leave('timeout')) return [];
    return [{ type: 'destroy' }];
  }
}

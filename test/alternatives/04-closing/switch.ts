/** The closing handshake as one `switch` over the states, without a table. */
import { CloseCode, ProtocolError, type Role } from '../../../shared/protocol.ts';
import type {
  Action,
  CloseBody,
  CloseResult,
  ClosingEvent,
  State,
} from '../../../solutions/04-closing/closing.ts';

export const MAX_REASON_BYTES = 123;

export function encodeCloseBody(code?: number, reason = ''): Uint8Array {
  const text = Buffer.from(reason);
  if (text.length > MAX_REASON_BYTES) throw new RangeError('The reason is too long.');
  if (code === undefined) {
    if (reason !== '') throw new TypeError('Without a code there can be no reason.');
    return text;
  }
  return Buffer.of(Math.floor(code / 256), code % 256, ...text);
}

export function decodeCloseBody(body: Uint8Array): CloseBody | undefined {
  switch (body.length) {
    case 0:
      return undefined;
    case 1:
      throw new ProtocolError(CloseCode.ProtocolError, '5.5.1', 'Half a code.');
    default:
      return { code: body[0]! * 256 + body[1]!, reason: decodeReason(body.subarray(2)) };
  }
}

function decodeReason(bytes: Uint8Array): string {
  const reason = Buffer.from(bytes).toString();
  // Wrong bytes do not come back.
  if (Buffer.compare(Buffer.from(reason), bytes) === 0) return reason;
  throw new ProtocolError(CloseCode.InvalidPayload, '8.1', 'The reason is not UTF-8.');
}

export function isWireCode(code: number): boolean {
  if (!Number.isInteger(code)) return false;
  switch (code) {
    case CloseCode.NoStatusReceived:
    case CloseCode.AbnormalClosure:
    case 1004:
      return false;
    default:
      return (code > 999 && code < 1015) || (code > 2999 && code < 5000);
  }
}

/** Counts the bytes of a character, given where it begins. */
function sizeAt(text: string, at: number): number {
  const point = text.codePointAt(at)!;
  return point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
}

export function truncateReason(reason: string): string {
  // A unit has at least a byte, so what is beyond this is too much in any case.
  let end = Math.min(reason.length, MAX_REASON_BYTES);
  if (cutsPair(reason, end)) end--;
  let bytes = Buffer.byteLength(reason.slice(0, end));
  while (bytes > MAX_REASON_BYTES) {
    end -= cutsPair(reason, end - 1) ? 2 : 1;
    bytes -= sizeAt(reason, end);
  }
  return reason.slice(0, end);
}

/** Says whether a cut at `at` would be in the middle of a surrogate pair. */
function cutsPair(text: string, at: number): boolean {
  return at > 0 && (text.codePointAt(at - 1) ?? 0) > 0xffff;
}

export function nextState(state: State, event: ClosingEvent): State | undefined {
  switch (state) {
    case 'OPEN':
      if (event === 'close') return 'CLOSE_SENT';
      if (event === 'disconnect') return 'CLOSED';
      return event === 'timeout' ? undefined : 'HANGING_UP';
    case 'CLOSE_SENT':
      if (event === 'close') return undefined;
      return event === 'receiveClose' || event === 'fail' ? 'HANGING_UP' : 'CLOSED';
    case 'HANGING_UP':
      return event === 'timeout' || event === 'disconnect' ? 'CLOSED' : undefined;
    case 'CLOSED':
      return undefined;
  }
}

export function closeCodeFor(error: unknown): ProtocolError['closeCode'] {
  return error instanceof ProtocolError ? error.closeCode : CloseCode.InternalError;
}

export class ClosingHandshake {
  state: State = 'OPEN';
  readonly #role: Role;
  readonly #timeoutMs: number;
  readonly #now: () => number;
  #since = 0;
  #peerSaid: CloseBody | undefined;

  constructor(role: Role, timeoutMs: number, now: () => number) {
    this.#role = role;
    this.#timeoutMs = timeoutMs;
    this.#now = now;
  }

  /** Goes on to the next state, and says whether there is one. */
  #handle(event: ClosingEvent): boolean {
    const next = nextState(this.state, event);
    if (next === undefined) return false;
    this.state = next;
    this.#since = this.#now();
    return true;
  }

  close(code: number = CloseCode.NormalClosure, reason = ''): Action[] {
    if (!isWireCode(code)) throw new RangeError('This code is not for the wire.');
    const body = encodeCloseBody(code, reason);
    return this.#handle('close') ? [{ type: 'sendClose', body }] : [];
  }

  receiveClose(payload: Uint8Array): Action[] {
    let said: CloseBody | undefined;
    try {
      said = decodeCloseBody(payload);
      if (said && !isWireCode(said.code)) {
        throw new ProtocolError(CloseCode.ProtocolError, '7.4', `${said.code} may not travel.`);
      }
    } catch (error) {
      return this.fail(error);
    }
    const before = this.state;
    if (!this.#handle('receiveClose')) return [];
    this.#peerSaid = said ?? { code: CloseCode.NoStatusReceived, reason: '' };
    const hangUp: Action[] = this.#role === 'server' ? [{ type: 'hangUp' }] : [];
    switch (before) {
      case 'OPEN':
        return [{ type: 'sendClose', body: encodeCloseBody(said?.code) }, ...hangUp];
      default:
        return hangUp;
    }
  }

  disconnect(): void {
    this.#handle('disconnect');
  }

  get isListening(): boolean {
    switch (this.state) {
      case 'OPEN':
      case 'CLOSE_SENT':
        return true;
      default:
        return false;
    }
  }

  fail(error: unknown): Action[] {
    const before = this.state;
    if (!this.#handle('fail')) return [];
    if (before !== 'OPEN') return [{ type: 'hangUp' }];
    const reason = error instanceof ProtocolError ? truncateReason(error.message) : '';
    const body = encodeCloseBody(closeCodeFor(error), reason);
    return [{ type: 'sendClose', body }, { type: 'hangUp' }];
  }

  get result(): CloseResult | undefined {
    if (this.state !== 'CLOSED') return undefined;
    if (this.#peerSaid) return { ...this.#peerSaid, wasClean: true };
    return { code: CloseCode.AbnormalClosure, reason: '', wasClean: false };
  }

  get deadline(): number | undefined {
    switch (this.state) {
      case 'CLOSE_SENT':
      case 'HANGING_UP':
        return this.#since + this.#timeoutMs;
      default:
        return undefined;
    }
  }

  checkDeadline(): Action[] {
    const { deadline = Number.POSITIVE_INFINITY } = this;
    if (this.#now() < deadline || !this.#handle('timeout')) return [];
    return [{ type: 'destroy' }];
  }
}

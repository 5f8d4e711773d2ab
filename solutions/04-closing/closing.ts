import { CloseCode, MAX_CONTROL_PAYLOAD, ProtocolError, type Role } from '../../shared/protocol.ts';

/** What a Close frame says. */
export interface CloseBody {
  readonly code: number;
  /** For the log, not for people's eyes. Often empty. */
  readonly reason: string;
}

/** The longest reason, in bytes of UTF-8: a control frame minus the two bytes of the code. */
export const MAX_REASON_BYTES = MAX_CONTROL_PAYLOAD - 2;

/**
 * Step 1 · The close body, out.
 *
 * Encodes the payload of a Close frame: the code in two bytes, high byte first, then the reason
 * in UTF-8. Without a code there are no bytes at all. The bytes are new at each call. Whether the
 * code may travel isn't asked here.
 *
 * Throws `TypeError` for a reason without a code, and `RangeError` for a reason of more than
 * 123 bytes. RFC 6455 §5.5.1
 */
export function encodeCloseBody(code?: number, reason = ''): Uint8Array {
  if (code === undefined) {
    if (reason !== '') throw new TypeError('A reason needs a code before it.');
    return new Uint8Array(0);
  }
  const utf8 = new TextEncoder().encode(reason);
  if (utf8.length > MAX_REASON_BYTES) {
    throw new RangeError(`A reason has at most 123 bytes, not ${utf8.length}.`);
  }
  const body = new Uint8Array(2 + utf8.length);
  new DataView(body.buffer).setUint16(0, code);
  body.set(utf8, 2);
  return body;
}

/**
 * Step 1 · The close body, in.
 *
 * Decodes the payload of a Close frame. `undefined`: it's empty, which is legal. A U+FEFF at the
 * start of the reason is a part of it. Whether the code may travel isn't asked here, but in step 2,
 * and by `receiveClose` in step 5.
 *
 * Throws `ProtocolError` 1002 for a single byte, which is half a code, and 1007 for a reason
 * that isn't UTF-8. RFC 6455 §5.5.1, §8.1
 */
export function decodeCloseBody(body: Uint8Array): CloseBody | undefined {
  if (body.length === 0) return undefined;
  if (body.length === 1) {
    throw new ProtocolError(CloseCode.ProtocolError, '5.5.1', 'A Close with half a code.');
  }
  const code = new DataView(body.buffer, body.byteOffset).getUint16(0);
  try {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    return { code, reason: decoder.decode(body.subarray(2)) };
  } catch {
    const message = 'A Close reason that is not valid UTF-8.';
    throw new ProtocolError(CloseCode.InvalidPayload, '8.1', message);
  }
}

/**
 * Step 2 · Codes that may travel.
 *
 * Says whether a code may appear in a Close frame: 1000–1014 without 1004, 1005 and 1006, which
 * the standard and its registry define, and 3000–4999, which are for applications. A number that
 * isn't whole isn't a code.
 * RFC 6455 §7.4
 */
export function isWireCode(code: number): boolean {
  if (!Number.isInteger(code)) return false;
  if (code >= 3000 && code <= 4999) return true;
  return code >= 1000 && code <= 1014 && (code < 1004 || code > 1006);
}

/**
 * Step 3 · A reason that fits.
 *
 * Returns as much of the reason as fits into 123 bytes of UTF-8, cut between two characters,
 * never inside one. A U+FFFD in the reason is a character like any other. RFC 6455 §5.5, §5.5.1
 */
export function truncateReason(reason: string): string {
  const room = new Uint8Array(MAX_REASON_BYTES);
  const { read } = new TextEncoder().encodeInto(reason, room);
  return reason.slice(0, read);
}

/**
 * How far a connection is from its end. The standard says CLOSING for both states in the middle;
 * they differ in what is being waited for.
 *
 * - OPEN: messages travel.
 * - CLOSE_SENT: we've sent our Close, and wait for the peer's.
 * - HANGING_UP: nobody says anything more, and we wait for the end of the TCP connection.
 * - CLOSED: the TCP connection has ended.
 */
export type State = 'OPEN' | 'CLOSE_SENT' | 'HANGING_UP' | 'CLOSED';

/** What can happen to a connection. */
export type ClosingEvent =
  /** The application wants to close. */
  | 'close'
  /** A legal Close frame has arrived. */
  | 'receiveClose'
  /** The peer broke a rule, or we can't go on. */
  | 'fail'
  /** The peer has not done its part in time. */
  | 'timeout'
  /** The TCP connection has ended. */
  | 'disconnect';

/** What the owner of the connection has to do, in order. */
export type Action =
  /** Send a Close frame with this payload. */
  | { readonly type: 'sendClose'; readonly body: Uint8Array }
  /** Close our side of the TCP connection, once everything has been sent. */
  | { readonly type: 'hangUp' }
  /** Drop the TCP connection at once. */
  | { readonly type: 'destroy' };

/** How it ended, as the browser's `close` event tells it. */
export interface CloseResult {
  readonly code: number;
  readonly reason: string;
  /** Did both sides say Close before the TCP connection ended? */
  readonly wasClean: boolean;
}

const NEXT_STATE: Record<State, Partial<Record<ClosingEvent, State>>> = {
  OPEN: {
    close: 'CLOSE_SENT',
    receiveClose: 'HANGING_UP',
    fail: 'HANGING_UP',
    disconnect: 'CLOSED',
  },
  CLOSE_SENT: {
    receiveClose: 'HANGING_UP',
    fail: 'HANGING_UP',
    timeout: 'CLOSED',
    disconnect: 'CLOSED',
  },
  HANGING_UP: { timeout: 'CLOSED', disconnect: 'CLOSED' },
  CLOSED: {},
};

/**
 * Step 4 · The closing handshake as a table.
 *
 * Returns the state that an event leads to. `undefined`: in this state, the event means nothing
 * and is ignored. RFC 6455 §7.1
 */
export function nextState(state: State, event: ClosingEvent): State | undefined {
  return NEXT_STATE[state][event];
}

/**
 * Step 5 · Which error is which code.
 *
 * Returns the code for the Close that reports an error: the one that a `ProtocolError` names,
 * 1011 for anything else, which is our own fault. RFC 6455 §7.1.7, §7.4.1
 */
export function closeCodeFor(error: unknown): ProtocolError['closeCode'] {
  return error instanceof ProtocolError ? error.closeCode : CloseCode.InternalError;
}

/**
 * Step 4 · The end of one connection, to which steps 5 to 7 add.
 *
 * Follows a connection from OPEN to CLOSED. It does nothing itself: each method returns what the
 * owner of the socket has to do, in order, and an event that means nothing in the present state
 * returns an empty list. RFC 6455 §7.1
 */
export class ClosingHandshake {
  readonly #role: Role;
  readonly #timeoutMs: number;
  readonly #now: () => number;
  #state: State = 'OPEN';
  /** When the state was entered, on the clock `#now`. */
  #enteredAt: number;
  /** The payload of the peer's Close. `undefined`: it has sent none. */
  #peerClose: Uint8Array | undefined;

  /**
   * Starts with an open connection. `timeoutMs` is how long the peer may take for each thing we
   * wait for, and 0 is no time at all. `now` reads a clock, in milliseconds, which can start
   * anywhere, even at 0.
   */
  constructor(role: Role, timeoutMs: number, now: () => number) {
    this.#role = role;
    this.#timeoutMs = timeoutMs;
    this.#now = now;
    this.#enteredAt = now();
  }

  /** Step 4 · How far the connection is from its end. */
  get state(): State {
    return this.#state;
  }

  /**
   * Step 4 · Starts the closing handshake. Throws `RangeError` for a code that never travels and
   * for a reason of more than 123 bytes, and changes nothing then. A second call returns an empty
   * list; with such a code or reason, it can throw as well.
   */
  close(code: number = CloseCode.NormalClosure, reason = ''): Action[] {
    if (!isWireCode(code)) throw new RangeError(`A Close frame cannot carry the code ${code}.`);
    const body = encodeCloseBody(code, reason);
    return this.#transition('close') ? [{ type: 'sendClose', body }] : [];
  }

  /**
   * Step 4 · Handles the payload of the peer's Close frame. The response has the same code and no
   * reason, or is empty if the peer's is, and there's none if our own Close has been sent already.
   * After it, a server closes the TCP connection, and a client waits for that. An illegal payload
   * fails the connection (step 5). The payload stays its caller's, who can overwrite it: whatever
   * is kept or returned is a copy.
   */
  receiveClose(payload: Uint8Array): Action[] {
    const wasOpen = this.#state === 'OPEN';
    let body: CloseBody | undefined;
    try {
      body = decodeLegalCloseBody(payload);
    } catch (error) {
      return this.fail(error);
    }
    if (!this.#transition('receiveClose')) return [];
    this.#peerClose = new Uint8Array(payload);
    const actions: Action[] = [];
    if (wasOpen) actions.push({ type: 'sendClose', body: encodeCloseBody(body?.code) });
    if (this.#role === 'server') actions.push({ type: 'hangUp' });
    return actions;
  }

  /** Step 4 · Notes that the TCP connection has ended. */
  disconnect(): void {
    this.#transition('disconnect');
  }

  /** Step 5 · Says whether what the peer sends still counts. */
  get isListening(): boolean {
    return this.#state === 'OPEN' || this.#state === 'CLOSE_SENT';
  }

  /**
   * Step 5 · Fails the connection: sends a Close that says why, unless one has been sent already,
   * and closes the TCP connection without waiting for a response. The reason is the message of a
   * `ProtocolError`, as much of it as fits; any other error gets none. RFC 6455 §7.1.7
   */
  fail(error: unknown): Action[] {
    const wasOpen = this.#state === 'OPEN';
    if (!this.#transition('fail')) return [];
    if (!wasOpen) return [{ type: 'hangUp' }];
    // What goes wrong inside us is our business: only the peer's own mistakes are spelled out.
    const reason = error instanceof ProtocolError ? truncateReason(error.message) : '';
    const body = encodeCloseBody(closeCodeFor(error), reason);
    return [{ type: 'sendClose', body }, { type: 'hangUp' }];
  }

  /**
   * Step 6 · Tells how the connection ended: the peer's code and reason, 1005 when its Close had
   * no code, 1006 when there was no Close, both with the reason `''`. `undefined`: it hasn't ended.
   * RFC 6455 §7.1.4–§7.1.6
   */
  get result(): CloseResult | undefined {
    if (this.#state !== 'CLOSED') return undefined;
    if (!this.#peerClose) {
      return { code: CloseCode.AbnormalClosure, reason: '', wasClean: false };
    }
    const { code, reason } = decodeCloseBody(this.#peerClose) ?? {
      code: CloseCode.NoStatusReceived,
      reason: '',
    };
    return { code, reason, wasClean: true };
  }

  /** Step 7 · When we stop waiting, on the clock `now`. `undefined`: we wait for nothing. */
  get deadline(): number | undefined {
    const isWaiting = this.#state === 'CLOSE_SENT' || this.#state === 'HANGING_UP';
    return isWaiting ? this.#enteredAt + this.#timeoutMs : undefined;
  }

  /** Step 7 · Gives up on the peer from the deadline on. RFC 6455 §7.1.1 */
  checkDeadline(): Action[] {
    const isOver = this.deadline !== undefined && this.#now() >= this.deadline;
    return isOver && this.#transition('timeout') ? [{ type: 'destroy' }] : [];
  }

  /** Follows the table. Returns whether the event means something in this state. */
  #transition(event: ClosingEvent): boolean {
    const next = nextState(this.#state, event);
    if (next === undefined) return false;
    this.#state = next;
    this.#enteredAt = this.#now();
    return true;
  }
}

function decodeLegalCloseBody(payload: Uint8Array): CloseBody | undefined {
  const body = decodeCloseBody(payload);
  if (body && !isWireCode(body.code)) {
    const message = `A Close frame cannot carry the code ${body.code}.`;
    throw new ProtocolError(CloseCode.ProtocolError, '7.4', message);
  }
  return body;
}

import { CloseCode, MAX_CONTROL_PAYLOAD, ProtocolError, type Role } from '../../shared/protocol.ts';
import { Todo } from '../../shared/todo.ts';

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
 * in UTF-8. No code, no bytes at all. The bytes are new at each call.
 *
 * Throws `TypeError` for a reason without a code, and `RangeError` for a reason of more than
 * 123 bytes. RFC 6455 §5.5.1
 */
export function encodeCloseBody(code?: number, reason = ''): Uint8Array {
  throw new Todo('04.1');
}

/**
 * Step 1 · The close body, in.
 *
 * Decodes the payload of a Close frame. `undefined`: it is empty, which is legal.
 *
 * Throws `ProtocolError` 1002 for a single byte, which is half a code, and 1007 for a reason
 * that is not UTF-8. RFC 6455 §5.5.1, §8.1
 */
export function decodeCloseBody(body: Uint8Array): CloseBody | undefined {
  throw new Todo('04.1');
}

/**
 * Step 2 · Codes that may travel.
 *
 * Says whether a code may stand in a Close frame: 1000–1014 without 1004, 1005 and 1006, which
 * the standard and its registry define, and 3000–4999, which are for applications. A number that
 * is not whole is not a code.
 * RFC 6455 §7.4
 */
export function isWireCode(code: number): boolean {
  throw new Todo('04.2');
}

/**
 * Step 3 · A reason that fits.
 *
 * Returns as much of the reason as fits into 123 bytes of UTF-8, cut between two characters,
 * never inside one. A U+FFFD in the reason is a character like any other. RFC 6455 §5.5, §5.5.1
 */
export function truncateReason(reason: string): string {
  throw new Todo('04.3');
}

/**
 * Where a connection stands. The standard says CLOSING for both states in the middle; they
 * differ in what is being waited for.
 *
 * - OPEN: messages travel.
 * - CLOSE_SENT: our Close is out, the peer's is awaited.
 * - HANGING_UP: nothing more is said or heard; the end of the TCP connection is awaited.
 * - CLOSED: the TCP connection is gone.
 */
export type State = 'OPEN' | 'CLOSE_SENT' | 'HANGING_UP' | 'CLOSED';

/** What can happen to a connection. */
export type ClosingEvent =
  /** The application wants to close. */
  | 'close'
  /** A legal Close frame came in. */
  | 'receiveClose'
  /** The peer broke a rule, or we cannot go on. */
  | 'fail'
  /** The peer has not done its part in time. */
  | 'timeout'
  /** The TCP connection is gone. */
  | 'disconnect';

/** What the owner of the connection has to do, in order. */
export type Action =
  /** Send a Close frame with this payload. */
  | { readonly type: 'sendClose'; readonly body: Uint8Array }
  /** End our side of the TCP connection, once everything has been sent. */
  | { readonly type: 'hangUp' }
  /** Drop the TCP connection at once. */
  | { readonly type: 'destroy' };

/** How it ended, as the browser's `close` event tells it. */
export interface CloseResult {
  readonly code: number;
  readonly reason: string;
  /** Did both sides say Close before the TCP connection went? */
  readonly wasClean: boolean;
}

/**
 * Step 4 · The closing handshake as a table.
 *
 * Returns the state that an event leads to. `undefined`: in this state the event means nothing
 * and is ignored. RFC 6455 §7.1
 */
export function nextState(state: State, event: ClosingEvent): State | undefined {
  throw new Todo('04.4');
}

/**
 * Step 5 · Which error is which code.
 *
 * Returns the code for the Close that reports an error: the one that a `ProtocolError` names,
 * 1011 for anything else, which is our own fault. RFC 6455 §7.1.7, §7.4.1
 */
export function closeCodeFor(error: unknown): ProtocolError['closeCode'] {
  throw new Todo('04.5');
}

/**
 * Step 4 · The end of one connection, to which steps 5 to 7 add.
 *
 * Follows a connection from OPEN to CLOSED. It does nothing itself: each method returns what the
 * owner of the socket has to do, in order, and an event that means nothing in the present state
 * returns an empty list. RFC 6455 §7.1
 */
export class ClosingHandshake {
  /**
   * Starts with an open connection. `timeoutMs` is how long the peer may take for each thing we
   * wait for; `now` reads a clock, in milliseconds, which may stand anywhere: at 0, too.
   */
  constructor(role: Role, timeoutMs: number, now: () => number) {
    throw new Todo('04.4');
  }

  /** Step 4 · Where the connection stands. */
  get state(): State {
    throw new Todo('04.4');
  }

  /**
   * Step 4 · Starts the closing handshake. Throws `RangeError` for a code that never travels and
   * for a reason of more than 123 bytes, and changes nothing then.
   */
  close(code: number = CloseCode.NormalClosure, reason = ''): Action[] {
    throw new Todo('04.4');
  }

  /**
   * Step 4 · Handles the payload of the peer's Close frame. It is answered with the same code and
   * no reason, an empty one with an empty one, unless our own Close is out already. Then the
   * server hangs up; a client waits for that. An illegal payload fails the connection. The payload
   * stays its caller's, who may overwrite it: whatever is kept or returned is a copy.
   */
  receiveClose(payload: Uint8Array): Action[] {
    throw new Todo('04.4');
  }

  /** Step 4 · Notes that the TCP connection is gone. */
  disconnect(): void {
    throw new Todo('04.4');
  }

  /** Step 5 · Says whether what the peer sends still counts. */
  get isListening(): boolean {
    throw new Todo('04.5');
  }

  /**
   * Step 5 · Fails the connection: sends a Close that says why, unless one is out already, and
   * hangs up without waiting for an answer. Its reason is the message of a `ProtocolError`, as much
   * of it as fits; any other error gets none. RFC 6455 §7.1.7
   */
  fail(error: unknown): Action[] {
    throw new Todo('04.5');
  }

  /**
   * Step 6 · Tells how the connection ended: the peer's code and reason, 1005 when its Close had
   * no code, 1006 when there was no Close. `undefined`: it has not ended.
   * RFC 6455 §7.1.4–§7.1.6
   */
  get result(): CloseResult | undefined {
    throw new Todo('04.6');
  }

  /** Step 7 · When we stop waiting, on the clock `now`. `undefined`: we wait for nothing. */
  get deadline(): number | undefined {
    throw new Todo('04.7');
  }

  /** Step 7 · Gives up on the peer when the deadline has come. RFC 6455 §7.1.1 */
  checkDeadline(): Action[] {
    throw new Todo('04.7');
  }
}

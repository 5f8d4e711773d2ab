/** What the scenarios of lesson 04 share. */
import { clock } from '../../../shared/kit/clock.ts';
import { CloseCode, ProtocolError, type Role } from '../../../shared/protocol.ts';
import { fromHex } from '../../../shared/view/hex.ts';
import type * as Closing from '../../../solutions/04-closing/closing.ts';

/** What a file for lesson 04 exports. */
export type Lesson = typeof Closing;
export type {
  Action,
  CloseResult,
  ClosingEvent,
  ClosingHandshake,
  State,
} from '../../../solutions/04-closing/closing.ts';

/** The body of a Close with 1000 and no reason. */
export const NORMAL = fromHex('03 e8');
/** The body of an empty Close. */
export const NOTHING = new Uint8Array(0);
/** How long the peer may take, in milliseconds. */
export const TIMEOUT_MS = 5000;

/** Encodes a code without a reason. */
export function codeBytes(code: number): Uint8Array {
  return Uint8Array.of(code >> 8, code & 255);
}

/** The rule that says whether a code may travel. */
export function ruleOfCode(code: number): number {
  return { 1005: 134, 1006: 135, 1015: 136 }[code] ?? 137;
}

/** An error to fail a connection with: the peer broke a rule. */
export function broken(): ProtocolError {
  return new ProtocolError(CloseCode.ProtocolError, '5.2', 'x');
}

/** Opens a connection. */
export function open(
  { ClosingHandshake }: Lesson,
  role: Role = 'server',
  now = clock().now,
): Closing.ClosingHandshake {
  return new ClosingHandshake(role, TIMEOUT_MS, now);
}

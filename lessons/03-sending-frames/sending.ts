import { randomBytes } from 'node:crypto';
import { type Frame, isControl, MAX_CONTROL_PAYLOAD, Opcode } from '../../shared/protocol.ts';
import { Todo } from '../../shared/todo.ts';

/**
 * Steps 1 and 2 · A frame as bytes.
 *
 * Encodes a frame as a server sends it, unmasked, with its length in the shortest of the three
 * forms: 7 bits up to 125, 16 bits up to 65535, 64 bits beyond. Whether the frame makes sense
 * isn't asked here: `controlFrame` and `fragment` see to that. RFC 6455 §5.2
 */
export function encodeFrame(frame: Frame): Uint8Array {
  throw new Todo('03.1');
}

/**
 * Steps 1 and 2 · Frames as bytes.
 *
 * Encodes frames one after the other, without a gap, so that they can leave in one write. An
 * empty list gives an empty array. The payloads are copied into memory that only this call uses.
 * RFC 6455 §5.2
 */
export function encodeFrames(frames: readonly Frame[]): Uint8Array {
  throw new Todo('03.1');
}

/**
 * Step 3 · Masking as a client.
 *
 * Encodes a frame as a client sends it: with four fresh masking key bytes from `random`, and the
 * payload XORed with them. The caller's payload isn't changed. `random(size)` has to return
 * `size` bytes that nobody can guess. RFC 6455 §5.1, §5.3, §10.3
 */
export function encodeMaskedFrame(
  frame: Frame,
  random: (size: number) => Uint8Array = randomBytes,
): Uint8Array {
  throw new Todo('03.3');
}

/**
 * Step 4 · Control frames.
 *
 * Makes a Close, Ping or Pong frame. Throws `RangeError` for an opcode that isn't a control
 * frame's, and for a payload of more than 125 bytes. RFC 6455 §5.5
 */
export function controlFrame(opcode: number, payload: Uint8Array = new Uint8Array(0)): Frame {
  throw new Todo('03.4');
}

/** Step 4 · Makes the Pong for a Ping, with the same payload. RFC 6455 §5.5.2, §5.5.3 */
export function pongFor(ping: Frame): Frame {
  throw new Todo('03.4');
}

/**
 * Step 5 · A message in fragments.
 *
 * Cuts a message into frames of at most `maxPayload` bytes: the first has the opcode, the others
 * are continuations, the last has FIN. An empty message is one empty frame. The payloads are
 * views into `data`, not copies: what changes in `data` changes in them.
 *
 * Throws `RangeError` for an opcode other than Text and Binary, and when `maxPayload` isn't a
 * whole number from 1 up. RFC 6455 §5.4
 */
export function fragment(opcode: number, data: Uint8Array, maxPayload: number): Frame[] {
  throw new Todo('03.5');
}

/**
 * Step 6 · Strings are not bytes.
 *
 * Encodes text as UTF-8, ready to be a payload, each character as it is: nothing is normalized,
 * and a U+FFFD in the text is a character like any other. Throws `TypeError` when the string has half
 * of a surrogate pair in it: there's no UTF-8 for that, and to send U+FFFD instead would change
 * the text and tell nobody. RFC 6455 §5.6
 */
export function encodeText(text: string): Uint8Array {
  throw new Todo('03.6');
}

/**
 * Step 7 · Keeping order.
 *
 * The frames that wait to be sent, and the order in which they go. A Ping or Pong goes before
 * everything that waits, also between two fragments. A message goes after the whole of the
 * message before it. A Close goes after the messages that were added before it, and no message
 * follows.
 * RFC 6455 §5.4, §5.5
 */
export class SendQueue {
  /**
   * Adds the frames of one whole message, which are at least one. The list stays its caller's.
   * Throws `Error` when a Close has been added, and `RangeError` when the frames aren't one whole
   * message; then it adds none of them.
   */
  addMessage(frames: readonly Frame[]): void {
    throw new Todo('03.7');
  }

  /**
   * Adds a Close, Ping or Pong. Throws `Error` for a second Close, and `RangeError` when the
   * frame isn't a control frame; then it doesn't add it.
   */
  addControl(frame: Frame): void {
    throw new Todo('03.7');
  }

  /**
   * Drops the messages that haven't begun. One whose first fragment has been sent stays, and is
   * finished. Call this before you add the response to a Close, which can wait for the message on
   * its way, but ought not to wait for others. After a Close has been added, there's no reason to
   * call it; if somebody does, the queue stays closed. RFC 6455 §5.5.1
   */
  dropWaiting(): void {
    throw new Todo('03.7');
  }

  /** Takes out the frame that goes next. `undefined`: nothing waits. */
  next(): Frame | undefined {
    throw new Todo('03.7');
  }
}

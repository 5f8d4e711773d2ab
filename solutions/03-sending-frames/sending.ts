import { randomBytes } from 'node:crypto';
import { type Frame, isControl, MAX_CONTROL_PAYLOAD, Opcode } from '../../shared/protocol.ts';

/**
 * Steps 1 and 2 · A frame as bytes.
 *
 * Encodes a frame as a server sends it, unmasked, with its length in the shortest of the three
 * forms: 7 bits up to 125, 16 bits up to 65535, 64 bits beyond. RFC 6455 §5.2
 */
export function encodeFrame(frame: Frame): Uint8Array {
  const { bytes, headerLength } = withHeader(frame, 0);
  bytes.set(frame.payload, headerLength);
  return bytes;
}

/** Allocates a whole frame and writes all of its header but the masking key. */
function withHeader(frame: Frame, keyLength: 0 | 4): { bytes: Uint8Array; headerLength: number } {
  const { fin, opcode, payload } = frame;
  const { length } = payload;
  const lengthBytes = length > 65535 ? 8 : length > 125 ? 2 : 0;
  const headerLength = 2 + lengthBytes + keyLength;
  const bytes = new Uint8Array(headerLength + length);

  const maskBit = keyLength > 0 ? 0x80 : 0;
  const length7 = lengthBytes === 8 ? 127 : lengthBytes === 2 ? 126 : length;
  bytes[0] = (fin ? 0x80 : 0) | opcode;
  bytes[1] = maskBit | length7;
  const view = new DataView(bytes.buffer);
  if (lengthBytes === 2) view.setUint16(2, length);
  if (lengthBytes === 8) view.setBigUint64(2, BigInt(length));
  return { bytes, headerLength };
}

/**
 * Step 3 · Masking as a client.
 *
 * Encodes a frame as a client sends it: with four fresh masking key bytes from `random`, and the
 * payload XORed with them. The caller's payload is not changed. `random(size)` has to return
 * `size` bytes that nobody can guess. RFC 6455 §5.1, §5.3, §10.3
 */
export function encodeMaskedFrame(
  frame: Frame,
  random: (size: number) => Uint8Array = randomBytes,
): Uint8Array {
  const { bytes, headerLength } = withHeader(frame, 4);
  const maskingKey = random(4);
  bytes.set(maskingKey, headerLength - 4);
  for (let i = 0; i < frame.payload.length; i++) {
    bytes[headerLength + i] = frame.payload[i]! ^ maskingKey[i & 3]!;
  }
  return bytes;
}

/**
 * Step 4 · Control frames.
 *
 * Makes a Close, Ping or Pong frame. Throws `RangeError` for an opcode that is not a control
 * frame's, and for a payload of more than 125 bytes. RFC 6455 §5.5
 */
export function controlFrame(opcode: number, payload: Uint8Array = new Uint8Array(0)): Frame {
  if (opcode !== Opcode.Close && opcode !== Opcode.Ping && opcode !== Opcode.Pong) {
    throw new RangeError(`Opcode ${opcode} is not that of a control frame.`);
  }
  if (payload.length > MAX_CONTROL_PAYLOAD) {
    throw new RangeError(`A control frame carries at most 125 bytes, not ${payload.length}.`);
  }
  return { fin: true, opcode, payload };
}

/** Step 4 · Makes the Pong that answers a Ping: the same payload. RFC 6455 §5.5.2, §5.5.3 */
export function pongFor(ping: Frame): Frame {
  return controlFrame(Opcode.Pong, ping.payload);
}

/**
 * Step 5 · A message in fragments.
 *
 * Cuts a message into frames of at most `maxPayload` bytes: the first has the opcode, the others
 * are continuations, the last has FIN. An empty message is one empty frame. The payloads are
 * views into `data`.
 *
 * Throws `RangeError` for an opcode other than Text and Binary, and when `maxPayload` is not a
 * whole number from 1 up. RFC 6455 §5.4
 */
export function fragment(opcode: number, data: Uint8Array, maxPayload: number): Frame[] {
  if (opcode !== Opcode.Text && opcode !== Opcode.Binary) {
    throw new RangeError(`A message is Text or Binary, not opcode ${opcode}.`);
  }
  if (!Number.isInteger(maxPayload) || maxPayload < 1) {
    throw new RangeError(`A fragment holds at least 1 byte, not ${maxPayload}.`);
  }
  const frames: Frame[] = [];
  let start = 0;
  do {
    const end = Math.min(start + maxPayload, data.length);
    frames.push({
      fin: end === data.length,
      opcode: start === 0 ? opcode : Opcode.Continuation,
      payload: data.subarray(start, end),
    });
    start = end;
  } while (start < data.length);
  return frames;
}

/**
 * Step 6 · Strings are not bytes.
 *
 * Encodes text as UTF-8, ready to be a payload. Throws `TypeError` when the string holds half of
 * a surrogate pair: there is no UTF-8 for that, and sending U+FFFD instead would change the
 * text without a word. RFC 6455 §5.6
 */
export function encodeText(text: string): Uint8Array {
  if (!text.isWellFormed()) {
    throw new TypeError('The text has half of a surrogate pair in it.');
  }
  return new TextEncoder().encode(text);
}

/**
 * Step 7 · Keeping order.
 *
 * The frames that wait to be sent, and the order in which they go. A Ping or Pong goes before
 * everything that waits, also between two fragments. A message goes after the whole of the
 * message before it. A Close goes after the messages that were there first; no message follows.
 * RFC 6455 §5.4, §5.5
 */
export class SendQueue {
  readonly #controls: Frame[] = [];
  /** The frames of each message that are still to go. A Close stands among them. */
  readonly #messages: Frame[][] = [];
  /** Has a part of the first message gone? */
  #begun = false;
  #closed = false;

  /**
   * Adds the frames of one whole message. Throws `Error` when a Close has been added, and
   * `RangeError` when the frames are not one whole message.
   */
  addMessage(frames: readonly Frame[]): void {
    if (this.#closed) throw new Error('No message may follow a Close.');
    const last = frames.length - 1;
    const whole = frames.every(({ fin, opcode }, i) => {
      const starts = opcode === Opcode.Text || opcode === Opcode.Binary;
      return fin === (i === last) && (i === 0 ? starts : opcode === Opcode.Continuation);
    });
    if (frames.length === 0 || !whole) {
      throw new RangeError('The frames are not one whole message.');
    }
    this.#messages.push([...frames]);
  }

  /**
   * Adds a Close, Ping or Pong. Throws `Error` for a second Close, and `RangeError` when the
   * frame is not a control frame.
   */
  addControl(frame: Frame): void {
    if (!isControl(frame.opcode)) throw new RangeError('The frame is not a control frame.');
    if (frame.opcode !== Opcode.Close) {
      this.#controls.push(frame);
      return;
    }
    if (this.#closed) throw new Error('A Close is sent once.');
    this.#closed = true;
    this.#messages.push([frame]);
  }

  /**
   * Drops the messages that have not begun. For the answer to a Close: it may wait for the end
   * of the message on its way, but for no other.
   */
  dropWaiting(): void {
    this.#messages.length = this.#begun ? 1 : 0;
  }

  /** Takes out the frame that goes next. `undefined`: nothing waits. */
  next(): Frame | undefined {
    const control = this.#controls.shift();
    if (control) return control;
    const frame = this.#messages[0]?.shift();
    if (frame?.fin) this.#messages.shift();
    this.#begun = frame !== undefined && !frame.fin;
    return frame;
  }
}

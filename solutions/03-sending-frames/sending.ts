import { randomBytes } from 'node:crypto';
import { type Frame, isControl, MAX_CONTROL_PAYLOAD, Opcode } from '../../shared/protocol.ts';

/**
 * Steps 1 and 2 · A frame as bytes.
 *
 * Encodes a frame as a server sends it, unmasked, with its length in the shortest of the three
 * forms: 7 bits up to 125, 16 bits up to 65535, 64 bits beyond. Whether the frame makes sense
 * isn't asked here: `controlFrame` and `fragment` see to that. RFC 6455 §5.2
 */
export function encodeFrame(frame: Frame): Uint8Array {
  return encodeFrames([frame]);
}

/**
 * Steps 1 and 2 · Frames as bytes.
 *
 * Encodes frames one after the other, without a gap, so that they can leave in one write. An
 * empty list gives an empty array. The payloads are copied into memory that only this call uses.
 * RFC 6455 §5.2
 */
export function encodeFrames(frames: readonly Frame[]): Uint8Array {
  let size = 0;
  for (const { payload } of frames) size += headerSize(payload) + payload.length;
  // Not set to zero first: every byte is written below.
  const bytes = Buffer.allocUnsafe(size);
  let at = 0;
  for (const frame of frames) {
    at = writeHeader(bytes, at, frame, 0);
    bytes.set(frame.payload, at);
    at += frame.payload.length;
  }
  return bytes;
}

/** Size of a header without a masking key, in bytes. */
function headerSize({ length }: Uint8Array): number {
  return length > 65535 ? 10 : length > 125 ? 4 : 2;
}

/** Writes all of a header but the masking key, from `at` on. Returns where it ends. */
function writeHeader(
  bytes: Buffer,
  at: number,
  { fin, rsv1, opcode, payload: { length } }: Frame,
  maskBit: 0 | 0x80,
): number {
  bytes[at] = (fin ? 0x80 : 0) | (rsv1 ? 0x40 : 0) | opcode;
  if (length <= 125) {
    bytes[at + 1] = maskBit | length;
    return at + 2;
  }
  if (length <= 65535) {
    bytes[at + 1] = maskBit | 126;
    return bytes.writeUInt16BE(length, at + 2);
  }
  bytes[at + 1] = maskBit | 127;
  return bytes.writeBigUInt64BE(BigInt(length), at + 2);
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
  const { payload } = frame;
  const bytes = Buffer.allocUnsafe(headerSize(payload) + 4 + payload.length);
  const keyAt = writeHeader(bytes, 0, frame, 0x80);
  const maskingKey = random(4);
  bytes.set(maskingKey, keyAt);
  for (let i = 0; i < payload.length; i++) bytes[keyAt + 4 + i] = payload[i]! ^ maskingKey[i & 3]!;
  return bytes;
}

/**
 * Step 4 · Control frames.
 *
 * Makes a Close, Ping or Pong frame. Throws `RangeError` for an opcode that isn't a control
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

/** Step 4 · Makes the Pong for a Ping, with the same payload. RFC 6455 §5.5.2, §5.5.3 */
export function pongFor(ping: Frame): Frame {
  return controlFrame(Opcode.Pong, ping.payload);
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
  if (opcode !== Opcode.Text && opcode !== Opcode.Binary) {
    throw new RangeError(`A message is Text or Binary, not opcode ${opcode}.`);
  }
  if (!Number.isInteger(maxPayload) || maxPayload < 1) {
    throw new RangeError(`A fragment has at least 1 byte, not ${maxPayload}.`);
  }
  if (data.length <= maxPayload) return [{ fin: true, opcode, payload: data }];
  const frames: Frame[] = [];
  for (let start = 0; start < data.length; start += maxPayload) {
    frames.push({
      fin: start + maxPayload >= data.length,
      opcode: start === 0 ? opcode : Opcode.Continuation,
      payload: data.subarray(start, start + maxPayload),
    });
  }
  return frames;
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
  if (!text.isWellFormed()) {
    throw new TypeError('The text has half of a surrogate pair in it.');
  }
  return Buffer.from(text);
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
  /** Pings and Pongs. */
  readonly #controls = new FrameQueue();
  /** The frames of all messages, one after the other. A Close is the last. */
  readonly #messages = new FrameQueue();
  /** Has the first fragment of a message been sent, but not its last? */
  #begun = false;
  #closed = false;

  /**
   * Adds the frames of one whole message, which are at least one. The list stays its caller's.
   * Throws `Error` when a Close has been added, and `RangeError` when the frames aren't one whole
   * message; then it adds none of them.
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
    for (const frame of frames) this.#messages.push(frame);
  }

  /**
   * Adds a Close, Ping or Pong. Throws `Error` for a second Close, and `RangeError` when the
   * frame isn't a control frame; then it doesn't add it.
   */
  addControl(frame: Frame): void {
    if (!isControl(frame.opcode)) throw new RangeError('The frame is not a control frame.');
    if (frame.opcode !== Opcode.Close) {
      this.#controls.push(frame);
      return;
    }
    if (this.#closed) throw new Error('A Close is sent once.');
    this.#closed = true;
    this.#messages.push(frame);
  }

  /**
   * Drops the messages that haven't begun. One whose first fragment has been sent stays, and is
   * finished. Call this before you add the response to a Close, which can wait for the message on
   * its way, but ought not to wait for others. After a Close has been added, there's no reason to
   * call it; if somebody does, the queue stays closed. RFC 6455 §5.5.1
   */
  dropWaiting(): void {
    const frames = this.#messages.takeAll();
    const end = this.#begun ? frames.findIndex(({ fin }) => fin) + 1 : 0;
    for (const frame of frames.slice(0, end)) this.#messages.push(frame);
  }

  /** Takes out the frame that goes next. `undefined`: nothing waits. */
  next(): Frame | undefined {
    const control = this.#controls.take();
    if (control) return control;
    const frame = this.#messages.take();
    this.#begun = frame !== undefined && !frame.fin;
    return frame;
  }
}

/** Frames, first in, first out. `Array.shift` would move all the others up at every take. */
class FrameQueue {
  /** Those that go next, the first of them last: `pop` takes it. */
  #next: Frame[] = [];
  /** Those that were added after them. */
  #added: Frame[] = [];

  push(frame: Frame): void {
    this.#added.push(frame);
  }

  take(): Frame | undefined {
    if (this.#next.length === 0) {
      this.#next = this.#added.reverse();
      this.#added = [];
    }
    return this.#next.pop();
  }

  takeAll(): Frame[] {
    const frames = [...this.#next.reverse(), ...this.#added];
    this.#next = [];
    this.#added = [];
    return frames;
  }
}

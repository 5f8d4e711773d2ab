/** Headers written as text, in hex, as they are in the standard. A linked list is the queue. */
import { webcrypto } from 'node:crypto';
import { type Frame, isControl, MAX_CONTROL_PAYLOAD, Opcode } from '../../../shared/protocol.ts';

/** Writes a number in so many hex digits. */
function hex(number: number, digits: number): string {
  return number.toString(16).padStart(digits, '0');
}

/** The header of a frame, such as `8105`. */
function header(frame: Frame, mask: '' | 'masked' = ''): string {
  const { length } = frame.payload;
  const first = `${hex((frame.fin ? 8 : 0) + (frame.rsv1 ? 4 : 0), 1)}${hex(frame.opcode, 1)}`;
  const second = (length7: number) => hex(length7 + (mask ? 128 : 0), 2);
  if (length <= 125) return first + second(length);
  if (length <= 0xffff) return first + second(126) + hex(length, 4);
  return first + second(127) + hex(length, 16);
}

export function encodeFrame(frame: Frame): Uint8Array {
  return Buffer.concat([Buffer.from(header(frame), 'hex'), frame.payload]);
}

export function encodeFrames(frames: readonly Frame[]): Uint8Array {
  return Buffer.concat(frames.map(encodeFrame));
}

export function encodeMaskedFrame(
  frame: Frame,
  random = (size: number): Uint8Array => webcrypto.getRandomValues(new Uint8Array(size)),
): Uint8Array {
  const head = Buffer.from(header(frame, 'masked'), 'hex');
  const bytes = Buffer.concat([head, random(4), frame.payload]);
  const key = bytes.subarray(head.length, head.length + 4);
  const payload = bytes.subarray(head.length + 4);
  for (const [i, byte] of payload.entries()) payload[i] = byte ^ key[i % 4]!;
  return bytes;
}

export function controlFrame(opcode: number, payload: Uint8Array = Buffer.alloc(0)): Frame {
  if (!/^[89a]$/.test(hex(opcode, 1))) throw new RangeError('Not an opcode of a control frame.');
  if (payload.length > MAX_CONTROL_PAYLOAD) throw new RangeError('Too long.');
  return { fin: true, opcode, payload };
}

export const pongFor = (ping: Frame): Frame => ({ ...ping, opcode: Opcode.Pong });

export function fragment(opcode: number, data: Uint8Array, maxPayload: number): Frame[] {
  if (!/^[12]$/.test(hex(opcode, 1))) throw new RangeError('Not an opcode of a message.');
  if (!Number.isInteger(maxPayload) || maxPayload < 1) throw new RangeError('Not a size.');
  const count = Math.max(1, Math.ceil(data.length / maxPayload));
  return Array.from({ length: count }, (_, i) => ({
    fin: i === count - 1,
    opcode: i > 0 ? Opcode.Continuation : opcode,
    payload: data.subarray(i * maxPayload, (i + 1) * maxPayload),
  }));
}

export function encodeText(text: string): Uint8Array {
  const bytes = Buffer.from(text, 'utf8');
  // What has no UTF-8 comes back as something else.
  if (bytes.toString('utf8') !== text) throw new TypeError('This text has no UTF-8.');
  return bytes;
}

/** A frame that waits, and the one behind it. */
interface Link {
  readonly frame: Frame;
  next: Link | undefined;
}

/** Frames in the order in which they were added. */
class LinkedList {
  first: Link | undefined;
  #last: Link | undefined;

  add(frame: Frame): void {
    const link: Link = { frame, next: undefined };
    if (this.first && this.#last) this.#last.next = link;
    else this.first = link;
    this.#last = link;
  }

  take(): Frame | undefined {
    const frame = this.first?.frame;
    this.first = this.first?.next;
    return frame;
  }
}

export class SendQueue {
  readonly #urgent = new LinkedList();
  #messages = new LinkedList();
  /** Goes when no message is left. */
  #close: Frame | undefined;
  #hasClose = false;
  #isBegun = false;

  addMessage(frames: readonly Frame[]): void {
    if (this.#hasClose) throw new Error('There is a Close already.');
    const form = frames.map(({ fin, opcode }) => `${hex(opcode, 1)}${fin ? '.' : ','}`).join('');
    if (!/^[12](,0)*\.$/.test(form)) throw new RangeError('This is not one message.');
    for (const frame of frames) this.#messages.add(frame);
  }

  addControl(frame: Frame): void {
    if (!isControl(frame.opcode)) throw new RangeError('This is not a control frame.');
    if (frame.opcode !== Opcode.Close) {
      this.#urgent.add(frame);
      return;
    }
    if (this.#hasClose) throw new Error('One Close is enough.');
    this.#hasClose = true;
    this.#close = frame;
  }

  dropWaiting(): void {
    const kept = new LinkedList();
    while (this.#isBegun) {
      const frame = this.#messages.take();
      if (frame) kept.add(frame);
      if (frame?.fin !== false) break;
    }
    this.#messages = kept;
  }

  next(): Frame | undefined {
    const urgent = this.#urgent.take();
    if (urgent) return urgent;
    const frame = this.#messages.take();
    if (frame) {
      this.#isBegun = !frame.fin;
      return frame;
    }
    const close = this.#close;
    this.#close = undefined;
    return close;
  }
}

/** Frames written with `DataView` in pieces that are joined at the end. One array is the queue. */
import { randomFillSync } from 'node:crypto';
import { type Frame, Opcode } from '../../../shared/protocol.ts';

type Random = (size: number) => Uint8Array;

function headerOf({ fin, rsv1, opcode, payload }: Frame, masked: boolean): Uint8Array {
  const view = new DataView(new ArrayBuffer(10));
  const bit = masked ? 0x80 : 0;
  let size = 2;
  view.setUint8(0, opcode + (fin ? 0x80 : 0) + (rsv1 ? 0x40 : 0));
  if (payload.length < 126) {
    view.setUint8(1, bit + payload.length);
  } else if (payload.length < 65536) {
    view.setUint8(1, bit + 126);
    view.setUint16(2, payload.length);
    size = 4;
  } else {
    view.setUint8(1, bit + 127);
    view.setBigUint64(2, BigInt(payload.length));
    size = 10;
  }
  return new Uint8Array(view.buffer, 0, size);
}

function join(pieces: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(pieces.reduce((size, piece) => size + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    joined.set(piece, at);
    at += piece.length;
  }
  return joined;
}

export function encodeFrame(frame: Frame): Uint8Array {
  return join([headerOf(frame, false), frame.payload]);
}

export function encodeFrames(frames: readonly Frame[]): Uint8Array {
  const pieces: Uint8Array[] = [];
  for (const frame of frames) pieces.push(headerOf(frame, false), frame.payload);
  return join(pieces);
}

const secure: Random = (size) => randomFillSync(new Uint8Array(size));

export function encodeMaskedFrame(frame: Frame, random: Random = secure): Uint8Array {
  const key = random(4);
  const masked = frame.payload.map((byte, i) => byte ^ key[i % 4]!);
  return join([headerOf(frame, true), key, masked]);
}

export function controlFrame(opcode: number, payload: Uint8Array = Uint8Array.of()): Frame {
  switch (opcode) {
    case Opcode.Close:
    case Opcode.Ping:
    case Opcode.Pong:
      break;
    default:
      throw new RangeError(`No control frame has the opcode ${opcode}.`);
  }
  if (payload.length > 125) throw new RangeError('The payload is too long for a control frame.');
  return { fin: true, opcode, payload };
}

export function pongFor({ payload }: Frame): Frame {
  return controlFrame(Opcode.Pong, payload);
}

export function fragment(opcode: number, data: Uint8Array, maxPayload: number): Frame[] {
  if (opcode !== Opcode.Text && opcode !== Opcode.Binary) {
    throw new RangeError('A message is text or binary.');
  }
  if (!(maxPayload >= 1 && maxPayload % 1 === 0)) throw new RangeError('A size is a whole number.');
  const frames: Frame[] = [];
  let from = 0;
  do {
    const payload = data.subarray(from, from + maxPayload);
    const isFirst = from === 0;
    from += payload.length;
    frames.push({ fin: from === data.length, opcode: isFirst ? opcode : 0, payload });
  } while (from < data.length);
  return frames;
}

export function encodeText(text: string): Uint8Array {
  if (!text.isWellFormed()) throw new TypeError('Half of a surrogate pair.');
  return new TextEncoder().encode(text);
}

/** All frames are in one array, in the order in which they go. */
export class SendQueue {
  #frames: Frame[] = [];
  /** Where the next one is. Those before it have gone. */
  #at = 0;
  /** How many Pings and Pongs wait, in front of all others. */
  #urgent = 0;
  #isInMessage = false;
  #isClosed = false;

  addMessage(frames: readonly Frame[]): void {
    if (this.#isClosed) throw new Error('Nothing follows a Close.');
    const last = frames.length - 1;
    for (const [i, { fin, opcode }] of frames.entries()) {
      const isData = opcode === Opcode.Text || opcode === Opcode.Binary;
      const fits = i === 0 ? isData : opcode === Opcode.Continuation;
      if (!fits || fin !== (i === last)) throw new RangeError(`Frame ${i} is out of place.`);
    }
    if (frames.length === 0) throw new RangeError('No frames are no message.');
    for (const frame of frames) this.#frames.push(frame);
  }

  addControl(frame: Frame): void {
    controlFrame(frame.opcode);
    if (frame.opcode !== Opcode.Close) {
      this.#frames.splice(this.#at + this.#urgent++, 0, frame);
      return;
    }
    if (this.#isClosed) throw new Error('There has been a Close.');
    this.#isClosed = true;
    this.#frames.push(frame);
  }

  dropWaiting(): void {
    const frames = this.#frames.slice(this.#at);
    const isUrgent = (_: Frame, i: number) => i < this.#urgent;
    const lined = frames.slice(this.#urgent);
    const begun = this.#isInMessage ? lined.findIndex(({ fin }) => fin) + 1 : 0;
    const stays = ({ opcode }: Frame, i: number) => i < begun || opcode === Opcode.Close;
    this.#frames = [...frames.filter(isUrgent), ...lined.filter(stays)];
    this.#at = 0;
  }

  next(): Frame | undefined {
    const frame = this.#frames[this.#at];
    if (frame === undefined) return undefined;
    this.#at++;
    if (this.#urgent > 0) this.#urgent--;
    else this.#isInMessage = !frame.fin;
    if (this.#at > 1000 && this.#at * 2 > this.#frames.length) {
      this.#frames = this.#frames.slice(this.#at);
      this.#at = 0;
    }
    return frame;
  }
}

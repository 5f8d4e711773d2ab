/** Frames as callers have them, drawn for the generated cases of lesson 03. */
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import type { Choices } from '../../../shared/kit/generate.ts';
import { type Frame, Opcode } from '../../../shared/protocol.ts';
import { opcodeName } from '../../../shared/view/say.ts';

/** Bytes, and in what kind of memory they are. */
export interface Drawn {
  readonly bytes: Uint8Array;
  /** Empty: in an array of their own. */
  readonly where: string;
}

/** Draws so many bytes, alone in their memory or as a part of something larger. */
export function drawBytes(choose: Choices, length: number): Drawn {
  const content = pattern(length, choose.below(256));
  const start = choose.below(20);
  const larger = new Uint8Array(start + length + choose.below(20)).fill(0xee);
  larger.set(content, start);
  switch (choose.below(4)) {
    case 1:
      return {
        bytes: larger.subarray(start, start + length),
        where: `from byte ${start} of a larger array`,
      };
    case 2:
      return {
        bytes: Buffer.from(larger.buffer, start, length),
        where: `a Buffer from byte ${start} of a larger one`,
      };
    case 3:
      return {
        bytes: Buffer.from(content),
        where: 'a Buffer, which Node cuts out of a larger one',
      };
    default:
      return { bytes: content, where: '' };
  }
}

/**
 * Bytes that differ from their neighbours, so that none can stand in for another. Drawn one by one,
 * they would make a longer payload the simpler case.
 */
function pattern(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (1 + seed + i * 31 + (i >> 8)) & 255);
}

/** Draws a length below `limit`, often one beside a boundary of the three forms. */
export function drawLength(choose: Choices, limit: number): number {
  const length = choose.below(limit);
  const boundary = choose.pick([undefined, 125, 126, 0, 255, undefined, undefined]);
  return boundary === undefined ? length : Math.min(boundary + choose.below(3), limit - 1);
}

/** A frame, and in what kind of memory its payload is. */
export interface DrawnFrame extends Frame {
  readonly where: string;
}

const OPCODES = [Opcode.Text, ...Object.values(Opcode)];

/** Draws a frame with a payload of so many bytes. */
export function drawFrame(choose: Choices, length: number): DrawnFrame {
  const opcode = choose.pick(OPCODES);
  const fin = !choose.oneIn(3);
  const { bytes, where } = drawBytes(choose, length);
  return { fin, opcode, payload: bytes, where };
}

/** Tells of a frame: what it is, how long it is, and where its payload is. */
export function tellFrame({ fin, opcode, payload, where }: DrawnFrame): string {
  const head = `${opcodeName(opcode)}, ${fin ? 'FIN' : 'no FIN'}, ${payload.length} ${payload.length === 1 ? 'byte' : 'bytes'}`;
  return [head, ...(payload.length > 0 ? [show(payload)] : []), ...(where ? [where] : [])].join(
    '; ',
  );
}

/** Tells of several frames, a line for each. */
export function tellFrames(frames: readonly DrawnFrame[]): Fact[] {
  if (frames.length === 0) return [['frames', 'none']];
  return frames.map((frame, i) => [`frame ${i + 1}`, tellFrame(frame)]);
}

/** A frame as it is read by code that takes `buffer` for its payload, and forgets `byteOffset`. */
export function fromStart<T extends Frame>(frame: T): T {
  const { buffer, length } = frame.payload;
  return { ...frame, payload: new Uint8Array(buffer, 0, length) };
}

/** The cause, where such code has been at work. */
export const FROM_START =
  'These are the first bytes of `buffer`, the memory that the array is a part of. The array begins at its `byteOffset`.';

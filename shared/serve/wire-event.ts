/** What a page hears of its own connection's bytes, as JSON over a second WebSocket. */
import { type DecodedFrame, decodeFrame } from '../view/frame.ts';
import { decodeHead } from '../view/head.ts';
import { escapeBytes, toHex } from '../view/hex.ts';
import { type Field, opcodeName, sayBeginning, sayFields } from '../view/say.ts';
import type { CutFrame } from './cutter.ts';
import { type Direction, frameStep, headStep, type Step } from './steps.ts';

/** A field of a frame as the page shows it. */
export interface WireField extends Field {
  readonly step: Step;
}

/** A line of the handshake as the page shows it. */
export interface WireLine {
  readonly text: string;
  readonly step?: Step;
}

/** Something that happened on the wire. `time` is in milliseconds since 1970. */
export type WireEvent =
  /** Half of the opening handshake; `rest` is what came behind a refusal, as text. */
  | {
      readonly kind: 'head';
      readonly direction: Direction;
      readonly time: number;
      readonly lines: readonly WireLine[];
      readonly rest: string;
    }
  | {
      readonly kind: 'frame';
      readonly direction: Direction;
      readonly time: number;
      /** In a few words, such as `text · masked · 11 bytes`. */
      readonly summary: string;
      /** Of the whole frame, in bytes. */
      readonly size: number;
      /** Its bytes; of a long frame only the first ones. */
      readonly hex: string;
      readonly fields: readonly WireField[];
    }
  /** The page was too slow, and this many events were left out. */
  | { readonly kind: 'gap'; readonly time: number; readonly count: number }
  /** The TCP connection is gone. */
  | { readonly kind: 'end'; readonly time: number };

/** Says what a frame is, field by field. */
export function frameEvent(direction: Direction, cut: CutFrame): WireEvent {
  const { bytes, arrived, size } = cut;
  const frame = decodeFrame(bytes);
  const { opcode, fin } = frame;
  const fields = sayFields(frame).map((field) => ({
    ...field,
    // The viewer takes what was not kept for not arrived.
    ...(field.name === 'payload' &&
      bytes.length < arrived && {
        meaning: `payload ${sayBeginning(frame)} (${size - field.start} bytes)`,
      }),
    step: frameStep({ direction, name: field.name, opcode, fin }),
  }));
  const summary = summarize(frame, cut);
  return { kind: 'frame', direction, time: Date.now(), summary, size, hex: toHex(bytes), fields };
}

/** Says in a few words what the fields say in many. */
function summarize({ opcode, fin, masked }: DecodedFrame, { arrived, size }: CutFrame): string {
  const words = [
    opcodeName(opcode),
    !fin && 'more to follow',
    masked !== undefined && (masked ? 'masked' : 'not masked'),
    `${size.toLocaleString('en')} bytes`,
    arrived < size && `cut off after ${arrived.toLocaleString('en')}`,
  ];
  return words.filter(Boolean).join(' · ');
}

/** Takes the head of a request or response apart, and what comes behind it. */
export function headEvent(direction: Direction, bytes: Uint8Array): WireEvent {
  const { lines, rest } = decodeHead(bytes);
  return {
    kind: 'head',
    direction,
    time: Date.now(),
    lines: lines
      .filter(({ name }) => name !== 'blank line')
      .map((line, index) => {
        const text = escapeBytes(line.text.replace(/\r\n$/, ''));
        const step = headStep(direction, text, index);
        return { text, ...(step && { step }) };
      }),
    rest: Buffer.from(rest).toString('utf8'),
  };
}

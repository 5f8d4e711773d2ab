/** What a page hears of its own connection's bytes, as JSON over a second WebSocket. */
import { toHex } from '../view/hex.ts';
import { type Field, frameFields, headFields } from '../view/wire.ts';
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
export function frameEvent(direction: Direction, frame: CutFrame): WireEvent {
  const { bytes, arrived, size } = frame;
  const opcode = bytes[0]! & 15;
  const fin = bytes[0]! >= 0x80;
  const fields = frameFields(bytes).map((field) => ({
    ...field,
    meaning: bytes.length < arrived ? shortened(field, size) : field.meaning,
    step: frameStep({ direction, name: field.name, opcode, fin }),
  }));
  const summary = summarize(fields, frame);
  return { kind: 'frame', direction, time: Date.now(), summary, size, hex: toHex(bytes), fields };
}

/** Says in a few words what the fields say in many. */
function summarize([first, second]: readonly Field[], { arrived, size }: CutFrame): string {
  const [, fin, name] = /FIN=(\d).*\((\w+)\)/.exec(first?.meaning ?? '') ?? [];
  const words = [
    name,
    fin === '0' && 'more to follow',
    second?.meaning.startsWith('MASK=1') ? 'masked' : 'not masked',
    `${size.toLocaleString('en')} bytes`,
    arrived < size && `cut off after ${arrived.toLocaleString('en')}`,
  ];
  return words.filter(Boolean).join(' · ');
}

/** The viewer takes what was not kept for not arrived. Says how long the payload is instead. */
function shortened({ name, start, meaning }: Field, size: number): string {
  if (name !== 'payload') return meaning;
  return meaning.replace(/ \(\d+ bytes\).*$|, \d+ more .*$/, ` (${size - start} bytes)`);
}

/** Takes the head of a request or response apart, and what comes behind it. */
export function headEvent(direction: Direction, bytes: Uint8Array): WireEvent {
  const fields = headFields(bytes);
  const rest = fields.find(({ name }) => name === 'rest');
  const lines = fields.filter(({ name }) => name === 'start line' || name === 'header');
  return {
    kind: 'head',
    direction,
    time: Date.now(),
    lines: lines.map(({ meaning }, index) => {
      // In the viewer's quotes, no character is invisible.
      const text = meaning.slice(1, -1).replace(/\\r\\n$/, '');
      const step = headStep(direction, text, index);
      return { text, ...(step && { step }) };
    }),
    rest: rest ? Buffer.from(bytes.subarray(rest.start)).toString('utf8') : '',
  };
}

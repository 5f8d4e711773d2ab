/** What a page hears of its own connection's bytes, as JSON over a second WebSocket. */

import { Opcode } from '../protocol.ts';
import { type DecodedFrame, decodeFrame } from '../view/frame.ts';
import { decodeHead } from '../view/head.ts';
import { escapeBytes, toHex } from '../view/hex.ts';
import { type Field, opcodeName, sayBeginning, sayFields, sayWhole } from '../view/say.ts';
import { type Strip, stripOf } from '../view/strip.ts';
import type { Unpacked, Unpacker } from '../view/unpack.ts';
import { sayBlocks, sayPlain, sayReference, saySizes } from '../view/unpacked.ts';
import type { CutFrame } from './cutter.ts';
import type { Part } from './parts.ts';
import { type Direction, frameStep, headStep, type Step } from './steps.ts';

/** A field of a frame as the page shows it. */
export interface WireField extends Field {
  readonly step: Step;
}

/** A line of the handshake as the page shows it. */
export interface WireLine {
  readonly text: string;
  /** Its bytes, with the line break. */
  readonly hex: string;
  readonly step?: Step;
}

/** A compressed message as the page shows it. */
export interface WireMessage {
  /** How long it is, packed and plain, in a few words. */
  readonly sizes: string;
  /** Its packed bytes; of a long one only the first. */
  readonly hex: string;
  /** What it says. Empty if it could not be unpacked. */
  readonly plain: string;
  /** What is wrong with it. */
  readonly problem?: string;
  /** What each block of a short one is. */
  readonly blocks: readonly string[];
  /** A short one drawn, if it refers back. Each reference has its words. */
  readonly strip?: Strip & { readonly says: readonly string[] };
}

/** Something that happened on the wire. `time` is in milliseconds since 1970. */
export type WireEvent =
  /** Whose code is at work. The first event, and again whenever that changes. */
  | { readonly kind: 'lessons'; readonly time: number; readonly parts: readonly Part[] }
  /** Half of the opening handshake; `rest` is what came behind a refusal, as text. */
  | {
      readonly kind: 'head';
      readonly direction: Direction;
      readonly time: number;
      readonly lines: readonly WireLine[];
      readonly rest: string;
      /** What they have agreed on about compression, where the server can compress. */
      readonly agreement?: string;
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
      /** The compressed message that ends with it. */
      readonly message?: WireMessage;
    }
  /** What the browser sends is cut into reads of one byte, or no longer, as the page has asked. */
  | { readonly kind: 'reads'; readonly time: number; readonly areCut: boolean }
  /** What the server sends from here on is compressed, or no longer, as the page has asked. */
  | { readonly kind: 'compressing'; readonly time: number; readonly isOn: boolean }
  /** A Ping leaves behind the next fragment, as the page has asked. */
  | { readonly kind: 'ping waits'; readonly time: number }
  /** The page was too slow, and this many events were left out. */
  | { readonly kind: 'gap'; readonly time: number; readonly count: number }
  /** One side closes its half of the TCP connection: nothing more comes from there. */
  | {
      readonly kind: 'half close';
      readonly direction: Direction;
      readonly time: number;
      /** Is it the side that does so first? */
      readonly isFirst: boolean;
    }
  /** The TCP connection is gone. */
  | { readonly kind: 'end'; readonly time: number };

/**
 * Says what a frame is, field by field. An `unpacker` is there when compression is agreed on: it has
 * had all frames of this direction before.
 */
export function frameEvent(direction: Direction, cut: CutFrame, unpacker?: Unpacker): WireEvent {
  const { bytes, arrived, size, whole } = cut;
  const deflate = unpacker !== undefined;
  const frame = asPacked(decodeFrame(bytes, 0, deflate), unpacker);
  const { opcode, fin, length7, isCompressed } = frame;
  const fields = sayFields(frame).map((field) => ({
    ...field,
    ...(field.name === 'payload' && { meaning: sayPayload(frame, field, cut) }),
    step: frameStep({ direction, name: field.name, opcode, fin, length7, isCompressed }),
  }));
  const summary = summarize(direction, frame, cut);
  const isWhole = whole && arrived === size;
  const unpacked = isWhole && unpacker?.push(decodeFrame(whole, 0, deflate));
  const message = unpacked && messageOf(unpacked);
  const event = { kind: 'frame', direction, time: Date.now(), summary, size } as const;
  return { ...event, hex: toHex(bytes), fields, ...(message && { message }) };
}

/** What continues a compressed message is compressed as well. */
function asPacked(frame: DecodedFrame, unpacker: Unpacker | undefined): DecodedFrame {
  const goesOn = frame.opcode === Opcode.Continuation && unpacker?.isPacked === true;
  return goesOn ? { ...frame, isCompressed: true } : frame;
}

function messageOf(unpacked: Unpacked): WireMessage {
  const { packed, walk, problem } = unpacked;
  const strip = stripOf(unpacked);
  const isDrawn = strip !== undefined && strip.references.length > 0;
  return {
    sizes: saySizes(unpacked),
    hex: toHex(packed, MAX_PACKED_BYTES),
    plain: sayPlain(unpacked),
    ...(problem && { problem }),
    blocks: walk ? sayBlocks(walk) : [],
    ...(isDrawn && { strip: { ...strip, says: strip.references.map(sayReference) } }),
  };
}

/** How much is shown of a packed message, in bytes. */
const MAX_PACKED_BYTES = 64;

/** Says what a payload is: all of a text, and of other data the beginning. */
function sayPayload(frame: DecodedFrame, field: Field, { bytes, arrived, size }: CutFrame): string {
  if (bytes.length < arrived) {
    // The viewer takes what was not kept for not arrived.
    return `payload ${sayBeginning(frame)} (${size - field.start} bytes)`;
  }
  const isText = frame.opcode === Opcode.Text || frame.opcode === Opcode.Close;
  return isText && arrived === size ? `payload ${sayWhole(frame)}` : field.meaning;
}

/** Says in a few words what the fields say in many. */
function summarize(
  direction: Direction,
  { opcode, fin, masked, isCompressed }: DecodedFrame,
  { arrived, size, reads }: CutFrame,
): string {
  const words = [
    opcodeName(opcode),
    isCompressed && 'compressed',
    !fin && 'more to follow',
    masked !== undefined && (masked ? 'masked' : 'not masked'),
    `${size.toLocaleString('en')} bytes`,
    direction === 'in' && reads > 1 && `in ${reads.toLocaleString('en')} reads`,
    arrived < size && `cut off after ${arrived.toLocaleString('en')}`,
  ];
  return words.filter(Boolean).join(' · ');
}

/** Takes the head of a request or response apart, and what comes behind it. */
export function headEvent(direction: Direction, bytes: Uint8Array, agreement?: string): WireEvent {
  const { lines, rest } = decodeHead(bytes);
  return {
    kind: 'head',
    direction,
    time: Date.now(),
    lines: lines.map((line, index) => {
      const text = escapeBytes(line.text.replace(/\r\n$/, ''));
      const step = headStep(direction, text, index);
      return { text, hex: toHex(Buffer.from(line.text, 'latin1')), ...(step && { step }) };
    }),
    rest: Buffer.from(rest).toString('utf8'),
    ...(agreement && { agreement }),
  };
}

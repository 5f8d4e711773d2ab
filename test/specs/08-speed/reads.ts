/** What the scenarios of payloads in pieces are written with. */
import { attempt, equal } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { wire } from '../../../shared/kit/frames.ts';
import { deliver } from '../../../shared/kit/replay.ts';
import type { Message } from '../../../shared/protocol.ts';
import { NO_KEY } from '../02-reading-frames/cost.ts';
import type { Lesson } from './tools.ts';

export type Reader = InstanceType<Lesson['MessageReader']>;

/** How large the reads of a busy socket are, in bytes. */
export const READ_BYTES = 64 * 1024;

/** The longest header of a frame that a client sends, in bytes. */
export const HEADER_BYTES = 14;

/** Makes a reader of the messages of clients. */
export function readerOf({ MessageReader }: Lesson): Reader {
  return attempt(() => new MessageReader(), 'Make a reader.');
}

/** Makes a binary message as it comes out. */
export const binary = (data: Uint8Array): Message => ({ type: 'binary', data });

/** Makes so many bytes, no two neighbours of which are alike. */
export function someBytes(length: number, from = 0): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, i) => (from + i * 7 + (i >> 8)) & 255);
}

/** Lets a reader take over a copy of some bytes. They begin at an odd place of their memory. */
export function own(reader: Reader, bytes: Uint8Array): Uint8Array {
  const chunk = Buffer.from(new ArrayBuffer(bytes.length + 3), 3);
  chunk.set(bytes);
  reader.own(chunk);
  return chunk;
}

/** Reads all that there is. */
export function readAll(reader: Reader): Message[] {
  const messages: Message[] = [];
  for (let message = reader.read(); message; message = reader.read()) messages.push(message);
  return messages;
}

/** Reads what there is, which has to be nothing yet. */
export function readNothing(reader: Reader, given: readonly Fact[]): void {
  equal(() => reader.read(), undefined, 'Nothing is returned before it is complete.', { given });
}

/** Cuts bytes into reads of a size. */
export function inReads(bytes: Uint8Array, size = READ_BYTES): readonly Uint8Array[] {
  const cuts: number[] = [];
  for (let at = size; at < bytes.length; at += size) cuts.push(at);
  return deliver(bytes, cuts).reads;
}

/** Encodes a frame as a client does whose masking key is 0: where unmasking is not what is looked at. */
export function plain(opcode: number, payload: Uint8Array, fin = true): Uint8Array<ArrayBuffer> {
  return wire({ opcode, payload, fin, key: NO_KEY });
}

/** The same frame so many times, one behind the other. */
export function repeated(frame: Uint8Array, times: number): Buffer {
  return Buffer.alloc(frame.length * times, frame);
}

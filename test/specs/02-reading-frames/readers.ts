/** What the readers of lesson 02 are checked with: bytes that arrive in every possible way. */
import { equal, fail } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import { type Delivery, deliveries } from '../../../shared/kit/replay.ts';
import type { Message } from '../../../shared/protocol.ts';
import type * as Reading from '../../../solutions/02-reading-frames/reading.ts';
import { PUBLISHED_FRAMES, RFC_FRAMES } from '../../vectors/frames.ts';
import { type Read, readingMistake } from './mistakes.ts';

/** What a file of lesson 02 exports. */
export type Lesson = typeof Reading;

/** Whole frames with a known meaning. */
export const FRAMES = [...RFC_FRAMES, ...PUBLISHED_FRAMES];

/** A `FrameReader` or a `MessageReader`. */
export interface Reader<T> {
  push(chunk: Uint8Array): void;
  read(): T | undefined;
}

/** Makes a frame reader that refuses no header, so that it can be checked before `checkHeader`. */
export function anyFrames({ FrameReader }: Lesson): Reading.FrameReader {
  return new FrameReader(() => {});
}

/** Makes a text message. */
export const text = (data: string): Message => ({ type: 'text', data });

/** Makes a binary message. */
export const binary = (data: Uint8Array): Message => ({ type: 'binary', data });

/** The fact that bytes arrived, and how. */
export function arrived(bytes: Uint8Array, delivery: Delivery | string = ''): Fact[] {
  const { how, cuts } = typeof delivery === 'string' ? { how: delivery, cuts: [] } : delivery;
  return [[how ? `Arrived ${how}` : 'Arrived', { bytes: bytes.slice(), cuts }]];
}

/**
 * Pushes each read and takes out all that is whole after it. A read is a Buffer, as sockets give
 * them, and is overwritten afterwards, as a socket uses its memory again; unless `keep`.
 */
export function readAll<T>(reader: Reader<T>, reads: readonly Uint8Array[], keep = false): T[] {
  const results: T[] = [];
  for (const read of reads) {
    const chunk = Buffer.from(read);
    const unchanged = (after: string, what: string) => {
      if (Buffer.compare(chunk, read) === 0) return;
      fail(what, [
        ['pushed', show(read)],
        [`after ${after}`, show(chunk)],
      ]);
    };
    reader.push(chunk);
    unchanged('push', 'The bytes that are pushed belong to the caller: do not change them.');
    for (let result = reader.read(); result !== undefined; result = reader.read()) {
      results.push(keep ? copyOf(result) : result);
      if (results.length > 10_000) {
        fail('`read` never returns `undefined`: it has to, in the end.', [
          ['it returns', show(result)],
        ]);
      }
    }
    unchanged('read', 'The bytes that were pushed belong to the caller: unmask a copy of them.');
    if (!keep) chunk.fill(0xaa);
  }
  return results;
}

const FIELDS = ['type', 'data', 'fin', 'opcode', 'payload'];

/** Copies what a reader has returned, also when its fields are getters. */
function copyOf<T>(result: T): T {
  if (result === null || typeof result !== 'object') return result;
  const fields = FIELDS.filter((name) => name in result);
  const values = fields.map((name) => [name, structuredClone(Reflect.get(result, name))]);
  return Object.fromEntries(values) as T;
}

/** Checks that the same comes out in every way in which the bytes can arrive. */
export function replay<T>(
  makeReader: () => Reader<T>,
  bytes: Uint8Array,
  expected: readonly T[],
  what: string,
): void {
  for (const delivery of deliveries(bytes)) readsAs(makeReader, bytes, delivery, expected, what);
}

/**
 * Checks what comes out of a new reader when bytes arrive in this way. With `keep`, it is looked
 * at when it comes out, and not in the end.
 */
export function readsAs<T>(
  makeReader: () => Reader<T>,
  bytes: Uint8Array,
  delivery: Delivery,
  expected: readonly T[],
  what: string,
  keep = false,
): void {
  const read: Read<T> = (reads, keep) => readAll(makeReader(), reads, keep);
  equal(() => read(delivery.reads, keep), expected, what, {
    given: arrived(bytes, delivery),
    cause: (actual) => readingMistake({ read, bytes, delivery, actual, expected }),
    causeOfError: (error) => readingMistake({ read, bytes, delivery, actual: error, expected }),
  });
}

/** What the readers of lesson 02 are checked with: bytes that arrive in every possible way. */
import { CheckFailure, equal, fail } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import { type Delivery, deliveries, fewestCuts } from '../../../shared/kit/replay.ts';
import { CloseCode, type Message, ProtocolError } from '../../../shared/protocol.ts';
import type * as Reading from '../../../solutions/02-reading-frames/reading.ts';
import { PUBLISHED_FRAMES, RFC_FRAMES } from '../../vectors/frames.ts';

/** What a file of lesson 02 exports. */
export type Lesson = typeof Reading;

/** Whole frames with a known meaning. */
export const FRAMES = [...RFC_FRAMES, ...PUBLISHED_FRAMES];

/** A `FrameReader` or a `MessageReader`. */
export interface Reader<T> {
  push(chunk: Uint8Array): void;
  read(): T | undefined;
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
      results.push(keep ? structuredClone(result) : result);
      if (results.length > 10_000) fail('`read` never returns `undefined`: it has to, in the end.');
    }
    unchanged('read', 'The bytes that were pushed belong to the caller: unmask a copy of them.');
    if (!keep) chunk.fill(0xaa);
  }
  return results;
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

/** Checks that the same comes out in reads of random sizes; tells of as few cuts as will do. */
export function replayRandomly<T>(
  makeReader: () => Reader<T>,
  bytes: Uint8Array,
  expected: readonly T[],
  what: string,
  cuts: readonly number[],
): void {
  const holds = (delivery: Delivery) => {
    try {
      readsAs(makeReader, bytes, delivery, expected, what);
      return true;
    } catch (error) {
      if (error instanceof CheckFailure) return false;
      throw error;
    }
  };
  const failing = fewestCuts(bytes, cuts, holds);
  if (failing) readsAs(makeReader, bytes, failing, expected, what);
}

/** Checks what comes out of a new reader when bytes arrive in this way. */
function readsAs<T>(
  makeReader: () => Reader<T>,
  bytes: Uint8Array,
  delivery: Delivery,
  expected: readonly T[],
  what: string,
): void {
  equal(() => readAll(makeReader(), delivery.reads), expected, what, {
    given: arrived(bytes, delivery),
    cause: (actual) => readingMistake(actual, makeReader, delivery, expected),
  });
}

/** Finds out what is behind a wrong reading, by reading again in easier ways. */
function readingMistake<T>(
  actual: unknown,
  makeReader: () => Reader<T>,
  { how, reads }: Delivery,
  expected: readonly T[],
): string | undefined {
  const rightWith = (easier: readonly Uint8Array[], keep: boolean) => {
    try {
      equal(() => readAll(makeReader(), easier, keep), expected, '');
      return true;
    } catch {
      return false;
    }
  };
  if (rightWith(reads, true)) {
    return 'It was right at first, and changed when the memory of the pushed bytes, or your own buffer, was used again. Copy what you keep and what you give out: `new Uint8Array(bytes)`.';
  }
  const wrongText = textMistake(actual, expected);
  if (wrongText) return wrongText;
  if (how !== 'in one read') {
    return 'The same bytes in one read are read right. Keep what is not complete, and go on from there when more comes.';
  }
  if (actual instanceof ProtocolError) {
    return 'All of these frames are legal, in this order, too. A control frame between two fragments neither ends their message nor goes on with it.';
  }
  if (Array.isArray(actual) && actual.length === expected.length) {
    return 'As many came out as should, with something else in them. A message is the bytes of all its fragments, in order, and of nothing else.';
  }
  if (Array.isArray(actual) && actual.length < expected.length) {
    return `The read brought ${expected.length} and ${actual.length} came out. One read may bring many: keep the rest for the next \`read()\`.`;
  }
  return undefined;
}

/** Says what is wrong with the first text that is not as it should be. */
export function textMistake(actual: unknown, expected: readonly unknown[]): string | undefined {
  if (actual instanceof ProtocolError && actual.closeCode === CloseCode.InvalidPayload) {
    return 'The text is UTF-8 as a whole. A piece of it may end inside a character, and the next one goes on there. What stands in a ping or in a binary message is no text.';
  }
  let before = '';
  for (const [i, message] of expected.entries()) {
    const mine = textOf(Array.isArray(actual) ? actual[i] : undefined);
    const right = textOf(message);
    if (mine === undefined || right === undefined) continue;
    const mistake = mine === right ? undefined : differenceOf(mine, right, before);
    if (mistake) return mistake;
    before = mine;
  }
  return undefined;
}

/** The text of a text message. `undefined`: it is something else. */
function textOf(message: unknown): string | undefined {
  const { type, data } = (message ?? {}) as Partial<Message & { data: unknown }>;
  return type === 'text' && typeof data === 'string' ? data : undefined;
}

function differenceOf(mine: string, right: string, before: string): string | undefined {
  if (`\ufeff${mine}` === right) {
    return 'The decoder takes a U+FEFF at the start for a mark, and drops it. Tell it not to: `ignoreBOM`.';
  }
  if (mine === Buffer.from(right).toString('latin1')) {
    return 'Each byte has become a character. In UTF-8, a character has one to four bytes.';
  }
  if (mine === before + right) {
    return 'It begins with the text before it. Each message starts with an empty one.';
  }
  if (mine.length > right.length) {
    return 'There is too much in it. Each byte is decoded once: when it arrives, or when its frame is complete.';
  }
  if (mine.length < right.length) {
    return 'A part of it is missing. What was decoded before its frame was complete belongs to it, and the next frame is new from its first byte on.';
  }
  return undefined;
}

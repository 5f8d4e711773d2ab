/** What is behind a wrong reading, as far as there is evidence of it. */
import { equal } from '../../../shared/harness/check.ts';
import type { Delivery } from '../../../shared/kit/replay.ts';
import { CloseCode, type Message, ProtocolError } from '../../../shared/protocol.ts';
import { type DecodedFrame, decodeFrames } from '../../../shared/view/frame.ts';

/** A way to read bytes with a new reader, which may throw. */
export type Read<T> = (reads: readonly Uint8Array[], keep?: boolean) => T[];

/** A reading that has gone wrong: `actual` is what came out, or was thrown. */
export interface Misreading<T> {
  readonly read: Read<T>;
  readonly bytes: Uint8Array;
  readonly delivery: Delivery;
  readonly actual: unknown;
  readonly expected: readonly T[];
}

/** A cause, and how to see that it is this one. */
type Suspicion = readonly [isSo: () => boolean, cause: string];

/** A frame that nobody waits for: it shows what comes out only when more arrives. */
const NEXT = Uint8Array.of(0x89, 0x80, 0, 0, 0, 0);

/** Finds out what is behind a wrong reading, by reading again in easier ways. */
export function readingMistake<T>(wrong: Misreading<T>): string | undefined {
  const suspicions = [...aboutMemory(wrong), ...aboutFrames(wrong), ...aboutMessages(wrong)];
  const cause = suspicions.find(([isSo]) => isSo())?.[1];
  if (cause) return cause;
  const { actual, expected } = wrong;
  const text = cutMistake(wrong) ?? textMistake(actual, expected);
  if (text) return text;
  const [inReads, advice] = aboutReads(wrong);
  if (inReads()) return advice;
  return actual instanceof ProtocolError
    ? 'All of these frames are legal, in this order.'
    : undefined;
}

function isRead<T>(read: () => readonly T[], expected: readonly T[]): boolean {
  try {
    equal(read, expected, '');
    return true;
  } catch {
    return false;
  }
}

function aboutMemory<T>({ read, delivery, expected }: Misreading<T>): Suspicion[] {
  return [
    [
      () => isRead(() => read(delivery.reads, true), expected),
      'It was right at first, and changed when the memory of the pushed bytes, or your own buffer, was used again. Copy what you keep and what you return: `new Uint8Array(bytes)`.',
    ],
  ];
}

function aboutReads<T>({ read, bytes, delivery, expected }: Misreading<T>): Suspicion {
  return [
    () => delivery.reads.length > 1 && isRead(() => read([bytes]), expected),
    'The same bytes in one read are read right. Keep what is not complete, and go on from there when more comes.',
  ];
}

function aboutFrames<T>({ read, bytes, delivery, actual, expected }: Misreading<T>): Suspicion[] {
  const frames = decodeFrames(bytes);
  const few = Array.isArray(actual) && actual.length < expected.length;
  return [
    [
      () =>
        frames.length > 1 &&
        !isRead(() => read([bytes]), expected) &&
        isRead(() => read(cut(bytes, frames)), expected),
      `With a read for each frame, it is right. ${aboutOneRead(actual, expected)}`,
    ],
    [
      () =>
        few && isRead(() => read([...delivery.reads, NEXT]).slice(0, expected.length), expected),
      'It is returned only when the first bytes of the next frame arrive. A frame is complete with its last byte: wait for no more.',
    ],
    [
      () => few && isRead(() => expected.filter((result) => !isEmpty(result)), actual),
      'What has no payload is missing. A frame without payload is a frame, and an empty message is a message.',
    ],
  ];
}

/** What goes wrong when one read brings several frames. */
function aboutOneRead(actual: unknown, expected: readonly unknown[]): string {
  const results: readonly unknown[] = Array.isArray(actual) ? actual : [];
  const wrong = results.findIndex((result, i) => !isRead(() => [result], [expected[i]]));
  const [mine, right] = [results[wrong], expected[wrong]].map(sizeOf);
  const isAnother = expected.some((other) => isRead(() => [results[wrong]], [other]));
  if (mine === undefined || right === undefined || mine < right || isAnother) {
    return 'One read may bring many: keep the rest for the next `read()`.';
  }
  return mine > right
    ? 'A payload ends where the length of its frame says. What follows in the same read is another frame.'
    : 'Here, other bytes have been written over a payload. Is its memory used again before it is out?';
}

/** How many bytes or characters a frame or message has. `undefined`: it is none. */
function sizeOf(result: unknown): number | undefined {
  const { payload, data = payload } = (result ?? {}) as { payload?: unknown; data?: unknown };
  return typeof data === 'string' || data instanceof Uint8Array ? data.length : undefined;
}

function aboutMessages<T>({ read, bytes, actual, expected }: Misreading<T>): Suspicion[] {
  const frames = decodeFrames(bytes);
  const data = frames.filter(({ opcode }) => opcode < 8);
  const right = expected.filter((result) => !isOfControl(result));
  const ends = data.flatMap(({ fin }, i) => (fin ? [i + 1] : []));
  const alone = ends.map((end, i) => data.slice(ends[i - 1] ?? 0, end));
  const results: readonly T[] = Array.isArray(actual) ? actual : [];
  const mine = results.filter((result) => !isOfControl(result));
  return [
    [
      () => mine.length > right.length && mine.length === data.length,
      'Each fragment has been returned by itself. A message ends with the fragment that has the FIN bit.',
    ],
    [
      () =>
        mine.length === right.length && mine.some((result, i) => hasOtherType(result, right[i])),
      'The type of a message is in the opcode of its first frame. A continuation only says that it goes on.',
    ],
    [
      () =>
        data.length > 0 &&
        data.length < frames.length &&
        isRead(() => read(cut(bytes, data)), right),
      'Without the control frames it is read right. A control frame between two fragments neither ends their message nor goes on with it, and its payload is its own.',
    ],
    [
      () =>
        alone.length > 1 &&
        alone.every((message, i) => isRead(() => read(cut(bytes, message)), right.slice(i, i + 1))),
      'Each of the messages is read right alone. When one has ended, the next one begins with nothing.',
    ],
    [
      () => mine.length === right.length && mine.length < data.length && !mine.some(isText),
      'A message is the bytes of all its fragments, in order, and of nothing else.',
    ],
  ];
}

function cut(bytes: Uint8Array, frames: readonly DecodedFrame[]): Uint8Array[] {
  return frames.map(({ start, end }) => bytes.slice(start, end));
}

function isEmpty(result: unknown): boolean {
  return Object.values(result as object).some((value) => value?.length === 0);
}

function isOfControl(result: unknown): boolean {
  return ['close', 'ping', 'pong'].includes(typeOf(result) ?? '');
}

function isText(result: unknown): boolean {
  return typeOf(result) === 'text';
}

/** The type of a message. `undefined`: it is a frame, or nothing. */
function typeOf(result: unknown): string | undefined {
  return (result as Partial<Message> | undefined)?.type;
}

function hasOtherType(result: unknown, right: unknown): boolean {
  const types = [typeOf(result), typeOf(right)];
  return types.includes('text') && types.includes('binary');
}

/** Says so when a text is refused that has characters to cut, and comes in pieces. */
function cutMistake<T>({ read, bytes, actual, expected }: Misreading<T>): string | undefined {
  if (!(actual instanceof ProtocolError && actual.closeCode === CloseCode.InvalidPayload)) {
    return undefined;
  }
  if (!expected.some((message) => typeOf(message) === 'text')) {
    return 'A message with opcode 2 is binary: its bytes can be anything, and are not decoded.';
  }
  if (!expected.some((message) => /[^\0-\x7f]/.test(textOf(message) ?? ''))) {
    return 'The text is ASCII, and so valid UTF-8. Has each byte been unmasked once, with its own byte of the key?';
  }
  const isInPieces = decodeFrames(bytes).length > 1 || isRead(() => read([bytes]), expected);
  return isInPieces
    ? 'The text is UTF-8 as a whole. A piece of it may end inside a character, and the next one goes on there.'
    : 'The text is valid UTF-8. In UTF-8, a character has one to four bytes.';
}

/** Says what is wrong with the first text that is not as it should be. */
export function textMistake(actual: unknown, expected: readonly unknown[]): string | undefined {
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
    return 'The U+FEFF at the start is gone. A TextDecoder takes it for a mark and drops it, unless `ignoreBOM` is set; `trim` drops it, too.';
  }
  if (mine === Buffer.from(right).toString('latin1')) {
    return 'Each byte has become a character. In UTF-8, a character has one to four bytes.';
  }
  if (mine.includes('\ufffd') && !right.includes('\ufffd')) {
    return 'There is a U+FFFD where a character was cut. Its first half waits for the rest: `{ stream: true }`.';
  }
  if (before !== '' && mine === before + right) {
    return 'It begins with the text before it. Each message starts with an empty one.';
  }
  if (mine.length > right.length) {
    return 'There is too much in it. Each byte is decoded once: when it arrives, or when its frame is complete.';
  }
  if ([...mine].sort().join('') === [...right].sort().join('')) {
    return 'All of it is there, in another order.';
  }
  if (mine.length < right.length && right.startsWith(mine)) return 'Its end is missing.';
  if (mine.length < right.length && right.endsWith(mine)) {
    return 'Its beginning is missing: what has been decoded has to stay when more is added.';
  }
  return undefined;
}

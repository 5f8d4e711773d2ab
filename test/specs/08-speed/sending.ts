/** What the scenarios of output are written with. */
import { attempt, equal, fail } from '../../../shared/harness/check.ts';
import type { About, Fact } from '../../../shared/harness/facts.ts';
import { join, wire } from '../../../shared/kit/frames.ts';
import { type Frame, Opcode } from '../../../shared/protocol.ts';
import { count } from '../../../shared/view/count.ts';
import type { Connection } from '../../../solutions/08-speed/speed.ts';
import { someBytes } from './reads.ts';
import type { Lesson } from './tools.ts';

/** Makes a Binary frame. */
export function binaryFrame(payload: Uint8Array): Frame {
  return { fin: true, opcode: Opcode.Binary, payload };
}

/** Encodes frames as a server sends them. */
export function onWire(frames: readonly Frame[]): Uint8Array<ArrayBuffer> {
  return join(
    ...frames.map(({ rsv1, ...frame }) => wire({ ...frame, rsv: rsv1 ? 4 : 0, key: null })),
  );
}

/** Makes an output. */
export function outputOf({ Output }: Lesson): InstanceType<Lesson['Output']> {
  return attempt(() => new Output(), 'Make an output.');
}

/** Makes an output, and what adds frames to it and takes them. */
export function writing(lesson: Lesson, frames: readonly Frame[]): () => Uint8Array[] {
  const output = outputOf(lesson);
  return () => {
    for (const one of frames) output.add(one);
    return output.take();
  };
}

/** Cuts a binary message into frames, as a connection of lesson 05 does. */
export function messageOf({ EARLIER }: Lesson, data: Uint8Array): Frame[] {
  const { sending, server } = EARLIER;
  return sending.fragment(Opcode.Binary, data, server.MAX_FRAGMENT_BYTES);
}

/** Checks parts, laid one behind the other. */
export function expectParts(
  parts: () => readonly Uint8Array[],
  expected: Uint8Array,
  what: string,
  given: readonly Fact[],
  cause: string | ((joined: Uint8Array) => string | undefined) = () => undefined,
): void {
  const causeOf = (joined: unknown) => {
    if (typeof cause === 'string') return cause;
    return joined instanceof Uint8Array ? cause(joined) : undefined;
  };
  const about: About = {
    given,
    label: 'the parts, joined',
    frames: true,
    cause: causeOf,
    causeOfError: () => (typeof cause === 'string' ? cause : undefined),
  };
  equal(() => join(...partsOf(parts(), what, given)), expected, what, about);
}

/** Checks that something is a list of byte arrays. */
function partsOf(
  parts: readonly Uint8Array[],
  what: string,
  given: readonly Fact[],
): readonly Uint8Array[] {
  const isRight = Array.isArray(parts) && parts.every((part) => part instanceof Uint8Array);
  if (isRight) return parts;
  return fail(
    what,
    [...given, ['expected', 'an array of `Uint8Array`']],
    'It is a list of parts, also when there is one of them, or none.',
  );
}

/** Takes out all that waits on a connection, and returns what each call gave. */
export function takeAll(connection: Connection): (readonly Uint8Array[])[] {
  const taken: (readonly Uint8Array[])[] = [];
  for (let parts = connection.takeParts(); parts.length > 0; parts = connection.takeParts()) {
    taken.push(parts);
    if (taken.length > 100) {
      fail(
        '`takeParts` comes to an end.',
        [['so far', `${taken.length} calls, and there are still parts`]],
        'What was taken does not come again, and where nothing waits, there are no parts.',
      );
    }
  }
  return taken;
}

/** How many bytes parts have in all. */
export function sizeOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((size, { length }) => size + length, 0);
}

/** How many bytes a memory may lack for a frame, at most. */
const MOST_MISSING = 10;

/** Fills a memory so that a frame just fits, or does not by a few bytes, for payloads of these lengths. */
export function fitsInto(lesson: Lesson, lengths: readonly number[]): void {
  const big = binaryFrame(new Uint8Array(6000).fill(1));
  const bigBytes = onWire([big]).length;
  const before = Math.floor(lesson.OUTPUT_MEMORY_BYTES / bigBytes) - 1;
  for (const length of lengths) {
    const last = binaryFrame(someBytes(length));
    // Of a long one, only the header needs room.
    const needed = onWire([last]).length - (length < lesson.LONG_BYTES ? 0 : length);
    for (let missing = 0; missing <= Math.min(MOST_MISSING, needed); missing++) {
      // Its own header has four bytes.
      const filling = lesson.OUTPUT_MEMORY_BYTES - before * bigBytes - needed + missing - 4;
      const frames = [
        ...Array<Frame>(before).fill(big),
        binaryFrame(new Uint8Array(filling).fill(2)),
        last,
      ];
      const short = missing === 0 ? 'just fits' : `does not, by ${count(missing, 'byte')}`;
      expectParts(
        writing(lesson, frames),
        onWire(frames),
        'A frame at the end of a memory is whole.',
        [
          ['in the memory', 'frames of 6000 bytes, and one that leaves a little'],
          ['then', `a frame with a payload of ${count(length, 'byte')}, which ${short}`],
        ],
        'Its header has two bytes, four, or ten. What is written beyond the end of a typed array is lost without a word.',
      );
    }
  }
}

/** Says how long parts are. */
export function tellParts(parts: readonly Uint8Array[]): string {
  const told = parts.slice(0, 6).map(({ length }) => count(length, 'byte'));
  return `${parts.length}: ${told.join(', ')}${parts.length > 6 ? ' …' : ''}`;
}

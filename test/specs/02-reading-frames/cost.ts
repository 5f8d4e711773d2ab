/** What reading costs: a byte costs as much in small reads as in large ones. */
import { equal, fail } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import { wire } from '../../../shared/kit/frames.ts';
import { cpuMs } from '../../../shared/kit/patience.ts';
import { count } from '../../../shared/view/count.ts';
import type { Reader } from './readers.ts';

/** A key that changes nothing: what is measured is the reading, not our masking. */
export const NO_KEY = new Uint8Array(4);

/** What takes more of the processor, in milliseconds, is looked into: the reference takes 15. */
const SUSPICIOUS_MS = 250;

/** What takes longer than this is too slow on any machine, though its cost does not grow. */
const HOPELESS_MS = 1000;

/** How much smaller the wholes are than what was handled, which they are compared with. */
const SMALLER = 16;

/** Begins a whole of so many parts. Returns what handles the part with that number. */
export type Begin = (parts: number) => (part: number) => void;

/**
 * Handles a whole of so many parts. When that takes long, it is begun again, and then as many
 * parts are handled in wholes a sixteenth as large: slow code on a slow machine is as slow in
 * them, while code that handles all the parts again with each is many times slower in the large
 * one. Returns how many parts were handled in how many milliseconds by then, and whether the cost
 * of each grows, or `undefined` when it is in proportion.
 */
export function outOfProportion(
  parts: number,
  begin: Begin,
): { done: number; ms: number; isGrowing: boolean } | undefined {
  const atOnce = Math.ceil(parts / 64);
  const handle = begin(parts);
  let suspiciousMs = SUSPICIOUS_MS;
  let ms = 0;
  for (let done = 0; done < parts; ) {
    const started = cpuMs();
    for (const end = Math.min(parts, done + atOnce); done < end; done++) handle(done);
    ms += cpuMs() - started;
    if (ms < suspiciousMs) continue;
    const smaller = Math.ceil(done / SMALLER);
    const isSlower = () => msOf(done, parts, begin) > 3 * msOf(done, smaller, begin);
    // Twice, since a machine that stands still for a moment does so in one of the two.
    if (isSlower() && isSlower()) return { done, ms, isGrowing: true };
    // Too slow as it is. Whether it grows is only for the message.
    if (ms > HOPELESS_MS) return { done, ms, isGrowing: isSlower() };
    suspiciousMs = 2 * ms;
  }
  return undefined;
}

/** Handles so many parts, in wholes of that size. Returns how many milliseconds it took. */
function msOf(parts: number, size: number, begin: Begin): number {
  const started = cpuMs();
  for (let done = 0; done < parts; done += size) {
    const handle = begin(size);
    for (let part = 0; part < Math.min(size, parts - done); part++) handle(part);
  }
  return cpuMs() - started;
}

/** How many bytes arrive in each of the small reads, and how many such reads there are. */
const CHUNK = 64;
const CHUNKS = 16_384;

/**
 * Reads a large frame in small reads. Code that handles all the bytes so far with each of them
 * takes seconds for what takes milliseconds.
 */
export function linearCost<T>(
  makeReader: () => Reader<T>,
  opcode: number,
  expected: (payload: Uint8Array<ArrayBuffer>) => T,
): void {
  const given: Fact[] = [
    ['arrived', `a frame with opcode ${opcode}, in reads of ${CHUNK} bytes`],
    ['masking key', show(NO_KEY)],
  ];
  const slow = outOfProportion(CHUNKS, (chunks) => {
    const payload = new Uint8Array(chunks * CHUNK).fill(0x2a);
    const bytes = wire({ opcode, payload, key: NO_KEY });
    const reader = makeReader();
    return (part) => {
      const isLast = part === chunks - 1;
      const end = isLast ? bytes.length : (part + 1) * CHUNK;
      const read = () => {
        reader.push(bytes.subarray(part * CHUNK, end));
        return reader.read();
      };
      const whole = isLast ? expected(payload) : undefined;
      equal(read, whole, 'Read a frame of 1 MiB in small reads.', { given });
    };
  });
  if (!slow) return;
  const size = `${Math.round((slow.done * CHUNK) / 1024)} KiB of 1024 KiB`;
  fail(
    'A large frame in many small reads takes far too long.',
    [['arrived', `${size} in reads of ${CHUNK} bytes, in ${Math.round(slow.ms)} ms`]],
    slow.isGrowing
      ? 'Each read seems to handle all that came before it. Handle what is new, let a buffer grow by doubling, and join once.'
      : undefined,
  );
}

/** How many empty frames of six bytes are in 256 KiB. */
const MANY = 43_690;

/**
 * Reads many small frames out of one read. Code that copies all the bytes behind a frame with each
 * of them takes seconds for what takes milliseconds.
 */
export function manyFrames<T>(makeReader: () => Reader<T>, expected: T): void {
  const slow = outOfProportion(MANY, (frames) => {
    const bytes = new Uint8Array(frames * 6);
    for (let at = 0; at < bytes.length; at += 6) bytes.set([0x8a, 0x80], at);
    const reader = makeReader();
    reader.push(bytes);
    return (i) => {
      const result = reader.read();
      if (i === frames - 1) {
        equal(() => reader.read(), undefined, 'There is nothing behind the last frame.');
      }
      if (i > 0 && result !== undefined) return;
      equal(() => result, expected, `Read ${count(MANY, 'frame')} that arrive in one read.`, {
        given: [['arrived', `${count(MANY, 'empty Pong')}, 8a 80 00 00 00 00 each`]],
        label: `read number ${i + 1} gave`,
      });
    };
  });
  if (!slow) return;
  const { done, ms, isGrowing } = slow;
  fail(
    'Many frames in one read take far too long.',
    [['read', `${count(done, 'frame')} of ${count(MANY, 'frame')} in ${Math.round(ms)} ms`]],
    isGrowing
      ? 'Each frame seems to move all the bytes behind it. Remember where the next one begins, and move what is left when more arrives.'
      : undefined,
  );
}

/** What reading costs: a byte costs as much in small reads as in large ones. */
import { equal, fail } from '../../../shared/harness/check.ts';
import { show } from '../../../shared/harness/show.ts';
import { wire } from '../../../shared/kit/frames.ts';
import { cpuMs } from '../../../shared/kit/patience.ts';
import { count } from '../../../shared/view/count.ts';
import type { Reader } from './readers.ts';

/** What takes more of the processor, in milliseconds, would take seconds more: it takes 15. */
export const PATIENCE_MS = 250;

/** A key that changes nothing: what is measured is the reading, not our masking. */
export const NO_KEY = new Uint8Array(4);

/** How many bytes arrive in each of the small reads. */
const CHUNK = 64;

/**
 * Reads a large frame in small reads. Code that handles all the bytes so far with each of them
 * takes seconds for what takes milliseconds.
 */
export function linearCost<T>(
  reader: Reader<T>,
  opcode: number,
  expected: (payload: Uint8Array<ArrayBuffer>) => T,
): void {
  const payload = new Uint8Array(1024 * 1024).fill(0x2a);
  const bytes = wire({ opcode, payload, key: NO_KEY });
  equal(
    () => readInTime(reader, bytes),
    [expected(payload)],
    'Read a frame of 1 MiB in small reads.',
    {
      given: [
        ['arrived', `a frame with opcode ${opcode}, in reads of ${CHUNK} bytes`],
        ['masking key', show(NO_KEY)],
      ],
    },
  );
}

function readInTime<T>(reader: Reader<T>, bytes: Uint8Array): T[] {
  const started = cpuMs();
  const results: T[] = [];
  for (let at = 0; at < bytes.length; at += CHUNK) {
    reader.push(bytes.subarray(at, at + CHUNK));
    for (let next = reader.read(); next !== undefined; next = reader.read()) results.push(next);
    if ((at & 0x3fff) === 0 && cpuMs() - started > PATIENCE_MS) {
      const size = `${Math.round(at / 1024)} KiB of 1024 KiB`;
      fail(
        'A large frame in many small reads takes far too long.',
        [['arrived', `${size} in reads of ${CHUNK} bytes, in ${PATIENCE_MS} ms`]],
        'Each read seems to handle all that came before it. Handle what is new, let a buffer grow by doubling, and join once.',
      );
    }
  }
  return results;
}

/** How many empty frames of six bytes are in 256 KiB. */
const MANY = 43_690;

/**
 * Reads many small frames out of one read. Code that copies all the bytes behind a frame with each
 * of them takes seconds for what takes milliseconds.
 */
export function manyFrames<T>(reader: Reader<T>, expected: T): void {
  const bytes = new Uint8Array(MANY * 6);
  for (let at = 0; at < bytes.length; at += 6) bytes.set([0x8a, 0x80], at);
  const started = cpuMs();
  reader.push(bytes);
  for (let i = 0; i < MANY; i++) {
    const result = reader.read();
    if (i === 0 || result === undefined) {
      equal(() => result, expected, `Read ${count(MANY, 'frame')} that arrive in one read.`, {
        given: [['arrived', `${count(MANY, 'empty Pong')}, 8a 80 00 00 00 00 each`]],
        label: `read number ${i + 1} gave`,
      });
    }
    if (i % 1000 === 0 && cpuMs() - started > PATIENCE_MS) {
      fail(
        'Many frames in one read take far too long.',
        [['read', `${count(i, 'frame')} of ${count(MANY, 'frame')} in ${PATIENCE_MS} ms`]],
        'Each frame seems to move all the bytes behind it. Remember where the next one begins, and move what is left when more arrives.',
      );
    }
  }
  equal(() => reader.read(), undefined, 'There is nothing behind the last frame.');
}

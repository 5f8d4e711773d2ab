/** What reading costs: a byte costs as much in small reads as in large ones. */
import { equal, fail } from '../../../shared/harness/check.ts';
import { wire } from '../../../shared/kit/frames.ts';
import { cpuMs } from '../../../shared/kit/patience.ts';
import type { Reader } from './readers.ts';

/** What takes more of the processor, in milliseconds, would take seconds more: it takes 20. */
export const PATIENCE_MS = 1000;

/** A key that changes nothing: what is measured is the reading, not our masking. */
export const NO_KEY = new Uint8Array(4);

/**
 * Reads a large frame in small reads. Code that handles all the bytes so far with each of them
 * takes minutes for what takes milliseconds.
 */
export function linearCost<T>(
  reader: Reader<T>,
  opcode: number,
  expected: (payload: Uint8Array<ArrayBuffer>) => T,
  chunk: number,
): void {
  const payload = new Uint8Array(4 * 1024 * 1024).fill(0x2a);
  const bytes = wire({ opcode, payload, key: NO_KEY });
  equal(
    () => readInTime(reader, bytes, chunk),
    [expected(payload)],
    'Read a frame of 4 MiB in small reads.',
  );
}

function readInTime<T>(reader: Reader<T>, bytes: Uint8Array, chunk: number): T[] {
  const started = cpuMs();
  const results: T[] = [];
  for (let at = 0; at < bytes.length; at += chunk) {
    reader.push(bytes.subarray(at, at + chunk));
    for (let next = reader.read(); next !== undefined; next = reader.read()) results.push(next);
    if ((at & 0xfff) === 0 && cpuMs() - started > PATIENCE_MS) {
      const size = `${Math.round(at / 1024)} KiB of 4096 KiB`;
      fail(
        'A large frame in many small reads takes far too long.',
        [['arrived', `${size} in reads of ${chunk} bytes, in ${PATIENCE_MS} ms`]],
        'Each read seems to handle all that came before it. Handle what is new, let a buffer grow by doubling, and join once.',
      );
    }
  }
  return results;
}

/** What the reader of lesson 02 costs for each byte, however the bytes arrive. */
import type * as Lesson from '../../solutions/02-reading-frames/reading.ts';
import { findTarget, importTarget } from '../course/lessons.ts';

const { MessageReader } = (await importTarget(findTarget('solutions/02'))) as typeof Lesson;

const MIB = 1024 * 1024;
const LARGEST = 16 * MIB;

/** Measures the reference, and prints a table. */
export function benchReading(): void {
  cost(MIB, 1); // So that the first figure is not that of code that has never run.
  const base = cost(LARGEST, 65_536);
  console.log('One binary message, masked, in reads of one size:\n');
  console.log('  message  read       ns/byte   against 64 KiB reads   against a message of 1 MiB');
  for (const chunk of [1, 1024, 65_536]) {
    const small = cost(MIB, chunk);
    for (const [size, nanoseconds] of [
      [MIB, small],
      [LARGEST, cost(LARGEST, chunk)],
    ] as const) {
      const cells = [
        `${size / MIB} MiB`.padStart(9),
        (chunk < 1024 ? `${chunk} B` : `${chunk / 1024} KiB`).padEnd(8),
        nanoseconds.toFixed(2).padStart(9),
        (nanoseconds / base).toFixed(1).padStart(22),
        (nanoseconds / small).toFixed(1).padStart(28),
      ];
      console.log(cells.join('  '));
    }
  }
  console.log(
    '\nLinear is a last column near 1: sixteen times the bytes cost no more for each byte.',
  );
  console.log('A read has a price of its own, two calls. In reads of one byte, each byte pays it.');
}

/** Reads a message of `size` bytes in reads of `chunk` bytes. Nanoseconds a byte, the best of 3. */
function cost(size: number, chunk: number): number {
  return Math.min(...Array.from({ length: 3 }, () => read(size, chunk)));
}

function read(size: number, chunk: number): number {
  const wire = new Uint8Array(14 + size);
  wire.set([0x82, 0xff]);
  new DataView(wire.buffer).setBigUint64(2, BigInt(size));
  wire.set([0x37, 0xfa, 0x21, 0x3d], 10);

  const reader = new MessageReader('server', size);
  // A socket's memory, used again for each read.
  const memory = new Uint8Array(chunk);
  let messages = 0;
  const started = process.hrtime.bigint();
  for (let at = 0; at < wire.length; at += chunk) {
    const end = Math.min(at + chunk, wire.length);
    if (chunk === 1) memory[0] = wire[at]!;
    else memory.set(wire.subarray(at, end));
    reader.push(end - at < chunk ? memory.subarray(0, end - at) : memory);
    while (reader.read()) messages++;
  }
  const nanoseconds = Number(process.hrtime.bigint() - started);
  if (messages !== 1) throw new Error(`Read ${messages} messages, not 1.`);
  return nanoseconds / size;
}

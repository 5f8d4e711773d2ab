/** What is asked of the servers. */
import type { Load } from './messages.ts';
import { SAMPLE_BYTES } from './samples.ts';

const KIB = 1024;
const MIB = 1024 * 1024;

/** What everybody is asked. */
export const LOADS: readonly Load[] = [
  { bytes: 64, inFlight: 1, connections: 24 },
  { bytes: 64, inFlight: 16, connections: 24 },
  { bytes: KIB, inFlight: 1, connections: 24 },
  { bytes: KIB, inFlight: 16, connections: 24 },
  { bytes: 16 * KIB, inFlight: 1, connections: 8 },
  { bytes: 16 * KIB, inFlight: 8, connections: 8 },
  { bytes: MIB, inFlight: 2, connections: 4 },
];

/** Of these, the profile shows where the time goes: little work, much work, and many bytes. */
export const PROFILED: readonly Load[] = [LOADS[0]!, LOADS[1]!, LOADS[5]!, LOADS[6]!];

/** One message that has the servers to itself, to see how long it takes. */
export const ALONE: Load = { bytes: 64, inFlight: 1, connections: 1 };

/** What is sent to everybody, by one of so many: as in a chat, it is text. */
export function broadcastsTo(connections: number): Load[] {
  return [64, 16 * KIB].map((bytes) => {
    return { bytes, inFlight: 1, connections, job: 'broadcast', isText: true };
  });
}

/** What they are asked when it is about compression: by one client at a time, and by many. */
export const SAMPLES: readonly Load[] = (
  ['chat', 'list', 'page', 'book', 'noise'] as const
).flatMap((sample) =>
  [1, 24].map((connections) => {
    return { bytes: SAMPLE_BYTES[sample], inFlight: 1, connections, sample };
  }),
);

/** What the scenarios of lesson 03 share. */
import { equal } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import type { Frame } from '../../../shared/protocol.ts';
import type * as Sending from '../../../solutions/03-sending-frames/sending.ts';
import { LENGTHS, PUBLISHED_FRAMES, RFC_FRAMES } from '../../vectors/frames.ts';

/** What a file for lesson 03 exports. */
export type Lesson = typeof Sending;

/** Frames with known bytes, those of the RFC first. */
export const FRAMES = [...RFC_FRAMES, ...PUBLISHED_FRAMES];

/** The lengths at the boundaries, without those that no check wants to fill with bytes. */
export const PAYLOAD_SIZES = LENGTHS.map(([length]) => length).filter((length) => length < 100_000);

/** The cause, where bytes of the caller have changed. */
export const NO_COPY =
  'Write into an array of your own: `subarray`, and `slice` of a Buffer, copy nothing.';

/** The cause, where bytes that were returned have changed at a later call. */
export const SHARED_MEMORY =
  'It can still be waiting to be written then. Every call needs memory of its own.';

/** Tells of a call, and of the frame that it encodes. */
export function given(call: string, frame: Frame): Fact[] {
  return [
    ['call', call],
    ['frame', show(frame)],
  ];
}

/** Runs the code on a copy of a frame, and makes sure that its payload stays as it is. */
export function untouched<T>(frame: Frame, encode: (frame: Frame) => T, given: readonly Fact[]): T {
  const payload = frame.payload.slice();
  const result = encode({ ...frame, payload });
  equal(() => payload, frame.payload, 'The payload belongs to the caller: do not change it.', {
    given,
    label: 'its payload, afterwards',
    cause: () => NO_COPY,
  });
  return result;
}

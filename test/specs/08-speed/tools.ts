/** What the scenarios of lesson 08 share. */
import type { Scenario } from '../../../shared/harness/spec.ts';
import type * as Speed from '../../../solutions/08-speed/speed.ts';

/** What a file for lesson 08 exports. */
export type Lesson = typeof Speed;

/** The scenarios of a step. */
export type Scenarios = readonly Scenario<Lesson>[];

/** Makes the lesson that lesson 02 would be if its reader took over what is pushed. */
export function owning({ MessageReader, EARLIER: { reading } }: Lesson): typeof reading {
  class Owning extends MessageReader {
    override push(chunk: Uint8Array): void {
      this.own(Buffer.from(chunk));
    }
  }
  return { ...reading, MessageReader: Owning as unknown as typeof reading.MessageReader };
}

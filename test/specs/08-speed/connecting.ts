/** A connection of this lesson without a socket. */
import { attempt, fail } from '../../../shared/harness/check.ts';
import { frame, join } from '../../../shared/kit/frames.ts';
import { type Extension, Opcode } from '../../../shared/protocol.ts';
import type { Connection } from '../../../solutions/08-speed/speed.ts';
import type { Lesson } from './tools.ts';

/** Makes a connection that has been accepted. */
export function connected({ Connection, EARLIER }: Lesson, extension?: Extension): Connection {
  const make = () =>
    new Connection(
      EARLIER.server.LIMITS,
      () => 0,
      () => {},
      extension,
    );
  return attempt(make, 'Make a connection.');
}

/** Does `send` of lesson 05 ask an extension? Without lesson 07, it need not. */
export function isExtensible({ EARLIER }: Lesson): boolean {
  const { Connection, LIMITS } = EARLIER.server;
  let isAsked = false;
  const extension: Extension = {
    readerFor: () => ({ push() {}, read: () => undefined }),
    framesFor() {
      isAsked = true;
      return [frame(Opcode.Text)];
    },
  };
  const nothing = () => {};
  new Connection(LIMITS, () => 0, nothing, extension).send('Hello');
  return isAsked;
}

/** Takes all that goes out. */
export function allOf(connection: Connection): Uint8Array {
  const taken: Uint8Array[] = [];
  for (let times = 0; times < 1000; times++) {
    const parts = connection.takeParts();
    if (parts.length === 0) return join(...taken);
    // As it is now: what is taken later must not change it, but that is for another scenario.
    taken.push(join(...parts));
  }
  fail('`takeParts` comes to an end.');
}

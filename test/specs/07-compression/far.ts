/** The other end of a connection that compresses, by the zlib of Node. */
import { equal } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import { utf8 } from '../../../shared/kit/frames.ts';
import { type Frame, Opcode } from '../../../shared/protocol.ts';
import { unpacked } from './zlib.ts';

/** How a text message goes: as it is, compressed alone, or by referring back to what went before. */
export type Way = 'plain' | 'alone' | { readonly after: string };

const inflates = (payload: Uint8Array, to: string, window = '') => {
  try {
    return Buffer.from(unpacked(payload, utf8(window))).toString() === to;
  } catch {
    return false;
  }
};

/** Says what a frame is that carries no message. */
export function notMessage({ opcode, payload }: Frame): string {
  return opcode === Opcode.Close && payload.length > 1
    ? `a Close with ${Buffer.from(payload).readUInt16BE()}`
    : `a frame with the opcode ${opcode}`;
}

/** Says how a frame carries a text. */
function wayOf(frame: Frame, text: string, window: string): string {
  const { fin, opcode, rsv1, payload } = frame;
  if (opcode !== Opcode.Text) return notMessage(frame);
  if (!fin) return 'in fragments';
  if (rsv1 !== true) return Buffer.from(payload).toString() === text ? 'as it is' : 'another text';
  if (inflates(payload, text)) return 'compressed, without a reference back';
  if (inflates(payload, text, window)) return 'compressed, with a reference back';
  return 'compressed, and cannot be inflated';
}

/** Checks that a frame carries a text in this way. */
export function goes(
  frame: Frame,
  text: string,
  way: Way,
  what: string,
  given: readonly Fact[],
): void {
  // Where it may refer to nothing: to the same text before it, as it would with another window.
  const window = typeof way === 'object' ? way.after : text;
  const expected = {
    plain: 'as it is',
    alone: 'compressed, without a reference back',
    after: 'compressed, with a reference back',
  }[typeof way === 'object' ? 'after' : way];
  equal(() => wayOf(frame, text, window), expected, what, {
    given: [
      ...given,
      ['the text', show(text)],
      ['the frame', `${frame.rsv1 ? 'with' : 'without'} RSV1, payload ${show(frame.payload)}`],
    ],
    label: 'so it went',
  });
}

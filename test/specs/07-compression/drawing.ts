/** Draws what a peer may send compressed. */
import type { Choices } from '../../../shared/kit/generate.ts';
import type { Back, BlockToWrite } from './encoder.ts';

/**
 * Draws the blocks of a message that comes after so many plain bytes, and refers back to the last
 * 2^`bits` of them, or of its own.
 */
export function drawBlocks(choose: Choices, known: number, bits: number): BlockToWrite[] {
  let count = known;
  const drawSymbol = (): number | Back => {
    const reach = Math.min(count, 2 ** bits);
    if (reach === 0 || !choose.oneIn(2)) {
      count++;
      return 0x61 + choose.below(26);
    }
    const length = 3 + choose.below(choose.oneIn(8) ? 256 : 8);
    count += length;
    return { length, distance: choose.oneIn(3) ? reach : 1 + choose.below(reach) };
  };
  const drawByte = () => {
    count++;
    return choose.below(256);
  };
  return choose.list(4, () => {
    const stored = choose.oneIn(4);
    const symbols = choose.list(12, stored ? drawByte : drawSymbol);
    return { symbols, stored, final: choose.oneIn(4) };
  });
}

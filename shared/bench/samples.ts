/** Messages as applications send them, for a benchmark of compression. */
import { constants, deflateRawSync } from 'node:zlib';
import { wire } from '../kit/frames.ts';
import { Choices } from '../kit/generate.ts';
import { Opcode } from '../protocol.ts';

/** A kind of message. */
export type Sample = 'chat' | 'list' | 'page' | 'book' | 'noise';

/** How many bytes of messages there are before they come again: more than a window can hold. */
const CYCLE_BYTES = 40 * 1024;
const WINDOW_BYTES = 32 * 1024;

const WORDS =
  'the of and to in is you that it he was for on are as with his they at be this have from or one had by word but not what all were we when your can said there use an each which she do how their if will up other about out many then them these so some her would make like him into time has look two more write go see number no way could people'.split(
    ' ',
  );
const NAMES = ['ana', 'ben', 'chloe', 'dmitri', 'eva', 'farid', 'grace', 'hugo'];

/** How many bytes a message of a sample has. */
export const SAMPLE_BYTES: Record<Sample, number> = {
  chat: 107,
  list: 845,
  page: 16 * 1024,
  book: 64 * 1024,
  noise: 1024,
};

/** Makes a message of exactly so many bytes. */
function draw(choose: Choices, sample: Sample): Uint8Array {
  const bytes = SAMPLE_BYTES[sample];
  if (sample === 'noise') return choose.bytes(bytes);
  const entry = () => {
    const words = Array.from({ length: 3 + choose.below(6) }, () => choose.pick(WORDS)).join(' ');
    const time = 1_700_000_000_000 + choose.below(2 ** 31);
    return `{"type":"chat","from":"${choose.pick(NAMES)}","at":${time},"text":"${words}"}`;
  };
  let text = entry();
  while (text.length < bytes) text += `,${entry()}`;
  // All of it is ASCII: a character is a byte.
  return Buffer.from(text.slice(0, bytes));
}

/** Draws enough messages of a sample that the first has left the window when it comes again. */
function drawAll(sample: Sample): Uint8Array[] {
  const choose = Choices.random(7);
  const count = Math.max(4, Math.ceil(CYCLE_BYTES / SAMPLE_BYTES[sample]));
  return Array.from({ length: count }, () => draw(choose, sample));
}

/** A compressed message, or, where that is not shorter, the message as it is. */
function frameOf(plain: Uint8Array, window: Uint8Array | undefined, sample: Sample): Uint8Array {
  const opcode = sample === 'noise' ? Opcode.Binary : Opcode.Text;
  if (window === undefined) return wire({ opcode, payload: plain });
  const options = { finishFlush: constants.Z_SYNC_FLUSH, dictionary: window };
  const packed = deflateRawSync(plain, options).subarray(0, -4);
  if (packed.length >= plain.length) return wire({ opcode, payload: plain });
  return wire({ opcode, payload: packed, rsv: 4 });
}

/** Returns what a client sends, frame by frame, for ever: all messages of a sample, again and again. */
export function framesOf(sample: Sample, isCompressed: boolean): (at: number) => Uint8Array {
  const plain = drawAll(sample);
  const count = plain.length;
  // In the second round, the window has the end of the first, and so it is ever after.
  const twice = [...plain, ...plain];
  const frames = twice.map((message, at) => {
    const before = isCompressed
      ? Buffer.concat(twice.slice(0, at)).subarray(-WINDOW_BYTES)
      : undefined;
    return frameOf(message, before, sample);
  });
  return (at) => frames[at < count ? at : count + (at % count)]!;
}

/** Lesson 03, step 3: frames as a client sends them. */
import { equal, fail } from '../../../shared/harness/check.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import { frame, KEY, wire } from '../../../shared/kit/frames.ts';
import { Opcode } from '../../../shared/protocol.ts';
import { fromHex, toHex } from '../../../shared/view/hex.ts';
import type { ExpectedFrame } from '../../vectors/frames.ts';
import type { Vector } from '../../vectors/vector.ts';
import { FRAMES, given, type Lesson, PAYLOAD_SIZES, untouched } from './tools.ts';

/** A source of random bytes that knows what it will be asked for. */
function requested(key: Uint8Array): (size: number) => Uint8Array {
  return (size) => {
    if (size === 4) return key.slice();
    return fail('A masking key has four bytes.', [['asked random for', `${size} bytes`]]);
  };
}

function encodesMasked({ what, wire: hex, expected }: Vector<ExpectedFrame>): Scenario<Lesson> {
  const sent = frame(expected.opcode, expected.text, expected.fin);
  const bytes = fromHex(hex);
  const key = bytes.slice(2, 6);
  return {
    what: `Encode ${what}.`,
    rules: [66, 78, 82],
    check({ encodeMaskedFrame }) {
      const encode = () => untouched(sent, (frame) => encodeMaskedFrame(frame, requested(key)));
      equal(encode, bytes, `Encode ${what}.`, {
        given: [...given(sent), ['masking key', toHex(key)]],
      });
    },
  };
}

function encodesMaskedLength(length: number): Scenario<Lesson> {
  const what = `Encode a masked frame of ${length} bytes.`;
  return {
    what,
    rules: [66, 78, 82],
    check({ encodeMaskedFrame }) {
      const sent = frame(Opcode.Binary, new Uint8Array(length).fill(0x5a));
      const encode = () => untouched(sent, (frame) => encodeMaskedFrame(frame, requested(KEY)));
      equal(encode, wire(sent), what, { frames: true });
    },
  };
}

/**
 * Makes 50 keys, while Math.random is known. It is no source of keys: whoever has seen some of its
 * numbers can compute the next.
 */
function makeKeys({ encodeMaskedFrame }: Lesson): string[] {
  const { random } = Math;
  Math.random = () => 0.42;
  try {
    const sent = frame(Opcode.Text, 'twice');
    return Array.from({ length: 50 }, () => toHex(encodeMaskedFrame(sent).slice(2, 6)));
  } finally {
    Math.random = random;
  }
}

/** Step 3 · Masking as a client. */
export const masking: readonly Scenario<Lesson>[] = [
  ...FRAMES.filter(({ expected }) => expected.masked).map(encodesMasked),
  ...PAYLOAD_SIZES.map(encodesMaskedLength),
  {
    what: 'Every frame has a key of its own.',
    rules: [79],
    check({ encodeMaskedFrame }) {
      let calls = 0;
      const sent = frame(Opcode.Text, 'twice');
      for (const n of [1, 2]) {
        const bytes = encodeMaskedFrame(sent, () => Uint8Array.of(n, calls++, 3, 4));
        const key = Uint8Array.of(n, n - 1, 3, 4);
        equal(() => bytes.slice(2, 6), key, 'Every frame has a key of its own.', {
          given: [['frame', `number ${n} from this encoder`]],
          cause: () => 'Ask `random` for four bytes, anew for each frame.',
        });
      }
    },
  },
  {
    what: 'Without a `random` of the caller, take keys that nobody can guess.',
    rules: [80, 81, 148],
    check(lesson) {
      const keys = makeKeys(lesson);
      const numbers = keys.map((key) => Number.parseInt(key.replaceAll(' ', ''), 16));
      const distances = new Set(numbers.slice(1).map((number, i) => number - numbers[i]!));
      if (new Set(keys).size >= 49 && distances.size >= 40) return;
      fail(
        'Without a `random` of the caller, take keys that nobody can guess.',
        [['50 keys', `${keys.slice(0, 3).join(', ')} …`]],
        'A constant key, a counter, or a key from Math.random can be guessed. `randomBytes` of node:crypto cannot.',
      );
    },
  },
];

/** Step 6: what a compressed message costs while it waits for its end. */
import { equal, fail } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { join, utf8, wire } from '../../../shared/kit/frames.ts';
import { buffersReserved, memoryTaken } from '../../../shared/kit/memory.ts';
import { Opcode } from '../../../shared/protocol.ts';
import { fromHex } from '../../../shared/view/hex.ts';
import { outOfProportion } from '../02-reading-frames/cost.ts';
import { binary, text } from '../02-reading-frames/readers.ts';
import { first, HELLO, messagesOf, more } from './packed-messages.ts';
import type { Lesson, Scenarios } from './tools.ts';

const { Binary, Text } = Opcode;

const NOTHING = new Uint8Array(0);

const PROMISED = 'Reserve no memory for what has only been announced.';

/** Announces 15 MiB, and brings a byte of those: a message, or the rest of one. */
const MESSAGE = fromHex('c2 ff 00 00 00 00 00 f0 00 00 00 00 00 00 61');
const REST = join(wire(first(Binary, utf8('a'), false)), Uint8Array.of(0x80), MESSAGE.subarray(1));
/** The same message without RSV1. */
const PLAIN = join(Uint8Array.of(0x82), MESSAGE.subarray(1));

/** How many readers are told that so much will come. */
const READERS = 8;
/** What they can reserve together, in bytes: one may have a buffer from the start. */
const MOST_OF_PROMISED = 4 * 2 ** 20;

/** Returns how much memory readers reserve, in bytes, of whose messages a byte or two are there. */
function memoryOfAnnounced(lesson: Lesson, ...arriving: readonly Uint8Array[]): number {
  const missing = 'A message has been announced, and a byte or two of it are there.';
  // All of them stay until the end: what is given back is not counted.
  const readers: ReturnType<typeof messagesOf>[] = [];
  const reserved = buffersReserved(READERS, () => {
    const reader = messagesOf(lesson);
    reader.push(arriving[readers.length % arriving.length]!.slice());
    readers.push(reader);
    equal(() => reader.read(), undefined, missing);
  });
  for (const reader of readers) equal(() => reader.read(), undefined, missing);
  return reserved;
}

function reservesNothing(lesson: Lesson): void {
  // Compared with messages that are not compressed: those are a matter of lesson 02.
  const reserved = memoryOfAnnounced(lesson, MESSAGE, REST) - memoryOfAnnounced(lesson, PLAIN);
  if (reserved < MOST_OF_PROMISED) return;
  fail(
    PROMISED,
    [
      ['announced', `${READERS} compressed messages of 15 MiB, to ${READERS} readers`],
      ['arrived', 'a byte or two of each'],
      ['reserved', `${Math.round(reserved / 2 ** 20)} MiB more than without RSV1`],
    ],
    'Who announces, and sends nothing, pays nothing. Let a buffer grow with what arrives.',
  );
}

/** What 60,000 fragments can take up, in bytes: for each of them, less than any object. */
const MOST_OF_SMALL = 1_000_000;

/** Writes a payload as so many continuations, one after the other, with a key that changes nothing. */
function continuations(payload: Uint8Array, count: number): Uint8Array {
  const size = payload.length / count;
  const bytes = new Uint8Array(count * (6 + size));
  for (let i = 0; i < count; i++) {
    bytes[i * (6 + size) + 1] = 0x80 + size;
    bytes.set(payload.subarray(i * size, (i + 1) * size), i * (6 + size) + 6);
  }
  return bytes;
}

/** Fragments that arrive together, how often they do, and the bytes of each. */
const FRAGMENTS = 64;
const TIMES = 256;
const SIZE = 64;

/** A stored block as long as the fragments that arrive together: what DEFLATE cannot make shorter. */
const BLOCK = join(fromHex('00 fb 0f 04 f0'), new Uint8Array(FRAGMENTS * SIZE - 5).fill(0x2a));

/** The scenarios: no memory for a promise, little for many fragments, and no joining with each. */
export const WAITING: Scenarios = [
  { what: PROMISED, rules: [], check: reservesNothing },
  {
    what: 'Fragments of a byte, and empty ones, take up no more memory than their bytes.',
    rules: [],
    check(lesson) {
      const what = 'Fragments of a byte, and empty ones, take up no more memory than their bytes.';
      const reader = messagesOf(lesson);
      // A stored block of 30,000 bytes: its header, and then byte by byte.
      const bytes = join(
        wire(first(Text, fromHex('00 30 75 cf 8a'), false)),
        continuations(NOTHING, 30_000),
        continuations(utf8('a'.repeat(30_000)), 30_000),
      );
      const taken = memoryTaken(
        ({ heapUsed }) => heapUsed,
        MOST_OF_SMALL,
        () => {
          reader.push(bytes);
          equal(() => reader.read(), undefined, 'The message has not ended.');
        },
      );
      reader.push(wire(more(HELLO)));
      const whole = `${'a'.repeat(30_000)}Hello`;
      equal(() => reader.read(), text(whole), 'Read a message after 60,000 fragments.');
      if (taken < MOST_OF_SMALL) return;
      const facts: Fact[] = [
        ['arrived', '30,000 empty fragments, and 30,000 of a byte'],
        ['memory', `${taken.toLocaleString('en')} bytes, beside theirs`],
        ['expected', `less than ${MOST_OF_SMALL.toLocaleString('en')} bytes`],
      ];
      fail(what, facts, 'Is each of them kept in a list? Keep their bytes, joined as they come.');
    },
  },
  {
    what: 'Read a compressed message of 16,386 fragments.',
    rules: [],
    check(lesson) {
      const what = 'Read a compressed message of 16,386 fragments.';
      const part = continuations(BLOCK, FRAGMENTS);
      const slow = outOfProportion(TIMES, (times) => {
        const reader = messagesOf(lesson);
        reader.push(wire(first(Binary, NOTHING, false)));
        return (i) => {
          reader.push(part);
          equal(
            () => reader.read(),
            undefined,
            'The message has not ended: fragments of 64 bytes.',
          );
          if (i < times - 1) return;
          reader.push(wire(more(Uint8Array.of(0))));
          const whole = new Uint8Array(times * (BLOCK.length - 5)).fill(0x2a);
          equal(() => reader.read(), binary(whole), what);
        };
      });
      if (!slow) return;
      const done = `${slow.done * FRAGMENTS} of 16384 fragments of 64 bytes, in ${Math.round(slow.ms)} ms`;
      const cause =
        'Each fragment seems to copy all that came before it. Join them once, or let a buffer grow by doubling.';
      fail(
        'A compressed message of many small fragments takes far too long.',
        [['arrived', done]],
        slow.isGrowing ? cause : undefined,
      );
    },
  },
];

/** Step 4: how much memory is reserved for what arrives in pieces, and how long it is kept. */
import { equal, fail } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import { fromClient, join } from '../../../shared/kit/frames.ts';
import { buffersReserved, isForgotten, memoryTaken } from '../../../shared/kit/memory.ts';
import { workOf } from '../../../shared/kit/work.ts';
import { type Message, Opcode } from '../../../shared/protocol.ts';
import { count } from '../../../shared/view/count.ts';
import {
  HEADER_BYTES,
  inReads,
  own,
  plain,
  type Reader,
  readAll,
  readerOf,
  readNothing,
  repeated,
  someBytes,
} from './reads.ts';
import type { Lesson, Scenarios } from './tools.ts';

const { Binary, Continuation, Ping } = Opcode;

/** So many times what has arrived may be reserved. */
const TRUST = 32;

/** What the pool of Node may add, which is taken as a whole, and of a size that depends on the version. */
const POOL_BYTES = 2 * Buffer.poolSize;

/** What is announced, in bytes. */
const ANNOUNCED = 8 * 1024 * 1024;

/** The beginning of such a message: a header, whose masking key is 0, and some of the payload. */
const BEGINNING = join(
  Uint8Array.of(0x82, 0xff, 0, 0, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0),
  new Uint8Array(200_000),
);

const CLAIM =
  'A length is only a claim, and ten thousand clients can make it. Reserve memory for it, but for at most 32 times the bytes that have arrived.';

/** Returns how much memory a function reserves: as Node sees it, or as it is counted. */
function reservedBy(act: () => void): number {
  let counted = 0;
  // What garbage is collected meanwhile would hide, is counted; what is made out of sight is seen.
  const seen = buffersReserved(1, () => {
    counted = workOf(act).reservedBytes;
  });
  return Math.max(counted, seen);
}

/** Checks how much is reserved while the beginning of a large message arrives in these reads. */
function reserves(clients: number, what: string, ends: readonly number[]): Scenario<Lesson> {
  return {
    what,
    rules: [],
    check(lesson) {
      const readers = Array.from({ length: clients }, () => readerOf(lesson));
      for (const [i, end] of ends.entries()) {
        const part = BEGINNING.subarray(ends[i - 1] ?? 0, end);
        const reserved = reservedBy(() => {
          for (const reader of readers) {
            own(reader, part);
            reader.read();
          }
        });
        // The read itself needs memory as well.
        const limit = clients * (TRUST * end + part.length) + POOL_BYTES;
        if (reserved <= limit) continue;
        fail(
          what,
          [
            ...(clients > 1 ? [['clients', count(clients, 'reader')] as const] : []),
            ['announced', count(ANNOUNCED, 'byte')],
            ['arrived', count(end, 'byte')],
            ['reserved', `${count(Math.round(reserved / clients), 'byte')} for each`],
          ],
          CLAIM,
        );
      }
    },
  };
}

const RESERVED: Scenarios = [
  reserves(
    1,
    'For a payload that is only announced, at most 32 times what has arrived is reserved.',
    [6000, 40_000, 200_000],
  ),
  reserves(
    200,
    'Hundreds of clients that announce much and send next to nothing reserve next to nothing.',
    [HEADER_BYTES, HEADER_BYTES + 1, 64],
  ),
  {
    what: 'A message in pieces has no more than twice the memory that it needs.',
    rules: [],
    check(lesson) {
      const talks: readonly (readonly [string, Uint8Array])[] = [
        ['one frame', plain(Binary, new Uint8Array(70_000))],
        [
          'two fragments',
          join(
            plain(Binary, new Uint8Array(20_000), false),
            plain(Continuation, new Uint8Array(50_000)),
          ),
        ],
      ];
      for (const [how, bytes] of talks) {
        const reader = readerOf(lesson);
        const messages = inReads(bytes).flatMap((part) => {
          own(reader, part);
          return readAll(reader);
        });
        const given: Fact[] = [['arrived', `a message of 70,000 bytes in ${how} and two reads`]];
        const sizes = () =>
          messages.map((message) => ('data' in message ? message.data.length : 0));
        equal(sizes, [70_000], 'The message is put together.', { given, label: 'its bytes' });
        const [message] = messages as [Extract<Message, { type: 'binary' }>];
        const { byteLength } = message.data.buffer;
        if (byteLength <= 2 * 70_000) continue;
        fail(
          'A message in pieces has no more than twice the memory that it needs.',
          [...given, ['its `buffer` has', count(byteLength, 'byte')]],
          'Whoever keeps the message keeps all of it. Reserve no more than the header announces.',
        );
      }
    },
  },
  {
    what: 'Of a payload that arrives a byte at a time, only the bytes are kept.',
    rules: [],
    check(lesson) {
      const pieces = 20_000;
      const bytes = plain(Binary, new Uint8Array(pieces + 1)).subarray(0, -1);
      const reader = readerOf(lesson);
      const limit = TRUST * pieces;
      const inUse = ({ heapUsed, arrayBuffers }: NodeJS.MemoryUsage) => heapUsed + arrayBuffers;
      const taken = memoryTaken(inUse, limit, () => {
        for (const byte of bytes) {
          reader.own(Uint8Array.of(byte));
          reader.read();
        }
      });
      // It is in use up to here.
      readNothing(reader, [['arrived', `${pieces} bytes of ${pieces + 1}`]]);
      if (taken <= limit) return;
      fail(
        'Of a payload that arrives a byte at a time, only the bytes are kept.',
        [
          ['arrived', `${pieces} bytes, one in each read`],
          ['kept', count(taken, 'byte')],
        ],
        'A list of pieces keeps an object for each, and that takes a hundred bytes. Copy the piece to its place, and let it go.',
      );
    },
  },
];

/** The beginning of something behind a lot that is complete. */
interface Rest {
  readonly what: string;
  readonly bytes: Uint8Array;
}

const RESTS: readonly Rest[] = [
  { what: 'nothing more', bytes: new Uint8Array(0) },
  { what: 'a byte of a header', bytes: fromClient(Binary, 'more').subarray(0, 1) },
  {
    what: 'a header without its last byte',
    bytes: fromClient(Binary, someBytes(300)).subarray(0, 7),
  },
  { what: 'a byte of a payload', bytes: fromClient(Binary, 'more').subarray(0, 7) },
  { what: 'a fragment', bytes: fromClient(Binary, 'more', false) },
  { what: 'a byte of a Ping', bytes: fromClient(Ping, 'more').subarray(0, 7) },
];

/** Lets two large reads arrive, and takes out what is complete. Returns the memory of both. */
function leaveRest(reader: Reader, rest: Uint8Array): WeakRef<ArrayBufferLike>[] {
  const whole = repeated(plain(Binary, new Uint8Array(500)), 20);
  const chunks = [own(reader, whole), own(reader, join(whole, rest))];
  readAll(reader);
  return chunks.map(({ buffer }) => new WeakRef(buffer));
}

/** Says whether nothing refers to any of these any more. */
async function areForgotten(memories: readonly WeakRef<ArrayBufferLike>[]): Promise<boolean> {
  const forgotten = await Promise.all(memories.map(isForgotten));
  return forgotten.every(Boolean);
}

const LET_GO: Scenarios = [
  {
    what: 'A reader that waits for the rest of a frame keeps what it has of it, and not the read.',
    rules: [],
    async check(lesson) {
      const waiting = RESTS.map(({ what, bytes }) => {
        const reader = readerOf(lesson);
        return { what, reader, memories: leaveRest(reader, bytes) };
      });
      const kept = await Promise.all(
        waiting.map(async ({ memories }) => !(await areForgotten(memories))),
      );
      const keeping = waiting.filter((_, i) => kept[i]);
      // The readers are in use up to here.
      for (const { reader } of waiting) readNothing(reader, []);
      const [first] = keeping;
      if (!first) return;
      fail(
        'A reader that waits for the rest of a frame keeps what it has of it, and not the read.',
        [
          ['arrived', `two reads with 40 messages of 500 bytes, and ${first.what}`],
          ['kept', 'the memory of a whole read'],
        ],
        'A view keeps all of its memory: a few bytes hold 64 KiB, for as long as the client likes. Copy what is cut, and let go of a read that is used up.',
      );
    },
  },
  {
    what: 'A reader lets go of a message once it has returned it.',
    rules: [],
    async check(lesson) {
      const reader = readerOf(lesson);
      const putTogether = (): WeakRef<ArrayBufferLike> => {
        const parts = inReads(plain(Binary, new Uint8Array(50_000)), 20_000);
        const [message] = parts.flatMap((part) => {
          own(reader, part);
          return readAll(reader);
        });
        const data = message?.type === 'binary' ? message.data : new Uint8Array(0);
        equal(() => data.length, 50_000, 'The message is put together.', { label: 'its bytes' });
        return new WeakRef(data.buffer);
      };
      const memory = putTogether();
      const isKept = !(await isForgotten(memory));
      readNothing(reader, []);
      if (!isKept) return;
      fail(
        'A reader lets go of a message once it has returned it.',
        [['returned, and dropped', 'a message of 50,000 bytes, which had arrived in three reads']],
        'A field still refers to its memory. An idle connection ought to keep none.',
      );
    },
  },
];

export const PIECES_MEMORY: Scenarios = [...RESERVED, ...LET_GO];

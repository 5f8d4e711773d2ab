/** Step 4: what it costs to put pieces together, however many they are. */
import { equal, fail } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { fromClient } from '../../../shared/kit/frames.ts';
import { Opcode } from '../../../shared/protocol.ts';
import { count } from '../../../shared/view/count.ts';
import { outOfProportion } from '../02-reading-frames/cost.ts';
import { own, plain, READ_BYTES, readerOf, repeated } from './reads.ts';
import type { Lesson, Scenarios } from './tools.ts';

const { Binary, Continuation, Pong } = Opcode;

/** How many reads wait for one another. */
const WAITING = 45_000;
/** How many reads follow those that have waited. */
const FOLLOWING = 30_000;
/** How many fragments of a byte a message has, and how many of them arrive together. */
const FRAGMENTS = 40_000;
const TOGETHER = 8000;

const PONG = fromClient(Pong);

/** Takes over many reads, and then reads what is in them. Returns a tale of how slow that is. */
function slowWaiting(lesson: Lesson) {
  return outOfProportion(2 * WAITING, (parts) => {
    const reader = readerOf(lesson);
    const reads = repeated(PONG, parts / 2);
    return (part) => {
      if (part < parts / 2) {
        reader.own(reads.subarray(part * PONG.length, (part + 1) * PONG.length));
        return;
      }
      if (reader.read()?.type === 'pong') return;
      const given: Fact[] = [['taken over', `${parts / 2} reads, with a Pong in each`]];
      const nth = `read number ${part + 1 - parts / 2} gave one`;
      equal(() => false, true, 'What waits is read in order, and all of it.', {
        given,
        label: nth,
      });
    };
  });
}

/** Takes over two reads at once, and then one after the other. Returns a tale of how slow that is. */
function slowAfterWaiting(lesson: Lesson) {
  return outOfProportion(FOLLOWING, (parts) => {
    const reader = readerOf(lesson);
    const reads = repeated(PONG, parts + 1);
    reader.own(reads.subarray(0, PONG.length));
    return (part) => {
      reader.own(reads.subarray((part + 1) * PONG.length, (part + 2) * PONG.length));
      if (part === 0) reader.read();
      if (reader.read()?.type === 'pong') return;
      equal(() => false, true, 'What comes after reads that waited is read as well.', {
        given: [['taken over', 'two reads at once, and then one after the other']],
        label: `read number ${part + 2} gave one`,
      });
    };
  });
}

function slowFragments(lesson: Lesson) {
  const middle = plain(Continuation, Uint8Array.of(7), false);
  return outOfProportion(FRAGMENTS, (parts) => {
    const reader = readerOf(lesson);
    own(reader, fromClient(Binary, '', false));
    let arrived = 0;
    return (part) => {
      if (part < arrived) return;
      const more = Math.min(TOGETHER, parts - arrived);
      arrived += more;
      reader.own(repeated(middle, more));
      equal(() => reader.read(), undefined, 'Nothing is returned before it is complete.', {
        given: [['arrived', `${arrived} fragments, and not the last`]],
      });
    };
  });
}

export const GATHERING_COST: Scenarios = [
  {
    what: 'Reads that wait cost no more when there are many of them.',
    rules: [],
    check(lesson) {
      const slow = slowWaiting(lesson);
      if (!slow) return;
      const { done, ms, isGrowing } = slow;
      fail(
        'Reads that wait cost no more when there are many of them.',
        [
          ['taken over', `${count(WAITING, 'read')}, and then read`],
          ['so far', `${count(done, 'call')} in ${Math.round(ms)} ms`],
        ],
        isGrowing
          ? 'Each seems to move all the others, as a join does, and `shift` of a long array. Keep them in a list, and count which is next.'
          : undefined,
      );
    },
  },
  {
    what: 'Reads that have waited leave nothing behind.',
    rules: [],
    check(lesson) {
      const slow = slowAfterWaiting(lesson);
      if (!slow) return;
      const { done, ms, isGrowing } = slow;
      fail(
        'Reads that have waited leave nothing behind.',
        [
          ['taken over', 'two reads at once, and then one after the other'],
          ['so far', `${count(done, 'read')} in ${Math.round(ms)} ms`],
        ],
        isGrowing
          ? 'Each seems to look at all that have been before it. Begin a new list when nothing waits any more.'
          : undefined,
      );
    },
  },
  {
    what: 'Fragments of a byte cost no more when there are many of them.',
    rules: [],
    check(lesson) {
      const slow = slowFragments(lesson);
      if (!slow) return;
      const { done, ms, isGrowing } = slow;
      fail(
        'Fragments of a byte cost no more when there are many of them.',
        [
          [
            'arrived',
            `${count(done, 'fragment')} of one byte, in reads of ${READ_BYTES / 1024} KiB`,
          ],
          ['they took', `${Math.round(ms)} ms`],
        ],
        isGrowing
          ? 'Each seems to copy, or check, all that came before it. Let memory that is full be doubled.'
          : undefined,
      );
    },
  },
];

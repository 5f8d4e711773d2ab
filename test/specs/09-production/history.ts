/** Step 5: a history */
import { attempt, equal, fail } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import { type Choices, generated } from '../../../shared/kit/generate.ts';
import { withGiven } from '../../../shared/kit/given.ts';
import type { Entry, Said } from '../../../solutions/09-production/production.ts';
import type { Lesson, Scenarios } from './tools.ts';

/** The longest numbers that an id can have: those of Redis have 64 bits. */
const LARGEST = 2n ** 64n - 1n;

/** Checks which of two ids is the earlier one, asked both ways. */
function expectOrder({ compareIds }: Lesson, earlier: string, later: string, what: string): void {
  const sign = (a: string, b: string) => () => {
    const order: unknown = compareIds(a, b);
    if (typeof order !== 'number' || Number.isNaN(order)) return order;
    return order < 0 ? 'a negative number' : order > 0 ? 'a positive number' : '0';
  };
  const isSame = earlier === later;
  const cause = (answer: unknown) => {
    if (answer === '0') return 'Two ids that differ are never the same. Does a number get rounded?';
    return earlier > later ? 'As text, the second one would come first.' : undefined;
  };
  for (const [a, b, right] of [
    [earlier, later, 'a negative number'],
    [later, earlier, 'a positive number'],
  ] as const) {
    equal(sign(a, b), isSame ? '0' : right, what, {
      inWords: true,
      given: [['call', `compareIds('${a}', '${b}')`]],
      ...(!isSame && { cause }),
    });
  }
}

const COMPARING: Scenarios = [
  {
    what: 'The earlier of two ids is the one with the smaller numbers.',
    rules: [],
    check: (lesson) => {
      const what = 'The earlier of two ids is the one with the smaller numbers.';
      expectOrder(lesson, '5-1', '5-2', what);
      expectOrder(lesson, '5-2', '6-1', what);
      expectOrder(lesson, '5-0', '5-1', what);
      expectOrder(lesson, '1700000000000-12', '1700000000001-3', what);
    },
  },
  {
    what: 'An id is the same as itself.',
    rules: [],
    check: (lesson) => {
      for (const id of ['5-1', '0-0', '1700000000000-12', `${LARGEST}-${LARGEST}`]) {
        expectOrder(lesson, id, id, 'An id is the same as itself.');
      }
    },
  },
  {
    what: 'Ids are numbers, and not text.',
    rules: [186],
    check: (lesson) => {
      const what = 'Ids are numbers, and not text.';
      expectOrder(lesson, '9-9', '9-10', what);
      expectOrder(lesson, '9-1', '10-1', what);
      expectOrder(lesson, '5-99', '5-100', what);
      expectOrder(lesson, '999-3', '1700000000000-2', what);
    },
  },
  {
    what: 'Each of the two numbers can have 20 digits, and none of them is lost.',
    rules: [],
    check: (lesson) => {
      const what = 'Each of the two numbers can have 20 digits, and none of them is lost.';
      const odd = 2n ** 53n + 1n;
      expectOrder(lesson, `5-${odd - 1n}`, `5-${odd}`, what);
      expectOrder(lesson, `${odd - 1n}-9`, `${odd}-1`, what);
      expectOrder(lesson, `5-${LARGEST - 1n}`, `5-${LARGEST}`, what);
      expectOrder(lesson, '0-1', `${LARGEST}-0`, what);
      expectOrder(lesson, `1-${LARGEST}`, '2-0', what);
    },
  },
  {
    what: 'Any two ids are in the order of their numbers.',
    rules: [],
    check: (lesson) =>
      generated(200, (choose) => {
        const number = () => choose.pick([1n, 10n, 1000n, 2n ** 53n, LARGEST - 9n]) + draw(choose);
        const [first, second] = [number(), number()];
        // So that the first numbers are often the same.
        const [a, b] = [[first, second] as const, [choose.oneIn(2) ? number() : first, number()]];
        const isLess = a[0] < b[0]! || (a[0] === b[0] && a[1] < b[1]!);
        const [earlier, later] = isLess ? [a, b] : [b, a];
        const what = 'Any two ids are in the order of their numbers.';
        expectOrder(lesson, earlier.join('-'), later.join('-'), what);
      }),
  },
];

const draw = (choose: Choices) => BigInt(choose.below(10));

/** Something that is said, and something else each time. */
function said(text: string, { user = 'ann', cid = `c:${text}` } = {}): Said {
  return { user, cid, text };
}

/** A history with what has been done to it, and a slow one beside it that forgets nothing. */
class Chronicle {
  readonly #history: InstanceType<Lesson['History']>;
  readonly #epoch: number;
  readonly #most: number;
  /** All that have ever been in it. */
  readonly #all: Entry[] = [];
  readonly #story: (() => string)[];

  constructor({ History }: Lesson, epoch: number, most: number) {
    this.#epoch = epoch;
    this.#most = most;
    const call = `new History(${epoch}, ${most})`;
    this.#story = [() => call];
    this.#history = attempt(() => new History(epoch, most), 'A history is made.', [['call', call]]);
  }

  /** The ids of all that has ever been in it, the oldest first. */
  get ids(): string[] {
    return this.#all.map(({ id }) => id);
  }

  get beginning(): string {
    return `${this.#epoch}-0`;
  }

  #facts(): Fact[] {
    const told = this.#story.slice(-12);
    if (told.length < this.#story.length) told.unshift(this.#story[0]!, () => '…');
    return told.map((say, i) => [i === 0 ? 'the calls' : '', say()]);
  }

  /** Adds a message, and checks what becomes of it. */
  append(message: Said, what = 'A message that is new gets an id of its own, and a greater one.') {
    const { user, cid, text } = message;
    const call = () => `append(${show({ user, cid, text })})`;
    const kept = this.#all.slice(-this.#most);
    const known = kept.find((entry) => entry.user === user && entry.cid === cid);
    const id = withGiven(
      () => [...this.#facts(), ['call', call()]],
      () => {
        const result = attempt(() => this.#history.append(message), what);
        return known ? this.#expectKnown(result, known) : this.#expectNew(result, what);
      },
    );
    if (!known) this.#all.push({ user, cid, text, id });
    this.#story.push(() => `${call()} gave ${id}`);
  }

  #expectKnown(result: unknown, { id }: Entry): string {
    const right = { id, isNew: false };
    equal(() => result, right, 'A `cid` that this user has had already adds nothing.', {
      cause: () => 'Its first id comes back: it is in the history already.',
    });
    return id;
  }

  #expectNew({ id, isNew }: { id: string; isNew: boolean }, what: string): string {
    equal(() => isNew, true, what, { label: '`isNew` is', cause: causeOfOld });
    const before = this.ids.at(-1) ?? this.beginning;
    const isId = typeof id === 'string' && new RegExp(`^${this.#epoch}-\\d+$`).test(id);
    if (isId && numberOf(id) > numberOf(before)) return id;
    const right: Fact = ['expected', `${this.#epoch}-, and a number after that of ${before}`];
    return fail(what, [['its id', show(id)], right]);
  }

  /** Checks `tip`, as it has to be now. */
  expectTip(what: string): void {
    withGiven(
      () => this.#facts(),
      () => {
        const right = this.ids.at(-1) ?? this.beginning;
        equal(() => this.#history.tip, right, what, { label: '`tip` is' });
      },
    );
  }

  /** Checks what is behind an id. Returns it. */
  expectAfter(last: string, count: number, what: string): Entry[] | undefined {
    const at = last === this.beginning ? 0 : this.ids.indexOf(last) + 1;
    const forgotten = Math.max(0, this.#all.length - this.#most);
    const isKnown = (at > 0 || last === this.beginning) && at >= forgotten;
    const right = isKnown ? this.#all.slice(at, at + count) : undefined;
    let result: Entry[] | undefined;
    const call = () => {
      result = this.#history.after(last, count);
      return result;
    };
    withGiven(
      () => [...this.#facts(), ['call', `after('${last}', ${count})`]],
      () =>
        equal(call, right, what, {
          cause: (actual) => causeOfAfter(actual, right, at < forgotten),
        }),
    );
    return result;
  }
}

const numberOf = (id: string) => BigInt(id.split('-')[1] ?? '');

function causeOfOld(isNew: unknown): string | undefined {
  if (isNew !== false) return undefined;
  return 'It is no repetition: another user, another `cid`, or the one before is forgotten.';
}

function causeOfAfter(actual: unknown, right: unknown, isForgotten: boolean): string | undefined {
  if (right === undefined && isForgotten)
    return 'Some of what is behind it is forgotten. Whoever gets the rest believes that it is all.';
  if (right === undefined) return 'No message ever had this id: `undefined` says so.';
  if (actual === undefined) return 'All that is behind it is still there, so nothing is missing.';
  if (!Array.isArray(actual) || !Array.isArray(right)) return undefined;
  if (actual.length > right.length) return 'Those behind it, and not itself; `count` at most.';
  if (actual.length < right.length) return 'All that is behind it, from the very next one on.';
  return undefined;
}

/** A history of so many messages, and how many of them it remembers. */
function filled(lesson: Lesson, count: number, most = 100, epoch = 5): Chronicle {
  const chronicle = new Chronicle(lesson, epoch, most);
  for (let i = 1; i <= count; i++) chronicle.append(said(`m${i}`));
  return chronicle;
}

const REMEMBERING: Scenarios = [
  {
    what: 'The tip of an empty history is the beginning: its epoch, and a 0.',
    rules: [],
    check: (lesson) => {
      const what = 'The tip of an empty history is the beginning: its epoch, and a 0.';
      for (const epoch of [5, 1_700_000_000_000]) new Chronicle(lesson, epoch, 9).expectTip(what);
    },
  },
  {
    what: 'Each message gets an id, greater than the one before: that is the tip then.',
    rules: [],
    check: (lesson) => {
      const chronicle = new Chronicle(lesson, 1_700_000_000_000, 100);
      for (let i = 1; i <= 25; i++) {
        chronicle.append(said(`m${i}`));
        chronicle.expectTip('The tip is the id of the last message.');
      }
    },
  },
  {
    what: 'What is behind an id comes back, the oldest first.',
    rules: [],
    check: (lesson) => {
      const chronicle = filled(lesson, 12);
      const what = 'What is behind an id comes back, the oldest first.';
      for (const id of [chronicle.beginning, ...chronicle.ids])
        chronicle.expectAfter(id, 100, what);
    },
  },
  {
    what: 'No more come back than asked for.',
    rules: [],
    check: (lesson) => {
      const chronicle = filled(lesson, 12);
      for (const count of [1, 2, 5, 11, 12]) {
        chronicle.expectAfter(chronicle.beginning, count, 'No more come back than asked for.');
        chronicle.expectAfter(chronicle.ids[3]!, count, 'No more come back than asked for.');
      }
    },
  },
  {
    what: 'Behind the last one, and in an empty history, there is nothing: an empty list.',
    rules: [],
    check: (lesson) => {
      const what = 'Behind the last one, and in an empty history, there is nothing: an empty list.';
      const full = filled(lesson, 3);
      full.expectAfter(full.ids[2]!, 10, what);
      const empty = new Chronicle(lesson, 5, 10);
      empty.expectAfter(empty.beginning, 10, what);
      const trimmed = filled(lesson, 30, 4);
      trimmed.expectAfter(trimmed.ids[29]!, 10, what);
    },
  },
  {
    what: 'When something behind an id is forgotten, it is too late.',
    rules: [187],
    check: (lesson) => {
      const chronicle = filled(lesson, 15, 5);
      const what = 'When something behind an id is forgotten, it is too late.';
      for (const id of [chronicle.beginning, ...chronicle.ids.slice(0, 9)]) {
        chronicle.expectAfter(id, 100, what);
        chronicle.expectAfter(id, 1, what);
      }
    },
  },
  {
    what: 'When only the message itself is forgotten, nothing is missing.',
    rules: [],
    check: (lesson) => {
      for (const [count, most] of [
        [15, 5],
        [6, 5],
        [4, 1],
      ] as const) {
        const chronicle = filled(lesson, count, most);
        const what = 'When only the message itself is forgotten, nothing is missing.';
        for (const id of chronicle.ids.slice(count - most - 1)) chronicle.expectAfter(id, 9, what);
      }
    },
  },
  {
    what: 'It remembers as many as it was told, and none less.',
    rules: [],
    check: (lesson) => {
      for (const most of [1, 2, 7]) {
        const chronicle = filled(lesson, most, most);
        const what = 'So many are remembered: the first goes when there is one more.';
        chronicle.expectAfter(chronicle.beginning, 100, what);
        chronicle.append(said('one more'));
        chronicle.expectAfter(chronicle.beginning, 100, what);
        chronicle.expectAfter(chronicle.ids[0]!, 100, what);
      }
    },
  },
  {
    what: 'An id that no message ever had is too late, too.',
    rules: [],
    check: (lesson) => {
      const [chronicle, trimmed] = [filled(lesson, 12), filled(lesson, 12, 5)];
      const what = 'An id that no message ever had is too late, too.';
      // From before a restart, of another machine, and from the future.
      const others = ['4-3', '4-12', '6-3', '6-0', '50-3', '5-13', '5-100', '0-0'];
      const notIds = ['5', '', 'x', '5-', '5-007', '05-7', '5-7x', '5-7-7'];
      for (const id of [...others, ...notIds])
        for (const it of [chronicle, trimmed]) it.expectAfter(id, 100, what);
      new Chronicle(lesson, 5, 10).expectAfter('5-1', 100, what);
      new Chronicle(lesson, 5, 10).expectAfter('4-0', 100, what);
    },
  },
];

const ONCE: Scenarios = [
  {
    what: 'What a user says again, under the same `cid`, is not there twice.',
    rules: [],
    check: (lesson) => {
      const chronicle = new Chronicle(lesson, 5, 100);
      for (const text of ['a', 'b', 'a', 'c', 'b', 'a']) chronicle.append(said(text));
      chronicle.expectAfter(chronicle.beginning, 100, 'A repeated message is there once.');
      chronicle.expectTip('A repeated message leaves the tip where it is.');
    },
  },
  {
    what: 'The same text under another `cid` is another message.',
    rules: [],
    check: (lesson) => {
      const chronicle = new Chronicle(lesson, 5, 100);
      for (const cid of ['1', '2', '3']) chronicle.append(said('yes', { cid }));
      chronicle.expectAfter(
        chronicle.beginning,
        100,
        'Who says yes three times has said it thrice.',
      );
    },
  },
  {
    what: 'A `cid` is the client’s own: that of another user can be the same.',
    rules: [190],
    check: (lesson) => {
      const what = 'Two users can use the same `cid`: both messages are new.';
      const chronicle = new Chronicle(lesson, 5, 100);
      for (const user of ['ann', 'ben', 'ann', 'ben']) {
        chronicle.append(said(user, { user, cid: 'tab:1' }), what);
      }
    },
  },
  {
    what: 'Whatever is in their names, no two users are taken for one.',
    rules: [],
    check: (lesson) => {
      const what =
        'User and `cid` are two things: joined, they can look like those of somebody else.';
      const marks = ['', ':', '-', ' ', '/', '|', ',', '\0', '\n', '"', '","', '\\', '::', '__'];
      for (const mark of marks) {
        const chronicle = new Chronicle(lesson, 5, 100);
        chronicle.append(said('one', { user: 'ann', cid: `a${mark}b` }), what);
        chronicle.append(said('two', { user: `ann${mark}a`, cid: 'b' }), what);
      }
      const chronicle = new Chronicle(lesson, 5, 100);
      for (const user of ['__proto__', 'constructor', 'toString']) {
        chronicle.append(said('one', { user, cid: '__proto__' }), what);
        chronicle.append(said('two', { user, cid: 'constructor' }), what);
      }
    },
  },
  {
    what: 'What is forgotten can be said again.',
    rules: [],
    check: (lesson) => {
      const chronicle = new Chronicle(lesson, 5, 3);
      const what = 'It is not in the history any more: it is new.';
      for (const text of ['a', 'b', 'c', 'a', 'd', 'a', 'b', 'e', 'f', 'g', 'a']) {
        chronicle.append(said(text), what);
      }
      chronicle.expectTip('The tip is the id of the last message.');
      chronicle.expectAfter(chronicle.ids.at(-3)!, 10, 'What was said again has its new place.');
    },
  },
];

const APART: Scenarios = [
  {
    what: 'Two histories know nothing of each other.',
    rules: [],
    check: (lesson) => {
      const [one, two] = [new Chronicle(lesson, 5, 3), new Chronicle(lesson, 7, 100)];
      for (let i = 1; i <= 6; i++) {
        one.append(said(`m${i}`));
        if (i % 2 === 0) two.append(said(`m${i}`));
      }
      const what = 'Two histories know nothing of each other.';
      for (const it of [one, two]) {
        it.expectTip(what);
        for (const id of [...one.ids, ...two.ids]) it.expectAfter(id, 100, what);
      }
    },
  },
  {
    what: 'What is done later with what went in, or came out, changes nothing.',
    rules: [],
    check: (lesson) => {
      const chronicle = new Chronicle(lesson, 5, 100);
      const what = 'What was handed in is not kept: its owner uses it again.';
      const message = { ...said('one') };
      for (const text of ['one', 'two', 'three']) {
        Object.assign(message, said(text));
        chronicle.append(message, what);
        if (Object.keys(message).length === 3) continue;
        fail('What is handed in stays as it is.', [['after `append`', show(message)]]);
      }
      Object.assign(message, said('four'));
      const page = chronicle.expectAfter(chronicle.beginning, 100, what);
      page?.splice(0, 2);
      const again = 'A list that was returned is the caller’s: the history has its own.';
      chronicle.expectAfter(chronicle.beginning, 100, again);
      chronicle.expectTip(again);
    },
  },
  {
    what: 'Whatever is said, and however little is remembered, nothing is missing unnoticed.',
    rules: [],
    check: (lesson) =>
      generated(100, (choose) => {
        const chronicle = new Chronicle(lesson, 5 + choose.below(3), 1 + choose.below(8));
        const what = 'What is behind an id is complete, or `undefined`.';
        choose.list(25, () => {
          if (choose.oneIn(4)) {
            const ids = [chronicle.beginning, ...chronicle.ids, '5-3', '6-12', '7-99'];
            chronicle.expectAfter(choose.pick(ids), 1 + choose.below(9), what);
            chronicle.expectTip('The tip is the id of the last message.');
          } else {
            const [user, cid] = [choose.pick(['ann', 'ben']), `${choose.below(9)}`];
            chronicle.append({ user, cid, text: `${choose.below(3)}` });
          }
        });
      }),
  },
];

export const HISTORY: Scenarios = [...COMPARING, ...REMEMBERING, ...ONCE, ...APART];

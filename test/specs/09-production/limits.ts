/** Step 1: how often, and how many. */
import { attempt, equal, fail } from '../../../shared/harness/check.ts';
import type { About, Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import { callsOf, recorded } from '../../../shared/kit/calls.ts';
import { memoryTaken } from '../../../shared/kit/memory.ts';
import { count } from '../../../shared/view/count.ts';
import type {
  Rate,
  RateLimiter,
  Slots,
  TokenBucket,
} from '../../../solutions/09-production/production.ts';
import { outOfProportion } from '../02-reading-frames/cost.ts';
import { ANY_BUCKET, ANY_LIMITER, ANY_SLOTS } from './limits-drawn.ts';
import type { Lesson, Scenarios } from './tools.ts';

type LimitScenario = Scenarios[number];

/** What the clock of limiters says at the beginning, in milliseconds. That of buckets says 0. */
const START = 1_000_000;

/** Keys that an object has something for already. */
const ODD_KEYS = ['__proto__', 'constructor', 'toString', ''];

const PLAIN_OBJECT =
  'A plain object has something for some names already, and an empty text counts as false. A Map knows neither.';

/** A bucket whose calls are remembered. Times are milliseconds from the beginning. */
class Bucket {
  readonly #bucket: TokenBucket;
  readonly #rate: Rate;
  readonly #start: number;

  constructor({ TokenBucket }: Lesson, rate: Rate, start = 0) {
    this.#rate = rate;
    this.#start = start;
    this.#bucket = recorded(
      attempt(() => new TokenBucket(rate, start), 'Make a bucket.'),
      () => 0,
    );
  }

  take(tokens: number, ms: number): number {
    return this.#bucket.take(tokens, this.#start + ms);
  }

  isFull(ms: number): boolean {
    return this.#bucket.isFull(this.#start + ms);
  }

  about(cause?: string): About {
    const [bucket, rate] = [this.#bucket, this.#rate];
    return {
      label: 'the last call returned',
      get given() {
        return [['the rate', show(rate)] as const, ...callsOf(bucket)];
      },
      ...(cause && { cause: () => cause }),
    };
  }
}

/** What a bucket is asked, after how many milliseconds, and what it has to return. */
type Row = readonly [ms: number, asked: number | 'isFull', expected: number | boolean];

/** A bucket answers each of these in turn. */
function bucket(
  what: string,
  rate: Rate,
  rows: readonly Row[],
  cause?: string,
  start?: number,
): LimitScenario {
  return {
    what,
    rules: [],
    check: (lesson) => {
      const bucket = new Bucket(lesson, rate, start);
      for (const [ms, asked, expected] of rows) {
        const call = () => (asked === 'isFull' ? bucket.isFull(ms) : bucket.take(asked, ms));
        equal(call, expected, what, bucket.about(cause));
      }
    },
  };
}

const KEPT_PARTS =
  'What a bucket has gained since the last call is kept, even when it is a small part of a token.';

const TAKING: readonly LimitScenario[] = [
  bucket('At first, a bucket has `burst` tokens.', { burst: 3, perSecond: 1 }, [
    [0, 1, 0],
    [0, 1, 0],
    [0, 1, 0],
    [0, 1, 1000],
  ]),
  bucket('Somebody can take all of them at once.', { burst: 5, perSecond: 1 }, [
    [0, 5, 0],
    [0, 1, 1000],
  ]),
  bucket(
    'When there are fewer, take none.',
    { burst: 5, perSecond: 1 },
    [
      [0, 3, 0],
      [0, 3, 1000],
      [0, 2, 0],
      [0, 2, 2000],
    ],
    'A call that returns more than 0 leaves the tokens where they are: whoever is refused has done nothing.',
  ),
  bucket(
    'What it returns is how long it takes until there are enough, in milliseconds.',
    { burst: 10, perSecond: 4 },
    [
      [0, 10, 0],
      [0, 1, 250],
      [0, 3, 750],
      [250, 1, 0],
      [250, 1, 250],
    ],
  ),
  bucket(
    'A part of a token is kept until there is a whole one.',
    { burst: 10, perSecond: 4 },
    [
      [0, 10, 0],
      [125, 1, 125],
      [250, 1, 0],
      [375, 1, 125],
      [500, 1, 0],
      [500, 1, 250],
    ],
    KEPT_PARTS,
  ),
  bucket(
    'Round up: a millisecond too early is too early.',
    { burst: 1, perSecond: 3 },
    [
      [0, 1, 0],
      [0, 1, 334],
    ],
    'A token comes after 333⅓ ms. After 333, there is none yet.',
  ),
  bucket('Time fills a bucket up to `burst`, and no further.', { burst: 2, perSecond: 1 }, [
    [0, 1, 0],
    [3_600_000, 2, 0],
    [3_600_000, 1, 1000],
  ]),
  bucket(
    'A count that no bucket can hold has to wait for ever, and takes nothing.',
    { burst: 2, perSecond: 1 },
    [
      [0, 3, Number.POSITIVE_INFINITY],
      [0, 2, 0],
      [500, 3, Number.POSITIVE_INFINITY],
      [1000, 1, 0],
    ],
    'More than `burst` never fit. A number of milliseconds would be a promise that is not kept.',
  ),
  bucket(
    'A bucket that is made later is no fuller, and no emptier.',
    { burst: 4, perSecond: 2 },
    [
      [0, 4, 0],
      [0, 1, 500],
      [500, 1, 0],
      [500, 1, 500],
    ],
    'Only the time counts that has passed since the bucket was made.',
    1_700_000_000_000,
  ),
  bucket(
    'With 0 per second, a bucket is emptied once, and waiting does not help.',
    { burst: 2, perSecond: 0 },
    [
      [0, 1, 0],
      [0, 1, 0],
      [0, 1, Number.POSITIVE_INFINITY],
      [3_600_000, 1, Number.POSITIVE_INFINITY],
      [3_600_000, 'isFull', false],
    ],
    'Nothing fills it again. Mind what comes of a division by 0.',
  ),
  bucket('An empty message is nothing to wait for.', { burst: 1, perSecond: 1 }, [
    [0, 1, 0],
    [0, 0, 0],
    [1, 0, 0],
  ]),
  bucket('Clocks have fractions of a millisecond.', { burst: 1, perSecond: 1000 }, [
    [0, 1, 0],
    [0.25, 1, 1],
    [0.5, 1, 1],
    [0.75, 1, 1],
    [1.5, 1, 0],
  ]),
];

const FULL: readonly LimitScenario[] = [
  bucket('A bucket is full at first, and when time has filled it.', { burst: 2, perSecond: 1 }, [
    [0, 'isFull', true],
    [0, 1, 0],
    [0, 'isFull', false],
    [500, 'isFull', false],
    [1000, 'isFull', true],
    [9000, 'isFull', true],
  ]),
  bucket(
    'A bucket that lacks a part of a token is not full.',
    { burst: 2, perSecond: 1 },
    [
      [0, 2, 0],
      [1999, 'isFull', false],
    ],
    'It is no different from a new one only when nothing is missing.',
  ),
  bucket(
    'Who asks whether it is full takes nothing and adds nothing.',
    { burst: 1, perSecond: 1 },
    [
      [0, 'isFull', true],
      [0, 1, 0],
      [0, 'isFull', false],
      [500, 'isFull', false],
      [500, 1, 500],
      [1000, 1, 0],
    ],
  ),
];

/** How often somebody tries it again, in milliseconds. */
const EAGER_MS = [1, 10, 0.25];

const KEPT: readonly LimitScenario[] = [
  {
    what: 'However often somebody tries, a token comes when it is time.',
    rules: [179],
    check: (lesson) => {
      for (const every of EAGER_MS) {
        const rate = { burst: 1, perSecond: 1 };
        const bucket = new Bucket(lesson, rate);
        equal(() => bucket.take(1, 0), 0, 'Take the only token.', bucket.about());
        for (let ms = every; ms < 995; ms += every) {
          if (bucket.take(1, ms) === 0)
            fail('It is too early for a token.', bucket.about().given ?? []);
        }
        // Sums of fractions are a little off.
        equal(
          () => bucket.take(1, 1005),
          0,
          'However often somebody tries, a token comes when it is time.',
          bucket.about(KEPT_PARTS),
        );
      }
    },
  },
  {
    what: 'Whoever has waited as long as it said gets what they asked for.',
    rules: [],
    check: (lesson) => {
      const what = 'Whoever has waited as long as it said gets what they asked for.';
      for (const perSecond of [0.5, 2, 3, 7, 30]) {
        const bucket = new Bucket(lesson, { burst: 4, perSecond });
        equal(() => bucket.take(4, 0), 0, 'Take all tokens.', bucket.about());
        const ms = bucket.take(3, 0);
        // The sums of what a clock has been multiplied with are a little off.
        if (ms > 0) equal(() => bucket.take(3, ms + 0.001), 0, what, bucket.about());
        else fail('What there is not enough of is not given.', bucket.about().given ?? []);
      }
    },
  },
  {
    what: 'Buckets of the same rate have nothing to do with each other.',
    rules: [],
    check: (lesson) => {
      const what = 'Buckets of the same rate have nothing to do with each other.';
      const rate = Object.freeze({ burst: 2, perSecond: 1 });
      const [one, other] = [new Bucket(lesson, rate), new Bucket(lesson, rate)];
      equal(() => one.take(2, 0), 0, what, one.about());
      equal(() => other.take(2, 500), 0, what, other.about('Does a field belong to the class?'));
      equal(() => one.take(1, 500), 500, what, one.about('Does a field belong to the class?'));
    },
  },
];

function limiterOf({ RateLimiter }: Lesson, rate: Rate): RateLimiter {
  return recorded(
    attempt(() => new RateLimiter(rate), 'Make a limiter.'),
    () => 0,
  );
}

function aboutLimiter(limiter: RateLimiter, rate: Rate, cause?: string): About {
  return {
    label: 'the last call returned',
    get given() {
      return [['the rate', show(rate)] as const, ...callsOf(limiter)];
    },
    ...(cause && { cause: () => cause }),
  };
}

const FOR_EACH: readonly LimitScenario[] = [
  {
    what: 'Each key has a bucket of its own.',
    rules: [],
    check: (lesson) => {
      const what = 'Each key has a bucket of its own.';
      const rate = { burst: 2, perSecond: 1 };
      const limiter = limiterOf(lesson, rate);
      const about = { ...aboutLimiter(limiter, rate), label: 'size' };
      equal(() => limiter.size, 0, 'A new limiter remembers nothing.', about);
      for (const [key, tokens, ms, expected] of [
        ['a', 2, 0, 0],
        ['b', 1, 0, 0],
        ['a', 1, 500, 500],
        ['b', 2, 1000, 0],
        ['a', 1, 1000, 0],
        ['b', 3, 1000, Number.POSITIVE_INFINITY],
      ] as const) {
        const call = () => limiter.take(key, tokens, START + ms);
        equal(call, expected, what, aboutLimiter(limiter, rate));
      }
      equal(() => limiter.size, 2, 'A limiter says how many buckets it remembers.', about);
    },
  },
  {
    what: 'Any text can be a key.',
    rules: [],
    check: (lesson) => {
      const what = 'Any text can be a key.';
      const rate = { burst: 1, perSecond: 1 };
      const limiter = limiterOf(lesson, rate);
      const cause = PLAIN_OBJECT;
      for (const key of ODD_KEYS) {
        for (const expected of [0, 1000]) {
          const about = aboutLimiter(limiter, rate, cause);
          const causeOfError = () => cause;
          equal(() => limiter.take(key, 1, START), expected, what, { ...about, causeOfError });
        }
      }
    },
  },
  {
    what: 'Two limiters have nothing to do with each other.',
    rules: [],
    check: (lesson) => {
      const what = 'Two limiters have nothing to do with each other.';
      const rate = { burst: 1, perSecond: 1 };
      const [one, other] = [limiterOf(lesson, rate), limiterOf(lesson, { ...rate, burst: 3 })];
      equal(() => one.take('a', 1, START), 0, what, aboutLimiter(one, rate));
      equal(() => other.take('a', 3, START), 0, what, aboutLimiter(other, { ...rate, burst: 3 }));
    },
  },
];

/** How many addresses somebody has who floods us, and how many buckets of full ones may be left. */
const FLOOD = 10_000;
const MOST_BUCKETS = 3_000;

/** When those come back who were limited, in milliseconds. */
const LATER_MS = 600_000;

/** What a limiter may keep of a flood, in bytes: it is more than a megabyte when it keeps all. */
const MOST_BYTES = 700_000;

/** How many keys are needed until what looks at all of them each time is slow on any machine. */
const MANY_KEYS = 20_000;

const MANY: readonly LimitScenario[] = [
  {
    what: 'Whoever has used up their tokens stays limited, however many others come.',
    rules: [],
    check: (lesson) => {
      const what = 'Whoever has used up their tokens stays limited, however many others come.';
      const rate = { burst: 3, perSecond: 0.001 };
      const limiter = attempt(() => new lesson.RateLimiter(rate), what);
      for (let i = 0; i < FLOOD; i++) limiter.take(`key ${i}`, 1 + (i % 3), START + i);
      const later = START + LATER_MS;
      for (let i = 0; i < FLOOD / 5; i++) limiter.take(`other ${i}`, 1, later);
      const forgotten: string[] = [];
      for (let i = 0; i < FLOOD; i++) {
        if (limiter.take(`key ${i}`, 3, later) === 0) forgotten.push(`key ${i}`);
      }
      if (forgotten.length === 0) return;
      fail(
        what,
        [
          ['the rate', show(rate)],
          ['the calls', `take with ${FLOOD} keys: a token, two, or all three`],
          [`${LATER_MS} ms later`, `take with ${FLOOD / 5} others, then 3 tokens for each key`],
          ['there were 3', `for ${count(forgotten.length, 'key')}: ${show(forgotten)}`],
          ['expected', 'for none, since not even one token has been added meanwhile'],
        ],
        'Only a bucket that is full may be forgotten. Otherwise, somebody with many keys frees themselves.',
      );
    },
  },
  {
    what: 'Buckets that are full again are forgotten.',
    rules: [180],
    check: (lesson) => {
      const rate = { burst: 2, perSecond: 10 };
      const limiter = attempt(() => new lesson.RateLimiter(rate), 'Make a limiter.');
      let most = 0;
      // A bucket is full again after 100 ms, so 100 of them are not.
      for (let i = 0; i < FLOOD; i++) {
        limiter.take(`key ${i}`, 1, START + i);
        most = Math.max(most, limiter.size);
      }
      if (most > 0 && most < MOST_BUCKETS) return;
      fail(
        'Buckets that are full again are forgotten.',
        [
          ['the rate', show(rate)],
          ['the calls', `take(key, 1, now) with ${FLOOD} keys, a millisecond each`],
          ['size, at most', `${most}`],
          ['expected', `less than ${MOST_BUCKETS}, since all but 100 of the buckets are full`],
        ],
        most === 0 ? undefined : 'A full bucket is no different from a new one. Look for them.',
      );
    },
  },
  {
    what: 'After a flood, its buckets are forgotten as well.',
    rules: [],
    check: (lesson) => {
      const what = 'After a flood, its buckets are forgotten as well.';
      const limiter = attempt(() => new lesson.RateLimiter({ burst: 2, perSecond: 10 }), what);
      for (let i = 0; i < FLOOD; i++) limiter.take(`flood ${i}`, 2, START);
      let [isOver, most] = [false, 0];
      for (let i = 0; i < 3 * FLOOD; i++) {
        limiter.take(`key ${i}`, 1, START + i);
        isOver ||= limiter.size < MOST_BUCKETS;
        if (isOver) most = Math.max(most, limiter.size);
      }
      if (isOver && most < MOST_BUCKETS) return;
      fail(
        what,
        [
          ['the calls', `take(key, 2, now) with ${FLOOD} keys at once`],
          ['then', `take(key, 1, now) with ${3 * FLOOD} others, a millisecond each`],
          isOver ? ['size, when it is over', `${most}`] : ['size', `${limiter.size}`],
          ['expected', `less than ${MOST_BUCKETS}, since all but 100 of the buckets are full`],
        ],
        isOver
          ? 'When to look next depends on how many were left, and not on how many there have ever been.'
          : 'When none can be forgotten, look again later.',
      );
    },
  },
  {
    what: 'What a limiter does not count takes no memory either.',
    rules: [],
    check: (lesson) => {
      const limiter = attempt(
        () => new lesson.RateLimiter({ burst: 2, perSecond: 10 }),
        'Make a limiter.',
      );
      const taken = memoryTaken(
        ({ heapUsed }) => heapUsed,
        MOST_BYTES,
        () => {
          for (let i = 0; i < FLOOD; i++) limiter.take(`key ${i}`, 1, START + i);
        },
      );
      limiter.take('at last', 1, START + FLOOD);
      if (taken < MOST_BYTES) return;
      fail('What a limiter does not count takes no memory either.', [
        ['the calls', `take(key, 1, now) with ${FLOOD} keys, a millisecond each`],
        ['memory', `${Math.round(taken / 1000)} kB`],
        ['expected', `less than ${MOST_BYTES / 1000} kB`],
      ]);
    },
  },
  {
    what: 'With many keys, a call costs the same.',
    rules: [],
    check: (lesson) => {
      const slow = outOfProportion(MANY_KEYS, () => {
        const limiter = attempt(
          () => new lesson.RateLimiter({ burst: 1, perSecond: 0.001 }),
          'Make a limiter.',
        );
        return (i) => limiter.take(`key ${i}`, 1, START + i);
      });
      if (!slow) return;
      const { done, ms, isGrowing } = slow;
      fail(
        'With many keys, a call costs the same.',
        [['the calls', `${done} of ${MANY_KEYS} keys took ${Math.round(ms)} ms`]],
        isGrowing
          ? 'Each call seems to look at all buckets. Do that seldom: when there are twice as many as were left the last time.'
          : undefined,
      );
    },
  },
];

/** Slots whose calls are told. */
class Counter {
  readonly #slots: Slots;
  readonly #most: number;
  readonly #told: string[] = [];
  #given = 0;

  constructor({ Slots }: Lesson, most: number) {
    this.#most = most;
    this.#slots = attempt(() => new Slots(most), 'Make slots.');
  }

  get facts(): Fact[] {
    return [
      ['slots of each key', `${this.#most}`],
      ['the calls', this.#told.join('; ')],
    ];
  }

  /** Takes a slot, and checks that there is one. Returns what gives it back. */
  take(key: string, what: string, cause?: string): () => void {
    const giveBack = this.#take(key, what, cause);
    const number = ++this.#given;
    if (typeof giveBack !== 'function') {
      const facts = [...this.facts, ['the last call returned', show(giveBack)] as const];
      fail(what, [...facts, ['expected', 'a function that gives the slot back']], cause);
    }
    return () => {
      this.#told.push(`give slot ${number} back`);
      attempt(giveBack as () => void, what, this.facts);
    };
  }

  /** Checks that there is no slot. */
  refuses(key: string, what: string, cause?: string): void {
    const giveBack = this.#take(key, what, cause);
    if (giveBack === undefined) return;
    const returned = typeof giveBack === 'function' ? 'a function: a slot' : show(giveBack);
    const facts = [...this.facts, ['the last call returned', returned] as const];
    fail(what, [...facts, ['expected', 'undefined']], cause);
  }

  #take(key: string, what: string, cause?: string): unknown {
    this.#told.push(`take(${show(key)})`);
    return attempt(() => this.#slots.take(key), what, this.facts, { causeOfError: () => cause });
  }

  /** Checks how many keys have a slot. */
  has(size: number, what: string): void {
    equal(() => this.#slots.size, size, what, { given: this.facts, label: 'size' });
  }
}

const COUNTED_ONCE =
  'What is refused is never given back. When it is counted, its key is locked out.';

const SLOTS: readonly LimitScenario[] = [
  {
    what: 'Each key has as many slots as there are, and no more.',
    rules: [],
    check: (lesson) => {
      const what = 'Each key has as many slots as there are, and no more.';
      const slots = new Counter(lesson, 2);
      slots.has(0, 'At first, no key has a slot.');
      slots.take('a', what);
      slots.take('a', what);
      slots.refuses('a', what);
      slots.take('b', what);
      slots.has(2, '`size` is how many keys have a slot.');
      new Counter(lesson, 0).refuses('a', 'Without slots, nobody gets one.');
    },
  },
  {
    what: 'A slot that is given back is free again.',
    rules: [],
    check: (lesson) => {
      const what = 'A slot that is given back is free again.';
      const slots = new Counter(lesson, 2);
      const giveBack = slots.take('a', what);
      slots.take('a', what);
      giveBack();
      slots.take('a', what);
      slots.refuses('a', what);
    },
  },
  {
    what: 'A key without slots is forgotten.',
    rules: [],
    check: (lesson) => {
      const slots = new Counter(lesson, 3);
      const back = ['a', 'b', 'a', 'c'].map((key) => slots.take(key, 'Take a slot.'));
      for (const [i, size] of [3, 2, 1, 0].entries()) {
        back[i]!();
        slots.has(size, 'A key without slots is forgotten, since there can be very many.');
      }
    },
  },
  {
    what: 'Whoever is refused takes no slot.',
    rules: [],
    check: (lesson) => {
      const what = 'Whoever is refused takes no slot.';
      const slots = new Counter(lesson, 1);
      const giveBack = slots.take('a', what);
      for (let i = 0; i < 5; i++) slots.refuses('a', what);
      giveBack();
      slots.take('a', what, COUNTED_ONCE)();
      slots.has(0, what);
    },
  },
  {
    what: 'A slot is given back once, however often that is called.',
    rules: [181],
    check: (lesson) => {
      const what = 'A slot is given back once, however often that is called.';
      const cause = 'The same slot was given back again, and that freed another one.';
      const slots = new Counter(lesson, 2);
      const first = slots.take('a', what);
      const second = slots.take('a', what);
      for (let i = 0; i < 3; i++) first();
      slots.has(1, what);
      slots.take('a', what);
      slots.refuses('a', what, cause);
      second();
      first();
      slots.take('a', what);
      slots.refuses('a', what, cause);
    },
  },
  {
    what: 'Any text can be a key of slots.',
    rules: [],
    check: (lesson) => {
      const what = 'Any text can be a key of slots.';
      const slots = new Counter(lesson, 1);
      for (const key of ODD_KEYS) {
        const giveBack = slots.take(key, what, PLAIN_OBJECT);
        slots.refuses(key, what, PLAIN_OBJECT);
        giveBack();
        slots.take(key, what, PLAIN_OBJECT)();
      }
      slots.has(0, what);
    },
  },
  {
    what: 'Slots of two counters have nothing to do with each other.',
    rules: [],
    check: (lesson) => {
      const what = 'Slots of two counters have nothing to do with each other.';
      const [one, other] = [new Counter(lesson, 1), new Counter(lesson, 1)];
      const giveBack = one.take('a', what);
      other.take('a', what);
      giveBack();
      other.refuses('a', what);
    },
  },
];

export const LIMITS: Scenarios = [
  ...TAKING,
  ...FULL,
  ...KEPT,
  ANY_BUCKET,
  ...FOR_EACH,
  ANY_LIMITER,
  ...MANY,
  ...SLOTS,
  ANY_SLOTS,
];

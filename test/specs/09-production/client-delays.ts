/** Step 7: when a client comes back, and when it does not. */
import { equal, fail } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import { generated } from '../../../shared/kit/generate.ts';
import { Tab } from './tab.ts';
import type { Lesson, Scenarios } from './tools.ts';

/** Where the delay does not double any more. */
const MANY_ATTEMPTS = 2000;

/** What the delay after the end of a connection is made of. */
interface Wait {
  /** The random number. */
  readonly share: number;
  /** How many attempts there were since the last `welcome`. Absent: none. */
  readonly attempt?: number;
  /** What `bye` has asked for, in milliseconds. Absent: nothing. */
  readonly byeMs?: number;
}

/** The end of a connection: the delay after it has to be this one, give or take a millisecond. */
function expectDelay(
  lesson: Lesson,
  tab: Tab,
  { share, attempt = 0, byeMs = 0 }: Wait,
  what: string,
  cause?: string,
  code = 1006,
): void {
  const delay = tab.session.closed(code);
  const most = longest(lesson, attempt);
  const ms = byeMs + share * most;
  if (typeof delay === 'number' && Math.abs(delay - ms) <= 1) return;
  const sum = `${byeMs > 0 ? `${byeMs} + ` : ''}${share} × ${most}`;
  fail(
    what,
    [
      ...tab.facts(),
      ['`random` gives', `${share}`],
      ['`closed` returned', show(delay)],
      ['expected', `${ms}, which is ${sum}`],
    ],
    cause,
  );
}

/** A session whose random numbers are all the same. */
const withShare = (lesson: Lesson, share: number) => new Tab(lesson, 'tab', () => share);

function opens(tab: Tab): void {
  tab.session.opened();
  tab.session.takeOutput();
}

const isWelcome = (tab: Tab) => tab.hears({ t: 'welcome', last: '5-6', gap: false });

/** The longest delay after so many attempts, in milliseconds. */
const longest = ({ BASE_DELAY_MS, MAX_DELAY_MS }: Lesson, attempt: number) =>
  Math.min(BASE_DELAY_MS * 2 ** attempt, MAX_DELAY_MS);

const DELAYS: Scenarios = [
  {
    what: 'The first delay is a random share of `BASE_DELAY_MS`.',
    rules: [133],
    check: (lesson) => {
      for (const share of [0.5, 0, 0.999]) {
        const tab = withShare(lesson, share);
        const what = 'The first delay is a random share of `BASE_DELAY_MS`, from 0 on.';
        const cause = 'All of it is random: those who were lost together come back apart.';
        expectDelay(lesson, tab, { share }, what, cause);
      }
    },
  },
  {
    what: 'The longest delay doubles with each attempt, up to `MAX_DELAY_MS`.',
    rules: [133, 173],
    check: (lesson) => {
      for (const share of [0.5, 0.125, 0]) {
        const tab = withShare(lesson, share);
        for (let attempt = 0; attempt < 9; attempt++) {
          const what = 'The longest delay doubles with each attempt, up to `MAX_DELAY_MS`.';
          expectDelay(lesson, tab, { share, attempt }, what);
        }
      }
    },
  },
  {
    what: 'However many attempts there are, no delay is longer.',
    rules: [173],
    check: (lesson) => {
      const tab = new Tab(lesson, 'tab', () => 0.5);
      for (let i = 0; i < MANY_ATTEMPTS; i++) {
        const delay = tab.session.closed(1006);
        const right = longest(lesson, i) / 2;
        if (delay === right) continue;
        fail('However many attempts there are, no delay is longer.', [
          ['attempts', `${i + 1}`],
          ['`random` gives', '0.5'],
          ['`closed` returned', show(delay)],
          ['expected', `${right}, which is 0.5 × ${longest(lesson, i)}`],
        ]);
      }
    },
  },
  {
    what: 'Each delay is drawn anew.',
    rules: [133],
    check: (lesson) => {
      const shares = [0.9, 0.1, 0.4, 0.7];
      let asked = 0;
      const tab = new Tab(lesson, 'tab', () => shares[asked++] ?? 0);
      for (const [attempt, share] of shares.entries()) {
        expectDelay(lesson, tab, { share, attempt }, 'Each delay is drawn anew.');
      }
    },
  },
  {
    what: 'Without another source, the delays of two clients differ.',
    rules: [133],
    check: (lesson) => {
      const delays = Array.from({ length: 20 }, () => new Tab(lesson).session.closed(1006) ?? -1);
      const isRight = delays.every((ms) => ms >= 0 && ms <= lesson.BASE_DELAY_MS);
      if (isRight && new Set(delays).size > 15) return;
      const cause = 'Clients that all come back after the same time come back together.';
      fail(
        'Without another source, the delays of two clients differ.',
        [['delays', show(delays)]],
        cause,
      );
    },
  },
  {
    what: 'Only `welcome` starts the count again, and not a connection that opens.',
    rules: [133, 173],
    check: (lesson) => {
      const tab = withShare(lesson, 0.5);
      const what = 'Only `welcome` starts the count again, and not a connection that opens.';
      const cause =
        'A server in trouble accepts, and falls again. All its clients would be back at once.';
      for (let attempt = 0; attempt < 7; attempt++) {
        if (attempt % 3 !== 2) opens(tab);
        if (attempt % 3 === 1) tab.hears({ t: 'bye', afterMs: 0 });
        const code = attempt % 2 ? 1006 : 1013;
        expectDelay(lesson, tab, { share: 0.5, attempt }, what, cause, code);
      }
      opens(tab);
      isWelcome(tab);
      for (let attempt = 0; attempt < 3; attempt++) {
        const again = 'After a `welcome`, the count starts again.';
        expectDelay(lesson, tab, { share: 0.5, attempt }, again);
      }
    },
  },
];

const BYE: Scenarios = [
  {
    what: 'What `bye` asks for comes before the delay.',
    rules: [133],
    check: (lesson) => {
      for (const afterMs of [0, 1, 5000, 20_000]) {
        for (const share of [0, 0.5]) {
          const tab = withShare(lesson, share);
          opens(tab);
          isWelcome(tab);
          tab.hears({ t: 'bye', afterMs });
          const what = 'What `bye` asks for comes before the delay.';
          const cause = 'If all came back exactly when the server said, they would come together.';
          expectDelay(lesson, tab, { share, byeMs: afterMs }, what, cause, 1012);
        }
      }
    },
  },
  {
    what: '`bye` is for one end: it does not count for the next.',
    rules: [133],
    check: (lesson) => {
      const tab = withShare(lesson, 0.5);
      opens(tab);
      isWelcome(tab);
      tab.hears({ t: 'bye', afterMs: 5000 });
      const before = '`bye` comes before the delay.';
      expectDelay(lesson, tab, { share: 0.5, byeMs: 5000 }, before, undefined, 1012);
      opens(tab);
      isWelcome(tab);
      const what = '`bye` is for one end: it does not count for the next.';
      expectDelay(lesson, tab, { share: 0.5 }, what);
    },
  },
  {
    what: 'Whatever `bye` asks for, no delay is longer than `MAX_DELAY_MS`.',
    rules: [173],
    check: (lesson) => {
      for (const afterMs of [lesson.MAX_DELAY_MS, 3_600_000, 1e12]) {
        const delays: unknown[] = [];
        for (const share of [0, 0.999]) {
          const tab = withShare(lesson, share);
          opens(tab);
          isWelcome(tab);
          tab.hears({ t: 'bye', afterMs });
          const delay = tab.session.closed(1012);
          const isRight = delay !== undefined && delay <= lesson.MAX_DELAY_MS && delay >= 10_000;
          const isDrawn = delay !== delays.at(-1);
          delays.push(delay);
          if (isRight && isDrawn) continue;
          const cause = isRight
            ? 'All wait equally long, and come back at once. Cut what `bye` asks for to `MAX_DELAY_MS` minus the longest delay, so that each random share still fits.'
            : 'A timer of more than 24 days fires at once, and nobody waits for hours.';
          const facts: Fact[] = [
            ...tab.facts(),
            ['`random` gives', `${share}`],
            ['`closed` returned', show(delay)],
            ['expected', `${lesson.MAX_DELAY_MS} at most, and not the same for 0 and for 0.999`],
          ];
          fail('Whatever `bye` asks for, no delay is longer than `MAX_DELAY_MS`.', facts, cause);
        }
      }
    },
  },
  {
    what: '`bye` is a hint: until the connection ends, all goes on.',
    rules: [],
    check: (lesson) => {
      const tab = Tab.welcome(lesson);
      tab.hears({ t: 'bye', afterMs: 100 });
      const what = 'After `bye`, the connection is still there.';
      const cid = tab.session.say('one');
      tab.expectSends([{ t: 'msg', cid, text: 'one' }], what);
      tab.hears({ t: 'ack', cid, id: '5-7' });
      tab.expectTells([{ type: 'sent', cid, id: '5-7' }], what);
      tab.hearsOf('5-7');
      tab.expectLast('5-7', what);
    },
  },
];

const CODES: Scenarios = [
  {
    what: 'What passes is worth another try: 1001, 1005, 1006, 1011–1015, 4000.',
    rules: [],
    check: (lesson) => {
      for (const code of [1006, 1001, 1005, 1011, 1012, 1013, 1014, 1015, 4000]) {
        const what = 'A server that goes away or has an accident may be back.';
        expectDelay(lesson, withShare(lesson, 0.5), { share: 0.5 }, what, undefined, code);
      }
    },
  },
  {
    what: 'What would happen again is final: 1000, 1002, 1003, 1007–1010, 4401 and 4403.',
    rules: [],
    check: (lesson) => {
      for (const code of [1000, 1002, 1003, 1007, 1008, 1009, 1010, 4401, 4403]) {
        const tab = Tab.welcome(lesson);
        // That it was about to leave changes nothing.
        if (code >= 4000) tab.hears({ t: 'bye', afterMs: 100 });
        const delay = tab.session.closed(code);
        equal(() => delay, undefined, 'Who is closed for a reason stays away.', {
          given: tab.facts(),
          label: '`closed` returned',
          cause: () => 'The next connection would end in the same way, again and again.',
        });
        tab.session.say('one');
        tab.expectSends([], 'Without a connection, there is nothing to send.');
      }
    },
  },
  {
    what: 'Whatever becomes of the connections, each delay is the one that follows from it.',
    rules: [133, 173],
    check: (lesson) =>
      generated(60, (choose) => {
        const share = choose.pick([0.5, 0.25, 0.75]);
        const tab = withShare(lesson, share);
        let attempt = 0;
        choose.list(12, () => {
          const [isOpen, isIn, hasBye] = [choose.oneIn(2), choose.oneIn(3), choose.oneIn(4)];
          let byeMs = 0;
          if (isOpen) opens(tab);
          if (isOpen && isIn) {
            isWelcome(tab);
            attempt = 0;
            if (hasBye) byeMs = choose.below(20_000);
            if (hasBye) tab.hears({ t: 'bye', afterMs: byeMs });
          }
          const what =
            'Whatever becomes of the connections, each delay is the one that follows from it.';
          const code = choose.pick([1006, 1001, 1012, 1013]);
          expectDelay(lesson, tab, { share, attempt, byeMs }, what, undefined, code);
          attempt++;
        });
      }),
  },
];

export const SESSION_DELAYS: Scenarios = [...DELAYS, ...BYE, ...CODES];

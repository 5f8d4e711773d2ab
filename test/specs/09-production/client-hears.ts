/** Step 7: what a client has seen, and what it drops. */
import { generated } from '../../../shared/kit/generate.ts';
import type { RoomEvent } from '../../../solutions/09-production/production.ts';
import { entryOf, shown, Tab } from './tab.ts';
import type { Scenarios } from './tools.ts';

const TWICE = 'What a client has seen already is dropped: it has an id up to `last`.';

const HEARING: Scenarios = [
  {
    what: 'What others say is told, in order, with all that is known of it.',
    rules: [],
    check: (lesson) => {
      const tab = Tab.welcome(lesson);
      tab.expectTells([], 'The first welcome tells nothing: nothing is missing.');
      tab.hearsOf('5-7', '5-8', '6-1');
      const what = 'What others say is told, in order, with all that is known of it.';
      tab.expectTells([shown('5-7'), shown('5-8'), shown('6-1')], what);
      tab.expectTells([], 'What was told is not told again.');
    },
  },
  {
    what: 'What it says itself is told like what others say.',
    rules: [],
    check: (lesson) => {
      const tab = Tab.welcome(lesson);
      const cid = tab.session.say('one');
      const entry = { id: '5-7', user: 'ann', cid, text: 'one' };
      tab.hears({ t: 'msg', ...entry }, { t: 'ack', cid, id: '5-7' });
      const right: RoomEvent[] = [
        { type: 'message', entry },
        { type: 'sent', cid, id: '5-7' },
      ];
      tab.expectTells(right, 'A message of our own is told where it is in the order of all.');
    },
  },
  {
    what: '`last` is that of the welcome, and then of each message.',
    rules: [],
    check: (lesson) => {
      const tab = Tab.welcome(lesson, '5-6');
      const what = '`last` is that of the welcome, and then of each message.';
      tab.expectLast('5-6', what);
      for (const id of ['5-7', '5-8', '7-1']) {
        tab.hearsOf(id);
        tab.expectLast(id, what);
      }
      tab.comesBack('7-1');
      tab.expectLast('7-1', what);
      tab.hearsOf('7-2');
      tab.session.closed(1006);
      tab.expectLast('7-2', 'What a connection has brought stays when it is lost.');
    },
  },
  {
    what: 'What it has seen already is dropped, on whatever connection.',
    rules: [192],
    check: (lesson) => {
      const tab = Tab.welcome(lesson);
      tab.hearsOf('5-7', '5-8', '5-8', '5-7', '5-9');
      const right = [shown('5-7'), shown('5-8'), shown('5-9')];
      tab.expectTells(right, 'What it has seen already is dropped.', TWICE);
      tab.comesBack('5-9');
      tab.hearsOf('5-8', '5-9', '5-10', '5-9', '5-10', '5-11');
      const more = [shown('5-10'), shown('5-11')];
      tab.expectTells(more, 'What it has seen already is dropped, on whatever connection.', TWICE);
      tab.expectLast('5-11', 'What is dropped does not put `last` back.');
    },
  },
  {
    what: 'Ids are compared as numbers.',
    rules: [],
    check: (lesson) => {
      const tab = Tab.welcome(lesson, '9-8');
      tab.hearsOf('9-9', '9-10', '9-9', '10-1', '9-100', '10-2');
      const right = [shown('9-9'), shown('9-10'), shown('10-1'), shown('10-2')];
      tab.expectTells(right, 'Ids are compared as numbers.', 'As text, 9-10 comes before 9-9.');
    },
  },
  {
    what: 'What was replayed counts as seen when the connection is lost again.',
    rules: [],
    check: (lesson) => {
      const tab = Tab.welcome(lesson, '5-6');
      for (const [last, id] of [
        ['5-6', '5-7'],
        ['5-7', '5-8'],
        ['5-8', '5-9'],
      ] as const) {
        tab.session.closed(1006);
        tab.session.opened();
        const hello = { t: 'hello', room: 'lobby', last };
        tab.expectSends([hello], 'What was replayed counts as seen.');
        tab.hears({ t: 'welcome', last, gap: false });
        tab.hearsOf(id);
      }
    },
  },
];

const GAPS: Scenarios = [
  {
    what: 'A gap in `welcome` is told before what follows it.',
    rules: [],
    check: (lesson) => {
      const tab = Tab.welcome(lesson);
      tab.hearsOf('5-7');
      tab.comesBack('5-90', true);
      tab.hearsOf('5-91');
      const right = [shown('5-7'), { type: 'gap' } as const, shown('5-91')];
      tab.expectTells(right, 'A gap in `welcome` is told before what follows it, once.');
      tab.comesBack('5-91');
      tab.expectTells([], 'A welcome without a gap tells nothing.');
    },
  },
  {
    what: 'A gap in the middle is told before what follows it.',
    rules: [],
    check: (lesson) => {
      const tab = Tab.welcome(lesson);
      tab.hearsOf('5-7');
      tab.hears({ t: 'gap', last: '5-90' });
      tab.expectLast('5-90', 'Behind a gap, its `last` counts.');
      tab.hearsOf('5-91');
      const right = [shown('5-7'), { type: 'gap' } as const, shown('5-91')];
      tab.expectTells(right, 'A gap in the middle is told before what follows it.');
    },
  },
  {
    what: 'Behind a gap, smaller ids are new ones.',
    rules: [],
    check: (lesson) => {
      const what = 'Behind a gap, smaller ids are new ones.';
      const cause =
        'The history has begun again. Its `last` counts, and not the greatest id so far.';
      for (const isWelcome of [true, false]) {
        const tab = Tab.welcome(lesson, '900-944');
        tab.hearsOf('900-945');
        if (isWelcome) tab.comesBack('7-0', true);
        else tab.hears({ t: 'gap', last: '7-0' });
        tab.expectLast('7-0', what, cause);
        tab.hearsOf('7-1', '7-2', '7-1');
        const right = [shown('900-945'), { type: 'gap' } as const, shown('7-1'), shown('7-2')];
        tab.expectTells(right, what, cause);
        tab.session.closed(1006);
        tab.session.opened();
        tab.expectSends([{ t: 'hello', room: 'lobby', last: '7-2' }], what, cause);
      }
    },
  },
  {
    what: 'Each gap is told.',
    rules: [],
    check: (lesson) => {
      const tab = Tab.welcome(lesson);
      tab.hears({ t: 'gap', last: '5-9' }, { t: 'gap', last: '5-20' });
      tab.comesBack('5-30', true);
      const gap = { type: 'gap' } as const;
      tab.expectTells([gap, gap, gap], 'Each gap is told.');
    },
  },
];

const ANY: Scenarios = [
  {
    what: 'Whatever comes, and on how many connections, each message is told once.',
    rules: [],
    check: (lesson) =>
      generated(100, (choose) => {
        const tab = Tab.welcome(lesson, '5-6');
        const right: RoomEvent[] = [];
        let last = 6;
        choose.list(20, () => {
          const number = Math.max(1, last - 3 + choose.below(8));
          if (choose.oneIn(5)) {
            const gap = choose.oneIn(2);
            // Another server can be behind this one, and have forgotten something.
            if (gap) last = number;
            tab.comesBack(`5-${last}`, gap);
            if (gap) right.push({ type: 'gap' });
          } else {
            tab.hears({ t: 'msg', ...entryOf(`5-${number}`) });
            if (number > last) right.push(shown(`5-${number}`));
            last = Math.max(last, number);
          }
        });
        const what = 'Whatever comes, and on how many connections, each message is told once.';
        tab.expectTells(right, what);
        tab.expectLast(`5-${last}`, what);
      }),
  },
];

export const CLIENT_HEARS: Scenarios = [...HEARING, ...GAPS, ...ANY];

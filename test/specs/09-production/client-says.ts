/** Step 7: what a client says, and says again until there is an ack. */
import { equal, fail } from '../../../shared/harness/check.ts';
import { show } from '../../../shared/harness/show.ts';
import { Tab } from './tab.ts';
import type { Scenarios } from './tools.ts';

const hello = { t: 'hello', room: 'lobby' };

/** What goes out for something that was said. */
const msg = (cid: string, text: string) => ({ t: 'msg', cid, text });

const ack = (cid: string, id: string) => ({ t: 'ack', cid, id }) as const;

const AGAIN = 'Until there is an ack, nobody knows whether it has arrived.';

const OPENING: Scenarios = [
  {
    what: 'The first that a session sends is `hello`, without a `last`.',
    rules: [],
    check: (lesson) => {
      const tab = new Tab(lesson);
      tab.expectSends([], 'Without a connection, there is nothing to send.');
      tab.session.opened();
      tab.expectSends([hello], 'The first that a session sends is `hello`, without a `last`.');
      tab.expectSends([], 'What has been taken is not there any more.');
      tab.expectLast(undefined, 'Who has never been welcome has seen nothing.');
    },
  },
  {
    what: 'Who comes back says in `hello` what it has seen last.',
    rules: [],
    check: (lesson) => {
      const tab = Tab.welcome(lesson, '5-6');
      tab.hearsOf('5-7', '5-8');
      tab.session.closed(1006);
      tab.session.opened();
      const what = 'Who comes back says in `hello` what it has seen last.';
      tab.expectSends([{ ...hello, last: '5-8' }], what);
    },
  },
  {
    what: 'Who leaves before the first message comes back with the `last` of its welcome.',
    rules: [],
    check: (lesson) => {
      const tab = Tab.welcome(lesson, '5-0');
      tab.session.closed(1006);
      tab.session.opened();
      const what = 'Who leaves before the first message comes back with the `last` of its welcome.';
      const cause = 'Without it, the server takes it for a new one, and it misses what was said.';
      tab.expectSends([{ ...hello, last: '5-0' }], what, cause);
    },
  },
];

const SAYING: Scenarios = [
  {
    what: 'What is said on a connection that is welcome goes out, in order.',
    rules: [],
    check: (lesson) => {
      const tab = Tab.welcome(lesson);
      const texts = ['one', '', 'a "quote"\n', '🦊', 'one'];
      const frames = texts.map((text) => msg(tab.session.say(text), text));
      tab.expectSends(
        frames,
        'What is said goes out, in order, under the `cid` that `say` returns.',
      );
      const cid = tab.session.say('more');
      tab.expectSends([msg(cid, 'more')], 'What has been taken is not sent again.');
    },
  },
  {
    what: 'What is said before `welcome` waits for it.',
    rules: [],
    check: (lesson) => {
      const what = 'What is said before `welcome` waits for it.';
      const cause =
        'Before `hello` a server refuses it, and before `welcome` nobody knows if it is one.';
      const tab = new Tab(lesson);
      const frames = [msg(tab.session.say('one'), 'one')];
      tab.expectSends([], what, cause);
      tab.session.opened();
      frames.push(msg(tab.session.say('two'), 'two'));
      tab.expectSends([hello], what, cause);
      frames.push(msg(tab.session.say('three'), 'three'));
      tab.expectSends([], what, cause);
      tab.hears({ t: 'welcome', last: '5-6', gap: false });
      tab.expectSends(frames, 'With `welcome`, all that was said goes out, in order.');
    },
  },
  {
    what: 'No two things have the same `cid`.',
    rules: [],
    check: (lesson) => {
      const names = ['tab', 'tab1', 'tab:1', 'tab11', '1', '11', ''];
      const said = new Map<string, string>();
      for (const name of names) {
        const tab = new Tab(lesson, name);
        for (let i = 1; i <= 120; i++) {
          const cid = tab.session.say('hi');
          const who = `number ${i} of '${name}'`;
          const other = said.get(cid);
          if (other !== undefined) {
            const cause = 'The server takes the second one for a repetition, and drops it.';
            const facts = [
              ['the same `cid`', show(cid)] as const,
              ['of', `${other}, and ${who}`] as const,
            ];
            fail('No two things have the same `cid`.', facts, cause);
          }
          said.set(cid, who);
        }
      }
    },
  },
  {
    what: 'A server takes a `cid` with a UUID in it.',
    rules: [],
    check: (lesson) => {
      const tab = Tab.welcome(lesson, '5-6', '123e4567-e89b-42d3-a456-426614174000');
      for (let i = 0; i < 1000; i++) {
        const cid = tab.session.say('hi');
        const what = 'A server takes a `cid` of 64 characters at most.';
        equal(() => typeof cid === 'string' && cid.length <= 64, true, what, {
          given: [['the `cid`', show(cid)]],
          label: 'it is short enough',
          inWords: true,
        });
      }
    },
  },
];

const ACKS: Scenarios = [
  {
    what: 'An ack ends it: it is told as sent, and waits no more.',
    rules: [],
    check: (lesson) => {
      const tab = Tab.welcome(lesson);
      const [one, two, three] = ['one', 'two', 'three'].map((text) => tab.session.say(text));
      const what = 'An ack ends it: it is told as sent, and waits no more.';
      tab.expectUnacked(['one', 'two', 'three'], 'What is said waits for its ack.', AGAIN);
      tab.hears(ack(one!, '5-7'));
      tab.expectUnacked(['two', 'three'], what);
      tab.hears(ack(three!, '5-8'));
      tab.expectUnacked(['two'], what);
      tab.hears(ack(two!, '5-9'));
      tab.expectUnacked([], what);
      const events = [
        { type: 'sent', cid: one!, id: '5-7' },
        { type: 'sent', cid: three!, id: '5-8' },
        { type: 'sent', cid: two!, id: '5-9' },
      ] as const;
      tab.expectTells(events, what);
    },
  },
  {
    what: 'The same text twice is two messages.',
    rules: [],
    check: (lesson) => {
      const tab = Tab.welcome(lesson);
      const [one, two] = [tab.session.say('yes'), tab.session.say('yes')];
      tab.expectSends([msg(one, 'yes'), msg(two, 'yes')], 'The same text twice is two messages.');
      tab.hears(ack(one, '5-7'));
      tab.expectUnacked(['yes'], 'One ack is for one of them.');
    },
  },
  {
    what: 'A second ack, or one for somebody else, is nothing new.',
    rules: [],
    check: (lesson) => {
      const tab = Tab.welcome(lesson);
      const one = tab.session.say('one');
      tab.session.say('two');
      tab.hears(ack(one, '5-7'), ack(one, '5-7'), ack('other:1', '5-8'));
      const what = 'A second ack, or one for somebody else, is nothing new.';
      tab.expectTells([{ type: 'sent', cid: one, id: '5-7' }], what);
      tab.expectUnacked(['two'], what);
    },
  },
  {
    what: 'An ack is no message: it says nothing of what was said before it.',
    rules: [],
    check: (lesson) => {
      const tab = Tab.welcome(lesson);
      const cid = tab.session.say('one');
      tab.hears(ack(cid, '5-9'));
      const cause = 'What others have said before it can still be on its way.';
      tab.expectLast('5-6', 'An ack does not change what has been seen.');
      tab.hearsOf('5-7', '5-8');
      const events = [{ type: 'sent', cid, id: '5-9' } as const];
      const message = (id: string) =>
        ({
          type: 'message',
          entry: { id, user: 'ben', cid: `b:${id}`, text: `text of ${id}` },
        }) as const;
      const right = [...events, message('5-7'), message('5-8')];
      tab.expectTells(right, 'What comes behind an ack is shown.', cause);
    },
  },
  {
    what: 'The list of what has no ack is the caller’s.',
    rules: [],
    check: (lesson) => {
      const tab = Tab.welcome(lesson);
      tab.session.say('one');
      const what = 'What is done with the list changes nothing.';
      try {
        (tab.session.unacked as string[]).length = 0;
      } catch {
        // It may be frozen.
      }
      tab.expectUnacked(['one'], what);
    },
  },
];

const REPEATING: Scenarios = [
  {
    what: 'On the next connection, what has no ack is said again, in order, each under its `cid`.',
    rules: [191],
    check: (lesson) => {
      const tab = Tab.welcome(lesson);
      const texts = ['one', 'two', 'three', 'four'];
      const frames = texts.map((text) => msg(tab.session.say(text), text));
      tab.session.takeOutput();
      tab.hears(ack(frames[1]!.cid, '5-7'));
      const left = [frames[0]!, frames[2]!, frames[3]!];
      for (let time = 0; time < 3; time++) {
        tab.comesBack('5-6');
        tab.expectSends(
          left,
          'On the next connection, what has no ack is said again, in order, each under its `cid`.',
          AGAIN,
        );
      }
      tab.hears(ack(frames[0]!.cid, '5-8'));
      left.shift();
      const cid = tab.session.say('five');
      tab.expectSends([msg(cid, 'five')], 'What has gone out on a connection does so once.');
      tab.comesBack('5-6');
      tab.expectSends([...left, msg(cid, 'five')], 'What was said last comes last.', AGAIN);
    },
  },
  {
    what: 'What was not taken from one connection goes out once on the next.',
    rules: [],
    check: (lesson) => {
      const tab = Tab.welcome(lesson);
      const frames = [msg(tab.session.say('one'), 'one')];
      tab.session.closed(1006);
      const what = 'What was to be sent on one connection is not sent on another one by itself.';
      tab.expectSends([], what);
      frames.push(msg(tab.session.say('two'), 'two'));
      tab.expectSends([], 'Without a connection, there is nothing to send.');
      tab.session.opened();
      tab.expectSends([{ ...hello, last: '5-6' }], '`hello` is the first on each connection.');
      tab.hears({ t: 'welcome', last: '5-6', gap: false });
      tab.expectSends(frames, 'With `welcome`, each goes out once.');
    },
  },
  {
    what: 'A connection that was never welcome loses nothing, however many there are.',
    rules: [],
    check: (lesson) => {
      const tab = new Tab(lesson);
      const frames = [msg(tab.session.say('one'), 'one')];
      for (let time = 0; time < 3; time++) {
        tab.session.opened();
        if (time > 0)
          tab.expectSends([hello], 'Each connection begins with `hello`, and that alone.');
        tab.session.closed(1013);
        tab.session.closed(1006);
        frames.push(msg(tab.session.say(`more ${time}`), `more ${time}`));
      }
      tab.session.opened();
      tab.expectSends([hello], 'Each connection begins with `hello`, and that alone.');
      tab.hears({ t: 'welcome', last: '5-6', gap: false });
      tab.expectSends(frames, 'With `welcome`, all that was said goes out, in order.');
    },
  },
  {
    what: 'Behind a gap, what has no ack is said again, too.',
    rules: [],
    check: (lesson) => {
      const tab = Tab.welcome(lesson);
      const frame = msg(tab.session.say('one'), 'one');
      tab.session.takeOutput();
      tab.comesBack('9-4', true);
      tab.expectSends([frame], 'Behind a gap, what has no ack is said again, too.', AGAIN);
    },
  },
  {
    what: 'No more than `MAX_UNACKED` are on their way at once.',
    rules: [],
    check: (lesson) => {
      const { MAX_UNACKED: most } = lesson;
      const tab = Tab.welcome(lesson);
      tab.session.closed(1006);
      const texts = Array.from({ length: 2 * most + 50 }, (_, i) => `m${i}`);
      const frames = texts.map((text) => msg(tab.session.say(text), text));
      const what = 'No more than `MAX_UNACKED` are on their way at once.';
      const cause =
        'Whoever says more gets 1008, which is final: what was said in a long tunnel would be lost.';
      for (let time = 0; time < 2; time++) {
        tab.comesBack('5-6');
        tab.expectSends(frames.slice(0, most), what, cause);
      }
      const more = tab.session.say('more');
      frames.push(msg(more, 'more'));
      tab.expectSends([], what, cause);
      for (let i = 0; i < frames.length; i++) {
        tab.hears(ack(frames[i]!.cid, `5-${7 + i}`));
        const next = frames[i + most];
        tab.expectSends(next ? [next] : [], 'With each ack, the next one goes out.');
      }
      tab.expectUnacked([], 'In the end, all have their ack.');
    },
  },
];

/** Comes last: whatever else is wrong is told better by the others. */
export const CLIENTS_APART: Scenarios = [
  {
    what: 'Two sessions share nothing.',
    rules: [],
    check: (lesson) => {
      const [one, two] = [Tab.welcome(lesson, '5-6', 'one'), Tab.welcome(lesson, '7-6', 'two')];
      const what = 'Two sessions share nothing.';
      const cid = one.session.say('of one');
      two.expectSends([], what);
      two.expectUnacked([], what);
      one.expectSends([msg(cid, 'of one')], what);
      two.hears(ack(cid, '7-7'));
      two.expectTells([], what);
      one.expectUnacked(['of one'], what);
      one.hearsOf('5-7');
      two.expectLast('7-6', what);
      two.expectTells([], what);
    },
  },
];

export const CLIENT_SAYS: Scenarios = [...OPENING, ...SAYING, ...ACKS, ...REPEATING];

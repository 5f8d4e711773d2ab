/** Step 6: when the bus fails, and when the client is gone. */
import { equal, fail } from '../../../shared/harness/check.ts';
import type { Bus } from '../../../solutions/09-production/production.ts';
import { Guest } from './guest.ts';
import { HandBus } from './hand-bus.ts';
import type { Scenarios } from './tools.ts';

const message = (cid: string) => ({ t: 'msg', cid, text: cid });

const LOST = 'What the bus does not answer is out of reach. With 1013, a client comes back later.';

const FAILING: Scenarios = [
  {
    what: 'When the bus fails while a client comes in, it is closed with 1013.',
    rules: [],
    async check(lesson) {
      for (const last of [undefined, '5-7', '4-4']) {
        for (let at = 0; ; at++) {
          const bus = new HandBus();
          bus.sayMany(3);
          const guest = new Guest(lesson, bus);
          await guest.hello(last);
          for (let i = 0; i < at; i++) await bus.answer();
          if (bus.pending.length === 0) break;
          await bus.reject();
          guest.expectClosed(
            'When the bus fails while a client comes in, it is closed with 1013.',
            LOST,
          );
        }
      }
    },
  },
  {
    what: 'When the bus fails while a client catches up, it is closed with 1013.',
    rules: [],
    async check(lesson) {
      const what = 'When the bus fails while a client catches up, it is closed with 1013.';
      for (const name of ['after', 'tip'] as const) {
        const bus = new HandBus();
        bus.sayMany(3);
        const guest = new Guest(lesson, bus);
        await guest.enters('5-7');
        if (name === 'tip') bus.restart(6);
        bus.lose();
        if (name === 'tip') await bus.answerTo('after');
        await bus.reject(name);
        guest.expectClosed(what, LOST);
      }
      const bus = new HandBus();
      const guest = new Guest(lesson, bus);
      await guest.enters();
      guest.isFull();
      bus.sayMany(3);
      await bus.answerAll();
      await guest.drains();
      await bus.reject('after');
      guest.expectClosed(what, LOST);
    },
  },
  {
    what: 'A message that the bus has lost gets no ack, and its client is closed with 1013.',
    rules: [],
    async check(lesson) {
      const bus = new HandBus();
      const guest = new Guest(lesson, bus);
      await guest.enters();
      await guest.says(message('tab:1'));
      await bus.reject('publish');
      await bus.answerAll();
      guest.expectAcks([], 'A message that the bus has lost gets no ack.');
      guest.expectClosed(
        'A message that the bus has lost gets no ack, and its client is closed with 1013.',
        LOST,
      );
    },
  },
  {
    what: 'Behind a message that the bus has lost, none is published.',
    rules: [],
    async check(lesson) {
      const bus = new HandBus();
      const guest = new Guest(lesson, bus);
      await guest.enters();
      for (const cid of ['tab:1', 'tab:2', 'tab:3', 'tab:4']) await guest.says(message(cid));
      await bus.answerTo('publish');
      await bus.reject('publish');
      await bus.answerAll();
      await guest.leaves();
      await bus.answerAll();
      equal(
        () => bus.room().all.map(({ cid }) => cid),
        ['tab:1'],
        'Nothing overtakes what is lost.',
        {
          given: guest.facts(),
          label: 'published',
          cause: () =>
            'The client says all again that has no ack, in order. What is in the history by then comes before it.',
        },
      );
    },
  },
  {
    what: 'A bus that fails for one client says nothing about the others.',
    rules: [],
    async check(lesson) {
      const bus = new HandBus();
      const [ann, ben] = [new Guest(lesson, bus, 'ann'), new Guest(lesson, bus, 'ben', 'ben')];
      for (const guest of [ann, ben]) await guest.enters();
      for (const guest of [ann, ben]) await guest.says(message('tab:1'));
      await bus.reject('publish');
      await ben.says(message('tab:2'));
      await bus.answerAll();
      ann.expectClosed('A client whose message is lost is closed with 1013.', LOST);
      const what = 'A bus that fails for one client says nothing about the others.';
      equal(() => ben.closes.length, 0, what, { given: ben.facts(), label: 'closed' });
      ben.expectAcks(
        [1, 2].map((i) => [`tab:${i}`, bus.room().all[i - 1]!.id] as const),
        what,
      );
      ben.expectWhole(what);
    },
  },
];

/** Checks that nobody is subscribed to a room. */
function expectNobody(bus: HandBus, what: string, cause: string): void {
  const { size } = bus.room().listeners;
  if (size > 0) fail(what, [...bus.facts(), ['subscriptions that are left', `${size}`]], cause);
}

const ENDING: Scenarios = [
  {
    what: 'When the connection has ended, the subscription ends.',
    rules: [],
    async check(lesson) {
      const bus = new HandBus();
      bus.sayMany(2);
      const guest = new Guest(lesson, bus);
      await guest.enters('5-7');
      const other = new Guest(lesson, bus, 'ben', 'ben');
      await other.enters();
      await guest.leaves();
      const { size } = bus.room().listeners;
      equal(() => size, 1, 'When the connection has ended, the subscription ends.', {
        given: bus.facts(),
        label: 'subscriptions, of two clients of which one has left',
      });
      bus.say();
      await bus.answerAll();
      other.expectWhole('Who stays in the room hears what is said.');
    },
  },
  {
    what: 'A connection that ends while something is awaited leaves no subscription.',
    rules: [],
    async check(lesson) {
      for (let at = 0; at < 6; at++) {
        const bus = new HandBus();
        bus.sayMany(250);
        const guest = new Guest(lesson, bus);
        await guest.hello('5-7');
        for (let i = 0; i < at; i++) await bus.answer();
        await guest.leaves();
        await bus.answerAll();
        bus.say();
        await bus.answerAll();
        const cause = 'What ends it comes with the answer of the bus, when the client is gone.';
        expectNobody(bus, 'Who is gone is in no room.', cause);
      }
    },
  },
  {
    what: 'A connection that ends before `hello`, or while it is refused, leaves nothing.',
    rules: [],
    async check(lesson) {
      const bus = new HandBus();
      const guest = new Guest(lesson, bus);
      await guest.leaves();
      const other = new Guest(lesson, bus);
      await other.hello();
      await bus.reject();
      await other.leaves();
      expectNobody(bus, 'Who is gone is in no room.', 'It has never come in.');
    },
  },
  {
    what: 'What a client has said before the end is still published.',
    rules: [],
    async check(lesson) {
      const what = 'What a client has said before the end is still published.';
      const cids = ['tab:1', 'tab:2', 'tab:3'];
      // Before `welcome`, and after it.
      for (const isIn of [false, true]) {
        const bus = new HandBus();
        const guest = new Guest(lesson, bus);
        await guest.hello();
        if (isIn) await bus.answerAll();
        for (const cid of cids) await guest.says(message(cid));
        await guest.leaves();
        await bus.answerAll();
        equal(() => bus.room().all.map(({ cid }) => cid), cids, what, {
          given: guest.facts(),
          label: 'published',
        });
      }
    },
  },
  {
    what: 'A client that is gone is asked for no more.',
    rules: [],
    async check(lesson) {
      const bus = new HandBus();
      bus.sayMany(900);
      const guest = new Guest(lesson, bus);
      await guest.hello('5-7');
      const isPage = ({ name, args }: { name: keyof Bus; args: readonly unknown[] }) =>
        name === 'after' && args[1] !== 1;
      for (let i = 0; i < 9 && !bus.pending.some(isPage); i++) await bus.answer();
      await guest.leaves();
      const before = bus.count('after');
      await bus.answerAll();
      const more = bus.count('after') - before;
      if (more <= 1) return;
      const cause = 'A client that is gone needs no more pages.';
      fail('Nobody reads the history for a client that is gone.', guest.facts(), cause);
    },
  },
];

export const SESSION_ENDS: Scenarios = [...FAILING, ...ENDING];

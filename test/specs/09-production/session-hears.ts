/** Step 6: what a client hears of its room, whenever it comes, and however slowly it reads. */
import { equal, fail } from '../../../shared/harness/check.ts';
import { Guest } from './guest.ts';
import { HandBus, LOOKS, type Look } from './hand-bus.ts';
import type { Lesson, Scenarios } from './tools.ts';

/** A bus in whose room so many things have been said. */
function busOf(count: number, look?: Look): HandBus {
  const bus = new HandBus(look);
  bus.sayMany(count);
  return bus;
}

/** Somebody who has come back, on a bus that delivers only when it is told to. */
async function onLateBus(lesson: Lesson, count = 2, last = '5-7'): Promise<Guest> {
  const bus = busOf(count);
  bus.isLate = true;
  const guest = new Guest(lesson, bus);
  await guest.enters(last);
  return guest;
}

/** The id of the message with this index. */
const idAt = (bus: HandBus, index: number) => bus.room().all.at(index)!.id;

const HOLE =
  'What is said while the bus is asked may be in no answer. Subscribe first, note what arrives while an answer is on its way, and ask for more until there is none.';
const TWICE = 'Two catch-ups at once send the same page. The one that is on has to go on instead.';

const COMING: Scenarios = [
  {
    what: 'Who comes for the first time is welcome at the tip.',
    rules: [],
    async check(lesson) {
      const bus = busOf(5);
      const guest = new Guest(lesson, bus);
      await guest.enters();
      const what = 'Who comes for the first time is welcome at the tip.';
      guest.expectWelcome(idAt(bus, -1), false, what, 'Without a `last`, nothing is missing.');
      guest.expectWhole(what);
    },
  },
  {
    what: 'In an empty room, too, `welcome` says where to go on from.',
    rules: [189],
    async check(lesson) {
      const bus = new HandBus();
      const guest = new Guest(lesson, bus);
      await guest.enters();
      const what = 'In an empty room, too, `welcome` says where to go on from.';
      guest.expectWelcome(bus.room().tip, false, what);
      bus.say();
      await bus.answerAll();
      guest.expectWhole('The first message of a room arrives.');
    },
  },
  {
    what: 'Who comes back gets all that was said behind `last`, in order.',
    rules: [],
    async check(lesson) {
      const bus = busOf(3);
      for (const last of [idAt(bus, 1), idAt(bus, 0), '5-6']) {
        const guest = new Guest(lesson, bus);
        await guest.enters(last);
        const what = 'Who comes back gets all that was said behind `last`.';
        guest.expectWelcome(last, false, 'Who comes back in time goes on where it was.');
        guest.expectWhole(what);
      }
    },
  },
  {
    what: 'Who comes back and has missed nothing is told of no gap.',
    rules: [],
    async check(lesson) {
      for (const count of [0, 3]) {
        const bus = busOf(count);
        const { tip } = bus.room();
        const guest = new Guest(lesson, bus);
        await guest.enters(tip);
        const cause = 'An empty list from the history says that nothing is missing.';
        guest.expectWelcome(
          tip,
          false,
          'Who comes back and has missed nothing is told of no gap.',
          cause,
        );
      }
    },
  },
  {
    what: 'Who comes back too late is told of a gap, and goes on from the tip.',
    rules: [],
    async check(lesson) {
      const bus = busOf(9);
      const last = idAt(bus, 1);
      bus.forget(5);
      const guest = new Guest(lesson, bus);
      await guest.enters(last);
      const what = 'Who comes back too late is told of a gap, and goes on from the tip.';
      guest.expectWelcome(idAt(bus, -1), true, what);
      bus.say();
      await bus.answerAll();
      guest.expectWhole(what);
    },
  },
  {
    what: 'A `last` of another history, or from the future, is a gap.',
    rules: [],
    async check(lesson) {
      for (const last of ['4-8', '6-1', '900-1', '5-99', '5-1']) {
        const bus = busOf(1);
        const guest = new Guest(lesson, bus);
        await guest.enters(last);
        const what = 'Whatever `last` is: when the history does not know it, it is a gap.';
        guest.expectWelcome(idAt(bus, -1), true, what, 'The history alone knows its ids.');
        bus.say();
        bus.say();
        await bus.answerAll();
        const cause =
          'From the gap on, the `last` of `welcome` counts, and not the one of `hello`.';
        guest.expectWhole('Behind a gap, all that is said arrives.', cause);
      }
    },
  },
  {
    what: 'What is said from then on arrives.',
    rules: [],
    async check(lesson) {
      for (const last of [undefined, '5-7']) {
        const bus = busOf(3);
        const guest = new Guest(lesson, bus);
        await guest.enters(last);
        for (let i = 0; i < 12; i++) {
          bus.say();
          await bus.answerAll();
        }
        bus.sayMany(3);
        await bus.answerAll();
        const cause = 'Ids are two numbers: as text, 5-10 would come before 5-9.';
        guest.expectWhole('What is said from then on arrives.', cause);
      }
    },
  },
  {
    what: 'What was said in one page and more arrives, page by page.',
    rules: [],
    async check(lesson) {
      const { PAGE_SIZE } = lesson;
      for (const count of [PAGE_SIZE - 1, PAGE_SIZE, PAGE_SIZE + 1, 2 * PAGE_SIZE + 50]) {
        const bus = busOf(count);
        const guest = new Guest(lesson, bus);
        await guest.enters('5-6');
        guest.expectWhole('What was missed arrives, however much it is.');
        const sizes = bus.calls.filter(({ name }) => name === 'after').map(({ args }) => args[1]);
        const isRight = (size: unknown) => Number(size) >= 1 && Number(size) <= PAGE_SIZE;
        if (sizes.every(isRight)) continue;
        fail('The bus is asked for `PAGE_SIZE` messages at most.', [
          ['PAGE_SIZE', `${PAGE_SIZE}`],
          ['it was asked for', sizes.join(', ')],
        ]);
      }
    },
  },
];

/** What a guest does not miss, at whatever moment that is said. */
async function interrupted(
  lesson: Lesson,
  look: Look,
  last: string | undefined,
  at: number,
  isBetween: boolean,
) {
  const bus = busOf(3, look);
  const guest = new Guest(lesson, bus);
  await guest.hello(last);
  for (let i = 0; i < at; i++) await bus.answer();
  // Either when an answer is there and nobody has heard of it, or when all have.
  if (isBetween) await bus.answer(() => bus.say('now'));
  else bus.say('now');
  await bus.answerAll();
  guest.expectWhole('What is said at any moment arrives, and once.', HOLE);
}

const MEANWHILE: Scenarios = [
  {
    what: 'What is said while a page is awaited is not lost.',
    rules: [],
    async check(lesson) {
      for (const look of LOOKS) {
        const bus = busOf(3, look);
        const guest = new Guest(lesson, bus);
        await guest.hello('5-7');
        for (let asked = 0; asked < 6 && bus.pending.length > 0; asked++) {
          bus.say();
          await bus.answer();
        }
        await bus.answerAll();
        guest.expectWhole('What is said while a page is awaited is not lost.', HOLE);
      }
    },
  },
  {
    what: 'What is said at any moment arrives, and once.',
    rules: [188],
    async check(lesson) {
      for (const look of LOOKS) {
        for (const last of [undefined, '5-6', '5-7', '4-4']) {
          for (let at = 0; at < 7; at++) {
            await interrupted(lesson, look, last, at, true);
            await interrupted(lesson, look, last, at, false);
          }
        }
      }
    },
  },
  {
    what: 'What the bus delivers late, and a page had already, arrives once.',
    rules: [],
    async check(lesson) {
      for (const isIn of [false, true]) {
        for (let at = 1; at < 6; at++) {
          const bus = busOf(3);
          bus.isLate = true;
          const guest = new Guest(lesson, bus);
          await guest.hello('5-7');
          for (let i = 0; i < at; i++) await bus.answer();
          bus.sayMany(4);
          await bus.answer();
          // While it still asks, or when it has had them all.
          if (isIn) await bus.answerAll();
          bus.deliver();
          await bus.answerAll();
          bus.say();
          bus.deliver();
          await bus.answerAll();
          const cause = 'What is delivered can have been in a page: each is sent once.';
          guest.expectWhole(
            'What the bus delivers late, and a page had already, arrives once.',
            cause,
          );
        }
      }
    },
  },
  {
    what: 'What the bus loses while a client comes in is not missed.',
    rules: [],
    async check(lesson) {
      for (const last of [undefined, '5-7']) {
        for (let at = 0; at < 6; at++) {
          const bus = busOf(3);
          const guest = new Guest(lesson, bus);
          await guest.hello(last);
          for (let i = 0; i < at; i++) await bus.answer();
          bus.isLate = true;
          bus.say();
          bus.lose();
          await bus.answerAll();
          const cause =
            'Before `welcome`, there is nothing to go on from. The history is asked then.';
          guest.expectWhole('What the bus loses while a client comes in is not missed.', cause);
        }
      }
    },
  },
];

const GAPS: Scenarios = [
  {
    what: 'What the bus may have lost is asked for: when it is all there, there is no gap.',
    rules: [],
    async check(lesson) {
      const guest = await onLateBus(lesson);
      const { bus } = guest;
      for (const count of [0, 1, 250]) {
        if (count > 0) bus.sayMany(count);
        bus.lose();
        await bus.answerAll();
      }
      bus.say();
      bus.deliver();
      await bus.answerAll();
      const cause =
        'With `undefined`, the bus says that something may be missing. The history knows.';
      guest.expectWhole('What was not delivered arrives from the history.', cause);
    },
  },
  {
    what: 'When the history has forgotten it, too, the client is told of a gap.',
    rules: [],
    async check(lesson) {
      const guest = await onLateBus(lesson);
      const { bus } = guest;
      bus.sayMany(5);
      bus.forget(5);
      bus.lose();
      await bus.answerAll();
      bus.say();
      bus.deliver();
      await bus.answerAll();
      const what = 'When the history has forgotten it, too, the client is told of a gap.';
      guest.expectWhole(what, 'A gap is told, and what is behind it goes on arriving.');
      equal(() => guest.of('gap').length, 1, what, { given: guest.facts(), label: 'gaps told of' });
    },
  },
  {
    what: 'One gap is told of once, however often the bus has lost something.',
    rules: [],
    async check(lesson) {
      const guest = await onLateBus(lesson);
      const { bus } = guest;
      bus.sayMany(5);
      bus.forget(5);
      for (let i = 0; i < 3; i++) {
        bus.lose();
        await bus.answer();
      }
      await bus.answerAll();
      const what = 'One gap is told of once, however often the bus has lost something.';
      equal(() => guest.of('gap').length, 1, what, {
        given: guest.facts(),
        label: 'gaps told of',
        cause: () =>
          'Two catch-ups at once see the same gap. The one that is on has to go on instead.',
      });
    },
  },
  {
    what: 'A history that begins again with smaller ids is a gap, and then goes on.',
    rules: [],
    async check(lesson) {
      for (const epoch of [3, 9]) {
        const bus = busOf(2);
        const guest = new Guest(lesson, bus);
        await guest.enters('5-7');
        bus.restart(epoch);
        bus.lose();
        await bus.answerAll();
        bus.sayMany(3);
        await bus.answerAll();
        const cause = 'The `last` of a gap counts from then on, also when it is a smaller one.';
        guest.expectWhole('Behind a gap, all that is said arrives.', cause);
      }
    },
  },
  {
    what: 'What is said while a gap is told of arrives behind it.',
    rules: [],
    async check(lesson) {
      for (const look of LOOKS) {
        for (let at = 0; at < 5; at++) {
          const bus = busOf(2, look);
          const guest = new Guest(lesson, bus);
          await guest.enters('5-7');
          bus.isLate = true;
          bus.sayMany(3);
          bus.forget(4);
          bus.lose();
          bus.isLate = false;
          for (let i = 0; i < at; i++) await bus.answer();
          bus.say();
          await bus.answerAll();
          guest.expectWhole('What is said while a gap is told of arrives behind it.', HOLE);
        }
      }
    },
  },
  {
    what: 'A history that forgets while it is read is a gap, too.',
    rules: [],
    async check(lesson) {
      for (const look of LOOKS) {
        for (let at = 0; at < 5; at++) {
          const bus = busOf(450, look);
          const guest = new Guest(lesson, bus);
          await guest.hello('5-7');
          for (let i = 0; i < at; i++) await bus.answer();
          bus.forget(448);
          await bus.answerAll();
          bus.say();
          await bus.answerAll();
          const cause = 'A page can be too late, though the one before was not.';
          guest.expectWhole('Who reads slower than the history forgets is told so.', cause);
        }
      }
    },
  },
  {
    what: 'Ids are compared as numbers.',
    rules: [],
    async check(lesson) {
      const guest = await onLateBus(lesson, 1, '5-6');
      const { bus } = guest;
      bus.sayMany(2);
      bus.deliver();
      bus.sayMany(95);
      bus.lose();
      await bus.answerAll();
      bus.sayMany(3);
      bus.deliver();
      await bus.answerAll();
      const cause = 'As text, 5-10 comes before 5-9, and 5-100 before 5-99.';
      guest.expectWhole('From 5-9 to 5-10, and from 5-99 to 5-100, nothing is lost.', cause);
    },
  },
];

const SLOW: Scenarios = [
  {
    what: 'A client without room is sent no messages, and later all of them.',
    rules: [],
    async check(lesson) {
      const bus = busOf(1);
      const guest = new Guest(lesson, bus);
      await guest.enters('5-7');
      guest.isFull();
      bus.sayMany(2 * lesson.PAGE_SIZE + 7);
      await bus.answerAll();
      const asked = bus.count('after');
      await guest.drains();
      await bus.answerAll();
      const what = 'When it has room, a slow client gets what it has missed.';
      guest.expectWhole(what);
      if (bus.count('after') === asked) {
        const cause =
          'What waits for slow clients in memory has no end. The history has it anyway.';
        fail('A slow client gets its messages from the history.', guest.facts(), cause);
      }
      bus.say();
      await bus.answerAll();
      guest.expectWhole('A client that was slow hears what comes.');
    },
  },
  {
    what: 'A client without room is sent no more of a page.',
    rules: [],
    async check(lesson) {
      const bus = busOf(450);
      const guest = new Guest(lesson, bus);
      guest.isFull();
      await guest.hello('5-6');
      for (let round = 0; round < 6; round++) {
        await bus.answerAll();
        await guest.drains();
        guest.isFull();
      }
      await guest.drains();
      await bus.answerAll();
      guest.expectWhole('A client that reads slowly gets all that it has missed.');
    },
  },
  {
    what: 'Room that comes while a page is awaited begins no second catch-up.',
    rules: [],
    async check(lesson) {
      for (const look of LOOKS) {
        const bus = busOf(450, look);
        const guest = new Guest(lesson, bus);
        await guest.enters('5-455');
        guest.isFull();
        bus.sayMany(300);
        for (let round = 0; round < 3; round++) {
          await guest.drains();
          guest.isFull();
          // While the page that this has asked for is awaited, an ack finds no room either.
          await guest.says({ t: 'msg', cid: `c${round}`, text: 'hi' });
          await bus.answerTo('publish');
          await guest.drains();
          await bus.answer();
          await bus.answer();
        }
        await guest.drains();
        await bus.answerAll();
        guest.expectWhole('What a slow client has missed arrives, once.', TWICE);
      }
    },
  },
  {
    what: 'Room that comes before `welcome`, or without need, changes nothing.',
    rules: [],
    async check(lesson) {
      const bus = busOf(3);
      const guest = new Guest(lesson, bus);
      const drained = () => {
        bus.story.push('the client: has room, and `drained` is called');
        guest.session.drained();
      };
      drained();
      await guest.hello('5-7');
      for (let i = 0; i < 4; i++) {
        drained();
        await bus.answer();
      }
      drained();
      drained();
      await bus.answerAll();
      bus.say();
      drained();
      await bus.answerAll();
      guest.expectWhole('Room changes nothing for a client that has had enough.', TWICE);
    },
  },
  {
    what: 'A client that has no room from its `welcome` on gets its messages later.',
    rules: [],
    async check(lesson) {
      const bus = busOf(4);
      const guest = new Guest(lesson, bus);
      guest.isFull();
      await guest.enters('5-7');
      bus.say();
      await bus.answerAll();
      await guest.drains();
      await bus.answerAll();
      guest.expectWhole('A client that has no room from its `welcome` on gets its messages later.');
    },
  },
  {
    what: 'What a slow client misses for good is a gap.',
    rules: [],
    async check(lesson) {
      const bus = busOf(4);
      const guest = new Guest(lesson, bus);
      await guest.enters('5-7');
      guest.isFull();
      bus.sayMany(20);
      bus.forget(15);
      await bus.answerAll();
      await guest.drains();
      await bus.answerAll();
      bus.say();
      await bus.answerAll();
      guest.expectWhole('What a slow client misses for good is a gap.');
    },
  },
  {
    what: 'What the bus may have lost, a slow client asks for when it has room.',
    rules: [],
    async check(lesson) {
      const bus = busOf(1);
      const guest = new Guest(lesson, bus);
      await guest.enters('5-7');
      bus.isLate = true;
      guest.isFull();
      bus.say();
      bus.deliver();
      bus.sayMany(3);
      bus.lose();
      await bus.answerAll();
      await guest.drains();
      await bus.answerAll();
      guest.expectWhole('What the bus may have lost, a slow client asks for when it has room.');
    },
  },
];

export const SESSION_HEARS: Scenarios = [...COMING, ...MEANWHILE, ...GAPS, ...SLOW];

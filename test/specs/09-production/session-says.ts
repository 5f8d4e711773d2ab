/** Step 6: what a client says in its room, and what it hears of that. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { attempt, equal, fail, failsWith } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import { CloseCode } from '../../../shared/protocol.ts';
import type { Said } from '../../../solutions/09-production/production.ts';
import { Guest } from './guest.ts';
import { HandBus, LOBBY, LOOKS } from './hand-bus.ts';
import type { Lesson, Scenarios } from './tools.ts';

const { PolicyViolation } = CloseCode;

const message = (cid: string, text = `text of ${cid}`) => ({ t: 'msg', cid, text });

/** A client that is in its room, and has heard all that there is. */
async function inside(lesson: Lesson, bus: HandBus, user = 'ann', room = LOBBY): Promise<Guest> {
  const guest = new Guest(lesson, bus, user, user === 'ann' ? 'the client' : user);
  await guest.enters(undefined, room);
  return guest;
}

/** What the bus was asked to publish. */
const published = ({ calls }: HandBus) =>
  calls.filter(({ name }) => name === 'publish').map(({ room, args }) => [room, args[0] as Said]);

/** Checks that something that a client says is refused, and that the bus hears nothing of it. */
function expectRefused(guest: Guest, said: string | object, what: string): void {
  const text = typeof said === 'string' ? said : JSON.stringify(said);
  const before = guest.bus.calls.length;
  failsWith(PolicyViolation, () => guest.session.receive(text), what, {
    given: [...guest.facts(), ['the client says', text]],
  });
  const asked = guest.bus.calls.slice(before).map(({ name }) => name);
  equal(() => asked, [], what, {
    given: guest.facts(),
    label: 'the bus was asked to',
    inWords: true,
  });
}

const SAYING: Scenarios = [
  {
    what: 'What a client says is published in its room, under its name.',
    rules: [],
    async check(lesson) {
      const bus = new HandBus();
      const guest = await inside(lesson, bus, 'ann', 'kitchen');
      await guest.says(message('tab:1', ' Hello,\n 🦊 '));
      const right = [['kitchen', { user: 'ann', cid: 'tab:1', text: ' Hello,\n 🦊 ' }]];
      equal(() => published(bus), right, 'What a client says is published in its room.', {
        given: guest.facts(),
        label: 'published',
      });
      await bus.answerAll();
      guest.expectWhole('A client hears what it says itself, with its id.');
    },
  },
  {
    what: 'Who has said it is known by the login, and not by the frame.',
    rules: [],
    async check(lesson) {
      const bus = new HandBus();
      const guest = await inside(lesson, bus);
      await guest.says({ ...message('tab:1'), user: 'ben', id: '9-9', room: 'kitchen' });
      await bus.answerAll();
      const [[room, said] = []] = published(bus);
      const facts = { given: guest.facts() };
      equal(() => [room, (said as Said).user], [LOBBY, 'ann'], 'Nobody speaks for another.', facts);
    },
  },
  {
    what: 'An ack says which message is in the history now, and its id.',
    rules: [],
    async check(lesson) {
      const bus = new HandBus();
      const guest = await inside(lesson, bus);
      await guest.says(message('tab:1'));
      const cause = 'Until the bus has resolved, it can still be lost.';
      if (guest.of('ack').length > 0) fail('An ack waits for the bus.', guest.facts(), cause);
      await bus.answerAll();
      const { id } = bus.room().all[0]!;
      guest.expectAcks(
        [['tab:1', id]],
        'An ack says which message is in the history now, and its id.',
      );
    },
  },
  {
    what: 'What is said again gets its first id, and is not heard again.',
    rules: [],
    async check(lesson) {
      const bus = new HandBus();
      const first = await inside(lesson, bus);
      await first.says(message('tab:1'));
      await first.says(message('tab:2'));
      await bus.answerAll();
      await first.leaves();
      const guest = await inside(lesson, bus);
      await guest.says(message('tab:1'));
      await guest.says(message('tab:2'));
      await guest.says(message('tab:3'));
      await bus.answerAll();
      const [one, two, three] = bus.room().all.map(({ id }) => id);
      const acks = [
        ['tab:1', one!],
        ['tab:2', two!],
        ['tab:3', three!],
      ] as const;
      guest.expectAcks(acks, 'What is said again gets its first id.');
      guest.expectWhole('What is said again is not heard again.');
    },
  },
  {
    what: 'Two users can use the same `cid`.',
    rules: [],
    async check(lesson) {
      const bus = new HandBus();
      const ann = await inside(lesson, bus, 'ann');
      const ben = await inside(lesson, bus, 'ben');
      await ann.says(message('tab:1', 'one'));
      await ben.says(message('tab:1', 'two'));
      await bus.answerAll();
      const what = 'A `cid` is its user’s own: somebody else’s is another message.';
      const [one, two] = bus.room().all.map(({ id }) => id);
      ann.expectAcks([['tab:1', one!]], what);
      ben.expectAcks([['tab:1', two!]], what);
      for (const guest of [ann, ben]) guest.expectWhole(what);
    },
  },
  {
    what: 'One message after the other goes to the bus: a late answer changes no order.',
    rules: [],
    async check(lesson) {
      for (const look of LOOKS) {
        const bus = new HandBus(look);
        const guest = await inside(lesson, bus);
        for (const cid of ['tab:1', 'tab:2', 'tab:3']) await guest.says(message(cid));
        const asked = bus.count('publish');
        if (asked !== 1) {
          const cause = 'A bus that is asked for two things at once can do the second one first.';
          const facts: Fact[] = [
            ...guest.facts(),
            ['asked to publish', `${asked} messages at once`],
          ];
          fail('A message is published when the one before it is in the history.', facts, cause);
        }
        await bus.answerAll();
        const acks = bus.room().all.map(({ cid, id }) => [cid, id] as const);
        equal(
          () => acks.map(([cid]) => cid),
          ['tab:1', 'tab:2', 'tab:3'],
          'In the order of saying.',
          {
            given: guest.facts(),
            label: 'published',
          },
        );
        guest.expectAcks(acks, 'Acks come in the order of what they are for.');
      }
    },
  },
  {
    what: '`welcome` is the first that a client hears, also when it says something at once.',
    rules: [],
    async check(lesson) {
      for (let first = 0; first < 2; first++) {
        const bus = new HandBus();
        bus.sayMany(2);
        const guest = new Guest(lesson, bus);
        await guest.hello('5-6');
        await guest.says(message('tab:1'));
        // The answer to that comes first, if it has been asked for.
        if (first === 0) await bus.answerTo('publish');
        await bus.answerAll();
        guest.expectWhole('`welcome` is the first that a client hears.');
        const { id } = bus.room().all[2]!;
        guest.expectAcks([['tab:1', id]], 'What is said before `welcome` is not lost.');
      }
    },
  },
  {
    what: 'A client that has no room gets its acks, too.',
    rules: [],
    async check(lesson) {
      const bus = new HandBus();
      const guest = await inside(lesson, bus);
      guest.isFull();
      for (const cid of ['tab:1', 'tab:2', 'tab:3']) await guest.says(message(cid));
      await bus.answerAll();
      await guest.drains();
      await bus.answerAll();
      const acks = bus.room().all.map(({ cid, id }) => [cid, id] as const);
      guest.expectAcks(acks, 'A client that has no room gets its acks, too.');
      guest.expectWhole('A client that had no room hears what it has said.');
    },
  },
  {
    what: 'A client hears its own message once, whatever comes first: the ack, or the message.',
    rules: [],
    async check(lesson) {
      for (const look of LOOKS) {
        const bus = new HandBus(look);
        const guest = await inside(lesson, bus);
        for (const cid of ['tab:1', 'tab:2']) await guest.says(message(cid));
        bus.say();
        await bus.answerAll();
        guest.expectWhole('A client hears its own message once.');
      }
    },
  },
];

const REFUSING: Scenarios = [
  {
    what: 'What is no message of this protocol is refused.',
    rules: [],
    async check(lesson) {
      const bus = new HandBus();
      const guest = new Guest(lesson, bus);
      const what = 'What is no message of this protocol is refused.';
      for (const text of ['hi', 'null', '{"t":"ping"}']) expectRefused(guest, text, what);
      await guest.enters();
      for (const text of ['hi', 'null', '{"t":"msg","cid":"a"}']) expectRefused(guest, text, what);
    },
  },
  {
    what: 'A message before `hello` is refused.',
    rules: [],
    async check(lesson) {
      const bus = new HandBus();
      const guest = new Guest(lesson, bus);
      expectRefused(guest, message('tab:1'), 'A message before `hello` has no room to go to.');
    },
  },
  {
    what: 'A second `hello` is refused, at any time.',
    rules: [],
    async check(lesson) {
      const what = 'A second `hello` is refused, at any time.';
      for (const room of [LOBBY, 'kitchen']) {
        const bus = new HandBus();
        bus.sayMany(2);
        const guest = new Guest(lesson, bus);
        await guest.hello('5-7');
        while (bus.pending.length > 0) {
          expectRefused(guest, { t: 'hello', room, last: '5-6' }, what);
          await bus.answer();
        }
        expectRefused(guest, { t: 'hello', room }, what);
        bus.say();
        await bus.answerAll();
        guest.expectWhole('A `hello` that was refused changes nothing.');
      }
    },
  },
  {
    what: 'So many messages can wait for the bus, and not one more.',
    rules: [],
    async check(lesson) {
      const { MAX_UNACKED } = lesson;
      const bus = new HandBus();
      const guest = await inside(lesson, bus);
      const say = (i: number) => guest.session.receive(JSON.stringify(message(`tab:${i}`)));
      const what = 'So many messages can wait for the bus, and not one more.';
      const given: Fact[] = [['MAX_UNACKED', `${MAX_UNACKED}`]];
      attempt(() => Array.from({ length: MAX_UNACKED }, (_, i) => say(i)), what, given);
      failsWith(PolicyViolation, () => say(MAX_UNACKED), what, {
        given: [...given, ['messages that wait', `${MAX_UNACKED}, and one more`]],
      });
    },
  },
  {
    what: 'A message that has its ack waits no more.',
    rules: [],
    async check(lesson) {
      const { MAX_UNACKED } = lesson;
      const bus = new HandBus();
      const guest = await inside(lesson, bus);
      const say = (i: number) => guest.session.receive(JSON.stringify(message(`tab:${i}`)));
      const what = 'A message that has its ack waits no more.';
      for (let i = 0; i < MAX_UNACKED; i++) say(i);
      await nextTurn();
      for (let i = 0; i < 2; i++) await bus.answerTo('publish');
      for (let i = 0; i < 2; i++) await guest.says(message(`more:${i}`));
      failsWith(PolicyViolation, () => say(MAX_UNACKED), what, {
        given: [
          ['messages that wait', `${MAX_UNACKED}, then two acks, and two more`],
          ['and then', 'one more'],
        ],
      });
    },
  },
  {
    what: 'Two clients do not wait in one line.',
    rules: [],
    async check(lesson) {
      const bus = new HandBus();
      const ann = await inside(lesson, bus, 'ann');
      const ben = await inside(lesson, bus, 'ben', 'kitchen');
      await ann.says(message('tab:1'));
      await ben.says(message('tab:1'));
      const rooms = bus.pending.map(({ room }) => room);
      equal(() => rooms, [LOBBY, 'kitchen'], 'One client does not wait for the bus of another.', {
        given: [['pending', show(rooms)]],
        label: 'the bus is asked for',
        inWords: true,
      });
      await bus.answerAll();
      for (const guest of [ann, ben]) guest.expectWhole('Two rooms share nothing.');
      equal(() => [ann.ids.length, ben.ids.length], [1, 1], 'Two rooms share nothing.', {
        given: bus.facts(),
        label: 'messages heard',
      });
    },
  },
];

export const SESSION_SAYS: Scenarios = [...SAYING, ...REFUSING];

/** Step 12: a server that can leave. */
import { attempt, equal } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import { fromClient } from '../../../shared/kit/frames.ts';
import { isForgotten } from '../../../shared/kit/memory.ts';
import { giveWay } from '../../../shared/kit/patience.ts';
import { until } from '../../../shared/kit/peer.ts';
import { Timers } from '../../../shared/kit/timers.ts';
import type { ChatServer } from '../../../solutions/09-production/production.ts';
import { Close, NORMAL } from '../05-server/core.ts';
import { settles, turns } from '../05-server/sockets.ts';
import { Chat, Chatter, inChat, SlowBus, story, watch } from './chats.ts';
import { delaysOf } from './delays.ts';
import { ROLLING } from './rolling.ts';
import type { Lesson, Scenarios } from './tools.ts';
import { Desk } from './visitors.ts';

const CLOSE_FIRST = '`leave` closes the gate first, and only then sends anybody away.';

/** Lets a server leave. */
function leave({ server }: Chat, spreadMs = 0) {
  const promise = attempt(() => server.leave(spreadMs), 'Leave.');
  return { promise, state: watch(promise) };
}

/** Lets a client answer the Close, and end TCP. */
function goes(chatter: Chatter): void {
  chatter.send(fromClient(Close, NORMAL));
  chatter.leave();
}

/** Waits until nobody is left, and the promise says so. */
async function isLeft({ state }: ReturnType<typeof leave>, given: readonly Fact[] = []) {
  await until(
    () => state.isOver || state.error !== undefined,
    'A server has left when all of its clients are gone.',
    () => given,
    'The promise of `leave` has to resolve.',
  );
  equal(() => state.error, undefined, 'To leave does not fail.', { given, label: 'rejected with' });
}

/** Lets a client session say what it has kept, and hear what it is told, until there is an ack for all. */
async function saysAll(
  session: InstanceType<Lesson['ClientSession']>,
  chatter: Chatter,
): Promise<void> {
  let told = 0;
  session.opened();
  while (session.unacked.length > 0) {
    const output = session.takeOutput();
    if (output.length > 0) chatter.say(...output);
    await settles(() => chatter.heard.length > told || chatter.closedWith !== 'nothing');
    const frames = chatter.frames.slice(told);
    if (frames.length === 0) break;
    told += frames.length;
    for (const frame of frames) session.receive(JSON.stringify(frame));
  }
}

const CHATTING: Scenarios = [
  {
    what: 'What somebody says comes to everybody, with their name.',
    rules: [],
    check: (lesson) =>
      inChat(lesson, {}, async (chat) => {
        const [anna, bert] = [await chat.enter('anna'), await chat.enter('bert')];
        anna.chat('a:1', 'Hello');
        await bert.hears('msg');
        await anna.hears('ack');
        const what = 'What somebody says comes to everybody, with their name.';
        const message = { t: 'msg', user: 'anna', cid: 'a:1', text: 'Hello' };
        const given: Fact[] = [['anna says', 'Hello'], ...story([anna, bert])];
        for (const { frames } of [anna, bert]) {
          const heard = () => frames.find(({ t }) => t === 'msg');
          equal(heard, message, what, { given, label: 'a client heard' });
        }
        equal(() => bert.told.includes('ack'), false, 'An `ack` is for who has said it.', {
          given,
        });
      }),
  },
  {
    what: 'A client that was offline for long says all that it has kept.',
    rules: [],
    waits: true,
    async check(lesson) {
      const { MAX_UNACKED } = lesson;
      const limits = {
        messages: { burst: MAX_UNACKED, perSecond: 10_000 },
        bytes: { burst: 100 * MAX_UNACKED, perSecond: 1_000_000 },
      };
      await inChat(lesson, limits, async (chat) => {
        const session = new lesson.ClientSession('r', 'tab');
        const texts = Array.from({ length: 2.5 * MAX_UNACKED }, (_, i) => `text ${i + 1}`);
        for (const text of texts) session.say(text);
        const chatter = chat.come('anna');
        await chatter.gets('101', 'Who shows who they are comes in.');
        await saysAll(session, chatter);
        const given: Fact[] = [
          ['`messages` and `bytes`', JSON.stringify(limits)],
          ['a `ClientSession` has kept', `${texts.length} texts`],
          ['the server sent', chatter.closedWith === 'nothing' ? 'no Close' : chatter.closedWith],
        ];
        const published = () => chat.bus.entries.map(({ text }) => text);
        equal(published, texts, 'A client that was offline for long says all that it has kept.', {
          given,
          label: 'published',
          cause: () =>
            'The gate reads no faster than the client may send, and closes nobody who waits for acks.',
        });
      });
    },
  },
  {
    what: 'Who does not speak this protocol is closed with 1008.',
    rules: [],
    check: (lesson) =>
      inChat(lesson, {}, async (chat) => {
        const anna = await chat.enter('anna');
        anna.say('Hello?');
        await anna.hears('1008');
      }),
  },
  {
    what: 'A client that is gone is in no room.',
    rules: [],
    check: (lesson) =>
      inChat(lesson, {}, async (chat) => {
        const [anna, bert] = [await chat.enter('anna'), await chat.enter('bert')];
        equal(() => chat.bus.listeners.size, 2, 'Each client listens to its room.', {
          label: 'listeners',
        });
        goes(anna);
        bert.reset();
        await settles(() => chat.bus.listeners.size === 0);
        equal(() => chat.bus.listeners.size, 0, 'A client that is gone is in no room.', {
          given: [['two clients', 'one closes, one resets']],
          label: 'listeners',
          cause: () => 'At the `close` event, the session has `ended`.',
        });
      }),
  },
  {
    what: 'A client that reads slowly gets all of it, when it reads.',
    rules: [],
    check: (lesson) =>
      inChat(lesson, {}, async (chat) => {
        const [slow, anna] = [await chat.enter('slow'), await chat.enter('anna')];
        slow.line.hold();
        const texts = Array.from({ length: 20 }, (_, i) => `${i}:`.padEnd(40_000, 'x'));
        for (const [i, text] of texts.entries()) anna.chat(`a:${i}`, text);
        await settles(() => anna.told.filter((type) => type === 'ack').length === 20);
        slow.line.release();
        const isMessage = (type: string) => type === 'msg';
        const got = () => slow.told.filter(isMessage).length;
        for (let i = 0; i < 40 && got() < 20; i++) {
          slow.line.release();
          await turns(2);
        }
        slow.line.takeOne();
        const begin = slow.frames.flatMap((frame) =>
          frame.t === 'msg' ? [frame.text.slice(0, frame.text.indexOf(':'))] : [],
        );
        const expected = texts.map((_, i) => `${i}`);
        equal(() => begin, expected, 'A client that reads slowly gets all of it, when it reads.', {
          given: [['20 messages', 'of 40,000 characters, while it did not read']],
          label: 'it got those that begin with',
          cause: () => 'At the `drain` event, the session has room again: `drained`.',
        });
      }),
  },
  {
    what: 'A user with two tabs has two sessions.',
    rules: [],
    check: (lesson) =>
      inChat(lesson, {}, async (chat) => {
        const what = 'A user with two tabs has two sessions.';
        const tabs = [await chat.enter('anna'), await chat.enter('anna')];
        for (const [i, tab] of tabs.entries()) tab.chat(`tab ${i + 1}:1`);
        await settles(() => tabs.every(({ told }) => told.length >= 4));
        const right = ['ack', 'msg', 'msg', 'welcome'];
        for (const { told } of tabs) {
          equal(() => told.toSorted(), right, what, {
            given: [['each tab', 'says something'], ...story(tabs)],
            label: 'one was told',
            inWords: true,
            cause: () => 'Remember sessions by their connection, and not by their user.',
          });
        }
      }),
  },
  {
    what: 'Who logs out of the gate leaves the chat.',
    rules: [],
    check: (lesson) =>
      inChat(lesson, {}, async (chat) => {
        const [anna, bert] = [await chat.enter('anna'), await chat.enter('bert')];
        chat.server.gate.logOut('anna');
        await anna.hears('4401');
        equal(() => bert.told, ['welcome'], 'Nobody else leaves.', {
          label: 'another was told',
          inWords: true,
        });
      }),
  },
];

/** Lets somebody come into a room and go, and returns nothing that keeps their socket. */
async function comesAndGoes(server: ChatServer): Promise<WeakRef<object>> {
  const chatter = new Chatter(server.gate, { target: '/?ticket=anna' });
  await chatter.gets('101', 'Who shows who they are comes in.');
  chatter.tell({ t: 'hello', room: 'r' });
  await chatter.hears('welcome');
  goes(chatter);
  await chatter.isGone('A client that closes is let go.');
  return new WeakRef(chatter.line);
}

const makeChat = (lesson: Lesson) => new Chat(lesson);

const SESSIONS: Scenarios = [
  {
    what: 'Nothing stays of a client that is gone.',
    rules: [],
    async check(lesson) {
      const { server } = makeChat(lesson);
      const socket = await comesAndGoes(server);
      const isGone = await isForgotten(socket);
      equal(() => isGone, true, 'Nothing stays of a client that is gone.', {
        given: [['connections', `${server.gate.connections.size}`]],
        label: 'its memory is given back',
        inWords: true,
        cause: () => 'At the `close` event, take its session out.',
      });
    },
  },
  {
    what: 'A session says `bye`, and resolves when all has its place in the history.',
    rules: [],
    async check({ ServerSession }) {
      const what = 'A session says `bye`, and resolves when all has its place in the history.';
      const sent: unknown[] = [];
      const peer = {
        send: (data: string | Uint8Array) => sent.push(JSON.parse(`${data}`)) > 0,
        close: () => {},
      };
      const bus = new SlowBus();
      const session = new ServerSession(peer, bus, 'anna');
      session.receive(JSON.stringify({ t: 'hello', room: 'r' }));
      await turns(2);
      bus.isSlow = true;
      for (const cid of ['1', '2']) session.receive(JSON.stringify({ t: 'msg', cid, text: cid }));
      const state = watch(attempt(() => session.leaves(250), 'Leave.'));
      await turns(2);
      const bye = { t: 'bye', afterMs: 250 };
      equal(() => sent.at(-1), bye, 'A session that leaves says `bye`, at once.', {
        label: 'sent',
      });
      for (const left of [2, 1]) {
        const given: Fact[] = [['messages without a place', `${left}`]];
        equal(() => state.isOver, false, what, { given, label: 'it has resolved', inWords: true });
        bus.letOn();
        await turns(3);
      }
      equal(() => state.isOver, true, what, {
        given: [['messages without a place', '0']],
        label: 'it has resolved',
        inWords: true,
      });
    },
  },
  {
    what: 'A session of somebody who is silent leaves at once.',
    rules: [],
    async check({ ServerSession }) {
      const peer = { send: () => true, close: () => {} };
      const session = new ServerSession(peer, new SlowBus(), 'anna');
      const state = watch(attempt(() => session.leaves(0), 'Leave.'));
      await turns(2);
      equal(() => state.isOver, true, 'A session of somebody who is silent leaves at once.', {
        given: [['the client', 'has said nothing, not even hello']],
        label: '`leaves` has resolved',
        inWords: true,
      });
    },
  },
];

const LEAVES: Scenarios = [
  {
    what: 'A server that leaves lets nobody in, and says so.',
    rules: [],
    async check(lesson) {
      const desk = new Desk();
      await inChat(lesson, { authenticate: desk.authenticate }, async (chat) => {
        const anna = chat.come('anna');
        const waiting = chat.come('bert');
        await desk.hasAsked(2, 'Who somebody is is asked.');
        desk.answer(0, { user: 'anna' });
        await anna.gets('101', 'Who shows who they are comes in.');
        equal(() => chat.server.isReady, true, 'A server is ready at first.', {
          label: '`isReady`',
        });
        leave(chat, 30);
        equal(() => chat.server.isReady, false, 'A server that leaves is not ready.', {
          given: [['the call', '`leave`, a moment ago']],
          label: '`isReady`',
        });
        const late = chat.come('carl');
        await late.gets('503', 'A server that leaves lets nobody in.', CLOSE_FIRST);
        equal(
          () => Number(late.header('Retry-After')) >= 1,
          true,
          'A 503 says when to come back.',
          {
            given: [['the response', late.response]],
            label: '`Retry-After` is a number of seconds',
            inWords: true,
          },
        );
        desk.answer(1, { user: 'bert' });
        await waiting.gets('503', 'Who waits when a server leaves is not let in, either.');
        await anna.hears('1012');
      });
    },
  },
  {
    what: 'Each client hears `bye`, and then a Close with 1012.',
    rules: [],
    check: (lesson) =>
      inChat(lesson, {}, async (chat) => {
        await chat.enter('anna');
        await chat.enter('bert');
        const silent = chat.come('carl');
        await silent.gets('101', 'Who shows who they are comes in.');
        const left = leave(chat);
        await Promise.all(chat.chatters.map((chatter) => chatter.hears('1012')));
        const what = 'Each client hears `bye`, and then a Close with 1012.';
        const given = story(chat.chatters);
        for (const chatter of chat.chatters) {
          equal(() => chatter.told.slice(-2), ['bye', '1012'], what, {
            given,
            label: 'the last two',
            inWords: true,
          });
          const byes = chatter.frames.filter(({ t }) => t === 'bye').length;
          equal(() => byes, 1, 'It hears `bye` once.', { given, label: '`bye` frames' });
        }
        equal(
          () => left.state.isOver,
          false,
          'A server has left when all of its clients are gone.',
          {
            given: [...given, ['the clients', 'have not answered the Close']],
            label: 'it has left',
            inWords: true,
          },
        );
        for (const chatter of chat.chatters) goes(chatter);
        await isLeft(left, given);
      }),
  },
  {
    what: 'What somebody has said gets its `ack` before the Close.',
    rules: [201],
    check: (lesson) =>
      inChat(lesson, {}, async (chat) => {
        const [anna, bert] = [await chat.enter('anna'), await chat.enter('bert')];
        chat.bus.isSlow = true;
        anna.chat('a:1');
        anna.chat('a:2');
        await settles(() => chat.bus.waiting.length > 0);
        const left = leave(chat);
        await bert.hears('1012');
        await turns(5);
        const early = 'What somebody has said gets its `ack` before the Close.';
        const given = (): Fact[] => [
          ['two messages', 'have no place in the history yet'],
          ...story([anna, bert]),
        ];
        equal(() => anna.told, ['welcome', 'bye'], early, {
          given: given(),
          label: 'it was told',
          inWords: true,
        });
        chat.bus.isSlow = false;
        chat.bus.letOn();
        await anna.hears('1012');
        const acks = anna.told.filter((type) => type === 'ack').length;
        equal(() => [acks, anna.told.at(-1)], [2, '1012'], early, {
          given: story([anna]),
          label: '`ack` frames, and the last',
          inWords: true,
        });
        for (const chatter of [anna, bert]) goes(chatter);
        await isLeft(left, given());
      }),
  },
  {
    what: 'A server that leaves does not wait for ever, and nobody waits for somebody else.',
    rules: [],
    waits: true,
    check: (lesson) =>
      inChat(lesson, { settleMs: 40 }, async (chat) => {
        const [anna, bert] = [await chat.enter('anna'), await chat.enter('bert')];
        chat.bus.isSlow = true;
        anna.chat('a:1');
        await settles(() => chat.bus.waiting.length > 0);
        const left = leave(chat);
        await bert.hears('1012');
        await turns(2);
        await until(
          () => anna.told.includes('1012'),
          'A server that leaves does not wait for ever.',
          () => [
            ['settleMs', '40'],
            ['the history', 'never answers'],
            ...story([anna]),
            ...('error' in left.state
              ? [['`leave` rejected with', show(left.state.error)] as const]
              : []),
          ],
          'After `settleMs`, the client is closed: it says the rest again elsewhere.',
        );
        for (const chatter of [anna, bert]) goes(chatter);
        await isLeft(left);
      }),
  },
  {
    what: 'Nobody waits for the messages of somebody else.',
    rules: [],
    check: (lesson) =>
      inChat(lesson, { settleMs: 600_000 }, async (chat) => {
        const anna = await chat.enter('anna');
        const others = [await chat.enter('bert'), await chat.enter('carl')];
        chat.bus.isSlow = true;
        anna.chat('a:1');
        await settles(() => chat.bus.waiting.length > 0);
        const left = leave(chat, 3);
        await settles(() => others.every(({ told }) => told.includes('1012')));
        equal(
          () => others.map(({ told }) => told.at(-1)),
          ['1012', '1012'],
          'Nobody waits for the messages of somebody else.',
          {
            given: [
              ['client 1', 'waits for an `ack`'],
              ['`spreadMs`', '3'],
              ...story(chat.chatters),
            ],
            label: 'the others were told',
            inWords: true,
            cause: () => 'Their times are those of the spread. Let each wait for itself.',
          },
        );
        chat.bus.letOn();
        await anna.hears('1012');
        for (const chatter of chat.chatters) goes(chatter);
        await isLeft(left);
      }),
  },
  {
    what: 'Without `settleMs`, it is `SETTLE_MS`, and no timer is left.',
    rules: [],
    check: (lesson) =>
      inChat(lesson, {}, async (chat) => {
        const anna = await chat.enter('anna');
        chat.bus.isSlow = true;
        anna.chat('a:1');
        await settles(() => chat.bus.waiting.length > 0);
        const timers = new Timers();
        let left: ReturnType<typeof leave> | undefined;
        const delays = await delaysOf(async () => {
          left = timers.run(() => leave(chat));
          await giveWay(5);
        });
        const what = 'Without `settleMs`, it is `SETTLE_MS`, and no timer is left.';
        equal(() => delays.includes(lesson.SETTLE_MS), true, what, {
          given: [['timers that were set', `${delays.join(', ')} ms`]],
          label: `one of ${lesson.SETTLE_MS} ms`,
          inWords: true,
        });
        chat.bus.letOn();
        await anna.hears('1012');
        goes(anna);
        if (left) await isLeft(left);
        const running = await timers.describe();
        timers.stop();
        equal(() => running, 'none', what, {
          given: [['a client', 'got its `ack` in time']],
          label: 'timers left',
          inWords: true,
          cause: () => 'A timer that nobody stops keeps the process alive.',
        });
      }),
  },
  {
    what: 'Clients are sent away one after the other, within `spreadMs`.',
    rules: [],
    waits: true,
    check: (lesson) =>
      inChat(lesson, {}, async (chat) => {
        for (let i = 0; i < 8; i++) await chat.enter(`user${i}`);
        const closed = () => chat.chatters.filter(({ told }) => told.includes('1012')).length;
        const spreadMs = 120;
        const left = leave(chat, spreadMs);
        // Timers fire in the order of their times, however busy the machine is.
        const closedAfter = (ms: number) =>
          new Promise<number>((tell) => {
            setTimeout(async () => {
              await turns(ms > spreadMs ? 5 : 0);
              tell(closed());
            }, ms);
          });
        const times = [spreadMs / 8, (spreadMs * 7) / 8, spreadMs + 20];
        const [early = 0, middle = 0, late = 0] = await Promise.all(times.map(closedAfter));
        const given: Fact[] = [
          ['clients', '8'],
          ['`spreadMs`', `${spreadMs}`],
          ...[early, middle, late].map(
            (count, i): Fact => [`after ${times[i]} ms`, `${count} closed`],
          ),
        ];
        const what = 'Clients are sent away one after the other, within `spreadMs`.';
        equal(() => early <= 5 && middle >= 2, true, what, {
          given,
          label: 'spread over the time',
          inWords: true,
          cause: () => 'Those who are sent away at once come back at once.',
        });
        equal(() => late, 8, what, { given, label: 'closed' });
        for (const chatter of chat.chatters) goes(chatter);
        await isLeft(left);
      }),
  },
  {
    what: 'Until its turn, a client is served as before.',
    rules: [],
    waits: true,
    check: (lesson) =>
      inChat(lesson, {}, async (chat) => {
        const chatters: Chatter[] = [];
        for (let i = 0; i < 4; i++) chatters.push(await chat.enter(`user${i}`));
        const left = leave(chat, 200);
        await settles(() => chatters.some(({ told }) => told.includes('bye')));
        const others = chatters.filter(({ told }) => !told.includes('bye'));
        const [speaker, ...rest] = others;
        if (speaker && rest.length > 0) {
          speaker.chat('late');
          await turns(3);
          const given: Fact[] = [['`leave(200)`', 'has begun'], ...story(chatters)];
          const what = 'Until its turn, a client is served as before.';
          const sorted = () => speaker.told.toSorted();
          equal(sorted, ['ack', 'msg', 'welcome'], what, {
            given,
            label: 'it was told',
            inWords: true,
          });
        }
        for (const chatter of chatters) chatter.reset();
        await isLeft(left);
      }),
  },
  {
    what: 'A client that does not respond is dropped.',
    rules: [],
    waits: true,
    check: (lesson) =>
      inChat(lesson, { closeTimeoutMs: 30 }, async (chat) => {
        const anna = await chat.enter('anna');
        const left = leave(chat);
        await anna.hears('1012');
        await isLeft(left, [
          ['closeTimeoutMs', '30'],
          ['a client', 'does not answer the Close'],
        ]);
        equal(() => anna.line.destroyed, true, 'A client that does not respond is dropped.', {
          label: 'its socket is destroyed',
          inWords: true,
        });
      }),
  },
  {
    what: 'Clients that go by themselves, or whose messages are out of reach, are no obstacle.',
    rules: [],
    waits: true,
    check: (lesson) =>
      inChat(lesson, {}, async (chat) => {
        const [gone, going, broken] = [
          await chat.enter('gone'),
          await chat.enter('going'),
          await chat.enter('broken'),
        ];
        chat.bus.isSlow = true;
        broken.chat('b:1');
        going.chat('g:1');
        await settles(() => chat.bus.waiting.length === 2);
        const left = leave(chat, 30);
        gone.reset();
        going.reset();
        chat.bus.isBroken = true;
        chat.bus.letOn();
        await settles(() => broken.closedWith !== 'nothing');
        goes(broken);
        await isLeft(left, story(chat.chatters));
      }),
  },
  {
    what: 'A second `leave` returns the same promise.',
    rules: [],
    check: (lesson) =>
      inChat(lesson, {}, async (chat) => {
        const anna = await chat.enter('anna');
        const left = leave(chat);
        const isSame = () => chat.server.leave(500) === left.promise;
        const what = 'A second `leave` returns the same promise.';
        equal(isSame, true, what, {
          given: [['the first', 'is still on']],
          label: 'it is the same',
          inWords: true,
        });
        await anna.hears('1012');
        goes(anna);
        await isLeft(left);
        equal(isSame, true, what, {
          given: [['the first', 'is over']],
          label: 'it is the same',
          inWords: true,
        });
        await chat.come('bert').gets('503', 'A server that has left lets nobody in.');
        equal(() => chat.server.isReady, false, 'A server that has left is not ready.', {
          label: '`isReady`',
        });
      }),
  },
  {
    what: 'A server that nobody is connected to leaves at once.',
    rules: [],
    check: (lesson) =>
      inChat(lesson, {}, async (chat) => {
        const left = leave(chat, 600_000);
        await turns(5);
        equal(
          () => left.state.isOver,
          true,
          'A server that nobody is connected to leaves at once.',
          {
            given: [['the call', '`leave(600_000)`']],
            label: 'it has left',
            inWords: true,
          },
        );
      }),
  },
  {
    what: 'Another server on the same bus stays.',
    rules: [],
    async check(lesson: Lesson) {
      await inChat(lesson, {}, async (chat) => {
        const other = new Chat(lesson, {}, chat.bus);
        const [anna, bert] = [await chat.enter('anna'), await other.enter('bert')];
        const left = leave(chat);
        await anna.hears('1012');
        goes(anna);
        await isLeft(left);
        bert.chat('b:1');
        await bert.hears('ack');
        equal(() => other.server.isReady, true, 'Another server on the same bus stays.', {
          label: '`isReady`',
        });
        await other.end();
      });
    },
  },
];

export const LEAVING: Scenarios = [...CHATTING, ...SESSIONS, ...LEAVES, ...ROLLING];

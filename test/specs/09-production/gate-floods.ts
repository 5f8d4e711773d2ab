/** Step 8: how much somebody says who has come in. */
import { equal } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import { closeBody, fromClient, join } from '../../../shared/kit/frames.ts';
import { giveWay } from '../../../shared/kit/patience.ts';
import { until } from '../../../shared/kit/peer.ts';
import type { GateOptions } from '../../../solutions/09-production/production.ts';
import { Binary, Close, Ping, Text } from '../05-server/core.ts';
import { settles, turns } from '../05-server/sockets.ts';
import type { Lesson, Scenarios } from './tools.ts';
import { atGate, everybody, expectIdle, OPEN, times, Visitor } from './visitors.ts';

/** Checks that nothing is handled that a client says after too much. */
async function hearsNoMore(visitor: Visitor, heard: () => number, given: readonly Fact[]) {
  const before = heard();
  visitor.send(fromClient(Text, ''), fromClient(Binary, 'x'));
  await turns(3);
  visitor.say('more');
  await turns(3);
  equal(heard, before, 'Nothing more of such a client is handled.', {
    given: [...given, ['after it', 'two short messages more, and another']],
    label: 'messages',
    cause: () =>
      'Neither the message that was too much, nor any behind it, until the socket is closed.',
  });
}

const LOCKED_OUT =
  'A client that was offline says all it has kept within moments, and 1008 is final: it would never come back.';
const IN_VAIN = 'A timer has to look again when there are tokens: nothing else will happen.';

/** What a client says, and which of that is handled at once, which later, and which is too much. */
interface Flood {
  readonly what: string;
  readonly limit: Partial<GateOptions>;
  readonly atOnce: readonly Uint8Array[];
  readonly early: readonly Uint8Array[];
  readonly tooMuch: Uint8Array;
}

/** Checks that what is too early waits, and that a client with more than that is closed with 1008. */
async function floods(lesson: Lesson, flood: Flood): Promise<void> {
  const { what, limit, atOnce, early, tooMuch } = flood;
  await atGate(lesson, limit, async (entrance) => {
    const isMessage = ({ event }: { event: { type: string } }) =>
      event.type === 'text' || event.type === 'binary';
    const heard = () => entrance.heard.filter(isMessage).length;
    const given: Fact[] = [
      ['limit', JSON.stringify(limit)],
      ['the client', `${what}, in one read`],
    ];
    const label = 'messages handled, and the Close';
    const patient = await entrance.open();
    patient.send(...atOnce, ...early);
    await settles(() => heard() >= atOnce.length);
    await turns(3);
    const state = () => [heard(), patient.closedWith];
    equal(state, [atOnce.length, 'nothing'], 'What a client says too fast waits.', {
      given: [...given, ['so far', 'all but its last message']],
      label,
      cause: () => (patient.closedWith === 'nothing' ? undefined : LOCKED_OUT),
      inWords: true,
    });
    const visitor = await entrance.open();
    visitor.send(...atOnce, ...early, tooMuch);
    await settles(() => visitor.closedWith !== 'nothing');
    const waits = 'When more waits than a bucket can hold, a client is closed with 1008.';
    equal(() => visitor.closedWith, 'a Close with 1008', waits, {
      given,
      label: 'the server sent',
      inWords: true,
    });
    const handled = 2 * atOnce.length;
    equal(heard, handled, 'What a client says too fast waits.', { given, label: 'handled' });
    await hearsNoMore(visitor, heard, given);
    visitor.send(fromClient(Close, closeBody(1008)));
    visitor.leave();
    await until(
      () => entrance.events('close').length > 0,
      'The end of such a connection is told.',
      () => [['the events', entrance.heard.map(({ event }) => event.type).join(', ')]],
      'A socket that stays paused never says that its client has ended.',
    );
    equal(heard, handled, 'Nothing more of such a client is handled.', {
      given,
      label: 'messages, also when it is gone',
      cause: () => 'What waits is dropped together with what was too much.',
    });
  });
}

/** Checks that a client that says ten bytes again and again is heard, no faster than it may be. */
async function isPaced(lesson: Lesson, limit: Partial<GateOptions>): Promise<void> {
  await atGate(lesson, limit, async (entrance) => {
    const visitor = await entrance.open();
    const startedAt = performance.now();
    const texts = Array.from('abcdefghij', (letter) => letter.repeat(10));
    visitor.say(...texts);
    const given: Fact[] = [
      ['limit', JSON.stringify(limit)],
      ['the client', 'says 10 messages of 10 bytes, in one read'],
    ];
    await until(
      () => entrance.texts.length >= texts.length,
      'What waits is handled when there are tokens for it.',
      () => [
        ...given,
        ['it was closed with', visitor.closedWith],
        ['handled', show(entrance.texts)],
      ],
      IN_VAIN,
    );
    equal(() => entrance.texts, texts, 'What waits is not lost, and stays in order.', {
      given,
      label: 'the application heard',
    });
    // Five at once, and 80 ms for each of the others. A clock may be coarse.
    const ms = performance.now() - startedAt;
    equal(() => ms >= 5 * 80 - 5, true, 'No more is handled than there are tokens for.', {
      given: [...given, ['took', `${ms.toFixed(0)} ms: 400 ms at least would be right`]],
      label: 'it took long enough',
    });
  });
}

/** Checks that the usual limit counts: so many messages of this size are handled at once. */
async function isUsual(
  lesson: Lesson,
  limit: Partial<GateOptions>,
  name: 'messages' | 'bytes',
  most: number,
  size: number,
): Promise<void> {
  const { [name]: _, ...open } = { ...OPEN, ...limit };
  const gate = new lesson.Gate(
    (_, event) => {
      if (event.type === 'text') heard++;
    },
    { ...open, authenticate: everybody },
  );
  let heard = 0;
  const visitor = new Visitor(gate);
  await settles(() => visitor.status !== '');
  // A busy machine may take a while for it, and time makes tokens.
  const frame = fromClient(Text, 'x'.repeat(size));
  visitor.send(...Array.from({ length: 2 * most + 60 }, () => frame));
  await settles(() => visitor.closedWith !== 'nothing');
  visitor.line.destroy();
  const state = () => [heard >= most && heard < most + 50, visitor.closedWith];
  equal(state, [true, 'a Close with 1008'], `Without \`${name}\`, the usual one counts.`, {
    given: [
      ['the options', Object.keys(limit).join()],
      ['the client', `says ${2 * most + 60} messages of ${size} bytes, in one read`],
      ['handled', `${heard}, of which ${most} are usual`],
    ],
    label: 'about so many, and the Close',
    inWords: true,
  });
}

/** Checks what becomes of messages that wait when their client goes. */
async function goesWhileWaiting(lesson: Lesson): Promise<void> {
  await atGate(lesson, { messages: times(2) }, async (entrance) => {
    const visitor = await entrance.open();
    visitor.say('a', 'b', 'c', 'd');
    await settles(() => entrance.texts.length >= 2);
    visitor.reset();
    const given: Fact[] = [
      ['`messages`', '2'],
      ['the client', 'says a, b, c and d, and resets TCP'],
    ];
    const types = () => entrance.heard.map(({ event }) => event.type);
    await until(
      () => types().includes('close'),
      'The end of such a connection is told.',
      () => [...given, ['the events', types().join(', ')]],
    );
    const what = 'What waits is handled when the client is gone, before its `close`.';
    equal(() => entrance.texts, ['a', 'b', 'c', 'd'], what, {
      given,
      label: 'the application heard',
    });
    equal(() => types().at(-1), 'close', what, { given, label: 'the last event', inWords: true });
  });
}

const says = (...texts: string[]) => texts.map((text) => fromClient(Text, text));

export const FLOODS: Scenarios = [
  {
    what: 'Far too many messages end a connection with 1008.',
    rules: [],
    check: async (lesson) => {
      const limit = { messages: times(3) };
      await floods(lesson, {
        what: 'says a to g',
        limit,
        atOnce: says('a', 'b', 'c'),
        early: says('d', 'e', 'f'),
        tooMuch: fromClient(Text, 'g'),
      });
      await floods(lesson, {
        what: 'says seven texts and binaries in turn',
        limit,
        atOnce: [fromClient(Binary, 'b'), ...says('', 'a')],
        early: [fromClient(Binary, 'b'), ...says(''), fromClient(Binary, '')],
        tooMuch: fromClient(Binary, ''),
      });
      await floods(lesson, {
        what: 'says 1, 1, 1, 8 and 3 bytes',
        limit: { messages: times(3), bytes: times(10) },
        atOnce: says('a', 'b', 'c'),
        early: says('d'.repeat(8)),
        tooMuch: fromClient(Text, 'e'.repeat(3)),
      });
    },
  },
  {
    what: 'Far too many bytes end a connection with 1008.',
    rules: [],
    check: async (lesson) => {
      const limit = { bytes: times(100) };
      await floods(lesson, {
        what: 'says 60, 40, 100 and 1 bytes',
        limit,
        atOnce: says('w'.repeat(60), 'x'.repeat(40)),
        early: says('y'.repeat(100)),
        tooMuch: fromClient(Text, 'z'),
      });
      await floods(lesson, {
        what: 'says 60, 60, 10 and 31 bytes',
        limit,
        atOnce: says('w'.repeat(60)),
        early: says('x'.repeat(60), 'y'.repeat(10)),
        tooMuch: fromClient(Text, 'z'.repeat(31)),
      });
      await floods(lesson, {
        what: 'says 50, 50 and 1 letters of 2 bytes',
        limit,
        atOnce: says('ä'.repeat(50)),
        early: says('ä'.repeat(50)),
        tooMuch: fromClient(Text, 'ä'),
      });
      const full = fromClient(Binary, new Uint8Array(100));
      await floods(lesson, {
        what: 'sends binaries of 100, 100 and 1 bytes',
        limit,
        atOnce: [full],
        early: [full],
        tooMuch: fromClient(Binary, 'x'),
      });
      await floods(lesson, {
        what: 'says 1 and 101 bytes',
        limit,
        atOnce: says('x'),
        early: [],
        tooMuch: fromClient(Text, 'y'.repeat(101)),
      });
    },
  },
  {
    what: 'What waits is handled when there are tokens for it.',
    rules: [],
    waits: true,
    async check(lesson) {
      const rates = [
        { messages: { burst: 5, perSecond: 12.5 } },
        { bytes: { burst: 50, perSecond: 125 } },
        { messages: { burst: 5, perSecond: 12.5 }, bytes: { burst: 50, perSecond: 125 } },
      ];
      await Promise.all(rates.map((rate) => isPaced(lesson, rate)));
    },
  },
  {
    what: 'A limit of messages or bytes that is not set is the usual one.',
    rules: [],
    async check(lesson) {
      const { messages, bytes } = lesson.GATE_LIMITS;
      const given = [
        { burst: 500, perSecond: 20 },
        { burst: 256 * 1024, perSecond: 64 * 1024 },
      ];
      equal(() => [messages, bytes], given, 'The usual limits are those that you were given.', {
        label: '`messages` and `bytes` of `GATE_LIMITS`',
      });
      const plenty = { burst: 1e9, perSecond: 1e9 };
      await isUsual(lesson, { bytes: plenty }, 'messages', messages.burst, 0);
      await isUsual(lesson, { messages: plenty }, 'bytes', 4, bytes.burst / 4);
    },
  },
  {
    what: 'A message takes one token, however long its bytes wait.',
    rules: [],
    waits: true,
    check: (lesson) =>
      atGate(
        lesson,
        { messages: times(3), bytes: { burst: 20, perSecond: 500 } },
        async (entrance) => {
          const visitor = await entrance.open();
          visitor.say('a'.repeat(20), 'b'.repeat(10), 'c'.repeat(10));
          await until(
            () => entrance.texts.length >= 3,
            'A message takes one token, however long its bytes wait.',
            () => [
              ['`messages`', '3'],
              ['`bytes`', '20, and 500 in a second'],
              ['the client', 'says 20, 10 and 10 bytes'],
              ['handled', show(entrance.texts)],
            ],
            'When its bytes have to wait, the token for the message is taken already: only once.',
          );
        },
      ),
  },
  {
    what: 'Who waits for long costs nothing meanwhile.',
    rules: [],
    waits: true,
    check: (lesson) =>
      atGate(lesson, { messages: { burst: 1, perSecond: 0 } }, async (entrance) => {
        const visitor = await entrance.open();
        const speak = () => {
          visitor.say('a', 'b');
          return settles(() => entrance.texts.length > 0);
        };
        await expectIdle(speak, 'Who waits for long costs nothing meanwhile.', [
          ['`messages`', '1, and 0 in a second'],
          ['the client', 'says 2'],
        ]);
      }),
  },
  {
    what: 'What waits is handled when the client is gone, before its `close`.',
    rules: [],
    check: goesWhileWaiting,
  },
  {
    what: 'An error of the application that comes late fails the connection, too.',
    rules: [],
    waits: true,
    check: (lesson) =>
      atGate(
        lesson,
        { messages: { burst: 2, perSecond: 50 } },
        async (entrance) => {
          const what = 'An error of the application that comes late fails the connection, too.';
          const visitor = await entrance.open();
          visitor.say('a', 'b', 'boom', 'c');
          const given: Fact[] = [
            ['`messages`', '2, and 50 in a second'],
            ['the application', 'throws at the third message, which has waited'],
          ];
          await until(
            () => visitor.closedWith !== 'nothing',
            what,
            () => given,
            'A timer calls you, and not lesson 05, which would have caught it: call `fail` of the connection.',
          );
          equal(() => visitor.closedWith, 'a Close with 1011', what, {
            given,
            label: 'the server sent',
            inWords: true,
          });
          await giveWay(40);
          visitor.reset();
          await settles(() => entrance.events('close').length > 0);
          const no = 'After an error, nothing more of a client is handled.';
          equal(() => entrance.texts, ['a', 'b', 'boom'], no, { given, label: 'handled' });
        },
        (_, event) => {
          if (event.type === 'text' && event.data === 'boom') throw new Error('This is a test.');
        },
      ),
  },
  {
    what: 'Each connection has its own limits.',
    rules: [],
    check: (lesson) =>
      atGate(lesson, { messages: times(2), bytes: times(50) }, async (entrance) => {
        const visitors = [await entrance.open(), await entrance.open(), await entrance.open()];
        for (const expected of [3, 6]) {
          for (const visitor of visitors) visitor.say('x'.repeat(20));
          await settles(() => entrance.texts.length >= expected);
          equal(() => entrance.texts.length, expected, 'Each connection has its own limits.', {
            given: [
              ['`messages`', '2'],
              ['`bytes`', '50'],
              ['three clients of one user', `have said ${expected / 3} of 20 bytes each`],
            ],
            label: 'the application heard',
          });
        }
      }),
  },
  {
    what: 'A Ping is no message.',
    rules: [],
    check: (lesson) =>
      atGate(lesson, { messages: times(1) }, async (entrance) => {
        const visitor = await entrance.open();
        visitor.send(join(fromClient(Ping, 'a'), fromClient(Ping, 'b')));
        visitor.say('Hello');
        await settles(() => entrance.texts.length > 0);
        equal(() => entrance.texts, ['Hello'], 'A Ping is no message.', {
          given: [
            ['`messages`', '1'],
            ['the client', 'sends two Pings, and a text'],
          ],
          label: 'the application heard',
        });
      }),
  },
];

/** Step 8: how many come in, and how much they say. */
import { equal } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import { closeBody, fromClient, join } from '../../../shared/kit/frames.ts';
import { giveWay } from '../../../shared/kit/patience.ts';
import { until } from '../../../shared/kit/peer.ts';
import type { GateOptions } from '../../../solutions/09-production/production.ts';
import { Binary, Close, NORMAL, Ping, Text } from '../05-server/core.ts';
import { settles, turns } from '../05-server/sockets.ts';
import type { Lesson, Scenarios } from './tools.ts';
import {
  type Asking,
  atGate,
  Desk,
  type Entrance,
  everybody,
  LET_GO,
  OPEN,
  SELDOM,
  Visitor,
} from './visitors.ts';

const BEFORE = 'Take the slot before the `await`: many can wait there at once.';
const ONCE =
  'A slot is taken and given back once for each socket, also for one that was never let in.';

/** So often, and then not for a quarter of an hour. */
const times = (burst: number) => ({ burst, perSecond: SELDOM });

/** Checks that a 429 says when to come back: in seconds, `most` at most. */
function saysWhen(visitor: Visitor, least: number, most: number): void {
  const seconds = Number(visitor.header('Retry-After'));
  const isRight = Number.isInteger(seconds) && seconds >= least && seconds <= most;
  equal(() => isRight, true, 'A 429 says in how many seconds to come back.', {
    given: [
      ['`Retry-After`', visitor.header('Retry-After') ?? 'is missing'],
      ['expected', `${least} to ${most}, a whole number`],
    ],
    label: 'so it is',
    inWords: true,
    cause: () =>
      seconds > most ? 'It is in seconds, and `take` returns milliseconds.' : undefined,
  });
}

/** Ends a connection as a polite client does, and waits until its socket is closed. */
async function goodbye(visitor: Visitor): Promise<void> {
  visitor.send(fromClient(Close, NORMAL));
  visitor.leave();
  await visitor.isGone('A client that closes is let go.');
}

/** Checks that nobody else comes in, and that somebody does when one has gone. */
async function isFull(entrance: Entrance, first: Visitor, asking: Asking, given: Fact[]) {
  const third = entrance.come(asking);
  await third.gets('429', 'When all slots are taken, nobody else comes in.', undefined, given);
  saysWhen(third, 1, 3600);
  third.leave();
  await third.isGone('A refused client that ends TCP is let go.', LET_GO);
  await goodbye(first);
  const what = 'When somebody goes, their slot is free.';
  await entrance.come(asking).gets('101', what, ONCE, given);
  await entrance.come(asking).gets('429', 'A slot that is free is free once.', ONCE, given);
}

const RATES: Scenarios = [
  {
    what: 'An address that asks too often is refused.',
    rules: [],
    async check(lesson) {
      const desk = new Desk();
      const options = { requests: times(3), authenticate: desk.authenticate };
      await atGate(lesson, { ...options, paths: ['/'] }, async (entrance) => {
        const given: Fact[] = [['`requests`', '3 at once, and then one each 1,000 seconds']];
        entrance.come();
        await entrance.come({ target: '/there' }).gets('404', 'Another path is refused.');
        await entrance.come({ target: '/' }).gets('401', 'Who shows nothing is refused.');
        const visitor = entrance.come();
        const cause = 'Each request counts, also one that is refused for something else.';
        await visitor.gets('429', 'An address that asks too often is refused.', cause, given);
        saysWhen(visitor, 600, 1000);
        equal(() => desk.asked.length, 1, 'For somebody who asks too often, nobody is asked.', {
          given,
          label: 'calls of `authenticate`',
        });
        entrance.come({ address: '192.0.2.2' });
        await desk.hasAsked(2, 'Each address has a bucket of its own.');
      });
    },
  },
  {
    what: 'With time, an address can ask again.',
    rules: [],
    waits: true,
    check: (lesson) =>
      atGate(lesson, { requests: { burst: 1, perSecond: 50 } }, async (entrance) => {
        await entrance.open();
        await giveWay(50);
        const given: Fact[] = [
          ['`requests`', '1 at once, and 50 a second: the last was 50 ms ago'],
        ];
        const cause = 'Is it asked on a clock, in milliseconds?';
        await entrance.come().gets('101', 'With time, an address can ask again.', cause, given);
      }),
  },
  {
    what: 'A limit that is set alone counts, and the others are the usual ones.',
    rules: [],
    async check(lesson) {
      const { socketsPerUser, requests } = lesson.GATE_LIMITS;
      const { requests: _, socketsPerUser: __, ...open } = OPEN;
      const usual = async (options: Partial<GateOptions>, most: number, name: string) => {
        const gate = new lesson.Gate(() => {}, { ...open, authenticate: everybody, ...options });
        const visitors = Array.from({ length: most + 60 }, () => new Visitor(gate));
        for (const visitor of visitors) await settles(() => visitor.status !== '');
        const count = visitors.filter(({ status }) => status === '101').length;
        for (const { line } of visitors) line.destroy();
        // A busy machine may take a while for it, and one more a second is let in.
        const isUsual = count >= most && count < most + 50;
        equal(() => isUsual, true, `Without \`${name}\`, the usual one counts.`, {
          given: [
            ['the options', Object.keys(options).join()],
            ['came in', `${count} of ${visitors.length}`],
            ['usual', `${most}`],
          ],
          label: 'about so many',
          inWords: true,
        });
      };
      await usual({ requests: { burst: 1e6, perSecond: 1e6 } }, socketsPerUser, 'socketsPerUser');
      await usual({ socketsPerUser: 1e6 }, requests.burst, 'requests');
    },
  },
];

const SLOTS: Scenarios = [
  {
    what: 'An address has so many sockets, and no more.',
    rules: [],
    check: (lesson) =>
      atGate(lesson, { socketsPerAddress: 2 }, async (entrance) => {
        const first = await entrance.open();
        await entrance.open({ target: '/?ticket=bert' });
        await entrance.open({ address: '192.0.2.2' });
        await isFull(entrance, first, {}, [['`socketsPerAddress`', '2, and both are taken']]);
      }),
  },
  {
    what: 'A user has so many sockets, and no more.',
    rules: [],
    check: (lesson) =>
      atGate(lesson, { socketsPerUser: 2 }, async (entrance) => {
        const first = await entrance.open({ address: '192.0.2.2' });
        await entrance.open({ address: '2001:db8::1' });
        await entrance.open({ target: '/?ticket=bert' });
        await isFull(entrance, first, {}, [['`socketsPerUser`', '2, and both are taken']]);
      }),
  },
  {
    what: 'Whoever waits has a slot already.',
    rules: [],
    async check(lesson) {
      const desk = new Desk();
      const options = { socketsPerAddress: 2, authenticate: desk.authenticate };
      await atGate(lesson, options, async (entrance) => {
        entrance.come();
        entrance.come();
        await desk.hasAsked(2, 'Who somebody is is asked.');
        const given: Fact[] = [['`socketsPerAddress`', '2: both wait for `authenticate`']];
        const third = entrance.come();
        await third.gets('429', 'Whoever waits has a slot already.', BEFORE, given);
      });
    },
  },
  {
    what: 'Two of one user who wait at once get one slot.',
    rules: [],
    async check(lesson) {
      const desk = new Desk();
      const options = { socketsPerUser: 1, authenticate: desk.authenticate };
      await atGate(lesson, options, async (entrance) => {
        const [first, second] = [entrance.come(), entrance.come()];
        await desk.hasAsked(2, 'One does not wait for another: both are asked for at once.');
        desk.answer(1, { user: 'anna' });
        await second.gets('101', 'Who is known first comes in first, and waits for nobody.');
        desk.answer(0, { user: 'anna' });
        await first.gets('429', 'Two of one user who wait at once get one slot.');
      });
    },
  },
  {
    what: 'Fifty refusals, and then somebody comes in.',
    rules: [],
    async check(lesson) {
      const authenticate: GateOptions['authenticate'] = async ({ value }) =>
        value === 'anna' ? { user: 'anna' } : undefined;
      const options = { socketsPerAddress: 2, socketsPerUser: 2, authenticate, paths: ['/'] };
      await atGate(lesson, options, async (entrance) => {
        const refused: Asking[] = [
          { target: '/?ticket=wrong' },
          { target: '/there?ticket=anna' },
          { target: '/' },
        ];
        for (let i = 0; i < 51; i++) {
          const visitor = entrance.come(refused[i % refused.length]);
          await settles(() => visitor.status !== '');
          equal(
            () => visitor.status === '429',
            false,
            'A refused socket that is gone has no slot.',
            {
              given: [['refusals before', `${i}`], ['`socketsPerAddress`', '2'], ...visitor.facts],
              label: 'it is refused for too many',
              inWords: true,
              cause: () => ONCE,
            },
          );
          visitor.leave();
          await visitor.isGone('A refused client that ends TCP is let go.', LET_GO);
        }
        const given: Fact[] = [
          ['refusals before', '51'],
          ['`socketsPerAddress`', '2'],
        ];
        for (const nth of ['first', 'second'])
          await entrance
            .come()
            .gets('101', `After them, the ${nth} of two slots is free.`, ONCE, given);
        const cause = 'Each refusal gave a slot back that it did not have.';
        await entrance
          .come()
          .gets('429', 'After them, there are two slots, and not more.', cause, given);
      });
    },
  },
  {
    what: 'A refused client that stays has its slot, and then is dropped.',
    rules: [],
    waits: true,
    async check(lesson) {
      const options = { loginTimeoutMs: 30, authenticate: async () => undefined };
      await atGate(lesson, options, async (entrance) => {
        const visitor = entrance.come();
        await visitor.gets('401', 'Who shows what nobody knows is refused.');
        visitor.say('there is more to say');
        const what = 'A refused client that stays has its slot, and then is dropped.';
        await visitor.isGone(
          what,
          'It has its response. If it does not end TCP, destroy the socket.',
        );
      });
    },
  },
];

/** Checks that two clients are counted together, or are not. */
async function areOne(
  lesson: Lesson,
  options: Partial<GateOptions>,
  asking: readonly [Asking, Asking],
  status: '429' | '101',
  cause: string,
): Promise<void> {
  for (const limit of [{ socketsPerAddress: 1 }, { requests: times(1) }]) {
    await atGate(lesson, { ...options, ...limit }, async (entrance) => {
      const first = await entrance.open(asking[0]);
      const what =
        status === '429'
          ? 'Both are counted as one address.'
          : 'Both are counted as two addresses.';
      const given: Fact[] = [['allowed', `one: ${Object.keys(limit)}`], ...first.facts];
      await entrance.come(asking[1]).gets(status, what, cause, given);
    });
  }
}

/** Two clients, by their addresses or by a header. */
const from = (address: string): Asking => ({ address });
const through = (...lines: string[]): Asking => ({
  address: '10.0.0.1',
  lines: lines.map((line) => ['X-Forwarded-For', line] as const),
});

const PROXIES: NonNullable<GateOptions['proxies']> = {
  header: 'x-forwarded-for',
  trusts: (address) => address.startsWith('10.'),
};
const PEER = 'Who it is, `clientAddress` of step 2 finds, and `addressKey` what to count it under.';
const FORGED = 'What stands on the left, the client has written.';

const ADDRESSES: Scenarios = [
  {
    what: 'An address of IPv6 is counted with its first 64 bits.',
    rules: [],
    async check(lesson) {
      const near = [from('2001:db8::1'), from('2001:db8::ffff:2')] as const;
      await areOne(lesson, {}, near, '429', PEER);
      const far = [from('2001:db8::1'), from('2001:db8:0:1::1')] as const;
      await areOne(lesson, {}, far, '101', PEER);
    },
  },
  {
    what: 'An address of IPv4 is the same on a socket of IPv6.',
    rules: [],
    async check(lesson) {
      const same = [from('::ffff:192.0.2.1'), from('192.0.2.1')] as const;
      await areOne(lesson, {}, same, '429', PEER);
      const others = [from('::ffff:192.0.2.1'), from('::ffff:192.0.2.2')] as const;
      const cause = 'All of IPv4 is in one /64 there: unmap it first.';
      await areOne(lesson, {}, others, '101', cause);
    },
  },
  {
    what: 'Behind a proxy, it is the client that counts.',
    rules: [182],
    async check(lesson) {
      const options = { proxies: PROXIES };
      const two = [through('198.51.100.1'), through('198.51.100.2')] as const;
      await areOne(lesson, options, two, '101', 'The peer is our proxy, for all of them.');
      const one = [through('198.51.100.1'), through('198.51.100.1')] as const;
      await areOne(lesson, options, one, '429', PEER);
      const forged = [through('6.6.6.6, 198.51.100.1'), through('7.7.7.7, 198.51.100.1')] as const;
      await areOne(lesson, options, forged, '429', FORGED);
      const lines = [
        through('6.6.6.6', '198.51.100.1'),
        through('7.7.7.7', '198.51.100.1'),
      ] as const;
      await areOne(
        lesson,
        options,
        lines,
        '429',
        'A header can have many lines: all are in `headersDistinct`.',
      );
    },
  },
  {
    what: 'Without a proxy, nobody asks what a client says of its address.',
    rules: [],
    check: (lesson) => areOne(lesson, {}, [through('6.6.6.6'), through('7.7.7.7')], '429', FORGED),
  },
];

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
    for (const text of texts) {
      visitor.say(text);
      await turns(1);
    }
    const given: Fact[] = [
      ['limit', JSON.stringify(limit)],
      ['the client', 'says 10 messages of 10 bytes, one after the other'],
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
    // Five at once, and 20 ms for each of the others. A clock may be coarse.
    const ms = performance.now() - startedAt;
    equal(() => ms >= 5 * 20 - 5, true, 'No more is handled than there are tokens for.', {
      given: [...given, ['took', `${ms.toFixed(0)} ms: 100 ms at least would be right`]],
      label: 'it took long enough',
    });
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
        { messages: { burst: 5, perSecond: 50 } },
        { bytes: { burst: 50, perSecond: 500 } },
        { messages: { burst: 5, perSecond: 50 }, bytes: { burst: 50, perSecond: 500 } },
      ];
      await Promise.all(rates.map((rate) => isPaced(lesson, rate)));
    },
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

export const CROWDS: Scenarios = [...RATES, ...SLOTS, ...ADDRESSES];

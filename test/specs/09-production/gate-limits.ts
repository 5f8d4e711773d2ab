/** Step 8: how many come in. */
import { equal } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { fromClient } from '../../../shared/kit/frames.ts';
import { giveWay } from '../../../shared/kit/patience.ts';
import type { GateOptions } from '../../../solutions/09-production/production.ts';
import { Close, NORMAL } from '../05-server/core.ts';
import { settles } from '../05-server/sockets.ts';
import type { Lesson, Scenarios } from './tools.ts';
import {
  type Asking,
  atGate,
  Desk,
  type Entrance,
  everybody,
  LET_GO,
  OPEN,
  times,
  Visitor,
} from './visitors.ts';

const BEFORE = 'Take the slot before the `await`: many can wait there at once.';
const ONCE =
  'A slot is taken and given back once for each socket, also for one that was never let in.';

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
    what: 'A request that is refused for too many sockets counts, too.',
    rules: [],
    check: (lesson) =>
      atGate(lesson, { requests: times(2), socketsPerAddress: 1 }, async (entrance) => {
        const first = await entrance.open();
        const second = entrance.come();
        await second.gets('429', 'When all slots are taken, nobody else comes in.');
        second.leave();
        await second.isGone('A refused client that ends TCP is let go.', LET_GO);
        await goodbye(first);
        const given: Fact[] = [
          ['`requests`', '2 at once, and then one each 1,000 seconds'],
          ['`socketsPerAddress`', '1, and it is free'],
          ['before', 'one came in, and one was refused for too many sockets'],
        ];
        const what = 'A request that is refused for too many sockets counts, too.';
        const cause = 'Ask how many requests there were before you ask for a slot.';
        await entrance.come().gets('429', what, cause, given);
      }),
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

export const CROWDS: Scenarios = [...RATES, ...SLOTS, ...ADDRESSES];

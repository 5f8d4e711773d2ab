/** Step 4: tickets. */
import { attempt, equal, fail } from '../../../shared/harness/check.ts';
import type { About, Fact } from '../../../shared/harness/facts.ts';
import { withRandom } from '../../../shared/harness/random.ts';
import { show } from '../../../shared/harness/show.ts';
import { callsOf, recorded } from '../../../shared/kit/calls.ts';
import { generated } from '../../../shared/kit/generate.ts';
import { memoryTaken } from '../../../shared/kit/memory.ts';
import type { Tickets } from '../../../solutions/09-production/production.ts';
import type { Lesson, Scenarios } from './tools.ts';

type TicketScenario = Scenarios[number];

/** What clocks say at the beginning, in milliseconds. */
const START = 1_000_000;

/** A source of bytes that differ each time, somewhere in a larger memory, as those of Node are. */
function counting(start = 0): (size: number) => Uint8Array {
  let count = start;
  return (size) => {
    const memory = new Uint8Array(size + 9);
    for (let i = 0; i < memory.length; i++) memory[i] = (count * 31 + i * 7 + 0xf8) & 0xff;
    count++;
    memory[5] = count >> 8;
    memory[6] = count;
    return memory.subarray(4, 4 + size);
  };
}

function deskOf({ Tickets }: Lesson, random = counting()): Tickets {
  return recorded(
    attempt(() => new Tickets(random), 'Make a desk.'),
    () => 0,
  );
}

function about(desk: Tickets, cause?: string): About {
  return {
    label: 'the last call returned',
    get given() {
      return callsOf(desk);
    },
    ...(cause && { cause: () => cause }),
  };
}

/** Issues a ticket, and checks that it is text. */
function issued(desk: Tickets, user: string, ms: number, what: string): string {
  let ticket = '';
  const issue = () => {
    ticket = desk.issue(user, START + ms);
    return typeof ticket === 'string';
  };
  equal(issue, true, what, {
    ...about(desk),
    label: 'what `issue` returned is text',
    inWords: true,
  });
  return ticket;
}

function redeems(
  desk: Tickets,
  ticket: string,
  ms: number,
  user: string | undefined,
  what: string,
  cause?: string,
): void {
  equal(() => desk.redeem(ticket, START + ms), user, what, about(desk, cause));
}

const USED: readonly TicketScenario[] = [
  {
    what: 'A ticket is worth its user.',
    rules: [],
    check: (lesson) => {
      const what = 'A ticket is worth its user.';
      const desk = deskOf(lesson);
      equal(() => desk.size, 0, 'A new desk has issued nothing.', { label: 'size' });
      const [ann, bob, also] = ['ann', 'bob', 'ann'].map((user) => issued(desk, user, 0, what));
      equal(() => desk.size, 3, 'Each ticket is remembered.', { ...about(desk), label: 'size' });
      redeems(desk, bob!, 0, 'bob', what);
      redeems(desk, also!, 100, 'ann', what);
      redeems(desk, ann!, 200, 'ann', what);
    },
  },
  {
    what: 'A ticket is 16 random bytes in base64url.',
    rules: [],
    check: (lesson) => {
      const what = 'A ticket is 16 random bytes in base64url.';
      const asked: number[] = [];
      const source = counting();
      const drawn: Uint8Array[] = [];
      const desk = deskOf(lesson, (size) => {
        asked.push(size);
        drawn.push(source(size));
        return drawn.at(-1)!;
      });
      for (let i = 0; i < 3; i++) {
        const ticket = issued(desk, 'ann', i, what);
        const given: Fact[] =
          asked.length === 0 ? [] : [['the calls', `random(${asked.join('), random(')})`]];
        equal(() => asked.length, i + 1, 'Each ticket is drawn once.', {
          given,
          label: 'it was asked so often',
        });
        equal(() => asked[i], 16, 'A ticket has 128 bits: that is 16 bytes.', {
          given,
          label: 'it was asked for',
        });
        const right = Buffer.from(drawn[i]!).toString('base64url');
        equal(() => ticket, right, what, {
          given: [['`random` returned', show(drawn[i])]],
          label: 'the ticket',
          cause: (text) => causeInText(String(text), drawn[i]!),
        });
      }
    },
  },
  {
    what: 'A ticket is good for once.',
    rules: [185],
    check: (lesson) => {
      const what = 'A ticket is good for once.';
      const cause = 'Whoever finds it in a log has to find something that is used up.';
      const desk = deskOf(lesson);
      const [one, other] = [issued(desk, 'ann', 0, what), issued(desk, 'bob', 0, what)];
      redeems(desk, one, 1, 'ann', what);
      redeems(desk, one, 1, undefined, what, cause);
      redeems(desk, other, 2, 'bob', what);
      redeems(desk, one, 3, undefined, what, cause);
      redeems(desk, other, 3, undefined, what, cause);
    },
  },
  {
    what: 'What was never issued is no ticket.',
    rules: [],
    check: (lesson) => {
      const what = 'What was never issued is no ticket.';
      const desk = deskOf(lesson);
      redeems(desk, 'abc', 0, undefined, what);
      const ticket = issued(desk, 'ann', 0, what);
      const others = [
        ...['', 'ann', 'undefined', '__proto__', 'constructor', 'toString'],
        ...[`${ticket}=`, ` ${ticket}`, ticket.slice(0, -1), `${ticket}A`],
      ];
      for (const other of others) redeems(desk, other, 1, undefined, what);
      redeems(desk, ticket, 1, 'ann', 'Whoever tries others does not use a ticket up.');
    },
  },
  {
    what: 'What one desk has issued is no ticket of another.',
    rules: [],
    check: (lesson) => {
      const what = 'What one desk has issued is no ticket of another.';
      const [one, other] = [deskOf(lesson), deskOf(lesson, counting(100))];
      const ticket = issued(one, 'ann', 0, what);
      redeems(other, ticket, 0, undefined, what);
      redeems(one, ticket, 0, 'ann', what);
    },
  },
  {
    what: 'Nobody can guess a ticket.',
    rules: [],
    check: (lesson) => {
      const what = 'Nobody can guess a ticket.';
      const drawn = (): string[] => {
        const desk = attempt(() => new lesson.Tickets(), what);
        return Array.from({ length: 50 }, () => issued(desk, 'ann', 0, what));
      };
      const tickets = withRandom(
        () => 0.5,
        () => [...drawn(), ...drawn()],
      );
      if (new Set(tickets).size === 100) return;
      fail(
        what,
        [
          ['issue, 100 times', show(tickets)],
          ['expected', 'different ones, whatever `Math.random` returns'],
        ],
        '`Math.random` can be guessed. `randomBytes` of `node:crypto` is the default of `random`.',
      );
    },
  },
];

/** Says what has become of the bytes. */
function causeInText(ticket: string, bytes: Uint8Array): string | undefined {
  const of = (encoding: BufferEncoding) => Buffer.from(bytes).toString(encoding);
  if (ticket === of('base64'))
    return 'That is base64. In an address, + and / and = mean other things.';
  if (ticket === of('hex')) return 'That is hex.';
  if (ticket.length > 22) return 'There is more in it than the bytes that `random` returned.';
  return undefined;
}

const TOO_OLD: readonly TicketScenario[] = [
  {
    what: 'A ticket is good until it is too old.',
    rules: [],
    check: (lesson) => {
      const what = 'A ticket is good until it is too old.';
      const { TICKET_LIFE_MS: life } = lesson;
      const desk = deskOf(lesson);
      const early = ['ann', 'bob', 'eve'].map((user) => issued(desk, user, 0, what));
      const late = issued(desk, 'joe', 1000, what);
      redeems(desk, early[0]!, life - 1, 'ann', what);
      const cause = `After ${life} ms, it is worth nothing, even if nobody has used it.`;
      redeems(desk, early[1]!, life + 1, undefined, what, cause);
      redeems(desk, early[2]!, life + 500, undefined, what, cause);
      redeems(desk, late, life + 999, 'joe', 'Each ticket has a time of its own.');
    },
  },
  {
    what: 'A ticket that is too old does not come back.',
    rules: [],
    check: (lesson) => {
      const what = 'A ticket that is too old does not come back.';
      const { TICKET_LIFE_MS: life } = lesson;
      const desk = deskOf(lesson);
      const ticket = issued(desk, 'ann', 0, what);
      redeems(desk, ticket, 10 * life, undefined, what);
      issued(desk, 'ann', 10 * life, what);
      redeems(desk, ticket, 10 * life + 1, undefined, what);
    },
  },
  {
    what: 'Tickets that are too old are forgotten, and no others.',
    rules: [],
    check: (lesson) => {
      const { TICKET_LIFE_MS: life } = lesson;
      const desk = attempt(() => new lesson.Tickets(counting()), 'Make a desk.');
      const every = life / ALIVE;
      const tickets: string[] = [];
      let most = 0;
      for (let i = 0; i < UNUSED; i++) {
        tickets.push(desk.issue(`user ${i}`, START + i * every));
        most = Math.max(most, desk.size);
      }
      const calls: Fact = ['the calls', `issue, ${UNUSED} times, each ${every} ms`];
      if (most >= MOST_TICKETS) {
        fail(
          'Tickets that are too old are forgotten.',
          [calls, ['size, at most', `${most}`], ['expected', `less than ${MOST_TICKETS}`]],
          'Nobody uses most of them up. Those that are too old have to go without that.',
        );
      }
      const oldest = UNUSED - ALIVE + 5;
      const now = START + UNUSED * every;
      for (const i of [oldest, UNUSED - 1]) {
        equal(() => desk.redeem(tickets[i]!, now), `user ${i}`, 'No other ticket is forgotten.', {
          given: [calls, ['then, redeem', `that of user ${i}, after ${(UNUSED - i) * every} ms`]],
        });
      }
    },
  },
  {
    what: 'What a desk does not count takes no memory either.',
    rules: [],
    check: (lesson) => {
      const what = 'What a desk does not count takes no memory either.';
      const desk = attempt(() => new lesson.Tickets(counting()), what);
      const every = lesson.TICKET_LIFE_MS / ALIVE;
      const taken = memoryTaken(
        ({ heapUsed }) => heapUsed,
        MOST_BYTES,
        () => {
          for (let i = 0; i < UNUSED; i++) {
            const now = START + i * every;
            desk.issue('ann', now);
            // Nothing is left of those that are used.
            for (let j = 0; j < 2; j++) desk.redeem(desk.issue('bob', now), now);
          }
        },
      );
      desk.redeem('at last', START + UNUSED * every);
      if (taken < MOST_BYTES) return;
      fail(what, [
        [
          'the calls',
          `issue, three times each ${every} ms, ${UNUSED} times, and redeem for two of them`,
        ],
        ['memory', `${Math.round(taken / 1000)} kB`],
        ['expected', `less than ${MOST_BYTES / 1000} kB`],
      ]);
    },
  },
];

/** How many tickets nobody uses, how many of them are not too old, and how many may be left. */
const UNUSED = 8000;
const ALIVE = 500;
const MOST_TICKETS = 2000;

/** What they may take, in bytes: it is more than a megabyte when all of them are kept. */
const MOST_BYTES = 800_000;

const ANY: TicketScenario = {
  what: 'Any tickets, issued and used in any order.',
  rules: [],
  check: (lesson) =>
    generated(100, (choose) => {
      const { TICKET_LIFE_MS: life } = lesson;
      const desk = deskOf(lesson, counting());
      const all: { readonly text: string; user: string | undefined; readonly at: number }[] = [];
      let ms = 0;
      choose.list(14, () => {
        ms += choose.pick([0, 1, life / 2, life / 3 + 1, life + 1, 10 * life]);
        if (all.length === 0 || !choose.oneIn(2)) {
          const user = choose.pick(['ann', 'bob', '__proto__']);
          const text = issued(desk, user, ms, 'Any user can have tickets.');
          all.push({ text, user, at: ms });
          return;
        }
        const ticket = choose.pick(all);
        // At that very moment, it is either.
        if (ms - ticket.at === life) return;
        const user = ms - ticket.at < life ? ticket.user : undefined;
        redeems(desk, ticket.text, ms, user, 'Any ticket is good for once, until it is too old.');
        ticket.user = undefined;
      });
    }),
};

export const TICKETS: readonly TicketScenario[] = [...USED, ...TOO_OLD, ANY];

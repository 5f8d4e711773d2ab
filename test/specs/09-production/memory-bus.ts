/** Step 10: one process */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { equal, fail } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { clock } from '../../../shared/kit/clock.ts';
import { Choices } from '../../../shared/kit/generate.ts';
import { SEED } from '../../../shared/kit/seed.ts';
import type { Bus, Entry } from '../../../solutions/09-production/production.ts';
import { BUS, Ear, sayAll, says, told, type World } from './bus.ts';
import type { Lesson, Scenarios } from './tools.ts';

/** How many turns something may take that waits for nothing. */
const TURNS = 5;

async function settles(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await nextTurn();
}

/** One process: every part of it has the same bus. */
function processOf({ MemoryBus }: Lesson, now?: () => number): World {
  const buses = new Map<number | undefined, Bus>();
  const bus = (size?: number) => {
    const known = buses.get(size) ?? new MemoryBus(now, size);
    buses.set(size, known);
    return known;
  };
  return { bus, comes: settles, settles };
}

const CONTRACT: Scenarios = BUS.map(({ what, check }) => ({
  what,
  rules: [],
  check: (lesson) => check(processOf(lesson)),
}));

const NEXT: Scenarios = [
  {
    what: 'What a bus before this one had is not mixed up with what it has.',
    rules: [197],
    check: async ({ MemoryBus }) => {
      const what = 'An id of a process that has ended is none of this one.';
      const time = clock();
      const old = new MemoryBus(time.now);
      const start = await old.tip('tea');
      const entries = await sayAll(old, 'tea', ['1', '2', '3']);
      time.advance(1);
      const bus = new MemoryBus(time.now);
      await sayAll(bus, 'tea', ['4', '5', '6', '7']);
      for (const id of [start, ...entries.map((entry) => entry.id)]) {
        const page = await bus.after('tea', id, 9);
        equal(() => page, undefined, what, {
          given: [['after, with', `${id}, an id of the bus before`]],
          label: 'it resolved with',
          cause: () => 'The ids of a room begin with a number: the time when it was made.',
        });
      }
    },
  },
  {
    what: 'A bus remembers 10,000 messages of a room unless told otherwise.',
    rules: [],
    check: async ({ MemoryBus, HISTORY_SIZE }) => {
      equal(() => HISTORY_SIZE, 10_000, '`HISTORY_SIZE` is 10,000.', {
        label: 'it is',
        inWords: true,
      });
      const bus = new MemoryBus();
      const ids: string[] = [];
      for (let i = 0; i < 10_002; i++) ids.push(await bus.publish('tea', says(`${i}`)));
      for (const [at, expected] of [
        [1, 200],
        [0, undefined],
      ] as const) {
        const page = await bus.after('tea', ids[at]!, 200);
        equal(() => page?.length, expected, 'A room remembers its last 10,000 messages.', {
          given: [['after', `the id of message ${at + 1} of 10,002, and 200`]],
          label: 'length of what it resolved with',
        });
      }
    },
  },
];

const HOUR = 3_600_000;

/** Rooms that somebody looks into once, over some hours. */
const [HOURS, ROOMS_AN_HOUR, MAX_ROOMS, FLOOD] = [6, 2000, 8000, 12_000];

const FORGETTING: Scenarios = [
  {
    what: 'Rooms that nobody is in are forgotten after an hour, and do not fill the memory.',
    rules: [],
    check: async ({ MemoryBus, ROOM_LIFE_MS }) => {
      const what =
        'Rooms that nobody is in are forgotten after an hour, and do not fill the memory.';
      equal(() => ROOM_LIFE_MS, HOUR, '`ROOM_LIFE_MS` is an hour.', {
        label: 'it is',
        inWords: true,
      });
      const time = clock();
      const bus = new MemoryBus(time.now);
      equal(() => bus.size, 0, 'At first, there is no room.', { label: 'size' });
      const uses = [
        (room: string) => bus.publish(room, says('Hello')),
        (room: string) => bus.tip(room),
        (room: string) => bus.after(room, '1-1', 1),
        async (room: string) => (await bus.subscribe(room, () => {}))(),
      ];
      let most = 0;
      for (let hour = 0; hour < HOURS; hour++) {
        for (let i = 0; i < ROOMS_AN_HOUR; i++) await uses[i % uses.length]!(`${hour}:${i}`);
        most = Math.max(most, bus.size);
        time.advance(HOUR);
      }
      if (most <= MAX_ROOMS) return;
      fail(what, [
        ['rooms', `${ROOMS_AN_HOUR} other ones each hour, for ${HOURS} hours`],
        ['size', `${most} in the end, expected: at most ${MAX_ROOMS}`],
      ]);
    },
  },
  {
    what: 'After a flood of rooms, a bus is small again.',
    rules: [],
    check: async ({ MemoryBus }) => {
      const time = clock();
      const bus = new MemoryBus(time.now);
      for (let i = 0; i < FLOOD; i++) await bus.tip(`flood:${i}`);
      let [isOver, most] = [false, 0];
      for (let hour = 0; hour < 2 * HOURS; hour++) {
        time.advance(HOUR);
        for (let i = 0; i < ROOMS_AN_HOUR; i++) await bus.tip(`${hour}:${i}`);
        isOver ||= bus.size <= MAX_ROOMS;
        if (isOver) most = Math.max(most, bus.size);
      }
      if (isOver && most <= MAX_ROOMS) return;
      fail(
        'After a flood of rooms, a bus is small again.',
        [
          ['rooms', `${FLOOD} at once, then ${ROOMS_AN_HOUR} other ones each hour`],
          isOver ? ['size, when it is over', `${most}`] : ['size', `${bus.size}`],
          ['expected', `at most ${MAX_ROOMS}`],
        ],
        'When to look next depends on how many were left, and not on how many there have ever been.',
      );
    },
  },
  {
    what: 'A room is remembered while somebody is in it, and for an hour after it was used.',
    rules: [],
    check: async ({ MemoryBus }) => {
      const what =
        'A room is remembered while somebody is in it, and for an hour after it was used.';
      const time = clock();
      const bus = new MemoryBus(time.now);
      const world: World = { bus: () => bus, comes: settles, settles };
      const quiet = await Ear.in(world, bus, 'with somebody in it');
      const gone = await Ear.in(world, bus, 'that was left');
      const ids = new Map<string, string>();
      const say = async (room: string) => ids.set(room, await bus.publish(room, says(room)));
      const early = ['with somebody in it', 'that was left', 'asked for its tip', 'read'];
      for (const room of early) await say(room);
      time.advance(HOUR - 1);
      await say('spoken in');
      await bus.tip('asked for its tip');
      await bus.after('read', ids.get('read')!, 1);
      gone.leave();
      time.advance(HOUR - 1);
      // So many that a bus looks for what to forget.
      for (let i = 0; i < 5000; i++) await bus.tip(`other ${i}`);
      for (const [room, id] of ids) {
        const page = await bus.after(room, id, 1);
        equal(() => page, [], what, {
          given: [
            ['the room', room === early[0] ? `one ${room}` : `one ${room} less than an hour ago`],
            ['meanwhile', '5,000 other rooms have been asked for their tip'],
            ['after', 'with the id of what was said in it'],
          ],
          label: 'it resolved with',
          cause: () =>
            room === 'that was left'
              ? 'It has been empty for less than an hour, however long it was quiet before.'
              : 'It was forgotten. Look at who is in a room, and when it was last used.',
        });
      }
      await bus.publish('with somebody in it', says('still there?'));
      await quiet.hears(
        ['with somebody in it', 'still there?'],
        'Who is in a room hears what is said there, however long it was quiet.',
      );
    },
  },
  {
    what: 'A room that was forgotten begins again, with other ids.',
    rules: [],
    check: async ({ MemoryBus }) => {
      const time = clock();
      const bus = new MemoryBus(time.now);
      const old = await sayAll(bus, 'tea', ['1', '2', '3']);
      time.advance(HOUR);
      for (let i = 0; i < 10_000; i++) await bus.tip(`other ${i}`);
      await sayAll(bus, 'tea', ['4', '5', '6', '7']);
      for (const [i, { id }] of old.entries()) {
        const page = await bus.after('tea', id, 9);
        const texts = page?.map(({ text }) => text).join('');
        // Still remembered would be right, too: an hour is the least.
        if (texts === undefined || texts === '1234567'.slice(i + 1)) continue;
        fail('A room that was forgotten begins again, with other ids.', [
          ['after, with', `${id}, an id from before it was forgotten`],
          ['it resolved with', `the messages ${[...texts].join(', ') || 'that there are: none'}`],
          ['expected', 'undefined'],
        ]);
      }
    },
  },
];

/** A subscription of a generated life, and what it has to hear. */
interface Follower {
  readonly room: string;
  readonly ear: Ear;
  readonly expected: string[];
  isIn: boolean;
}

/** Lives of a bus that nobody thought of, beside lists of what was said. */
class Life {
  readonly #choose: Choices;
  readonly #bus: Bus;
  readonly #world: World;
  readonly #said = new Map<string, Entry[]>();
  readonly #followers: Follower[] = [];
  readonly #done: string[] = [];
  #count = 0;

  constructor(lesson: Lesson, seed: number) {
    this.#choose = Choices.random(seed);
    const size = 5;
    const bus = new lesson.MemoryBus(clock().now, size);
    this.#bus = bus;
    this.#world = { bus: () => bus, comes: settles, settles };
  }

  facts(): Fact[] {
    return this.#done.slice(-12).map((line, i) => [i === 0 ? 'what happened' : '', line]);
  }

  async step(): Promise<void> {
    const room = this.#choose.pick(['tea', 'ink']);
    const act = this.#choose.below(6);
    if (act <= 1) await this.#publish(room);
    else if (act === 2) await this.#repeat(room);
    else if (act === 3) await this.#subscribe(room);
    else if (act === 4) this.#leave();
    else await this.#page(room);
  }

  async #publish(room: string): Promise<void> {
    const said = says(`${++this.#count}`);
    this.#done.push(`${said.text} is said in ${room}`);
    const id = await this.#bus.publish(room, said);
    this.#entries(room).push({ ...said, id });
    for (const follower of this.#followers) {
      if (follower.room === room && follower.isIn) follower.expected.push(said.text);
    }
  }

  async #repeat(room: string): Promise<void> {
    const known = this.#entries(room).slice(-5);
    if (known.length === 0) return;
    const { id, ...said } = this.#choose.pick(known);
    this.#done.push(`${said.text} is said in ${room} again`);
    const again = await this.#bus.publish(room, said);
    equal(() => again, id, 'What is said again has the id that it had.', { label: 'id' });
  }

  async #subscribe(room: string): Promise<void> {
    this.#done.push(`somebody enters ${room}`);
    const ear = await Ear.in(this.#world, this.#bus, room);
    this.#followers.push({ room, ear, expected: [], isIn: true });
  }

  #leave(): void {
    const present = this.#followers.filter(({ isIn }) => isIn);
    if (present.length === 0) return;
    const follower = this.#choose.pick(present);
    this.#done.push(`somebody leaves ${follower.room}`);
    follower.ear.leave();
    follower.isIn = false;
  }

  async #page(room: string): Promise<void> {
    const entries = this.#entries(room);
    if (entries.length === 0) return;
    const at = this.#choose.below(entries.length);
    const size = 1 + this.#choose.below(4);
    const page = await this.#bus.after(room, entries[at]!.id, size);
    this.#done.push(`${room} is asked for ${size} behind ${entries[at]!.text}`);
    const expected = at < entries.length - 6 ? undefined : entries.slice(at + 1, at + 1 + size);
    equal(() => page, expected, 'A bus of size 5 returns what is behind an id.', { label: 'page' });
  }

  async check(): Promise<void> {
    for (const { ear, expected } of this.#followers) {
      await settles();
      equal(() => ear.texts, expected, 'Everybody hears what is said while they are in the room.', {
        label: 'somebody heard',
      });
    }
  }

  #entries(room: string): Entry[] {
    const entries = this.#said.get(room) ?? [];
    this.#said.set(room, entries);
    return entries;
  }
}

const LIVES = 40;

const GENERATED: Scenarios = [
  {
    what: 'Whatever happens in two rooms, a bus does what lists of messages would do.',
    rules: [],
    check: async (lesson) => {
      for (let i = 0; i < LIVES; i++) {
        const life = new Life(lesson, SEED + i);
        // The first lives are short, so that one that fails is told in a few lines.
        const run = async () => {
          for (let step = 0; step < 2 + i; step++) await life.step();
          await life.check();
        };
        await told(() => [...life.facts(), ['found with', `SEED=${SEED + i}`]], run);
      }
    },
  },
];

export const MEMORY_BUS: Scenarios = [...CONTRACT, ...NEXT, ...FORGETTING, ...GENERATED];

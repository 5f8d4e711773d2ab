/** What holds for every bus, however it carries its messages. */
import { CheckFailure, equal, fail } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import type { Bus, Entry, Said } from '../../../solutions/09-production/production.ts';

/** Processes that have the same rooms. */
export interface World {
  /** Makes the bus of one more process. Its rooms remember so many messages. */
  readonly bus: (size?: number) => Bus;
  /** Waits until a condition holds, or until it never will. */
  readonly comes: (holds: () => boolean) => Promise<void>;
  /** Waits until everything that was on its way has arrived. */
  readonly settles: () => Promise<void>;
  /** What happened where no check can see it. */
  readonly facts?: () => Fact[];
}

/** Something that has to be so in every world. */
export interface BusScenario {
  readonly what: string;
  readonly check: (world: World) => Promise<void>;
}

/** Makes something to say. */
export const says = (text: string, cid = text, user = 'ann'): Said => ({ user, cid, text });

/** What is told of `undefined`. */
export const LOST = 'some may be lost';

const tell = (text: string) => (text === LOST ? text : show(text));

/** Somebody who listens, and remembers what they have heard. */
export class Ear {
  readonly heard: (Entry | undefined)[] = [];
  readonly #world: World;
  /** Ends the subscription. */
  leave: () => unknown = () => {};

  /** Is in no room yet. `answer` is called with what it hears. */
  constructor(world: World, answer: (entry: Entry | undefined) => void = () => {}) {
    this.#world = world;
    this.deliver = (entry) => {
      this.heard.push(entry);
      answer(entry);
    };
  }

  /** What is given to `subscribe`. */
  readonly deliver: (entry: Entry | undefined) => void;

  /** Subscribes somebody to a room. */
  static async in(world: World, bus: Bus, room: string): Promise<Ear> {
    const ear = new Ear(world);
    await ear.enters(bus, room);
    return ear;
  }

  /** Subscribes to a room. */
  async enters(bus: Bus, room: string): Promise<void> {
    const leave = await bus.subscribe(room, this.deliver);
    if (typeof leave !== 'function') {
      fail('`subscribe` resolves with what ends it.', [
        ['it resolved with', show(leave)],
        ['expected', 'a function'],
      ]);
    }
    this.leave = leave;
  }

  /** The texts it has heard. Of `undefined`, that some may be lost. */
  get texts(): string[] {
    return this.heard.map((entry) => (entry === undefined ? LOST : entry.text));
  }

  /** Checks that it hears these texts, and nothing else. */
  async hears(texts: readonly string[], what: string, cause?: string): Promise<void> {
    await this.#world.comes(() => this.heard.length >= texts.length);
    await this.#world.settles();
    equal(() => this.texts.map(tell), texts.map(tell), what, {
      given: this.#world.facts?.() ?? [],
      label: 'it heard',
      inWords: true,
      cause: () => cause ?? this.#causeFor(texts),
    });
  }

  #causeFor(texts: readonly string[]): string | undefined {
    const { texts: heard } = this;
    if (new Set(heard).size < heard.length) return 'One of them was delivered more than once.';
    if (heard.length < texts.length) {
      return 'Something was not delivered. From when `subscribe` has resolved, nothing is left out.';
    }
    const isShuffled = heard.toSorted().join() === texts.toSorted().join();
    return isShuffled ? 'The order is that of the ids.' : undefined;
  }
}

/** Checks what a bus resolves with. */
async function resolvesWith(
  world: World,
  call: string,
  promise: Promise<unknown>,
  expected: unknown,
  what: string,
  cause?: string,
): Promise<void> {
  const value = await promise.catch((error: unknown) =>
    fail(what, [
      ...(world.facts?.() ?? []),
      ['call', call],
      ['it rejected with', show(error)],
      ['expected', show(expected)],
    ]),
  );
  equal(() => value, expected, what, {
    given: [...(world.facts?.() ?? []), ['call', call]],
    label: 'it resolved with',
    ...(cause !== undefined && { cause: () => cause }),
  });
}

/** Says some things one after the other, and returns the entries that have come of it. */
export async function sayAll(bus: Bus, room: string, texts: readonly string[]): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (const text of texts) {
    entries.push({ ...says(text), id: await bus.publish(room, says(text)) });
  }
  return entries;
}

const ID = /^\d{1,20}-\d{1,20}$/;

function expectId(id: unknown, call: string, what: string): void {
  if (typeof id === 'string' && ID.test(id)) return;
  fail(what, [
    ['call', call],
    ['it resolved with', show(id)],
    ['expected', 'two numbers, such as 1700000000000-12'],
  ]);
}

/** Names that somebody may give a room. */
const ROOMS = ['a', 'a:b', 'a:b:c', 'A', ' a', 'ä 🎉', '__proto__', 'constructor', 'room:a', '{a}'];

const TEXTS = ['', 'Hello', 'ä 🎉 \n\r\n', '\0', '"', '{"t":"msg"}', '*', '$', 'x'.repeat(300)];

const LISTENING: readonly BusScenario[] = [
  {
    what: 'What somebody says is delivered to all who are in the room, with its id.',
    check: async (world) => {
      const what = 'What somebody says is delivered to all who are in the room, with its id.';
      const [one, other] = [world.bus(), world.bus()];
      const ears = [];
      for (const bus of [one, one, other]) ears.push(await Ear.in(world, bus, 'tea'));
      const id = await one.publish('tea', says('Hello', 'tab:1', 'bob'));
      expectId(id, 'publish', '`publish` resolves with the id of the message.');
      for (const ear of ears) {
        await ear.hears(['Hello'], what);
        equal(() => ear.heard, [{ id, user: 'bob', cid: 'tab:1', text: 'Hello' }], what, {
          label: 'it heard',
        });
      }
    },
  },
  {
    what: 'From when `subscribe` has resolved, nothing is left out, and all is in order.',
    check: async (world) => {
      const what = 'From when `subscribe` has resolved, nothing is left out, and all is in order.';
      const [one, other] = [world.bus(), world.bus()];
      const ear = await Ear.in(world, one, 'tea');
      const texts = Array.from({ length: 24 }, (_, i) => `${i}`);
      for (const [i, text] of texts.entries()) {
        await (i % 3 === 0 ? other : one).publish('tea', says(text));
      }
      await ear.hears(texts, what);
    },
  },
  {
    what: 'What is said at the same moment is delivered once each, in the order of the ids.',
    check: async (world) => {
      const what =
        'What is said at the same moment is delivered once each, in the order of the ids.';
      const [one, other] = [world.bus(), world.bus()];
      const ears = [await Ear.in(world, one, 'tea'), await Ear.in(world, other, 'tea')];
      const start = await one.tip('tea');
      const texts = Array.from({ length: 20 }, (_, i) => `${i}`);
      await Promise.all(
        texts.map((text, i) => (i % 2 === 0 ? one : other).publish('tea', says(text))),
      );
      const entries = (await one.after('tea', start, 100)) ?? [];
      equal(() => entries.length, texts.length, what, { label: 'in the history' });
      for (const ear of ears) {
        await ear.hears(
          entries.map(({ text }) => text),
          what,
        );
      }
    },
  },
  {
    what: 'What was said before `subscribe` was called is for the history to tell.',
    check: async (world) => {
      const bus = world.bus();
      await sayAll(bus, 'tea', ['1', '2']);
      const ear = await Ear.in(world, bus, 'tea');
      await bus.publish('tea', says('3'));
      await ear.hears(['3'], 'Only what is added to the room from now on is delivered.');
    },
  },
  {
    what: 'Each room is by itself, whatever its name.',
    check: async (world) => {
      const bus = world.bus();
      const ears: Ear[] = [];
      for (const room of ROOMS) ears.push(await Ear.in(world, bus, room));
      for (const room of ROOMS) await bus.publish(room, says(room));
      for (const [i, room] of ROOMS.entries()) {
        await ears[i]!.hears(
          [room],
          'Who is in a room hears what is said there, and nothing else.',
        );
      }
    },
  },
  {
    what: 'Who has left hears nothing, and the others go on.',
    check: async (world) => {
      const what = 'Who has left hears nothing, and the others go on.';
      const bus = world.bus();
      const [first, second] = [await Ear.in(world, bus, 'tea'), await Ear.in(world, bus, 'tea')];
      await bus.publish('tea', says('1'));
      await second.hears(['1'], what);
      first.leave();
      await bus.publish('tea', says('2'));
      await second.hears(['1', '2'], what);
      await first.hears(['1'], what);
      first.leave();
      first.leave();
      await bus.publish('tea', says('3'));
      await second.hears(
        ['1', '2', '3'],
        'To leave twice ends no other subscription.',
        'What `subscribe` resolves with ends that subscription alone, however often it is called.',
      );
    },
  },
  {
    what: 'Everybody leaves, and somebody comes back.',
    check: async (world) => {
      const what = 'Who comes back hears what is said from then on.';
      const [bus, other] = [world.bus(), world.bus()];
      const first = await Ear.in(world, bus, 'tea');
      await other.publish('tea', says('1'));
      await first.hears(['1'], what);
      first.leave();
      await other.publish('tea', says('2'));
      const second = await Ear.in(world, bus, 'tea');
      await other.publish('tea', says('3'));
      await second.hears(['3'], what);
      first.leave();
      await other.publish('tea', says('4'));
      await second.hears(
        ['3', '4'],
        what,
        'An old subscription was ended once more. That says nothing of a new one.',
      );
      await first.hears(['1'], 'Who has left hears nothing.');
    },
  },
  {
    what: 'Two subscriptions with the same function are two.',
    check: async (world) => {
      const bus = world.bus();
      const ear = new Ear(world);
      await ear.enters(bus, 'tea');
      const { leave } = ear;
      await ear.enters(bus, 'tea');
      leave();
      await bus.publish('tea', says('1'));
      await ear.hears(
        ['1'],
        'Who has subscribed twice, and left once, still hears all.',
        'It is the subscription that ends, and not all of those with this function.',
      );
    },
  },
  {
    what: 'Who leaves while a message is delivered does not hear it any more.',
    check: async (world) => {
      const bus = world.bus();
      // Whoever is told first makes the other leave.
      const ears: Ear[] = [];
      for (const i of [0, 1]) ears.push(new Ear(world, () => ears[1 - i]!.leave()));
      for (const ear of ears) await ear.enters(bus, 'tea');
      await bus.publish('tea', says('1'));
      await world.comes(() => ears.some(({ heard }) => heard.length > 0));
      await world.settles();
      equal(() => ears.flatMap(({ texts }) => texts), ['1'], 'Who has left hears nothing.', {
        given: [['in the room', 'two: who hears a message first makes the other leave']],
        label: 'they heard',
      });
    },
  },
  {
    what: 'An answer that is given at once is delivered behind what it answers.',
    check: async (world) => {
      const what = 'Everybody hears a message before the answer that it gets.';
      const bus = world.bus();
      const answer = (entry: Entry | undefined) => {
        if (entry?.text === 'ping') void bus.publish('tea', says('pong'));
      };
      const before = await Ear.in(world, bus, 'tea');
      const echo = new Ear(world, answer);
      await echo.enters(bus, 'tea');
      const behind = await Ear.in(world, bus, 'tea');
      await bus.publish('tea', says('ping'));
      for (const ear of [before, echo, behind]) {
        await ear.hears(
          ['ping', 'pong'],
          what,
          'A listener published while it was told. Its answer waits until all have been told of what comes before it.',
        );
      }
    },
  },
];

const REPEATING: readonly BusScenario[] = [
  {
    what: 'What is said again under the same `cid` has the same id, and is delivered once.',
    check: async (world) => {
      const what =
        'What is said again under the same `cid` has the same id, and is delivered once.';
      const [one, other] = [world.bus(), world.bus()];
      const ear = await Ear.in(world, other, 'tea');
      const id = await one.publish('tea', says('Hello', 'c'));
      await one.publish('tea', says('meanwhile'));
      for (const bus of [one, other]) {
        const again = bus.publish('tea', says('Hello', 'c'));
        await resolvesWith(world, 'publish, with the same cid', again, id, what);
      }
      const both = await Promise.all([one, other].map((bus) => bus.publish('tea', says('2', 'd'))));
      equal(() => both[0], both[1], what, { label: 'two at the same moment resolved with' });
      await ear.hears(['Hello', 'meanwhile', '2'], what);
    },
  },
  {
    what: 'The same `cid` of another user, or in another room, is another message.',
    check: async (world) => {
      const what = 'The same `cid` of another user, or in another room, is another message.';
      const bus = world.bus();
      const ear = await Ear.in(world, bus, 'tea');
      const elsewhere = await Ear.in(world, bus, 'tea:ann');
      const spoken = [
        ['ann', 'c'],
        ['bob', 'c'],
        ['ann:c', 'd'],
        ['ann', 'c:d'],
        ['ann","c', 'd'],
        ['ann', 'c","d'],
        ['', 'ann:c:d'],
        ['ann c', 'd'],
        ['ann', 'c d'],
      ] as const;
      for (const [i, [user, cid]] of spoken.entries()) {
        await bus.publish('tea', says(`${i}`, cid, user));
        await bus.publish('tea:ann', says(`other ${i}`, cid, user));
      }
      await ear.hears(
        spoken.map((_, i) => `${i}`),
        what,
        'Two of them were taken for one. Is it clear where a user ends, and the `cid` begins?',
      );
      await elsewhere.hears(
        spoken.map((_, i) => `other ${i}`),
        what,
        'What was said in another room under the same `cid` was taken for the same message.',
      );
    },
  },
];

const REMEMBERING: readonly BusScenario[] = [
  {
    what: '`tip` is the id of the last message, and there is one before the first.',
    check: async (world) => {
      const [one, other] = [world.bus(), world.bus()];
      const start = await one.tip('tea');
      expectId(
        start,
        'tip, in a room where nothing was said',
        'Before the first message, `tip` is the beginning.',
      );
      await resolvesWith(world, 'tip', other.tip('tea'), start, 'The beginning stays the same.');
      const from = `after(${show(start)}, 9)`;
      const what = 'What comes after the beginning is all there is.';
      await resolvesWith(world, from, one.after('tea', start, 9), [], what);
      const entries = await sayAll(one, 'tea', ['1', '2']);
      await resolvesWith(
        world,
        'tip',
        other.tip('tea'),
        entries[1]?.id,
        '`tip` is the id of the last message.',
      );
      await resolvesWith(world, from, other.after('tea', start, 9), entries, what);
    },
  },
  {
    what: '`after` returns what is behind an id, page by page.',
    check: async (world) => {
      const what = '`after` returns what is behind an id, page by page.';
      const [one, other] = [world.bus(), world.bus()];
      const start = await one.tip('tea');
      const entries = await sayAll(
        one,
        'tea',
        Array.from({ length: 23 }, (_, i) => `${i}`),
      );
      const ids = [start, ...entries.map(({ id }) => id)];
      for (const [at, size] of [
        [0, 5],
        [5, 5],
        [9, 1],
        [10, 200],
        [22, 1],
        [20, 3],
        [0, 23],
      ] as const) {
        const call = `after, with the id of message ${at} of 23, and ${size}`;
        const page = entries.slice(at, at + size);
        await resolvesWith(world, call, other.after('tea', ids[at]!, size), page, what);
      }
      const last = other.after('tea', ids.at(-1)!, 5);
      await resolvesWith(
        world,
        'after, with the last id',
        last,
        [],
        'Behind the last one, there is nothing.',
        'That is an empty list. `undefined` says that something is lost.',
      );
    },
  },
  {
    what: '`after` is `undefined` for an id that never was.',
    check: async (world) => {
      const bus = world.bus();
      const [first] = await sayAll(bus, 'tea', ['1', '2']);
      const [ms, number] = first!.id.split('-').map(BigInt) as [bigint, bigint];
      for (const id of [
        `${ms - 1n}-${number}`,
        `${ms + 86_400_000n}-${number}`,
        `${ms}-${number + 1000n}`,
        '0-0',
        '0-1',
        '18446744073709551615-18446744073709551615',
        '18446744073709551616-0',
        `${ms}-99999999999999999999`,
      ]) {
        const after = bus.after('tea', id, 5);
        await resolvesWith(
          world,
          `after('tea', '${id}', 5)`,
          after,
          undefined,
          '`after` is `undefined` for an id that never was.',
          'Whoever comes with it learns that there is a gap.',
        );
      }
      const nowhere = bus.after('nowhere', first!.id, 5);
      await resolvesWith(
        world,
        'after, in a room where nothing was said',
        nowhere,
        undefined,
        'A room that is not remembered has no such id.',
      );
    },
  },
  {
    what: '`after` is `undefined` when something behind that id is forgotten.',
    check: async (world) => {
      const what = 'Rooms remember as many messages as they are told to, or more, and not all.';
      const bus = world.bus(10);
      const ear = await Ear.in(world, bus, 'tea');
      const start = await bus.tip('tea');
      const texts = Array.from({ length: 260 }, (_, i) => `${i}`);
      const entries = await sayAll(bus, 'tea', texts);
      const cause = 'Does the bus know the `size` that it was made with?';
      for (const [id, of] of [
        [start, 'the beginning'],
        [entries[0]!.id, 'the first of 260'],
      ] as const) {
        await resolvesWith(
          world,
          `after, with the id of ${of}`,
          bus.after('tea', id, 5),
          undefined,
          what,
          cause,
        );
      }
      const late = bus.after('tea', entries[249]!.id, 100);
      await resolvesWith(
        world,
        'after, with the id of the 250th of 260',
        late,
        entries.slice(250),
        what,
        cause,
      );
      await ear.hears(texts, 'What is forgotten has been delivered before.');
    },
  },
  {
    what: 'Any text is carried as it is.',
    check: async (world) => {
      const what = 'Any text is carried as it is.';
      const bus = world.bus();
      const start = await bus.tip('tea');
      const ear = await Ear.in(world, bus, 'tea');
      for (const [i, text] of TEXTS.entries()) await bus.publish('tea', says(text, `c${i}`));
      await ear.hears(TEXTS, what);
      const entries = await bus.after('tea', start, 100);
      equal(() => entries?.map(({ text }) => text), TEXTS, what, { label: 'in the history' });
    },
  },
  {
    what: 'What the caller changes afterwards changes nothing in the bus.',
    check: async (world) => {
      const bus = world.bus();
      const start = await bus.tip('tea');
      const said = { ...says('Hello') };
      const published = bus.publish('tea', said);
      await published;
      said.text = 'changed';
      const page = (await bus.after('tea', start, 9)) ?? [];
      page.length = 0;
      const again = (await bus.after('tea', start, 9)) ?? [];
      equal(
        () => again.map(({ text }) => text),
        ['Hello'],
        'A bus keeps what was said, and not an object of somebody else’s.',
        {
          label: 'in the history',
          given: [['the caller', 'changed what it had published, and emptied the page it had got']],
        },
      );
    },
  },
];

/** What holds for every bus. */
export const BUS: readonly BusScenario[] = [...LISTENING, ...REPEATING, ...REMEMBERING];

/** Runs a check. When it fails, these facts are told first. */
export async function told(facts: () => Fact[], check: () => Promise<void>): Promise<void> {
  try {
    await check();
  } catch (error) {
    if (!(error instanceof CheckFailure)) throw error;
    throw error.with([...facts(), ...error.facts]);
  }
}

/** Step 11: many processes */
import { equal } from '../../../shared/harness/check.ts';
import { show } from '../../../shared/harness/show.ts';
import { giveWay } from '../../../shared/kit/patience.ts';
import { BUS, Ear, says } from './bus.ts';
import { type EngineWorld, inWorld } from './engine-world.ts';
import { LOSSES } from './losses.ts';
import { GENERATED_STREAMS } from './streams-drawn.ts';
import type { Lesson, Scenarios } from './tools.ts';

const CONTRACT: Scenarios = BUS.map(({ what, check }) => ({
  what,
  rules: [],
  check: (lesson) => inWorld(lesson, check),
}));

/** A scenario in a world of its own, without losses. */
const scenario = (
  what: string,
  check: (world: EngineWorld, lesson: Lesson) => Promise<void>,
  rules: readonly number[] = [],
) => ({
  what,
  rules,
  check: (lesson: Lesson) => inWorld(lesson, (world) => check(world, lesson)),
});

const BETWEEN_READS =
  'It was added between two reads. Each read goes on behind the last entry that was delivered: `$` is what comes from now on.';

const CONNECTIONS: Scenarios = [
  scenario('One connection waits, and all else goes over the other.', async (world) => {
    const what = 'One connection waits, and all else goes over the other.';
    const cause = 'A connection that waits with BLOCK does nothing else until that is over.';
    const process = world.start();
    await Ear.in(world, process.bus, 'tea');
    await world.settles();
    equal(() => process.commands.isBlocked, false, what, {
      given: world.facts(),
      label: 'the connection for commands waits',
      inWords: true,
      cause: () => 'The constructor has two connections: the second one is for the reader.',
    });
    await world.waitsFor(process, 'tea');
    const id = await world.soon(process.bus.publish('ink', says('1')), what, cause);
    await world.soon(process.bus.tip('ink'), what, cause);
    await world.soon(process.bus.after('ink', id, 1), what, cause);
    await world.soon(
      process.bus.subscribe('ink', () => {}),
      what,
      cause,
    );
  }),
];

const READING: Scenarios = [
  scenario(
    'Who enters another room does not wait until the reader is done waiting.',
    async (world) => {
      const process = world.start();
      const tea = await Ear.in(world, process.bus, 'tea');
      await world.waitsFor(process, 'tea');
      const ink = await Ear.in(world, process.bus, 'ink');
      await world.say('ink', '1');
      await ink.hears(
        ['1'],
        'Who enters another room hears at once what is said there.',
        'The reader waits for the rooms that it knew of when it asked. `CLIENT UNBLOCK`, with the id of its connection, has it ask again.',
      );
      await world.say('tea', '2');
      await tea.hears(
        ['2'],
        'Who is in a room goes on hearing it when the process enters another.',
      );
    },
  ),
  scenario(
    'What is said between two reads is not lost.',
    async (world) => {
      const process = world.start();
      const ear = await Ear.in(world, process.bus, 'tea');
      await world.waitsFor(process, 'tea');
      for (const [i, texts] of [['1'], ['2', '3'], ['4']].entries()) {
        process.reader.hold('commands');
        await world.say('tea', ...texts);
        // The read that waited has its reply, and the next one is still on its way.
        await world.say('tea', `and ${i}`);
        process.reader.release();
        await world.settles();
      }
      const all = ['1', 'and 0', '2', '3', 'and 1', '4', 'and 2'];
      await ear.hears(all, 'What is said between two reads is not lost.', BETWEEN_READS);
    },
    [198],
  ),
  scenario('What is said before the first read is not lost.', async (world) => {
    const process = world.start();
    process.reader.hold('commands');
    const ear = await world.soon(
      Ear.in(world, process.bus, 'tea'),
      '`subscribe` resolves when it is known where to begin.',
      'It waits for the reader, which may have to wait itself.',
    );
    await world.say('tea', '1', '2');
    process.reader.release();
    const what = 'From when `subscribe` has resolved, nothing is left out.';
    await ear.hears(['1', '2'], what, BETWEEN_READS);
  }),
  scenario('Quiet times change nothing.', async (world, { BLOCK_MS }) => {
    const process = world.start();
    const ears = [];
    for (const room of ['tea', 'ink']) ears.push(await Ear.in(world, process.bus, room));
    const [tea, ink] = ears as [Ear, Ear];
    for (let i = 0; i < 3; i++) {
      await world.settles();
      world.engine.passes(BLOCK_MS);
      await world.say('ink', `${i}`);
      await ink.hears(
        Array.from({ length: i + 1 }, (_, j) => `${j}`),
        'After a second without anything, a reader asks again from where it is.',
      );
      // Between the end of one read and the next one.
      process.reader.hold('commands');
      world.engine.passes(BLOCK_MS);
      await world.say('tea', `${i}`);
      process.reader.release();
    }
    await tea.hears(['0', '1', '2'], 'What is said between two reads is not lost.', BETWEEN_READS);
  }),
  scenario('A long way behind, it catches up, in order.', async (world) => {
    const process = world.start();
    const ear = await Ear.in(world, process.bus, 'tea');
    await world.waitsFor(process, 'tea');
    process.reader.hold('commands');
    const texts = Array.from({ length: 620 }, (_, i) => `${i}`);
    await world.say('tea', ...texts);
    process.reader.release();
    await world.comes(() => ear.heard.length === texts.length);
    equal(
      () => ear.texts.join(' ') === texts.join(' '),
      true,
      'A reader that is behind catches up.',
      {
        given: [
          ['behind', '620 messages'],
          ['delivered', `${ear.heard.length}, the last of them ${show(ear.texts.at(-1))}`],
        ],
        label: 'all, in order',
        inWords: true,
      },
    );
  }),
];

const SHARING: Scenarios = [
  scenario('Two that enter a room at the same moment both hear everything.', async (world) => {
    const what = 'From when `subscribe` has resolved, nothing is left out.';
    const cause =
      'They share a position in the room. Whoever comes later must not move it on: what lies between is not delivered yet.';
    const { bus, commands, reader } = world.start();
    reader.hold('commands');
    commands.hold('commands');
    const first = Ear.in(world, bus, 'tea');
    const second = Ear.in(world, bus, 'tea');
    await world.settles();
    commands.releaseOne();
    await world.settles();
    await world.say('tea', 'between');
    commands.release();
    const ears = [await world.soon(first, what), await world.soon(second, what)] as const;
    await world.say('tea', 'after');
    reader.release();
    await ears[0].hears(['between', 'after'], what, cause);
    // For the second, the first message is one that it may have or not.
    equal(() => ears[1].texts.at(-1), 'after', what, { label: 'the other one heard last' });
  }),
  scenario(
    'Who enters a room that others are in does not take anything from them.',
    async (world) => {
      const { bus, reader } = world.start();
      const first = await Ear.in(world, bus, 'tea');
      await world.settles();
      reader.hold('commands');
      await world.say('tea', '1', '2');
      const second = await Ear.in(world, bus, 'tea');
      await world.say('tea', '3');
      reader.release();
      const what = 'Who enters a room that others are in does not take anything from them.';
      await first.hears(
        ['1', '2', '3'],
        what,
        'The position in a room is that of all who are in it.',
      );
      equal(() => second.texts.at(-1), '3', what, { label: 'who came later heard last' });
    },
  ),
  scenario('The first of two rooms is left, and the other goes on.', async (world) => {
    const process = world.start();
    const tea = await Ear.in(world, process.bus, 'tea');
    const ink = await Ear.in(world, process.bus, 'ink');
    await world.waitsFor(process, 'tea', 'ink');
    const both = process.reader.awaited.length;
    tea.leave();
    await world.say('tea', '1');
    await world.say('ink', '2');
    await ink.hears(['2'], 'Who is in another room goes on hearing it.');
    await world.say('tea', '3');
    await world.settles();
    await tea.hears([], 'Who has left hears nothing.');
    const awaited = process.reader.awaited.map(([stream]) => stream);
    equal(() => both - awaited.length, 1, 'A room that nobody is in is not read.', {
      given: [['the reader waits for', awaited.join(' ')]],
      label: 'streams fewer than with both rooms',
    });
  }),
  scenario(
    'Everybody leaves while something is on its way, and somebody comes back.',
    async (world) => {
      const what = 'Who comes back hears what is said from then on, once.';
      const { bus, reader } = world.start();
      const first = await Ear.in(world, bus, 'tea');
      await world.settles();
      reader.hold('replies');
      await world.say('tea', 'before');
      await world.settles();
      first.leave();
      const second = await world.soon(Ear.in(world, bus, 'tea'), what);
      await world.say('tea', 'after');
      reader.release();
      await second.hears(
        ['after'],
        what,
        'The reply is to a question from before. What is not behind the position in the room is old.',
      );
      await first.hears([], 'Who has left hears nothing.');
    },
  ),
  scenario('Somebody comes back while the reader still waits.', async (world) => {
    const { bus, reader } = world.start();
    let awaited = 0;
    for (let i = 0; i < 3; i++) {
      const ear = await Ear.in(world, bus, 'tea');
      await world.say('tea', `${i}`);
      await ear.hears([`${i}`], 'Who comes back hears what is said from then on.');
      awaited ||= reader.awaited.length;
      ear.leave();
      await world.say('tea', `meanwhile ${i}`);
      if (i === 1) await world.settles();
    }
    equal(() => reader.awaited.length <= awaited, true, 'A room is read once.', {
      given: [['the reader waits for', reader.awaited.map(([stream]) => stream).join(' ')]],
      label: 'no more streams than the first time',
      inWords: true,
    });
  }),
];

const ENDING: Scenarios = [
  scenario('When nobody is in a room any more, the reader ends.', async (world, { BLOCK_MS }) => {
    const what = 'When nobody is in a room any more, the reader ends.';
    const { bus } = world.start();
    const ears = [await Ear.in(world, bus, 'tea'), await Ear.in(world, bus, 'ink')];
    await world.settles();
    for (const ear of ears) ear.leave();
    world.engine.passes(BLOCK_MS);
    await world.settles();
    world.engine.passes(BLOCK_MS);
    await giveWay(20);
    await world.settles();
    equal(() => world.engine.errors, [], what, {
      given: world.facts(),
      label: 'it was asked, and said no',
    });
    const before = world.engine.commands;
    for (let i = 0; i < 3; i++) {
      world.engine.passes(BLOCK_MS);
      await giveWay(20);
      await world.settles();
    }
    equal(() => world.engine.commands - before, 0, what, {
      given: world.facts(),
      label: 'commands in the next seconds',
    });
    const ear = await Ear.in(world, bus, 'tea');
    await world.say('tea', '1');
    await ear.hears(['1'], 'It begins again with who comes next.');
  }),
  scenario('The beginning of a room is not a message.', async (world, { ROOM_LIFE_MS }) => {
    const { bus } = world.start();
    const ear = await Ear.in(world, bus, 'tea');
    await world.say('tea', '1');
    await ear.hears(['1'], 'Who is in a room hears what is said there.');
    world.engine.passes(ROOM_LIFE_MS);
    // Nothing is left: who enters now begins the room again.
    const next = await Ear.in(world, world.bus(), 'tea');
    // Whoever reads it goes on behind it, and does not read it again and again.
    await world.settles();
    await world.say('tea', '2');
    const cause = 'An entry without a `cid` is the beginning that `TIP_SCRIPT` adds.';
    await ear.hears(['1', '2'], 'The beginning of a room is not a message.', cause);
    await next.hears(['2'], 'The beginning of a room is not a message.', cause);
  }),
  scenario('After `stop`, nothing is delivered.', async (world, { BLOCK_MS }) => {
    const what = 'After `stop`, nothing is delivered, whatever is on its way.';
    const { bus, reader } = world.start();
    const ear = await Ear.in(world, bus, 'tea');
    await world.settles();
    reader.hold('replies');
    await world.say('tea', '1');
    await world.settles();
    bus.stop();
    reader.release();
    await world.say('tea', '2');
    await ear.hears([], what, 'A reply was on its way when the bus was stopped.');
    world.engine.passes(BLOCK_MS);
    await world.settles();
    const before = world.engine.commands;
    world.engine.passes(BLOCK_MS);
    await giveWay(20);
    await world.settles();
    equal(() => world.engine.commands - before, 0, 'A bus that is stopped asks for nothing.', {
      given: world.facts(),
      label: 'commands after that',
    });
  }),
  scenario('A bus that is stopped while it delivers delivers no more.', async (world) => {
    const { bus, reader } = world.start();
    const ears: Ear[] = [];
    for (let i = 0; i < 2; i++) ears.push(new Ear(world, () => bus.stop()));
    for (const ear of ears) await ear.enters(bus, 'tea');
    await world.settles();
    reader.hold('commands');
    await world.say('tea', '1', '2');
    await world.say('tea', '3');
    reader.release();
    await world.comes(() => ears.some(({ heard }) => heard.length > 0));
    await world.settles();
    equal(() => ears.flatMap(({ texts }) => texts), ['1'], 'After `stop`, nothing is delivered.', {
      given: [['in the room', 'two: who hears a message first stops the bus']],
      label: 'they heard',
    });
  }),
  scenario(
    'What nobody says anything in is forgotten after an hour.',
    async (world, { ROOM_LIFE_MS }) => {
      const what = 'A room that nobody says anything in is forgotten after `ROOM_LIFE_MS`.';
      const { bus } = world.start();
      const start = await bus.tip('tea');
      await bus.publish('ink', says('1'));
      world.engine.passes(ROOM_LIFE_MS - 1);
      const id = await bus.publish('tea', says('2'));
      const page = await bus.after('tea', start, 9);
      equal(() => page?.length, 1, what, { given: world.facts(), label: 'messages before that' });
      world.engine.passes(ROOM_LIFE_MS - 1);
      const again = await bus.publish('tea', says('2'));
      equal(() => again, id, 'So long, a `cid` is known, too.', { label: 'its id' });
      world.engine.passes(1);
      equal(() => world.engine.keys.names.filter((key) => key.includes('ink')), [], what, {
        given: world.facts(),
        label: 'still there',
        inWords: true,
        cause: () => 'The life of a stream is in seconds, and so is that of a `cid`.',
      });
      world.engine.passes(ROOM_LIFE_MS);
      equal(() => world.engine.keys.names.filter((key) => key.includes('tea')), [], what, {
        given: world.facts(),
        label: 'still there',
        inWords: true,
      });
    },
  ),
];

export const STREAM_BUS: Scenarios = [
  ...CONNECTIONS,
  ...CONTRACT,
  ...READING,
  ...SHARING,
  ...ENDING,
  ...LOSSES,
  ...GENERATED_STREAMS,
];

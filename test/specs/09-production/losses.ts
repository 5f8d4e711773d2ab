/** Step 11: replies, connections and engines that are lost. */
import { equal, fail } from '../../../shared/harness/check.ts';
import { show } from '../../../shared/harness/show.ts';
import { giveWay } from '../../../shared/kit/patience.ts';
import type { Bus } from '../../../solutions/09-production/production.ts';
import { Ear, LOST, says } from './bus.ts';
import { type EngineWorld, inWorld, type Process } from './engine-world.ts';
import type { Lesson, Scenarios } from './tools.ts';

const GOES_ON = 'After a lost connection, a bus goes on where it was.';
const IS_TOLD =
  'When the engine has lost what it had, everybody is told once that some may be lost.';
const RENEWS =
  'It has an id that the engine does not know any more. On each new connection, ask whether the last entry that was delivered is still there.';

const NOT_WOKEN =
  '`CLIENT UNBLOCK` was rejected, and `subscribe` with it, but its listener is still told. Let it in: the reader asks again after `BLOCK_MS` anyway.';
const SKIPPED =
  '`XREAD` leaves out what has been trimmed, without a word. When a reply has as many entries as it can, ask whether the one before them is still there.';

/** A scenario in a world of its own, in which somebody has to wait after an error. */
const loss = (
  what: string,
  check: (world: EngineWorld, lesson: Lesson) => Promise<void>,
  rules: readonly number[] = [],
): Scenarios[number] => ({
  what,
  rules,
  waits: true,
  check: (lesson: Lesson) => inWorld(lesson, (world) => check(world, lesson)),
});

/** Says something until it is heard that it was said. Returns its id. */
async function insists(world: EngineWorld, process: Process, text: string): Promise<string> {
  for (let attempt = 0; ; attempt++) {
    try {
      const what = '`publish` resolves when the engine can be reached.';
      return await world.soon(process.bus.publish('tea', says(text)), what);
    } catch (error) {
      if (attempt === 3) throw error;
    }
  }
}

const NOT_IN = 'It was not in the room, and is told of what is said there.';
const LEAVES_NOTHING = 'A `subscribe` that rejects leaves nothing behind.';

/** Lets somebody enter a room. Resolves with whether `subscribe` has resolved. */
const getsIn = (ear: Ear, bus: Bus, room: string): Promise<boolean> =>
  ear.enters(bus, room).then(
    () => true,
    () => false,
  );

const REPLIES: Scenarios = [
  loss(
    'The reply of the engine is lost, and the message is said again: it is there once.',
    async (world) => {
      const what = 'What is said again under the same `cid` is there once.';
      const process = world.start();
      const start = await process.bus.tip('tea');
      const ear = await Ear.in(world, process.bus, 'tea');
      process.commands.losesReplyTo('EVAL');
      const id = await insists(world, process, '1');
      const page = await process.bus.after('tea', start, 9);
      equal(() => page?.map((entry) => entry.id), [id], what, {
        given: world.facts(),
        label: 'in the history',
      });
      await ear.hears(['1'], what);
    },
    [199],
  ),
  loss(LEAVES_NOTHING, async (world, { BLOCK_MS }) => {
    const process = world.start();
    const other = new Ear(world);
    process.commands.hold('commands');
    const entering = getsIn(other, process.bus, 'tea');
    await world.settles();
    process.commands.cut();
    process.commands.release();
    const isIn = await world.soon(
      entering,
      '`subscribe` resolves or rejects when a connection was lost.',
    );
    const texts = isIn ? ['0', '1'] : [];
    const before = world.engine.commands;
    if (isIn) {
      await world.say('tea', '0');
      const cause = 'It did not learn from where on: then it has to reject.';
      await world.hearsAfterLoss(other, ['0'], 'Who has entered hears what is said.', cause);
    } else {
      world.engine.passes(BLOCK_MS);
      await giveWay(20);
      await world.settles();
      equal(
        () => world.engine.commands - before,
        0,
        'A room that nobody has entered is not read.',
        {
          given: world.facts(),
          label: 'commands after that',
        },
      );
    }
    const ear = await Ear.in(world, process.bus, 'tea');
    await world.say('tea', '1');
    await world.hearsAfterLoss(ear, ['1'], 'Whoever comes after that hears everything.');
    await other.hears(texts, LEAVES_NOTHING, NOT_IN);
  }),
  loss('Of two that enter at the same moment, one may be refused.', async (world) => {
    const what = 'Who has entered hears everything, whatever became of others.';
    const { bus, commands } = world.start();
    const ears = [new Ear(world), new Ear(world)] as const;
    commands.hold('commands');
    const first = getsIn(ears[0], bus, 'tea');
    await world.settles();
    commands.cut();
    const second = getsIn(ears[1], bus, 'tea');
    commands.release();
    const areIn = [await world.soon(first, what), await world.soon(second, what)];
    equal(() => areIn[1], true, '`subscribe` resolves when the engine can be reached.', {
      label: 'it resolved',
      inWords: true,
    });
    await world.say('tea', '1');
    await world.hearsAfterLoss(ears[1], ['1'], what);
    await ears[0].hears(areIn[0] ? ['1'] : [], LEAVES_NOTHING);
  }),
];

const CONNECTIONS: Scenarios = [
  loss('The reader loses its connection, and goes on where it was.', async (world) => {
    const process = world.start();
    const ear = await Ear.in(world, process.bus, 'tea');
    await world.say('tea', '1');
    await ear.hears(['1'], 'Who is in a room hears what is said there.');
    process.reader.cut();
    await world.say('tea', '2', '3');
    await world.hearsAfterLoss(
      ear,
      ['1', '2', '3'],
      GOES_ON,
      'What is said meanwhile is behind the last entry that was delivered.',
    );
    await world.waitsFor(process, 'tea');
    process.reader.cut();
    await world.waitsFor(process, 'tea');
    await world.say('tea', '4');
    await ear.hears(['1', '2', '3', '4'], GOES_ON);
  }),
  loss('Nothing was said before the connection was lost.', async (world) => {
    const process = world.start();
    const ear = await Ear.in(world, process.bus, 'tea');
    await world.waitsFor(process, 'tea');
    process.reader.cut();
    await world.say('tea', '1');
    await world.hearsAfterLoss(ear, ['1'], GOES_ON, 'Where it was is where `subscribe` began.');
  }),
  loss('On its new connection, a reader can be woken.', async (world) => {
    const process = world.start();
    await Ear.in(world, process.bus, 'tea');
    await world.waitsFor(process, 'tea');
    // Somebody else is connected now, so that its new connection has another id than the old one.
    await world.say('other', '1');
    process.reader.cut();
    await world.until(() => process.reader.isBlocked, GOES_ON);
    const ink = await Ear.in(world, process.bus, 'ink');
    await world.say('ink', '1');
    await ink.hears(
      ['1'],
      'Who enters another room hears at once what is said there.',
      'Each connection has an id of its own. The one of before is not known any more.',
    );
  }),
  loss(
    'The connection is lost while a reader is woken: that ends nothing.',
    async (world, { BLOCK_MS }) => {
      // A room that the process is in already, and another one.
      for (const room of ['tea', 'ink']) {
        const process = world.start();
        const tea = await Ear.in(world, process.bus, 'tea');
        await world.waitsFor(process, 'tea');
        process.commands.losesReplyTo('CLIENT');
        const ear = new Ear(world);
        const isIn = await getsIn(ear, process.bus, room);
        await world.settles();
        world.engine.passes(BLOCK_MS);
        await world.say(room, '1');
        if (isIn) await ear.hears(['1'], 'Who enters a room hears what is said there.');
        else await ear.hears([], LEAVES_NOTHING, NOT_WOKEN);
        await world.say('tea', `after ${room}`);
        await tea.hears(room === 'tea' ? ['1', 'after tea'] : ['after ink'], GOES_ON);
      }
    },
  ),
  loss('The connection for commands is lost, and the reader goes on.', async (world) => {
    const process = world.start();
    const ear = await Ear.in(world, process.bus, 'tea');
    await world.waitsFor(process, 'tea');
    process.commands.cut();
    await insists(world, process, '1');
    await ear.hears(['1'], GOES_ON);
  }),
];

/** Two rooms of a process, two listeners in each. */
async function household(world: EngineWorld, process: Process): Promise<[Ear[], Ear[]]> {
  const ears: [Ear[], Ear[]] = [[], []];
  for (let i = 0; i < 2; i++) {
    for (const [j, room] of ['tea', 'ink'].entries()) {
      ears[j]!.push(await Ear.in(world, process.bus, room));
    }
  }
  await world.waitsFor(process, 'tea', 'ink');
  return ears;
}

const ENGINES: Scenarios = [
  ...[false, true].map((isPatient) =>
    loss(
      `The engine is away for a while, and commands ${isPatient ? 'wait for it' : 'are rejected'}.`,
      async (world) => {
        const process = world.start();
        process.reader.isPatient = isPatient;
        process.commands.isPatient = isPatient;
        const ears = await household(world, process);
        await world.say('tea', '1');
        for (const ear of ears[0])
          await ear.hears(['1'], 'Who is in a room hears what is said there.');
        world.engine.goes();
        await giveWay(60);
        await world.settles();
        world.engine.comesBack('everything');
        await world.say('tea', '2');
        await world.say('ink', '3');
        for (const ear of ears[0]) await world.hearsAfterLoss(ear, ['1', '2'], GOES_ON);
        for (const ear of ears[1]) await world.hearsAfterLoss(ear, ['3'], GOES_ON);
      },
    ),
  ),
  loss('While the engine is away, it is not asked without end.', async (world) => {
    const process = world.start();
    const attempts = () => process.reader.attempts + process.commands.attempts;
    await Ear.in(world, process.bus, 'tea');
    await world.waitsFor(process, 'tea');
    world.engine.goes();
    const before = attempts();
    for (let turn = 0; turn < 200; turn++) await giveWay(0);
    const asked = attempts() - before;
    if (asked > 40) {
      fail('After an error, a bus waits before it asks again.', [
        ['the engine', 'is away, and each command is rejected at once'],
        ['commands', `${asked} in a fifth of a second, expected: a few`],
      ]);
    }
    world.engine.comesBack('everything');
    await world.until(() => process.reader.isBlocked, GOES_ON);
  }),
  ...(
    [
      ['later than before', 60_000],
      ['an hour behind', -3_600_000],
    ] as const
  ).map(([clock, ms]) =>
    loss(`The engine is back with nothing, and its clock is ${clock}.`, async (world) => {
      const process = world.start();
      const ears = await household(world, process);
      await world.say('tea', '1');
      for (const ear of ears[0])
        await ear.hears(['1'], 'Who is in a room hears what is said there.');
      for (const round of [1, 2]) {
        world.engine.goes();
        world.engine.comesBack('nothing', ms);
        const told = Array.from({ length: round }, (_, i) => [LOST, `${i}`])
          .flat()
          .slice(0, -1);
        for (const ear of ears[0]) await world.hearsAfterLoss(ear, ['1', ...told], IS_TOLD, RENEWS);
        for (const ear of ears[1]) await world.hearsAfterLoss(ear, told, IS_TOLD, RENEWS);
        const goesOn = 'After that, a bus goes on behind what the engine has now.';
        const next = `${round - 1}`;
        await world.say('tea', next);
        await world.say('ink', next);
        for (const ear of ears[0])
          await world.hearsAfterLoss(ear, ['1', ...told, next], goesOn, RENEWS);
        for (const ear of ears[1]) await world.hearsAfterLoss(ear, [...told, next], goesOn, RENEWS);
      }
    }),
  ),
  loss(
    'The engine is back with nothing, and others are faster.',
    async (world) => {
      const process = world.start();
      const ear = await Ear.in(world, process.bus, 'tea');
      await world.say('tea', '1');
      await world.waitsFor(process, 'tea');
      world.engine.goes();
      world.engine.comesBack('nothing');
      await world.say('tea', 'early');
      await world.until(() => ear.texts.includes(LOST), IS_TOLD, RENEWS);
      await world.waitsFor(process, 'tea');
      await world.say('tea', 'late');
      await world.comes(() => ear.texts.includes('late'));
      const texts = ear.texts.filter((text) => text !== 'early');
      equal(() => texts, ['1', LOST, 'late'], IS_TOLD, { given: world.facts(), label: 'it heard' });
      const at = ear.texts.indexOf('early');
      equal(() => at === -1 || at === 2, true, 'First comes that some may be lost.', {
        given: [['it heard', show(ear.texts)]],
        label: 'in order',
        inWords: true,
      });
    },
    [200],
  ),
  loss('Who is told that some may be lost hears what is said from then on.', async (world) => {
    const what = 'Who is told that some may be lost hears what is said from then on.';
    const process = world.start();
    const ear = new Ear(world, (entry) => {
      if (entry === undefined) void world.say('tea', 'at that moment');
    });
    await ear.enters(process.bus, 'tea');
    await world.waitsFor(process, 'tea');
    world.engine.goes();
    world.engine.comesBack('nothing');
    await world.hearsAfterLoss(
      ear,
      [LOST, 'at that moment'],
      what,
      'They ask the history at that moment. What comes after that has to be delivered: find out where to go on first, and tell them then.',
    );
  }),
  loss('While the connection was lost, more was said than a room remembers.', async (world) => {
    const process = world.start();
    const ear = await Ear.in(world, process.bus, 'tea');
    await world.say('tea', '1');
    await ear.hears(['1'], 'Who is in a room hears what is said there.');
    process.reader.hold('commands');
    process.reader.cut();
    const other = world.start(10);
    for (let i = 0; i < 250; i++) await other.bus.publish('tea', says(`more ${i}`));
    process.reader.release();
    await world.until(() => ear.texts.includes(LOST), IS_TOLD, RENEWS);
    await world.waitsFor(process, 'tea');
    await world.say('tea', '2');
    await world.comes(() => ear.texts.includes('2'));
    const texts = ear.texts.filter((text) => !text.startsWith('more'));
    equal(() => texts, ['1', LOST, '2'], IS_TOLD, { given: world.facts(), label: 'it heard' });
  }),
  ...[10, 520].map((size) =>
    loss(`Between two reads, more was said than a room of ${size} remembers.`, async (world) => {
      const process = world.start(size);
      const ear = await Ear.in(world, process.bus, 'tea');
      await world.say('tea', '1');
      await ear.hears(['1'], 'Who is in a room hears what is said there.');
      await world.waitsFor(process, 'tea');
      process.reader.hold('commands');
      const other = world.start(size);
      for (let i = 0; i < 2 * size + 250; i++) await other.bus.publish('tea', says(`more ${i}`));
      process.reader.release();
      const what = 'When the engine has forgotten what was not read yet, everybody is told once.';
      await world.until(() => ear.texts.includes(LOST), what, SKIPPED);
      await world.waitsFor(process, 'tea');
      await world.say('tea', '2');
      await world.comes(() => ear.texts.includes('2'));
      const texts = ear.texts.filter((text) => !text.startsWith('more'));
      equal(() => texts, ['1', LOST, '2'], what, { given: world.facts(), label: 'it heard' });
    }),
  ),
  loss('A read that has all that a room has to remember leaves nothing out.', async (world) => {
    const process = world.start(10);
    const ear = await Ear.in(world, process.bus, 'tea');
    await world.waitsFor(process, 'tea');
    process.reader.hold('commands');
    const texts = Array.from({ length: 11 }, (_, i) => `${i}`);
    await world.say('tea', ...texts);
    process.reader.release();
    const what = 'As long as the last entry that was delivered is there, nothing is lost.';
    await ear.hears(texts, what);
  }),
  loss('Who leaves while the engine is away is told nothing.', async (world, { BLOCK_MS }) => {
    const process = world.start();
    const [tea, ink] = await household(world, process);
    world.engine.goes();
    for (const ear of [...tea, ...ink]) ear.leave();
    await giveWay(20);
    world.engine.comesBack('nothing');
    await giveWay(150);
    await world.settles();
    for (const ear of [...tea, ...ink]) await ear.hears([], 'Who has left hears nothing.');
    world.engine.passes(BLOCK_MS);
    await world.settles();
    equal(
      () => process.reader.awaited.filter(([stream]) => /tea|ink/.test(stream)),
      [],
      'When nobody is in a room any more, nothing is read.',
      {
        given: world.facts(),
        label: 'the reader waits for',
      },
    );
    const ear = await Ear.in(world, process.bus, 'tea');
    await world.say('tea', '1');
    await world.hearsAfterLoss(ear, ['1'], 'It begins again with who comes next.');
  }),
  loss('A bus that is stopped while the engine is away stays so.', async (world) => {
    const process = world.start();
    const [tea] = await household(world, process);
    world.engine.goes();
    process.bus.stop();
    world.engine.comesBack('nothing');
    const before = process.reader.attempts;
    await giveWay(150);
    await world.settles();
    for (const ear of tea) await ear.hears([], 'After `stop`, nothing is delivered.');
    equal(
      () => process.reader.attempts - before <= 1,
      true,
      'A bus that is stopped asks for nothing.',
      {
        given: world.facts(),
        label: 'no more than one command',
        inWords: true,
      },
    );
  }),
];

export const LOSSES: Scenarios = [...REPLIES, ...CONNECTIONS, ...ENGINES];

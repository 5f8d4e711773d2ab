/** Category M for clients: every frame is masked, with a key that nobody can guess. RFC 6455 §5.3 */
import type { Case, Category } from '../case.ts';
import { expectReplies, expectReply } from '../expect.ts';
import { Failed, type Finding } from '../model.ts';
import { answers, finish } from '../script.ts';
import type { Stage } from '../stage.ts';
import type { Visit } from '../visit.ts';
import { binary, echoOf, ping, pongReply, text, textReply } from '../vocabulary.ts';

const FRAMES = 200;
/** Of so many keys, two are the same once in 200 000 runs. So one that is seen again is no proof. */
const CHANCE = 1;

const hexOf = (key: Uint8Array) => Buffer.from(key).toString('hex');

/** Has so many messages and Pings answered. Returns the masking keys, and how it ended. */
async function collectKeys(stage: Stage): Promise<{ keys: readonly Uint8Array[]; end: Finding }> {
  const endpoint = await stage.open();
  for (let i = 1; i <= FRAMES / 2; i++) {
    const payload = `message ${i}`;
    await endpoint.send([text(payload), ping(payload)]);
    await expectReplies(endpoint, [textReply(payload), pongReply(payload)], `Message ${i}: `);
  }
  const keys = [...endpoint.keys];
  return { keys, end: await finish(endpoint) };
}

const FRESH: Case = {
  id: 'M.2',
  title: `${FRAMES} echoes and Pongs`,
  section: '5.3',
  expected: 'A new masking key for each frame.',
  run: async (stage) => {
    const { keys, end } = await collectKeys(stage);
    const different = new Set(keys.map(hexOf)).size;
    if (keys.length - different <= CHANCE) return end;
    throw new Failed(`Of ${keys.length} masking keys, ${different} are different.`);
  },
};

/** What a key may be to the one before it: a counter, in either order of bytes, or a fixed mix. */
const STEPS: readonly (readonly [name: string, of: (a: Buffer, b: Buffer) => number])[] = [
  ['the one before it plus the same number', (a, b) => (b.readUInt32BE() - a.readUInt32BE()) >>> 0],
  ['the one before it plus the same number', (a, b) => (b.readUInt32LE() - a.readUInt32LE()) >>> 0],
  ['the one before it, mixed with the same bits', (a, b) => a.readUInt32BE() ^ b.readUInt32BE()],
];

/** Says what gives keys away. `undefined`: nothing does, as far as that can be seen. */
function patternOf(keys: readonly Buffer[]): string | undefined {
  for (const [name, stepOf] of STEPS) {
    const steps = keys.slice(1).map((key, i) => stepOf(keys[i]!, key));
    if (steps.length - new Set(steps).size > CHANCE) return `Again and again, a key is ${name}.`;
  }
  const all = keys.map((key) => key.readUInt32BE());
  const fixed = all.reduce((bits, key) => bits & ~(key ^ all[0]!), -1) >>> 0;
  const count = fixed.toString(2).replaceAll('0', '').length;
  return count > 0 ? `Of the 32 bits of a key, ${count} are the same in all of them.` : undefined;
}

const UNPREDICTABLE: Case = {
  id: 'M.3',
  title: `${FRAMES} echoes and Pongs, and what their keys have in common`,
  section: '5.3',
  expected: 'Keys of which none tells the next.',
  run: async (stage) => {
    const { keys, end } = await collectKeys(stage);
    const pattern = patternOf(keys.map((key) => Buffer.from(key)));
    if (pattern) throw new Failed(pattern);
    return end;
  },
};

const ANOTHER_CONNECTION: Case<Visit> = {
  id: 'M.4',
  title: 'The first key of a connection',
  section: '5.3',
  expected: 'Another one than in the connections before.',
  run: async (visit) => {
    const endpoint = await visit.open();
    await endpoint.send([text('first')]);
    await expectReply(endpoint, textReply('first'));
    const [key] = endpoint.keys.map(hexOf);
    if (!visit.history.firstMasks.includes(key ?? '')) return finish(endpoint);
    throw new Failed(`The first masking key, ${key}, was that of another connection, too.`);
  },
};

/** So many keys may be seen again in a whole run: with 10 000 frames, one is a rare chance. */
const CHANCE_IN_ALL = 3;

const EVERYWHERE: Case<Visit> = {
  id: 'M.5',
  title: 'The keys of all connections before',
  section: '5.3',
  expected: 'In each connection, a new masking key for each frame.',
  run: async (visit) => {
    const { frames, repeated } = visit.history.masked;
    if (repeated <= CHANCE_IN_ALL) return finish(await visit.open());
    throw new Failed(
      `Of ${frames} frames, ${repeated} had the key of another in their connection.`,
    );
  },
};

export const MASKING: Category<Visit> = {
  id: 'M',
  title: 'Masking',
  cases: [
    answers(
      ['M.1', 'A Ping, a text, a binary message and a Close', '5.1'],
      [ping('ping'), text('text'), binary('binary')],
      [pongReply('ping'), textReply('text'), echoOf(binary('binary'))],
    ),
    FRESH,
    UNPREDICTABLE,
    ANOTHER_CONNECTION,
    EVERYWHERE,
  ],
};

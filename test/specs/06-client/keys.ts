/** Step 2: the key. */
import { equal, fail } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { withRandom } from '../../../shared/harness/random.ts';
import { show } from '../../../shared/harness/show.ts';
import { toHex } from '../../../shared/view/hex.ts';
import type { Lesson, Scenarios } from './tools.ts';

const SAMPLE = new TextEncoder().encode('the sample nonce');
const COUNTED = Uint8Array.from({ length: 16 }, (_, i) => i + 1);
/** Its base64 has both of the digits that base64 of URLs has not. */
const PLUS_AND_SLASH = Uint8Array.from({ length: 16 }, (_, i) => [0xfb, 0xef, 0xff][i % 3]!);
const ONES = new Uint8Array(16).fill(0xff);

const HEX_DIGITS = 'That is base64 of hex digits. Take the 16 bytes themselves.';
const NOT_ASKED = '`random` was not asked for this key. Each key has new bytes, from there.';

/** Gives these bytes to a caller that asks for 16. */
function giving(bytes: Uint8Array): (size: number) => Uint8Array {
  return (size) => {
    if (size === 16) return bytes;
    return fail('A key has 16 bytes: ask for them in one call.', [
      ['call', 'newKey(random)'],
      ['you called', `random(${size})`],
    ]);
  };
}

function givenOf(bytes: Uint8Array): Fact[] {
  return [
    ['call', 'newKey(random)'],
    ['random(16)', `returns ${toHex(bytes)}`],
  ];
}

/** What else somebody may have written, who has these bytes. */
function mistakeIn(returned: unknown, bytes: Uint8Array): string | undefined {
  const buffer = Buffer.from(bytes);
  const base64 = buffer.toString('base64');
  if (returned === buffer.toString('hex')) return 'That is hex. A key is in base64.';
  if (returned === buffer.toString('base64url')) {
    return 'That is base64 for URLs. A key is in plain base64, with + and / and two = at its end.';
  }
  if (returned === base64.replace(/=+$/, '')) return 'The `==` at its end is missing.';
  if (returned === Buffer.from(buffer.toString('hex')).toString('base64')) {
    return HEX_DIGITS;
  }
  if (/^[\da-f]+$/.test(Buffer.from(String(returned), 'base64').toString('latin1')))
    return HEX_DIGITS;
  return returned === Buffer.from(bytes.buffer).toString('base64')
    ? 'Those are more bytes than it was given. A Uint8Array may be a part of a larger buffer.'
    : undefined;
}

function isBase64Of({ newKey }: Lesson, bytes: Uint8Array, what: string): void {
  let wasAsked = false;
  const random = (size: number) => {
    wasAsked = true;
    return giving(bytes)(size);
  };
  equal(() => newKey(random), Buffer.from(bytes).toString('base64'), what, {
    given: givenOf(bytes),
    cause: (returned) => (wasAsked ? mistakeIn(returned, bytes) : NOT_ASKED),
  });
}

/** How many keys are made: of good ones, no byte is missing at all, and none comes again. */
const COUNT = 512;
const PATTERN = /^[A-Za-z0-9+/]{22}==$/;

/** Makes keys without a `random`, and says whether Math.random was asked for them. */
function makeKeys({ newKey }: Lesson): { keys: readonly unknown[]; asked: boolean } {
  let asked = false;
  const random = () => {
    asked = true;
    return 0.42;
  };
  return withRandom(random, () => {
    const keys = Array.from({ length: COUNT }, () => newKey());
    return { keys, asked };
  });
}

/** Checks that nobody can guess a key. */
function cannotBeGuessed(lesson: Lesson): void {
  const { keys, asked } = makeKeys(lesson);
  const bytes = keys.map((key) => Buffer.from(String(key), 'base64'));
  const values = Array.from(
    { length: 16 },
    (_, place) => new Set(bytes.map((key) => key[place])).size,
  );
  const facts: Fact[] = [
    ['call', `newKey(), ${COUNT} times`],
    ['the keys', `${keys.slice(0, 3).map(show).join(', ')} …`],
  ];
  const wrong = keys.find((key) => !PATTERN.test(String(key)));
  if (wrong !== undefined) {
    fail('Without a `random` of the caller, a key is 16 bytes in base64, too.', [
      ...facts,
      ['one of them', show(wrong)],
    ]);
  }
  const what = 'Without a `random` of the caller, take keys that nobody can guess.';
  const remedy = 'Take 16 new bytes from `randomBytes` of node:crypto for each.';
  if (asked) {
    fail(
      what,
      [...facts, ['Math.random', 'was asked; here it always returns 0.42']],
      `They are from Math.random: somebody who has seen a few of its numbers can compute the next. ${remedy}`,
    );
  }
  const repeats = COUNT - new Set(keys).size;
  if (repeats > 0) fail(what, [...facts, ['repeats', `${repeats}`]], `Keys come again. ${remedy}`);
  // Of good keys, 221 of the 256 values are there on average, and hardly ever 20 fewer.
  const fewest = Math.min(...values);
  if (fewest < 150) {
    const place = `${fewest} different bytes at place ${values.indexOf(fewest) + 1} of 16`;
    fail(what, [...facts, ['only', place]], `Each byte can have any of 256 values. ${remedy}`);
  }
}

export const KEYS: Scenarios = [
  {
    what: 'A key is 16 bytes in base64.',
    rules: [20],
    check: (lesson) => {
      for (const bytes of [SAMPLE, COUNTED, PLUS_AND_SLASH, ONES, new Uint8Array(16)]) {
        isBase64Of(lesson, bytes, 'A key is 16 bytes in base64.');
      }
    },
  },
  {
    what: 'Take the 16 bytes, also where they are a part of a larger buffer.',
    rules: [20],
    check: (lesson) => {
      const larger = Uint8Array.from({ length: 64 }, (_, i) => i * 3);
      isBase64Of(lesson, larger.subarray(5, 21), 'Take the 16 bytes of `random`, and no others.');
    },
  },
  {
    what: 'Each connection has a key of its own: ask again.',
    rules: [21],
    check: ({ newKey }) => {
      const answers = [SAMPLE, COUNTED, SAMPLE];
      let asked = 0;
      const random = (size: number) => giving(answers[Math.min(asked++, 2)]!)(size);
      for (const [i, bytes] of answers.entries()) {
        const key = Buffer.from(bytes).toString('base64');
        equal(() => newKey(random), key, 'Each connection has a key of its own: ask again.', {
          given: [...givenOf(bytes), ['before it', `${i} calls, with other bytes`]],
        });
        if (asked === i + 1) continue;
        fail('For each key, `random` is asked once.', [
          ['calls of newKey', `${i + 1}`],
          ['calls of random', `${asked}`],
        ]);
      }
    },
  },
  {
    what: 'Without a `random` of the caller, take keys that nobody can guess.',
    rules: [20, 21],
    check: cannotBeGuessed,
  },
];

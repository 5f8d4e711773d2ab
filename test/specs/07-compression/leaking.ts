/** Step 10: a secret that is compressed together with the text of a stranger. */
import { CheckFailure, equal } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import { utf8 } from '../../../shared/kit/frames.ts';
import { type Choices, generated } from '../../../shared/kit/generate.ts';
import { count } from '../../../shared/view/count.ts';
import type { Lesson, Scenarios } from './tools.ts';

const DIGITS = '0123456789abcdef';
const KNOWN = 'token=';

/** So many times the lengths that suffice may be asked for. */
const PATIENCE = 8;

/** Somebody who sees lengths. */
interface Attack {
  readonly alphabet: string;
  /** How many characters are to be found out. */
  readonly count: number;
  readonly lengthOf: (text: string) => number;
  /** How long a message is: what a failure tells of it. */
  readonly told: readonly Fact[];
  /** How many guesses may be as short as the right one, at each character. */
  readonly ties?: number;
  /** Why somebody asks for too many lengths. */
  readonly cause?: string;
}

const ONLY_SHORTEST =
  'Which guesses go on to the next character? Those that are the shortest, and no others.';

/** The call, and all that is known of the lengths. */
function given({ alphabet, count: length, told }: Attack): Fact[] {
  return [['call', `guessSecret(lengthOf, '${KNOWN}', '${alphabet}', ${length})`], ...told];
}

/** Guesses, and counts the lengths that are asked for. More than are needed fail. */
function guess({ guessSecret }: Lesson, attack: Attack): string | undefined {
  const { alphabet, count: length, lengthOf, ties = 1, cause = ONLY_SHORTEST } = attack;
  const most = length * alphabet.length * ties * PATIENCE;
  let asked = 0;
  const counting = (text: string) => {
    if (++asked <= most) return lengthOf(text);
    throw new CheckFailure(
      'A secret is found one character after the other.',
      [...given(attack), ['asked for', `the lengths of more than ${count(most, 'text')}`]],
      cause,
    );
  };
  return guessSecret(counting, KNOWN, alphabet, length);
}

/** Checks what is found out. `undefined`: nothing. */
function finds(lesson: Lesson, attack: Attack, expected: string | undefined, what: string): void {
  const { lengthOf } = attack;
  let isBare = false;
  const watching = (text: string) => {
    isBare ||= !text.startsWith(KNOWN);
    return lengthOf(text);
  };
  equal(() => guess(lesson, { ...attack, lengthOf: watching }), expected, what, {
    cause: () => (isBare ? `You ask for texts that do not begin with '${KNOWN}'.` : undefined),
    given: given(attack),
  });
}

/** How much of two texts is the same, from their beginnings on. */
function common(text: string, secret: string): number {
  let length = 0;
  while (length < text.length && text[length] === secret[length]) length++;
  return length;
}

/** An attack in which each character that is right makes the message one byte shorter. */
function plainAttack(secret: string, alphabet: string): Attack {
  return {
    alphabet,
    count: secret.length - KNOWN.length,
    lengthOf: (text) => 100 + text.length - common(text, secret),
    told: [
      ['the secret', show(secret)],
      ['lengthOf(text)', '100, and one more for each character from the first wrong one on'],
    ],
  };
}

/** Writes these characters as a choice. */
const oneOf = (characters: string) => [...characters].join(', ').replace(/, (?=.$)/, ' or ');

/** The same, but for wrong characters that look right until the next one. */
function attackWithTies(secret: string, alphabet: string, decoys: string): Attack {
  const { lengthOf, ...plain } = plainAttack(secret, alphabet);
  const isDecoy = (text: string) =>
    common(text, secret) === text.length - 1 && decoys.includes(text.at(-1) as string);
  return {
    ...plain,
    lengthOf: (text) => lengthOf(text) - (isDecoy(text) ? 1 : 0),
    told: [
      ...plain.told,
      ['by chance', `100 as well when only the last one is wrong, and ${oneOf(decoys)}`],
    ],
    ties: decoys.length + 1,
  };
}

/** An attack in which each character makes the message longer, and one that is right less so. */
function growingAttack(secret: string, alphabet: string): Attack {
  const { lengthOf, ...plain } = plainAttack(secret, alphabet);
  return {
    ...plain,
    lengthOf: (text) => lengthOf(text) + text.length,
    told: [
      [
        'lengthOf(text)',
        `two bytes for each character, but one for each that is as in ${show(secret)}`,
      ],
    ],
  };
}

/** An attack on a secret of three digits, of which the second shows only together with the third. */
function lateAttack(secret: string, firsts: string, left: string): Attack {
  const isShort = (text: string) => {
    const [first = '', ...others] = text.slice(KNOWN.length);
    if (others.length > 1) return text === secret;
    return (others.length === 0 ? firsts : left).includes(first);
  };
  return {
    alphabet: DIGITS,
    count: 3,
    lengthOf: (text) => 100 + text.length - (isShort(text) ? 1 : 0),
    told: [
      ['with one digit', `a byte less for any of ${show(firsts)}`],
      ['with two', `a byte less after any of ${show(left)}, whatever the second is`],
      ['with three', `a byte less for ${show(secret)}`],
    ],
    ties: firsts.length,
  };
}

/** An attack on messages that the lesson itself compresses. */
function attackOn(
  { deflateMessage }: Lesson,
  secret: string,
  where: 'beside' | 'before' | 'elsewhere',
): Attack {
  const carrier = (text: string) => JSON.stringify({ to: 'ana', text });
  const beside = where === 'beside' ? secret : '';
  const before = where === 'before' ? `{"cookie":"${secret}"}` : '{"to":"ana","text":"Hello"}';
  const window = where === 'beside' ? '' : before;
  const message = (text: string) => carrier(text) + beside;
  return {
    alphabet: DIGITS,
    count: secret.length - KNOWN.length,
    lengthOf: (text) => deflateMessage(utf8(message(text)), utf8(window)).length,
    told: [
      ['the secret', show(secret)],
      ['lengthOf(text)', 'the length of what `deflateMessage` makes of the message with the text'],
      ['the message', message('<text>')],
      ['the window has', window || 'nothing'],
    ],
    ties: 8,
  };
}

/** Secrets with a digit twice in a row, and digits in a row. */
const SECRETS = ['token=7f3a9c', 'token=00f1e2', 'token=fedcba'];

function leaks(where: 'beside' | 'before', what: string): Scenario<Lesson> {
  return {
    what,
    rules: [178],
    check(lesson) {
      for (const secret of SECRETS) finds(lesson, attackOn(lesson, secret, where), secret, what);
    },
  };
}

/** Draws characters of an alphabet. */
const draw = (choose: Choices, alphabet: string, length: number) =>
  Array.from({ length }, () => choose.pick([...alphabet])).join('');

export const LEAKING: Scenarios = [
  {
    what: 'The shortest message has the right character.',
    rules: [178],
    check(lesson) {
      for (const secret of ['token=7', 'token=0', 'token=f']) {
        const what = 'The guess that makes the shortest message is right.';
        finds(lesson, plainAttack(secret, DIGITS), secret, what);
      }
    },
  },
  {
    what: 'A secret is found one character after the other.',
    rules: [178],
    check(lesson) {
      const secret = 'token=7f3a9c';
      finds(lesson, plainAttack(secret, DIGITS), secret, 'Each character is found in its turn.');
    },
  },
  {
    what: 'Guesses that are equally short all go on, and the next character tells them apart.',
    rules: [178],
    check(lesson) {
      const secret = 'token=7f3a9';
      const attack = attackWithTies(secret, DIGITS, '01bcde');
      // After the last character, none tells them apart.
      const what = 'Of guesses that are equally short, the next character tells which was right.';
      const first = () => guess(lesson, attack)?.slice(0, -1);
      const label = 'returned, without the last digit';
      equal(first, secret.slice(0, -1), what, { given: given(attack), label });
    },
  },
  {
    what: 'The right guess can be longer than the one before it.',
    rules: [178],
    check(lesson) {
      const secret = 'token=7f3a9c';
      const what = 'The shortest goes on, whatever the length was before.';
      finds(lesson, growingAttack(secret, DIGITS), secret, what);
    },
  },
  {
    what: 'As many guesses as the alphabet has characters can be left, and more.',
    rules: [178],
    check(lesson) {
      const secret = 'token=7f3';
      const what = 'All guesses that are the shortest go on, however many they are.';
      finds(lesson, lateAttack(secret, '37', '7'), secret, what);
      finds(lesson, lateAttack(secret, '37b', '37'), secret, what);
    },
  },
  {
    what: 'Where all guesses are equally long, nothing is found.',
    rules: [178],
    check(lesson) {
      const lengthOf = () => 42;
      const told: Fact[] = [['lengthOf(text)', 'always 42']];
      const what = 'Lengths that are all the same tell nothing.';
      const cause = 'All guesses are equally long. To go on with them leads nowhere.';
      finds(lesson, { alphabet: DIGITS, count: 6, lengthOf, told, cause }, undefined, what);

      const plain = plainAttack('token=7f3a9c', DIGITS);
      const blind = {
        ...plain,
        lengthOf: (text: string) => plain.lengthOf(text.slice(0, KNOWN.length + 3)),
        told: [...plain.told, ['of the text', 'only the first three digits count'] as const],
        cause,
      };
      finds(lesson, blind, undefined, 'Where lengths tell no more, the secret is not found.');
    },
  },
  leaks('beside', 'Compressed in one message with the text of a stranger, a secret is found.'),
  leaks('before', 'A secret in an earlier message is found, since the window still has it.'),
  {
    what: 'A secret that was sent with `compress: false` is not in the window, and not found.',
    rules: [178],
    check(lesson) {
      const what = 'A secret that is not in the window does not show in the lengths.';
      for (const secret of SECRETS) {
        finds(lesson, attackOn(lesson, secret, 'elsewhere'), undefined, what);
      }
    },
  },
  {
    what: 'Any secret, of any alphabet.',
    rules: [],
    check(lesson) {
      generated(40, (choose) => {
        const alphabet = choose.pick(['01', 'abc', DIGITS, 'zyxwv']);
        const secret = KNOWN + draw(choose, alphabet, 1 + choose.below(6));
        finds(lesson, plainAttack(secret, alphabet), secret, 'Any secret is found.');
      });
    },
  },
];

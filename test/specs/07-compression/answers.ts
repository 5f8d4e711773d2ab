/** Step 9: what a client makes of the answer to its offer. */
import { equal } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import { generated } from '../../../shared/kit/generate.ts';
import { quote } from '../../../shared/view/hex.ts';
import type {
  DeflateParams,
  DeflatePolicy,
  ExtensionItem,
} from '../../../solutions/07-compression/compression.ts';
import { agreedIn, canBeKept, drawElement, drawPolicy } from './chooser.ts';
import { extensionsOf, inFull, readExtensions } from './extensions.ts';
import type { Lesson, Scenarios } from './tools.ts';

/** Checks what is made of an answer. `undefined`: the connection has to fail. */
function makes(
  { checkDeflate }: Lesson,
  answer: string,
  policy: DeflatePolicy,
  expected: DeflateParams | undefined,
  what: string,
): void {
  const isDefault = Object.keys(policy).length === 0;
  const items = Object.freeze(readExtensions(answer) ?? []);
  const own = Object.freeze({ ...policy });
  equal(() => (isDefault ? checkDeflate(items) : checkDeflate(items, own)), expected, what, {
    get given(): Fact[] {
      return [
        ['call', isDefault ? 'checkDeflate(answer)' : `checkDeflate(answer, ${show(policy)})`],
        ['answer', answer === '' ? '[]' : `parseExtensions(${quote(answer)})`],
      ];
    },
    causeOfError: () => {
      // Those that can be changed make the difference.
      checkDeflate([...items], { ...policy });
      return 'The answer and the policy are readonly: leave them as they are, and work on a copy.';
    },
  });
}

/** An answer, and in the same words what both do then. */
type Answer = readonly [answer: string, meaning: string];

function accepts(
  rules: readonly number[],
  what: string,
  policy: DeflatePolicy,
  ...rows: readonly Answer[]
): Scenarios[number] {
  return {
    what,
    rules,
    check: (lesson) => {
      for (const [answer, meaning] of rows) {
        makes(lesson, inFull(answer), policy, agreedIn(inFull(meaning)), what);
      }
    },
  };
}

function refuses(
  rules: readonly number[],
  mistake: string,
  policy: DeflatePolicy,
  ...answers: readonly string[]
): Scenarios[number] {
  const what = `Refuse ${mistake}.`;
  return {
    what,
    rules,
    check: (lesson) => {
      for (const answer of answers) makes(lesson, inFull(answer), policy, undefined, what);
    },
  };
}

/** The same answers, and what they mean: what they say. */
const asTheySay = (...answers: readonly string[]): Answer[] =>
  answers.map((answer) => [answer, answer]);

const ACCEPTED: Scenarios = [
  accepts([140], 'Accept a bare answer.', {}, ['pmd', 'pmd']),
  accepts(
    [140],
    'Accept a limit for our window, since we have offered that.',
    {},
    ...asTheySay('pmd; cmwb=15', 'pmd; cmwb=12', 'pmd; cmwb=9', 'pmd; cmwb=8'),
  ),
  accepts(
    [140],
    'Accept a limit that the server has set for itself, unasked.',
    {},
    ...asTheySay('pmd; smwb=15', 'pmd; smwb=10', 'pmd; smwb=8'),
  ),
  accepts(
    [140],
    'Accept a server that forgets its window, unasked.',
    {},
    ...asTheySay('pmd; snct', 'pmd; snct; smwb=9'),
  ),
  accepts(
    [140],
    'Accept that our window has to be forgotten, unasked.',
    {},
    ...asTheySay('pmd; cnct', 'pmd; cnct; snct; cmwb=10; smwb=11'),
  ),
  accepts(
    [140],
    'Accept what we have asked of the server, or more.',
    { serverNoContextTakeover: true, serverMaxWindowBits: 10 },
    ...asTheySay('pmd; snct; smwb=10', 'pmd; smwb=9; snct', 'pmd; snct; smwb=8; cnct'),
  ),
  accepts(
    [140],
    'Accept a limit for our window below what we have offered.',
    { clientMaxWindowBits: 12 },
    ...asTheySay('pmd; cmwb=12', 'pmd; cmwb=8'),
  ),
  accepts(
    [140],
    'Keep to the limit that we have offered, when the answer has none.',
    { clientMaxWindowBits: 12 },
    ['pmd', 'pmd; cmwb=12'],
    ['pmd; smwb=9', 'pmd; smwb=9; cmwb=12'],
  ),
  accepts(
    [177],
    'Forget our window when we have offered that, whatever the answer.',
    { clientNoContextTakeover: true },
    ['pmd', 'pmd; cnct'],
    ['pmd; cnct', 'pmd; cnct'],
    ['pmd; snct; cmwb=9', 'pmd; snct; cnct; cmwb=9'],
  ),
  accepts(
    [140],
    'A policy that keeps the windows is none against forgetting them.',
    { serverNoContextTakeover: false, clientNoContextTakeover: false },
    ...asTheySay('pmd', 'pmd; snct; cnct'),
  ),
];

const REFUSED: Scenarios = [
  refuses([163], 'a limit for our window that says no number', {}, 'pmd; cmwb'),
  refuses([163], '`server_max_window_bits` without a value', {}, 'pmd; smwb', 'pmd; snct; smwb'),
  refuses(
    [140, 163],
    'window bits that are not 8 to 15',
    {},
    ...['7', '16', '19', '0', '99'].flatMap((bits) => [`pmd; cmwb=${bits}`, `pmd; smwb=${bits}`]),
  ),
  refuses(
    [140, 163],
    'window bits that are not written in decimal, without zeros before them',
    {},
    ...['010', '+10', '08', '1e1', '0xA'].flatMap((bits) => [
      `pmd; cmwb=${bits}`,
      `pmd; smwb=${bits}`,
    ]),
  ),
  refuses(
    [140, 163],
    'a value for a parameter that has none',
    {},
    'pmd; snct=true',
    'pmd; cnct=undefined',
  ),
  refuses(
    [163],
    'a parameter that comes twice',
    {},
    'pmd; snct; snct',
    'pmd; cmwb=9; cmwb=9',
    'pmd; smwb=9; smwb=10',
  ),
  refuses(
    [144, 163],
    'an unknown parameter',
    {},
    'pmd; foo',
    'pmd; foo=bar',
    'pmd; __proto__',
    'pmd; Server_No_Context_Takeover',
  ),
  refuses([62, 163], 'two elements', {}, 'pmd, pmd', 'pmd; snct, pmd', 'pmd, x', 'x, pmd'),
  refuses(
    [143, 163],
    'another extension',
    {},
    'x-webkit-deflate-frame',
    'PerMessage-Deflate',
    'toString',
  ),
  refuses([163], 'an answer without an element', {}, ''),
  refuses(
    [163],
    'a server that does not forget its window, though we have asked for it',
    { serverNoContextTakeover: true },
    'pmd',
    'pmd; cnct; smwb=9',
  ),
  refuses(
    [163],
    'a server that does not keep to the window that we have asked for',
    { serverMaxWindowBits: 10 },
    'pmd',
    'pmd; smwb=11',
    'pmd; smwb=15; snct',
    'pmd; cmwb=10',
  ),
  refuses(
    [163],
    'a limit for our window one above what we have offered',
    { clientMaxWindowBits: 12 },
    'pmd; cmwb=13',
  ),
  refuses(
    [163],
    'a limit for our window far above what we have offered',
    { clientMaxWindowBits: 9 },
    'pmd; cmwb=10',
    'pmd; cmwb=15',
  ),
];

const KEPT: Scenarios[number] = {
  what: 'What an answer means stays as it is, when there is another one.',
  rules: [],
  check: ({ checkDeflate }) => {
    const what = 'What an answer means stays as it is, when there is another one.';
    const [one, other] = [inFull('pmd; snct; cmwb=9'), inFull('pmd; cnct; smwb=12')];
    const first = checkDeflate(extensionsOf(one));
    checkDeflate(extensionsOf(other));
    equal(() => first, agreedIn(one), what, {
      given: [
        ['call 1', `checkDeflate, with the answer ${quote(one)}`],
        ['call 2', `checkDeflate, with the answer ${quote(other)}`],
      ],
      label: 'the first result',
    });
  },
};

/** What the two ends do after an answer. `undefined`: it cannot be. */
function slowCheck(
  items: readonly ExtensionItem[],
  policy: DeflatePolicy,
): DeflateParams | undefined {
  const [item] = items;
  if (!item || items.length > 1 || !canBeKept(item)) return undefined;
  const told = new Map(item.params.map(({ name, value }) => [name, value]));
  const bitsOf = (name: string, otherwise = 15) =>
    told.has(name) ? Number(told.get(name)) : otherwise;
  const [wanted = 15, offered = 15] = [policy.serverMaxWindowBits, policy.clientMaxWindowBits];
  const [serverBits, clientBits] = [
    bitsOf('server_max_window_bits'),
    bitsOf('client_max_window_bits', offered),
  ];
  // Without a value, the limit of the client is not a number.
  if (!(serverBits <= wanted && clientBits <= offered)) return undefined;
  const forgets = told.has('server_no_context_takeover');
  if (policy.serverNoContextTakeover && !forgets) return undefined;
  return {
    serverNoContextTakeover: forgets,
    clientNoContextTakeover:
      told.has('client_no_context_takeover') || policy.clientNoContextTakeover === true,
    serverMaxWindowBits: serverBits,
    clientMaxWindowBits: clientBits,
  };
}

export const ANY_ANSWER: Scenarios[number] = {
  what: 'Any answer, right or wrong, to what any policy offers.',
  rules: [140, 144, 163, 177],
  check: (lesson) => {
    generated(80, (choose) => {
      const policy = drawPolicy(choose);
      const first = drawElement(choose);
      const answer = choose.oneIn(12) ? `${first}, ${drawElement(choose)}` : first;
      const items = extensionsOf(answer);
      const isSilent = !items[0]?.params.some(({ name }) => name === 'server_max_window_bits');
      // Whether a server has to answer a limit that is none, the text leaves open.
      if (policy.serverMaxWindowBits === 15 && isSilent) return;
      const expected = slowCheck(items, policy);
      const what = expected
        ? 'Do what the answer says, and what we have offered.'
        : 'Refuse an answer that cannot be, or is not for this offer.';
      makes(lesson, answer, policy, expected, what);
    });
  },
};

export const ANSWERS: Scenarios = [...ACCEPTED, ...REFUSED, KEPT];

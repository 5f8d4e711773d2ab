/** Step 2: what a server chooses among offers. */
import { equal } from '../../../shared/harness/check.ts';
import { generated } from '../../../shared/kit/generate.ts';
import { quote } from '../../../shared/view/hex.ts';
import type { DeflatePolicy } from '../../../solutions/07-compression/compression.ts';
import { chooses, drawOffers, drawPolicy, slowChoice } from './chooser.ts';
import { extensionsOf, inFull } from './extensions.ts';
import type { Scenarios } from './tools.ts';

const DEFAULTS: DeflatePolicy = {};
const FORGETTING: DeflatePolicy = { serverNoContextTakeover: true };
const SMALL: DeflatePolicy = { serverMaxWindowBits: 10, clientMaxWindowBits: 10 };

const FORGETS = 'A server whose policy is to forget its window says so to everyone.';
const LIMITS = 'A policy of 10 bits limits the server, and the client if that has offered it.';

/** What a server with one of the policies answers, in short. `undefined`: it declines. */
type Answers = readonly [defaults: string | undefined, small: string | undefined];

/** A scenario with offers, in short, that three servers answer. */
function answers(
  rules: readonly number[],
  what: string,
  ...rows: readonly (readonly [offers: string, ...Answers])[]
): Scenarios[number] {
  return {
    what,
    rules,
    check: (lesson) => {
      for (const [short, defaults, small] of rows) {
        const offers = inFull(short);
        const full = (answer: string | undefined) => answer && inFull(answer);
        // Who forgets anyway answers as by default, and says so.
        const forgetting = defaults?.replace(/^pmd(; snct)?/, 'pmd; snct');
        chooses(lesson, offers, DEFAULTS, full(defaults), what);
        const [forgets, limits] = defaults === undefined ? [what, what] : [FORGETS, LIMITS];
        chooses(lesson, offers, FORGETTING, full(forgetting), forgets);
        chooses(lesson, offers, SMALL, full(small), limits);
      }
    },
  };
}

function declines(
  rules: readonly number[],
  mistake: string,
  ...offers: readonly string[]
): Scenarios[number] {
  const rows = offers.map((offer) => [offer, undefined, undefined] as const);
  return answers(rules, `Decline ${mistake}.`, ...rows);
}

const ACCEPTING: Scenarios = [
  answers([140], 'Accept the bare offer of Firefox and Safari.', ['pmd', 'pmd', 'pmd; smwb=10']),
  answers([161], 'Accept the offer of Chrome: `client_max_window_bits` alone.', [
    'pmd; cmwb',
    'pmd',
    'pmd; smwb=10; cmwb=10',
  ]),
  answers(
    [161],
    'Keep to the window that the client has named for itself.',
    ['pmd; cmwb=12', 'pmd; cmwb=12', 'pmd; smwb=10; cmwb=10'],
    ['pmd; cmwb=9', 'pmd; cmwb=9', 'pmd; smwb=10; cmwb=9'],
    ['pmd; cmwb=8', 'pmd; cmwb=8', 'pmd; smwb=10; cmwb=8'],
  ),
  answers([161], 'Leave out `client_max_window_bits=15`, which is so anyway.', [
    'pmd; cmwb=15',
    'pmd',
    'pmd; smwb=10; cmwb=10',
  ]),
  answers(
    [140, 161, 162],
    'Keep to the window that the client wants of the server, and say so.',
    ['pmd; smwb=12', 'pmd; smwb=12', 'pmd; smwb=10'],
    ['pmd; smwb=9', 'pmd; smwb=9', 'pmd; smwb=9'],
    ['pmd; smwb=8', 'pmd; smwb=8', 'pmd; smwb=8'],
    ['pmd; smwb=15', 'pmd; smwb=15', 'pmd; smwb=10'],
  ),
  answers([161, 176], 'Forget the window when the client wants it, and say so.', [
    'pmd; snct',
    'pmd; snct',
    'pmd; snct; smwb=10',
  ]),
  answers([161], 'Take up `client_no_context_takeover`.', [
    'pmd; cnct',
    'pmd; cnct',
    'pmd; cnct; smwb=10',
  ]),
  answers([161], 'Take up everything at once.', [
    'pmd; snct; cnct; cmwb; smwb=10',
    'pmd; snct; cnct; smwb=10',
    'pmd; snct; cnct; smwb=10; cmwb=10',
  ]),
  answers([161], 'The order of parameters does not matter.', [
    'pmd; smwb=11; cmwb=9; cnct; snct',
    'pmd; snct; cnct; smwb=11; cmwb=9',
    'pmd; snct; cnct; smwb=10; cmwb=9',
  ]),
];

const DECLINING: Scenarios = [
  declines(
    [140, 161],
    'window bits that are not 8 to 15',
    ...['7', '16', '17', '18', '19', '0', '1', '80', '99', '150'].flatMap((bits) => [
      `pmd; cmwb=${bits}`,
      `pmd; smwb=${bits}`,
    ]),
  ),
  declines(
    [140, 161],
    'window bits that are not written in decimal, without zeros before them',
    ...['010', '08', '1e1', '0xA', '+10', '-10', '10.', '10.0', 'a', 'true', 'NaN'].flatMap(
      (bits) => [`pmd; cmwb=${bits}`, `pmd; smwb=${bits}`],
    ),
  ),
  declines([140, 161], '`server_max_window_bits` without a value', 'pmd; smwb', 'pmd; cmwb; smwb'),
  declines(
    [140, 161],
    'a value for a parameter that has none',
    'pmd; snct=true',
    'pmd; snct=undefined',
    'pmd; cnct=1',
    'pmd; snct=snct; cmwb',
    'pmd; cnct=8',
  ),
  declines(
    [161],
    'a parameter that comes twice',
    'pmd; snct; snct',
    'pmd; cnct; smwb=10; cnct',
    'pmd; cmwb; cmwb=10',
    'pmd; smwb=10; smwb=10',
  ),
  declines([144, 161], 'an unknown parameter', 'pmd; foo', 'pmd; foo=bar', 'pmd; cmwb; x-foo=10'),
  declines(
    [144, 161],
    'a parameter in capitals',
    'pmd; Client_Max_Window_Bits',
    'pmd; SERVER_NO_CONTEXT_TAKEOVER',
  ),
  declines(
    [144, 161],
    'a parameter with the name of something that every object has',
    'pmd; toString',
    'pmd; __proto__',
    'pmd; constructor=1',
    'pmd; hasOwnProperty; valueOf',
  ),
  declines(
    [51, 143],
    'any other extension',
    'x-webkit-deflate-frame',
    'permessage-bzip2; level=9',
    'permessage-deflate-x; cmwb',
    'deflate',
    'toString, __proto__',
  ),
  declines(
    [51, 143],
    'the extension in capitals',
    'PerMessage-Deflate',
    'PERMESSAGE-DEFLATE; cmwb',
  ),
  {
    what: 'Without any offer, there is nothing to choose.',
    rules: [51],
    check: (lesson) => {
      const what = 'Without any offer, there is nothing to choose.';
      for (const policy of [DEFAULTS, FORGETTING, SMALL]) {
        chooses(lesson, '', policy, undefined, what);
      }
    },
  },
];

const AMONG_SEVERAL: Scenarios = [
  answers(
    [51, 161],
    'Pass over an offer that cannot be, and take the next.',
    ['pmd; foo, pmd', 'pmd', 'pmd; smwb=10'],
    ['pmd; smwb=7, pmd; cmwb', 'pmd', 'pmd; smwb=10; cmwb=10'],
    ['pmd; snct; snct, pmd; snct=1, pmd; smwb=9', 'pmd; smwb=9', 'pmd; smwb=9'],
    [`${'pmd; foo, '.repeat(20)}pmd; cnct`, 'pmd; cnct', 'pmd; cnct; smwb=10'],
  ),
  answers(
    [51, 161],
    'Pass over another extension.',
    ['x-webkit-deflate-frame, pmd; cmwb', 'pmd', 'pmd; smwb=10; cmwb=10'],
    ['x-foo; a; b=1; b=2, pmd; cmwb', 'pmd', 'pmd; smwb=10; cmwb=10'],
  ),
  answers(
    [161],
    'Take the first offer that can be kept, and nothing of the others.',
    ['pmd; smwb=10, pmd', 'pmd; smwb=10', 'pmd; smwb=10'],
    ['pmd, pmd; smwb=9; cnct', 'pmd', 'pmd; smwb=10'],
    ['pmd; cnct, pmd; snct; cmwb=9', 'pmd; cnct', 'pmd; cnct; smwb=10'],
    ['pmd; cmwb=12, pmd; cmwb=9, pmd; foo', 'pmd; cmwb=12', 'pmd; smwb=10; cmwb=10'],
  ),
];

/** A scenario with a policy of its own. */
function wants(
  what: string,
  policy: DeflatePolicy,
  ...rows: readonly (readonly [offers: string, answer: string])[]
): Scenarios[number] {
  return {
    what,
    rules: [161],
    check: (lesson) => {
      for (const [offers, answer] of rows) {
        chooses(lesson, inFull(offers), policy, inFull(answer), what);
      }
    },
  };
}

const POLICIES: Scenarios = [
  wants(
    'Ask the client to forget its window when the policy wants it.',
    { clientNoContextTakeover: true },
    ['pmd', 'pmd; cnct'],
    ['pmd; cnct; cmwb', 'pmd; cnct'],
  ),
  wants(
    'Each end has a limit of its own.',
    { serverMaxWindowBits: 9, clientMaxWindowBits: 12 },
    ['pmd; cmwb', 'pmd; smwb=9; cmwb=12'],
    ['pmd; cmwb=10; smwb=10', 'pmd; smwb=9; cmwb=10'],
    ['pmd', 'pmd; smwb=9'],
  ),
  wants(
    'A policy can limit the client alone.',
    { clientMaxWindowBits: 11 },
    ['pmd; cmwb=15', 'pmd; cmwb=11'],
    ['pmd; smwb=13', 'pmd; smwb=13'],
  ),
  wants(
    'A client that wants a window forgotten gets it, even from a server that would keep it.',
    { serverNoContextTakeover: false, clientNoContextTakeover: false },
    ['pmd; snct; cnct', 'pmd; snct; cnct'],
    ['pmd; cmwb', 'pmd'],
  ),
  wants(
    'A policy that says what is so anyway adds nothing to the answer.',
    { serverMaxWindowBits: 15, clientMaxWindowBits: 15 },
    ['pmd', 'pmd'],
    ['pmd; cmwb', 'pmd'],
    ['pmd; cmwb=14; smwb=15', 'pmd; smwb=15; cmwb=14'],
  ),
];

const KEPT: Scenarios[number] = {
  what: 'An agreement stays as it is, when there is another one.',
  rules: [],
  check: ({ chooseDeflate }) => {
    const what = 'An agreement stays as it is, when there is another one.';
    const [one, other] = [inFull('pmd; snct; cmwb=9'), inFull('pmd; cnct; smwb=12')];
    const agreement = chooseDeflate(extensionsOf(one));
    const right = { ...agreement?.params };
    chooseDeflate(extensionsOf(other));
    equal(() => agreement?.params, right, what, {
      given: [
        ['call 1', `chooseDeflate, with the offer ${quote(one)}`],
        ['call 2', `chooseDeflate, with the offer ${quote(other)}`],
      ],
      label: 'the first `params`, in which',
    });
  },
};

const ANY_OFFERS: Scenarios[number] = {
  what: 'Any offers, right or wrong, and any policy.',
  rules: [51, 140, 143, 144, 161],
  check: (lesson) => {
    generated(80, (choose) => {
      const offers = drawOffers(choose);
      const policy = drawPolicy(choose);
      const expected = slowChoice(extensionsOf(offers), policy);
      const what = expected
        ? 'Answer the first offer that can be kept.'
        : 'Decline offers none of which can be kept.';
      chooses(lesson, offers, policy, expected, what);
    });
  },
};

export const CHOOSING: Scenarios = [
  ...ACCEPTING,
  ...DECLINING,
  ...AMONG_SEVERAL,
  ...POLICIES,
  KEPT,
  ANY_OFFERS,
];
